"""The extension's own tab. Built when the WebUI starts: gradio's components only, everything else on first use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.prompts import STYLE
from lib_photoshoot.settings import DEFAULTS
from lib_photoshoot.webui.hosts.a1111.page_actions import FOLDER, in_page
from lib_photoshoot.webui.hosts.a1111.tab_run import WAYS, run_for

if TYPE_CHECKING:
    from lib_photoshoot.webui.folder.gallery import Results
    from lib_photoshoot.webui.folder.run import FolderRun

_POLL_S = 0.3
_INTRO = (
    f'<p class="photoshoot-tab-intro" data-photoshoot-page="{FOLDER}">Finds the products you name in a folder of '
    "pictures, cuts each one out and retouches it. Pictures without one are skipped, with the reason; your own files "
    "are never changed.</p>"
)
_EMPTY = (
    '<div class="photoshoot-tab-nothing">Results appear here: the pictures with a product before and after, and the '
    "skipped ones with the reason.</div>"
)
# One element for the whole part, so that it costs nothing when the WebUI starts: the modules in webui/pages fill them
# when they are first seen, and talk to the routes below /photoshoot/v1.
_TRAIN = f'<div id="photoshoot_train" data-photoshoot-page="train/page.mjs" data-style="{escape(STYLE)}">Loading…</div>'
_SHOOT = '<div id="photoshoot_shoot" data-photoshoot-page="shoot/page.mjs">Loading…</div>'


def build_tab(inpaint: list[Any] | None) -> list[tuple[Any, str, str]]:
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
            FilterPart().build(inpaint)
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

    def build(self, inpaint: list[Any] | None) -> None:
        """Lay out the components and connect them; ``inpaint`` are the host's components for picture and mask."""
        import gradio as gr

        from lib_photoshoot.webui.hosts.a1111.streaming import streamed
        from lib_photoshoot.webui.hosts.a1111.weights_bar import WeightsBar, chosen_needs
        from lib_photoshoot.webui.hosts.a1111.widgets import Widgets

        widgets = Widgets("tab", DEFAULTS)
        with gr.Row(elem_id="photoshoot_tab_columns", equal_height=False):
            with gr.Column(scale=1, min_width=320, elem_id="photoshoot_tab_controls"):
                gr.HTML(_INTRO)
                folder = gr.Textbox(
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
                enhance = gr.Radio(
                    list(WAYS),
                    value=next(iter(WAYS)),
                    label="Product found",
                    info="Sharpness and local contrast, inside the product only; livelier: exposure and colour too.",
                    elem_id="photoshoot_tab_enhance",
                )
                widgets.add("white_balance")
                with gr.Accordion("Detection", open=False, elem_id="photoshoot_tab_detection"):
                    widgets.rows(["detector", "segmenter", "threshold", "require_all"])
                calibration = gr.Textbox(
                    label="Calibration",
                    placeholder="empty: colours as they are",
                    info="A file of colour calibrate for photos of its light, or auto: each photo by its own card.",
                    elem_id="photoshoot_tab_calibration",
                )
                out = gr.Textbox(
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
                view = ResultsView(inpaint)
        detect = [widgets.made[name] for name in ("products", "detector", "segmenter", "threshold", "require_all")]
        models = [widgets.made[name] for name in ("detector", "segmenter")]
        needs.bind(*models)
        outputs = [progress, out, start, stop, view.box]
        start.click(
            streamed(self.begin),
            [folder, files, *detect, enhance, widgets.made["white_balance"], calibration, out],
            outputs,
            show_progress=False,
        ).then(self.results, outputs=[view.results, *view.outputs], show_progress=False).then(
            chosen_needs, models, needs.outputs, show_progress=False
        )
        stop.click(self.stop, outputs=[stop], queue=False)

    def begin(self, folder: str, files: Any, *values: Any) -> Iterator[list[Any]]:
        """Start a run, or watch the one under way; yields updates of progress, output folder, Start, Stop, results."""
        import gradio as gr

        from lib_photoshoot.webui.folder.gallery import progress_html
        from lib_photoshoot.webui.http.sentences import note, sentence

        run = self._run
        if run is None or run.snapshot().state.ended:
            try:
                run = run_for(folder, [file.name for file in files or []], *values)
            except (PhotoshootError, OSError) as error:
                self._run = None
                yield [note(sentence(error), wrong=True), *[gr.update()] * 3, gr.update(visible=False)]
                return
            self._run = run.start()
        off, on, same = gr.update(interactive=False), gr.update(interactive=True), gr.update()
        yield [progress_html(run.snapshot()), str(run.out), off, on, gr.update(visible=False)]
        while not run.snapshot().state.ended:
            time.sleep(_POLL_S)
            yield [progress_html(run.snapshot()), *[same] * 4]
        # A folder that we named is named anew the next time, unless there is something to go on with.
        renew = not values[-1].strip() and run.snapshot().state.value == "done"
        yield [progress_html(run.snapshot()), "" if renew else same, on, off, same]

    def stop(self) -> Any:
        """Stop after the picture at hand."""
        import gradio as gr

        if self._run is not None:
            self._run.stop()
        return gr.update(interactive=False)

    def results(self) -> list[Any]:
        """Return the results of the last run, and updates that show their first page; nothing where a run did not
        begin.
        """
        from lib_photoshoot.webui.folder.gallery import load_results

        run = self._run
        if run is None or run.snapshot().summary is None:
            return [None, *ResultsView.hidden()]
        results = load_results(run.out, run.sources)
        return [results, *ResultsView.first(results)]


class ResultsView:
    """The figures, a choice of what is shown, and its pages. The pictures' own small script is in ``pages/folder/``."""

    def __init__(self, inpaint: list[Any] | None) -> None:
        import gradio as gr

        self.results = gr.State(None)
        self.page = gr.State(0)
        with gr.Column(visible=False, elem_id="photoshoot_tab_gallery") as self.box:
            self.summary = gr.HTML(elem_id="photoshoot_tab_summary")
            with gr.Row(elem_id="photoshoot_tab_bar"):
                self.show = gr.Radio([], show_label=False, container=False, elem_id="photoshoot_tab_show")
                with gr.Row(visible=False, elem_id="photoshoot_tab_pages") as self.pages:
                    before = gr.Button("‹", size="sm", elem_id="photoshoot_tab_before")
                    self.place = gr.HTML(elem_id="photoshoot_tab_place")
                    after = gr.Button("›", size="sm", elem_id="photoshoot_tab_after")
            self.gallery = gr.HTML(elem_id="photoshoot_tab_pictures")
        self.show.do_not_save_to_config = True
        self.outputs = [self.box, self.summary, self.show, self.page, self.pages, self.place, self.gallery]
        turned = [self.page, self.pages, self.place, self.gallery]
        self.show.input(lambda results, show: _page(results, show, 0), [self.results, self.show], turned)
        for button, step in ((before, -1), (after, 1)):
            button.click(_turned(step), [self.results, self.show, self.page], turned)
        if inpaint is not None:
            self._connect(inpaint)

    def _connect(self, inpaint: list[Any]) -> None:
        import gradio as gr

        chosen = gr.Number(value=0, precision=0, visible=False)
        chosen.do_not_save_to_config = True
        send = gr.Button("Send", elem_id="photoshoot_tab_send", elem_classes="photoshoot-tab-hidden")
        send.click(
            _picture_and_mask,
            [chosen, self.results],
            inpaint,
            _js=in_page(FOLDER, "chosen"),
            show_progress=False,
        ).success(None, _js=in_page(FOLDER, "openInpaint"))

    @staticmethod
    def hidden() -> list[Any]:
        """Return updates that show nothing."""
        import gradio as gr

        return [gr.update(visible=False), "", gr.update(), 0, gr.update(), "", ""]

    @staticmethod
    def first(results: Results) -> list[Any]:
        """Return updates for new results: those with a product, or what there is instead."""
        import gradio as gr

        from lib_photoshoot.webui.folder.gallery import Show, summary_html

        choices = [
            (f"With a product ({results.count(Show.MATCH)})", Show.MATCH.value),
            (f"Skipped ({results.count(Show.SKIP)})", Show.SKIP.value),
            (f"Unreadable ({results.count(Show.UNREADABLE)})", Show.UNREADABLE.value),
        ]
        shown = next((show for show in Show if results.count(show)), Show.MATCH)
        choice = gr.update(choices=choices, value=shown.value)
        summary = summary_html(results, _report_address(results))
        return [gr.update(visible=True), summary, choice, *_page(results, shown.value, 0)]


def _page(results: Results | None, show: str, page: int) -> list[Any]:
    """Return updates of page number, buttons, their text and the pictures."""
    import gradio as gr

    from lib_photoshoot.webui.folder.gallery import Show, page_count, page_html

    if results is None:
        return [0, gr.update(visible=False), "", ""]
    kind = Show(show)
    count = page_count(results, kind)
    page = min(max(page, 0), count - 1)
    place = f"<span>{page + 1} / {count}</span>"
    return [page, gr.update(visible=count > 1), place, page_html(results, kind, page)]


def _turned(step: int) -> Callable[..., list[Any]]:
    return lambda results, show, page: _page(results, show, page + step)


def _picture_and_mask(index: float, results: Any) -> list[Any]:
    """Return a card's picture, and one mask of all its products. ``results`` are :class:`Results` or None."""
    # gradio resolves a handler's annotations when the page is built: only names that are there by then.
    import gradio as gr
    import numpy as np
    from PIL import Image

    from lib_photoshoot.images import read_picture, to_image
    from lib_photoshoot.webui.folder.gallery import picture_and_masks

    if results is None:
        raise gr.Error("The results are gone from this page; filter the pictures again.")
    try:
        path, masks = picture_and_masks(results, int(index))
        mask = np.maximum.reduce([read_picture(name).pixels[:, :, 0] for name in masks])
        return [to_image(read_picture(path).srgb), Image.fromarray(mask)]
    except PhotoshootError as error:
        raise gr.Error(str(error)) from error


def _report_address(results: Results) -> str:
    """Where the page finds the report; gradio hands out files only after they have been named to it."""
    from modules import shared, ui_tempdir

    from lib_photoshoot.webui.folder.gallery import linked_files, report_link

    report = results.out / "report.html"
    for path in linked_files(results):
        ui_tempdir.register_tmp_file(shared.demo, str(path))

    return report_link(report, report.stat().st_mtime_ns)
