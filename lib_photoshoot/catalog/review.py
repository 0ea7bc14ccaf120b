"""Deciding by hand about a run's pictures: what the served page asks for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.decisions import ChosenPicture, chosen_from, write_decisions
from lib_photoshoot.catalog.growing import GrowingRun
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.page import PAGE_NAME, id_of, page_chunks, page_head, write_page
from lib_photoshoot.catalog.replacement import clear_left, open_run, recover, replace_files
from lib_photoshoot.catalog.report import rewrite_reports
from lib_photoshoot.errors import CatalogError, MissingPictureError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.pages.application import CHANGES, DECIDE, ENHANCE, FIX, picture_in
from lib_photoshoot.pages.data import Item
from lib_photoshoot.pages.fixing import Fixing
from lib_photoshoot.pages.hands import item_fields

_LIVE = ("title", "heading", "lead", "shows", "products")
"""Fields of the page that are others when a run has gone on."""


class ReviewedRun:
    """A run's folder under review, finished or not; methods may be called from several threads."""

    def __init__(self, out: Path) -> None:
        """Open a run. Raises CatalogError where there is none that can be read."""
        self.decided = self.corrected = 0
        self.fixing: Fixing | None = None
        self.out = self._out = out
        self._lock = threading.Lock()
        self._ended = False
        self._run = GrowingRun(out)
        with suppress(OSError):
            clear_left(out)

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now. Raises CatalogError."""
        with self._lock:
            self._update()
            served = {"decide": DECIDE, "changes": _address(self._run.stamp), "fix": FIX if self.fixing else ""}
            served["enhance"] = ENHANCE if self.fixing is not None and self.fixing.enhances else ""
            try:
                hands = self._run.hands.all()
                return page_chunks(self._out, self._run.document, self._run.records, served, hands, embed=False)
            except OSError as error:
                raise self._run.unread(error) from error

    def changes(self, since: str) -> dict[str, Any]:
        """Return what is new since the page was made or asked last. Raises CatalogError."""
        with self._lock:
            self._update()
            news = self._run.since(since)
            answer = {"changes": _address(news["stamp"]), "items": news["items"], "gone": news["gone"]}
            if news["records"]:
                head = page_head(self._run.document, self._run.records, {}, self._run.alike)
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
                    raise MissingPictureError(f"{shown(self._out)} has no picture {shown(one.file)}")
            write_decisions(self._out, lambda: self._new_lines(chosen))
            self.decided += len(chosen)
            self._run.update()
            hands = [(one.file, self._run.hands.get(one.file)) for one in chosen]
        return {"shots": [{"id": id_of(file), **item_fields(hand)} for file, hand in hands], "products": []}

    def _new_lines(self, chosen: Sequence[ChosenPicture]) -> list[bytes]:
        self._run.update()  # somebody else may have decided meanwhile
        return self._run.hands.lines(chosen)

    def settings(self) -> dict[str, Any]:
        """Return what the run was told: the header of its ledger."""
        return self._run.settings

    def record(self, number: int) -> Record:
        """Return the record of the picture with that number on the page. Raises CatalogError."""
        with self._lock:
            self._update()
            found = self._run.numbered(number)
        if found is None:
            raise CatalogError(f"{shown(self._out)} has no such picture any more; load the page again.")
        return found

    def known(self, file: str) -> Record | None:
        """Return the record of a picture by its ``file``, None where there is none. Raises CatalogError."""
        with self._lock:
            self._update()
            return self._run.numbered(id_of(file))

    def replace(self, old: Record, new: Record, scratch: Path) -> Item:
        """Put a corrected record in the place of another, with its new files, which lie in ``scratch``; the decision
        stands. Returns the picture for the page. Raises CatalogError; then nothing has changed.
        """
        with self._lock:
            if self._ended:
                raise CatalogError("This review has ended; start it again, and open the address that it prints.")
            try:
                with open_run(self._out) as journal:
                    self._update()
                    if self._run.numbered(id_of(old.file)) != old:
                        raise CatalogError(f"{shown(old.entry['file'])} was changed meanwhile; load the page again.")
                    recover(self._out, self._owned)
                    held = Counter(self._owned())
                    held.subtract(old.outputs)
                    held.update(new.outputs)
                    fresh = [name for name in new.outputs if name not in old.outputs]
                    stale = [name for name in old.outputs if held[name] <= 0]
                    replace_files(self._out, journal, new.to_line(), scratch, fresh, stale)
            except OSError as error:
                again = "save the correction again; nothing was changed"
                raise CatalogError(writing_failed(self._out, error, again)) from error
            self.corrected += 1
            self._update()
            return self._run.item(new.file)

    def _owned(self) -> list[str]:
        return [name for record in self._run.records for name in record.outputs]

    def _update(self) -> None:
        self._run.fixable = self.fixing is not None
        self._run.update()

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True

    def write_report(self) -> None:
        """Write the files ``report.html``, ``report.json`` and ``report.csv`` anew. Raises CatalogError."""
        with self._lock:
            self._run.update()
            try:
                document, records, hands = self._run.document, self._run.records, self._run.hands.all()
                write_page(self._out, document, records, hands)
                rewrite_reports(self._out, document, records, hands)
            except OSError as error:
                raise CatalogError(
                    f"{shown(self._out / PAGE_NAME)} cannot be written ({error.strerror}), though the decisions are "
                    "kept; make room or correct it, and review the run again."
                ) from error


def _address(stamp: str) -> str:
    return f"{CHANGES}?since={stamp}"
