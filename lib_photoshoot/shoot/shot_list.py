"""Reads a shot list: a CSV with one product a row, or a YAML with a list of products and values for all of them.

Fields are those of :data:`lib_photoshoot.shoot.fields.FIELDS`. A YAML file is a list of products, or
``{defaults: {...}, products: [...]}``. Several values are separated by ``|`` in a CSV cell, and a list in YAML.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.shoot.fields import FIELDS, REQUIRED, read_field
from lib_photoshoot.shoot.ledger import FINISHED, LEDGER_NAME, LIST_NAME
from lib_photoshoot.shoot.listed import ListedProduct, ProductReader
from lib_photoshoot.shoot.pictures import THUMBNAILS
from lib_photoshoot.shoot.rows import Row, RowError, check_names
from lib_photoshoot.shoot.yaml_rows import YAML_BREAKS, uncollected, yaml_rows
from lib_photoshoot.spreadsheet import formula_undone

SUFFIXES = (".csv", ".yaml", ".yml")
REPORT_NAME = "report.html"
_LARGEST_FILE = 64 << 20
_TAKEN = (LEDGER_NAME, LIST_NAME, REPORT_NAME, THUMBNAILS, FINISHED)
"""Names in the output folder that no product's folder can have."""


def read_shot_list(path: Path) -> tuple[ListedProduct, ...]:
    """The products of a CSV or YAML file, in its order.

    Raises ShootError, with the line, for a file that cannot be read, an unknown or missing field, a value that cannot
    be used, and two products with one name.
    """
    try:
        products = []
        with uncollected():
            for read in read_products(read_rows(path)):
                if isinstance(read, RowError):
                    raise read
                products.append(read)
    except RowError as error:
        raise ShootError(f"{shown(path)}, line {error.line}: {error.text}") from error
    if not products:
        raise ShootError(f"The shot list {shown(path)} names no product; write one row for each.")
    return tuple(products)


def read_rows(path: Path) -> Iterator[Row]:
    """The raw rows of a CSV or YAML file. Raises ShootError, and RowError for one that cannot be split into fields."""
    if path.suffix.lower() not in SUFFIXES:
        raise ShootError(f"The shot list {shown(path)} is neither CSV nor YAML; give a file ending in .csv or .yaml.")
    return rows_of(_read_text(path), path.suffix.lower() == ".csv")


def rows_of(text: str, is_csv: bool) -> Iterator[Row]:
    """The raw rows of a list's text. Raises RowError for one that cannot be split into known fields."""
    return _csv_rows(text) if is_csv else yaml_rows(text)


def read_products(rows: Iterable[Row], place: str = "line") -> Iterator[ListedProduct | RowError]:
    """Each row's product, or what is wrong with the row; ``place`` is what :attr:`Row.line` counts, from 1."""
    reader = ProductReader()
    owners: dict[str, tuple[str, int]] = {name.casefold(): (name, 0) for name in _TAKEN}
    for row in rows:
        try:
            product = _product(row, reader)
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
    write_atomic(out / LIST_NAME, lambda file: file.writelines([text.encode()]))


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ShootError(f"The shot list {shown(path)} is larger than 64 MB; check that it is the right file.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ShootError(f"The shot list {shown(path)} cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise ShootError(f"The shot list {shown(path)} is not UTF-8 text; save it as UTF-8.") from error


def _product(row: Row, reader: ProductReader) -> ListedProduct:
    if row.values.get("colour", "") is None:
        text = "the colour is empty; YAML takes all behind an unquoted # for a comment, so put it in quotes."
        raise RowError(row.line_of("colour"), text, "colour")
    values = {name: field.default for name, field in FIELDS.items()}
    # A row has few of the fields, and a list may have many thousand rows.
    for name in (name for name in FIELDS if name in row.values or name in REQUIRED):
        try:
            values[name] = read_field(name, row.values.get(name))
        except ShootError as error:
            raise RowError(row.line_of(name), str(error), name) from error
    if values["seeds"] and row.values.get("first_seed") not in (None, ""):
        raise RowError(
            row.line_of("first_seed"), "there are both seeds and first_seed; keep one of them.", "first_seed"
        )
    try:
        return reader.product(values)
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
    # Spreadsheets of many countries write semicolons, and call the file CSV all the same.
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    # Lines end as files' lines do, and not at the other characters at which str.splitlines() breaks them.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            begin, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = [cell.strip() for cell in cells]
                check_names((name, begin) for name in names)
                _check_required(names, begin)
                continue
            if len(cells) != len(names):
                text = (
                    f"there are {len(cells)} cells for {len(names)} columns; put texts with a {delimiter!r} in quotes."
                )
                raise RowError(begin, text)
            yield Row(dict(zip(names, map(formula_undone, cells), strict=True)), begin)
    except csv.Error as error:
        raise RowError(line, f"the row cannot be read ({error}); check its quotes.") from error


def _check_required(names: list[str], line: int) -> None:
    for name in REQUIRED:
        if name not in names:
            raise RowError(line, f"the column {name} is missing; every product needs {' and '.join(REQUIRED)}.")
