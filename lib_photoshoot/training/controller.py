"""What the page, the command line and the HTTP API do with training; none of them has logic of its own.

``home`` holds the trainer, the caption sheets and the runs. It is the extension's own folder ``training`` (of an
installed package, one in the user's data folder) unless the user names another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.paths import runs_folder, training_folder
from lib_photoshoot.training.captions import store
from lib_photoshoot.training.captions.findings import caption_findings
from lib_photoshoot.training.captions.sheet import CaptionSheet
from lib_photoshoot.training.checkpoint import check_checkpoint
from lib_photoshoot.training.dataset.dataset import Counting, Dataset
from lib_photoshoot.training.dataset.folders import scan_all
from lib_photoshoot.training.dataset.leaving_out import without
from lib_photoshoot.training.dataset.regularisation import read_regularisation
from lib_photoshoot.training.folder_check import FolderCheck
from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.results.epochs import EpochResult
from lib_photoshoot.training.results.epochs import scan as scan_results
from lib_photoshoot.training.review.decisions import alone, append_decisions, read_decisions
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.estimate import disk_needed, seconds_needed
from lib_photoshoot.training.run.folder import RunFolder, Status, TrainingState
from lib_photoshoot.training.run.preparation import RunRequest, check_images, prepare
from lib_photoshoot.training.run.processes import processes_of
from lib_photoshoot.training.trainer.environment import (
    Capabilities,
    TrainerEnvironment,
    check_places,
    find_environment,
    inspect,
)
from lib_photoshoot.training.trainer.launch import Launch
from lib_photoshoot.training.trainer.tokenizer import check_tokenizer

if TYPE_CHECKING:
    from lib_photoshoot.catalog.decisions import ChosenPicture
    from lib_photoshoot.pages.hands import Hand
    from lib_photoshoot.training.captions.protocol import Captioner
    from lib_photoshoot.training.results.export import ExportedLora
    from lib_photoshoot.training.run.preparation import Box

DEFAULT_HOME = training_folder()
CAPTIONERS = ("auto", "blip", "embedded")


class TrainingController:
    """Everything below one ``home``. ``blip_folders`` are places to look for BLIP's weights."""

    def __init__(self, home: Path = DEFAULT_HOME, blip_folders: Sequence[Path] = ()) -> None:
        self.home = home
        self.runs_folder = runs_folder(home)
        self._blip_folders = (home, *blip_folders)

    def check(
        self, folder: Path, recipe: Recipe, progress: Counting | None = None, regularisation: Path | None = None
    ) -> FolderCheck:
        """Look at a folder of pictures, and at one of regularisation pictures where named. Raises TrainingError."""
        dataset = scan_all(folder, recipe.activation_tag, recipe.bucket_settings(), progress=progress)
        if regularisation is not None:
            others = read_regularisation(regularisation, recipe.bucket_settings(), progress)
            dataset = replace(dataset, regularisation=others)
        return self.checked(dataset, recipe, self.captions(dataset).captions)

    def checked(self, dataset: Dataset, recipe: Recipe, captions: Mapping[str, str]) -> FolderCheck:
        """Return the same of a folder that was scanned with this recipe, with these captions by image name."""
        conflicts, rejected = self.conflicts(dataset), self.rejected(dataset)
        whole = dataset.with_captions(captions)
        whole = whole.with_findings(caption_findings(whole, conflicts, recipe.max_token_length))
        dataset = without(whole, rejected)
        steps = dataset.steps_per_epoch(recipe.num_repeats, recipe.train_batch_size, recipe.gradient_accumulation_steps)
        disk = disk_needed([image.path for image in (*dataset.images, *dataset.regularisation)], recipe)
        seconds = seconds_needed(steps * recipe.max_train_epochs, recipe, self.runs())
        return FolderCheck(dataset, recipe, steps, disk, seconds, whole, rejected)

    def captions(self, dataset: Dataset) -> CaptionSheet:
        """Return the captions of a dataset's images: the newer of those kept here and those beside the pictures, but
        what was edited here stays (see ``captions/store.py``).
        """
        return CaptionSheet(self._merged(dataset).captions)

    def conflicts(self, dataset: Dataset) -> Mapping[str, str]:
        """Return the texts beside the pictures, by image name, that contradict captions. Raises TrainingError."""
        return self._merged(dataset).conflicts

    def save_captions(self, dataset: Dataset, sheet: CaptionSheet, made: bool = False) -> None:
        """Keep captions, outside the user's folder; ``made`` ones were not edited by hand. Raises TrainingError."""
        file = self._sheet_file(dataset.folder)
        kept = store.updated(store.load(file), dataset.beside, dataset.tag, sheet.captions, made)
        store.save(file, kept)

    def alone(self) -> AbstractContextManager[None]:
        """Keep others out of captions and decisions: a page, a terminal and a WebUI may all edit."""
        return alone(self.home / "captions")

    def set_captions(self, dataset: Dataset, captions: Mapping[str, str]) -> None:
        """Keep some captions as edited by hand, by image name; the others stay as they are. Raises TrainingError."""
        with self.alone():
            sheet = self.captions(dataset)
            sheet.update(captions)
            self.save_captions(dataset, sheet)

    def edited(self, dataset: Dataset) -> frozenset[str]:
        """Return the names of the images whose captions were edited by hand. Raises TrainingError."""
        return store.edited(store.load(self._sheet_file(dataset.folder)))

    def decisions(self, dataset: Dataset) -> Mapping[str, Hand]:
        """Return what a person decided about a folder's files, by name. Raises TrainingError."""
        return read_decisions(self._decisions_file(dataset.folder))

    def stamps(self, folder: Path) -> object:
        """Return what changes whenever captions or decisions of a folder do."""
        return stamp_of(self._sheet_file(folder)), stamp_of(self._decisions_file(folder))

    def rejected(self, dataset: Dataset) -> frozenset[str]:
        """Return the names of the files that a person leaves out. Raises TrainingError."""
        return frozenset(name for name, hand in self.decisions(dataset).items() if hand.decision == "rejected")

    def decide(self, dataset: Dataset, chosen: Sequence[ChosenPicture]) -> None:
        """Keep decisions about a folder's files, all or none, outside the user's folder. Raises TrainingError."""
        with self.alone():
            append_decisions(self._decisions_file(dataset.folder), chosen)

    def captioner(self, name: str = "auto", device: str = "cpu") -> Captioner:
        """Return a captioner by name; ``auto`` is BLIP where its weights are, else the embedded one.

        Raises TrainingError, DeviceError, or WeightsError where the embedded one's weights are missing.
        """
        from lib_photoshoot.build import resolve_device
        from lib_photoshoot.training.captions.blip import BlipCaptioner, find_blip
        from lib_photoshoot.training.captions.embedded import EmbeddedCaptioner

        if name not in CAPTIONERS:
            raise TrainingError(f"There is no captioner {name!r}; choose one of: {', '.join(CAPTIONERS)}.")
        blip = find_blip(self._blip_folders) if name != "embedded" else None
        if blip is not None:
            return BlipCaptioner(blip, resolve_device(device))
        if name == "blip":
            raise TrainingError(
                f"BLIP's weights are not on this machine; put the folder blip-image-captioning-large into {self.home}, "
                "or caption with the embedded captioner."
            )
        return EmbeddedCaptioner.load()

    def caption(
        self,
        dataset: Dataset,
        captioner: Captioner,
        anew: bool = False,
        progress: Counting | None = None,
        take_texts: bool = False,
    ) -> CaptionSheet:
        """Caption the images that have no caption, all of them if ``anew``, put the tag first in all, and keep them.

        Rejected ones are not captioned.
        With ``take_texts`` the texts beside the pictures replace captions that were edited here and contradict them.
        Raises TrainingError, and ImageError for a picture that is no longer there.
        """
        from lib_photoshoot.training.captions.protocol import caption_dataset

        rejected = self.rejected(dataset)
        told = {**self.captions(dataset).captions, **(self.conflicts(dataset) if take_texts else {})}
        images = [one for one in dataset.images if one.name not in rejected and (anew or not told[one.name].strip())]
        made = caption_dataset(images, captioner, dataset.tag, progress)
        with self.alone():
            sheet = self.captions(dataset)  # anew: somebody may have typed some meanwhile
            if take_texts:
                sheet.update(self.conflicts(dataset))
            sheet.update({name: text for name, text in made.items() if anew or not sheet[name].strip()})
            sheet.with_tag(dataset.tag)
            self.save_captions(dataset, sheet, made=True)
        return sheet

    def environment(self, folder: str | None = None, python: str | None = None) -> TrainerEnvironment:
        """Return the trainer: as named, else as the environment variables say, else our own."""
        return find_environment(self.home, folder, python)

    def check_start(self, checkpoint: Path, environment: TrainerEnvironment) -> None:
        """Check whether a run can start, as far as is known before pictures are looked at. Raises TrainingError."""
        check_checkpoint(checkpoint.expanduser())
        check_places(environment)
        self.check_quiet()
        check_tokenizer(environment)

    def check_quiet(self) -> None:
        """Check that no run is at work: two would share the GPU. Raises TrainingError."""
        self._needs_quiet(None)

    def prepare(
        self,
        check: FolderCheck,
        checkpoint: Path,
        environment: TrainerEnvironment,
        *,
        leave_out: Collection[str] = (),
        crops: Mapping[str, Box] | None = None,
        launch: Launch | None = None,
        vae: Path | None = None,
        capabilities: Capabilities | None = None,
    ) -> RunFolder:
        """Return a new run of what was checked. Raises TrainingError.

        Takes 15 s without ``capabilities``, as the trainer is then asked what it can.
        """
        captions = {name: text for name, text in check.captions.items() if name not in leave_out}
        check_images(check.dataset, captions)
        request = RunRequest(
            check.dataset,
            captions,
            check.recipe,
            checkpoint.expanduser().absolute(),
            environment,
            capabilities or inspect(environment),
            launch or Launch(),
            vae,
            crops or {},
        )
        return prepare(self.runs_folder, request)

    def runs(self) -> list[RunFolder]:
        """All runs that can be read, the newest first."""
        try:
            folders = [RunFolder(path) for path in self.runs_folder.iterdir() if path.is_dir()]
        except OSError:  # no run yet
            return []
        found = []
        for run in folders:
            with suppress(TrainingError):
                run.status()
                found.append((run.spec().created, run.path.name, run))
        return [run for *_, run in sorted(found, reverse=True)]

    def run(self, name: str = "") -> RunFolder:
        """Return the run of that name, else the run at work, else the newest that has begun. Raises TrainingError."""
        runs = self.runs()
        if not runs:
            raise TrainingError(f"There is no training run in {shown(self.runs_folder)} yet; start one.")
        if not name:
            begun = [run for run in runs if run.status().state is not TrainingState.PREPARED]
            return next(filter(_at_work, runs), (begun or runs)[0])
        for run in runs:
            if run.path.name == name:
                return run
        known = ", ".join(run.path.name for run in runs[:5])
        raise TrainingError(f"There is no run called {name!r}; the newest are: {known}.")

    def active(self) -> RunFolder | None:
        """Return the run that is at work."""
        return next((run for run in self.runs() if run.status().state.active), None)

    def start(self, run: RunFolder) -> Status:
        """Begin a prepared run. Raises TrainingError, also while another one is at work: they would share the GPU."""
        self._needs_quiet(run)
        return control.start(run)

    def resume(self, run: RunFolder, changes: Mapping[str, Any] | None = None) -> Status:
        """Go on with a run that ended early, with ``changes`` of its recipe (see ``changes.py``).

        Raises TrainingError as :meth:`start` does.
        """
        self._needs_quiet(run)
        return control.resume(run, changes)

    def results(self, run: RunFolder) -> tuple[EpochResult, ...]:
        """Return the usable LoRA files with each epoch's average loss. Raises TrainingError."""
        spec = run.spec()
        return scan_results(run.out, spec.name, spec.epochs, self.losses(run)).results

    def losses(self, run: RunFolder) -> dict[int, float]:
        """Return the average loss by epoch: that of its last step."""
        return {
            line["epoch"]: line["average"]
            for line in run.history()
            if line.get("epoch") is not None and line.get("average") is not None
        }

    def export(
        self,
        run: RunFolder,
        epochs: Sequence[int],
        lora_dir: Path,
        weight: float = 1.0,
        notes: str = "",
        rename: bool = False,
    ) -> list[ExportedLora]:
        """Copy epochs into the WebUI's Lora folder; none named means the last. Raises TrainingError."""
        from lib_photoshoot.training.results.export import export, naming_photos
        from lib_photoshoot.training.results.sheet import samples

        spec = run.spec()
        results = self.results(run)
        if not results:
            raise TrainingError(f"The run {run.path.name} has no finished epoch yet; let it train on.")
        whole = [result.epoch for result in results if not result.partial]
        chosen = list(epochs) or [max(whole or [result.epoch for result in results])]
        pictures = {epoch: next((p for p in row if p), None) for epoch, row in samples(run.out, spec.name).items()}
        previews = {epoch: picture for epoch, picture in pictures.items() if picture is not None}
        return naming_photos(export(results, chosen, lora_dir, spec.tag, weight, notes, previews, rename), run.path)

    def sheet(self, run: RunFolder) -> Path:
        """Make the comparison sheet of a run's sample pictures; returns the picture's path. Raises TrainingError."""
        from lib_photoshoot.training.results.sheet import comparison_sheet, samples

        spec = run.spec()
        prompts = spec.recipe.get("sample_prompts", ())
        target = run.path / "sheet.png"
        return comparison_sheet(samples(run.out, spec.name), self.losses(run), target, spec.name, prompts)

    def _needs_quiet(self, run: RunFolder | None) -> None:
        for other in self.runs():
            if (run is not None and other.path == run.path) or not _at_work(other):
                continue
            if other.status().state.active:
                raise TrainingError(f"The run {other.path.name} is at work; stop it or wait for it.")
            raise TrainingError(f"The trainer of {other.path.name} is still at work; cancel or resume that run.")

    def _merged(self, dataset: Dataset) -> store.Merged:
        return store.merged(store.load(self._sheet_file(dataset.folder)), dataset.beside, dataset.tag)

    def _sheet_file(self, folder: Path) -> Path:
        """One file for each folder of pictures, named so that a user can tell which."""
        return self.home / "captions" / f"{_name_of(folder)}.json"

    def _decisions_file(self, folder: Path) -> Path:
        return self.home / "captions" / f"{_name_of(folder)}.jsonl"


def _name_of(folder: Path) -> str:
    folder = folder.absolute()
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"{folder.name or 'root'}-{digest}"


def _at_work(run: RunFolder) -> bool:
    """Whether there is something to stop: what lost its supervisor may still train."""
    state = run.status().state
    return state.active or (state is TrainingState.INTERRUPTED and bool(processes_of(run.path)))
