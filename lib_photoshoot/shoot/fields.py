"""The fields of a shot list, declared once: their kinds and ranges, and how CSV cells and YAML values are read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lib_photoshoot.errors import ShootError

HIGHEST_SEED = 2**32 - 1
SEPARATOR = "|"
"""Between several values of one CSV cell; a scene may hold commas."""

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Kind(Enum):
    """What a field holds."""

    TEXT = "a text"
    TEXTS = "texts"
    WHOLE = "a whole number"
    WHOLES = "whole numbers"
    NUMBER = "a number"
    SETTINGS = "settings"


@dataclass(frozen=True)
class Field:
    """One field: its kind, for numbers the range (inclusive) and the step, and the value where it is left empty.

    ``about`` says in a few words what it is for.
    """

    kind: Kind
    default: Any = ""
    lowest: float = 0
    highest: float = 0
    step: int = 1
    about: str = ""


REQUIRED = ("name", "count")
FIELDS: Mapping[str, Field] = {
    "name": Field(Kind.TEXT, about="Names the product's folder; what is looked for, unless a class says it."),
    "class": Field(Kind.TEXT, about="What is looked for and prompted, where the name is an article number or a brand."),
    "aliases": Field(Kind.TEXTS, (), about="Other words for the same thing."),
    "colour": Field(Kind.TEXTS, (), about="Its colour: #7a5c3e or Lab(52, 8, 20), or several with | between."),
    "colour_tolerance": Field(
        Kind.NUMBER, 3.0, 0.1, 50, about="The CIEDE2000 up to which a picture's colour is right."
    ),
    "prompt": Field(Kind.TEXT, about="A prompt of your own in place of the written one."),
    "negative_prompt": Field(Kind.TEXT, about="What must not be in the picture."),
    "scenes": Field(Kind.TEXTS, (), about="Where it stands, one after the other: on a table | in a street."),
    "count": Field(Kind.WHOLE, 0, 1, 10_000, about="Accepted pictures wanted."),
    "first_seed": Field(Kind.WHOLE, 1, 0, HIGHEST_SEED, about="The first try's seed; each further try takes the next."),
    "seeds": Field(Kind.WHOLES, (), 0, HIGHEST_SEED, about="These seeds only, in this order."),
    "lora": Field(Kind.TEXT, about="A LoRA of the WebUI, by its name."),
    "lora_weight": Field(Kind.NUMBER, 1.0, -2, 2, about="How strongly the LoRA acts."),
    "preset": Field(Kind.TEXT, about="A preset of the product filter."),
    "filter": Field(Kind.SETTINGS, None, about="Single settings of the filter, above the preset's."),
    "checkpoint": Field(Kind.TEXT, about="Empty: the one that the WebUI has loaded."),
    "steps": Field(Kind.WHOLE, 20, 1, 150, about="Sampling steps."),
    "width": Field(Kind.WHOLE, 512, 64, 2048, 8, about="Pixels."),
    "height": Field(Kind.WHOLE, 512, 64, 2048, 8, about="Pixels."),
    "sampler": Field(Kind.TEXT, about="Empty: the WebUI's own."),
    "scheduler": Field(Kind.TEXT, "Automatic", about="Schedule type of the sampler."),
    "cfg_scale": Field(Kind.NUMBER, 7.0, 1, 30, about="How closely the prompt is followed."),
    "exports": Field(Kind.TEXTS, (), about="Sales channels whose form the finished pictures get."),
}


def plain(value: Any) -> Any:
    """A read value as JSON and YAML have it."""
    return list(value) if isinstance(value, tuple) else value


def cell(value: Any) -> str:
    """A raw value as the text of a CSV cell, which :func:`read_field` reads as the same."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return f" {SEPARATOR} ".join(cell(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return "" if value is None else str(value)


def read_field(name: str, value: Any) -> Any:
    """The value of a field in its own type; an empty one is the default. Raises ShootError without file and line."""
    field = FIELDS[name]
    if value is None or (isinstance(value, str) and not value.strip()):
        if name in REQUIRED:
            raise ShootError(f"the field {name} is missing; every product needs {' and '.join(REQUIRED)}.")
        return field.default
    if field.kind is Kind.TEXT:
        return _text(name, value)
    if field.kind is Kind.TEXTS:
        return tuple(_text(name, item) for item in _items(value))
    if field.kind is Kind.WHOLES:
        return tuple(_number(name, field, item) for item in _items(value))
    if field.kind is Kind.SETTINGS:
        return _settings(name, value)
    return _number(name, field, value)


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part for part in value.split(SEPARATOR) if part.strip()]
    return value if isinstance(value, list) else [value]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        # YAML reads an unquoted 815 or no as a number or a truth value.
        raise ShootError(f"the {name} is {value!r}, which is no text; put it in quotes.")
    return " ".join(value.split())


def _number(name: str, field: Field, value: Any) -> Any:
    whole = field.kind is not Kind.NUMBER
    number = _parsed(value.strip(), whole) if isinstance(value, str) else value
    kinds = (int,) if whole else (int, float)
    # Written so that NaN is refused too; a bool is an int in Python, and no number here.
    fits = isinstance(number, kinds) and not isinstance(number, bool) and field.lowest <= number <= field.highest
    if not fits or (whole and number % field.step):
        what = "a whole number" if whole else "a number"
        multiple = f", a multiple of {field.step}," if field.step > 1 else ""
        raise ShootError(
            f"the {name} is {value!r}; give {what}{multiple} from {field.lowest:g} to {field.highest:.0f}."
        )
    return number if whole else float(number)


def _parsed(text: str, whole: bool) -> Any:
    if whole:
        # Longer ones are out of every range, and slow to read.
        return int(text) if _WHOLE.fullmatch(text) and len(text) < 20 else None
    # A comma where the spreadsheet's country writes decimals with one.
    text = text.replace(",", ".")
    return float(text) if _DECIMAL.fullmatch(text) else math.nan


def _settings(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ShootError(
            f'the {name} holds no filter settings; write names with values, in a CSV cell as JSON: {{"denoise": 0.3}}.'
        )
    return value
