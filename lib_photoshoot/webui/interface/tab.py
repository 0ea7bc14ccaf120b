"""The extension's own tab. Built when the WebUI starts: gradio's components only, everything else on first use."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.prompts import STYLE
from lib_photoshoot.settings import DEFAULTS
from lib_photoshoot.webui.interface.gradio_dialect import textbox
from lib_photoshoot.webui.interface.page_actions import FOLDER, in_page
from lib_photoshoot.webui.interface.tab_run import OWN_SURROUNDINGS, WAYS, run_for, scene_presets

if TYPE_CHECKING:
    from lib_photoshoot.webui.folder.run import FolderRun

_POLL_S = 0.3
_INTRO = (
    f'<p class="photoshoot-tab-intro" data-photoshoot-page="{FOLDER}">Finds the products you name in a folder of '
    "pictures, cuts each one out and retouches it. Pictures without one are skipped, with the reason; your own files "
    "are never changed.</p>"
)
_EMPTY = (
    '<div class="photoshoot-tab-nothing">Results appear here: the pictures before and after, what was found, and why '
    "others were skipped. Or open the folder of a run, a shoot or an export.</div>"
)
# One element for the whole part, so that it costs nothing when the WebUI starts: the modules in webui/pages fill them
# when they are first seen, and talk to the routes below /photoshoot/v1.
_TRAIN = f'<div id="photoshoot_train" data-photoshoot-page="train/page.mjs" data-style="{escape(STYLE)}">Loading…</div>'
_SHOOT = '<div id="photoshoot_shoot" data-photoshoot-page="shoot/page.mjs">Loading…</div>'


Results = Sequence[tuple[Any, list[Any]]]
"""Of each of the host's galleries: our button below it, and the components gallery, information and products."""


def build_tab(inpaint: list[Any] | None, results: Results = ()) -> list[tuple[Any, str, str]]:
    """Return the tab, for the host's ``on_ui_tabs``; ``inpaint`` are its components for picture and mask, if it has
    them.
    """
    import gradio as gr

    with (
        _without_server(),
        gr.Blocks(analytics_enabled=False) as blocks,
        gr.Tabs(elem_id="photoshoot_tab_parts"),
    ):
        with gr.TabItem("Filter pictures", id="filter", elem_id="photoshoot_tab_filter"):
            FilterPart().build(inpaint, results)
        with gr.TabItem("Train a LoRA", id="train", elem_id="photoshoot_tab_train"):
            gr.HTML(_TRAIN, elem_id="photoshoot_tab_train_page")
        with gr.TabItem("Shoot a list", id="shoot", elem_id="photoshoot_tab_shoot"):
            gr.HTML(_SHOOT, elem_id="photoshoot_tab_shoot_page")
    return [(blocks, "Photoshoot", "photoshoot")]


@contextmanager
def _without_server() -> Iterator[None]:
    """gradio makes a web server for each Blocks, which takes longer than all else here; ours is never served.

    The host renders it into its own page.
    """
    from gradio.routes import App

    create = App.__dict__["create_app"]
    App.create_app = staticmethod(lambda *_, **__: None)
    try:
        yield
    finally:
        App.create_app = create


class FilterPart:
    """Pictures in, results out. One run at a time for all who have the page open; it goes on when a page is closed."""

    def __init__(self) -> None:
        self._run: FolderRun | None = None

    def build(self, inpaint: list[Any] | None, results: Results) -> None:
        """Lay out the components and connect them; ``inpaint`` are the host's components for picture and mask."""
        import gradio as gr

        from lib_photoshoot.webui.interface.streaming import streamed
        from lib_photoshoot.webui.interface.teach_bar import TeachBar
        from lib_photoshoot.webui.interface.weights_bar import WeightsBar, chosen_needs
        from lib_photoshoot.webui.interface.widgets import Widgets

        widgets = Widgets("tab", DEFAULTS)
        with gr.Row(elem_id="photoshoot_tab_columns", equal_height=False):
            with gr.Column(scale=1, min_width=320, elem_id="photoshoot_tab_controls"):
                gr.HTML(_INTRO)
                folder = textbox(
                    label="Folder of pictures",
                    placeholder="/full/path, with its subfolders",
                    info="Inside the WebUI's output folders, or those of Settings, Product Photoshoot.",
                    elem_id="photoshoot_tab_folder",
                )
                files = gr.File(
                    label="Or drop pictures here", file_count="multiple", elem_id="photoshoot_tab_files", height=110
                )
                needs = WeightsBar("tab")
                widgets.add("products")
                teach = TeachBar("tab")
                enhance = gr.Radio(
                    list(WAYS),
                    value=next(iter(WAYS)),
                    label="Product found",
                    info="Sharpness and local contrast, inside the product only; livelier: exposure and colour too.",
                    elem_id="photoshoot_tab_enhance",
                )
                widgets.add("white_balance")
                scene = gr.Dropdown(
                    [OWN_SURROUNDINGS],
                    value=OWN_SURROUNDINGS,
                    label="New scene",
                    info="A preset: its canvas, backdrop and shadow. Nothing is painted.",
                    allow_custom_value=True,
                    elem_id="photoshoot_tab_scene",
                )
                scene.focus(_scenes, outputs=[scene], show_progress=False)
                with gr.Accordion("Detection", open=False, elem_id="photoshoot_tab_detection"):
                    widgets.rows(["detector", "segmenter", "threshold", "require_all"])
                calibration = textbox(
                    label="Calibration",
                    placeholder="empty: colours as they are",
                    info="A file of colour calibrate for photos of its light, or auto: each photo by its own card.",
                    elem_id="photoshoot_tab_calibration",
                )
                out = textbox(
                    label="Output folder",
                    placeholder="empty: a new folder in outputs/photoshoot",
                    info="Choose the folder of a stopped run to go on with it.",
                    elem_id="photoshoot_tab_out",
                )
                with gr.Row(elem_classes="photoshoot-buttons"):
                    start = gr.Button("Filter pictures", variant="primary", elem_id="photoshoot_tab_start")
                    stop = gr.Button("Stop", interactive=False, elem_id="photoshoot_tab_stop")
            with gr.Column(scale=2, min_width=420, elem_id="photoshoot_tab_results"):
                progress = gr.HTML(_EMPTY, elem_id="photoshoot_tab_progress")
                view = PicturesView(inpaint, results)
        detect = [widgets.made[name] for name in ("products", "detector", "segmenter", "threshold", "require_all")]
        models = [widgets.made[name] for name in ("detector", "segmenter")]
        needs.bind(*models)
        teach.bind(widgets.made["products"])
        outputs = [progress, out, start, stop, view.folder, view.page]
        start.click(
            streamed(self.begin),
            [folder, files, *detect, enhance, widgets.made["white_balance"], calibration, scene, out],
            outputs,
            show_progress=False,
        ).then(chosen_needs, models, needs.outputs, show_progress=False)
        stop.click(self.stop, outputs=[stop], queue=False)

    def begin(self, folder: str, files: Any, *values: Any) -> Iterator[list[Any]]:
        """Start a run, or watch the one under way; yields updates of progress, output folder, Start, Stop, and of the
        pictures' folder and page.
        """
        import gradio as gr

        from lib_photoshoot.webui.folder.progress import progress_html
        from lib_photoshoot.webui.http.sentences import note, sentence

        run, same = self._run, gr.update()
        if run is None or run.snapshot().state.ended:
            try:
                run = run_for(folder, [file.name for file in files or []], *values)
            except (PhotoshootError, OSError) as error:
                self._run = None
                yield [note(sentence(error), wrong=True), *[same] * 4, ""]
                return
            self._run = run.start()
        off, on = gr.update(interactive=False), gr.update(interactive=True)
        yield [progress_html(run.snapshot()), str(run.out), off, on, same, ""]
        while not run.snapshot().state.ended:
            time.sleep(_POLL_S)
            yield [progress_html(run.snapshot()), *[same] * 5]
        # A folder that we named is named anew the next time, unless there is something to go on with.
        renew = not values[-1].strip() and run.snapshot().state.value == "done"
        pictures = [str(run.out), _page(run.out)] if run.snapshot().summary else [same, ""]
        yield [progress_html(run.snapshot()), "" if renew else same, on, off, *pictures]

    def stop(self) -> Any:
        """Stop after the picture at hand."""
        import gradio as gr

        if self._run is not None:
            self._run.stop()
        return gr.update(interactive=False)


def _scenes() -> Any:
    """Return the update of the list of scenes, when it is opened."""
    import gradio as gr

    return gr.update(choices=scene_presets())


class PicturesView:
    """The picture page of a folder: of the run that has ended, or of one that is opened.

    What the browser does is in ``pages/folder/``.
    """

    def __init__(self, inpaint: list[Any] | None, results: Results) -> None:
        import gradio as gr

        from lib_photoshoot.webui.interface.streaming import streamed

        with gr.Row(elem_id="photoshoot_tab_open"):
            self.folder = textbox(
                label="Pictures of a folder",
                placeholder="/full/path of a run, a shoot or an export",
                elem_id="photoshoot_tab_open_folder",
            )
            button = gr.Button("Open", size="sm", elem_id="photoshoot_tab_open_button")
        self.folder.do_not_save_to_config = True
        self.page = gr.HTML(elem_id="photoshoot_tab_pictures")
        for event in (button.click, self.folder.submit):
            event(_opened, [self.folder], [self.page], show_progress=False)
        for button, given in results:
            button.click(
                streamed(_opened_result),
                given,
                [self.folder, self.page],
                **in_page(FOLDER, "openResult"),
                show_progress=False,
            )
        if inpaint is not None:
            chosen = textbox(visible=False)
            chosen.do_not_save_to_config = True
            send = gr.Button("Send", elem_id="photoshoot_tab_send", elem_classes="photoshoot-tab-hidden")
            send.click(_picture_and_mask, [chosen], inpaint, **in_page(FOLDER, "chosen"), show_progress=False).success(
                None, **in_page(FOLDER, "openInpaint")
            )


def _opened(folder: str) -> str:
    """Return the page of a folder that a user names, or what is wrong with it."""
    from lib_photoshoot.webui.hosts.a1111.pictures_host import picture_pages
    from lib_photoshoot.webui.http.sentences import note, sentence

    try:
        return _page(picture_pages().of(folder.strip())[0])
    except (PhotoshootError, OSError) as error:
        return note(sentence(error), wrong=True)


def _opened_result(gallery: Any, infotext: str, products: str) -> Iterator[list[Any]]:
    """Yield updates of the pictures' folder and page for the picture of a gallery."""
    import gradio as gr

    from lib_photoshoot.webui.hosts.a1111.page import gallery_picture
    from lib_photoshoot.webui.hosts.a1111.pictures_host import open_generated
    from lib_photoshoot.webui.http.sentences import note, sentence
    from lib_photoshoot.webui.interface.gradio_dialect import file_shown

    same = gr.update()
    if not gallery:
        raise gr.Error("There is no result in this tab yet; generate an image first.")
    yield [same, note("Outlining the products, once it is our turn …")]
    try:
        folder = open_generated(gallery_picture(gallery), file_shown(gallery), infotext, products)
        yield [str(folder), _page(folder, folder.name.rpartition("-")[0])]
    except (PhotoshootError, OSError) as error:
        yield [same, note(sentence(error), wrong=True)]


def _page(folder: Path, stem: str = "") -> str:
    """Return the page of a folder, with the picture of that name large."""
    from lib_photoshoot.webui.http.picture_pages import address_of

    address = escape(f"./{address_of(folder)}")
    large = f"#{quote(stem)}" if stem else ""
    # With the time: the browser shows a page anew whose folder has other pictures since.
    return (
        f'<div class="photoshoot-tab-page"><a href="{address}" target="_blank" rel="noopener">Open in a new tab</a>'
        f'<iframe src="{address}?{time.time_ns()}{large}" title="Pictures"></iframe></div>'
    )


def _picture_and_mask(chosen: str) -> list[Any]:
    """Return a picture, and one mask of all its products; ``chosen`` is JSON of a page's place and an item's number."""
    # gradio resolves a handler's annotations when the page is built: only names that are there by then.
    import gradio as gr

    from lib_photoshoot.webui.folder.inpainting import picture_and_mask
    from lib_photoshoot.webui.hosts.a1111.pictures_host import picture_pages

    place, number = json.loads(chosen)
    try:
        return list(picture_and_mask(picture_pages().at(place), number))
    except PhotoshootError as error:
        raise gr.Error(str(error)) from error
