"""Callbacks of the host's life."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from modules import errors


class ImageSaveParams:
    """A picture about to be saved; its file may still be changed."""

    def __init__(self, image: Any, p: Any, filename: str, pnginfo: dict[str, Any]) -> None:
        self.image, self.p, self.filename, self.pnginfo = image, p, filename, pnginfo


@dataclass
class ScriptCallback:
    """A function, and whose it is."""

    script: str
    callback: Any
    name: str = "unnamed"


callback_map: dict[str, list[ScriptCallback]] = {
    f"callbacks_{category}": []
    for category in ("app_started", "before_image_saved", "before_ui", "image_saved", "ui_settings", "ui_tabs")
}


def add_callback(
    callbacks: list[ScriptCallback], fun: Any, *, name: str | None = None, category: str = "unknown",
    filename: str | None = None,
) -> None:  # fmt: skip
    """Hang a function into a list."""
    filename = filename or inspect.stack()[1].filename
    callbacks.append(ScriptCallback(filename, fun, f"{filename}/{category}/{name}"))


def clear_callbacks() -> None:
    """Forget all of them."""
    for callbacks in callback_map.values():
        callbacks.clear()


def _call(category: str, *args: Any) -> list[Any]:
    answers = []
    for item in list(callback_map[f"callbacks_{category}"]):
        try:
            answers.append(item.callback(*args))
        except Exception:
            errors.report(f"Error executing callback {category} for {item.script}", exc_info=True)
    return answers


def app_started_callback(demo: Any, app: Any) -> None:
    """The page's application is there."""
    _call("app_started", demo, app)


def before_image_saved_callback(params: ImageSaveParams) -> None:
    """A picture is about to be saved."""
    _call("before_image_saved", params)


def image_saved_callback(params: ImageSaveParams) -> None:
    """A picture was saved."""
    _call("image_saved", params)


def before_ui_callback() -> None:
    """The page is about to be built."""
    _call("before_ui")


def ui_settings_callback() -> None:
    """Options may be added."""
    _call("ui_settings")


def ui_tabs_callback() -> list[Any]:
    """The tabs of the extensions."""
    return [tab for tabs in _call("ui_tabs") for tab in tabs or []]


def on_app_started(callback: Any, *, name: str | None = None) -> None:
    """See :func:`app_started_callback`."""
    add_callback(callback_map["callbacks_app_started"], callback, name=name, category="app_started")


def on_before_image_saved(callback: Any, *, name: str | None = None) -> None:
    """See :func:`before_image_saved_callback`."""
    add_callback(callback_map["callbacks_before_image_saved"], callback, name=name, category="before_image_saved")


def on_before_ui(callback: Any, *, name: str | None = None) -> None:
    """See :func:`before_ui_callback`."""
    add_callback(callback_map["callbacks_before_ui"], callback, name=name, category="before_ui")


def on_image_saved(callback: Any, *, name: str | None = None) -> None:
    """See :func:`image_saved_callback`."""
    add_callback(callback_map["callbacks_image_saved"], callback, name=name, category="image_saved")


def on_ui_settings(callback: Any, *, name: str | None = None) -> None:
    """See :func:`ui_settings_callback`."""
    add_callback(callback_map["callbacks_ui_settings"], callback, name=name, category="ui_settings")


def on_ui_tabs(callback: Any, *, name: str | None = None) -> None:
    """See :func:`ui_tabs_callback`."""
    add_callback(callback_map["callbacks_ui_tabs"], callback, name=name, category="ui_tabs")
