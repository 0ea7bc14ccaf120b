"""What a training request says besides plain values: the recipe, and crops of pictures."""

from __future__ import annotations

from typing import Any

from lib_photoshoot.training.assignments import assigned
from lib_photoshoot.training.recipe import Recipe, recipe_from
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.fields import Fields, is_number, short

RECIPE_FIELDS = ("recipe", "set")


def recipe_values(fields: Fields) -> dict[str, Any]:
    """Return the recipe's values by name: ``recipe``, an object, and over it ``set``, a list of texts NAME=VALUE."""
    return {**fields.values("recipe"), **assigned(fields.texts("set") or ())}


def read_recipe(fields: Fields) -> Recipe:
    """Return the recipe with those values. Raises TrainingError."""
    return recipe_from(recipe_values(fields))


def read_boxes(fields: Fields, name: str) -> dict[str, tuple[float, float, float, float]]:
    """Boxes [x0, y0, x1, y1] in pixels by picture name, empty where none is given."""
    return {picture: _box(picture, value) for picture, value in fields.values(name).items()}


def _box(picture: str, value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != 4 or not all(is_number(edge) for edge in value):
        raise RequestError(f"The crop of {picture!r} is {short(value)}; give [left, top, right, bottom] in pixels.")
    # Whole pixels, so that the crop that is planned is the one that is made.
    left, top, right, bottom = (float(round(edge)) for edge in value)
    return left, top, right, bottom
