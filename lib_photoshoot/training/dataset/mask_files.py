"""Masks of photos, for a loss that counts within them alone: files beside the photos, and as the trainer reads them.

sd-scripts v0.10.1 (``ControlNetDataset`` in library/train_util.py, ``apply_masked_loss`` in
library/custom_train_functions.py) wants one for each picture of a run, under the picture's name in a folder of their
own in which nothing else lies, of the picture's size; of its red channel 255 counts whole, and 0 not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_SUFFIXES, read_picture, write_image
from lib_photoshoot.masks.cutout import mask_image
from lib_photoshoot.results import Box
from lib_photoshoot.training.dataset.dataset import TrainingImage
from lib_photoshoot.training.dataset.pictures import masks, trained_size

ENDING = "-masklabel"
"""What the file of a mask is called behind its photo's name: other trainers know it so, and so do we."""


@dataclass(frozen=True)
class WrittenMasks:
    """Files that were written; the names of photos without any outline, and of masks that were there and differ."""

    written: tuple[Path, ...]
    without: tuple[str, ...]
    kept: tuple[str, ...]


def masks_beside(photos: Iterable[Path]) -> dict[Path, Path]:
    """Return the file of the mask that lies beside a photo, by the photo's; of those that have one. Raises OSError."""
    found: dict[Path, Path] = {}
    by_folder: dict[Path, dict[str, Path]] = {}
    for photo in photos:
        by_folder.setdefault(photo.parent, {})[photo.stem] = photo
    for folder, owned in by_folder.items():
        files = [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
        for path, owner in sorted(masks(files, ()).items()):
            if owner in owned:
                found.setdefault(owned[owner], path)
    return found


def write_masks(
    images: Iterable[TrainingImage], outlines: Mapping[Path, Mapping[str, Path]], overwrite: bool = False
) -> WrittenMasks:
    """Write a mask beside each photo that has outlines: all of its products white, of the upright photo's size.

    ``outlines`` are masks of a run by the photos' real paths. A mask that is there is left unless ``overwrite``, which
    replaces our own names alone. Raises ImageError, and TrainingError where one cannot be written.
    """
    images = list(images)
    written, without, kept = [], [], []
    try:
        there = masks_beside(image.path for image in images)
        for image in images:
            drawn = outlines.get(image.path.resolve())
            target = image.path.with_name(f"{image.path.stem}{ENDING}.png")
            if not drawn:
                without.append(image.name)
                continue
            mask = _union(drawn.values(), (image.height, image.width))
            before = there.get(image.path)
            if before is not None and (before != target or not overwrite):
                if not np.array_equal(_read(before)[0], mask):
                    kept.append(before.name)
                continue
            write_image(mask_image(mask), target)
            written.append(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TrainingError(
            f"{shown(target)} cannot be written ({reason}); make room, or check permissions."
        ) from error
    return WrittenMasks(tuple(written), tuple(without), tuple(kept))


def enter_mask(source: Path, target: Path, crop: Box | None, size: tuple[int, int]) -> None:
    """Put a photo's mask into a run as ``target``, a PNG file: cut as the photo is by ``crop``, and of its ``size``
    (width, height) there. Raises ImageError where it is of another photo's size, and OSError.
    """
    from PIL import Image

    _, grey = _read(source)
    left, top, right, bottom = (round(edge) for edge in crop or (0, 0, grey.shape[1], grey.shape[0]))
    image = Image.fromarray(grey).crop((left, top, right, bottom))
    if image.size != trained_size(*image.size):
        image = image.reduce(2)
    if image.size != size:
        raise ImageError(
            f"The mask {shown(source.name)} has {grey.shape[1]}x{grey.shape[0]} pixels, and its photo another size; "
            "make it anew, as with `train masks`."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_image(image, target)


def _union(files: Iterable[Path], shape: tuple[int, int]) -> np.ndarray:
    union = np.zeros(shape, bool)
    for file in files:
        mask, _ = _read(file)
        if mask.shape != shape:
            raise ImageError(f"{shown(file)} and its photo differ in size; run `filter` on the photo again.")
        union |= mask
    return union


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask, bool and uint8 (height, width). Raises ImageError."""
    grey = read_picture(path).pixels[:, :, 0]
    return grey > 127, grey
