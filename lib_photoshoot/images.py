"""Read any common picture file into ``uint8`` RGB, and write pictures atomically.

Everything that can be wrong with a picture file ends in one ``ImageError`` sentence that names the file.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from lib_photoshoot.decoding import decode
from lib_photoshoot.errors import ImageError, ImageTooLargeError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.more_formats import MORE_SUFFIXES, avif_formats, why_unreadable
from lib_photoshoot.picture import Picture
from lib_photoshoot.provenance.metadata import read_metadata
from lib_photoshoot.workload import open_image

PIXEL_LIMIT = 200_000_000
"""Pictures with more pixels than this are refused from their header alone, before any pixel is decoded."""

PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", *avif_formats())
FORMAT_BY_SUFFIX = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
}
PICTURE_SUFFIXES = frozenset(FORMAT_BY_SUFFIX) | MORE_SUFFIXES

_LARGEST_PROFILE = 16 << 20
"""Bytes; Pillow stops at 1 MiB, and profiles of printers are larger. The sum of a file's texts has Pillow's own limit.
"""


class _PillowSettings:
    """Pillow's process-wide switches as this module needs them, put back when the last reader has finished.

    The WebUI may allow truncated files globally; here a truncated file has to be noticed. The bomb guard is ours.
    Readers in several threads share one change, so that they need not wait for each other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._readers += 1
            if self._readers > 1:
                return
            self._undo.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            for owner, name, value in (
                (Image, "MAX_IMAGE_PIXELS", PIXEL_LIMIT),
                (ImageFile, "LOAD_TRUNCATED_IMAGES", False),
                (PngImagePlugin, "MAX_TEXT_CHUNK", _LARGEST_PROFILE),
            ):
                self._undo.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, value)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._readers -= 1
            if not self._readers:
                self._undo.close()


_PILLOW_SETTINGS = _PillowSettings()


def read_picture(path: str | os.PathLike[str], limit: int = PIXEL_LIMIT) -> Picture:
    """Decode one file.

    Raises ``ImageError`` for anything that is not a whole, readable picture, and ``ImageTooLargeError`` for one of more
    than ``limit`` pixels.

    >>> picture = read_picture("photo.png")
    >>> picture.width, picture.height, picture.pixels.shape, picture.alpha is None
    (60, 40, (40, 60, 3), True)
    >>> read_picture("nowhere.png")
    Traceback (most recent call last):
    lib_photoshoot.errors.ImageError: nowhere.png does not exist (any more); check the path and run again.
    """
    name = shown(path)
    with _in_one_sentence(name):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            os.listdir(path)  # a folder without permission is told so, below
        if not stat.S_ISREG(status.st_mode):
            # Opening a named pipe would wait for ever.
            raise ImageError(f"{name} is not a file; name a picture file or a folder of pictures.")
        if status.st_size == 0:
            raise ImageError(f"{name} is empty (0 bytes); copy or export the picture again.")
        with open(path, "rb") as file:
            return _decode_file(file, name, limit)


def decode_picture(data: bytes, name: str, limit: int = PIXEL_LIMIT) -> Picture:
    """Decode a file's bytes; ``name`` stands for it in messages. Raises as ``read_picture`` does."""
    with _in_one_sentence(name):
        return _decode_file(io.BytesIO(data), name, limit)


def _decode_file(file: BinaryIO, name: str, limit: int) -> Picture:
    unreadable = why_unreadable(file)
    if unreadable:
        raise ImageError(f"{name} {unreadable}")
    try:
        with _PILLOW_SETTINGS, open_image(file, name, PICTURE_FORMATS) as image:
            if image.width * image.height > limit:
                raise _too_large(name, f"{image.width}x{image.height} pixels", limit)
            return replace(decode(image, file, name), metadata=read_metadata(image, file))
    except Image.DecompressionBombError as error:
        raise _too_large(name, "too many pixels", limit) from error


@contextmanager
def _in_one_sentence(name: str) -> Iterator[None]:
    """Whatever Pillow and the system raise for a bad file, as one ImageError sentence."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        if os.path.islink(error.filename):
            raise ImageError(f"{name} is a link to a file that does not exist; repair or remove the link.") from error
        raise ImageError(f"{name} does not exist (any more); check the path and run again.") from error
    except PermissionError as error:
        raise ImageError(f"{name} may not be read; give yourself read permission on it.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not a picture in a known format, whatever its suffix says; export it as PNG or JPEG."
        ) from error
    except MemoryError as error:
        raise ImageError(f"{name} does not fit into memory; scale it down or free memory.") from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, struct.error, zlib.error) as error:
        detail = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise ImageError(f"{name} is damaged or incomplete ({detail}); copy or export the picture again.") from error


def _too_large(name: str, what: str, limit: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"{name} has {what}, over the limit of {limit / 1e6:g} megapixels; scale it down first.")


def write_image(image: Image.Image, path: Path, **options: Any) -> None:
    """Write a Pillow image atomically in the format that the suffix names; raises ``OSError`` as it comes."""
    kind = FORMAT_BY_SUFFIX[path.suffix.lower()]

    def write(file: BinaryIO) -> None:
        if kind == "PNG":
            image.save(file, "PNG", **{"compress_level": 4, **options})
            return
        # Pillow's other encoders write to the descriptor and lose the error number (disk full) on the way.
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        file.write(buffer.getbuffer())

    write_atomic(path, write)


def to_image(pixels: np.ndarray, alpha: np.ndarray | None = None) -> Image.Image:
    """Pillow image of uint8 pixels (H, W, 3), RGBA when there is an alpha (H, W)."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def store_picture(pixels: np.ndarray, path: Path, like: Picture | None = None) -> None:
    """``save_picture`` that lets ``OSError`` through, for callers that must tell a full disk from a bad name."""
    from lib_photoshoot.colour.deep import encode_deep
    from lib_photoshoot.colour.space import eight_bit

    kind = FORMAT_BY_SUFFIX[path.suffix.lower()]
    options = {} if like is None else like.options(kind)
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    if kind == "WEBP":
        options |= {"quality": 95}
    keeps_alpha = kind in ("PNG", "WEBP", "TIFF", "GIF")
    alpha = None if like is None else like.alpha
    if pixels.shape[2] == 4:
        pixels, alpha = pixels[:, :, :3], pixels[:, :, 3]
    if pixels.dtype == np.uint16 and kind == "PNG":
        write_atomic(path, encode_deep(pixels, alpha, options))
    else:
        write_image(to_image(eight_bit(pixels), alpha if keeps_alpha else None), path, **options)


def save_picture(pixels: np.ndarray | Image.Image, path: str | os.PathLike[str], like: Picture | None = None) -> None:
    """Write uint8 pixels (H, W, 3), or (H, W, 4) with alpha, atomically, in the format of the suffix.

    uint16 pixels (H, W, 3) keep their bits in a PNG and are rounded to 8 in other formats.

    ``like`` lends RGB pixels its alpha, and all of them its ICC profile, EXIF (which holds no orientation: pixels are
    upright), XMP and texts. Raises ``ImageError``.

    >>> picture = read_picture("photo.png")
    >>> save_picture(picture.pixels[:, :30], "left half.jpg", like=picture)
    >>> read_picture("left half.jpg").width
    30
    """
    target = Path(path)
    if target.suffix.lower() not in FORMAT_BY_SUFFIX:
        known = ", ".join(sorted(FORMAT_BY_SUFFIX))
        raise ImageError(f"{shown(path)} has no picture suffix that can be written; use one of {known}.")
    try:
        store_picture(np.asarray(pixels), target, like)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(
            f"{shown(path)} cannot be written ({reason}); check the folder's space and permissions."
        ) from error
