"""The panel's staging preview: the products where they would stand, on the last result or on a file.

Once a picture was looked at, the canvas follows the settings: no model is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from lib_photoshoot.webui.hosts.a1111.page import FormRow, in_turn
from lib_photoshoot.webui.http.sentences import note
from lib_photoshoot.webui.interface.page_actions import PANEL, in_page
from lib_photoshoot.webui.interface.preview import hidden_picture, picture_in, picture_of, said, shown_or_said
from lib_photoshoot.webui.interface.streaming import streamed
from lib_photoshoot.webui.interface.widgets import element_id

FOLLOWED = (
    "repaint", "canvas", "product_share", "ground_line", "backdrop", "shadow", "reflection", "scene_units",
    "scene_denoise",
)  # fmt: skip
"""Settings that the canvas follows."""


class StagePreview:
    """Two buttons, the canvas, and what is said of it."""

    def __init__(self, tab: str) -> None:
        with FormRow(elem_classes="photoshoot-buttons"):
            self.button = gr.Button("Stage the last result", elem_id=element_id(tab, "stage"))
            self.upload = gr.UploadButton("Stage a file…", file_types=["image"], elem_id=element_id(tab, "stage_file"))
        self.text = gr.HTML(elem_id=element_id(tab, "stage_text"))
        self.picture = hidden_picture(element_id(tab, "stage_preview_picture"))
        self.seen = gr.State(None)

    def bind(self, controls: list[Any], made: Mapping[str, Any]) -> None:
        """Let the upload work, and the canvas follow the settings' components ``made`` by name."""
        shown = [self.seen, self.text, self.picture]
        self.upload.upload(streamed(_of_file), inputs=[self.upload, *controls], outputs=shown)
        for name in FOLLOWED:
            for when in ("release", "submit", "blur", "select"):
                if event := getattr(made[name], when, None):
                    event(_follow, inputs=[self.seen, *controls], outputs=shown[1:], show_progress=False)

    def connect(self, gallery: Any, generation_info: Any, controls: list[Any]) -> None:
        """Take the pictures from the tab's gallery, which the host makes after the panel."""
        self.button.click(
            streamed(_of_gallery),
            **in_page(PANEL, "picture"),
            inputs=[gallery, generation_info, *controls],
            outputs=[self.seen, self.text, self.picture],
        )


def _of_gallery(gallery: Any, _: Any, *values: Any) -> Iterator[tuple[Any, Any, Any]]:
    if not gallery:
        yield None, said("There is no result in this tab yet; generate an image, or stage a file."), gr.update()
        return
    yield from _look(lambda: picture_in(gallery), values)


def _of_file(file: Any, *values: Any) -> Iterator[tuple[Any, Any, Any]]:
    yield from _look(lambda: picture_of(file), values)


def _look(read: Callable[[], Any], values: tuple[Any, ...]) -> Iterator[tuple[Any, Any, Any]]:
    yield None, note("Looking…"), gr.update()
    seen = None

    def look() -> tuple[str, Any]:
        nonlocal seen
        seen = _outlined(read(), values)
        return _shown(seen, values)

    text, picture = shown_or_said(look)
    yield seen, text, picture


def _follow(seen: Any, *values: Any) -> tuple[Any, Any]:
    if seen is None:  # nothing was staged yet
        return gr.update(), gr.update()
    return shown_or_said(lambda: _shown(seen, values))


def _outlined(image: Any, values: tuple[Any, ...]) -> Any:
    from lib_photoshoot.webui.generate.arguments import settings_from_arguments
    from lib_photoshoot.webui.generate.stage_preview import outline
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    return in_turn(outline)(A1111Host(), settings_from_arguments(values), image)


def _shown(seen: Any, values: tuple[Any, ...]) -> tuple[str, Any]:
    from lib_photoshoot.webui.generate.arguments import settings_from_arguments
    from lib_photoshoot.webui.generate.stage_preview import show_stage
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    shown = show_stage(A1111Host(), settings_from_arguments(values), seen)
    return shown.html, shown.image
