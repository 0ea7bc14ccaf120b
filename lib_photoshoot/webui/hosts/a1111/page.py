"""What this host lends to our panel and tab: its components and its queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules.ui_components import FormRow, InputAccordion, ToolButton

__all__ = ["FormRow", "InputAccordion", "ToolButton", "gallery_picture", "has_queue", "in_turn"]


def in_turn(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that waits for its turn in the host's queue."""
    from modules.call_queue import wrap_queued_call

    return wrap_queued_call(function)  # type: ignore[no-any-return]


def has_queue() -> bool:
    """Whether events of the page can show something before they are done: not with ``--no-gradio-queue``."""
    from modules import shared

    return not getattr(shared.cmd_opts, "no_gradio_queue", False)


def gallery_picture(value: Any) -> Any:
    """Return the picture that is chosen in a gallery of the host, from what its component sends."""
    from modules.infotext_utils import image_from_url_text

    return image_from_url_text(value)
