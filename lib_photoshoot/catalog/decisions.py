"""What a person decided about the pictures of a run: lines of its own ledger, which are no records."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.ledger import times_corrected
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown
from lib_photoshoot.journal import SPOILED, Journal, json_line, read_lines

HANDS = ("accepted", "rejected")
_BEGINNING = b'{"hand":'


@dataclass(frozen=True)
class ChosenPicture:
    """A decision about the picture of a record's ``file``; None withdraws an earlier one."""

    file: str
    decision: str | None


def chosen_from(values: Any) -> list[ChosenPicture]:
    """Decisions out of JSON: a list of objects with ``file`` and ``decision``. Raises CatalogError."""
    if not isinstance(values, list):
        raise CatalogError("The decisions are no list; save them from the report again.")
    for item in values:
        if not isinstance(item, dict) or sorted(item) != ["decision", "file"] or not isinstance(item["file"], str):
            raise CatalogError("A decision needs exactly file, decision; save them from the report again.")
        if item["decision"] not in (*HANDS, None):
            raise CatalogError(
                f"The decision {item['decision']!r} is none; give {' or '.join(HANDS)}, or null to withdraw it."
            )
    return [ChosenPicture(item["file"], item["decision"]) for item in values]


def append_hands(path: Path, chosen: Iterable[ChosenPicture]) -> tuple[int, int]:
    """Append decisions to a ledger, synced to the disk; returns where they begin in it, and how long they are.

    Raises CatalogError while a run is writing to it, and OSError as it comes; then none of them holds.
    """
    lines = b"".join(json_line({"hand": {"file": one.file, "decision": one.decision}}) for one in chosen)
    with open_run(path) as ledger:
        return ledger.append(lines), len(lines)


def open_run(path: Path) -> Journal:
    """Open the ledger of a run, which is locked then. Raises CatalogError while a run writes to it, and OSError as it
    comes.
    """
    try:
        with open(path, "rb") as file:
            header = file.readline()
        return Journal(path, header)
    except FileNotFoundError as error:
        raise CatalogError(f"{shown(path.parent)} holds no run any more ({path.name} is missing).") from error
    except BlockingIOError as error:
        raise CatalogError(f"A run is writing to {shown(path.parent)}; decide when it has ended.") from error


def _is_correction(event: dict[str, Any]) -> bool:
    """Whether a line is the record of a picture whose outlines a person has corrected: then that person has seen it.

    So decision and correction need no second line, between which a kill could come.
    """
    return times_corrected(event.get("entry") or {}) > 0


def read_hands(path: Path) -> dict[str, str]:
    """Return what was decided, by the records' ``file``; a picture that was worked on anew since has to be decided
    anew, one that was only corrected has not.

    Spoiled lines are passed over. Raises OSError as it comes.
    """
    hands: dict[str, str] = {}
    for _, line in read_lines(path):
        if not hands and not line.startswith(_BEGINNING):
            continue
        with suppress(*SPOILED):
            event = json.loads(line)
            event = event.get("hand", event)
            if not _is_correction(event):
                hands.pop(event["file"], None)
            if event.get("decision") in HANDS:
                hands[event["file"]] = event["decision"]
    return hands
