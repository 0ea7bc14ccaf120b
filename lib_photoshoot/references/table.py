"""Colour references that are given apart from the product list: ``cup=#7a5c3e; tolerance=2``, or a table.

A table is a CSV file with the columns ``product`` and ``colour``, and ``tolerance`` if there is one of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lib_photoshoot.colour.reference import ColourError, ColourReference, parse_reference
from lib_photoshoot.errors import ProductsError
from lib_photoshoot.files import shown
from lib_photoshoot.products import Product, normalise_word
from lib_photoshoot.spreadsheet import (
    RowFault,
    TextFileError,
    columns_of,
    csv_rows,
    formula_undone,
    mistakes_told,
    read_text,
    unpadded,
    wrong_width,
)

_MOST_MEGABYTES = 4
_NEEDED = ("product", "colour")
_COLUMNS = (*_NEEDED, "tolerance")
_PATTERN = "#7a5c3e 60% | #ffffff 40%"
_OUTSIDE_BRACKETS = re.compile(r";(?![^(]*\))")


def with_references(
    products: Sequence[Product],
    given: Iterable[str],
    table: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Product, ...]:
    """Return the products with their references: those of the list itself and those ``given`` stand above the table's.

    ``tell`` hears which rows of the table are not used. Raises ColourError, also for a product whose colour stands in
    the list and is ``given``, or is given twice.
    """
    owners = {word: product.name for product in products for word in product.words}
    shown = [product.as_typed(word) for product in products for word in product.words]
    nearer = {product.name: product.colour for product in products if product.colour is not None}
    for text in given:
        typed, reference = _given(text)
        word = normalise_word(typed)
        if word not in owners:
            raise ColourError(f"A colour is given for {typed!r}, which is none of the products: {', '.join(shown)}.")
        if owners[word] in nearer:
            raise ColourError(
                f"The product {typed!r} has two colours, in the product list or by --colour; keep one of them, "
                f"or write those of a pattern as one: {_PATTERN}."
            )
        nearer[owners[word]] = reference
    tabled = {} if table is None else _tabled(table, owners, nearer, tell)
    return tuple(replace(item, colour=nearer.get(item.name, tabled.get(item.name))) for item in products)


def _tabled(
    table: Path, owners: Mapping[str, str], nearer: Container[str], tell: Callable[[str], None]
) -> dict[str, ColourReference]:
    """Each product's reference in the table, where it names it; ``nearer`` are the products that need none of it."""
    rows = read_table(table, owners)
    references = {word: reference for word, reference in rows.items() if word in owners}
    if not references:
        raise ColourError(f"The table {shown(table)} names none of the products {', '.join(owners)}; check its column.")
    for words, why in (
        ([word for word in rows if word not in references], "they are no products of this run"),
        ([word for word in rows if word in nearer], "the product list or --colour says their colour"),
    ):
        if words:
            more = f" and {len(words) - 3} more" if len(words) > 3 else ""
            tell(f"{shown(table)}: not used for {', '.join(words[:3])}{more}; {why}.")
    return references


def read_table(path: Path, owners: Mapping[str, str]) -> dict[str, ColourReference]:
    """Each row's product, as ``owners`` names it or normalised, with its reference.

    Raises ColourError: a line of text for each mistake, as :func:`mistakes_told` says.
    """
    try:
        text = read_text(path, _MOST_MEGABYTES)
    except TextFileError as error:
        raise ColourError(f"The table {shown(path)} {error}") from error
    rows = csv_rows(text)
    references: dict[str, ColourReference] = {}
    lines: dict[str, int] = {}
    mistakes: list[tuple[int, str]] = []
    line = 1
    try:
        line, header = next(rows, (1, []))
        names = columns_of(header, _NEEDED, _COLUMNS)
        for line, cells in rows:
            try:
                word, reference = _row(unpadded(cells), names, text)
                word = owners.get(word, word)
                _check_new(word, lines)
            except ProductsError as error:
                mistakes.append((line, str(error)))
                continue
            references[word], lines[word] = reference, line
    except (ProductsError, RowFault) as error:
        mistakes.append((getattr(error, "line", line), str(error)))
    if mistakes:
        raise ColourError(mistakes_told(shown(path), mistakes))
    if not references:
        raise ColourError(f"The table {shown(path)} has no row for a product; write one for each below its header.")
    return references


def _check_new(word: str, lines: Mapping[str, int]) -> None:
    if word in lines:
        raise ColourError(
            f"The product {word!r} stands in line {lines[word]} already; keep one of the two, or write the colours of "
            f"a pattern in one cell: {_PATTERN}."
        )


def _row(cells: Sequence[str], names: Sequence[str], text: str) -> tuple[str, ColourReference]:
    if len(cells) > len(names):
        raise ColourError(wrong_width(cells, names, text))
    row = dict(zip(names, map(str.strip, cells), strict=False))
    formula = next((cell for cell in row.values() if cell.startswith("=")), None)
    if formula is not None:
        raise ColourError(f"The cell {formula[:40]!r} is a formula; save the table with values only.")
    word = normalise_word(formula_undone(row.get("product", "")))
    if not word:
        raise ColourError("The row names no product; write the product's word, or remove the row.")
    return word, parse_reference(row.get("colour", ""), row.get("tolerance"))


def _given(text: str) -> tuple[str, ColourReference]:
    word, equals, rest = text.partition("=")
    if not equals:
        raise ColourError(f"The colour {text[:60]!r} names no product; write it as cup=#7a5c3e, or cup=Lab(52, 8, 20).")
    return " ".join(word.split()), given_reference(rest)


def given_reference(text: str) -> ColourReference:
    """Return the reference of ``#7a5c3e; tolerance=2``. Raises ColourError."""
    colour, *settings = _OUTSIDE_BRACKETS.split(text, maxsplit=1)
    key, _, tolerance = "".join(settings).partition("=")
    if key.strip().lower() not in ("", "tolerance"):
        raise ColourError(
            f"The colour {colour.strip()[:60]!r} has the unknown setting {key.strip()!r}; known is: tolerance."
        )
    return parse_reference(colour, tolerance)
