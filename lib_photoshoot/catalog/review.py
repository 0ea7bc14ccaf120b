"""Deciding by hand about a run's pictures: what the served page asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.decisions import ChosenPicture, append_hands, chosen_from
from lib_photoshoot.catalog.inputs import RUN_PROGRAM
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.catalog.page import PAGE_NAME, REPORTS, id_of, item_of, page_chunks, write_page
from lib_photoshoot.catalog.report import report_document
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.journal import read_header
from lib_photoshoot.pages.application import DECIDE, picture_in


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
        self.decided = 0
        self._out = out
        self._lock = threading.Lock()
        self._ended = False
        self._stamp: object = None
        self._read_to = 0
        self._read()

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises CatalogError."""
        with self._lock:
            self._read()
            try:
                return page_chunks(self._out, self._document, self._records, DECIDE, embed=False)
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

    def found(self, file: object) -> tuple[Path, list[Path]]:
        """Return the picture that a record's ``file`` names, wherever that lies, and the masks of its products.

        Raises CatalogError where there is none.
        """
        with self._lock:
            self._read()
            record = next((record for record in self._records if record.file == file), None)
        if record is None:
            raise CatalogError(f"{shown(self._out)} has no picture {shown(str(file))}; load the page again.")
        return Path(record.file), [inside(self._out, one["mask"]) for one in record.entry["regions"] if one["mask"]]

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
            now = _stamps(self._out)
            if begin == self._read_to and _size(now) == begin + length:  # nobody else has written anything
                self._stamp, self._read_to = now, begin + length
        return {"shots": [{"id": id_of(one.file), "by_hand": one.decision} for one in chosen], "products": []}

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True

    def write_report(self) -> None:
        """Write the file ``report.html`` anew. Raises CatalogError."""
        with self._lock:
            self._read()
            try:
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
        self._document = report_document(products, others, unreadable)
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
