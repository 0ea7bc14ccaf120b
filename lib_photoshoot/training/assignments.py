"""Values of the recipe as words NAME=VALUE: the command line's ``--set``, and ``set`` of the HTTP routes and page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib_photoshoot.declared import Meta
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.recipe import FIELDS


def assigned(words: Iterable[str]) -> dict[str, Any]:
    """Return the values by name, each in its own type; names and ranges are left to the recipe. Raises
    TrainingError.
    """
    values = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise TrainingError(f"The value {word!r} cannot be set; write it as NAME=VALUE.")
        name = name.strip()
        values[name] = _typed(text, FIELDS.get(name))
    return values


def _typed(text: str, meta: Meta | None) -> Any:
    """Return the text as the type of the recipe's value; what cannot be one is left for the recipe to refuse."""
    if meta is None:
        return text
    if meta.many:
        return tuple(text.split("\n"))
    if meta.kind is bool:
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if meta.kind is str:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if meta.kind is int and number.is_integer() else number
