"""Files, folders and globs in; an ordered list of pictures with unique output names out."""

from __future__ import annotations

import glob
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from lib_photoshoot.confined import is_plain
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.file_names import same_name, shortened
from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_SUFFIXES, Picture, read_picture
from lib_photoshoot.journal import read_header

RUN_LEDGER, RUN_PROGRAM = "ledger.jsonl", "product-photoshoot"
"""By which the output folder of a ``filter`` run is known: a file there, and the program named in its first line."""
CUTOUTS, CORRECTIONS, PLACED, RETOUCHED = "cutouts", "corrections", "placed", "retouched"
OUTPUT_FOLDERS = ("masks", CUTOUTS, "overlays", "enhanced", "thumbnails", CORRECTIONS, PLACED, RETOUCHED)
"""What a run writes of its pictures lies in these; nothing else is ever removed."""
TellInput = Callable[[str], None]
"""Called with a sentence for the user."""
_LONGEST_STEM = 190
"""Bytes: what tells namesakes apart, number and product follow in the names of outputs."""


@dataclass(frozen=True)
class Stamp:
    """What tells one version of a file from another: its bytes (-1: not told), its time (0: not told), or its tags."""

    size: int
    mtime_ns: int
    version: str | None = None


@dataclass(frozen=True, slots=True)
class InputFile:
    """One picture to process, in little memory: there may be many.

    ``name`` is its path as the user named it, and stands so in reports and messages; ``stem`` is its output name
    (folders kept, forward slashes, no suffix, unique in the run).
    """

    name: str
    stem: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.name)

    @property
    def relative(self) -> PurePath:
        """The output name as a path."""
        return PurePath(self.stem)

    @property
    def key(self) -> str:
        """What identifies it in the ledger."""
        path = os.path.abspath(self.name)
        # Where it can be the same string, ledger and inputs need not hold it twice.
        return self.name if path == self.name else path

    def stamp(self) -> Stamp:
        """Its version now; raises ``OSError``."""
        status = os.stat(self.name)
        return Stamp(status.st_size, status.st_mtime_ns)

    def load(self) -> tuple[Stamp, Picture]:
        """Version and decoded picture. Raises ``ImageError`` with what is wrong with the file."""
        try:
            # Before reading: a file that changes meanwhile is done again on resume.
            stamp = self.stamp()
        except OSError:
            read_picture(self.name)  # says what is wrong with the file
            raise
        return stamp, read_picture(self.name)


def collect_inputs(
    inputs: Iterable[str | os.PathLike[str]],
    out: Path | None = None,
    cutouts: bool = False,
    tell: TellInput = lambda _: None,
) -> tuple[InputFile, ...]:
    """Every picture that ``inputs`` name, sorted within each, each once.

    Folders are searched recursively (links to folders too, each folder once) for picture suffixes; hidden files,
    everything in ``out``, and what earlier runs of ``filter`` wrote into folders below are left out; with ``cutouts``,
    of a run's folder its cut-outs are taken, and nothing else. A file named directly is taken whatever its suffix. A
    subfolder that may not be read stands in the list itself, so that reading it says so. ``tell`` hears of an input
    that holds no picture where others do. Raises ``CatalogError`` when
    an input does not exist or when there is no picture at all.
    """
    named = [os.fspath(item) for item in inputs]
    skipped = skipped_folder(out)
    found: dict[str, InputFile] = {}
    empty = []
    for item in named:
        before = None
        for before in expand_path(item, skipped, cutouts):
            found.setdefault(before.key, before)
        if before is None:
            empty.append(item)
    stems = output_names((source.stem for source in found.values()), named, skipped)
    tell_empty(empty, tell)
    return tuple(replace(source, stem=stem) for source, stem in zip(found.values(), stems, strict=True))


def tell_empty(items: Iterable[str], tell: TellInput) -> None:
    """Say of each of these inputs, written without secrets, that it holds no picture."""
    for item in items:
        tell(f"There is no picture in {shown(item)}; the other inputs are done.")


def check_out(out: Path) -> None:
    """Raise ``CatalogError`` for an output folder among what a filter run wrote of its pictures."""
    folder = output_folder(Path(os.path.realpath(out)))
    if folder is not None:
        raise CatalogError(
            f"{shown(out)} lies in the {folder.name} of the filter run in {shown(folder.parent)}, where no other "
            "file belongs; choose a folder outside of it."
        )


def output_folder(path: Path) -> Path | None:
    """Return the nearest of a full path and the folders above it into which a filter run wrote; None where none did."""
    places = (place for place in (path, *path.parents) if place.name in OUTPUT_FOLDERS)
    return next((place for place in places if is_run(place.parent)), None)


def skipped_folder(out: Path | None) -> str | None:
    """Real path of the folder whose files are no inputs."""
    return None if out is None else os.path.realpath(out)


def output_names(relatives: Iterable[str], named: Sequence[str], skipped: str | None = None) -> list[str]:
    """Return unique output names. Raises ``CatalogError`` when there is no picture at all in the inputs ``named``.

    ``skipped`` is the real path of the output folder, whose files are no inputs.
    """
    names = _unique_names(relatives)
    if not names:
        suffixes = " ".join(sorted(PICTURE_SUFFIXES))
        where = ", ".join(map(shown, named)) or "nothing"
        inner = [] if skipped is None else [Path(os.path.realpath(item)) for item in named]
        if inner and all(path.is_relative_to(str(skipped)) for path in inner):
            raise CatalogError(f"{where} lies in the output folder, whose files are no inputs; choose another one.")
        raise CatalogError(f"There is no picture ({suffixes}) in {where}; name files or folders that hold some.")
    return names


def expand_path(item: str, skipped: str | None, cutouts: bool = False) -> Iterator[InputFile]:
    """Yield the pictures that one input names, each with its path below it for an output name; see
    :func:`collect_inputs`.
    """
    # A name that exists is taken literally first: "shoe [1].jpg" is a file, not a pattern.
    if os.path.lexists(item):
        yield from _search(item, skipped, cutouts)
    elif glob.has_magic(item):
        for match in sorted(glob.glob(item, recursive=True)):
            if os.path.isdir(match) or is_picture_name(match):
                yield from _search(match, skipped, cutouts)
    else:
        raise CatalogError(f"{shown(item)} does not exist; check the path.")


def _search(item: str, skipped: str | None, cutouts: bool) -> Iterator[InputFile]:
    if not os.path.isdir(item):
        if not _is_inside(os.path.realpath(item), skipped):
            yield _found(item, os.path.basename(item))
        return
    if not os.access(item, os.R_OK | os.X_OK):
        raise CatalogError(f"The folder {shown(item)} may not be read; give yourself permission on it.")
    if cutouts and is_run(item):
        item = os.path.join(item, CUTOUTS)
        if not os.path.isdir(item):
            raise CatalogError(f"The run in {shown(os.path.dirname(item))} has no cut-outs: it found no product.")
    visited: set[str] = set()
    refused: list[OSError] = []
    for folder, subfolders, files in os.walk(item, onerror=refused.append, followlinks=True):
        real = os.path.realpath(folder)
        # Linked folders are followed, so a loop of links comes back to a folder already visited.
        if real in visited or _is_inside(real, skipped):
            subfolders.clear()
            continue
        if RUN_LEDGER in files and folder != item and is_run(folder):
            subfolders[:] = [CUTOUTS] if cutouts and CUTOUTS in subfolders else []
            continue
        visited.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        inside = _found(folder, os.path.relpath(folder, item))
        # Joined as text: paths as objects would take most of the time that a large folder needs.
        above, below = _beginning(inside.name, os.sep), _beginning(inside.stem, "/")
        for name in sorted(files):
            if is_picture_name(name):
                yield InputFile(above + name, below + name)
    # Its pictures must not be missed in silence: a folder that may not be read is listed as an unreadable picture is.
    for error in refused:
        if not _is_inside(os.path.realpath(error.filename), skipped):
            yield _found(error.filename, os.path.relpath(error.filename, item))


def is_local(key: str) -> bool:
    """Whether a ledger's key is the path of a file of this machine, by its text alone.

    A network path that is only looked at sends the user's credentials, on Windows.
    """
    return "://" not in key and not key.startswith(("//", "\\\\"))


def is_output(name: object) -> bool:
    """Whether ``name`` may be that of a picture's output: in one of the folders that hold nothing else."""
    return is_plain(name) and str(name).split("/")[0] in OUTPUT_FOLDERS


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds the output of ``filter``, by its ledger's first line."""
    try:
        return read_header(os.path.join(folder, RUN_LEDGER)).get("program") == RUN_PROGRAM
    except OSError:
        return False


def _found(path: str, relative: str) -> InputFile:
    return InputFile(os.fspath(Path(path)), PurePath(relative).as_posix())


def _beginning(folder: str, separator: str) -> str:
    """Return what the paths of a folder's files begin with."""
    if folder == os.curdir:
        return ""
    return folder if folder.endswith(separator) else folder + separator


def is_picture_name(path: str) -> bool:
    """Whether a file found in a folder counts as a picture: by its suffix, and not hidden."""
    name = os.path.basename(path)
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES


def _is_inside(real: str, folder: str | None) -> bool:
    return folder is not None and (real == folder or real.startswith(folder.rstrip(os.sep) + os.sep))


def _unique_names(relatives: Iterable[str]) -> list[str]:
    """Output names: the stem; on a clash the stem with its old suffix (``a_png``), then with a number."""
    taken: set[str] = set()
    names = []
    for relative in relatives:
        path, suffix = posixpath.splitext(relative)
        folder, last = posixpath.split(path)
        stem = posixpath.join(folder, shortened(last, _LONGEST_STEM))
        ending = suffix.lower().removeprefix(".")
        name = stem
        if ending and same_name(name) in taken:
            name = f"{stem}_{ending}"
        number = 2
        while same_name(name) in taken:
            name = f"{stem}_{number}"
            number += 1
        taken.add(same_name(name))
        names.append(name)
    return names
