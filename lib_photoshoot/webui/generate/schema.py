"""What an HTTP request may hold: the filter's settings, and what a generation would otherwise have said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from lib_photoshoot.settings import DEFAULTS, FIELDS, VERSION, SettingsError

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_RANGES: dict[str, tuple[float, float]] = {
    "seed": (-1, 2**32 - 1),
    "steps": (1, 150),
    "cfg_scale": (1, 30),
    "width": (0, 4096),
    "height": (0, 4096),
}
_HELP = {
    "prompt": "With LoRA tags, as in txt2img; empty names the product and asks for product photography.",
    "seed": "-1 draws one, the answer says which.",
    "sampler": "Empty takes the WebUI's first.",
    "width": "Pixels at which 'only masked' paints; 0 takes 512, with SDXL 1024.",
    "height": "As width.",
}


@dataclass(frozen=True)
class JobValues:
    """What the generation around an enhancement says; outside of one, the request does. Raises SettingsError.

    ``width`` and ``height`` are pixels, 0 for the checkpoint's usual size; ``seed`` -1 draws one.
    """

    prompt: str = ""
    negative_prompt: str = ""
    seed: int = -1
    steps: int = 20
    cfg_scale: float = 7.0
    sampler: str = ""
    scheduler: str = "Automatic"
    width: int = 0
    height: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, field.default, getattr(self, field.name))


def job_values(values: Any) -> JobValues:
    """The values of a request's ``job``. Raises SettingsError for an unknown name or a wrong value."""
    if not isinstance(values, Mapping):
        raise SettingsError("'job' must be an object with prompt, seed and so on.")
    known = [field.name for field in fields(JobValues)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SettingsError(f"There is no value called {unknown[0]!r} in 'job'; known are: {', '.join(known)}.")
    return JobValues(**values)


def _check(name: str, default: Any, value: Any) -> None:
    if isinstance(default, str):
        if not isinstance(value, str):
            raise SettingsError(f"'{name}' in 'job' is {value!r}; give a text.")
        return
    lowest, highest = _RANGES[name]
    kinds = (int,) if isinstance(default, int) else (int, float)
    # Written so that NaN is refused too; a bool is an int in Python, and no number here.
    if isinstance(value, bool) or not isinstance(value, kinds) or not lowest <= value <= highest:
        raise SettingsError(f"'{name}' in 'job' is {value!r}; give a number from {lowest:.0f} to {highest:.0f}.")


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings, and under ``$defs`` of ``job``."""
    properties: dict[str, Any] = {"version": {"const": VERSION, "default": VERSION, "title": "Version of the settings"}}
    for name, meta in FIELDS.items():
        entry: dict[str, Any] = {"type": _JSON_TYPES[type(DEFAULTS[name])], "title": meta.label}
        if meta.help:
            entry["description"] = meta.help
        if meta.choices:
            entry["enum"] = list(meta.choices)
        if meta.lowest is not None:
            entry["minimum"] = meta.lowest
        if meta.highest is not None:
            entry["maximum"] = meta.highest
        properties[name] = {**entry, "default": DEFAULTS[name]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of the product filter",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": {"job": _job_schema()},
    }


def _job_schema() -> dict[str, Any]:
    properties = {}
    for field in fields(JobValues):
        entry: dict[str, Any] = {"type": _JSON_TYPES[type(field.default)], "default": field.default}
        if field.name in _HELP:
            entry["description"] = _HELP[field.name]
        if field.name in _RANGES:
            entry["minimum"], entry["maximum"] = _RANGES[field.name]
        properties[field.name] = entry
    return {"type": "object", "additionalProperties": False, "properties": properties}
