"""How the ControlNet units of a scene are written, such as ``canny + control_canny [weight=0.6; end=0.8] | auto``.

Units stand with ``|`` between. Each is a preprocessor, then `` + `` and a model, then settings in brackets; without a
model the best one that is installed for this preprocessor is meant, or none where it needs none. The word ``auto``
alone stands for those that suit the scene, ``none`` for no unit at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_photoshoot.product_text import show

AUTO = "auto"
"""Preprocessor or model: the best that is installed and fits the checkpoint."""
NONE = "none"
CONTROL_MODES = ("Balanced", "My prompt is more important", "ControlNet is more important")
_HIGHEST = {"weight": 2.0, "start": 1.0, "end": 1.0}
_SETTINGS = ("weight", "start", "end", "mode")
# The hash behind a model's name stands in brackets too, and has no "=".
_BLOCK = re.compile(r"\[(\s*|[^\[\]]*=[^\[\]]*)\]\s*$")


@dataclass(frozen=True)
class UnitText:
    """One unit as it is written: preprocessor and model by name, ``auto`` for the best of the other.

    ``weight`` lies in [0, 2], ``start`` and ``end`` are shares of the steps.
    """

    module: str = AUTO
    model: str = AUTO
    weight: float = 1.0
    mode: str = CONTROL_MODES[0]
    start: float = 0.0
    end: float = 1.0

    @property
    def is_auto(self) -> bool:
        """Whether it stands for whatever suits the scene."""
        return self.module == self.model == AUTO


def parse_units(text: str, error: type[Exception] = ValueError) -> tuple[UnitText, ...]:
    """Return the units of a text; raises ``error`` with one sentence for what is not understood.

    >>> parse_units("canny + my_canny [d14c016b] [weight=0.5; end=0.8]")[0]
    UnitText(module='canny', model='my_canny [d14c016b]', weight=0.5, mode='Balanced', start=0.0, end=0.8)
    >>> len(parse_units("auto | reference_only")), parse_units("none")
    (2, ())
    """
    if text.strip().lower() in ("", NONE):
        return ()
    return tuple(_unit(part, number, error) for number, part in enumerate(text.split("|"), 1))


def _unit(part: str, number: int, error: type[Exception]) -> UnitText:
    where = f"Unit {number} of the scene's ControlNet units"
    block = _BLOCK.search(part)
    head = (part[: block.start()] if block else part).strip()
    if block is None and re.search(r"\[[^\]]*=", head):
        raise error(f"{where} has settings that are not closed: {show(head)}; write ']' at their end.")
    # A preprocessor's own "+", as in "inpaint_only+lama", has no spaces around it.
    module, plus, model = (item.strip() for item in head.partition(" + "))
    if not module or (plus and not model) or head.endswith(" +"):
        raise error(f"{where} is {show(part.strip())}; write it as preprocessor + model [weight=1].")
    if module.lower() == NONE and not plus:
        raise error(f"{where} is 'none' beside others; take it out, or write none alone.")
    if module.lower() == AUTO:
        module = AUTO
    unit = UnitText(module, model if plus and model.lower() != AUTO else AUTO, **_settings(block, where, error))
    if unit.is_auto and block is not None and block.group(1).strip():
        raise error(f"{where} is auto, which takes no settings; name its preprocessor, or take them out.")
    if unit.start > unit.end:
        raise error(f"{where} starts at {unit.start:g}, after its end at {unit.end:g}; exchange the two.")
    return unit


def _settings(block: re.Match[str] | None, where: str, error: type[Exception]) -> dict:
    values: dict = {}
    for part in (block.group(1) if block else "").split(";"):
        if not part.strip():
            continue
        key, equals, raw = (item.strip() for item in part.partition("="))
        key = key.lower()
        if key not in _SETTINGS or not equals:
            raise error(f"{where} has the unknown setting {show(part.strip())}; known are: {', '.join(_SETTINGS)}.")
        if key in values:
            raise error(f"{where} sets {key} twice; keep one of them.")
        values[key] = _mode(raw, where, error) if key == "mode" else _number(key, raw, where, error)
    return values


def _number(key: str, raw: str, where: str, error: type[Exception]) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _HIGHEST[key]:  # NaN is refused too
        raise error(f"{where} has {key}={raw}; give a number from 0 to {_HIGHEST[key]:g}.")
    return value


def _mode(raw: str, where: str, error: type[Exception]) -> str:
    """Return the mode that a text begins; its first word is enough."""
    found = [mode for mode in CONTROL_MODES if raw and mode.lower().startswith(raw.lower())]
    if len(found) != 1:
        raise error(f"{where} has mode={raw}; choose one of: {', '.join(CONTROL_MODES)}.")
    return found[0]
