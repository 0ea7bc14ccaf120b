"""A limit on the work that one picture file may ask for, whatever its size: bombs in time rather than in pixels."""

from __future__ import annotations

import os
import re
from typing import Any, BinaryIO, cast

from PIL import Image

from lib_photoshoot import more_formats
from lib_photoshoot.errors import ImageTooLargeError

MOST_SCANS = 100
"""Of a JPEG: a progressive one has about ten."""
MOST_SCANNED_PIXELS = 2_500_000_000
"""Pixels times scans: each scan goes through the whole picture again."""
_FREE_READS = 200_000
_BYTES_PER_READ = 64
_MOST_PADDING = 1 << 24
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_PIECE = 1 << 20
_NEXT_SCAN = re.compile(b"\xff[\xda\xd9]")


def open_image(file: BinaryIO, name: str, formats: tuple[str, ...]) -> Image.Image:
    """Return what ``more_formats.open_image`` gives for a file that asks for no more work than its size and pixels
    explain.

    ``name`` stands for the file in the sentence. Raises ImageTooLargeError, and whatever Pillow raises.
    """
    image = more_formats.open_image(cast(BinaryIO, _Counted(file, name)), formats)
    try:
        _check(image, file, name)
    except BaseException:
        image.close()
        raise
    return image


class _Counted:
    """A file that ends reading when it is read in far more pieces than its size explains, as by a million chunks."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._left = _FREE_READS + size // _BYTES_PER_READ

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise _too_much(self._name, "is made of too many small parts, such as text chunks or frames,")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _check(image: Image.Image, file: BinaryIO, name: str) -> None:
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO"):
        most = min(MOST_SCANS, MOST_SCANNED_PIXELS // max(1, pixels))
        if _more_scans_than(max(1, most), file):
            raise _too_much(name, f"is a JPEG of more than {most} scans and")
    if image.format == "TIFF":
        width, length = (_number(image, tag) for tag in (_TILE_WIDTH, _TILE_LENGTH))
        if width and length:
            padded = -(-image.width // width) * width * (-(-image.height // length) * length)
            if padded > max(_MOST_PADDING, 4 * pixels):
                raise _too_much(name, f"is a TIFF with tiles of {width}x{length} pixels, far larger than itself, and")


def _number(image: Any, tag: int) -> int:
    value = image.tag_v2.get(tag, 0)
    return value if isinstance(value, int) else 0


def _more_scans_than(most: int, file: BinaryIO) -> bool:
    """Whether a JPEG has more scans; looks no further than it must, and leaves the file where it was."""
    before = file.tell()
    try:
        _skip_segments(file)
        scans, last = 0, b""
        while piece := file.read(_PIECE):
            # In a scan's data no other 0xFF is followed by these bytes.
            for found in _NEXT_SCAN.finditer(last + piece):
                if found[0] == b"\xff\xd9":  # the picture's end: what follows is not decoded
                    return False
                scans += 1
                if scans > most:
                    return True
            last = piece[-1:]
        return False
    finally:
        file.seek(before)


def _skip_segments(file: BinaryIO) -> None:
    """Go to the first scan: the segments before it may hold small JPEGs of their own."""
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF and head[1] != 0xDA:
        file.seek(int.from_bytes(head[2:], "big") - 2, os.SEEK_CUR)
    file.seek(-len(head), os.SEEK_CUR)


def _too_much(name: str, what: str) -> ImageTooLargeError:
    return ImageTooLargeError(f"{name} {what} takes too long to read; save the picture again as PNG or JPEG.")
