"""The fields of a shot list, declared once: their kinds and ranges, and how CSV cells and YAML values are read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lib_photoshoot.declared import Meta, checked
from lib_photoshoot.errors import ShootError

HIGHEST_SEED = 2**32 - 1
SEPARATOR = "|"
"""Between several values of one CSV cell; a scene may hold commas."""

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _text_field(help: str, default: str = "") -> Meta:
    return Meta(str, default, help=help)


def _texts(help: str) -> Meta:
    return Meta(str, (), help=help, many=True)


def _whole(default: Any, lowest: int, highest: int, help: str, step: int = 1, many: bool = False) -> Meta:
    return Meta(int, default, help=help, lowest=lowest, highest=highest, step=step, exact=True, many=many)


def _decimal(default: float, lowest: float, highest: float, help: str) -> Meta:
    return Meta(float, default, help=help, lowest=lowest, highest=highest)


REQUIRED = ("name", "count")
FIELDS: Mapping[str, Meta] = {
    "name": _text_field("Names the product's folder; what is looked for, unless a class says it."),
    "class": _text_field("What is looked for and prompted, where the name is an article number or a brand."),
    "photo": _texts("Photos or cut-outs of it, or a folder: it stays as photographed, and gets new scenes."),
    "aliases": _texts("Other words for the same thing."),
    "like": _texts("Photos of it, a folder or a taught name: accepted is only what shows this very product."),
    "colour": _texts("Its colour: #7a5c3e or Lab(52, 8, 20), or several with | between."),
    "colour_tolerance": _decimal(3.0, 0.1, 50, "The CIEDE2000 up to which a picture's colour is right."),
    "prompt": _text_field("A prompt of your own in place of the written one."),
    "negative_prompt": _text_field("What must not be in the picture."),
    "scenes": _texts("Where it stands, one after the other: on a table | in a street."),
    "count": _whole(0, 1, 10_000, "Accepted pictures wanted."),
    "first_seed": _whole(1, 0, HIGHEST_SEED, "The first try's seed; each further try takes the next."),
    "seeds": _whole((), 0, HIGHEST_SEED, "These seeds only, in this order.", many=True),
    "lora": _text_field("A LoRA of the WebUI, by its name."),
    "lora_weight": _decimal(1.0, -2, 2, "How strongly the LoRA acts."),
    "preset": _text_field("A preset of the product filter."),
    "filter": Meta(dict, None, help="Single settings of the filter, above the preset's."),
    "checkpoint": _text_field("Empty: the one that the WebUI has loaded."),
    "steps": _whole(20, 1, 150, "Sampling steps."),
    "width": _whole(512, 64, 2048, "Pixels.", step=8),
    "height": _whole(512, 64, 2048, "Pixels.", step=8),
    "sampler": _text_field("Empty: the WebUI's own."),
    "scheduler": _text_field("Schedule type of the sampler.", "Automatic"),
    "cfg_scale": _decimal(7.0, 1, 30, "How closely the prompt is followed."),
    "exports": _texts("Sales channels whose form the finished pictures get."),
}


def plain(value: Any) -> Any:
    """Return a read value as JSON and YAML have it."""
    return list(value) if isinstance(value, tuple) else value


def cell(value: Any) -> str:
    """Return a raw value as the text of a CSV cell, which :func:`read_field` reads as the same."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return f" {SEPARATOR} ".join(cell(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return "" if value is None else str(value)


def read_field(name: str, value: Any) -> Any:
    """Return the value of a field in its own type; an empty one is the default. Raises ShootError without file and
    line.
    """
    meta = FIELDS[name]
    if value is None or (isinstance(value, str) and not value.strip()):
        if name in REQUIRED:
            raise ShootError(f"the field {name} is missing; every product needs {' and '.join(REQUIRED)}.")
        return meta.default
    if meta.kind is dict:
        return _settings(name, value)
    if meta.many:
        return tuple(_read_one(name, meta, item) for item in _items(value))
    return _read_one(name, meta, value)


def _read_one(name: str, meta: Meta, value: Any) -> Any:
    if meta.kind is str:
        return _text(name, value)
    written = value if isinstance(value, str) else None
    number = value if written is None else _parsed(written.strip(), meta.kind is int)
    return checked(meta._replace(many=False), f"the {name}", number, ShootError, written)


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part for part in value.split(SEPARATOR) if part.strip()]
    return value if isinstance(value, list) else [value]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        # YAML reads an unquoted 815 or no as a number or a truth value.
        raise ShootError(f"the {name} is {value!r}, which is no text; put it in quotes.")
    return " ".join(value.split())


def _parsed(text: str, whole: bool) -> Any:
    """Return the number that a cell holds; a text that holds none as it is, to be refused."""
    if whole:
        # Longer ones are out of every range, and slow to read.
        return int(text) if _WHOLE.fullmatch(text) and len(text) < 20 else text
    # A comma where the spreadsheet's country writes decimals with one.
    number = text.replace(",", ".")
    return float(number) if _DECIMAL.fullmatch(number) else text


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
