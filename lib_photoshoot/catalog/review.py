"""Deciding by hand about a run's pictures: what the served page asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.decisions import ChosenPicture, append_hands, chosen_from, open_run, read_hands
from lib_photoshoot.catalog.inputs import RUN_PROGRAM
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.catalog.page import PAGE_NAME, REPORTS, id_of, item_of, page_chunks, write_page
from lib_photoshoot.catalog.replacement import recover, replace_files
from lib_photoshoot.catalog.report import report_document, with_added, write_reports
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, stamp_of, writing_failed
from lib_photoshoot.journal import read_header
from lib_photoshoot.pages.application import DECIDE, FIX, picture_in
from lib_photoshoot.pages.data import Item
from lib_photoshoot.pages.fixing import Fixing


def is_run(out: Path) -> bool:
    """Whether a folder holds a run of the filter."""
    try:
        return _settings(out) is not None
    except (OSError, CatalogError):
        return False


class ReviewedRun:
    """A run's folder under review, finished or not; methods may be called from several threads."""

    def __init__(self, out: Path) -> None:
        """Open a run. Raises CatalogError where there is none that can be read."""
        self.decided = self.corrected = 0
        self.fixing: Fixing | None = None
        self.out = self._out = out
        self._lock = threading.Lock()
        self._ended = False
        self._stamp: object = None
        self._records: list[Record] = []
        self._files: set[str] = set()
        self._read_to = 0
        self._read()

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises CatalogError."""
        with self._lock:
            self._read()
            try:
                fix = FIX if self.fixing else ""
                return page_chunks(self._out, self._document, self._records, DECIDE, embed=False, fix=fix)
            except OSError as error:
                raise self._unread(error) from error

    def picture(self, name: str) -> Path | None:
        """Return a file of the run by its name; None for anything else."""
        with self._lock:
            if name not in self._files:
                self._read()
            if name not in self._files:
                return None
        return picture_in(self._out, name)

    def chosen(self, values: Any) -> list[ChosenPicture]:
        """Decisions out of JSON. Raises CatalogError."""
        return chosen_from(values)

    def decide(self, chosen: Sequence[ChosenPicture]) -> dict[str, Any]:
        """Write decisions into the run's ledger, all or none. Raises CatalogError."""
        with self._lock:
            if self._ended:
                raise CatalogError("This review has ended; start it again, and open the address that it prints.")
            self._read()
            for one in chosen:
                if one.file not in self._known:
                    raise CatalogError(f"{shown(self._out)} has no picture {shown(one.file)}; load the page again.")
            try:
                begin, length = append_hands(inside(self._out, LEDGER_NAME), chosen)
            except OSError as error:
                raise CatalogError(
                    f"The decision could not be kept in {shown(self._out)} ({error.strerror}); correct it and decide "
                    "again."
                ) from error
            self.decided += len(chosen)
            self._wrote(begin, length)
        return {"shots": [{"id": id_of(one.file), "by_hand": one.decision} for one in chosen], "products": []}

    def settings(self) -> dict[str, Any]:
        """Return what the run was told: the header of its ledger. Raises CatalogError."""
        try:
            return _settings(self._out) or {}
        except OSError as error:
            raise self._unread(error) from error

    def record(self, number: int) -> Record:
        """Return the record of the picture with that number on the page. Raises CatalogError."""
        with self._lock:
            self._read()
            found = self._numbered(number)
        if found is None:
            raise CatalogError(f"{shown(self._out)} has no such picture any more; load the page again.")
        return found

    def replace(self, old: Record, new: Record, scratch: Path) -> Item:
        """Put a corrected record in the place of another, with its new files, which lie in ``scratch``; the decision
        stands. Returns the picture for the page. Raises CatalogError; then nothing has changed.
        """
        with self._lock:
            if self._ended:
                raise CatalogError("This review has ended; start it again, and open the address that it prints.")
            self._read()
            if self._numbered(id_of(old.file)) != old:
                raise CatalogError(f"{shown(old.entry['file'])} was changed meanwhile; load the page again.")
            kept = {name for record in self._records if record is not old for name in record.outputs}
            kept.update(new.outputs)
            fresh = [name for name in new.outputs if name not in old.outputs]
            stale = [name for name in old.outputs if name not in kept]
            ledger, line = inside(self._out, LEDGER_NAME), new.to_line()
            try:
                with open_run(ledger) as journal:
                    recover(self._out, lambda: {name for record in self._records for name in record.outputs})
                    begin = replace_files(self._out, journal, line, scratch, fresh, stale)
            except OSError as error:
                raise CatalogError(
                    writing_failed(self._out, error, "save the correction again; nothing was changed")
                ) from error
            self.corrected += 1
            self._records = [new if record.file == new.file else record for record in self._records]
            self._document["products"] = with_added(self._document["products"], [new])
            self._files.update(_files_of(new) or ())
            self._wrote(begin, len(line))
            hand = read_hands(ledger).get(new.file)
            return item_of(new, hand, fixable=True)

    def _numbered(self, number: int) -> Record | None:
        return next((record for record in self._records if id_of(record.file) == number), None)

    def _wrote(self, begin: int, length: int) -> None:
        """Take note of our own lines, so that the run need not be read anew, if nobody else has written anything."""
        now = _stamps(self._out)
        if begin == self._read_to and _size(now) == begin + length:
            self._stamp, self._read_to = now, begin + length

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True

    def write_report(self) -> None:
        """Write the file ``report.html`` anew, and after corrections the reports for programs. Raises CatalogError."""
        with self._lock:
            self._read()
            try:
                if self.corrected:
                    write_reports(self._out, self._document, self._records)
                write_page(self._out, self._document, self._records)
            except OSError as error:
                raise CatalogError(
                    f"{shown(self._out / PAGE_NAME)} cannot be written ({error.strerror}), though the decisions are "
                    "kept; make room or correct it, and review the run again."
                ) from error

    def _unread(self, error: OSError) -> CatalogError:
        return CatalogError(f"The run in {shown(self._out)} cannot be read ({error.strerror}); name a run's folder.")

    def _read(self) -> None:
        """Read what the folder holds at the moment: a run may be going on in it."""
        try:
            stamp = _stamps(self._out)
            if stamp == self._stamp:
                return
            settings = _settings(self._out)
            if settings is None:
                raise CatalogError(f"{shown(self._out)} holds no run of the filter; name the output folder of one.")
            order, unreadable = _report(self._out)
            files: dict[str, list[str]] = {}
            records = []
            for record in current_records(self._out / LEDGER_NAME):
                if (names := _files_of(record)) is not None:
                    files[record.file] = names
                    records.append(record)
        except OSError as error:
            raise self._unread(error) from error
        records.sort(key=lambda record: order.get(record.entry["file"], len(order)))
        products = [str(product["name"]) for product in settings["products"]]
        others = {name: value for name, value in settings.items() if name != "products"}
        self._document = report_document(with_added(products, records), others, unreadable)
        self._records = records
        self._files = {*REPORTS, *chain.from_iterable(files.values())}
        self._known = set(files)
        self._stamp, self._read_to = stamp, _size(stamp)


def _settings(out: Path) -> dict[str, Any] | None:
    """Return what a run's ledger says of its settings; None where it is of another program. Raises OSError,
    CatalogError.
    """
    header = read_header(inside(out, LEDGER_NAME))
    with suppress(KeyError, TypeError):
        settings = header["settings"]
        if header["program"] == RUN_PROGRAM and all(isinstance(one["name"], str) for one in settings["products"]):
            return settings
    return None


def _report(out: Path) -> tuple[dict[str, int], list[dict[str, str]]]:
    """Return the order of the pictures, and those that could not be read, as far as there is a report yet."""
    with suppress(OSError, CatalogError, ValueError, KeyError, TypeError, RecursionError):
        report = json.loads(inside(out, "report.json").read_text(encoding="utf-8"))
        order = {str(entry["file"]): number for number, entry in enumerate(report["images"])}
        return order, [{"file": str(one["file"]), "error": str(one["error"])} for one in report["unreadable"]]
    return {}, []


def _files_of(record: Record) -> list[str] | None:
    """Return the files that the page names of a picture; None for a record of a strange folder that cannot be shown."""
    try:
        item = item_of(record, None)
        json.dumps(item, allow_nan=False)
        if not isinstance(record.file, str) or any(value < 0 for value in record.entry["seconds"].values()):
            return None
        views = (item, *item["views"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError):
        return None
    return [name for view in views for name in (view["file"], view["thumbnail"]) if name]


def _stamps(out: Path) -> tuple[Any, Any]:
    """Return what changes whenever the ledger or the report does."""
    return stamp_of(out / LEDGER_NAME), stamp_of(out / "report.json")


def _size(stamps: tuple[Any, Any]) -> int:
    """Bytes of the ledger then."""
    return stamps[0][1] if stamps[0] else 0
