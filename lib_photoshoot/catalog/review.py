"""Deciding by hand about a run's pictures: what the served page asks for."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.decisions import Chosen, append_hands, chosen_from
from lib_photoshoot.catalog.inputs import RUN_PROGRAM
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.catalog.page import PAGE_NAME, REPORTS, id_of, item_of, page_chunks, write_page
from lib_photoshoot.catalog.report import report_document
from lib_photoshoot.confined import inside, stays_inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.journal import read_header
from lib_photoshoot.pages.application import DECIDE, MEDIA_TYPES


def is_run(out: Path) -> bool:
    """Whether a folder holds a run of the filter."""
    try:
        return _settings(out) is not None
    except (OSError, CatalogError):
        return False


class ReviewedRun:
    """A run's folder under review, finished or not; methods may be called from several threads."""

    def __init__(self, out: Path) -> None:
        """Raises CatalogError where there is no run that can be read."""
        self.decided = 0
        self._out = out
        self._lock = threading.Lock()
        self._ended = False
        self._stamp: object = None
        self._read()

    def page(self) -> Iterator[bytes]:
        """The page as it is now. Raises CatalogError."""
        with self._lock:
            self._read()
            try:
                return page_chunks(self._out, self._document, self._records, DECIDE, embed=False)
            except OSError as error:
                raise self._unread(error) from error

    def picture(self, name: str) -> Path | None:
        """A file of the run by its name; None for anything else."""
        with self._lock:
            if name not in self._files:
                self._read()
            if name not in self._files:
                return None
        path = self._out / name
        served = path.suffix in MEDIA_TYPES and stays_inside(self._out, path) and os.path.isfile(path)
        return path if served else None

    def chosen(self, values: Any) -> list[Chosen]:
        """Decisions out of JSON. Raises CatalogError."""
        return chosen_from(values)

    def decide(self, chosen: Sequence[Chosen]) -> dict[str, Any]:
        """Write decisions into the run's ledger, all or none. Raises CatalogError."""
        with self._lock:
            if self._ended:
                raise CatalogError("This review has ended; start it again, and open the address that it prints.")
            self._read()
            known = {record.file for record in self._records}
            for one in chosen:
                if one.file not in known:
                    raise CatalogError(f"{shown(self._out)} has no picture {shown(one.file)}; load the page again.")
            try:
                append_hands(inside(self._out, LEDGER_NAME), chosen)
            except OSError as error:
                raise CatalogError(
                    f"The decision could not be kept in {shown(self._out)} ({error.strerror}); correct it and decide "
                    "again."
                ) from error
            self.decided += len(chosen)
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
        """What the folder holds at the moment: a run may be going on in it."""
        try:
            stamp = stamp_of(self._out / LEDGER_NAME), stamp_of(self._out / "report.json")
            if stamp == self._stamp:
                return
            settings = _settings(self._out)
            if settings is None:
                raise CatalogError(f"{shown(self._out)} holds no run of the filter; name the output folder of one.")
            order, unreadable = _report(self._out)
            records = [one for one in current_records(self._out / LEDGER_NAME) if _can_be_shown(one)]
        except OSError as error:
            raise self._unread(error) from error
        records.sort(key=lambda record: order.get(record.entry["file"], len(order)))
        products = [str(product["name"]) for product in settings["products"]]
        others = {name: value for name, value in settings.items() if name != "products"}
        self._document = report_document(products, others, unreadable)
        self._records = records
        self._files = set(REPORTS) | {name for record in records for name in _files_of(record)}
        self._stamp = stamp


def _settings(out: Path) -> dict[str, Any] | None:
    """What a run's ledger says of its settings; None where it is of another program. Raises OSError, CatalogError."""
    header = read_header(inside(out, LEDGER_NAME))
    with suppress(KeyError, TypeError):
        settings = header["settings"]
        if header["program"] == RUN_PROGRAM and all(isinstance(one["name"], str) for one in settings["products"]):
            return settings
    return None


def _report(out: Path) -> tuple[dict[str, int], list[dict[str, str]]]:
    """The order of the pictures, and those that could not be read, as far as there is a report yet."""
    with suppress(OSError, CatalogError, ValueError, KeyError, TypeError, RecursionError):
        report = json.loads(inside(out, "report.json").read_text(encoding="utf-8"))
        order = {str(entry["file"]): number for number, entry in enumerate(report["images"])}
        return order, [{"file": str(one["file"]), "error": str(one["error"])} for one in report["unreadable"]]
    return {}, []


def _can_be_shown(record: Record) -> bool:
    """Whether a record has all that the page shows: the folder may be anybody's."""
    try:
        json.dumps(item_of(record, None), allow_nan=False)
        return isinstance(record.file, str) and all(value >= 0 for value in record.entry["seconds"].values())
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError):
        return False


def _files_of(record: Record) -> Iterator[str]:
    item = item_of(record, None)
    for view in (item, *item["views"]):
        yield from filter(None, (view["file"], view["thumbnail"]))
