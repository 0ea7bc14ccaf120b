"""Teach a product by photos of it: dropped in the page, kept under a name, and named in the list of products.

Nothing is read, nor our modules for it imported, before the user does something here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.hosts.a1111.page import FormRow, ToolButton
from lib_photoshoot.webui.http.sentences import note
from lib_photoshoot.webui.interface.gradio_dialect import textbox
from lib_photoshoot.webui.interface.page_actions import PANEL, in_page
from lib_photoshoot.webui.interface.widgets import element_id

if TYPE_CHECKING:
    from pathlib import Path

_THUMBNAIL = 96
"""Pixels on the longer side of a picture that is shown."""


class TeachBar:
    """A name and a place to drop photos; the list of what was taught, and what can be done with it."""

    def __init__(self, tab: str) -> None:
        with gr.Accordion("Teach a product by photos", open=False, elem_id=element_id(tab, "teach")):
            self.files = gr.File(
                label="Drop 1 to 20 photos of your product here",
                file_count="multiple",
                file_types=["image"],
                height=110,
                elem_id=element_id(tab, "teach_files"),
            )
            self.name = textbox(
                label="Its name", placeholder="my ring", max_lines=1, elem_id=element_id(tab, "teach_name")
            )
            with FormRow(elem_classes="photoshoot-buttons"):
                self.button = gr.Button("Teach it", elem_id=element_id(tab, "teach_button"))
            with FormRow():
                self.taught = gr.Dropdown([], label="Taught products", elem_id=element_id(tab, "taught"))
                self.use = self._tool(tab, "➕", "taught_use", "Look for this product")
                self.remove = self._tool(tab, "🗑️", "taught_remove", "Forget this product and its photos")
            self.status = gr.HTML(elem_id=element_id(tab, "teach_status"))
        for component in (self.name, self.taught):
            component.do_not_save_to_config = True

    def bind(self, products: Any) -> None:
        """Bind the buttons; ``products`` is the list of products, to which what is taught is added."""
        shown = [self.status, self.taught]
        self.button.click(
            _teach, [self.name, self.files, products], [*shown, self.name, self.files, products], show_progress=False
        )
        self.taught.focus(taught_names, outputs=[self.taught], show_progress=False)
        self.taught.select(_show, [self.taught], [self.status], show_progress=False)
        self.use.click(_use, [self.taught, products], [self.status, products], show_progress=False)
        self.remove.click(_forget, [self.taught], shown, **in_page(PANEL, "confirmForget"), show_progress=False)

    @staticmethod
    def _tool(tab: str, text: str, part: str, tooltip: str) -> Any:
        return ToolButton(text, elem_id=element_id(tab, part), tooltip=tooltip)


def taught_names() -> Any:
    """Return the update of the list of taught products."""
    from lib_photoshoot.kept_examples import kept_examples

    return gr.update(choices=kept_examples().names())


def _teach(name: str, files: Sequence[Any] | None, products: str) -> list[Any]:
    from lib_photoshoot.kept_examples import kept_examples
    from lib_photoshoot.webui.generate.examples import teach

    kept, same = kept_examples(), gr.update()
    try:
        name, said = teach(kept, name or "", [_read(file) for file in files or []])
    except (PhotoshootError, OSError) as error:
        return [note(str(error), wrong=True), *[same] * 4]
    told = [note(f"Taught as {name!r}, and added to the products."), *(note(text, wrong=True) for text in said)]
    html = "".join([*told, _pictures(kept.pictures(name))])
    return [html, gr.update(choices=kept.names(), value=name), "", None, _with(products, name)]


def _read(file: Any) -> tuple[str, bytes]:
    """Return the name of a dropped file, and what is in it."""
    from pathlib import Path

    path = Path(file.name)
    return path.name, path.read_bytes()


def _show(name: str) -> str:
    from lib_photoshoot.kept_examples import kept_examples

    try:
        return _pictures(kept_examples().pictures(name))
    except PhotoshootError as error:
        return note(str(error), wrong=True)


def _use(name: str | None, products: str) -> list[Any]:
    if not name:
        return [note("Choose a taught product first.", wrong=True), gr.update()]
    return ["", _with(products, name)]


def _forget(name: str | None) -> list[Any]:
    from lib_photoshoot.kept_examples import kept_examples

    if not name:  # nothing chosen, or the user thought better of it
        return ["", gr.update()]
    kept = kept_examples()
    try:
        kept.remove(name)
    except PhotoshootError as error:
        return [note(str(error), wrong=True), gr.update(choices=kept.names())]
    return [note(f"Forgot {name!r} and its photos."), gr.update(choices=kept.names(), value=None)]


def _with(products: str, name: str) -> Any:
    """Return the list of products with a taught one; unchanged where it names that already."""
    from lib_photoshoot.kept_examples import named
    from lib_photoshoot.products import format_products, parse_products

    try:
        listed = parse_products(products) if products.strip() else ()
    except PhotoshootError:  # half-typed: told when it is used
        return gr.update()
    if any(name in product.examples for product in listed):
        return gr.update()
    others = [product for product in listed if name not in product.words]
    before = products.strip().rstrip(",") if len(others) == len(listed) else format_products(others)
    return f"{before}, {named(name)}" if before else named(name)


def _pictures(paths: Sequence[Path]) -> str:
    """Return small copies of pictures as HTML; they are in the text itself, so that no address serves files."""
    import base64

    from lib_photoshoot.webui.http.thumbnails import thumbnail

    shown = []
    for number, path in enumerate(paths, 1):
        data = base64.b64encode(thumbnail(path, _THUMBNAIL).data).decode("ascii")
        shown.append(f'<img src="data:image/jpeg;base64,{data}" alt="{escape(f"Photo {number}")}">')
    return f'<div class="photoshoot-photos">{"".join(shown)}</div>'
