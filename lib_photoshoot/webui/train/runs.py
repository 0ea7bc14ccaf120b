"""What the HTTP routes do with training runs: begin, steer, look at, export, remove."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.checkpoint import check_checkpoint
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.preparation import check_images
from lib_photoshoot.training.run.processes import processes_of
from lib_photoshoot.training.trainer.environment import check_places
from lib_photoshoot.training.trainer.launch import Launch
from lib_photoshoot.training.trainer.tokenizer import check_tokenizer
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.fields import Fields
from lib_photoshoot.webui.http.thumbnails import SIDES, Thumbnail, thumbnail
from lib_photoshoot.webui.train.checkpoints import find_checkpoint
from lib_photoshoot.webui.train.fields import RECIPE_FIELDS, read_boxes, read_recipe, recipe_values
from lib_photoshoot.webui.train.pictures import check_names, plain_name
from lib_photoshoot.webui.train.views import console_text, run_detail, run_summary

if TYPE_CHECKING:
    from lib_photoshoot.training.controller import TrainingController
    from lib_photoshoot.training.folder_check import FolderCheck
    from lib_photoshoot.training.run.folder import RunFolder
    from lib_photoshoot.webui.train.host import TrainingHost
    from lib_photoshoot.webui.train.pictures import PictureOperations
    from lib_photoshoot.webui.train.trainer import Trainer
    from lib_photoshoot.webui.train.watch import RunWatch

REMOVED = "removed"
"""The folder below the home that removed runs are moved to."""
MOST_LOG = 200_000
"""Bytes of a console log in one answer."""
SHEETS = {"sheet.png": "image/png", "sheet.html": "text/html; charset=utf-8"}

_RUN_FIELDS = (
    "folder", *RECIPE_FIELDS, "regularisation", "checkpoint", "leave_out", "crops", "processes", "machines", "rank",
    "address", "port", "start", "anyway",
)  # fmt: skip


class RunOperations:
    """One dictionary in, one out. Every method raises PhotoshootError; safe across threads."""

    def __init__(
        self,
        controller: TrainingController,
        host: TrainingHost,
        trainer: Trainer,
        pictures: PictureOperations,
        watch: RunWatch,
    ) -> None:
        self._controller = controller
        self._host = host
        self._trainer = trainer
        self._pictures = pictures
        self._watch = watch
        self._steering = threading.Lock()

    def begin(self, body: Any) -> dict[str, Any]:
        """Prepare a run, and start it unless ``start`` is false. Takes seconds where the trainer was not asked yet.

        Raises RequestError 409 where the folder has problems, unless ``anyway`` is true: pictures without a caption are
        then left out.
        """
        fields = Fields(body, _RUN_FIELDS)
        folder, regularisation = self._pictures.folder(fields), self._pictures.regularisation(fields)
        checkpoint = find_checkpoint(self._host.checkpoints(), fields.text("checkpoint"))
        launch, start, anyway = _launch(fields), fields.flag("start", True), fields.flag("anyway")
        environment = self._trainer.environment()
        check_checkpoint(checkpoint)
        check_places(environment)
        if start:
            self._needs_quiet()
            check_tokenizer(environment)
        check = self._pictures.look(folder, read_recipe(fields), regularisation)
        leave_out, crops = frozenset(fields.texts("leave_out") or ()), read_boxes(fields, "crops")
        check_names(check.whole, (*leave_out, *crops))
        _check_crops(check, crops)
        if anyway:
            leave_out = leave_out.union(check.uncaptioned)
        check_images(check.dataset, {name: text for name, text in check.captions.items() if name not in leave_out})
        if not anyway:
            _check_problems(check, leave_out)
        with self._one_at_a_time():
            if start:
                self._needs_quiet()
            run = self._controller.prepare(
                check,
                checkpoint,
                environment,
                leave_out=leave_out,
                crops=crops,
                launch=launch,
                capabilities=self._trainer.capabilities(),
            )
            if start:
                with control.removed_unless_begun(run):
                    self._start(run, self._controller.start)
        return self._detail(run)

    def listed(self) -> list[dict[str, Any]]:
        """All runs, the newest first."""
        return [run_summary(run) for run in self._controller.runs()]

    def active(self) -> RunFolder | None:
        """Return the run at work, which is watched from now on, whoever has started it."""
        run = self._controller.active()
        if run is not None:
            self._watch.follow(run)
        return run

    def detail(self, name: str) -> dict[str, Any]:
        """Everything about one run."""
        return self._detail(self._run(name))

    def act(self, name: str, body: Any) -> dict[str, Any]:
        """Start, pause, unpause, stop and save, cancel, or resume. Raises RequestError 409 where the run cannot.

        ``resume`` takes ``recipe`` and ``set`` too: values to change, where the saved state allows it.
        """
        run, fields = self._run(name), Fields(body, ("action", *RECIPE_FIELDS))
        changes = recipe_values(fields)
        starts: Mapping[str, Callable[[RunFolder], object]] = {
            "start": self._controller.start,
            "resume": lambda run: self._controller.resume(run, changes),
        }
        others: Mapping[str, Callable[[RunFolder], object]] = {
            "pause": control.pause,
            "unpause": control.unpause,
            "stop": control.stop,
            "cancel": control.cancel,
        }
        action = fields.choice("action", (*starts, *others))
        if changes and action != "resume":
            raise RequestError(f"{action!r} changes no values of the recipe; resume does.")
        with _conflicts():
            if action in others:
                others[action](run)
            else:
                with self._one_at_a_time():
                    self._needs_quiet()
                    self._start(run, starts[action])
        return self._detail(run)

    def log(self, name: str, tail: int) -> dict[str, Any]:
        """Return the end of what the trainer has printed, at most ``tail`` bytes of it."""
        run = self._run(name)
        printed = stays_inside(run.path, run.console_log)
        return {"text": console_text(run.console_log, max(1, min(tail, MOST_LOG))) if printed else ""}

    def sample(self, name: str, file: str, side: int, known: str = "") -> Thumbnail:
        """Return a small copy of a sample picture; ``known`` marks the copy that the caller has."""
        if not SIDES[0] <= side <= SIDES[1]:
            raise RequestError(f"'side' is {side}; give a number of pixels from {SIDES[0]} to {SIDES[1]}.")
        run = self._run(name)
        return thumbnail(_inside(run.out / "sample", plain_name(file)), side, known)

    def export(self, name: str, body: Any) -> dict[str, Any]:
        """Copy epochs into the host's Lora folder, and let its list know them."""
        fields = Fields(body, ("epochs", "weight", "notes", "rename"))
        run, weight = self._run(name), fields.number("weight", 0, 2, 1.0)
        folder = self._host.lora_folder()
        exported = self._controller.export(
            run, fields.wholes("epochs"), folder, weight, fields.text("notes", ""), fields.flag("rename")
        )
        self._host.refresh_loras()
        return {
            "exported": [
                {"epoch": one.epoch, "name": one.name, "copied": one.copied, "notes": list(one.notes)}
                for one in exported
            ]
        }

    def make_sheet(self, name: str) -> None:
        """Make the comparison sheet of the sample pictures."""
        self._controller.sheet(self._run(name))

    def sheet(self, name: str, file: str) -> tuple[Path, str]:
        """Return a file of the comparison sheet with its media type."""
        if file not in SHEETS:
            raise RequestError(f"There is no {file!r} of a sheet; there are {' and '.join(SHEETS)}.", 404)
        return _inside(self._run(name).path, file), SHEETS[file]

    def remove(self, name: str) -> dict[str, Any]:
        """Move a run that is not at work to the folder of removed runs."""
        run = self._run(name)
        with self._one_at_a_time():
            status = run.status()
            if status.state.active or processes_of(run.path):
                raise RequestError(f"The run {name} is at work; cancel it first.", 409)
            target = self._free_place(name)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(run.path, target)
            except OSError as error:
                raise TrainingError(
                    f"The run {name} cannot be moved to {shown(target.parent)} ({error.strerror or error}); check that "
                    "folder."
                ) from error
        return {"moved_to": str(target)}

    def _free_place(self, name: str) -> Path:
        place, number = self._controller.home / REMOVED / name, 1
        while os.path.lexists(place):
            number += 1
            place = place.with_name(f"{name}-{number}")
        return place

    def _start(self, run: RunFolder, start: Callable[[RunFolder], object]) -> None:
        self._watch.make_room()
        try:
            start(run)
        except BaseException:
            self._watch.give_back()
            raise
        self._watch.follow(run)

    def _needs_quiet(self) -> None:
        run = self._controller.active()
        if run is not None:
            raise RequestError(f"The run {run.path.name} is at work; stop it or wait for it.", 409)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Two requests at once must not both find that no run is at work."""
        if not self._steering.acquire(blocking=False):
            raise RequestError("A run is being started or removed; wait a moment.", 409)
        try:
            yield
        finally:
            self._steering.release()

    def _run(self, name: str) -> RunFolder:
        try:
            run = self._controller.run(plain_name(name))
        except TrainingError as error:
            raise RequestError(str(error), 404) from error
        if run.path.is_symlink():
            raise RequestError(f"The run {name} is a link; give the run itself.", 403)
        return run

    def _detail(self, run: RunFolder) -> dict[str, Any]:
        try:
            results = self._controller.results(run)
        except TrainingError:  # nothing was made yet
            results = ()
        return run_detail(run, results)


@contextmanager
def _conflicts() -> Iterator[None]:
    """Tell what cannot be done with a run as it stands as a conflict, not as a wrong request."""
    try:
        yield
    except TrainingError as error:
        raise RequestError(str(error), 409) from error


def _launch(fields: Fields) -> Launch:
    return Launch(
        fields.whole("processes", 1, 64, 1),
        fields.whole("machines", 1, 64, 1),
        fields.whole("rank", 0, 63, 0),
        fields.text("address", ""),
        fields.whole("port", 1, 65535, Launch.port),
    )


def _check_problems(check: FolderCheck, leave_out: Collection[str]) -> None:
    problems = check.in_the_way(leave_out)
    if problems:
        many = "A problem was" if len(problems) == 1 else f"{len(problems)} problems were"
        raise RequestError(
            f"{many} found in the folder, and nothing was started: {problems[0].text} With 'anyway' it starts all the "
            "same.",
            409,
        )


def _check_crops(check: FolderCheck, crops: Mapping[str, tuple[float, float, float, float]]) -> None:
    for image in check.dataset.images:
        left, top, right, bottom = crops.get(image.name, (0, 0, 1, 1))
        if not (left >= 0 and left + 1 <= right <= image.width and top >= 0 and top + 1 <= bottom <= image.height):
            raise RequestError(
                f"The crop of {image.name!r} does not lie in its {image.width}x{image.height} pixels; choose another."
            )


def _inside(folder: Path, name: str) -> Path:
    """Return a file in a folder; one whose links lead elsewhere counts as none. Raises RequestError 404."""
    path = folder / name
    if not os.path.isfile(path) or not stays_inside(folder, path):
        raise RequestError(f"There is no file {name!r} of this run.", 404)
    return path
