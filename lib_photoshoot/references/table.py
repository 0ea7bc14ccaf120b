"""Colour references that are given apart from the product list: ``cup=#7a5c3e; tolerance=2``, or a table.

A table is a CSV file with the columns ``product`` and ``colour``, and ``tolerance`` if there is one of its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lib_photoshoot.colour.reference import ColourError, ColourReference, parse_reference
from lib_photoshoot.errors import ProductsError
from lib_photoshoot.files import shown
from lib_photoshoot.products import Product, normalise_word
from lib_photoshoot.spreadsheet import formula_safe, formula_undone

_LARGEST_FILE = 4 << 20
_NEEDED = ("product", "colour")
_COLUMNS = (*_NEEDED, "tolerance")


def with_references(
    products: Sequence[Product], given: Iterable[str], table: Path | None = None, tell: Callable[[str], None] = print
) -> tuple[Product, ...]:
    """The products with their references: those ``given`` one by one stand above the table's.

    ``tell`` hears of the table's products that are none of these. Raises ColourError.
    """
    references: dict[str, ColourReference] = {}
    owners = {word: product.name for product in products for word in product.words}
    unknown = []
    for word, reference in read_table(table) if table is not None else ():
        if word in owners:
            references[owners[word]] = reference
        else:
            unknown.append(word)
    if table is not None and not references:
        raise ColourError(f"The table {shown(table)} names none of the products {', '.join(owners)}; check its column.")
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        tell(f"{shown(table or '')}: {', '.join(unknown[:3])}{more} are no products of this run and are not used.")
    for text in given:
        word, reference = _given(text)
        if word not in owners:
            raise ColourError(f"A colour is given for {word!r}, which is none of the products: {', '.join(owners)}.")
        references[owners[word]] = reference
    return tuple(replace(item, colour=references.get(item.name, item.colour)) for item in products)


def read_table(path: Path) -> Iterator[tuple[str, ColourReference]]:
    """Each row's product, normalised, with its reference. Raises ColourError, with the line."""
    line = 1
    names: list[str] = []
    try:
        for cells in _rows(path):
            if not names:
                names = [cell.strip().lower() for cell in cells]
                _check_columns(names, path)
            elif any(cell.strip() for cell in cells):
                row = dict(zip(names, map(str.strip, cells), strict=False))
                formula = next((cell for cell in row.values() if formula_safe(cell) != cell), None)
                if formula is not None:
                    raise ColourError(f"The cell {formula[:40]!r} is a formula; save the table with values only.")
                colour = row.get("colour", "")
                yield normalise_word(row.get("product", "")), parse_reference(colour, row.get("tolerance"))
            line += 1
    except (ProductsError, csv.Error) as error:
        raise ColourError(f"{shown(path)}, line {line}: {error}") from error


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ColourError("The table is larger than 4 MB; check that it is the right file.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ColourError(f"The table cannot be read as UTF-8 text ({error}); check path and format.") from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    yield from ([formula_undone(cell) if cell.startswith("'#") else cell for cell in row] for row in reader)


def _check_columns(names: Sequence[str], path: Path) -> None:
    lacking = [name for name in _NEEDED if name not in names]
    other = [name for name in names if name not in _COLUMNS]
    if lacking or other:
        what = f"lacks the column {lacking[0]}" if lacking else f"has the unknown column {other[0]!r}"
        raise ColourError(f"The table {what}; its columns are {', '.join(_COLUMNS)}.")


def _given(text: str) -> tuple[str, ColourReference]:
    word, equals, rest = text.partition("=")
    if not equals:
        raise ColourError(f"The colour {text[:60]!r} names no product; write it as cup=#7a5c3e, or cup=Lab(52, 8, 20).")
    return normalise_word(word), given_reference(rest)


def given_reference(text: str) -> ColourReference:
    """The reference of ``#7a5c3e; tolerance=2``. Raises ColourError."""
    colour, _, setting = text.partition(";")
    key, _, tolerance = setting.partition("=")
    if key.strip().lower() not in ("", "tolerance"):
        raise ColourError(
            f"The colour {colour.strip()[:60]!r} has the unknown setting {key.strip()!r}; known is: tolerance."
        )
    return parse_reference(colour, tolerance)
