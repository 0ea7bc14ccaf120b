"""Reads a shot list: a CSV with one product a row, or a YAML with a list of products and values for all of them.

Fields are those of :data:`lib_photoshoot.shoot.fields.FIELDS`. A YAML file is a list of products, or
``{defaults: {...}, products: [...]}``. Several values are separated by ``|`` in a CSV cell, and a list in YAML.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_photoshoot.images import shown, write_atomic
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.shoot.fields import FIELDS, REQUIRED, read_field
from lib_photoshoot.shoot.ledger import FINISHED, LEDGER_NAME, LIST_NAME
from lib_photoshoot.shoot.listed import ListedProduct, ProductReader
from lib_photoshoot.shoot.pictures import THUMBNAILS

SUFFIXES = (".csv", ".yaml", ".yml")
REPORT_NAME = "report.html"
_LARGEST_FILE = 64 << 20
_TAKEN = (LEDGER_NAME, LIST_NAME, REPORT_NAME, THUMBNAILS, FINISHED)
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
    try:
        products = []
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
    return _csv_rows(text) if is_csv else _yaml_rows(text)


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
    text = yaml.dump([dict(row) for row in rows], Dumper=dumper, allow_unicode=True, sort_keys=False)
    write_atomic(out / LIST_NAME, lambda file: file.writelines([text.encode()]))


class RowError(Exception):
    """What is wrong with a row: its line, the field where one can be named, and a sentence without file and line."""

    def __init__(self, line: int, text: str, field: str = "") -> None:
        super().__init__(text)
        self.line, self.text, self.field = line, text, field


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


def _check_names(names: Iterator[tuple[str, int]]) -> None:
    seen = set()
    for name, line in names:
        if name not in FIELDS:
            raise RowError(line, f"there is no field called {name!r}; known are: {', '.join(FIELDS)}.")
        if name in seen:
            raise RowError(line, f"the field {name} is there twice; keep one of them.")
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
                raise RowError(begin, text)
            yield Row(dict(zip(names, cells, strict=True)), begin)
    except csv.Error as error:
        raise RowError(line, f"the row cannot be read ({error}); check its quotes.") from error


def _check_required(names: list[str], line: int) -> None:
    for name in REQUIRED:
        if name not in names:
            raise RowError(line, f"the column {name} is missing; every product needs {' and '.join(REQUIRED)}.")


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
        raise RowError(mark.line + 1 if mark else 1, f"the file is not YAML ({what}).") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        what = " ".join(str(error).split()) or "it is nested too deeply"
        raise RowError(1, f"the file is not YAML ({what}).") from error
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
        raise RowError(root.start_mark.line + 1, f"there is no list; {shape}")
    parts = {}
    for key, value in root.value:
        if key.value not in ("defaults", "products"):
            raise RowError(key.start_mark.line + 1, f"there is no part called {key.value!r}; {shape}")
        parts[key.value] = value
    items = parts.get("products")
    if items is None or items.id != "sequence":
        raise RowError(root.start_mark.line + 1, f"there is no list 'products'; {shape}")
    return parts.get("defaults"), items.value


def _yaml_row(loader: Any, node: Any) -> Row:
    line = node.start_mark.line + 1
    if node.id != "mapping":
        raise RowError(line, "there is no product with fields; write name: and count: and so on.")
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    _check_names((str(key.value), key.start_mark.line + 1) for key, _ in node.value)
    return Row(loader.construct_mapping(node, deep=True), line, lines)
