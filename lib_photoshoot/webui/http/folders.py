"""Which folders of this machine the HTTP API and the tab may touch."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.files import shown


class FolderError(PhotoshootError):
    """A path lies outside the allowed folders, or is written in a way that is never followed."""


class MissingPathError(PhotoshootError):
    """A path inside the allowed folders names nothing of the kind that was asked for."""


OWN_OR_LISTED = "choose one inside the WebUI's output folders, or add its folder in Settings, Product Photoshoot"


@dataclass(frozen=True)
class AllowedFolders:
    """Real paths of the folders that may be read and written, with everything below them.

    ``advice`` ends the sentence about a path that lies elsewhere.
    """

    roots: tuple[Path, ...]
    advice: str = OWN_OR_LISTED

    def resolve(self, text: object) -> Path:
        """Return the real path that ``text`` names, existing or not; links are followed first, so none leads outside.

        Raises FolderError. Outside the allowed folders the answer is the same whether something is there or not.
        """
        real = Path(os.path.realpath(_plain(text)))
        if not any(_is_inside(real, root) for root in self.roots):
            raise FolderError(f"{shown(str(text))} lies outside the folders that may be used; {self.advice}.")
        return real

    def file(self, text: object) -> Path:
        """Return an existing file. Raises FolderError, MissingPathError."""
        path = self.resolve(text)
        if not os.path.isfile(path):  # unlike Path's, it knows a name that no system has
            raise MissingPathError(f"There is no file {shown(str(text))}; check the path.")
        return path

    def folder(self, text: object) -> Path:
        """Return an existing folder. Raises FolderError, MissingPathError."""
        path = self.resolve(text)
        if not os.path.isdir(path):
            raise MissingPathError(f"There is no folder {shown(str(text))}; check the path.")
        return path

    def holds(self, path: Path) -> bool:
        """Whether a path leads, after its links, to a place inside the allowed folders."""
        real = Path(os.path.realpath(path))
        return any(_is_inside(real, root) for root in self.roots)


def allowed_folders(paths: Iterable[str], base: Path, advice: str = OWN_OR_LISTED) -> AllowedFolders:
    """Return the folders that these texts name; empty ones are passed over, relative ones lie below ``base``."""
    roots = [os.path.realpath(base / os.path.expanduser(path.strip())) for path in paths if path.strip()]
    return AllowedFolders(tuple(Path(root) for root in dict.fromkeys(roots)), advice)


def subfolder(parent: Path, text: object) -> Path:
    """Return the folder below ``parent`` that an option names, existing or not. Raises FolderError for a way out of
    there.
    """
    name = shown(str(text))
    if not isinstance(text, str) or not text.strip():
        raise FolderError("The name of a folder is missing; give one, such as photoshoot-masks.")
    _check_characters(text, name)
    parts = re.split(r"[/\\]", text.strip())
    if ".." in parts or not parts[0] or ":" in text or text.startswith("~"):
        raise FolderError(f"The folder {name} leads out of the pictures' own; give a name, such as photoshoot-masks.")
    return parent.joinpath(*parts)


def full_path(text: str) -> Path:
    """Return the path that an option names: a full one that goes nowhere up. Raises FolderError."""
    return Path(_plain(os.path.expanduser(text)))


def listed_folders(text: str) -> list[str]:
    """Return the full paths of an option with several; those that are relative or climb are passed over."""
    found = []
    for part in split_folders(text):
        with suppress(FolderError):
            found.append(str(full_path(part)))
    return found


def split_folders(text: str) -> list[str]:
    """Return the paths of an option in which commas or new lines stand between them."""
    return [part.strip().strip('"') for part in re.split(r"[,\n]", text) if part.strip()]


def _plain(text: object) -> str:
    """Return the text if it is a full path without tricks, checked before the file system is asked. Raises
    FolderError.
    """
    if not isinstance(text, str) or not text.strip():
        raise FolderError("A path is missing; give the full path of a file or folder.")
    name = shown(text)
    _check_characters(text, name)
    # Asked for, a network path sends the user's credentials to that machine.
    if text.replace("/", "\\").startswith("\\\\"):
        raise FolderError(f"{name} is a network path; give a folder of this machine.")
    if ".." in re.split(r"[/\\]", text):
        raise FolderError(f"{name} goes up with '..'; give the full path itself.")
    if not os.path.isabs(text):
        raise FolderError(f"{name} is not a full path; begin it at the root of the disk.")
    if os.name == "nt" and ":" in os.path.splitdrive(text)[1]:
        raise FolderError(f"{name} names a stream of a file; give the file itself.")
    return text


def _check_characters(text: str, name: str) -> None:
    if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in text):
        raise FolderError(f"{name} holds a character that no path has; remove it.")


def _is_inside(real: Path, root: Path) -> bool:
    path, folder = os.path.normcase(real), os.path.normcase(root)
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
