"""A photo as the trainer reads it: upright, 8-bit sRGB, nothing transparent, of a size and under a name that it takes.

sd-scripts v0.10.1 leaves all else to Pillow's ``convert("RGB")`` (``load_image`` in library/train_util.py): it ignores
EXIF and colour profiles, makes 16 bits of grey white, shows what lies below transparent pixels, and dies on a picture
that Pillow takes for a bomb; files whose suffix is in mixed case it does not see (``glob_images``).
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.images import read_picture, save_picture
from lib_photoshoot.results import Box
from lib_photoshoot.transparency import WHITE, Colour, flattened

if TYPE_CHECKING:
    from PIL import Image

TRAINER_PIXELS = 2 * (1 << 30) // 12
"""Pillow refuses to open a picture with more pixels than twice its ``MAX_IMAGE_PIXELS``, which the trainer leaves."""

_JPEG_SUFFIXES = (".jpg", ".jpeg")
TRAINER_SUFFIXES = frozenset({*_JPEG_SUFFIXES, ".png", ".webp", ".bmp"})
"""What the trainer looks for; a picture of another kind enters a run as PNG."""
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP")
_ORIENTATION = 0x0112
_CERTAIN_MASKS = (".mask", "-masklabel", "-condlabel")
_LIKELY_MASKS = ("_mask", "-mask")


def colour_of(text: str) -> Colour:
    """Return the colour of ``#rrggbb``."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def trained_size(width: int, height: int) -> tuple[int, int]:
    """Return the size with which a picture of this size, both in pixels, enters a run: that, or half of it."""
    return (width, height) if width * height <= TRAINER_PIXELS else (-(-width // 2), -(-height // 2))


def enter(source: Path, folder: Path, crop: Box | None = None, colour: Colour = WHITE) -> str:
    """Put a picture, or ``crop`` of it in whole pixels of the upright one, into a run's folder; returns its name there.

    A file that the trainer reads as it is is copied. Raises ImageError, TrainingError for a name that is taken, and
    OSError.
    """
    if crop is None and source.suffix.lower() in TRAINER_SUFFIXES and _is_plain(source):
        target = _free(folder / f"{source.stem}{source.suffix.lower()}", source)
        shutil.copyfile(source, target)
        return target.name
    from PIL import Image

    picture = read_picture(source)
    left, top, right, bottom = (round(edge) for edge in crop or (0, 0, picture.width, picture.height))
    image = Image.fromarray(flattened(picture, colour)).crop((left, top, right, bottom))
    if image.size != trained_size(*image.size):
        image = image.reduce(2)
    suffix = source.suffix.lower() if source.suffix.lower() in _JPEG_SUFFIXES else ".png"
    target = _free(folder / f"{source.stem}{suffix}", source)
    save_picture(image, target)
    return target.name


def is_rotated(path: Path) -> bool:
    """Whether the picture is turned in the file; False where that cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # The picture was decoded already: that it is large is no news.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _orientation(image) != 1
    except Exception:
        # As in _orientation; a picture over Pillow's limit is one of its errors too.
        return False


def masks(pictures: Iterable[Path], captioned: Iterable[str]) -> dict[Path, str]:
    """Return the pictures that are masks of others, with the stem of those: of ``x`` ``x.mask``, ``x-masklabel``,
    ``x_mask``.

    The last only beside an ``x`` and without a caption of its own (``captioned`` are the stems of those with one): it
    might be a photo of a mask.
    """
    paths, described = list(pictures), set(captioned)
    stems = {path.stem.lower(): path.stem for path in paths}
    found = {}
    for path in paths:
        for end in (*_CERTAIN_MASKS, *_LIKELY_MASKS):
            owner = stems.get(path.stem[: -len(end)].lower(), path.stem[: -len(end)])
            likely = end in _CERTAIN_MASKS or (owner.lower() in stems and path.stem not in described)
            if owner and likely and path.stem.lower().endswith(end):
                found[path] = owner
                break
    return found


def _is_plain(path: Path) -> bool:
    from PIL import Image

    from lib_photoshoot.colour.deep import is_deep

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return (
                    image.format in _FORMATS
                    and image.mode == "RGB"
                    and "transparency" not in image.info
                    and image.width * image.height <= TRAINER_PIXELS
                    # Further pictures of an MPO are its previews.
                    and (image.format == "MPO" or getattr(image, "n_frames", 1) == 1)
                    and _orientation(image) == 1
                    and not is_deep(image)
                    and _has_plain_colours(image, path)
                )
    except Exception:
        # Whatever is wrong with it, our own reader copes with it or says what it is.
        return False


def _has_plain_colours(image: Image.Image, path: Path) -> bool:
    """Whether the file's bare numbers, which are what the trainer reads, are the colours that a viewer shows."""
    from lib_photoshoot.colour.marks import colour_mark
    from lib_photoshoot.colour.profiles import is_srgb

    image.load()
    with open(path, "rb") as file:
        icc = colour_mark(image, file, shown(path.name)).icc
    return icc is None or is_srgb(icc)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 is upright, and where there is none to be read."""
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        # Pillow's EXIF parser raises many kinds on damaged blocks, and no picture is lost for its EXIF.
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _free(target: Path, source: Path) -> Path:
    if target.exists():
        raise TrainingError(
            f"{shown(source.name)} and another picture would both be called {shown(target.name)}; rename one of them."
        )
    return target
