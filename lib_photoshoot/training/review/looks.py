"""What the page shows of a photo: itself, what the crop takes away, and what the trainer is given."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lib_photoshoot.images import read_picture, write_image
from lib_photoshoot.results import Box
from lib_photoshoot.training.dataset.dataset import TrainingImage
from lib_photoshoot.transparency import Colour, flattened

if TYPE_CHECKING:
    from PIL import Image

_THUMBNAIL_SIDE, _LARGEST_SIDE = 560, 2560
"""Pixels on the longer side, of a thumbnail and of everything else."""
_DIMMED = 0.4
_READERS = threading.Semaphore(2)
"""A page asks for many at once, and each decoded picture may be large."""


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
        self._folder = TemporaryDirectory(prefix="photoshoot-photos-")
        self.path = Path(self._folder.name)

    def file(self, look: Look) -> Path:
        """Return the file of a view. Raises ImageError."""
        # Nothing of the picture's own name: it may have the longest length, or no text at all.
        path = self.path / f"{abs(hash((look.path, look.view, look.small, _stamp(look.path), _box(look.image))))}.jpg"
        with _READERS:
            if not path.is_file():
                write_image(self._drawn(look), path, quality=85 if look.small else 92)
        return path

    def close(self) -> None:
        """Remove all files."""
        self._folder.cleanup()

    def _drawn(self, look: Look) -> Image.Image:
        from PIL import Image

        picture = Image.fromarray(flattened(read_picture(look.path), self._background))
        if look.view == "trained" and look.image is not None:
            picture = trained(picture, look.image)
        elif look.view == "cut" and look.image is not None:
            picture = _dimmed(picture, look.image.crop)
        side = _THUMBNAIL_SIDE if look.small else _LARGEST_SIDE
        picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return picture


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


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # to read the picture says it in a sentence
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _box(image: TrainingImage | None) -> tuple[Box, tuple[int, int]] | None:
    return (image.crop, image.placement.resized) if image else None
