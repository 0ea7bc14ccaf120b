"""What the host teaches gradio (the name is spelt as the host's): tooltips, and scripts that watch components."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from modules import scripts, ui_tempdir

_COMPONENT: Any = getattr(gr.components, "IOComponent", None) or gr.components.Component
"""gradio 3's or gradio 4's."""


def _watched(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        self.webui_tooltip = kwargs.pop("tooltip", None)
        original(self, *args, **kwargs)
        if scripts.scripts_current is not None:
            scripts.scripts_current.after_component(self, **kwargs)

    return init


def _with_tooltip(original: Callable[..., None]) -> Callable[..., None]:
    """For components of gradio 4, which hand on nothing that they do not know."""

    @wraps(original)
    def init(self: Any, *args: Any, tooltip: str | None = None, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.webui_tooltip = tooltip

    return init


_originals: list[tuple[Any, Callable[..., None]]] = []


def install() -> None:
    """Teach it."""
    for kind in (_COMPONENT, gr.blocks.BlockContext):
        _change(kind, _watched)
    if _COMPONENT is gr.components.Component:
        _change(gr.Button, _with_tooltip)
        # Writes a file beside each module that makes a component.
        sys.modules["gradio.component_meta"].create_or_modify_pyi = lambda *_: None  # type: ignore[attr-defined]
        ui_tempdir.install()


def _change(kind: Any, how: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    _originals.append((kind, kind.__init__))
    kind.__init__ = how(kind.__init__)


def remove() -> None:
    """Leave gradio as it was."""
    while _originals:
        kind, original = _originals.pop()
        kind.__init__ = original
    ui_tempdir.remove()
