"""Regularisation pictures: of the class, not of the product, against forgetting what the class looks like.

They need no activation tag. A picture without a caption is called by its folder's words, as in ``1_bag``. How often
each is taken: :func:`~lib_photoshoot.training.dataset.buckets.times_taken`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.dataset.buckets import BucketSettings
from lib_photoshoot.training.dataset.dataset import Counting, TrainingImage
from lib_photoshoot.training.dataset.folders import repeats_of, scan_all


def read_regularisation(
    folder: Path, settings: BucketSettings, progress: Counting | None = None
) -> tuple[TrainingImage, ...]:
    """Return the folder's pictures with captions and repeats, in the trainer's order. Raises TrainingError."""
    return regularisation_images(scan_all(folder, "", settings, progress=progress).images)


def regularisation_images(images: Iterable[TrainingImage]) -> tuple[TrainingImage, ...]:
    """Return the same of pictures that were read before, without an activation tag. Raises TrainingError."""
    called = [_called(image) for image in images]
    return tuple(sorted(called, key=lambda image: (image.repeats, image.name)))


def _called(image: TrainingImage) -> TrainingImage:
    folder = image.path.parent
    repeats = repeats_of(folder)
    caption = (image.caption or "").strip() or (folder.name.partition("_")[2].strip() if repeats else "")
    if not caption:
        raise TrainingError(
            f"{shown(image.path)} has no caption; write one, or name its folder by what it shows, such as 1_bag."
        )
    return replace(image, caption=caption, repeats=repeats or 1)
