"""What writes captions, and how the images of a dataset are captioned with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from lib_photoshoot.images import read_picture
from lib_photoshoot.training.captions.sheet import with_tag
from lib_photoshoot.transparency import flattened

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.training.dataset.dataset import Counting, TrainingImage

WORKING_SIDE = 2048
"""No captioner looks at more pixels on the longest side, and a batch of larger pictures would fill the memory."""


class Captioner(Protocol):
    """Says in plain words what pictures show."""

    name: str
    batch_size: int
    """How many pictures one call should be given."""

    def caption(self, images: Sequence[np.ndarray]) -> list[str]:
        """One line for each picture (uint8 RGB, height x width x 3), without an activation tag."""
        ...


def caption_dataset(
    images: Sequence[TrainingImage], captioner: Captioner, tag: str, progress: Counting | None = None
) -> dict[str, str]:
    """Captions by image name, the activation tag first: ``ppzocketv2, a cup of coffee``.

    One batch of pictures is in memory at a time. Raises TrainingError for a ``tag`` that is not one tag, and ImageError
    for a picture that is no longer there.
    """
    captions: dict[str, str] = {}
    for start in range(0, len(images), captioner.batch_size):
        batch = images[start : start + captioner.batch_size]
        texts = captioner.caption([_pixels(image) for image in batch])
        captions |= {image.name: with_tag(text, tag) for image, text in zip(batch, texts, strict=True)}
        if progress is not None:
            progress(len(captions), len(images))
    return captions


def _pixels(image: TrainingImage) -> np.ndarray:
    """Return the picture, scaled down to :data:`WORKING_SIDE` where it is larger."""
    import cv2

    pixels = flattened(read_picture(image.path))
    scale = WORKING_SIDE / max(pixels.shape)
    if scale >= 1:
        return pixels
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
