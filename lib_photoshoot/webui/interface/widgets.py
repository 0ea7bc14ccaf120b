"""One gradio component for each setting, made from its declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from lib_photoshoot.settings import AUTO, FIELDS, NO_MODEL, SAME
from lib_photoshoot.webui.hosts.a1111.choices import LISTS
from lib_photoshoot.webui.hosts.a1111.page import FormRow, InputAccordion

_RADIO = 3
"""A closed list of so many values is shown whole, a longer one drops down."""
_PLACEHOLDER = {
    "products": "handbag, shoe, watch = wristwatch | watch dial",
    "prompt": "a handbag of red leather",
    "canvas": "1024x1024",
    "scene_prompt": "[PRODUCT] on a table of light oak, window light",
}
_FIRST = {"cn_module": [AUTO], "cn_model": [AUTO, NO_MODEL], "sampler": [SAME], "scheduler": [SAME]}


def element_id(tab: str, part: str) -> str:
    """Return the id of a part of the panel in the page; stable, for scripts, styles and tests."""
    return f"photoshoot_{tab}_{part}"


class Widgets:
    """Makes the components of one tab's panel, wherever in the layout they are asked for."""

    def __init__(self, tab: str, values: Mapping[str, Any]) -> None:
        self.tab = tab
        self.made: dict[str, Any] = {}
        self._values = values

    def rows(self, names: Sequence[str]) -> None:
        """Several settings, neighbours of one kind side by side."""
        while names:
            kind = _kind(names[0])
            width = 1
            while width < min(_PER_ROW[kind], len(names)) and _kind(names[width]) == kind:
                width += 1
            if width == 1:
                self.add(names[0])
            else:
                with FormRow(elem_classes=f"photoshoot-row-{kind}"):
                    for name in names[:width]:
                        self.add(name)
            names = names[width:]

    def add(self, name: str) -> Any:
        """One setting's component."""
        meta, value = FIELDS[name], self._values[name]
        common: dict[str, Any] = {"value": value, "label": meta.label, "elem_id": element_id(self.tab, name)}
        if meta.help:
            common["info"] = meta.help
        kind = _kind(name)
        if name == "enabled":
            component = InputAccordion(**common)
        elif kind == "number":
            component = gr.Slider(meta.lowest, meta.highest, step=meta.step, **common)
        elif kind == "tick":
            component = gr.Checkbox(**common)
        elif kind == "radio":
            component = gr.Radio(list(meta.choices), **common)
        elif name in LISTS:
            # The list itself is fetched when the panel is opened.
            component = gr.Dropdown(list(dict.fromkeys([*_FIRST[name], value])), allow_custom_value=True, **common)
        elif kind == "list":
            component = gr.Dropdown(list(meta.choices), **common)
        else:
            component = gr.Textbox(lines=meta.lines, placeholder=_PLACEHOLDER.get(name), **common)
        self.made[name] = component
        return component


_PER_ROW = {"number": 2, "tick": 2, "radio": 1, "list": 2, "text": 1}


def _kind(name: str) -> str:
    meta = FIELDS[name]
    if meta.kind is bool:
        return "tick"
    if meta.kind is not str:
        return "number"
    if meta.choices:
        return "radio" if len(meta.choices) <= _RADIO else "list"
    return "list" if name in LISTS else "text"
