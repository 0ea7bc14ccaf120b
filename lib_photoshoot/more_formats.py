"""Picture formats beyond Pillow's everyday ones: what can be read here, and what to say of a file that cannot.

Files are known by how they begin, not by their suffix: telephones send HEIC under the name of a JPEG too.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from PIL import Image

RAW_SUFFIXES = frozenset({".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2"})
MORE_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".hif", ".jxl", ".pdf"}) | RAW_SUFFIXES
"""Of files in a folder that are pictures, or pages of them: one that cannot be read is told, never passed over."""

_HEAD = 64
_RAW_BEGINNINGS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
_DNG_VERSION, _PHOTOMETRIC, _SUB_FOLDERS = 50706, 262, 330
_SENSOR = {"<": (b"\x23\x80", b"\xec\x88"), ">": (b"\x80\x23", b"\x88\xec")}
"""A TIFF's photometric interpretations of a mosaic and of linear raw values."""
_MOST_FOLDERS = 16
_SRGB_GAMMA = (2.4, 12.92)
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def avif_formats() -> tuple[str, ...]:
    """Pillow's name of AVIF where it was built with it (from 11.3 on), which it then can be asked for."""
    try:
        from PIL import AvifImagePlugin
    except ImportError:
        return ()
    return ("AVIF",) if getattr(AvifImagePlugin, "SUPPORTED", True) else ()


def why_unreadable(file: BinaryIO) -> str | None:
    """Return what the file is, and what to do, as the rest of a sentence; None where reading it can be tried.

    The file is left at its beginning.
    """
    kind = _kind(file)
    if kind == "AVIF" and not avif_formats():
        return "is AVIF, which Pillow reads from version 11.3 on; update it, or export the picture as PNG or JPEG."
    if kind == "HEIC" and _heif() is None:
        return (
            f'is HEIC, which needs the package pillow-heif; run: {sys.executable} -m pip install "pillow-heif>=0.16", '
            "or export the picture as PNG or JPEG."
        )
    if kind == "RAW" and _rawpy() is None:
        return (
            f"is a camera's raw file, which needs the package rawpy; run: {sys.executable} -m pip install rawpy, "
            "or develop the picture and export it as PNG or JPEG."
        )
    if kind in ("JPEG XL", "PDF"):
        return f"is {kind}, which is not read here; export its pictures as PNG or JPEG."
    return None


def open_image(file: BinaryIO, formats: tuple[str, ...]) -> Image.Image:
    """``Image.open`` for Pillow's ``formats``, and for HEIC where :func:`why_unreadable` says nothing against it."""
    kind = _kind(file)
    if kind == "RAW":
        return _developed(file)
    if kind == "HEIC":
        # Its class itself: registered with Pillow, it would change what the whole process opens.
        heif = _heif()
        assert heif is not None
        return heif(file)
    return Image.open(file, formats=formats)


def _kind(file: BinaryIO) -> str | None:
    head = file.read(_HEAD)
    file.seek(0)
    if head.startswith(b"%PDF-"):
        return "PDF"
    if head.startswith((b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")):
        return "JPEG XL"
    if head.startswith(_RAW_BEGINNINGS) or head[4:12] == b"ftypcrx ":
        return "RAW"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "RAW" if head[8:10] == b"CR" or _is_raw_tiff(file) else None
    if head[4:8] != b"ftyp":
        return None
    # The compatible brands follow the main one, which may be that of the family alone.
    if head[8:12] in (b"avif", b"avis") or b"avif" in head[16:]:
        return "AVIF"
    return "HEIC" if head[8:12] in _HEIC_BRANDS else None


def _is_raw_tiff(file: BinaryIO) -> bool:
    """Whether a TIFF holds a sensor's values, as DNG, NEF, ARW and PEF do. The file is left at its beginning."""
    try:
        start = file.read(8)
        order = "<" if start[:2] == b"II" else ">"
        (first,) = struct.unpack(order + "I", start[4:])
        tags = _tags(file, first, order)
        if _DNG_VERSION in tags or _is_sensor(tags, order):
            return True
        _, count, value = tags.get(_SUB_FOLDERS, (0, 0, b""))
        count = min(count, _MOST_FOLDERS)
        if count > 1:
            file.seek(struct.unpack(order + "I", value)[0])
            value = file.read(4 * count)
        places = struct.unpack(f"{order}{count}I", value[: 4 * count])
        return any(_is_sensor(_tags(file, place, order), order) for place in places)
    except (struct.error, OSError, ValueError):
        return False
    finally:
        file.seek(0)


def _is_sensor(tags: dict[int, tuple[int, int, bytes]], order: str) -> bool:
    return tags.get(_PHOTOMETRIC, (0, 0, b""))[2][:2] in _SENSOR[order]


def _tags(file: BinaryIO, place: int, order: str) -> dict[int, tuple[int, int, bytes]]:
    """Type, count and value (or its place) of each tag of a TIFF's folder."""
    file.seek(place)
    (count,) = struct.unpack(order + "H", file.read(2))
    entries = struct.iter_unpack(order + "HHI4s", file.read(12 * count))
    return {tag: (kind, number, value) for tag, kind, number, value in entries}


def _developed(file: BinaryIO) -> Image.Image:
    """Return a raw file in sRGB, 8 bits: the camera's white balance, no brightening of its own. Raises OSError."""
    rawpy = _rawpy()
    assert rawpy is not None
    try:
        with rawpy.imread(file) as raw:
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and raw.sizes.width * raw.sizes.height > limit:
                raise Image.DecompressionBombError
            # LibRaw's own curve is that of BT.709, which would be read as sRGB.
            developed = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=8, gamma=_SRGB_GAMMA)
            return Image.fromarray(developed)
    except rawpy.LibRawError as error:
        raise OSError(str(error)) from error


def _rawpy() -> Any:
    try:
        import rawpy
    except ImportError:
        return None
    return rawpy


def _heif() -> Callable[[BinaryIO], Image.Image] | None:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile
