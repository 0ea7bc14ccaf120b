"""What the page itself does at gradio's events: functions of our modules, which it loads when they are first needed."""

from __future__ import annotations

import json

from lib_photoshoot.webui.interface.gradio_dialect import with_script

PANEL = "panel/actions.mjs"
FOLDER = "folder/page.mjs"


def in_page(module: str, function: str, *given: str) -> dict[str, str]:
    """Return an event's argument that calls a function of a module in ``webui/pages``, with ``given`` before the
    event's values.
    """
    arguments = ", ".join(json.dumps(text) for text in (module, function, *given))
    return with_script(f"(...values) => photoshoot.run({arguments}, ...values)")
