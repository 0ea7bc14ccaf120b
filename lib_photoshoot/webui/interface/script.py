"""The always-on script: the host's hooks, each a few lines that hand over to :class:`FilterJob`.

Imported when the WebUI starts, so nothing heavy stands at the top. The host catches and prints whatever a hook raises;
every hook leaves the image as it is until the last assignment.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from modules import script_callbacks, scripts

from lib_photoshoot.settings import DEFAULTS, FIELDS
from lib_photoshoot.webui.generate.arguments import is_switched_off
from lib_photoshoot.webui.generate.drivers import Passes, driver_of
from lib_photoshoot.webui.hosts.a1111.job_run import is_inner, run_of, start_run, tell
from lib_photoshoot.webui.hosts.a1111.keys import JOB, KEPT, MOVE, OVERRIDES
from lib_photoshoot.webui.hosts.a1111.script_results import follow_scripts

TITLE = "Product Photoshoot"
INPAINT_IDS = ("img_inpaint_base", "img_inpaint_mask")


class ProductPhotoshoot(scripts.Script):
    """The product filter in txt2img and img2img."""

    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> Any:
        tab = "img2img" if is_img2img else "txt2img"
        # The preview's pictures, and a button that opens one: the host makes all of them after the panel.
        self.on_after_component(self._after_buttons, elem_id=f"{tab}_send_to_extras")
        self.on_after_component(self._after_gallery, elem_id=f"{tab}_gallery")
        self.on_after_component(self._after_generation_info, elem_id=f"generation_info_{tab}")
        # The tab's results can be sent there: picture and mask of img2img, Inpaint upload.
        self.inpaint: dict[str, Any] = {}
        self._button: Any = None
        self.results: tuple[Any, list[Any]] | None = None
        for name in INPAINT_IDS if is_img2img else ():
            self.on_after_component(partial(self._after_inpaint, name), elem_id=name)
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        if scripts.scripts_current is None:
            # No page is being built: the HTTP API asks for default values, twice for each tab, and reads nothing else.
            return [SimpleNamespace(value=value) for value in DEFAULTS.values()]
        from lib_photoshoot.webui.interface.panel import build_panel

        panel = build_panel(is_img2img)
        self._panel = panel
        self.infotext_fields = panel.infotext_fields
        return panel.controls

    def _after_gallery(self, made: Any) -> None:
        self._gallery = made.component

    def _after_buttons(self, made: Any) -> None:
        from lib_photoshoot.webui.interface.panel import outlines_button

        self._button = outlines_button(made.component.elem_id.partition("_")[0])

    def _after_inpaint(self, name: str, made: Any) -> None:
        self.inpaint[name] = made.component

    def _after_generation_info(self, made: Any) -> None:
        self._panel.connect(self._gallery, made.component)
        products = self._panel.controls[list(FIELDS).index("products")]
        self.results = (self._button, [self._gallery, made.component, products]) if self._button else None

    def before_process(self, p: Any, *arguments: Any) -> None:
        """Start anew: a batch over a folder runs one ``p`` many times, with other settings for none of them."""
        if is_inner(p):
            return
        if getattr(p, "override_settings", None):
            _drop_refused_options(p)
        earlier = getattr(p, JOB, None)
        if earlier is not None and earlier.owner == id(p):
            earlier.restore(p)
            setattr(p, JOB, None)

    def process(self, p: Any, *arguments: Any) -> None:
        """Check the settings, and in img2img the input, before anything is spent."""
        overrides = getattr(p, OVERRIDES, None)
        if (is_switched_off(arguments) and not overrides) or is_inner(p) or getattr(p, JOB, None) is not None:
            # A job that is there already: ADetailer calls this hook again, on copies of ``p``, after each batch.
            return
        driver = driver_of(p)
        if driver is not None and driver.passes is Passes.PARTS:
            return  # see ``script_results``
        run = start_run(p, arguments, overrides, driver)
        if run is None:
            return
        setattr(p, JOB, run)
        run.announce(p)
        if run.job.obstacle is not None:
            run.stop_before_painting(p)
        elif run.job.looks_at_input and getattr(p, "init_images", None):
            run.look_at_input(p)
        if run.job.obstacle is None:
            run.hold_hires_back(p)
            run.take_photos(p)

    def before_process_batch(self, p: Any, *arguments: Any, **_: Any) -> None:
        """Put back what the batch before this one took away."""
        run = run_of(p)
        if run is not None:
            run.restore_batch(p)

    def postprocess_batch_list(self, p: Any, pp: Any, *arguments: Any, **_: Any) -> None:
        """Leave out images without a product here, the one place where files, grid, gallery and API all agree."""
        run = run_of(p)
        if run is not None:
            run.take_batch(p, pp)

    def postprocess_image(self, p: Any, pp: Any, *arguments: Any) -> None:
        """Hosts before 1.8 have no later hook for an image."""
        if not hasattr(scripts.ScriptRunner, "postprocess_image_after_composite"):
            self.postprocess_image_after_composite(p, pp, *arguments)

    def postprocess_image_after_composite(self, p: Any, pp: Any, *arguments: Any) -> None:
        """Filter the final image; runs before it is saved."""
        run = run_of(p)
        if run is not None:
            pp.image = run.handle(p, pp.image)

    def postprocess(self, p: Any, processed: Any, *arguments: Any) -> None:
        """Finish the job; may be called more than once."""
        run = run_of(p)
        if run is not None:
            run.finish(p, processed)


def _drop_refused_options(p: Any) -> None:
    from lib_photoshoot.webui.hosts.a1111.options import drop_refused

    for label in drop_refused(p.override_settings):
        tell(p, f"'{label}' cannot be set for a job, as this WebUI was started with --hide-ui-dir-config or --listen.")


def before_saving(params: Any) -> None:
    """Send an image without a product to its own folder, and let no kept input overwrite a file.

    For the host's ``on_before_image_saved``.
    """
    moved, kept = params.image.info.pop(MOVE, False), params.image.info.pop(KEPT, False)
    if not (moved or kept):
        return
    from lib_photoshoot.webui.hosts.a1111.extras import free_name
    from lib_photoshoot.webui.hosts.a1111.options import folder_option

    path = Path(params.filename)
    folder = folder_option("skipped_folder", path.parent) if moved else path.parent
    folder.mkdir(parents=True, exist_ok=True)
    # The host does not count files in other folders, so the same number comes again.
    params.filename = str(free_name(folder / path.name))


def register() -> None:
    """Hang the callbacks into the host; called once, when the host loads the script."""
    _hang("before_ui", _before_ui)


def _hang(category: str, callback: Any) -> None:
    """Register a callback. The host's own ``on_...`` inspect the whole stack for the caller: up to 90 ms each."""
    try:
        callbacks = script_callbacks.callback_map[f"callbacks_{category}"]
        script_callbacks.add_callback(callbacks, callback, category=category, filename=__file__)
    except (AttributeError, KeyError, TypeError):  # another host, or another release of this one
        getattr(script_callbacks, f"on_{category}")(callback)


def _before_ui() -> None:
    from lib_photoshoot.webui.hosts.a1111 import axes, options

    axes.register()
    follow_scripts(ProductPhotoshoot)
    _hang("ui_settings", options.register)
    _hang("before_image_saved", before_saving)
    _hang("app_started", _app_started)
    _hang("ui_tabs", _build_tab)


def _build_tab() -> list[tuple[Any, str, str]]:
    from lib_photoshoot.webui.interface.tab import build_tab

    runners = (scripts.scripts_txt2img, scripts.scripts_img2img)
    ours = [script for runner in runners for script in runner.scripts if isinstance(script, ProductPhotoshoot)]
    found = [script.inpaint[name] for script in ours for name in INPAINT_IDS if name in script.inpaint]
    results = [script.results for script in ours if script.results]
    return build_tab(found if len(found) == len(INPAINT_IDS) else None, results)


def _app_started(_: Any, app: Any) -> None:
    from lib_photoshoot.webui.hosts.a1111.routes import add_routes
    from lib_photoshoot.webui.hosts.forge.memory import find_memory

    add_routes(app)
    if (memory := find_memory()) is not None:
        from lib_photoshoot.registry import REGISTRY  # takes a tenth of a second, which other hosts need not wait for

        REGISTRY.ask_for_room_by(memory.make_room)
