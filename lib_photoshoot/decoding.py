"""From a file that Pillow has opened to upright pixels, whatever mode, depth and colours it has."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms

from lib_photoshoot.picture import Picture

# OpenCV, which colours need, is loaded with the first picture and not with the WebUI.
if TYPE_CHECKING:
    from concurrent.futures import Future

    from lib_photoshoot.colour.marks import ColourMark

_ORIENTATION = 0x0112
_STRIP_PIXELS = 1 << 21


def decode(image: Image.Image, file: BinaryIO, name: str) -> Picture:
    """Return the picture of an opened file without its metadata; ``name`` stands for it in notes. Raises as Pillow
    does.
    """
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
    image: Image.Image, sixteen_bits: Future[Any] | None, mark: ColourMark
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
