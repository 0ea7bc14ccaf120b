"""The panel's preview: numbered boxes and masks on the last result, or on a file, before anything is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.hosts.a1111.console import report
from lib_photoshoot.webui.hosts.a1111.page import FormRow, gallery_picture, in_turn
from lib_photoshoot.webui.http.sentences import note, sentence
from lib_photoshoot.webui.interface.page_actions import PANEL, in_page
from lib_photoshoot.webui.interface.streaming import streamed
from lib_photoshoot.webui.interface.widgets import element_id


class Preview:
    """Two buttons, the lines and the picture."""

    def __init__(self, tab: str) -> None:
        with FormRow(elem_classes="photoshoot-buttons"):
            self.button = gr.Button("Preview on the last result", elem_id=element_id(tab, "preview"))
            self.upload = gr.UploadButton(
                "Preview on a file…", file_types=["image"], elem_id=element_id(tab, "preview_file")
            )
        self.text = gr.HTML(elem_id=element_id(tab, "preview_text"))
        self.picture = hidden_picture(element_id(tab, "preview_picture"))

    def bind(self, controls: list[Any]) -> None:
        """Let the upload work; the button waits for :meth:`connect`."""
        self.upload.upload(streamed(_of_file), inputs=[self.upload, *controls], outputs=[self.text, self.picture])

    def connect(self, gallery: Any, generation_info: Any, controls: list[Any]) -> None:
        """Take the pictures from the tab's gallery, which the host makes after the panel."""
        self.button.click(
            streamed(_of_gallery),
            **in_page(PANEL, "picture"),
            inputs=[gallery, generation_info, *controls],
            outputs=[self.text, self.picture],
        )


def hidden_picture(elem_id: str) -> Any:
    """Return the component for a picture that is shown once there is one."""
    return gr.Image(type="pil", interactive=False, visible=False, show_label=False, elem_id=elem_id)


def _of_gallery(gallery: Any, _: Any, *values: Any) -> Iterator[tuple[Any, Any]]:
    if not gallery:
        yield said("There is no result in this tab yet; generate an image, or preview on a file."), gr.update()
        return
    yield from _look(lambda: picture_in(gallery), values)


def _of_file(file: Any, *values: Any) -> Iterator[tuple[Any, Any]]:
    yield from _look(lambda: picture_of(file), values)


def picture_in(gallery: Any) -> Any:
    """Return the picture that a gallery's value begins with."""
    return gallery_picture(gallery)


def picture_of(file: Any) -> Any:
    """Return the picture of a file that was uploaded, in sRGB. Raises ImageError."""
    from lib_photoshoot.images import read_picture, to_image

    picture = read_picture(file.name)
    return to_image(picture.srgb, picture.alpha)


def _look(read: Callable[[], Any], values: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    yield note("Looking…"), gr.update()

    def find() -> tuple[str, Any]:
        found = _found(read(), values)
        return found.html, found.overlay

    yield shown_or_said(find)


def shown_or_said(show: Callable[[], tuple[str, Any]]) -> tuple[Any, Any]:
    """Return updates of a text and of its picture, which is hidden where there is None.

    What goes wrong is told instead: a mistake of ours, or out of memory, with its traceback in the console.
    """
    try:
        html, picture = show()
    except PhotoshootError as error:
        html, picture = said(sentence(error)), None
    except Exception as error:
        report("a preview failed")
        html, picture = said(f"The preview failed ({type(error).__name__}: {error}); the console says more."), None
    return html, gr.update(visible=picture is not None, value=picture)


def _found(image: Any, values: tuple[Any, ...]) -> Any:
    from lib_photoshoot.webui.generate.arguments import settings_from_arguments
    from lib_photoshoot.webui.generate.preview import look
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    settings = settings_from_arguments(values)
    return in_turn(look)(A1111Host(), settings, image)


def said(text: str) -> str:
    """Return a sentence about what went wrong, as HTML."""
    return note(text, wrong=True)
