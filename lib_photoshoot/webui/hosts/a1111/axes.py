"""The settings as axes of the host's X/Y/Z plot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib_photoshoot.declared import Meta
from lib_photoshoot.settings import FIELDS, settings_from
from lib_photoshoot.webui.hosts.a1111.choices import LISTS
from lib_photoshoot.webui.hosts.a1111.keys import OVERRIDES

PREFIX = "[Photoshoot] "


def register() -> None:
    """Add the axes, once however often it is called; for the host's ``on_before_ui`` callback."""
    grid = _grid_module()
    if grid is None:
        return
    there = {option.label for option in grid.axis_options}
    grid.axis_options += [
        axis for name, meta in FIELDS.items() if meta.axis and (axis := _axis(grid, name, meta)).label not in there
    ]


def _grid_module() -> Any:
    from modules import scripts

    return next((data.module for data in scripts.scripts_data if data.module.__name__ == "xyz_grid.py"), None)


def _axis(grid: Any, name: str, meta: Meta) -> Any:
    choices = LISTS.get(name) or ((lambda: list(meta.choices)) if meta.choices else None)
    return grid.AxisOption(f"{PREFIX}{meta.label}", meta.kind, override(name), confirm=confirm(name), choices=choices)


def override(name: str) -> Callable[[Any, Any, Any], None]:
    """Return what a cell does: it sets one setting of its own copy of the job, and switches the filter on."""

    def apply(p: Any, value: Any, values: Any) -> None:
        # The host copies the job for each cell, but not what it holds.
        setattr(p, OVERRIDES, {**(getattr(p, OVERRIDES, None) or {}), "enabled": True, name: value})

    return apply


def confirm(name: str) -> Callable[[Any, list[Any]], None]:
    """Raise SettingsError for a value that the setting cannot have, before the first cell is painted."""

    def check(p: Any, values: list[Any]) -> None:
        for value in values:
            settings_from({name: value})

    return check
