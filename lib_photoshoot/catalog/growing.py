"""A run's folder as it is now, read on as it grows: what the page shows of it, and what has changed since."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, starmap
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.alike import compare_matches, members_of
from lib_photoshoot.catalog.decisions import DECISIONS_NAME, RunHands, is_hand, read_decisions
from lib_photoshoot.catalog.inputs import RUN_PROGRAM
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record
from lib_photoshoot.catalog.page import REPORTS, id_of, item_of, unreadable_item
from lib_photoshoot.catalog.report import report_document, with_added
from lib_photoshoot.confined import inside
from lib_photoshoot.consistency.sets import Member
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.journal import SPOILED, is_another, read_header, read_lines
from lib_photoshoot.pages.data import Item
from lib_photoshoot.pages.stamps import revision_seen

_MOST_AT_ONCE = 500
"""Items in one answer about changes."""
_SHOWS = (*SPOILED, IndexError, OverflowError)


class GrowingRun:
    """A run's records, decisions and unreadable files; not for several threads at once. ``fixable``: a server corrects.

    Every picture that is new or changed gets the next *revision*: whoever has seen the first n of them need only look
    at the others.
    """

    def __init__(self, out: Path) -> None:
        """Read a run. Raises CatalogError where there is none that can be read."""
        self.out = out
        self.fixable = False
        self._stamps: list[Any] = []
        self._begin()
        self.update()

    @property
    def stamp(self) -> str:
        """Tells what :meth:`since` need not tell any more."""
        return f"{self._epoch}.{self._revision}"

    @property
    def records(self) -> list[Record]:
        """Return the records in the order of the report, those that it does not have yet behind."""
        return sorted(
            self._records.values(), key=lambda record: self._order.get(record.entry["file"], len(self._order))
        )

    @property
    def document(self) -> dict[str, Any]:
        """Return the report without its pictures."""
        products = [str(product["name"]) for product in self._settings["products"]]
        others = {name: value for name, value in self._settings.items() if name != "products"}
        return report_document(with_added(products, self._records.values()), others, self._unreadable)

    @property
    def settings(self) -> dict[str, Any]:
        """What the run was told: what the header of its ledger says."""
        return self._settings

    def numbered(self, number: int) -> Record | None:
        """Return the record of the picture with that number on the page; None without one."""
        return self._records.get(self._numbers.get(number, ""))

    def knows(self, file: str) -> bool:
        """Whether the run has a picture of that name."""
        return file in self._records

    def has_file(self, name: str) -> bool:
        """Whether a file of that name belongs to the page."""
        return name in REPORTS or self._files[name] > 0

    def item(self, file: str) -> Item:
        """Return a picture as the page shows it."""
        return item_of(self._records[file], self.hands.get(file), self.fixable, self.alike.of(file))

    def since(self, stamp: str) -> dict[str, Any]:
        """Return the items that are new or changed since a stamp, and the ids of those that are ``gone``.

        ``stamp`` is that of the answer, which does not hold all changes at once where there are very many.
        ``records`` says whether there is more to it than decisions.
        """
        after = revision_seen(stamp, self._epoch, -1)
        news = sorted((revision, file) for file, revision in self._changed.items() if revision > after)
        last = news[_MOST_AT_ONCE - 1][0] if len(news) > _MOST_AT_ONCE else self._revision
        failed = {one["file"]: one for one in self._unreadable}
        items, gone = [], []
        for _, file in news[:_MOST_AT_ONCE]:
            if file in self._records:
                items.append(self.item(file))
            elif file in failed:
                items.append(unreadable_item(failed[file]))
            else:
                gone.append(id_of(file))
        told = self._told > after
        return {"stamp": f"{self._epoch}.{last}", "items": items, "gone": gone, "records": told}

    def update(self) -> None:
        """Read on: a run may be going on in the folder. Raises CatalogError."""
        try:
            stamps = [stamp_of(self.out / name) for name in (LEDGER_NAME, DECISIONS_NAME, "report.json")]
            if stamps == self._stamps:
                return
            if self._is_another(stamps):
                self._begin()
            self._settings = _settings(self.out) or self._no_run()
            # The decisions first: what is decided about a line read later is read again then.
            touched = dict.fromkeys(self._read_decisions())
            worked_on = dict.fromkeys(self._read_ledger())
            if stamps[2] != (self._stamps or [None] * 3)[2]:
                worked_on |= dict.fromkeys(self._read_report())
        except OSError as error:
            raise self.unread(error) from error
        # Another picture may make one differ that did not, or the other way round.
        for file in touched | worked_on | (dict.fromkeys(self._compared()) if worked_on else {}):
            self._revision += 1
            self._changed[file] = self._revision
        if worked_on:
            self._told = self._revision
        self._stamps = stamps

    def unread(self, error: OSError) -> CatalogError:
        """Return what is said where the folder cannot be read."""
        return CatalogError(f"The run in {shown(self.out)} cannot be read ({error.strerror}); name a run's folder.")

    def _no_run(self) -> dict[str, Any]:
        raise CatalogError(f"{shown(self.out)} holds no run of the filter; name the output folder of one.")

    def _begin(self) -> None:
        self._epoch, self._revision, self._told = secrets.token_hex(4), 0, 0
        self._ledger_end = self._decisions_end = 0
        self._records: dict[str, Record] = {}
        self._numbers: dict[int, str] = {}
        self._names: dict[str, list[str]] = {}
        self._files: Counter[str] = Counter()
        self._changed: dict[str, int] = {}
        self._order: dict[str, int] = {}
        self._unreadable: list[dict[str, str]] = []
        self.hands = RunHands()
        self._members: dict[str, tuple[Member, ...]] = {}
        self.alike = compare_matches(())

    def _compared(self) -> Iterator[str]:
        """Compare the pictures anew; yields those of which other things are to be told now."""
        before, self.alike = self.alike, compare_matches(self._members.values())
        both = dict.fromkeys(chain(before.departures, self.alike.departures))
        return (file for file in both if file in self._records and before.of(file) != self.alike.of(file))

    def _is_another(self, stamps: Sequence[Any]) -> bool:
        """Whether one of the journals is not the one that was read so far, or was shortened."""
        ends = (self._ledger_end, self._decisions_end)
        pairs = zip(stamps[:2], self._stamps[:2], ends, strict=False)
        return any(starmap(is_another, pairs))

    def _read_decisions(self) -> Iterator[str]:
        touched: list[str | None] = []
        take = lambda line: touched.append(self.hands.decision_line(line))  # noqa: E731
        self._decisions_end = read_decisions(self.out, take, self._decisions_end)
        return (file for file in touched if file in self._records)  # type: ignore[misc]

    def _read_ledger(self) -> Iterator[str]:
        for place, line in read_lines(inside(self.out, LEDGER_NAME), None, self._ledger_end):
            self._ledger_end = place + len(line)
            file = self.hands.ledger_line(line)
            if isinstance(file, str):
                if not is_hand(line):
                    self._take(file, line)
                if file in self._changed or file in self._records:
                    yield file

    def _take(self, file: str, line: bytes) -> None:
        record = _record(line)
        names = None if record is None else _files_of(record)
        self._members.pop(file, None)
        if record is None or names is None:
            self._records.pop(file, None)
            names = []
        else:
            self._records[file] = record
            if (members := members_of(record)) is not None:
                self._members[file] = members
            self._numbers[id_of(file)] = file
        # Counted, since a name may have passed from one picture to another.
        self._files.subtract(self._names.pop(file, ()))
        self._files.update(names)
        self._names[file] = names

    def _read_report(self) -> Iterator[str]:
        before = {one["file"]: one["error"] for one in self._unreadable}
        self._order, self._unreadable = _report(self.out)
        after = {one["file"]: one["error"] for one in self._unreadable}
        return (file for file in {**before, **after} if before.get(file) != after.get(file))


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


def _record(line: bytes) -> Record | None:
    with suppress(*SPOILED):
        return Record.from_json(json.loads(line))
    return None


def _files_of(record: Record) -> list[str] | None:
    """Return the files that the page names of a picture; None for a record of a strange folder that cannot be shown."""
    with suppress(*_SHOWS):
        item = item_of(record, None)
        json.dumps(item, allow_nan=False)
        if not isinstance(record.file, str) or any(value < 0 for value in record.entry["seconds"].values()):
            return None
        views = chain((item,), item["views"])
        return [name for view in views for name in (view["file"], view["thumbnail"]) if name]
    return None
