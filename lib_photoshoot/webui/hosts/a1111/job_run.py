"""One job of this host with the filter on: what the hooks do with it, and what is put back afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.results import Decision
from lib_photoshoot.settings import NoMatch
from lib_photoshoot.verdict import Done, Verdict
from lib_photoshoot.webui.generate.arguments import settings_from_arguments
from lib_photoshoot.webui.generate.infotext import RESULT_KEY, SETTINGS_KEY
from lib_photoshoot.webui.hosts.a1111.console import show_step
from lib_photoshoot.webui.hosts.a1111.keys import INNER, JOB, MOVE, OUTER_CONTROLNET
from lib_photoshoot.webui.hosts.a1111.random_state import random_state_kept
from lib_photoshoot.webui.http.sentences import sentence
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.webui.generate.drivers import Driver
    from lib_photoshoot.webui.generate.job import FilterJob, ImageOutcome
    from lib_photoshoot.webui.hosts.a1111.first_look import FirstLook
    from lib_photoshoot.webui.hosts.a1111.photo_scene import PhotosInstead


_OF_JOB = ("init_images", "overlay_images", "color_corrections")
"""Lists of pictures that the host makes once for all batches of a job."""


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
        self._first: FirstLook | None = None
        self._spared: frozenset[int] = frozenset()
        self._photos: PhotosInstead | None = None

    def announce(self, p: Any) -> None:
        """Write the settings and, when it is known, each image's result into the infotext."""
        p.extra_generation_params[SETTINGS_KEY] = self.job.settings.to_json()
        p.extra_generation_params[RESULT_KEY] = self._result_text
        driver = self.job.driver
        for text in (driver and driver.note(self.job.settings), self.job.obstacle, *self.job.notes, *self.job.hints):
            if text:
                tell(p, text)

    def _result_text(self, p: Any = None, index: int = 0, use_main_prompt: bool = False, **_: Any) -> str | None:
        if use_main_prompt:  # the grid's
            return None
        outcome = self.job.outcomes.get((p.iteration, index)) if hasattr(p, "iteration") else None
        verdict = outcome.verdict if outcome else self.job.input_verdict or self._refused()
        return verdict.to_json() if verdict else None

    def _refused(self) -> Verdict | None:
        return Verdict(Done.REFUSED, self.job.obstacle) if self.job.obstacle else None

    def look_at_input(self, p: Any) -> None:
        """Skip the whole job when no product is in any of its input pictures."""
        try:
            with random_state_kept():
                results = [self.job.decide(image) for image in p.init_images]
        except PhotoshootError as error:
            self.job.problem = sentence(error)
            tell(p, self.job.problem)
            return
        if any(result.regions and result.reason is None for result in results):
            return
        from lib_photoshoot.webui.generate.job import reason_text

        why = results[0].reason
        self.job.input_verdict = Verdict(Done.NOTHING, f"input skipped: {reason_text(why)}", Decision.SKIP, why)
        self.stop_before_painting(p)
        self._input_skipped = True
        tell(p, f"Product filter: {self.job.input_verdict.says}.")

    def stop_before_painting(self, p: Any) -> None:
        """Let the host paint nothing, unless a script runs the job that needs its pictures."""
        if self.job.driver is not None:
            return
        p.n_iter = 0
        p.do_not_save_grid = True  # the host cannot make a grid of nothing

    def hold_hires_back(self, p: Any) -> None:
        """Let no picture without a product have the second pass of hires fix, where that is wished and can be."""
        if not self.job.settings.first_look or self.job.driver is not None:
            return
        from lib_photoshoot.webui.hosts.a1111.first_look import FirstLook

        if FirstLook.can(p):
            self._first = FirstLook(p, partial(self._is_worth_it, p))

    def take_photos(self, p: Any) -> None:
        """Let a new scene be that of the photos which img2img was given, and not of what it would make of them."""
        if self.job.scene is None or self.job.driver is not None:
            return
        from lib_photoshoot.webui.hosts.a1111.photo_scene import PhotosInstead

        if PhotosInstead.can(p):
            self._photos = PhotosInstead(p)

    def _is_worth_it(self, p: Any, image: Image.Image) -> bool:
        try:
            return self._shows_product(p, image)
        except Exception:  # a mistake of ours must not end the host's job in the middle
            from lib_photoshoot.webui.hosts.a1111.console import report

            report("the first pass was not looked at")
            return True

    def take_batch(self, p: Any, pp: Any) -> None:
        """Take over a batch: what the second pass was spared is delivered as it is, what has no product perhaps not."""
        count = len(pp.images)
        spared = self._first.spared if self._first else frozenset()
        if self._first and spared:
            pp.images = self._first.put_in(pp.images)
            tell(p, f"Product filter: hires fix left out for {len(spared)} of {counted(count, 'image')}, no product.")
        self._spared = frozenset() if self.job.leaves_out else spared
        if self.job.leaves_out:
            self.leave_out(p, pp)

    def leave_out(self, p: Any, pp: Any) -> None:
        """Drop the batch's images without a product, with their prompts and seeds."""
        kept = [i for i, tensor in enumerate(pp.images) if self._holds_product(p, i, tensor)]
        self._kept += len(kept)
        p.do_not_save_grid = self._save_no_grid or self._kept == 0
        dropped = len(pp.images) - len(kept)
        if not dropped:
            return
        tell(p, f"Product filter: {dropped} of {counted(len(pp.images), 'image')} left out, no product in them.")
        count = len(pp.images)
        for name in ("prompts", "negative_prompts", "seeds", "subseeds", *_OF_JOB):
            values = getattr(p, name, None)
            if values is not None and len(values) == count:
                if name in _OF_JOB:
                    self._batch_lists[name] = values
                setattr(p, name, [values[i] for i in kept])
        pp.images = [pp.images[i] for i in kept]

    def _holds_product(self, p: Any, index: int, tensor: Any) -> bool:
        from lib_photoshoot.webui.hosts.a1111.pictures import composite_of

        return self._shows_product(p, composite_of(p, index, tensor))

    def _shows_product(self, p: Any, image: Image.Image) -> bool:
        try:
            with random_state_kept():
                result = self.job.decide(image)
        except PhotoshootError as error:  # an image is never lost for a mistake of ours
            tell(p, sentence(error))
            return True
        return result.reason is None

    def restore_batch(self, p: Any) -> None:
        """Before a batch: the lists that were cut, and the outer ControlNet."""
        self._restore_lists(p)
        outer = getattr(p, OUTER_CONTROLNET, None)
        if outer is not None:
            outer.rehook(p)

    def _restore_lists(self, p: Any) -> None:
        for name, values in self._batch_lists.items():
            setattr(p, name, values)
        self._batch_lists.clear()

    def handle(self, p: Any, image: Image.Image) -> Image.Image:
        """Return the final image, enhanced or as it came."""
        from lib_photoshoot.webui.generate.enhancer import JobPrompt
        from lib_photoshoot.webui.hosts.a1111.extras import save_extras
        from lib_photoshoot.webui.hosts.a1111.pictures import infotext_of, photo_of

        show_step(f"Product filter: looking for {', '.join(x.name for x in self.job.products)}")
        number = p.iteration * p.batch_size + p.batch_index
        prompt = JobPrompt(p.prompts[p.batch_index], p.negative_prompts[p.batch_index], p.seeds[p.batch_index])
        if self._photos is not None:
            image = self._photos.picture(p, p.batch_index)
        photo = photo_of(p, p.batch_index, image)
        with random_state_kept():  # building a network draws random numbers, and so would ADetailer's next picture show
            outcome = self.job.handle(p, (p.iteration, p.batch_index), image, prompt, photo)
        if p.batch_index in self._spared:
            outcome.verdict = replace(outcome.verdict, says=f"{outcome.verdict.says}; hires fix left out")
        show_step(None)
        if outcome.skipped and self.job.settings.on_no_match == NoMatch.MOVE.value:
            outcome.image.info[MOVE] = True
        else:
            save_extras(p, prompt.seed, self.job, image, outcome, partial(infotext_of, p))
        self._tell_outcome(p, number, outcome)
        return outcome.image

    def _tell_outcome(self, p: Any, number: int, outcome: ImageOutcome) -> None:
        if self.job.obstacle is None:
            tell(p, f"Product filter, image {number + 1}: {outcome.summary}.")

    def finish(self, p: Any, processed: Any) -> None:
        """Show what belongs to the results, and let the models go if the user wants that."""
        outer = getattr(p, OUTER_CONTROLNET, None)
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

        verdict = self.job.input_verdict
        assert verdict is not None
        p.n_iter = self._n_iter  # names of files are made by it
        for index, image in enumerate(p.init_images):
            if not p.save_samples() or any(image is earlier for earlier in p.init_images[:index]):
                continue
            if self.job.settings.on_no_match == NoMatch.MOVE.value:
                image.info[MOVE] = True
            save_input(p, index, image, verdict)
        processed.images.extend(p.init_images)
        processed.infotexts[:] = [processed.infotexts[0]] * len(processed.images)

    def restore(self, p: Any) -> None:
        """Give the processing object back as the host made it, for its next run, in which ControlNet hooks anew."""
        self._restore_lists(p)
        if self._first is not None:
            self._first.end(p)
        if self._photos is not None:
            self._photos.end(p)
        p.n_iter, p.do_not_save_grid = self._n_iter, self._save_no_grid


def is_inner(p: Any) -> bool:
    """Whether a filter made this job for one product: it is none of the user's."""
    return any(getattr(p, mark, False) for mark in INNER)


def run_of(p: Any) -> JobRun | None:
    """Our part of the user's job, None without one."""
    return None if is_inner(p) else getattr(p, JOB, None)


def start_run(
    p: Any, arguments: Sequence[Any], overrides: dict[str, Any] | None, driver: Driver | None
) -> JobRun | None:
    """Return the job for these arguments, None when the filter is off. See ``obstacle`` of its job for what is
    wrong.
    """
    job = job_of(arguments, overrides, driver)
    return None if job is None else JobRun(p, job)


def job_of(arguments: Sequence[Any], overrides: dict[str, Any] | None, driver: Driver | None) -> FilterJob | None:
    """Return what the script's arguments ask for, None when the filter is off."""
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
    """Return what is wrong with the folders of our options, which a request may set for its job."""
    from lib_photoshoot.webui.hosts.a1111.options import folder_option

    try:
        for name in ("masks_folder", "skipped_folder"):
            folder_option(name, Path())
    except PhotoshootError as error:
        return str(error)
    return None


def tell(p: Any, text: str) -> None:
    """Show a sentence under the results, once."""
    if hasattr(p, "comment"):
        p.comment(text)
