"""The tables that go with finished pictures: for people, and as the importers of WooCommerce and Shopify read them.

Columns by the shops' own pages, which ``docs/shops.md`` cites. Only what pictures need is written: whatever a table
does not have, an importer leaves as it is in the shop.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import quote

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.shop.settings import PLAIN, SHOPIFY
from lib_photoshoot.export.shop.sku_table import SkuRow
from lib_photoshoot.spreadsheet import formula_safe

_PLAIN = (
    *("file", "product", "sku", "title", "alt", "channel", "position", "width", "height", "bytes"),
    *("ready", "checks", "source", "digital_source_type", "made_from"),
)
_SHOPIFY = ("Title", "URL handle", "Product image URL", "Image position", "Image alt text")
_BOM = "\ufeff"


@dataclass(frozen=True)
class ShopPicture:
    """A picture that was exported.

    ``file`` is its path below the output folder, ``made_from`` the picture or cut-out that it is of. ``checks`` says
    what is missed or to be looked at, and ``ready`` is False where it lies apart until somebody has looked. ``source``
    is how it came to be, ``term`` IPTC's name of that, empty for a photo. ``title``, ``handle`` and ``alt`` are those
    of the table of SKUs.
    """

    file: PurePath
    path: Path
    channel: str
    width: int
    height: int
    bytes: int
    product: str = ""
    sku: str = ""
    title: str = ""
    handle: str = ""
    alt: str = ""
    ready: bool = True
    checks: tuple[str, ...] = ()
    source: str = ""
    term: str = ""
    made_from: str = ""

    @property
    def said(self) -> str:
        """What the picture shows, in words: as the table says it, else the article's title, else the product."""
        return self.alt or self.title or self.product


def table_of(shop: str, pictures: Sequence[ShopPicture], url_base: str = "") -> bytes:
    """Return the table for one of ``SHOPS``. Raises ExportError for articles that a shop cannot tell apart."""
    # Excel takes a file for UTF-8 only with the mark; importers know nothing else.
    texts = {PLAIN: lambda: _BOM + _plain(pictures), SHOPIFY: lambda: _shopify(pictures, url_base)}
    return texts.get(shop, lambda: _woocommerce(pictures, url_base))().encode("utf-8", "backslashreplace")


def positions(pictures: Iterable[ShopPicture]) -> list[int]:
    """Return each picture's place, from 1, among those of its SKU; among all of no SKU it has the same."""
    counts: dict[str, int] = {}
    places = []
    for picture in pictures:
        counts[picture.sku] = counts.get(picture.sku, 0) + 1
        places.append(counts[picture.sku])
    return places


def _plain(pictures: Sequence[ShopPicture]) -> str:
    rows = (
        (
            *(picture.file.as_posix(), picture.product, picture.sku, picture.title, picture.said, picture.channel),
            *(position, picture.width, picture.height, picture.bytes, "yes" if picture.ready else "no"),
            *("; ".join(picture.checks), picture.source, picture.term, picture.made_from),
        )
        for picture, position in zip(pictures, positions(pictures), strict=True)
    )
    return _csv(_PLAIN, rows)


def _woocommerce(pictures: Sequence[ShopPicture], url_base: str) -> str:
    articles = _by_sku(pictures)
    titles = {sku: _title(items) for sku, items in articles.items()}
    # An empty name would take an article's own away.
    named = all(titles.values())
    rows = (
        (sku, *([titles[sku]] if named else []), ", ".join(_address(item, url_base) for item in items))
        for sku, items in articles.items()
    )
    return _csv(("SKU", *(["Name"] if named else []), "Images"), rows)


def _shopify(pictures: Sequence[ShopPicture], url_base: str) -> str:
    articles = _by_sku(pictures)
    handles = handles_of(articles)
    rows = (
        (_title(items) if place == 1 else "", handles[sku], _address(item, url_base), place, item.said)
        for sku, items in articles.items()
        for place, item in enumerate(items, 1)
    )
    return _csv(_SHOPIFY, rows)


def _by_sku(pictures: Iterable[ShopPicture]) -> dict[str, list[ShopPicture]]:
    """Return what may be sold, by its SKU."""
    articles: dict[str, list[ShopPicture]] = {}
    for picture in pictures:
        if picture.ready and picture.sku:
            articles.setdefault(picture.sku, []).append(picture)
    return articles


def _title(items: Iterable[ShopPicture]) -> str:
    return next((item.title for item in items if item.title), "")


def handles_of(articles: Mapping[str, Iterable[ShopPicture | SkuRow]]) -> dict[str, str]:
    """Return each SKU's handle, the end of its article's address at Shopify: the table's, else made of the SKU.

    Raises ExportError for one that is none, or that two SKUs would share.
    """
    handles: dict[str, str] = {}
    owners: dict[str, str] = {}
    for sku, items in articles.items():
        handle = next((item.handle for item in items if item.handle), "") or _handle(sku)
        if not re.fullmatch(r"[\w-]+", handle):
            raise ExportError(
                f"Shopify's handle of {sku!r} is {handle[:60]!r}, and may hold letters, digits and dashes only; "
                "correct the table's column handle."
            )
        other = owners.setdefault(handle.casefold(), sku)
        if other != sku:
            raise ExportError(
                f"Shopify would take {other!r} and {sku!r} for one article, {handle!r}; give each a handle in "
                "the table."
            )
        handles[sku] = handle
    return handles


def _handle(sku: str) -> str:
    plain = unicodedata.normalize("NFKD", sku).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _address(picture: ShopPicture, url_base: str) -> str:
    """Where the picture will lie; a bare name, without a comma, for shops that find it among what was uploaded."""
    if not url_base:
        return picture.file.name.replace(",", "-")
    return f"{url_base.rstrip('/')}/{quote(picture.file.as_posix())}"


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([formula_safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return buffer.getvalue()
