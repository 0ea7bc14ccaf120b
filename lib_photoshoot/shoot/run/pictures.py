"""The files of one shot: the picture exactly as the WebUI sent it, and a thumbnail for the report."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.confined import inside
from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import write_atomic
from lib_photoshoot.images import decode_picture, to_image, write_image
from lib_photoshoot.transparency import flattened

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.shoot.shot_list.product import Shot

THUMBNAILS = "thumbnails"
REJECTED = "rejected"
THUMBNAIL_SIDE = 240
"""Pixels of its longer side."""
_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"RIFF", ".webp"))
"""What a WebUI can be set to send."""


@dataclass(frozen=True, eq=False)
class ShotPicture:
    """A whole picture: the bytes as they came, the suffix of their format, and a small copy."""

    data: bytes
    suffix: str
    thumbnail: Image.Image


def check_picture(data: bytes, source: str) -> ShotPicture:
    """Return the picture of these bytes, decoded once to be sure that it is whole; ``source`` stands for it in
    messages.

    Raises ImageError.
    """
    picture = decode_picture(data, source)
    suffix = next((suffix for signature, suffix in _SIGNATURES if data.startswith(signature)), ".png")
    small = to_image(flattened(picture))
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return ShotPicture(data, suffix, small)


def as_sent(photo: bytes, name: str) -> bytes:
    """Return a photo's bytes as a WebUI could have sent them: of a kind that pages do not show, as PNG. Raises
    ImageError.
    """
    if photo.startswith(tuple(signature for signature, _ in _SIGNATURES)):
        return photo
    buffer = io.BytesIO()
    to_image(flattened(decode_picture(photo, name))).save(buffer, "PNG")
    return buffer.getvalue()


def store(out: Path, shot: Shot, picture: ShotPicture, accepted: bool) -> str:
    """Write picture and thumbnail, each whole or not at all; returns the picture's path relative to ``out``.

    Raises ``OSError`` as it comes, and ShootError where a link leads out of the folder.
    """
    name = placed(f"{shot.product.folder}/{shot.seed}{picture.suffix}", accepted)
    thumbnail = inside(out, thumbnail_name(shot.product.folder, shot.seed), ShootError)
    write_image(picture.thumbnail, thumbnail, quality=80)
    write_atomic(inside(out, name, ShootError), picture.data)
    return name


def placed(file: str, accepted: bool) -> str:
    """Where a picture lies once it is accepted or not: ``PRODUCT/1.png``, or ``PRODUCT/rejected/1.png``."""
    folder, name = file.split("/", 1)
    name = name.removeprefix(f"{REJECTED}/")
    return f"{folder}/{name}" if accepted else f"{folder}/{REJECTED}/{name}"


def thumbnail_name(folder: str, seed: int) -> str:
    """Return the thumbnail's path relative to the output folder."""
    return f"{THUMBNAILS}/{folder}/{seed}.jpg"
