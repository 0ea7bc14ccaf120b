"""Files, folders and globs in; an ordered list of pictures with unique output names out."""

from __future__ import annotations

import glob
import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from lib_photoshoot.errors import CatalogError
from lib_photoshoot.images import PICTURE_SUFFIXES, shown


@dataclass(frozen=True)
class InputFile:
    """One picture to process: its path, and its output name (folders kept, no suffix, unique in the run)."""

    path: Path
    relative: PurePath


def collect_inputs(inputs: Iterable[str | os.PathLike[str]], out: Path | None = None) -> tuple[InputFile, ...]:
    """Every picture that ``inputs`` name, sorted within each, each once.

    Folders are searched recursively (links to folders too, each folder once) for picture suffixes; hidden files and
    everything in ``out`` are left out. A file named directly is taken whatever its suffix. A subfolder that may not be
    read stands in the list itself, so that reading it says so. Raises ``CatalogError`` when an input does not exist or
    when there is no picture at all.
    """
    named = [os.fspath(item) for item in inputs]
    skipped = None if out is None else os.path.realpath(out)
    seen: set[str] = set()
    found: list[tuple[Path, PurePath]] = []
    for item in named:
        for path, relative in _expand(item, skipped):
            key = os.path.abspath(path)
            if key not in seen:
                seen.add(key)
                found.append((path, relative))
    if not found:
        suffixes = " ".join(sorted(PICTURE_SUFFIXES))
        where = ", ".join(map(shown, named)) or "nothing"
        raise CatalogError(f"There is no picture ({suffixes}) in {where}; name files or folders that hold some.")
    names = _unique_names(relative for _, relative in found)
    return tuple(InputFile(path, name) for (path, _), name in zip(found, names, strict=True))


def _expand(item: str, skipped: str | None) -> Iterator[tuple[Path, PurePath]]:
    # A name that exists is taken literally first: "shoe [1].jpg" is a file, not a pattern.
    if os.path.lexists(item):
        yield from _search(item, skipped)
    elif glob.has_magic(item):
        for match in sorted(glob.glob(item, recursive=True)):
            if os.path.isdir(match) or _is_picture_name(match):
                yield from _search(match, skipped)
    else:
        raise CatalogError(f"{shown(item)} does not exist; check the path.")


def _search(item: str, skipped: str | None) -> Iterator[tuple[Path, PurePath]]:
    if not os.path.isdir(item):
        if not _is_inside(os.path.realpath(item), skipped):
            yield Path(item), PurePath(os.path.basename(item))
        return
    if not os.access(item, os.R_OK | os.X_OK):
        raise CatalogError(f"The folder {shown(item)} may not be read; give yourself permission on it.")
    visited: set[str] = set()
    refused: list[OSError] = []
    for folder, subfolders, files in os.walk(item, onerror=refused.append, followlinks=True):
        real = os.path.realpath(folder)
        # Linked folders are followed, so a loop of links comes back to a folder already visited.
        if real in visited or _is_inside(real, skipped):
            subfolders.clear()
            continue
        visited.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(files):
            if _is_picture_name(name):
                path = Path(folder, name)
                yield path, PurePath(os.path.relpath(path, item))
    # Its pictures must not be missed in silence: a folder that may not be read is listed as an unreadable picture is.
    for error in refused:
        if not _is_inside(os.path.realpath(error.filename), skipped):
            yield Path(error.filename), PurePath(os.path.relpath(error.filename, item))


def _is_picture_name(path: str) -> bool:
    name = os.path.basename(path)
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES


def _is_inside(real: str, folder: str | None) -> bool:
    return folder is not None and (real == folder or real.startswith(folder.rstrip(os.sep) + os.sep))


def _unique_names(relatives: Iterable[PurePath]) -> list[PurePath]:
    """Output names: the stem; on a clash the stem with its old suffix (``a_png``), then with a number."""
    taken: set[str] = set()
    names = []
    for relative in relatives:
        stem = relative.with_suffix("") if relative.suffix else relative
        ending = relative.suffix.lower().removeprefix(".")
        candidates = [stem, *([stem.with_name(f"{stem.name}_{ending}")] if ending else [])]
        number = 2
        name = candidates[0]
        while _folded(name) in taken:
            candidates = candidates[1:]
            name = candidates[0] if candidates else stem.with_name(f"{stem.name}_{number}")
            number += 0 if candidates else 1
        taken.add(_folded(name))
        names.append(name)
    return names


def _folded(name: PurePath) -> str:
    """How the strictest file systems compare names: without case, Unicode composed."""
    return unicodedata.normalize("NFC", str(name)).casefold()
