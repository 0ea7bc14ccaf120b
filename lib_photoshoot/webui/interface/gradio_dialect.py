"""Where gradio 3 and gradio 4 want different things; chosen by what the gradio at hand offers.

All else of the panel and the tab is written once: files that are dropped have a ``name`` in both, updates are dicts in
both, and a component of the host is made by its own class.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any


def with_script(script: str) -> dict[str, str]:
    """Return the keyword argument by which an event runs a script in the page before it asks the server.

    Hosts of gradio 4 let a component's event take gradio 3's word for it, but not one that follows another event.
    """
    import gradio

    on = getattr(gradio, "on", None)  # of no component: early releases of gradio 3 have none, later ones another word
    return {"js" if on is not None and "js" in inspect.signature(on).parameters else "_js": script}


def textbox(**given: Any) -> Any:
    """Return a text field. Without a value gradio 4's sends None, and gradio 3's an empty text."""
    import gradio

    return gradio.Textbox(**{"value": "", **given})


def file_shown(gallery: Sequence[Any]) -> str:
    """Return the path of the first picture's file in what a gallery sends; empty for a picture that has none.

    gradio 3 sends dicts with a ``name``, gradio 4 pictures with their captions.
    """
    first = gallery[0]
    if isinstance(first, dict):
        path = first.get("name", "")
    else:
        path = getattr(first[0], "filename", "") if isinstance(first, tuple) else ""
    return str(path).rsplit("?", 1)[0]  # the host adds the file's time
