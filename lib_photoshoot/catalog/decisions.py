"""What a person decided about the pictures of a run: ``decisions.jsonl``, a journal of its own beside the ledger.

A run holds its ledger from its beginning to its end; a decision must not wait for that. So decisions have a file whose
lock is held for the moment of writing alone. Each line names the line of the ledger that it is about by its hash: a
picture that was worked on anew has another line there, and has to be decided anew. Older runs have their decisions as
lines of the ledger itself; those still count where the journal says nothing of the picture.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.ledger import LEDGER_NAME, file_of, times_corrected
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.journal import SPOILED, ForeignError, Journal, json_line, read_lines
from lib_photoshoot.pages.hands import Hand, hand_of, has_keys

DECISIONS_NAME = "decisions.jsonl"
_HEADER = json_line({"program": "product-photoshoot decisions", "version": 1})
_PATIENCE_S = 3.0
"""For how long another process's writing of a decision is waited for."""


@dataclass(frozen=True)
class ChosenPicture:
    """A decision about the picture of a record's ``file``; None withdraws an earlier one."""

    file: str
    hand: Hand | None

    @property
    def decision(self) -> str | None:
        """Whether the picture was accepted or rejected."""
        return self.hand.decision if self.hand else None


def chosen_from(values: Any) -> list[ChosenPicture]:
    """Decisions out of JSON: a list of objects with ``file``, ``decision``, and what :class:`Hand` has besides.

    Raises CatalogError.
    """
    if not isinstance(values, list):
        raise CatalogError("The decisions are no list; save them from the report again.")
    for item in values:
        if not has_keys(item, ("file",)) or not isinstance(item["file"], str):
            raise CatalogError("A decision needs exactly file, decision; save them from the report again.")
    return [ChosenPicture(item["file"], hand_of(item, CatalogError)) for item in values]


def is_hand(line: bytes) -> bool:
    """Whether a line of a ledger is a decision, as older versions wrote it there, and no record."""
    return line.startswith(b'{"hand":')


class RunHands:
    """The decisions about a run's pictures, as the lines of its ledger and of its journal of decisions tell them.

    They are about a picture as the filter worked on it. Who corrects its outlines has seen it: the decision stands, and
    one line of the ledger is enough for that.
    """

    def __init__(self, every: bool = True) -> None:
        """``every``: of any picture, not only of those whose decisions were taken in before, a decision can be told."""
        self._every = every
        self._line: dict[str, str] = {}
        self._old: dict[str, Hand] = {}
        self._kept: dict[str, tuple[str, Hand | None]] = {}

    def ledger_line(self, line: bytes) -> str | None:
        """Take in a line of the ledger; the file that it is about, None for a spoiled one."""
        with suppress(*SPOILED, CatalogError):
            if is_hand(line):
                values = json.loads(line)["hand"]
                file, hand = values["file"], hand_of(values, CatalogError)
                self._old.pop(file, None)
                if hand is not None:
                    self._old[file] = hand
            else:
                file = file_of(line)
                if _is_correction(line):
                    return file
                self._old.pop(file, None)
                if self._every or file in self._kept:
                    self._line[file] = _digest(line)
            return file
        return None

    def decision_line(self, line: bytes) -> str | None:
        """Take in a line of the journal of decisions; the file that it is about, None for a spoiled one."""
        with suppress(*SPOILED, CatalogError):
            values = json.loads(line)["hand"]
            file = values["file"]
            self._kept[file] = str(values["of"]), hand_of(values, CatalogError)
            return file
        return None

    def get(self, file: str) -> Hand | None:
        """Return the decision that holds about a picture."""
        of, hand = self._kept.get(file, ("", None))
        return hand if of and of == self._line.get(file) else self._old.get(file)

    def all(self) -> dict[str, Hand]:
        """Return all decisions that hold."""
        found = ((file, self.get(file)) for file in {*self._old, *self._kept})
        return {file: hand for file, hand in found if hand is not None}

    def lines(self, chosen: Iterable[ChosenPicture]) -> list[bytes]:
        """Return decisions as lines of the journal, without those that say what holds already."""
        now: dict[str, Hand | None] = {}
        lines = []
        for one in chosen:
            if now.get(one.file, self.get(one.file)) != one.hand:
                now[one.file] = one.hand
                hand = {"decision": None} if one.hand is None else one.hand.to_json()
                lines.append(json_line({"hand": {"file": one.file, **hand, "of": self._line.get(one.file, "")}}))
        return lines


def read_hands(out: Path) -> dict[str, Hand]:
    """Return what a person decided about a run's pictures, by the records' ``file``; the others are not in it.

    A picture that was worked on anew since has to be decided anew. Spoiled lines are passed over. Raises CatalogError
    where a file cannot be a run's own, and OSError as it comes.
    """
    hands = RunHands(every=False)
    read_decisions(out, hands.decision_line)
    for _, line in read_lines(inside(out, LEDGER_NAME)):
        hands.ledger_line(line)
    return hands.all()


def read_decisions(out: Path, take: Callable[[bytes], object], start: int = 0) -> int:
    """Hand on the lines of a run's journal of decisions from a place of it on; returns where the last whole one ends.

    Raises as :func:`read_hands`.
    """
    path, end = inside(out, DECISIONS_NAME), start
    try:
        for place, line in read_lines(path, _HEADER, start):
            take(line)
            end = place + len(line)
    except FileNotFoundError:
        pass
    except ForeignError as error:
        raise _foreign(path) from error
    return end


def write_decisions(out: Path, lines: Callable[[], list[bytes]]) -> None:
    """Append lines to a run's journal of decisions, all or none, synced to the disk.

    ``lines`` are made when nobody else can write any more. Raises CatalogError, and then none of them holds.
    """
    path, end = inside(out, DECISIONS_NAME), time.monotonic() + _PATIENCE_S
    try:
        while True:
            with suppress(BlockingIOError, FileExistsError), Journal(path, _HEADER) as journal:
                if new := b"".join(lines()):
                    journal.append(new)
                return
            if time.monotonic() > end:
                raise CatalogError(f"Another program holds {shown(path)}; end it and decide again.")
            time.sleep(0.005)
    except ForeignError as error:
        raise _foreign(path) from error
    except OSError as error:
        raise CatalogError(f"The decision was not kept. {writing_failed(out, error, 'decide again')}") from error


def _is_correction(line: bytes) -> bool:
    """Whether a record's line is one that a person has corrected."""
    return b'"corrected":' in line and times_corrected(json.loads(line).get("entry") or {}) > 0


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()[:16]


def _foreign(path: Path) -> CatalogError:
    return CatalogError(f"{shown(path)} holds no decisions of this program; move it away.")
