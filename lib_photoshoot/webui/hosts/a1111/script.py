"""The always-on script: the host's hooks, each a few lines that hand over to :class:`FilterJob`.

Imported when the WebUI starts, so nothing heavy stands at the top. The host catches and prints whatever a hook raises;
every hook leaves the image as it is until the last assignment.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, wraps
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from modules import script_callbacks, scripts, shared

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.settings import DEFAULTS, NoMatch
from lib_photoshoot.webui.generate.arguments import is_switched_off, settings_from_arguments
from lib_photoshoot.webui.generate.infotext import RESULT_KEY, SETTINGS_KEY
from lib_photoshoot.webui.generate.selectable import Passes, driver_of, filter_returned
from lib_photoshoot.webui.http.sentences import sentence
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.webui.generate.job import FilterJob, ImageOutcome
    from lib_photoshoot.webui.generate.selectable import Driver

TITLE = "Product Photoshoot"
_JOB = "_photoshoot_job"
_OVERRIDES = "_photoshoot_overrides"
_MOVE = "photoshoot_move"
KEPT = "photoshoot_kept"
"""On a picture that must not take the place of a file."""
INPAINT_IDS = ("img_inpaint_base", "img_inpaint_mask")
_INNER_MARKS = ("_photoshoot_inner", "_ad_inner")


class ProductPhotoshoot(scripts.Script):
    """The product filter in txt2img and img2img."""

    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> Any:
        tab = "img2img" if is_img2img else "txt2img"
        # The preview's pictures: the host makes both after the panel.
        self.on_after_component(self._after_gallery, elem_id=f"{tab}_gallery")
        self.on_after_component(self._after_generation_info, elem_id=f"generation_info_{tab}")
        # The tab's results can be sent there: picture and mask of img2img, Inpaint upload.
        self.inpaint: dict[str, Any] = {}
        for name in INPAINT_IDS if is_img2img else ():
            self.on_after_component(partial(self._after_inpaint, name), elem_id=name)
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        if scripts.scripts_current is None:
            # No page is being built: the HTTP API asks for default values, twice for each tab, and reads nothing else.
            return [SimpleNamespace(value=value) for value in DEFAULTS.values()]
        from lib_photoshoot.webui.hosts.a1111.panel import build_panel

        panel = build_panel(is_img2img)
        self._panel = panel
        self.infotext_fields = panel.infotext_fields
        return panel.controls

    def _after_gallery(self, made: Any) -> None:
        self._gallery = made.component

    def _after_inpaint(self, name: str, made: Any) -> None:
        self.inpaint[name] = made.component

    def _after_generation_info(self, made: Any) -> None:
        self._panel.connect(self._gallery, made.component)

    def before_process(self, p: Any, *arguments: Any) -> None:
        """Start anew: a batch over a folder runs one ``p`` many times, with other settings for none of them."""
        if _is_inner(p):
            return
        if getattr(p, "override_settings", None):
            _drop_refused_options(p)
        earlier = getattr(p, _JOB, None)
        if earlier is not None and earlier.owner == id(p):
            earlier.restore(p)
            setattr(p, _JOB, None)

    def process(self, p: Any, *arguments: Any) -> None:
        """Check the settings, and in img2img the input, before anything is spent."""
        overrides = getattr(p, _OVERRIDES, None)
        if (is_switched_off(arguments) and not overrides) or _is_inner(p) or getattr(p, _JOB, None) is not None:
            # A job that is there already: ADetailer calls this hook again, on copies of ``p``, after each batch.
            return
        driver = driver_of(p)
        if driver is not None and driver.passes is Passes.PARTS:
            return  # see :func:`filter_results_of_script`
        run = _start(p, arguments, overrides, driver)
        if run is None:
            return
        setattr(p, _JOB, run)
        run.announce(p)
        if run.job.obstacle is not None:
            run.stop_before_painting(p)
        elif run.job.looks_at_input and getattr(p, "init_images", None):
            run.look_at_input(p)

    def before_process_batch(self, p: Any, *arguments: Any, **_: Any) -> None:
        """Put back what the batch before this one took away."""
        run = _run_of(p)
        if run is not None:
            run.restore_batch(p)

    def postprocess_batch_list(self, p: Any, pp: Any, *arguments: Any, **_: Any) -> None:
        """Leave out images without a product here, the one place where files, grid, gallery and API all agree."""
        run = _run_of(p)
        if run is not None and run.job.leaves_out:
            run.leave_out(p, pp)

    def postprocess_image(self, p: Any, pp: Any, *arguments: Any) -> None:
        """Hosts before 1.8 have no later hook for an image."""
        if not hasattr(scripts.ScriptRunner, "postprocess_image_after_composite"):
            self.postprocess_image_after_composite(p, pp, *arguments)

    def postprocess_image_after_composite(self, p: Any, pp: Any, *arguments: Any) -> None:
        """Filter the final image; runs before it is saved."""
        run = _run_of(p)
        if run is not None:
            pp.image = run.handle(p, pp.image)

    def postprocess(self, p: Any, processed: Any, *arguments: Any) -> None:
        """Finish the job; may be called more than once."""
        run = _run_of(p)
        if run is not None:
            run.finish(p, processed)


class JobRun:
    """A :class:`FilterJob` inside one processing object of this host, and what must be put back in it."""

    def __init__(self, p: Any, job: FilterJob) -> None:
        self.owner = id(p)
        self.job = job
        self._n_iter = p.n_iter
        self._save_no_grid = p.do_not_save_grid
        self._batch_lists: dict[str, Any] = {}
        self._kept = 0
        self._input_skipped = False

    def announce(self, p: Any) -> None:
        """Write the settings and, when it is known, each image's result into the infotext."""
        p.extra_generation_params[SETTINGS_KEY] = self.job.settings.to_json()
        p.extra_generation_params[RESULT_KEY] = self._result_text
        driver = self.job.driver
        for text in (driver and driver.note(self.job.settings), self.job.obstacle, self.job.unit.note):
            if text:
                _tell(p, text)

    def _result_text(self, p: Any = None, index: int = 0, use_main_prompt: bool = False, **_: Any) -> str | None:
        if use_main_prompt:  # the grid's
            return None
        outcome = self.job.outcomes.get((p.iteration, index)) if hasattr(p, "iteration") else None
        return outcome.summary if outcome else self.job.input_summary or self.job.obstacle

    def look_at_input(self, p: Any) -> None:
        """Skip the whole job when no product is in any of its input pictures."""
        try:
            results = [self.job.decide(image) for image in p.init_images]
        except PhotoshootError as error:
            self.job.problem = sentence(error)
            _tell(p, self.job.problem)
            return
        if any(result.regions and result.reason is None for result in results):
            return
        from lib_photoshoot.webui.generate.job import reason_text

        self.job.input_summary = f"input skipped: {reason_text(results[0].reason)}"
        self.stop_before_painting(p)
        self._input_skipped = True
        _tell(p, f"Product filter: {self.job.input_summary}.")

    def stop_before_painting(self, p: Any) -> None:
        """Let the host paint nothing, unless a script runs the job that needs its pictures."""
        if self.job.driver is not None:
            return
        p.n_iter = 0
        p.do_not_save_grid = True  # the host cannot make a grid of nothing

    def leave_out(self, p: Any, pp: Any) -> None:
        """Drop the batch's images without a product, with their prompts and seeds."""
        kept = [i for i, tensor in enumerate(pp.images) if self._holds_product(p, i, tensor)]
        self._kept += len(kept)
        p.do_not_save_grid = self._save_no_grid or self._kept == 0
        dropped = len(pp.images) - len(kept)
        if not dropped:
            return
        _tell(p, f"Product filter: {dropped} of {counted(len(pp.images), 'image')} left out, no product in them.")
        count = len(pp.images)
        for name in ("prompts", "negative_prompts", "seeds", "subseeds", "overlay_images", "color_corrections"):
            values = getattr(p, name, None)
            if values is not None and len(values) == count:
                if name in ("overlay_images", "color_corrections"):  # made once for all batches of the job
                    self._batch_lists[name] = values
                setattr(p, name, [values[i] for i in kept])
        pp.images = [pp.images[i] for i in kept]

    def _holds_product(self, p: Any, index: int, tensor: Any) -> bool:
        from lib_photoshoot.webui.hosts.a1111.pictures import composite_of

        try:
            result = self.job.decide(composite_of(p, index, tensor))
        except PhotoshootError as error:  # an image is never lost for a mistake of ours
            _tell(p, sentence(error))
            return True
        return result.reason is None

    def restore_batch(self, p: Any) -> None:
        """Before a batch: the lists that were cut, and the outer ControlNet."""
        self._restore_lists(p)
        outer = getattr(p, "_photoshoot_controlnet", None)
        if outer is not None:
            outer.rehook(p)

    def _restore_lists(self, p: Any) -> None:
        for name, values in self._batch_lists.items():
            setattr(p, name, values)
        self._batch_lists.clear()

    def handle(self, p: Any, image: Image.Image) -> Image.Image:
        """The final image, enhanced or as it came."""
        from lib_photoshoot.webui.generate.enhancer import JobPrompt
        from lib_photoshoot.webui.hosts.a1111.pictures import photo_of, save_extras

        shared.state.textinfo = f"Product filter: looking for {', '.join(x.name for x in self.job.products)}"
        number = p.iteration * p.batch_size + p.batch_index
        prompt = JobPrompt(p.prompts[p.batch_index], p.negative_prompts[p.batch_index], p.seeds[p.batch_index])
        photo = photo_of(p, p.batch_index, image)
        outcome = self.job.handle(p, (p.iteration, p.batch_index), image, prompt, photo)
        shared.state.textinfo = None
        if outcome.skipped and self.job.settings.on_no_match == NoMatch.MOVE.value:
            outcome.image.info[_MOVE] = True
        else:
            save_extras(p, p.all_seeds[number], self.job, image, outcome)
        self._tell_outcome(p, number, outcome)
        return outcome.image

    def _tell_outcome(self, p: Any, number: int, outcome: ImageOutcome) -> None:
        if self.job.obstacle is None:
            _tell(p, f"Product filter, image {number + 1}: {outcome.summary}.")

    def finish(self, p: Any, processed: Any) -> None:
        """Show what belongs to the results, and let the models go if the user wants that."""
        outer = getattr(p, "_photoshoot_controlnet", None)
        if outer is not None and processed.images:
            processed.images.extend(outer.take_maps())
        if self._input_skipped and not processed.images and self.job.settings.on_no_match != NoMatch.LEAVE_OUT.value:
            self._keep_input(p, processed)
        if processed.images or p.iteration >= self._n_iter - 1:
            from lib_photoshoot.webui.hosts.a1111.outer import release_models

            release_models()

    def _keep_input(self, p: Any, processed: Any) -> None:
        """Deliver the input as it came, in the results and, as any picture of the job, in its folder."""
        from lib_photoshoot.webui.hosts.a1111.pictures import save_input

        p.n_iter = self._n_iter  # names of files are made by it
        for index, image in enumerate(p.init_images):
            if not p.save_samples() or any(image is earlier for earlier in p.init_images[:index]):
                continue
            if self.job.settings.on_no_match == NoMatch.MOVE.value:
                image.info[_MOVE] = True
            save_input(p, index, image, str(self.job.input_summary))
        processed.images.extend(p.init_images)
        processed.infotexts[:] = [processed.infotexts[0]] * len(processed.images)

    def restore(self, p: Any) -> None:
        """Give the processing object back as the host made it, for its next run, in which ControlNet hooks anew."""
        self._restore_lists(p)
        p.n_iter, p.do_not_save_grid = self._n_iter, self._save_no_grid


def _is_inner(p: Any) -> bool:
    return any(getattr(p, mark, False) for mark in _INNER_MARKS)


def _run_of(p: Any) -> JobRun | None:
    return None if _is_inner(p) else getattr(p, _JOB, None)


def _start(p: Any, arguments: Sequence[Any], overrides: dict[str, Any] | None, driver: Driver | None) -> JobRun | None:
    """The job for these arguments, None when the filter is off. See ``obstacle`` of its job for what is wrong."""
    job = _job(arguments, overrides, driver)
    return None if job is None else JobRun(p, job)


def _job(arguments: Sequence[Any], overrides: dict[str, Any] | None, driver: Driver | None) -> FilterJob | None:
    from lib_photoshoot.settings import FilterSettings, SettingsError
    from lib_photoshoot.webui.generate.job import FilterJob, start_job
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    host = A1111Host()
    try:
        settings = settings_from_arguments(arguments, overrides)
    except SettingsError as error:
        return FilterJob(host, FilterSettings(), driver, problem=str(error))
    if not settings.enabled:
        return None
    job = start_job(host, settings, driver)
    job.problem = job.problem or _folder_problem()
    return job


def _folder_problem() -> str | None:
    """What is wrong with the folders of our options, which a request may set for its job."""
    from lib_photoshoot.webui.hosts.a1111.options import folder_option

    try:
        for name in ("masks_folder", "skipped_folder"):
            folder_option(name, Path())
    except PhotoshootError as error:
        return str(error)
    return None


def filter_results_of_script(runner: Any, p: Any, arguments: Sequence[Any], processed: Any) -> None:
    """Filter what a selectable script has returned whose generations made only parts of it.

    ``arguments`` are those of all scripts, as the host hands them to its ``runner``. Never raises.
    """
    driver = driver_of(p)
    if driver is None or driver.passes is not Passes.PARTS or not getattr(processed, "images", None) or _is_inner(p):
        return
    ours = next((script for script in runner.alwayson_scripts if isinstance(script, ProductPhotoshoot)), None)
    own = arguments[ours.args_from : ours.args_to] if ours else ()
    if is_switched_off(own):
        return
    from lib_photoshoot.webui.hosts.a1111.outer import release_models
    from lib_photoshoot.webui.hosts.a1111.pictures import photo_of, save_returned

    try:
        job = _job(own, None, driver)
        if job is not None:
            filter_returned(job, driver, p, processed, partial(save_returned, p, job), partial(photo_of, p))
            release_models()
    except Exception:  # a mistake of ours must not cost what the script has made
        from modules import errors

        errors.report("Product Photoshoot: a script's pictures were not filtered", exc_info=True)


def _follow_scripts() -> None:
    """Have the results of selectable scripts filtered: the host has no hook for the end of one."""
    run = scripts.ScriptRunner.run
    if getattr(run, "photoshoot", False):  # the UI was reloaded
        return

    @wraps(run)
    def run_and_filter(self: Any, p: Any, *arguments: Any) -> Any:
        processed = run(self, p, *arguments)
        filter_results_of_script(self, p, arguments, processed)
        return processed

    run_and_filter.photoshoot = True  # type: ignore[attr-defined]
    scripts.ScriptRunner.run = run_and_filter


def _drop_refused_options(p: Any) -> None:
    from lib_photoshoot.webui.hosts.a1111.options import drop_refused

    for label in drop_refused(p.override_settings):
        _tell(p, f"'{label}' cannot be set for a job, as this WebUI was started with --hide-ui-dir-config or --listen.")


def _tell(p: Any, text: str) -> None:
    """Show a sentence under the results, once."""
    if hasattr(p, "comment"):
        p.comment(text)


def before_saving(params: Any) -> None:
    """Send an image without a product to its own folder, and let no kept input overwrite a file.

    For the host's ``on_before_image_saved``.
    """
    moved, kept = params.image.info.pop(_MOVE, False), params.image.info.pop(KEPT, False)
    if not (moved or kept):
        return
    from lib_photoshoot.webui.hosts.a1111.options import folder_option
    from lib_photoshoot.webui.hosts.a1111.pictures import free_name

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
    _follow_scripts()
    _hang("ui_settings", options.register)
    _hang("before_image_saved", before_saving)
    _hang("app_started", _add_routes)
    _hang("ui_tabs", _build_tab)


def _build_tab() -> list[tuple[Any, str, str]]:
    from lib_photoshoot.webui.hosts.a1111.tab import build_tab

    runner = scripts.scripts_img2img
    ours = next((script for script in runner.scripts if isinstance(script, ProductPhotoshoot)), None)
    found = [ours.inpaint[name] for name in INPAINT_IDS if name in ours.inpaint] if ours else []
    return build_tab(found if len(found) == len(INPAINT_IDS) else None)


def _add_routes(_: Any, app: Any) -> None:
    from lib_photoshoot.webui.hosts.a1111.routes import add_routes

    add_routes(app)
