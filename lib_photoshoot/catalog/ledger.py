"""The run's memory: an append-only file of JSON lines, from which an interrupted run is resumed.

The first line names the program and the run's settings; each further line is one finished picture. A line is synced
to the disk before the next picture begins, and is written only after all outputs of its picture are in place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lib_photoshoot.catalog.appended_file import AppendedFile, remove_parts
from lib_photoshoot.catalog.inputs import InputFile
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.images import shown

LEDGER_NAME = "ledger.jsonl"
_PROGRAM = "product-photoshoot"
_VERSION = 1


@dataclass(frozen=True)
class Record:
    """One finished picture: where it came from, what was written, and its entry in the report.

    ``outputs`` are paths relative to the output folder; ``annotations`` are COCO annotations without ids.
    """

    file: str
    stem: str
    size: int
    mtime_ns: int
    outputs: tuple[str, ...]
    entry: dict[str, Any]
    annotations: tuple[dict[str, Any], ...] = ()
    note: str | None = None

    def to_line(self) -> bytes:
        """The record as one JSON line; ASCII only, so that any file name survives."""
        return json.dumps(self.__dict__, separators=(",", ":")).encode("ascii") + b"\n"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Raises ``KeyError``/``TypeError`` when a field is missing."""
        values = {name: data[name] for name in cls.__dataclass_fields__}
        return cls(**{**values, "outputs": tuple(values["outputs"]), "annotations": tuple(values["annotations"])})


def header_line(settings: Mapping[str, Any]) -> bytes:
    """First line of a ledger for a run with these settings (JSON values)."""
    header = {"program": _PROGRAM, "version": _VERSION, "settings": settings}
    return json.dumps(header, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"


def parse_ledger(data: bytes, header: bytes, where: str) -> tuple[list[Record], int]:
    """Finished records and the number of leading bytes that are whole lines.

    A torn last line is left out; a header that was itself torn counts as an empty ledger. Raises ``CatalogError``
    for a ledger with other settings or of another program.
    """
    end = data.rfind(b"\n") + 1
    if end == 0:
        if header.startswith(data):
            return [], 0
        raise CatalogError(f"{where} is not a ledger of this program; choose another output folder.")
    first, *lines = data[:end].split(b"\n")[:-1]
    if first + b"\n" != header:
        try:
            ours = json.loads(first).get("program") == _PROGRAM
        except (ValueError, AttributeError):
            ours = False
        if not ours:
            raise CatalogError(f"{where} is not a ledger of this program; choose another output folder.")
        raise CatalogError(
            f"{where} belongs to a run with other products or settings; repeat those, or choose another output folder."
        )
    records = []
    for line in lines:
        try:
            records.append(Record.from_json(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            # A line spoiled by a crash of the file system: its picture is done again.
            continue
    return records, end


class Ledger:
    """An open ledger; use it as a context manager. ``finished`` maps source file to its latest record."""

    def __init__(self, out: Path, settings: Mapping[str, Any], resume: bool) -> None:
        """Create the output folder or check an existing one. Raises ``CatalogError`` when it cannot be used."""
        self.out = out
        self.path = out / LEDGER_NAME
        header = header_line(settings)
        try:
            self._check(header, resume)
            self._file = AppendedFile(self.path)
            # Read under the lock: a run that has just ended may have added records since the check.
            records, end = parse_ledger(self._file.read(), header, shown(self.path))
            self._file.keep(end)
            if end == 0:
                self._file.append(header)
            remove_parts(out)
        except BlockingIOError as error:
            raise CatalogError(
                f"Another run is writing to {shown(out)}; wait for it or choose another folder."
            ) from error
        except OSError as error:
            raise CatalogError(
                f"The output folder {shown(out)} cannot be used ({error.strerror}); choose another one."
            ) from error
        self.finished: dict[str, Record] = {record.file: record for record in records}

    def _check(self, header: bytes, resume: bool) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        if self.path.is_file():
            _, end = parse_ledger(self.path.read_bytes(), header, shown(self.path))
            if end > 0 and not resume:
                raise CatalogError(
                    f"{shown(self.out)} already holds a run; add --resume to go on with it, or choose another folder."
                )
        elif any(self.out.iterdir()):
            raise CatalogError(
                f"{shown(self.out)} is not empty and holds no run of this program; choose another output folder."
            )

    def find(self, source: InputFile) -> Record | None:
        """The record of a source that need not be done again: unchanged, same name, all outputs still there."""
        record = self.finished.get(os.path.abspath(source.path))
        if record is None or record.stem != source.relative.as_posix():
            return None
        try:
            status = os.stat(source.path)
        except OSError:
            return None
        unchanged = (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns)
        return record if unchanged and all((self.out / name).is_file() for name in record.outputs) else None

    def add(self, record: Record) -> None:
        """Append and sync one record; raises ``OSError`` and leaves no part of a line when the disk is full."""
        self._file.append(record.to_line())
        self.finished[record.file] = record

    def replace(self, record: Record) -> None:
        """Like :meth:`add`; then removes what an earlier version of the picture left and this one did not write."""
        stale = self.finished.get(record.file)
        self.add(record)
        if stale is None:
            return
        # A name may have passed to another picture meanwhile, for example when a file of the same stem went away.
        owned = {name for other in self.finished.values() for name in other.outputs}
        for name in set(stale.outputs) - owned:
            with suppress(OSError):
                os.unlink(self.out / name)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
