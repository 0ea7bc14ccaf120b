"""Reads a shot list: a CSV with one product a row, or a YAML with a list of products and values for all of them.

Fields are those of :data:`lib_photoshoot.shoot.fields.FIELDS`. A YAML file is a list of products, or
``{defaults: {...}, products: [...]}``. Several values are separated by ``|`` in a CSV cell, and a list in YAML.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_photoshoot.images import shown
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.shoot.fields import FIELDS, REQUIRED, read_field
from lib_photoshoot.shoot.ledger import LEDGER_NAME
from lib_photoshoot.shoot.listed import ListedProduct, ProductReader
from lib_photoshoot.shoot.pictures import THUMBNAILS

SUFFIXES = (".csv", ".yaml", ".yml")
REPORT_NAME = "report.html"
_LARGEST_FILE = 64 << 20
_TAKEN = (LEDGER_NAME, REPORT_NAME, THUMBNAILS)
"""Names in the output folder that no product's folder can have."""


@dataclass(frozen=True)
class Row:
    """The raw values of one product, the line where it begins, and the lines of its fields where they differ."""

    values: Mapping[str, Any]
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        """Where a field stands."""
        return self.lines.get(name, self.line)


def read_shot_list(path: Path) -> tuple[ListedProduct, ...]:
    """The products of a CSV or YAML file, in its order.

    Raises ShootError, with the line, for a file that cannot be read, an unknown or missing field, a value that cannot
    be used, and two products with one name.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ShootError(f"The shot list {shown(path)} is neither CSV nor YAML; give a file ending in .csv or .yaml.")
    text = _read_text(path)
    rows = _csv_rows(text) if path.suffix.lower() == ".csv" else _yaml_rows(text)
    reader = ProductReader()
    products: list[ListedProduct] = []
    owners: dict[str, tuple[str, int]] = {name.casefold(): (name, 0) for name in _TAKEN}
    try:
        for row in rows:
            product = _product(row, reader)
            line = row.line_of("name")
            _check_distinct(product, owners, line)
            owners[product.folder.casefold()] = (product.name, line)
            products.append(product)
    except _LineError as error:
        raise ShootError(f"{shown(path)}, line {error.line}: {error.text}") from error
    if not products:
        raise ShootError(f"The shot list {shown(path)} names no product; write one row for each.")
    return tuple(products)


class _LineError(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line, self.text = line, text


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
    values = {}
    for name in FIELDS:
        try:
            values[name] = read_field(name, row.values.get(name))
        except ShootError as error:
            raise _LineError(row.line_of(name), str(error)) from error
    if values["seeds"] and row.values.get("first_seed") not in (None, ""):
        raise _LineError(row.line_of("first_seed"), "there are both seeds and first_seed; keep one of them.")
    try:
        return reader.product(values)
    except ShootError as error:
        raise _LineError(row.line, str(error)) from error


def _check_distinct(product: ListedProduct, owners: Mapping[str, tuple[str, int]], line: int) -> None:
    other, where = owners.get(product.folder.casefold(), (None, 0))
    if other is None:
        return
    if not where:
        raise _LineError(line, f"the name {product.name!r} is that of a file of the shoot; choose another one.")
    if other == product.name:
        raise _LineError(line, f"the name {other!r} stands in line {where} already; give each product its own.")
    raise _LineError(line, f"the name {product.name!r} is too like {other!r} in line {where} for two folders.")


def _check_names(names: Iterator[tuple[str, int]]) -> None:
    seen = set()
    for name, line in names:
        if name not in FIELDS:
            raise _LineError(line, f"there is no field called {name!r}; known are: {', '.join(FIELDS)}.")
        if name in seen:
            raise _LineError(line, f"the field {name} is there twice; keep one of them.")
        seen.add(name)


def _csv_rows(text: str) -> Iterator[Row]:
    # Spreadsheets of many countries write semicolons, and call the file CSV all the same.
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            begin, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = [cell.strip() for cell in cells]
                _check_names((name, begin) for name in names)
                _check_required(names, begin)
                continue
            if len(cells) != len(names):
                text = (
                    f"there are {len(cells)} cells for {len(names)} columns; put texts with a {delimiter!r} in quotes."
                )
                raise _LineError(begin, text)
            yield Row(dict(zip(names, cells, strict=True)), begin)
    except csv.Error as error:
        raise _LineError(line, f"the row cannot be read ({error}); check its quotes.") from error


def _check_required(names: list[str], line: int) -> None:
    for name in REQUIRED:
        if name not in names:
            raise _LineError(line, f"the column {name} is missing; every product needs {' and '.join(REQUIRED)}.")


def _yaml_rows(text: str) -> Iterator[Row]:
    import yaml

    # The parser in C, where PyYAML has it, is ten times faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        root = loader.get_single_node()
        defaults, items = _yaml_parts(root)
        shared = _yaml_row(loader, defaults) if defaults is not None else Row({}, 1)
        for item in items:
            row = _yaml_row(loader, item)
            yield Row({**shared.values, **row.values}, row.line, {**shared.lines, **row.lines})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "it is damaged"
        raise _LineError(mark.line + 1 if mark else 1, f"the file is not YAML ({what}).") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        what = " ".join(str(error).split()) or "it is nested too deeply"
        raise _LineError(1, f"the file is not YAML ({what}).") from error
    finally:
        with suppress(AttributeError):
            loader.dispose()


def _yaml_parts(root: Any) -> tuple[Any, list[Any]]:
    """The node of the values for all products or None, and those of the products."""
    shape = "write a list of products, or 'defaults' and 'products'."
    if root is None:
        return None, []
    if root.id == "sequence":
        return None, root.value
    if root.id != "mapping":
        raise _LineError(root.start_mark.line + 1, f"there is no list; {shape}")
    parts = {}
    for key, value in root.value:
        if key.value not in ("defaults", "products"):
            raise _LineError(key.start_mark.line + 1, f"there is no part called {key.value!r}; {shape}")
        parts[key.value] = value
    items = parts.get("products")
    if items is None or items.id != "sequence":
        raise _LineError(root.start_mark.line + 1, f"there is no list 'products'; {shape}")
    return parts.get("defaults"), items.value


def _yaml_row(loader: Any, node: Any) -> Row:
    line = node.start_mark.line + 1
    if node.id != "mapping":
        raise _LineError(line, "there is no product with fields; write name: and count: and so on.")
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    _check_names((str(key.value), key.start_mark.line + 1) for key, _ in node.value)
    return Row(loader.construct_mapping(node, deep=True), line, lines)
