"""Read any common picture file into ``uint8`` RGB, and write pictures atomically.

Everything that can be wrong with a picture file ends in one ``ImageError`` sentence that names the file.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import threading
import uuid
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageFile, PngImagePlugin, UnidentifiedImageError

from lib_photoshoot.errors import ImageError, ImageTooLargeError
from lib_photoshoot.more_formats import MORE_SUFFIXES, avif_formats, why_unreadable
from lib_photoshoot.provenance.metadata import NOTHING, Metadata, read_metadata, save_options
from lib_photoshoot.workload import open_image

# OpenCV, which colours need, is loaded with the first picture and not with the WebUI.
if TYPE_CHECKING:
    from concurrent.futures import Future

    from lib_photoshoot.colour.marks import Mark
    from lib_photoshoot.colour.space import ColourSpace

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
PART_SUFFIX = ".part"

_ORIENTATION = 0x0112
_LARGEST_PROFILE = 16 << 20
"""Bytes; Pillow stops at 1 MiB, and profiles of printers are larger. The sum of a file's texts has Pillow's own limit.
"""
_STRIP_PIXELS = 1 << 21


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright.

    ``pixels`` is uint8 (height, width, 3) RGB in the picture's own colour space; ``alpha`` is uint8 (height, width) or
    None. ``exif`` has no orientation any more. ``icc`` is a profile of matrix and curves for these pixels, or None for
    sRGB; everything else was converted to that. ``deep`` has the same pixels as uint16 where the file has 16 bits.
    ``metadata`` is what else the file says about it: XMP, texts, a generator's mark. ``frames`` is above 1 for an
    animation, of which only the first frame is here. ``notes`` tell how its colours were read.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    width: int
    height: int
    exif: bytes | None = None
    icc: bytes | None = None
    frames: int = 1
    metadata: Metadata = NOTHING
    deep: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @property
    def space(self) -> ColourSpace:
        """The colour space of ``pixels`` and ``deep``."""
        from lib_photoshoot.colour.space import space_of

        return space_of(self.icc)

    @property
    def best(self) -> np.ndarray:
        """The pixels with all their bits, uint16 or uint8: what is retouched and cut out."""
        return self.pixels if self.deep is None else self.deep

    @cached_property
    def srgb(self) -> np.ndarray:
        """The pixels as uint8 sRGB, for whatever judges or shows the picture; ``pixels`` itself where they are that."""
        return self.space.to_srgb(self.pixels if self.icc is None else self.best)

    def options(self, format_: str) -> dict[str, Any]:
        """Pillow's options that give what is made from it, in that format, its profile, EXIF, XMP and texts."""
        return save_options(format_, self.metadata, self.exif, self.icc)

    @property
    def note(self) -> str | None:
        """What a user should know about the reading, or None."""
        first = [f"animation: only the first of {self.frames} frames was used"] if self.frames > 1 else []
        return "; ".join([*first, *self.notes]) or None


def shown(path: str | os.PathLike[str]) -> str:
    """The path as one printable line: a newline or an undecodable byte in a name must not break a message."""
    text = os.fspath(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


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
            return replace(_decode(image, file, name), metadata=read_metadata(image, file))
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


def _decode(image: Image.Image, file: BinaryIO, name: str) -> Picture:
    from lib_photoshoot.colour.deep import begin_deep, is_deep
    from lib_photoshoot.colour.icc import colour_space_of
    from lib_photoshoot.colour.marks import colour_mark

    frames = _frame_count(image)
    sixteen_bits = begin_deep(file) if is_deep(image) else None
    image.load()
    orientation, exif = _exif(image)
    mark = colour_mark(image, file, name)
    pixels, deep, alpha = _pixels(image, sixteen_bits, mark)
    icc = mark.icc if mark.icc and colour_space_of(mark.icc) == "RGB" and not mark.tables else None
    pixels, deep, alpha = (_turned(array, orientation) for array in (pixels, deep, alpha))
    return Picture(pixels, alpha, pixels.shape[1], pixels.shape[0], exif, icc, frames, deep=deep, notes=mark.notes)


def _pixels(
    image: Image.Image, sixteen_bits: Future[Any] | None, mark: Mark
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Pixels of 8 bits, of 16 where there are, and alpha; RGB in the space of the mark's profile, all else in sRGB."""
    from lib_photoshoot.colour.deep import read_deep
    from lib_photoshoot.colour.icc import colour_space_of
    from lib_photoshoot.colour.profiles import convert, srgb_profile
    from lib_photoshoot.colour.space import grey_to_srgb

    if image.mode in ("CMYK", "LAB"):
        return (_to_rgb(_to_srgb(image, mark.icc))[0], None, None)
    if image.mode.startswith("I") or image.mode == "F":
        pixels, deep, alpha = _grey_to_rgb(image)
    else:
        pixels, alpha = _to_rgb(image)
        deep = None if sixteen_bits is None else read_deep(sixteen_bits, pixels)
    if mark.tables and mark.icc:
        return convert(pixels, mark.icc, srgb_profile()), None, alpha
    if mark.icc and colour_space_of(mark.icc) == "GRAY":
        pixels, deep = grey_to_srgb(pixels, mark.icc), None if deep is None else grey_to_srgb(deep, mark.icc)
    return pixels, deep, alpha


def _frame_count(image: Image.Image) -> int:
    # An MPO's further frames are previews or stereo pairs, and a TIFF's are pages: only these two are animations.
    if image.format not in ("GIF", "WEBP", "PNG", "AVIF"):
        return 1
    frames = int(getattr(image, "n_frames", 1))
    image.seek(0)
    return frames


def _exif(image: Image.Image) -> tuple[int, bytes | None]:
    """Orientation (1..8) and the EXIF block without it; a damaged block counts as none."""
    try:
        exif = image.getexif()
        orientation = int(exif.get(_ORIENTATION, 1))
        if image.format == "TIFF" or not exif:
            # Pillow's EXIF of a TIFF is the file's own layout (strips, sizes), of no meaning in another file.
            return orientation, None
        if _ORIENTATION in exif:
            del exif[_ORIENTATION]
        return orientation, exif.tobytes() if len(exif) else None
    except Exception:
        # Pillow's EXIF parser raises many kinds on damaged blocks, and no picture is lost for its EXIF.
        return 1, None


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """View of ``array`` (H, W, ...) as EXIF orientation 1..8 asks for; other values change nothing."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array


def _turned(array: np.ndarray | None, orientation: int) -> Any:
    return None if array is None else np.ascontiguousarray(_upright(array, orientation))


def _to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """CMYK or LAB to RGB, through the embedded profile where there is a usable one."""
    srgb = ImageCms.createProfile("sRGB")
    try:
        source: Any = ImageCms.createProfile("LAB")
        if image.mode == "CMYK":
            source = None if icc is None else ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if source is not None:
            converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
            if converted is not None:
                return converted
    except (ImageCms.PyCMSError, OSError):
        pass
    return image.convert("RGB")


def _grey_to_rgb(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Pixels, 16 bits of a picture that has just these, and alpha, of grey of more than 8 bits."""
    from lib_photoshoot.colour.space import eight_bit
    from lib_photoshoot.grey import grey_levels

    levels = grey_levels(image)
    key = image.info.get("transparency")
    alpha = np.where(np.asarray(image) == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None
    pixels = np.repeat(eight_bit(levels)[:, :, None], 3, axis=2)
    deep = np.repeat(levels[:, :, None], 3, axis=2) if image.mode.startswith("I;16") else None
    return pixels, deep, alpha


def _to_rgb(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels (H, W, 3) and alpha (H, W) or None, both uint8."""
    height, width = image.height, image.width
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    pixels = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if has_alpha else None
    # In strips: converted whole, a 144-megapixel picture would be in memory three times over.
    step = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        strip = image.crop((0, rows.start, width, rows.stop))
        values = np.asarray(strip if strip.mode == mode else strip.convert(mode))
        pixels[rows] = values[:, :, :3]
        if alpha is not None:
            alpha[rows] = values[:, :, 3]
    return pixels, alpha


def writing_failed(where: Path, error: OSError, again: str) -> str:
    """The sentence for a folder that could not be written to; ``again`` is what to do once that is mended."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {shown(where)} is full; make room and {again}."
    return f"Writing to {shown(where)} failed ({error.strerror or error}); correct it and {again}."


def write_atomic(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file whole or not at all: a temporary file beside it, synced, then moved in place.

    Raises ``OSError`` as it comes; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not derived from the name: that may already have the longest length the file system allows.
    part = path.parent / f".{uuid.uuid4().hex}{PART_SUFFIX}"
    try:
        with open(part, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


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
        data = encode_deep(pixels, alpha, options)
        write_atomic(path, lambda file: file.writelines([data]))
    else:
        write_image(to_image(eight_bit(pixels), alpha if keeps_alpha else None), path, **options)


def save_picture(pixels: np.ndarray | Image.Image, path: str | os.PathLike[str], like: Picture | None = None) -> None:
    """Write uint8 pixels (H, W, 3), or (H, W, 4) with alpha, atomically, in the format of the suffix.

    uint16 pixels (H, W, 3) keep their bits in a PNG and are rounded to 8 in other formats.

    ``like`` lends RGB pixels its alpha, and all of them its ICC profile, EXIF (which holds no orientation: pixels are
    upright), XMP and texts. Raises ``ImageError``.
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
