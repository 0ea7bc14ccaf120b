"""The run's memory: a journal from which an interrupted run is resumed.

The first line names the program and the run's settings; each further line is one finished picture, written before the
next one begins and after all outputs of its own are in place.

In memory is only where each picture's line begins: a long run takes no more memory than a short one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.inputs import RUN_LEDGER, RUN_PROGRAM, Stamp, check_out, is_local, is_output
from lib_photoshoot.catalog.replacement import recover, remove
from lib_photoshoot.catalog.urls import PictureSource
from lib_photoshoot.confined import inside, is_plain
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.file_names import with_ending
from lib_photoshoot.files import remove_parts, shown
from lib_photoshoot.journal import SPOILED, ForeignError, Journal, is_begun, json_line, read_lines
from lib_photoshoot.results import OutlineSource

LEDGER_NAME = RUN_LEDGER
WITHDRAWN = "withdrawn"
"""Where the outputs go whose picture is gone: nobody takes them for the run's, and nothing is lost."""
_PROGRAM = RUN_PROGRAM
_VERSION = 1
_BEGINNING = b'{"file":"'
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Record:
    """One finished picture: where it came from, what was written, and its entry in the report.

    ``outputs`` are paths relative to the output folder; ``annotations`` are COCO annotations without ids. ``version``
    is what a URL's file system tells besides the size; local files have none.
    """

    file: str
    stem: str
    size: int
    mtime_ns: int
    outputs: tuple[str, ...]
    entry: dict[str, Any]
    annotations: tuple[dict[str, Any], ...] = ()
    note: str | None = None
    version: str | None = None

    @property
    def stamp(self) -> Stamp:
        """The version of the source that was worked on."""
        return Stamp(self.size, self.mtime_ns, self.version)

    @property
    def corrected(self) -> int:
        """How often a person has corrected the picture's outlines."""
        return times_corrected(self.entry)

    @property
    def drawn_by_hand(self) -> bool:
        """Whether a person drew or removed one of the outlines."""
        sources = ((region.get("outline") or {}).get("source") for region in self.entry["regions"])
        return self.corrected > 0 or OutlineSource.HAND.value in sources

    def output_in(self, folder: str) -> str:
        """Return the first output in a folder; empty where there is none. Not all are named by the ``stem``."""
        return next((name for name in self.outputs if name.startswith(f"{folder}/")), "")

    def to_line(self) -> bytes:
        """Return the record as a line of the ledger."""
        values = {name: value for name, value in self.__dict__.items() if name != "version" or value is not None}
        return json_line(values)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Read a record back. Raises ``KeyError``/``TypeError`` when a field is missing, ``ValueError`` for a path that
        is no output's.
        """
        values = {name: data[name] for name in cls.__dataclass_fields__ if name != "version"}
        values["version"] = data.get("version")
        outputs = tuple(values["outputs"])
        regions = values["entry"]["regions"]
        if any(len([float(side) for side in region["box"]]) != 4 for region in regions):
            raise ValueError("a record's box has not four sides")
        if not all(isinstance(region["product"], str) for region in regions):
            raise ValueError("a record's product has no name")
        if not all(isinstance(name, str) for region in regions for name in region.get("also", ())):
            raise ValueError("a record's product is also what has no name")
        if not all(isinstance(region["score"], (int, float)) for region in regions if region["score"] is not None):
            raise ValueError("a record's score is no number")
        masks = [name for region in regions for name in (region["mask"], region.get("correction")) if name is not None]
        if not is_plain(values["stem"]) or not all(map(is_output, (*outputs, *masks))):
            raise ValueError("a record names a path that no run has written")
        return cls(**{**values, "outputs": outputs, "annotations": tuple(values["annotations"])})


def times_corrected(entry: Mapping[str, Any]) -> int:
    """How often a person has corrected the picture of a report's entry."""
    times = entry.get("corrected", 0)
    return times if type(times) is int and times > 0 else 0


def _header(settings: Mapping[str, Any]) -> bytes:
    """First line of a ledger for a run with these settings (JSON values)."""
    return json_line({"program": _PROGRAM, "version": _VERSION, "settings": settings}, sort_keys=True)


def _not_this_run(path: Path, first: bytes) -> CatalogError:
    """Return what is said of a ledger with another first line."""
    try:
        ours = first.endswith(b"\n") and json.loads(first).get("program") == _PROGRAM
    except (ValueError, AttributeError):
        ours = False
    if not ours:
        return CatalogError(f"{shown(path)} is not a ledger of this program; choose another output folder.")
    return CatalogError(
        f"{shown(path)} belongs to a run with other products or settings; repeat those, or choose another output "
        "folder."
    )


def _places(lines: Iterator[tuple[int, bytes]]) -> dict[str, int]:
    """Where each source's last record begins, by the source."""
    places = {}
    for place, line in lines:
        with suppress(*SPOILED):
            places[file_of(line)] = place
    return places


def file_of(line: bytes) -> str:
    """Return the source of a record's line; the rest of the line is read when it is needed. Raises ``SPOILED``."""
    if line.startswith(_BEGINNING):
        return _DECODER.raw_decode(line.decode("ascii"), len(_BEGINNING) - 1)[0]
    return json.loads(line)["file"]


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a ledger, in the order of its lines. Raises OSError as it comes."""
    for _, line in read_lines(path):
        with suppress(*SPOILED):
            yield Record.from_json(json.loads(line))


def current_records(path: Path) -> Iterator[Record]:
    """Of each picture of a ledger its last record, where it still has one. Raises OSError as it comes."""
    places = _places(read_lines(path))
    with open(path, "rb") as file:
        for place in places.values():
            file.seek(place)
            with suppress(*SPOILED):
                yield Record.from_json(json.loads(file.readline()))


def _free(path: Path) -> Path:
    """Return the path, with a number where it is taken."""
    free, number = path, 2
    while free.exists():
        free, number = with_ending(path, f" ({number})"), number + 1
    return free


def _check_folder(out: Path, path: Path, header: bytes, resume: bool) -> None:
    check_out(out)
    out.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        if is_begun(path, header) and not resume:
            raise CatalogError(
                f"{shown(out)} already holds a run; add --resume to go on with it, or choose another folder."
            )
    elif any(out.iterdir()):
        raise CatalogError(f"{shown(out)} is not empty and holds no run of this program; choose another output folder.")


class Ledger(Journal):
    """An open ledger; use it as a context manager."""

    def __init__(self, out: Path, settings: Mapping[str, Any], resume: bool) -> None:
        """Create the output folder or check an existing one. Raises ``CatalogError`` when it cannot be used."""
        self.out = out
        path, header = out / LEDGER_NAME, _header(settings)
        try:
            _check_folder(out, path, header, resume)
            super().__init__(path, header)
            self._places = _places(self.lines())
            remove_parts(out)
            self._owned: Counter[str] | None = None
            recover(out, self._owned_names)
        except ForeignError as error:
            raise _not_this_run(path, error.first) from error
        except BlockingIOError as error:
            raise CatalogError(
                f"Another run is writing to {shown(out)}; wait for it or choose another folder."
            ) from error
        except OSError as error:
            raise CatalogError(
                f"The output folder {shown(out)} cannot be used ({error.strerror}); choose another one."
            ) from error

    def __len__(self) -> int:
        """How many sources have a record."""
        return len(self._places)

    def get(self, key: str) -> Record | None:
        """Return the record of a source by its key, where there is one and a crash of the file system has not spoiled
        it.
        """
        place = self._places.get(key)
        if place is None:
            return None
        try:
            record = Record.from_json(json.loads(self.line_at(place)))
        except SPOILED:
            return None
        return record if record.file == key else None

    def find(self, source: PictureSource) -> Record | None:
        """Return the record of a source that need not be done again: unchanged, same name, all outputs still there.

        One with an outline that somebody drew by hand stands as long as the source is not another picture now.
        """
        record = self.get(source.key)
        if record is None:
            return None
        try:
            unchanged = source.stamp() == record.stamp
        except OSError:
            return record if record.drawn_by_hand else None
        if record.drawn_by_hand:
            return record if unchanged else None
        if record.stem != source.stem:
            return None
        return record if unchanged and all(os.path.isfile(f"{self.out}/{name}") for name in record.outputs) else None

    def add(self, record: Record) -> None:
        """Append and sync one record; raises ``OSError`` and leaves no part of a line when the disk is full.

        Then removes what an earlier version of the picture left and this one did not write.
        """
        stale = self.get(record.file)
        owned = None if stale is None else self._owned_names()
        self._places[record.file] = self.append(record.to_line())
        if self._owned is not None:
            self._owned.update(record.outputs)
        if stale is not None and owned is not None:
            remove(self.out, self._given_up(stale, owned))

    def withdraw(self, key: str) -> bool:
        """Move the outputs of a picture that is gone, or can no longer be read, to ``withdrawn``; forget its record.

        An outline that somebody drew by hand stays. Returns whether there was a record to forget. Raises OSError.
        """
        stale = self.get(key)
        return stale is not None and not stale.drawn_by_hand and self._withdraw(stale)

    def withdraw_correction(self, key: str) -> bool:
        """:meth:`withdraw` an outline that somebody drew by hand on what has become another picture. Raises OSError."""
        stale = self.get(key)
        return stale is not None and stale.drawn_by_hand and self._withdraw(stale)

    def _withdraw(self, stale: Record) -> bool:
        owned = self._owned_names()
        self.append(json_line({"file": stale.file, WITHDRAWN: True}))
        del self._places[stale.file]
        for name in self._given_up(stale, owned):
            with suppress(FileNotFoundError, CatalogError):
                source, target = inside(self.out, name), _free(inside(self.out, f"{WITHDRAWN}/{name}"))
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
        return True

    def withdraw_gone(self) -> int:
        """:meth:`withdraw` each picture whose file is no longer there, and return how many those are."""
        local = (key for key in list(self._places) if is_local(key))
        return sum(self.withdraw(key) for key in local if not os.path.lexists(key))

    def _owned_names(self) -> Counter[str]:
        """How many records name each output."""
        if self._owned is None:
            records = (self.get(key) for key in self._places)
            self._owned = Counter(name for record in records if record is not None for name in record.outputs)
        return self._owned

    @staticmethod
    def _given_up(stale: Record, owned: Counter[str]) -> Iterator[str]:
        """Yield the outputs of a superseded record that no other one names.

        A name may have passed to another picture meanwhile, for example when a file of the same stem went away.
        """
        for name in stale.outputs:
            owned[name] -= 1
            if owned[name] <= 0:
                yield name


class Records(Sequence[Record]):
    """Records of an open ledger, read one by one as they are asked for, in the order of ``keys``."""

    def __init__(self, ledger: Ledger, keys: Sequence[str]) -> None:
        self.ledger = ledger
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: Any) -> Any:
        record = self.ledger.get(self.keys[index])
        if record is None:
            raise CatalogError(f"{shown(self.ledger.path)} was changed by another program; run again with --resume.")
        return record
