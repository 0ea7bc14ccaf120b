"""What goes with the pictures of a channel when they leave for a shop: tables, a zip, contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from lib_photoshoot.catalog.by_hand import REJECTED
from lib_photoshoot.catalog.report import what_to_check
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.exporter import ExportedPicture, Exporter
from lib_photoshoot.export.new_files import write_new
from lib_photoshoot.export.profile import Profile
from lib_photoshoot.export.shop.archive import is_large, write_zip
from lib_photoshoot.export.shop.contact_sheet import SHEET_ENDING, check_pdf, write_contact_sheets
from lib_photoshoot.export.shop.planning import PlannedPicture
from lib_photoshoot.export.shop.settings import PLAIN, ShopSettings
from lib_photoshoot.export.shop.tables import ShopPicture, table_of
from lib_photoshoot.files import shown
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.wording import counted


def check_ready(settings: ShopSettings) -> None:
    """Raise ExportError for what could not be made in the end, before anything is."""
    if settings.contact_sheet:
        check_pdf()
    if settings.font and not Path(settings.font).is_file():
        raise ExportError(f"There is no font file {shown(settings.font)}; check the path.")


def shop_picture(
    planned: PlannedPicture,
    exported: ExportedPicture,
    exporter: Exporter,
    doubts: Sequence[str],
    hand: Hand | None = None,
) -> ShopPicture:
    """Return what is known of a picture that was exported; with ``doubts``, which are codes, it is not ready, nor where
    a person, whose word stands above them, has rejected it.
    """
    row = planned.row
    ready, checks = judged(list(map(str, exported.missed)), exported.cut_off, doubts, hand)
    return ShopPicture(
        file=PurePath(exported.path.relative_to(exporter.out)),
        path=exported.path,
        channel=exporter.profile.name,
        width=exported.width,
        height=exported.height,
        bytes=exported.bytes,
        product=planned.origin.product,
        sku=planned.sku,
        title="" if row is None else row.title,
        handle="" if row is None else row.handle,
        alt="" if row is None else row.alt,
        ready=ready,
        checks=checks,
        source=exported.evidence.source.value,
        term=exported.evidence.term or "",
        made_from=PurePath(planned.origin.picture or planned.cutout.name).name,
    )


def judged(
    missed: Sequence[str], cut_off: bool, doubts: Sequence[str], hand: Hand | None
) -> tuple[bool, tuple[str, ...]]:
    """Return whether a picture is ready for its channel, and what there is to be checked of it, in words."""
    doubts = () if hand is not None else doubts
    checks = [f"misses {finding}" for finding in missed]
    checks += ["the product is cut off by its picture's edge"] if cut_off else []
    checks += [f"check {what_to_check(doubts)}"] if doubts else []
    rejected = hand is not None and hand.decision == REJECTED
    checks += [": ".join(filter(None, ("rejected by hand", hand.words)))] if hand and rejected else []
    return not doubts and not rejected, tuple(checks)


def hand_over(
    out: Path,
    profile: Profile,
    pictures: Sequence[ShopPicture],
    settings: ShopSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Write into ``out`` what the settings want, named after the profile; return a sentence for each file.

    What is not ready stands in the plain table and on the contact sheet, marked, and in nothing that a shop is given.
    A file that lies there already, and is the same, is left. ``tell`` hears what is to be known besides. Raises
    ExportError where another file has a name, or one cannot be written; the pictures stay whole.
    """
    if not pictures:
        tell("No picture was exported, so no table, zip or contact sheet was written.")
        return []
    said = []
    for shop in settings.shops:
        path = out / (f"{profile.name}.csv" if shop == PLAIN else f"{profile.name}-{shop}.csv")
        new = write_new(path, table_of(shop, pictures, settings.url_base))
        said.append(_said(path, new, "the table for people" if shop == PLAIN else f"the table for {_CALLED[shop]}"))
    if settings.archive:
        said += _zip(out / f"{profile.name}.zip", [item for item in pictures if item.ready], tell)
    if settings.contact_sheet:
        path, fonts = out / f"{profile.name}{SHEET_ENDING}.pdf", [Path(settings.font)] if settings.font else []
        for sheet in write_contact_sheets(path, pictures, profile.title, settings.paper, fonts, tell):
            said.append(_said(sheet.path, not sheet.was_there, counted(sheet.pages, "page")))
    return said


_CALLED = {"shopify": "Shopify", "woocommerce": "WooCommerce"}


def _zip(path: Path, pictures: Sequence[ShopPicture], tell: Callable[[str], None]) -> list[str]:
    if not pictures:
        tell(f"No picture is ready for the channel, so {shown(path)} was not written.")
        return []
    new = write_zip(path, [(item.file, item.path) for item in pictures])
    if is_large(path, len(pictures)):
        tell(
            f"{shown(path)} is larger than 4 GB or has more than 65,535 pictures (ZIP64), which some shops and "
            "programs do not read; export in parts."
        )
    size = f"{counted(len(pictures), 'picture')}, {path.stat().st_size / 1e6:,.1f} MB"
    return [_said(path, new, size)]


def _said(path: Path, new: bool, what: str) -> str:
    return f"{shown(path)}: {'' if new else 'already there, '}{what}"
