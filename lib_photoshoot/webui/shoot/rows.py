"""The rows of a shot list as the page sends them: read, and told apart where something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_photoshoot.declared import check_names
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.presets import clean_name
from lib_photoshoot.shoot.run.ledger import read_state
from lib_photoshoot.shoot.shot_list.fields import FIELDS, REQUIRED, cell
from lib_photoshoot.shoot.shot_list.product import ListedProduct, with_photos
from lib_photoshoot.shoot.shot_list.reading import read_products
from lib_photoshoot.shoot.shot_list.rows import Row, RowError
from lib_photoshoot.webui.http.errors import RequestError

MOST_ROWS = 10_000
_KINDS = {str: "text", int: "whole", float: "number", dict: "settings"}


class RowsError(RequestError):
    """Rows that cannot be used; ``problems`` has an object with row, field and text for each."""

    def __init__(self, problems: Sequence[Mapping[str, Any]]) -> None:
        first = problems[0]
        super().__init__(f"Row {first['row'] + 1}: {first['text']}")
        self.problems = list(problems)


def columns() -> list[dict[str, Any]]:
    """Return the columns of the table: kind, range, default and help of each."""
    return [
        {
            "name": name,
            "kind": _KINDS[field.kind] + ("s" if field.many else ""),
            "default": cell(field.default) if name not in REQUIRED else "",
            "lowest": field.lowest,
            "highest": field.highest,
            "step": field.step,
            "about": field.help,
            "required": name in REQUIRED,
        }
        for name, field in FIELDS.items()
    ]


def fields_of(body: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a request's fields, which are exactly these. Raises RequestError."""
    if not isinstance(body, dict) or sorted(body) != sorted(names):
        raise RequestError(f"This request needs exactly: {', '.join(names)}.")
    return body


def parse_rows(values: Any) -> list[Row]:
    """Return the rows of a request. Raises RequestError."""
    if not isinstance(values, list) or len(values) > MOST_ROWS:
        raise RequestError(f"The rows are a list of at most {MOST_ROWS}.")
    for index, row in enumerate(values):
        if not isinstance(row, dict) or not all(isinstance(text, str) for text in row.values()):
            raise RequestError(f"Row {index + 1} is not made of fields with texts.")
        check_names(row, FIELDS, f"Row {index + 1} has a field {{}}", RequestError)
    return [Row(row, number) for number, row in enumerate(values, 1)]


def products_of(
    rows: Sequence[Row], locate: Callable[[str], Path]
) -> tuple[dict[int, ListedProduct], list[dict[str, Any]]]:
    """Return the products by the index of their rows, and what is wrong with the others; empty rows are passed over.

    ``locate`` says which place a photo's path means, and refuses those that may not be read.
    """
    filled = [row for row in rows if any(text.strip() for text in row.values.values())]
    products: dict[int, ListedProduct] = {}
    problems: list[dict[str, Any]] = []
    for row, read in zip(filled, read_products(filled, "row"), strict=True):
        if isinstance(read, RowError):
            problems += ({"row": row.line - 1, "field": one.field, "text": one.text} for one in read.each())
        elif (product := with_photos(read, locate)).fault:
            problems.append({"row": row.line - 1, "field": "photo", "text": product.fault})
        else:
            products[row.line - 1] = product
    return products, problems


def changed_products(products: Mapping[int, ListedProduct], path: Path) -> list[dict[str, Any]]:
    """Return what rows say otherwise than the pictures that are there were made with."""
    recipes = read_state(path).recipes
    problems = [
        {
            "row": index,
            "field": "",
            "text": f"{product.name!r} has pictures that were made with other values; undo the change, give the row "
            "another name, or save the list as a new shoot.",
        }
        for index, product in products.items()
        if recipes.pop(product.name, {product.recipe}) != {product.recipe}
    ]
    # The count may be lowered; to take a product out would leave its pictures without a place.
    last = max(products, default=0)
    problems += [
        {
            "row": last,
            "field": "",
            "text": f"{name!r} has pictures already; keep its row, or save the list as a new shoot.",
        }
        for name in recipes
    ]
    return problems


def cells(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as the table's cells hold them, without the empty ones."""
    return {name: text for name, value in values.items() if (text := cell(value))}


def new_name(name: Any) -> str:
    """Return the name of a new shoot, fit for a folder. Raises RequestError."""
    try:
        return clean_name(name)
    except (PhotoshootError, TypeError, AttributeError) as error:
        raise RequestError("The shoot needs a name with a letter or digit in it.") from error
