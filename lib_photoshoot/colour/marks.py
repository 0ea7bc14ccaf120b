"""What a picture file says about its colours: ICC, EXIF's Adobe RGB, PNG's cICP, sRGB, gAMA and cHRM, gain maps.

Read as viewers read it: a PNG's marks in the order of PNG 3 (clause 4.3), a profile that cannot be used as if it were
not there, a gain map (ISO 21496-1) not at all, so that the standard picture is what one gets.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms

from lib_photoshoot.colour.icc import (
    SRGB_CURVE,
    ProfileError,
    colour_space_of,
    grey_curve,
    has_tables,
    is_hdr,
    make_profile,
    matrix_profile,
)
from lib_photoshoot.colour.profiles import convert, srgb_profile
from lib_photoshoot.errors import ImageError

_D65 = (0.3127, 0.3290)
_PRIMARIES = {
    1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""Chromaticities by their number in ITU-T H.273: sRGB, BT.2020, Display P3; all with the white of D65."""
_CURVES = {1: SRGB_CURVE, 4: (2.2,), 6: SRGB_CURVE, 8: (1.0,), 13: SRGB_CURVE, 14: SRGB_CURVE, 15: SRGB_CURVE}
"""Curves by their number in H.273; browsers show the camera's curves of BT.709 and BT.2020 as sRGB's."""
_HDR_CURVES = {16: "PQ", 18: "HLG"}
_ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_ADOBE_GAMMA = (563 / 256,)

_EXIF_IFD, _INTEROP_IFD, _COLOUR_SPACE, _INTEROP_INDEX = 0x8769, 0xA005, 0xA001, 1
_UNCALIBRATED, _ADOBE_MARK = 0xFFFF, 2
_HEAD = 1 << 18
_GAIN_MAPS = (b"ns.adobe.com/hdr-gain-map", b"urn:iso:std:iso:ts:21496", b"hdrgainmap", b"HDRGainMap")

IGNORED = "its colour profile is {0} and was ignored, as browsers do"
TABLES = "its colour profile works by tables: converted to sRGB"
PLAIN_CMYK = "CMYK without a colour profile: colours are as browsers show them, not as they are printed"
GAIN_MAP = "HDR gain map: the standard picture was used"


@dataclass(frozen=True)
class ColourMark:
    """``icc`` is a profile that can be used for the picture's kind, ``notes`` what a user should know.

    ``tables`` says that it is an RGB profile beyond matrix and curves, for LittleCMS alone.
    """

    icc: bytes | None = None
    tables: bool = False
    notes: tuple[str, ...] = ()


def colour_mark(image: Image.Image, file: BinaryIO, name: str) -> ColourMark:
    """Return the colours of an opened picture whose pixels were loaded.

    ``name`` stands for the file in the sentence of ImageError, which is raised for PQ and HLG: their colours have no
    place in a standard picture until somebody has decided on it.
    """
    kind = _kind(image)
    notes = [GAIN_MAP] if _has_gain_map(image, file) else []
    coded = _coded(image, file)
    if coded and coded[1] in _HDR_CURVES:
        raise _hdr(name, _HDR_CURVES[coded[1]])
    # The loader of a file without a profile may leave an empty one.
    icc = image.info.get("icc_profile") or None
    # cICP stands above a profile; elsewhere the profile says more than two numbers do.
    if kind == "RGB" and coded and (icc is None or image.format == "PNG"):
        return ColourMark(_named(*coded), notes=tuple(notes))
    if icc is not None:
        usable, why = _judged(icc, kind)
        if why == "HDR":
            raise _hdr(name, "PQ or HLG")
        if why:
            notes.append(why)
        icc = icc if usable else None
        if icc is not None:
            return ColourMark(icc, why == TABLES, tuple(notes))
    if kind == "CMYK":
        notes.append(PLAIN_CMYK)
    return ColourMark(_unprofiled(image) if kind == "RGB" else None, notes=tuple(notes))


def _kind(image: Image.Image) -> str:
    if image.mode in ("CMYK", "LAB"):
        return image.mode
    return "GRAY" if image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I") else "RGB"


def _hdr(name: str, what: str) -> ImageError:
    return ImageError(
        f"{name} is an HDR picture ({what}), whose brightness a standard picture cannot hold; export it as a standard "
        "(SDR) picture."
    )


@lru_cache(maxsize=64)
def _judged(icc: bytes, kind: str) -> tuple[bool, str]:
    """Whether a profile can be used for a kind of picture, and what to say."""
    try:
        if is_hdr(icc):
            return False, "HDR"
        space = colour_space_of(icc)
        if kind == "GRAY" and space == "GRAY":
            grey_curve(icc)
            return True, ""
        # A grey picture with an RGB profile is common, and its tones are meant.
        if space.upper() != ("RGB" if kind == "GRAY" else kind):
            return False, IGNORED.format(f"for {space or 'nothing'} and not for {kind}")
        if kind in ("CMYK", "LAB"):
            return True, ""
        # Whatever is read here must be shown elsewhere too.
        convert(np.zeros((1, 1, 3), np.uint8), icc, srgb_profile())
        if has_tables(icc):
            return True, TABLES
        matrix_profile(icc)
    except (ProfileError, ImageCms.PyCMSError, OSError, ValueError):
        return False, IGNORED.format("damaged")
    return True, ""


def _coded(image: Image.Image, file: BinaryIO) -> tuple[int, int] | None:
    """Primaries and transfer of H.273, from PNG's cICP or what HEIC says; None without."""
    if image.format == "PNG":
        chunk = _png_chunk(file, b"cICP")
        return (chunk[0], chunk[1]) if len(chunk) == 4 and chunk[0] in _PRIMARIES else None
    nclx: Any = image.info.get("nclx_profile")
    if isinstance(nclx, dict):
        primaries, transfer = (int(nclx.get(key, 2)) for key in ("color_primaries", "transfer_characteristics"))
        return (primaries, transfer) if primaries in _PRIMARIES else None
    return None


def _named(primaries: int, transfer: int) -> bytes | None:
    if (primaries, transfer) == (1, 13) or transfer not in _CURVES:
        return None
    return _made(_PRIMARIES[primaries], _D65, _CURVES[transfer])


@lru_cache(maxsize=64)
def _made(primaries: tuple[float, ...], white: tuple[float, ...], curve: tuple[float, ...]) -> bytes:
    known: dict[Any, str] = {
        _ADOBE_RGB: "Compatible with Adobe RGB (1998)",
        _PRIMARIES[12]: "Display P3",
        _PRIMARIES[9]: "BT.2020",
    }
    return make_profile(primaries, white, curve, known.get(primaries, "Colours as the PNG told them"))


def _unprofiled(image: Image.Image) -> bytes | None:
    if image.format == "PNG":
        return _png_marks(image.info)
    return _made(_ADOBE_RGB, _D65, _ADOBE_GAMMA) if _exif_says_adobe(image) else None


def _png_marks(info: dict[Any, Any]) -> bytes | None:
    gamma, chromaticities = info.get("gamma"), info.get("chromaticity")
    if "srgb" in info or not (gamma or chromaticities):
        return None
    curve: Sequence[float] = (1 / gamma,) if gamma else SRGB_CURVE
    white, primaries = (chromaticities[:2], chromaticities[2:]) if chromaticities else (_D65, _PRIMARIES[1])
    # Nonsense (no triangle, a gamma of 0.00001) is as good as nothing.
    with suppress(ValueError, ZeroDivisionError, np.linalg.LinAlgError, OverflowError):
        if 0.2 <= (curve[0] if gamma else 1) <= 5:
            icc = _made(tuple(primaries), tuple(white), tuple(curve))
            return icc if _judged(icc, "RGB") == (True, "") else None
    return None


def _exif_says_adobe(image: Image.Image) -> bool:
    """Whether the file follows DCF 2.0: an uncalibrated space, and R03 as the mark of Adobe RGB."""
    with suppress(Exception):  # damaged EXIF raises many kinds
        exif = image.getexif()
        space = exif.get_ifd(_EXIF_IFD).get(_COLOUR_SPACE)
        if space == _ADOBE_MARK:
            return True
        index = exif.get_ifd(_INTEROP_IFD).get(_INTEROP_INDEX, "")
        return space == _UNCALIBRATED and str(index).strip("\0 ") == "R03"
    return False


def _has_gain_map(image: Image.Image, file: BinaryIO) -> bool:
    if image.format not in ("JPEG", "MPO", "HEIF", "AVIF"):
        return False
    head = _from_start(file, _HEAD)
    return any(mark in head for mark in _GAIN_MAPS)


def _png_chunk(file: BinaryIO, wanted: bytes) -> bytes:
    """Return the body of a chunk before the pixels; empty without one."""
    head = io.BytesIO(_from_start(file, _HEAD))
    head.seek(8)
    while len(start := head.read(8)) == 8:
        size, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind == wanted:
            return head.read(size)
        if kind == b"IDAT":
            break
        head.seek(size + 4, os.SEEK_CUR)
    return b""


def _from_start(file: BinaryIO, size: int) -> bytes:
    before = file.tell()
    file.seek(0)
    data = file.read(size)
    file.seek(before)
    return data
