"""Picture formats beyond Pillow's everyday ones: what can be read here, and what to say of a file that cannot.

Files are known by how they begin, not by their suffix: telephones send HEIC under the name of a JPEG too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import BinaryIO

from PIL import Image

MORE_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".hif", ".jxl", ".pdf"})
"""Of files in a folder that are pictures, or pages of them: one that cannot be read is told, never passed over."""

_HEAD = 64
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def avif_formats() -> tuple[str, ...]:
    """Pillow's name of AVIF where it was built with it (from 11.3 on), which it then can be asked for."""
    try:
        from PIL import AvifImagePlugin
    except ImportError:
        return ()
    return ("AVIF",) if getattr(AvifImagePlugin, "SUPPORTED", True) else ()


def why_unreadable(file: BinaryIO) -> str | None:
    """What the file is, and what to do, as the rest of a sentence; None where reading it can be tried.

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
    if kind in ("JPEG XL", "PDF"):
        return f"is {kind}, which is not read here; export its pictures as PNG or JPEG."
    return None


def open_image(file: BinaryIO, formats: tuple[str, ...]) -> Image.Image:
    """``Image.open`` for Pillow's ``formats``, and for HEIC where :func:`why_unreadable` says nothing against it."""
    if _kind(file) == "HEIC":
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
    if head[4:8] != b"ftyp":
        return None
    # The compatible brands follow the main one, which may be that of the family alone.
    if head[8:12] in (b"avif", b"avis") or b"avif" in head[16:]:
        return "AVIF"
    return "HEIC" if head[8:12] in _HEIC_BRANDS else None


def _heif() -> Callable[[BinaryIO], Image.Image] | None:
    try:
        from pillow_heif.as_plugin import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile
