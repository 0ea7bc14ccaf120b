"""The photos of a product that get new scenes: found where the list says, and read when a shot needs one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import ImageError, ShootError
from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_SUFFIXES, decode_picture

_DIGITS = 16


class PhotoError(ShootError):
    """A photo cannot be used, whichever WebUI is asked."""


@dataclass(frozen=True)
class ListedPhoto:
    """A photo by its path. What it held when it was first read is what the whole shoot takes it for."""

    path: Path

    @property
    def name(self) -> str:
        """Its file's name, as sentences and ledgers have it."""
        return shown(self.path.name)

    @cached_property
    def digest(self) -> str:
        """Tells its content from any other. Raises PhotoError where it cannot be read."""
        return digest_of(self._data())

    def read(self) -> bytes:
        """Return its bytes. Raises PhotoError for what is no picture, shows nothing, or changed meanwhile."""
        data = self._data()
        if digest_of(data) != self.digest:
            raise PhotoError(f"the photo {self.name} is another one than when the shoot began; put it back.")
        if self._fault:
            raise PhotoError(self._fault)
        return data

    @cached_property
    def _fault(self) -> str:
        """Why the picture is no use; decoded once."""
        try:
            picture = decode_picture(self._data(), f"the photo {self.name}")
        except ImageError as error:
            return str(error)
        if picture.alpha is not None and not picture.alpha.any():
            return f"the photo {self.name} is all transparent; export it again with the product in it."
        return ""

    def _data(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise PhotoError(
                f"the photo {shown(self.path)} cannot be read ({error.strerror}); check the path."
            ) from error


def digest_of(data: bytes) -> str:
    """Return what a ledger remembers a photo by."""
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def find_photos(texts: Sequence[str], locate: Callable[[str], Path] = Path) -> tuple[ListedPhoto, ...]:
    """Return the photos that full paths name, those of a folder in the order of their names.

    ``locate`` says which place a text means, and raises a PhotoshootError for one that may not be read. Raises
    ShootError where nothing is there, or a folder's picture is a link out of it.
    """
    return tuple(ListedPhoto(path) for path in dict.fromkeys(path for text in texts for path in _found(text, locate)))


def _found(text: str, locate: Callable[[str], Path]) -> Iterator[Path]:
    place = locate(text)
    try:
        if not place.is_dir():
            if not place.is_file():
                raise ShootError(f"there is no photo {shown(text)}; check the path.")
            yield place
            return
        paths = sorted(path for path in place.iterdir() if _is_picture(path.name))
    except OSError as error:
        raise ShootError(f"the photos in {shown(text)} cannot be read ({error.strerror}).") from error
    if not paths:
        raise ShootError(f"the folder {shown(text)} holds no photo; put pictures into it, or name another one.")
    for path in paths:
        if not stays_inside(place, path):
            raise ShootError(
                f"{shown(path.name)} in {shown(text)} is a link that leads out of that folder; put the picture there."
            )
        yield path


def _is_picture(name: str) -> bool:
    # macOS leaves hidden files of the same ending beside pictures.
    return not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES
