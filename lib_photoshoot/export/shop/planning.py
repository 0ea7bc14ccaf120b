"""Which pictures are exported, whose article each shows, and what each is called: known before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from lib_photoshoot.catalog.by_hand import made_file
from lib_photoshoot.catalog.inputs import CUTOUTS, InputFile
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.profile import Profile
from lib_photoshoot.export.shop.names import parse_pattern
from lib_photoshoot.export.shop.settings import SHOPIFY, ShopSettings
from lib_photoshoot.export.shop.sku_table import SkuRow, match_rows
from lib_photoshoot.export.shop.tables import handles_of
from lib_photoshoot.files import shown
from lib_photoshoot.wording import counted


@dataclass(frozen=True)
class CutOutOrigin:
    """Of which picture a cut-out is, by its path and its output name, and the product's word; all may be empty.

    ``listed`` is the name in a shot list of what the picture was made for: a table's row may mean all of those.
    """

    picture: str = ""
    stem: str = ""
    product: str = ""
    listed: str = ""


@dataclass(frozen=True)
class PlannedPicture:
    """A picture to be exported: the input ``original``, the ``cutout`` made of it (or itself), what it is of, and the
    output ``name`` (folders kept, no suffix)."""

    original: InputFile
    cutout: InputFile
    origin: CutOutOrigin
    name: PurePath
    row: SkuRow | None = None

    @property
    def sku(self) -> str:
        """The article's SKU, empty where no table has one."""
        return "" if self.row is None else self.row.sku


def plan(
    files: Iterable[tuple[InputFile, InputFile]],
    profile: Profile,
    settings: ShopSettings,
    rows: Sequence[SkuRow] | None = None,
    products: Sequence[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> list[PlannedPicture]:
    """Return the pictures in the order of the table, where there is one, and then of the ``files``.

    ``products`` are the words that are looked for in what is no cut-out of a run. Where names are made of SKUs, or a
    shop's table is wanted, pictures without a row are left out. ``tell`` hears of those, and of rows that are of no
    picture. Raises ExportError for whatever cannot be named.
    """
    word = products[0] if len(products) == 1 else ""
    return plan_pictures([_picture(*pair, word) for pair in files], profile, settings, rows, tell)


def check_plan(profile: Profile, settings: ShopSettings, has_table: bool) -> None:
    """Raise ExportError for a name pattern that is none, and where a table is needed and there is none."""
    pattern = parse_pattern(settings.names, profile.file.format) if settings.names else None
    sku_named = pattern is not None and "sku" in pattern.fields
    if not has_table and (sku_named or settings.needs_table):
        what = "The name pattern uses {sku}" if sku_named else "A shop's importer knows an article by its SKU"
        raise ExportError(f"{what}; give the table that has them with --table (columns sku and file).")


def plan_pictures(
    planned: Sequence[PlannedPicture],
    profile: Profile,
    settings: ShopSettings,
    rows: Sequence[SkuRow] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[PlannedPicture]:
    """As :func:`plan`, of pictures of which is known what they are of; without a pattern they keep their names."""
    check_plan(profile, settings, rows is not None)
    pattern = parse_pattern(settings.names, profile.file.format) if settings.names else None
    sku_named = pattern is not None and "sku" in pattern.fields
    if rows is not None:
        planned = _with_rows(planned, rows, sku_named or settings.needs_table, tell)
    if SHOPIFY in settings.shops:
        _check_titles(planned)
        handles_of({item.sku: (item.row,) for item in planned if item.row is not None})
    if pattern is None:
        return list(planned)
    values = [
        {"sku": item.sku, "product": item.origin.product, "stem": item.cutout.stem, "channel": profile.name}
        for item in planned
    ]
    names = pattern.names(values)
    return [
        PlannedPicture(item.original, item.cutout, item.origin, PurePath(name), item.row)
        for item, name in zip(planned, names, strict=True)
    ]


def _picture(original: InputFile, cutout: InputFile, product: str) -> PlannedPicture:
    origin = origin_of(cutout.path) or CutOutOrigin(
        original.name if original.path != cutout.path else "", original.stem, product
    )
    return PlannedPicture(original, cutout, origin, cutout.relative)


def _with_rows(
    planned: Sequence[PlannedPicture], rows: Sequence[SkuRow], needed: bool, tell: Callable[[str], None]
) -> list[PlannedPicture]:
    """Each picture with its row, in the rows' order; without those that have none, where one is ``needed``."""
    matched = match_rows(_shared(rows), [_names(item) for item in planned])
    if matched.unused:
        lines = ", ".join(f"{row.file} (line {row.line})" for row in matched.unused[:3])
        more = f" and {len(matched.unused) - 3} more" if len(matched.unused) > 3 else ""
        tell(f"The table has {counted(len(matched.unused), 'row')} of no picture here: {shown(lines)}{more}.")
    with_rows = [
        PlannedPicture(item.original, item.cutout, item.origin, item.name, row)
        for item, row in zip(planned, matched.rows, strict=True)
    ]
    without = [item for item in with_rows if item.row is None]
    if without:
        names = ", ".join(shown(item.cutout.stem) for item in without[:3])
        more = f" and {len(without) - 3} more" if len(without) > 3 else ""
        done = "left out" if needed else "exported without a SKU"
        tell(f"{counted(len(without), 'picture')} without a row in the table, {done}: {names}{more}.")
    ordered = sorted((item for item in with_rows if item.row is not None), key=lambda item: item.row.line)  # type: ignore[union-attr]
    if needed and not ordered:
        raise ExportError("The table has no row for any of these pictures; check its column file.")
    return ordered if needed else [*ordered, *without]


def _shared(rows: Sequence[SkuRow]) -> list[SkuRow]:
    """Return the rows, each with its article's title and handle: a table need not repeat them."""
    titles: dict[str, str] = {}
    handles: dict[str, str] = {}
    for row in rows:
        titles[row.sku] = titles.get(row.sku) or row.title
        handles[row.sku] = handles.get(row.sku) or row.handle
    return [replace(row, title=row.title or titles[row.sku], handle=row.handle or handles[row.sku]) for row in rows]


def _check_titles(planned: Iterable[PlannedPicture]) -> None:
    titled = {item.sku for item in planned if item.row is not None and item.row.title}
    lacking = next((item for item in planned if item.sku not in titled), None)
    if lacking is not None:
        raise ExportError(
            f"Shopify's importer asks for each article's title, and the table has none for {lacking.sku!r}; fill in "
            "its column title."
        )


def _names(item: PlannedPicture) -> list[list[str]]:
    """By what names a table may mean a picture: its cut-out's, then its original's; each group's first is unique."""
    cutout = [os.path.abspath(item.cutout.name), item.cutout.stem, f"{CUTOUTS}/{item.cutout.stem}", item.cutout.name]
    groups = [[*cutout, os.path.basename(item.cutout.name)]]
    picture = item.origin.picture
    if picture:
        groups.append([picture, item.origin.stem, os.path.basename(picture)])
    if item.origin.listed:
        groups.append([item.origin.listed])
    return groups


def origin_of(cutout: Path) -> CutOutOrigin | None:
    """Return what the ledger of the filter run that wrote a cut-out says of it; None of any other file."""
    made = made_file(cutout)
    return None if made is None or not made.product else CutOutOrigin(made.picture, made.stem, made.product)
