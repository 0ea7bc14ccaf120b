"""Makes a run's folder: copies of the pictures with their captions, what the trainer is told, and the command.

The user's folder is only read. Nothing begins to train here.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.captions.sheet import CaptionSheet
from lib_photoshoot.training.checkpoint import check_checkpoint
from lib_photoshoot.training.dataset.buckets import BucketSettings, place, steps_per_epoch
from lib_photoshoot.training.dataset.dataset import Dataset, TrainingImage
from lib_photoshoot.training.dataset.mask_files import enter_mask, masks_beside
from lib_photoshoot.training.dataset.pictures import colour_of, enter, trained_size
from lib_photoshoot.training.recipe import Recipe, adapted
from lib_photoshoot.training.run.estimate import disk_needed
from lib_photoshoot.training.run.folder import RunFolder, RunSpec
from lib_photoshoot.training.trainer.arguments import (
    DATASET_CONFIG_NAME,
    SAMPLE_PROMPTS_NAME,
    TrainerPaths,
    dataset_configuration_text,
    sample_prompts_text,
    trainer_arguments,
)
from lib_photoshoot.training.trainer.environment import Capabilities, TrainerEnvironment, has_tokenizer
from lib_photoshoot.training.trainer.launch import Launch, command, commands_per_machine, launch_variables
from lib_photoshoot.training.trainer.tokenizer import check_tokenizer
from lib_photoshoot.wording import counted

Box = tuple[float, float, float, float]

HOOK = Path(__file__).parent.with_name("hook") / "entry.py"


@dataclass(frozen=True)
class RunRequest:
    """What a run is made of.

    ``captions`` are by image name; images of the dataset that are not in it are left out. ``recipe`` is the user's:
    what the machine lacks is replaced, and told in the run's notes. ``crops`` are the parts of pictures to train on
    instead of the whole, in whole pixels of the upright picture, by image name.
    """

    dataset: Dataset
    captions: Mapping[str, str]
    recipe: Recipe
    checkpoint: Path
    environment: TrainerEnvironment
    capabilities: Capabilities
    launch: Launch = field(default_factory=Launch)
    vae: Path | None = None
    crops: Mapping[str, Box] = field(default_factory=dict)

    def images(self) -> tuple[TrainingImage, ...]:
        """Return the images that are trained, with the sizes that their crops leave."""
        settings = self.recipe.bucket_settings()
        return tuple(
            _entering(image, self.crops.get(image.name), settings)
            for image in self.dataset.images
            if image.name in self.captions
        )


@dataclass(frozen=True)
class _Script:
    """What the trainer's Python runs."""

    path: Path
    arguments: list[str]


def prepare(runs: Path, request: RunRequest) -> RunFolder:
    """Return a new run below ``runs``. Raises TrainingError for whatever would end the training early."""
    images = request.images()
    recipe, notes = adapted(request.recipe, request.capabilities)
    checkpoint = check_checkpoint(request.checkpoint)
    check_images(request.dataset, request.captions)
    check_tokenizer(request.environment)
    masks = _masks(images, request) if recipe.masked_loss else {}
    counts, batch, processes = (
        request.dataset.counts(recipe.num_repeats, images),
        recipe.train_batch_size,
        request.launch.total,
    )
    steps = steps_per_epoch(counts, 1, batch, recipe.gradient_accumulation_steps, processes)
    _check_space(runs, (*images, *request.dataset.regularisation), recipe)
    run = RunFolder(_new_folder(runs, recipe.output_name))
    try:
        _copy_images(run, images, request, masks)
        _copy_regularisation(run, request)
        paths = _write_settings(run, recipe, request, images)
        python, script = request.environment.python, _script(run, recipe, paths, steps, request)
        variables = _variables(recipe, request)
        spec = RunSpec(
            name=recipe.output_name,
            tag=recipe.activation_tag,
            folder=str(request.dataset.folder),
            checkpoint=str(request.checkpoint),
            images=len(images),
            epochs=recipe.max_train_epochs,
            steps_per_epoch=steps,
            command=tuple(command(python, script.path, script.arguments, request.launch)),
            machine_commands=tuple(_machine_commands(python, script, request.launch, variables)),
            rank=request.launch.rank,
            environment=variables,
            hook=request.capabilities.hook,
            recipe=recipe.to_dict(),
            notes=(
                *notes,
                *_picture_notes(images, recipe),
                *request.capabilities.notes,
                *filter(None, [checkpoint.note]),
            ),
            created=time.time(),
            images_per_epoch=sum(image.repeats or recipe.num_repeats for image in images),
            batches_per_epoch=steps_per_epoch(counts, 1, batch, processes=processes),
        )
        run.write_spec(spec)
    except OSError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        reason = error.strerror or str(error)
        raise TrainingError(
            f"The run folder {shown(run.path)} cannot be written ({reason}); make room there."
        ) from error
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    return run


def check_images(dataset: Dataset, captions: Mapping[str, str]) -> None:
    """Whether the images with these captions, by name, can be trained. Raises TrainingError."""
    images = [image for image in dataset.images if image.name in captions]
    if not images:
        raise TrainingError(f"No picture of {shown(dataset.folder)} is left to train on; choose at least one.")
    empty = [image.name for image in images if not captions[image.name].strip()]
    if empty:
        raise TrainingError(
            f"{len(empty)} of {counted(len(images), 'picture')} without a caption ({shown(empty[0])} first); caption "
            "them, or leave them out."
        )
    stems: dict[str, str] = {}
    for image in images:
        other = stems.setdefault(image.path.stem, image.name)
        if other != image.name:
            raise TrainingError(f"{shown(other)} and {shown(image.name)} would share one caption; rename one of them.")


def _check_space(runs: Path, images: tuple[TrainingImage, ...], recipe: Recipe) -> None:
    needed = disk_needed([image.path for image in images], recipe)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(runs).free
    except OSError as error:
        reason = error.strerror or str(error)
        raise TrainingError(
            f"The folder for runs, {shown(runs)}, cannot be used ({reason}); choose another."
        ) from error
    if free < needed:
        raise TrainingError(
            f"The run needs about {needed / 1e6:.0f} MB, and {shown(runs)} has {free / 1e6:.0f} MB free; make room."
        )


def _new_folder(runs: Path, name: str) -> Path:
    """Named by the moment; a number is added for a second run in the same second."""
    base = f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    for number in range(1, 1000):
        folder = runs / (base if number == 1 else f"{base}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            reason = error.strerror or str(error)
            raise TrainingError(f"The run folder {shown(folder)} cannot be made ({reason}); check {runs}.") from error
        return folder
    raise TrainingError(f"There are a thousand runs called {base} in {shown(runs)}; remove some.")


def _entering(image: TrainingImage, crop: Box | None, settings: BucketSettings) -> TrainingImage:
    left, top, right, bottom = crop or (0, 0, image.width, image.height)
    width, height = trained_size(round(right - left), round(bottom - top))
    if (width, height) == (image.width, image.height):
        return image
    return replace(image, width=width, height=height, placement=place(width, height, settings))


def _masks(images: tuple[TrainingImage, ...], request: RunRequest) -> Mapping[Path, Path]:
    """Return each picture's mask by the picture's file. Raises TrainingError where one lacks it."""
    try:
        found = masks_beside(image.path for image in images)
    except OSError as error:
        raise TrainingError(f"{shown(request.dataset.folder)} cannot be read ({error.strerror}).") from error
    lacking = [image.name for image in images if image.path not in found]
    if lacking:
        raise TrainingError(
            f"{len(lacking)} of {counted(len(images), 'picture')} without a mask ({shown(lacking[0])} first), which "
            "masked_loss needs: `train masks` writes them; or leave those pictures out."
        )
    if request.dataset.regularisation:
        raise TrainingError(
            "The trainer takes masks of all pictures or of none, and regularisation pictures have none; leave out "
            "either them or masked_loss."
        )
    return found


def _masks_place(run: RunFolder, image: TrainingImage) -> Path:
    """Return the folder of its mask; none lies in another, since the trainer takes all below for pictures."""
    return run.path / "masks" / (f"{image.repeats}_repeats" if image.repeats else "all")


def _copy_images(
    run: RunFolder, images: tuple[TrainingImage, ...], request: RunRequest, masks: Mapping[Path, Path]
) -> None:
    """Make copies, so that the trainer's own files and the user's later edits touch nothing of each other."""
    run.dataset.mkdir()
    colour = colour_of(request.recipe.background)
    for folder in {_place(run, image) for image in images}:
        folder.mkdir(exist_ok=True)
        captions = {}
        for image in images:
            if _place(run, image) != folder:
                continue
            crop = request.crops.get(image.name)
            name = enter(image.path, folder, crop, colour)
            captions[name] = request.captions[image.name]
            if mask := masks.get(image.path):
                target = _masks_place(run, image) / f"{Path(name).stem}.png"
                enter_mask(mask, target, crop, (image.width, image.height))
        CaptionSheet(captions).write_texts(folder)


def _copy_regularisation(run: RunFolder, request: RunRequest) -> None:
    images, colour = request.dataset.regularisation, colour_of(request.recipe.background)
    for folder in {_regularisation_place(run, image) for image in images}:
        folder.mkdir()
        here = [image for image in images if _regularisation_place(run, image) == folder]
        captions = {enter(image.path, folder, colour=colour): image.caption or "" for image in here}
        CaptionSheet(captions).write_texts(folder)


def _regularisation_place(run: RunFolder, image: TrainingImage) -> Path:
    return run.dataset / f"regularisation_{image.repeats}"


def _place(run: RunFolder, image: TrainingImage) -> Path:
    """Return a folder for each number of repeats, as sd-scripts wants it."""
    return run.dataset / f"{image.repeats}_repeats" if image.repeats else run.dataset


def _picture_notes(images: tuple[TrainingImage, ...], recipe: Recipe) -> list[str]:
    count = sum(image.transparent for image in images)
    photos = "1 photo is" if count == 1 else f"{count} photos are"
    return [f"{photos} transparent in parts: trained with {recipe.background} behind (background)."] if count else []


def _write_settings(
    run: RunFolder, recipe: Recipe, request: RunRequest, images: tuple[TrainingImage, ...]
) -> TrainerPaths:
    dataset_config, prompts = run.path / DATASET_CONFIG_NAME, run.path / SAMPLE_PROMPTS_NAME
    folders = {_place(run, image): image.repeats for image in images}
    others = {_regularisation_place(run, image): image.repeats for image in request.dataset.regularisation}
    masks = {_place(run, image): _masks_place(run, image) for image in images} if recipe.masked_loss else {}
    dataset_config.write_text(dataset_configuration_text(recipe, folders, others, masks), encoding="utf-8")
    prompts.write_text(sample_prompts_text(recipe), encoding="utf-8")
    run.out.mkdir()
    return TrainerPaths(
        checkpoint=request.checkpoint,
        dataset_config=dataset_config,
        output_dir=run.out,
        vae=request.vae,
        logging_dir=run.path / "logs",
        sample_prompts=prompts if recipe.sample_prompts else None,
        tokenizer_cache_dir=request.environment.tokenizer,
    )


def _script(run: RunFolder, recipe: Recipe, paths: TrainerPaths, steps: int, request: RunRequest) -> _Script:
    launch, sd_scripts = request.launch, request.environment.sd_scripts
    arguments = trainer_arguments(
        recipe, paths, steps * recipe.max_train_epochs, request.capabilities, processes=launch.total
    )
    if not request.capabilities.hook:
        return _Script(sd_scripts / "train_network.py", arguments)
    return _Script(HOOK, [str(sd_scripts), str(run.path), *arguments])


def _machine_commands(python: Path, script: _Script, launch: Launch, variables: Mapping[str, str]) -> list[str]:
    if launch.machines == 1:
        return []
    return commands_per_machine(python, script.path, script.arguments, launch, variables)


def _variables(recipe: Recipe, request: RunRequest) -> dict[str, str]:
    variables = {"PHOTOSHOOT_STATE_EVERY_STEPS": str(recipe.state_every_steps), **launch_variables(request.launch)}
    tokenizer = request.environment.tokenizer
    if tokenizer is not None and has_tokenizer(tokenizer):
        # Nothing else is fetched, and a hub that does not answer would hold up every start.
        variables |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return variables
