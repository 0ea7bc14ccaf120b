"""``exported.jsonl``: what ``export`` has written into a folder, which is known by it; one line a picture.

A person's decisions about the pictures lie beside it, in the same journal as a run's. Each is about a file's content:
one that was exported anew, or changed by hand, has to be decided anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePath
from typing import Any

from lib_photoshoot.catalog.decisions import KeptHands, read_decisions
from lib_photoshoot.confined import inside, is_plain, stays_inside
from lib_photoshoot.consistency.traits import traits_from_json, traits_to_json
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.exporter import ExportedPicture
from lib_photoshoot.export.profile import FORMATS, Profile
from lib_photoshoot.export.shop.tables import ShopPicture
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.journal import SPOILED, ForeignError, append_when_free, json_line, read_header, read_lines
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.results import Doubt

EXPORTED_NAME = "exported.jsonl"
_PROGRAM = "product-photoshoot exports"
_HEADER = json_line({"program": _PROGRAM, "version": 1})
LARGEST_FILE = 256 << 20
"""Bytes of a picture; a larger one is none that a channel takes, and is not read."""
_LONGEST_TEXT, _MOST_FINDINGS = 4_000, 100


@dataclass(frozen=True)
class ExportedFile:
    """A picture that was exported: its ``file`` below the folder with forward slashes, its content's sha256, and the
    file's bytes and time (ns) then.

    ``channel`` is the profile's name and ``title`` the channel's; ``missed`` are the rules that it misses, in words,
    and ``doubts`` the codes of what speaks against its outline. ``traits`` are what it is compared by, as
    :func:`~lib_photoshoot.consistency.traits.traits_to_json` has them; earlier releases wrote none.
    """

    file: str
    digest: str
    bytes: int
    modified: int
    channel: str
    title: str
    width: int
    height: int
    product: str = ""
    sku: str = ""
    source: str = ""
    made_from: str = ""
    cut_off: bool = False
    missed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    traits: Mapping[str, Any] = field(default_factory=dict)


def record_of(
    picture: ShopPicture, exported: ExportedPicture, profile: Profile, doubts: tuple[str, ...]
) -> ExportedFile:
    """Return the record of a picture that has just been written."""
    return ExportedFile(
        file=picture.file.as_posix(),
        digest=exported.digest,
        bytes=exported.bytes,
        modified=exported.path.stat().st_mtime_ns,
        channel=profile.name,
        title=profile.title,
        width=exported.width,
        height=exported.height,
        product=picture.product,
        sku=picture.sku,
        source=picture.source,
        made_from=picture.made_from,
        cut_off=exported.cut_off,
        missed=tuple(map(str, exported.missed)),
        doubts=doubts,
        traits=traits_to_json(exported.traits),
    )


def is_export(folder: Path) -> bool:
    """Whether ``export`` wrote into a folder, since it leaves word of that."""
    with suppress(OSError):
        return not (folder / EXPORTED_NAME).is_symlink() and (
            read_header(folder / EXPORTED_NAME).get("program") == _PROGRAM
        )
    return False


def read_records(
    folder: Path, take: Callable[[ExportedFile], object], start: int = 0, drop: Callable[[str], object] = lambda _: None
) -> int:
    """Hand on the records from a place in the file on, later ones in place of earlier; returns where the last ends.

    ``drop`` hears of files that are none of the channel's any more: whoever exported them has moved them away.

    Spoiled lines, and those of a strange folder that name no picture in it, are passed over. Raises ExportError where
    the file is none of ours, CatalogError where it is a link that leads away, and OSError as it comes.
    """
    path, end = inside(folder, EXPORTED_NAME), start
    try:
        for place, line in read_lines(path, _HEADER, start):
            end = place + len(line)
            if (record := _record(line)) is not None:
                take(record)
            elif (gone := _gone(line)) is not None:
                drop(gone)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except ForeignError as error:
        raise _foreign(path) from error
    return end


class ExportJournal:
    """What is exported into a folder now, and what a person decided there before about the same pictures."""

    def __init__(self, folder: Path, decisions: bool = True) -> None:
        """Read what stands there. Raises ExportError, CatalogError; nobody has decided any without ``decisions``."""
        self._folder = folder
        self._records: dict[str, ExportedFile] = {}
        self._hands = KeptHands()
        try:
            read_records(folder, self._take, drop=self._drop)
            if decisions and is_export(folder):
                read_decisions(folder, self._hands.decision_line)
        except OSError as error:
            raise ExportError(
                f"What was exported into {shown(folder)} before cannot be read ({error.strerror}); check permissions."
            ) from error

    def hand(self, exported: ExportedPicture) -> Hand | None:
        """Return what a person decided about a picture with this content."""
        return self.hand_about(PurePath(exported.path.relative_to(self._folder)).as_posix(), exported.digest)

    def hand_about(self, file: str, digest: str) -> Hand | None:
        """Return what a person decided about a file with the content of that sha256."""
        self._hands.is_now(file, state_of(digest))
        return self._hands.get(file)

    def known(self, file: str) -> ExportedFile | None:
        """Return the record of a file, None where there is none."""
        return self._records.get(file)

    def files(self) -> list[str]:
        """Return the files that have a record."""
        return list(self._records)

    def forget(self, file: str) -> None:
        """Say that a file is none of the channel's any more. Raises ExportError."""
        if file in self._records:
            self._append({"gone": file})
            self._drop(file)

    def add(self, record: ExportedFile) -> None:
        """Keep a record, unless it stands there. Raises ExportError; the picture is whole then."""
        if self._records.get(record.file) == record:
            return
        self._append({"picture": asdict(record)})
        self._take(record)

    def _append(self, value: Mapping[str, Any]) -> None:
        path = self._folder / EXPORTED_NAME
        try:
            append_when_free(path, _HEADER, lambda: [json_line(value)])
        except (BlockingIOError, FileExistsError) as error:
            raise ExportError(f"Another program holds {shown(path)}; end it and export again.") from error
        except ForeignError as error:
            raise _foreign(path) from error
        except OSError as error:
            raise ExportError(writing_failed(self._folder, error, "export again")) from error

    def _take(self, record: ExportedFile) -> None:
        self._records[record.file] = record

    def _drop(self, file: str) -> None:
        self._records.pop(file, None)


def state_of(digest: str) -> str:
    """Return the part of a content's sha256 that decisions name."""
    return digest[:16]


def digest_in(folder: Path, record: ExportedFile, known: bool = True) -> str:
    """Return the sha256 of the file's content now; "" where it is gone, a link, or larger than pictures are.

    A file with the bytes and time of its record is taken to be the same where that is ``known``, and is not opened: who
    does that looks where it lies.
    """
    path = folder / record.file
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
            return ""
        if known and (status.st_size, status.st_mtime_ns) == (record.bytes, record.modified):
            return record.digest
        if not stays_inside(folder, path):
            return ""
        with open(path, "rb") as file:
            return _digest(iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return ""


def _digest(pieces: Iterator[bytes]) -> str:
    sha = hashlib.sha256()
    for piece in pieces:
        sha.update(piece)
    return sha.hexdigest()


def _record(line: bytes) -> ExportedFile | None:
    """Return the record in a line; None for a spoiled one, or one of a strange folder that cannot be shown."""
    with suppress(*SPOILED):
        return _checked(json.loads(line)["picture"])
    return None


def _gone(line: bytes) -> str | None:
    """Return the file that a line says is the channel's no more; None for a line that says something else."""
    with suppress(*SPOILED):
        file = json.loads(line)["gone"]
        return file if isinstance(file, str) else None
    return None


def _checked(values: Mapping[str, Any]) -> ExportedFile | None:
    known = {one.name: values[one.name] for one in fields(ExportedFile) if one.name != "traits"}
    for name, value in known.items():
        if name in ("missed", "doubts"):
            if not isinstance(value, list) or len(value) > _MOST_FINDINGS or not all(map(_is_text, value)):
                return None
            known[name] = tuple(Doubt(code).value for code in value) if name == "doubts" else tuple(value)
        elif name == "cut_off":
            known[name] = bool(value)
        elif name in ("bytes", "modified", "width", "height"):
            if type(value) is not int or not 0 <= value < 1 << 63:
                return None
        elif not _is_text(value):
            return None
    # Read and written again: whatever is no trait is left out.
    record = ExportedFile(**known, traits=traits_to_json(traits_from_json(values.get("traits"))))
    return record if is_plain(record.file) and PurePath(record.file).suffix in FORMATS.values() else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT


def _foreign(path: Path) -> ExportError:
    return ExportError(f"{shown(path)} is no record of exports of this program; move it away.")
