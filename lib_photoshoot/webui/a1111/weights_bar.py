"""Says what the filter still needs, and gets the weights."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.a1111.widgets import element_id
from lib_photoshoot.webui.notes import note


class WeightsBar:
    """Invisible while nothing is missing. The files are looked for when the panel is opened, never before."""

    def __init__(self, tab: str) -> None:
        self.text = gr.HTML(visible=False, elem_id=element_id(tab, "needs"))
        self.button = gr.Button(
            "Get weights", variant="primary", visible=False, elem_id=element_id(tab, "get_embedded")
        )
        self.outputs = [self.text, self.button]
        self.button.click(_get_embedded, outputs=self.outputs)

    def add_grounding_dino(self, tab: str) -> None:
        """The button for the other detector, wherever the layout wants it."""
        self.other = gr.Button(
            "Get GroundingDINO", size="sm", visible=False, elem_id=element_id(tab, "get_groundingdino")
        )
        self.other_text = gr.HTML(visible=False, elem_id=element_id(tab, "needs_groundingdino"))
        self.other_outputs = [self.other_text, self.other]
        self.other.click(_get_grounding_dino, outputs=self.other_outputs)


def embedded_needs() -> list[Any]:
    """Updates of the line and its button."""
    from lib_photoshoot.webui.requirements import missing

    packages = missing().message
    size = _download_size("embedded")
    weights = (
        f"The filter needs its model files once ({_megabytes(size)} to get); they stay in the extension's folder."
        if size
        else ""
    )
    text = note(packages, wrong=True) + note(weights)
    return [gr.update(value=text, visible=bool(text)), _button("Get weights", size)]


def grounding_dino_needs() -> list[Any]:
    """Updates of GroundingDINO's line and its button."""
    return [gr.update(), _button("Get GroundingDINO: finds any words", _download_size("groundingdino"))]


def _button(label: str, size: int) -> Any:
    return gr.update(value=f"{label} ({_megabytes(size)})", visible=size > 0)


def _download_size(group: str) -> int:
    from lib_photoshoot.weights.store import download_size

    return download_size(group)


def _megabytes(size: int) -> str:
    return f"{max(1, round(size / 1e6))} MB"


# Gradio puts its progress into a parameter with such a default.
_PROGRESS = gr.Progress()


def _get_embedded(progress: Any = _PROGRESS) -> list[Any]:
    failed = _get("embedded", progress)
    if failed:
        return failed
    text, button = embedded_needs()
    return [text if text["visible"] else gr.update(value=note("The model files are there."), visible=True), button]


def _get_grounding_dino(progress: Any = _PROGRESS) -> list[Any]:
    failed = _get("groundingdino", progress)
    done = gr.update(value=note("GroundingDINO is ready: detector auto takes it from now on."), visible=True)
    return failed or [done, grounding_dino_needs()[1]]


def _get(group: str, progress: Any) -> list[Any] | None:
    """Download a group; returns updates that tell why it failed, or None."""
    from lib_photoshoot.weights.download import get

    try:
        get(group, lambda done, total: progress((round(done / 1e6), round(total / 1e6)), desc="MB", unit="MB"))
    except PhotoshootError as error:
        return [gr.update(value=note(str(error), wrong=True), visible=True), gr.update()]
    return None
