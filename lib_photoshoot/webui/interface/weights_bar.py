"""Says what the filter still needs, and gets the weights."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.http.sentences import note
from lib_photoshoot.webui.interface.streaming import streamed
from lib_photoshoot.webui.interface.widgets import element_id

if TYPE_CHECKING:
    from lib_photoshoot.build import ModelChoice
    from lib_photoshoot.weights.manifest import WeightFile

_POLL_SECONDS = 0.3


class WeightsBar:
    """Invisible while nothing is missing. The files are looked for when the panel is opened, never before."""

    def __init__(self, tab: str) -> None:
        self.text = gr.HTML(visible=False, elem_id=element_id(tab, "needs"))
        self.button = gr.Button(
            "Get weights", variant="primary", visible=False, elem_id=element_id(tab, "get_embedded")
        )
        self.outputs = [self.text, self.button]

    def bind(self, detector: Any, segmenter: Any) -> None:
        """Follow the two choices that say which files are needed."""
        chosen = [detector, segmenter]
        self.button.click(streamed(_get_chosen), inputs=chosen, outputs=self.outputs)
        for component in chosen:
            component.change(chosen_needs, inputs=chosen, outputs=self.outputs, show_progress=False)

    def add_grounding_dino(self, tab: str) -> None:
        """Add the button for the other detector, wherever the layout wants it."""
        self.other = gr.Button(
            "Get GroundingDINO", size="sm", visible=False, elem_id=element_id(tab, "get_groundingdino")
        )
        self.other_text = gr.HTML(visible=False, elem_id=element_id(tab, "needs_groundingdino"))
        self.other_outputs = [self.other_text, self.other]
        self.other.click(streamed(_get_grounding_dino), outputs=self.other_outputs)


def chosen_needs(detector: str, segmenter: str) -> list[Any]:
    """Return updates of the line and its button, for the models of these two settings."""
    from lib_photoshoot.model_names import DETECTORS
    from lib_photoshoot.webui.hosts.requirements import missing

    choice = _choice(detector, segmenter)
    packages = missing(embedded_only=not DETECTORS[choice.detector].packages).message
    size = sum(weight.size for weight in _lacking(choice))
    weights = (
        f"The filter needs its model files once ({_megabytes(size)} to get); they stay in the extension's folder."
        if size
        else ""
    )
    text = note(packages, wrong=True) + note(_brought(choice), wrong=True) + note(weights)
    return [gr.update(value=text, visible=bool(text)), _button(f"Get weights ({_megabytes(size)})", size)]


def _brought(choice: ModelChoice) -> str:
    """Return what is missing of what the user has to bring, as a sentence; empty for nothing."""
    from lib_photoshoot.build import snapshot_of

    try:
        snapshot_of(choice.detector)
    except PhotoshootError as error:
        return str(error)
    return ""


def _choice(detector: str, segmenter: str) -> ModelChoice:
    from lib_photoshoot.build import model_choice
    from lib_photoshoot.settings import FilterSettings

    return model_choice(FilterSettings(detector=detector, segmenter=segmenter), "cpu")


def _lacking(choice: ModelChoice) -> tuple[WeightFile, ...]:
    from lib_photoshoot.build import weights_of
    from lib_photoshoot.weights.store import missing

    return missing(weights_of(choice))


def grounding_dino_needs() -> list[Any]:
    """Return updates of GroundingDINO's line and its button."""
    size = _download_size("groundingdino")
    return [gr.update(), _button(f"Get GroundingDINO: finds any words ({_megabytes(size)})", size)]


def _button(label: str, size: int) -> Any:
    return gr.update(value=label, visible=size > 0, interactive=True)


def _download_size(group: str) -> int:
    from lib_photoshoot.weights.store import download_size

    return download_size(group)


def _megabytes(size: int) -> str:
    return f"{max(1, round(size / 1e6))} MB"


def _get_chosen(detector: str, segmenter: str) -> Iterator[list[Any]]:
    failed = None
    for weight in _lacking(_choice(detector, segmenter)):
        failed = failed or (yield from _download(weight.name))
    text, button = chosen_needs(detector, segmenter)
    there = gr.update(value=note("The model files are there."), visible=True)
    yield failed or [text if text["visible"] else there, button]


def _get_grounding_dino() -> Iterator[list[Any]]:
    failed = yield from _download("groundingdino")
    done = gr.update(value=note("GroundingDINO is ready: detector auto takes it from now on."), visible=True)
    yield failed or [done, grounding_dino_needs()[1]]


def _download(name: str) -> Generator[list[Any], None, list[Any] | None]:
    """Download a file or group, yielding its progress; returns updates that tell why it failed, or None."""
    from lib_photoshoot.webui.http.downloads import Downloads

    download = Downloads().start(name)
    while download.busy:
        text = f"Downloading: {download.done / 1e6:.0f} of {download.of / 1e6:.0f} MB…"
        yield [gr.update(value=note(text), visible=True), gr.update(interactive=False)]
        time.sleep(_POLL_SECONDS)
    if download.error is None:
        return None
    return [gr.update(value=note(download.error, wrong=True), visible=True), gr.update(interactive=True)]
