"""Reads a shot list: a CSV with one product a row, or a YAML with a list of products and values for all of them.

Fields are those of :data:`lib_photoshoot.shoot.shot_list.fields.FIELDS`. A YAML file is a list of products, or
``{defaults: {...}, products: [...]}``. Several values are separated by ``|`` in a CSV cell, and a list in YAML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.shoot.run.ledger import FINISHED, LEDGER_NAME, LIST_NAME
from lib_photoshoot.shoot.run.pictures import THUMBNAILS
from lib_photoshoot.shoot.shot_list.fields import FIELDS, REQUIRED, read_field
from lib_photoshoot.shoot.shot_list.product import ListedProduct, ProductReader
from lib_photoshoot.shoot.shot_list.rows import Row, RowError, raise_all, sound, wrong_names
from lib_photoshoot.shoot.shot_list.yaml_rows import YAML_BREAKS, uncollected, yaml_rows
from lib_photoshoot.spreadsheet import (
    RowFault,
    TextFileError,
    csv_rows,
    formula_undone,
    mistakes_told,
    read_text,
    wrong_width,
)

SUFFIXES = (".csv", ".yaml", ".yml")
REPORT_NAME = "report.html"
_MOST_MEGABYTES = 64
_TAKEN = (LEDGER_NAME, LIST_NAME, REPORT_NAME, THUMBNAILS, FINISHED)
"""Names in the output folder that no product's folder can have."""


def read_shot_list(path: Path) -> tuple[ListedProduct, ...]:
    """Return the products of a CSV or YAML file, in its order.

    Raises ShootError for a file that cannot be read, an unknown or missing field, a value that cannot be used, and two
    products with one name: a line of text for each mistake, as :func:`mistakes_told` says.
    """
    products: list[ListedProduct] = []
    mistakes: list[RowError] = []
    try:
        with uncollected():
            for read in read_products(_rows(path)):
                if isinstance(read, RowError):
                    mistakes += read.each()
                else:
                    products.append(replace(read, where=f"{shown(path)}, {read.where}"))
    except RowError as error:
        mistakes += error.each()
    if mistakes:
        raise ShootError(mistakes_told(shown(path), [(one.line, one.text) for one in mistakes]))
    if not products:
        raise ShootError(f"The shot list {shown(path)} names no product; write one row for each.")
    return tuple(products)


def read_rows(path: Path) -> Iterator[Row]:
    """Return the raw rows of a CSV or YAML file. Raises ShootError, and RowError for one that cannot be split into
    fields.
    """
    return sound(_rows(path))


def _rows(path: Path) -> Iterator[Row]:
    if path.suffix.lower() not in SUFFIXES:
        raise ShootError(f"The shot list {shown(path)} is neither CSV nor YAML; give a file ending in .csv or .yaml.")
    return _split(_read_text(path), path.suffix.lower() == ".csv")


def rows_of(text: str, is_csv: bool) -> Iterator[Row]:
    """Return the raw rows of a list's text. Raises RowError for one that cannot be split into known fields."""
    return sound(_split(text, is_csv))


def _split(text: str, is_csv: bool) -> Iterator[Row]:
    return _csv_rows(text) if is_csv else yaml_rows(text)


def read_products(rows: Iterable[Row], place: str = "line") -> Iterator[ListedProduct | RowError]:
    """Each row's product, or what is wrong with the row; ``place`` is what :attr:`Row.line` counts, from 1."""
    reader = ProductReader()
    owners: dict[str, tuple[str, int]] = {name.casefold(): (name, 0) for name in _TAKEN}
    for row in rows:
        try:
            product = _product(row, reader, place)
            line = row.line_of("name")
            _check_distinct(product, owners, line, place)
        except RowError as error:
            yield error
            continue
        owners[product.folder.casefold()] = (product.name, line)
        yield product


def write_shot_list(out: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as ``list.yaml`` into ``out``, atomically; raises ``OSError`` as it comes."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    values = [dict(row) for row in rows]
    text = yaml.dump(values, Dumper=dumper, allow_unicode=True, sort_keys=False)
    if any(mark in text for mark in YAML_BREAKS):  # written as they are, they come back with other spaces around
        text = yaml.dump(values, Dumper=dumper, sort_keys=False)
    write_atomic(out / LIST_NAME, text.encode())


def _read_text(path: Path) -> str:
    try:
        return read_text(path, _MOST_MEGABYTES)
    except TextFileError as error:
        raise ShootError(f"The shot list {shown(path)} {error}") from error


def _product(row: Row, reader: ProductReader, place: str) -> ListedProduct:
    if row.fault is not None:
        raise row.fault
    if row.values.get("colour", "") is None:
        text = "the colour is empty; YAML takes all behind an unquoted # for a comment, so put it in quotes."
        raise RowError(row.line_of("colour"), text, "colour")
    values = {name: field.default for name, field in FIELDS.items()}
    wrong = []
    # A row has few of the fields, and a list may have many thousand rows.
    for name in (name for name in FIELDS if name in row.values or name in REQUIRED):
        try:
            values[name] = read_field(name, row.values.get(name))
        except ShootError as error:
            wrong.append(RowError(row.line_of(name), str(error), name))
    raise_all(wrong)
    if values["seeds"] and row.values.get("first_seed") not in (None, ""):
        raise RowError(
            row.line_of("first_seed"), "there are both seeds and first_seed; keep one of them.", "first_seed"
        )
    try:
        return replace(reader.product(values), where=f"{place} {row.line_of('photo')}")
    except ShootError as error:
        raise RowError(row.line, str(error)) from error


def _check_distinct(product: ListedProduct, owners: Mapping[str, tuple[str, int]], line: int, place: str) -> None:
    other, where = owners.get(product.folder.casefold(), (None, 0))
    if other is None:
        return
    if not where:
        text = f"the name {product.name!r} is that of a file of the shoot; choose another one."
    elif other == product.name:
        text = f"the name {other!r} stands in {place} {where} already; give each product its own."
    else:
        text = f"the name {product.name!r} is too like {other!r} in {place} {where} for two folders."
    raise RowError(line, text, "name")


def _csv_rows(text: str) -> Iterator[Row]:
    names: list[str] | None = None
    try:
        for line, cells in csv_rows(text):
            if names is None:
                names = [cell.strip() for cell in cells]
                raise_all((*wrong_names((name, line) for name in names), *_lacking(names, line)))
                continue
            if len(cells) != len(names):
                yield Row({}, line, fault=RowError(line, wrong_width(cells, names, text)))
                continue
            yield Row(dict(zip(names, map(formula_undone, cells), strict=True)), line)
    except RowFault as error:
        raise RowError(error.line, error.text) from error


def _lacking(names: list[str], line: int) -> Iterator[RowError]:
    for name in REQUIRED:
        if name not in names:
            yield RowError(line, f"the column {name} is missing; every product needs {' and '.join(REQUIRED)}.")
