"""A table that says which picture shows which article: the columns ``sku`` and ``file``, and more for the shops."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from lib_photoshoot.errors import ExportError
from lib_photoshoot.file_names import same_name
from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_SUFFIXES
from lib_photoshoot.spreadsheet import (
    RowFault,
    TextFileError,
    columns_of,
    csv_rows,
    formula_undone,
    read_text,
    unpadded,
    wrong_width,
)

_MOST_MEGABYTES = 32
_LONGEST_CELL = 2000
_NEEDED = ("sku", "file")


@dataclass(frozen=True)
class SkuRow:
    """A row, each value as it was written, without blanks around it.

    ``file`` is a picture's or cut-out's name or path, with its suffix or without. ``title`` is the article's name in
    the shop, ``handle`` the end of its address there, ``alt`` what the picture shows, in words; all three may be empty.
    """

    sku: str
    file: str
    title: str = ""
    handle: str = ""
    alt: str = ""
    line: int = field(default=0, metadata={"column": False})


COLUMNS = tuple(item.name for item in fields(SkuRow) if item.metadata.get("column", True))


@dataclass(frozen=True)
class MatchedRows:
    """For each picture its row, or None; and the rows that are of no picture."""

    rows: tuple[SkuRow | None, ...]
    unused: tuple[SkuRow, ...]


def read_sku_table(path: Path) -> tuple[SkuRow, ...]:
    """Return the rows of a CSV file, with commas, semicolons or tabs, in UTF-8 or marked UTF-16. Raises ExportError."""
    try:
        text = read_text(path, _MOST_MEGABYTES)
    except TextFileError as error:
        raise ExportError(f"The table {shown(path)} {error}") from error
    return sku_rows(text, str(path))


def sku_rows(text: str, name: str) -> tuple[SkuRow, ...]:
    """Return the rows of a CSV text; ``name`` stands for it in messages. Raises ExportError."""
    try:
        lines = csv_rows(text)
        _, header = next(lines, (1, []))
        names = columns_of(header, _NEEDED, COLUMNS)
        rows = [_row(line, cells, names, text) for line, cells in lines]
    except RowFault as error:
        raise ExportError(f"{shown(name)}, line {error.line}: {error}") from error
    if not rows:
        raise ExportError(f"The table {shown(name)} has no row for a picture; write one for each below its header.")
    return tuple(rows)


def match_rows(rows: Iterable[SkuRow], pictures: Sequence[Sequence[Sequence[str]]]) -> MatchedRows:
    """Say which row is whose.

    A picture is given by its names, in groups from the nearest to the furthest, as its cut-out's and its original's: a
    row that means it by a nearer name stands above one by a further name. Raises ExportError for a row whose name
    several pictures have that are not of one original, and for two rows that mean a picture equally.
    """
    index = _indexed(pictures)
    found: dict[int, tuple[int, SkuRow]] = {}
    unused = []
    for row in rows:
        means = next((index[key] for key in _keys(row.file) if key in index), {})
        if not means:
            unused.append(row)
            continue
        _check_one(row, means, pictures)
        for number, group in means.items():
            other = found.get(number)
            if other is not None and other[0] == group and other[1].sku != row.sku:
                raise ExportError(
                    f"The table's lines {other[1].line} and {row.line} give {row.file!r} the SKUs {other[1].sku!r} and "
                    f"{row.sku!r}; keep one of them."
                )
            if other is None or group < other[0]:
                found[number] = (group, row)
    matched = tuple(found[number][1] if number in found else None for number in range(len(pictures)))
    return MatchedRows(matched, tuple(unused))


def _indexed(pictures: Sequence[Sequence[Sequence[str]]]) -> Mapping[str, dict[int, int]]:
    """By the key of a name: the pictures that have it, each with the number of the nearest group it stands in."""
    index: dict[str, dict[int, int]] = {}
    for number, groups in enumerate(pictures):
        for group, names in enumerate(groups):
            for key in {key for name in names for key in _keys(name)}:
                index.setdefault(key, {}).setdefault(number, group)
    return index


def _check_one(row: SkuRow, means: Mapping[int, int], pictures: Sequence[Sequence[Sequence[str]]]) -> None:
    """Raise ExportError where a row's name is that of several pictures, and not of one original's cut-outs."""
    originals = {pictures[number][-1][0] for number in means}
    if len(originals) > 1:
        first, second = sorted(originals)[:2]
        raise ExportError(
            f"The table's line {row.line} names {row.file!r}, as {shown(first)} and {shown(second)} are both called; "
            "write the folder too."
        )


def _keys(name: str) -> tuple[str, ...]:
    """Return what is equal for two ways of writing a file's name, by accents, capitals and slashes: with its suffix,
    then without.
    """
    text = same_name(name.replace("\\", "/").strip("/ ").removeprefix("./"))
    stem, suffix = posixpath.splitext(text)
    return (text, stem) if suffix in PICTURE_SUFFIXES else (text,)


def _row(line: int, cells: Sequence[str], names: Sequence[str], text: str) -> SkuRow:
    cells = unpadded(cells)
    if len(cells) > len(names):
        raise RowFault(line, wrong_width(cells, names, text))
    values = {name: formula_undone(cell.strip()) for name, cell in zip(names, cells, strict=False)}
    for name, value in values.items():
        if len(value) > _LONGEST_CELL or not value.isprintable():
            raise RowFault(line, f"the {name} is no line of text of at most {_LONGEST_CELL} characters; correct it.")
    empty = next((name for name in _NEEDED if not values.get(name)), None)
    if empty is not None:
        raise RowFault(line, f"the {empty} is empty; fill it in, or remove the row.")
    return SkuRow(line=line, **values)
