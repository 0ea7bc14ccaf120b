"""The original that a run's record names, read again for a correction.

The name comes from a ledger, and a run's folder may come from somebody else, so the name may be that of any file here:
a key, a password, a private photo. It is read only where

- it is a full path of this machine: no URL, and no network path, which would send the user's credentials on Windows;
- a regular file lies there whose size and time of change, to the nanosecond, are those that the record tells: only who
  has the file can know them, so no stranger's ledger has the user's pictures shown, or copied into its folder;
- what was read, through the same open file, decodes as a picture of the record's size.

Nothing is ever written there.
"""

from __future__ import annotations

import io
import os
import stat

from PIL import Image

from lib_photoshoot.catalog.inputs import Stamp, is_local
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, decode_picture, to_image
from lib_photoshoot.transparency import flattened

LARGEST_FILE = 1 << 30
_QUALITY = 92


def check_original(record: Record) -> None:
    """Raise CatalogError unless the record's original lies where it did, unchanged."""
    name = shown(record.entry["file"])
    if not is_local(record.file) or not os.path.isabs(record.file):
        raise CatalogError(f"{name} is no file of this machine; outlines are corrected where the pictures lie.")
    try:
        _check(record, os.stat(record.file))
    except (OSError, ValueError) as error:
        raise _gone(name, error) from error


def read_original(record: Record) -> Picture:
    """Return the record's original. Raises CatalogError where it is gone or another one now, ImageError for no
    picture.
    """
    check_original(record)
    name = shown(record.entry["file"])
    try:
        with open(record.file, "rb") as file:
            _check(record, os.fstat(file.fileno()))
            data = file.read(record.size)
    except OSError as error:
        raise _gone(name, error) from error
    picture = decode_picture(data, name)
    if (picture.width, picture.height) != (record.entry["width"], record.entry["height"]):
        raise _changed(name)
    return picture


def jpeg_of(picture: Picture) -> bytes:
    """Return a picture as a JPEG file in sRGB, on white where it is transparent."""
    buffer = io.BytesIO()
    image: Image.Image = to_image(flattened(picture))
    image.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _check(record: Record, status: os.stat_result) -> None:
    name = shown(record.entry["file"])
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
        raise CatalogError(f"{name} is no picture file; load the page again.")
    if Stamp(status.st_size, status.st_mtime_ns) != record.stamp:
        raise _changed(name)


def _changed(name: str) -> CatalogError:
    return CatalogError(
        f"{name} was changed since it was filtered; run `filter` on it again with --resume, then correct it."
    )


def _gone(name: str, error: Exception) -> CatalogError:
    why = getattr(error, "strerror", None) or str(error)
    return CatalogError(f"{name} cannot be read any more ({why}); put it back where it was, and correct it then.")
