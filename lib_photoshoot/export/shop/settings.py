"""What is made of finished pictures for a shop: every choice, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lib_photoshoot.declared import check_fields, check_names, setting
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.profile import Profile

PLAIN, SHOPIFY, WOOCOMMERCE = "plain", "shopify", "woocommerce"
SHOPS = (PLAIN, SHOPIFY, WOOCOMMERCE)
PAPERS = ("a4", "letter")


@dataclass(frozen=True)
class ShopSettings:
    """Valid by construction; raises ExportError. Texts are empty and lists have nothing where nothing is wanted."""

    names: str = setting("", "Names", help="Pattern of the files' names, such as {sku}_{product}_{n}.")
    shops: tuple[str, ...] = setting(
        (),
        "Tables",
        kind=str,
        many=True,
        choices=SHOPS,
        help="CSV tables: plain for people, shopify and woocommerce as their importers read them.",
    )
    url_base: str = setting("", "Address", help="Where the pictures will lie on the web, for the shops' tables.")
    archive: bool = setting(False, "Zip", help="One zip of the pictures.")
    contact_sheet: bool = setting(False, "Contact sheet", help="A PDF of the pictures for sign-off.")
    paper: str = setting("a4", "Paper", choices=PAPERS, help="The contact sheet's.")
    font: str = setting("", "Font", help="A font file for the contact sheet, before those of the system.")

    def __post_init__(self) -> None:
        check_fields(self, lambda name, _: name.replace("_", " "), ExportError)
        check_names(self.shops, SHOPS, "There is no shop table {}", ExportError)
        if self.url_base and urlsplit(self.url_base).scheme not in ("http", "https"):
            raise ExportError(
                f"The address {self.url_base[:80]!r} does not begin with https://; give that of the web folder where "
                "the pictures will lie."
            )
        if SHOPIFY in self.shops and not self.url_base:
            raise ExportError(
                "Shopify's importer fetches pictures from the web; say with --url-base where they will lie, such as "
                "https://example.com/pictures."
            )

    def named(self, profile: Profile) -> Profile:
        """Return the profile, which names files as they are planned where a pattern is given."""
        return replace(profile, file=replace(profile.file, name="{stem}")) if self.names else profile

    @property
    def wants_more(self) -> bool:
        """Whether anything is wanted besides pictures."""
        return bool(self.shops) or self.archive or self.contact_sheet

    @property
    def needs_table(self) -> bool:
        """Whether a shop's importer asks what only a table of SKUs says."""
        return bool(set(self.shops) - {PLAIN})
