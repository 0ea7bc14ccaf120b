"""Deciding by hand about a run's pictures: what the served page asks for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.decisions import ChosenPicture, chosen_from, write_decisions
from lib_photoshoot.catalog.growing import GrowingRun, is_run
from lib_photoshoot.catalog.page import PAGE_NAME, id_of, page_chunks, page_head, write_page
from lib_photoshoot.catalog.report import rewrite_reports
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown
from lib_photoshoot.pages.application import CHANGES, DECIDE, picture_in
from lib_photoshoot.pages.hands import item_fields

__all__ = ["ReviewedRun", "is_run"]
_LIVE = ("title", "heading", "lead", "shows", "products")
"""Fields of the page that are others when a run has gone on."""


class ReviewedRun:
    """A run's folder under review, finished or not; methods may be called from several threads."""

    def __init__(self, out: Path) -> None:
        """Open a run. Raises CatalogError where there is none that can be read."""
        self.decided = 0
        self._out = out
        self._lock = threading.Lock()
        self._ended = False
        self._run = GrowingRun(out)

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises CatalogError."""
        with self._lock:
            self._run.update()
            served = {"decide": DECIDE, "changes": _address(self._run.stamp)}
            try:
                hands = self._run.hands.all()
                return page_chunks(self._out, self._run.document, self._run.records, served, hands, embed=False)
            except OSError as error:
                raise self._run.unread(error) from error

    def changes(self, since: str) -> dict[str, Any]:
        """Return what is new since the page was made or asked last. Raises CatalogError."""
        with self._lock:
            self._run.update()
            news = self._run.since(since)
            answer = {"changes": _address(news["stamp"]), "items": news["items"], "gone": news["gone"]}
            if news["records"]:
                head = page_head(self._run.document, self._run.records, {})
                answer["page"] = {name: head[name] for name in _LIVE}  # type: ignore[literal-required]
            return answer

    def picture(self, name: str) -> Path | None:
        """Return a file of the run by its name; None for anything else."""
        with self._lock:
            if not self._run.has_file(name):
                self._run.update()
            if not self._run.has_file(name):
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
        """Write decisions into the run's folder, all or none, also while the run goes on. Raises CatalogError."""
        with self._lock:
            if self._ended:
                raise CatalogError("This review has ended; start it again, and open the address that it prints.")
            self._run.update()
            for one in chosen:
                if not self._run.knows(one.file):
                    raise CatalogError(f"{shown(self._out)} has no picture {shown(one.file)}; load the page again.")
            write_decisions(self._out, lambda: self._new_lines(chosen))
            self.decided += len(chosen)
            self._run.update()
            hands = [(one.file, self._run.hands.get(one.file)) for one in chosen]
        return {"shots": [{"id": id_of(file), **item_fields(hand)} for file, hand in hands], "products": []}

    def _new_lines(self, chosen: Sequence[ChosenPicture]) -> list[bytes]:
        self._run.update()  # somebody else may have decided meanwhile
        return self._run.hands.lines(chosen)

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True

    def write_report(self) -> None:
        """Write the files ``report.html``, ``report.json`` and ``report.csv`` anew. Raises CatalogError."""
        with self._lock:
            self._run.update()
            try:
                write_page(self._out, self._run.document, self._run.records)
                rewrite_reports(self._out, self._run.document, self._run.records)
            except OSError as error:
                raise CatalogError(
                    f"{shown(self._out / PAGE_NAME)} cannot be written ({error.strerror}), though the decisions are "
                    "kept; make room or correct it, and review the run again."
                ) from error


def _address(stamp: str) -> str:
    return f"{CHANGES}?since={stamp}"
