"""Folders of training pictures as kohya's trainers keep them: ``6_name`` below the folder, each with its repeats.

In such a folder every picture counts 6 times an epoch, instead of the recipe's repeats. The outer folder may hold
pictures too, with the recipe's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.captions.sheet import CaptionSheet
from lib_photoshoot.training.dataset.buckets import BucketSettings
from lib_photoshoot.training.dataset.dataset import Counting, Dataset, TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, Severity
from lib_photoshoot.training.dataset.scanning import SMALLEST_SIDE, TRAINED_SUFFIXES, scan
from lib_photoshoot.wording import counted

_REPEATED = re.compile(r"0*([1-9]\d{0,3})_.*", re.DOTALL)


def repeats_of(folder: Path) -> int | None:
    """Return the repeats that a folder's name says, None where it says none."""
    found = _REPEATED.fullmatch(folder.name)
    return int(found[1]) if found else None


def holds_photos(folder: Path) -> bool:
    """Whether :func:`scan_all` would find pictures; a folder that cannot be read holds none."""
    return _has_pictures(folder) or bool(repeated_folders(folder))


def repeated_folders(folder: Path) -> list[Path]:
    """Return the folders below, by name, that say their repeats and hold pictures; none of a folder that cannot be
    read.
    """
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir() and repeats_of(path))
    except OSError:  # scan says why
        return []
    return [path for path in below if _has_pictures(path)]


def stamps_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether any file that :func:`scan_all` looks at has changed: names, sizes and times."""
    return tuple(file for part in (folder, *repeated_folders(folder)) for file in _stamps(part))


def scan_all(
    folder: Path,
    tag: str,
    settings: BucketSettings | None = None,
    smallest: int = SMALLEST_SIDE,
    progress: Counting | None = None,
) -> Dataset:
    """As :func:`~lib_photoshoot.training.dataset.scanning.scan`, with the folders below that say their repeats.

    Raises TrainingError as that does, and for two pictures of one name.
    """
    repeated = repeated_folders(folder)
    if not repeated:
        return scan(folder, tag, settings, smallest, progress)
    outer = [folder] if _has_pictures(folder) else []
    parts = [scan(part, tag, settings, smallest, progress) for part in (*outer, *repeated)]
    _check_names(parts)
    images = tuple(
        replace(image, repeats=None if part.folder == folder else repeats_of(part.folder))
        for part in parts
        for image in part.images
    )
    findings = [found for part in parts for found in part.findings]
    findings += [told_repeats(part.folder, len(part.images)) for part in parts[len(outer) :]]
    beside = {name: text for part in parts for name, text in part.beside.items()}
    return Dataset(folder, tag, parts[0].settings, images, tuple(findings), beside)


def by_folder(images: Iterable[TrainingImage]) -> dict[Path, list[TrainingImage]]:
    """Return the images by the folder that they are in, in their order."""
    found: dict[Path, list[TrainingImage]] = {}
    for image in images:
        found.setdefault(image.path.parent, []).append(image)
    return found


def write_beside(sheet: CaptionSheet, dataset: Dataset, overwrite: bool = False) -> tuple[str, ...]:
    """As the sheet's own method, each caption beside its picture."""
    left: list[str] = []
    for folder in dict.fromkeys(image.path.parent for image in dataset.images):
        here = {image.name: sheet[image.name] for image in dataset.images if image.path.parent == folder}
        left += CaptionSheet(here).write_beside(folder, overwrite)
    return tuple(left)


def picture_in(folder: Path, name: str) -> Path:
    """Where a picture of this name is: in the folder, or in one below that says its repeats; there in the first case
    where it is in none."""
    places = (part / name for part in (folder, *repeated_folders(folder)))
    # os.path's says no of a name that is too long, where pathlib's ends in an error.
    return next((place for place in places if os.path.isfile(place)), folder / name)


def _has_pictures(folder: Path) -> bool:
    try:
        return any(path.suffix.lower() in TRAINED_SUFFIXES and path.is_file() for path in folder.iterdir())
    except OSError:
        return False


def _check_names(parts: Sequence[Dataset]) -> None:
    """Captions belong to a picture by its name alone."""
    owners: dict[str, Path] = {}
    for part in parts:
        for image in part.images:
            owner = owners.setdefault(image.path.stem, image.path)
            if owner.parent != part.folder:
                raise TrainingError(
                    f"{shown(owner.parent.name)}/{shown(owner.name)} and {shown(part.folder.name)}/{shown(image.name)} "
                    "have the same name; rename one of them."
                )


def told_repeats(folder: Path, count: int) -> Finding:
    """Return the note about a folder that says its repeats, with so many pictures."""
    text = f"{shown(folder.name)}: {counted(count, 'picture')}, each {repeats_of(folder)} times an epoch."
    return Finding(FindingKind.REPEATS, Severity.NOTE, folder.name, text)


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether anything in a folder has changed; nothing of a folder that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted((entry.name, *_size_and_time(entry)) for entry in entries))
    except OSError:
        return ()


def _size_and_time(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        status = entry.stat()
    except OSError:  # a link to nothing
        return 0, 0
    return status.st_size, status.st_mtime_ns
