"""What the page shows of a photo: itself, what the crop takes away, and what the trainer is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.catalog.drawn import DrawnFiles
from lib_photoshoot.images import read_picture
from lib_photoshoot.results import Box
from lib_photoshoot.training.dataset.dataset import TrainingImage
from lib_photoshoot.transparency import Colour, flattened

if TYPE_CHECKING:
    from PIL import Image

_DIMMED = 0.4


@dataclass(frozen=True)
class Look:
    """One view of a picture; ``image`` is None for a view of the file at ``path`` alone."""

    path: Path
    view: str
    image: TrainingImage | None = None
    small: bool = False

    def smaller(self) -> Look:
        """Return the view's thumbnail."""
        return replace(self, small=True)


class Looks:
    """Views as JPEG files in a folder of their own, each made when it is first asked for. Safe across threads."""

    def __init__(self, background: Colour) -> None:
        """``background`` is the colour behind what is transparent."""
        self._background = background
        self._files = DrawnFiles()
        self.path, self.close = self._files.path, self._files.close

    def file(self, look: Look) -> Path:
        """Return the file of a view. Raises ImageError."""
        return self._files.file(look.path, (look.view, _box(look.image)), look.small, lambda: self._drawn(look))

    def _drawn(self, look: Look) -> Image.Image:
        from PIL import Image

        picture = Image.fromarray(flattened(read_picture(look.path), self._background))
        if look.view == "trained" and look.image is not None:
            return trained(picture, look.image)
        return _dimmed(picture, look.image.crop) if look.view == "cut" and look.image is not None else picture


def trained(picture: Image.Image, image: TrainingImage) -> Image.Image:
    """Return a whole picture as the trainer sees it: scaled until it covers its bucket, then cropped at the centre."""
    from PIL import Image

    bucket, resized = image.bucket, image.placement.resized
    left, top = (resized[0] - bucket.width) // 2, (resized[1] - bucket.height) // 2
    scaled = picture.resize(resized, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return scaled.crop((left, top, left + bucket.width, top + bucket.height))


def _dimmed(picture: Image.Image, crop: Box) -> Image.Image:
    """Return a picture that is bright only inside ``crop``, in its pixels."""
    from PIL import Image

    left, top, right, bottom = (round(side) for side in crop)
    dark = Image.blend(picture, Image.new("RGB", picture.size, (128, 128, 128)), 1 - _DIMMED)
    dark.paste(picture.crop((left, top, right, bottom)), (left, top))
    return dark


def _box(image: TrainingImage | None) -> tuple[Box, tuple[int, int]] | None:
    return (image.crop, image.placement.resized) if image else None
