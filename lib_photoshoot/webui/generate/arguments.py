"""From the arguments that a host hands to the script to one settings object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib_photoshoot.settings import FIELDS, FilterSettings, settings_from


def settings_from_arguments(arguments: Sequence[Any], overrides: Mapping[str, Any] | None = None) -> FilterSettings:
    """Return the settings of one job; raises SettingsError.

    The panel sends one value per field, in order. The HTTP API sends one dictionary, in which the filter is on unless
    it says otherwise. ``overrides`` are those of an X/Y/Z cell.
    """
    first = arguments[0] if arguments else {}
    if isinstance(first, Mapping):
        values: dict[str, Any] = {"enabled": bool(first), **first}
    else:
        values = dict(zip(FIELDS, arguments, strict=False))
    return settings_from({**values, **(overrides or {})})


def is_switched_off(arguments: Sequence[Any]) -> bool:
    """Whether the filter is off, at next to no cost: asked in every generation of every user."""
    return not arguments or not arguments[0]
