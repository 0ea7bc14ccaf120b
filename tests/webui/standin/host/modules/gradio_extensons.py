"""What the host teaches gradio (the name is spelt as the host's): tooltips, and scripts that watch components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from modules import scripts


def _watched(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        self.webui_tooltip = kwargs.pop("tooltip", None)
        original(self, *args, **kwargs)
        if scripts.scripts_current is not None:
            scripts.scripts_current.after_component(self, **kwargs)

    return init


_originals: list[tuple[Any, Callable[..., None]]] = []


def install() -> None:
    """Teach it."""
    for kind in (gr.components.IOComponent, gr.blocks.BlockContext):
        _originals.append((kind, kind.__init__))
        kind.__init__ = _watched(kind.__init__)


def remove() -> None:
    """Leave gradio as it was."""
    while _originals:
        kind, original = _originals.pop()
        kind.__init__ = original
