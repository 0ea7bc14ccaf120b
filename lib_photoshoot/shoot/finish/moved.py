"""Outlines of a shoot whose folder was moved or copied: its runs name every picture by its full path.

They are followed: each line about a picture where it lay is written again about where it lies, decisions too, and then
the old record is forgotten. Files keep their names and stay. After a kill the next call does what is left.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.decisions import ChosenPicture, RunHands, read_decisions, write_decisions
from lib_photoshoot.catalog.ledger import LEDGER_NAME, WITHDRAWN, Record, current_records
from lib_photoshoot.catalog.replacement import open_run
from lib_photoshoot.confined import inside, is_plain
from lib_photoshoot.errors import ShootError
from lib_photoshoot.journal import SPOILED, Journal, json_line, read_lines
from lib_photoshoot.shoot.finish.runs import source_of
from lib_photoshoot.shoot.run.pictures import placed


def follow(shoot: Path, run: Path) -> None:
    """Let a run of a shoot name the pictures where they lie now; without a change where it does already.

    Only a picture that the shoot still has, of the same size in bytes, is taken for the one that was worked on. Raises
    CatalogError while another process writes to the run, and OSError as it comes.
    """
    if not (run / LEDGER_NAME).is_file():
        return
    moved = dict(_moved(shoot, run))
    if not moved:
        return
    with open_run(run) as ledger:
        before = _hands(run)
        for _, line in list(ledger.lines()):
            with suppress(*SPOILED):
                _follow_line(ledger, line, moved)
        now = _hands(run)
        chosen = [ChosenPicture(moved[file].file, hand) for file, hand in before.all().items() if file in moved]
        if now.lines(chosen):
            write_decisions(run, lambda: now.lines(chosen))
        for old in moved:
            ledger.append(json_line({"file": old, WITHDRAWN: True}))


def _hands(run: Path) -> RunHands:
    hands = RunHands()
    read_decisions(run, hands.decision_line)
    for _, line in read_lines(run / LEDGER_NAME):
        hands.ledger_line(line)
    return hands


def _moved(shoot: Path, run: Path) -> Iterator[tuple[str, Record]]:
    """Yield where each picture that lay elsewhere lay, and its record as it is to be."""
    for record in current_records(run / LEDGER_NAME):
        *_, product, name = ("", *re.split(r"[/\\]", record.file))
        if not is_plain(f"{product}/{name}"):
            continue
        source = source_of(shoot, f"{product}/{name}", 0)
        if source.key == record.file:
            continue
        for accepted in (True, False):
            with suppress(OSError):
                status = os.stat(inside(shoot, placed(f"{product}/{name}", accepted), ShootError))
                if status.st_size == record.size:
                    # A copy has a time of its own.
                    entry = record.entry | {"file": source.name}
                    yield record.file, replace(record, file=source.key, entry=entry, mtime_ns=status.st_mtime_ns)
                    break


def _follow_line(ledger: Journal, line: bytes, moved: dict[str, Record]) -> None:
    values: dict[str, Any] = json.loads(line)
    about = values.get("hand", values)
    now = moved.get(about["file"])
    if now is None or WITHDRAWN in values:
        return
    if "entry" in values:
        values["entry"]["file"] = now.entry["file"]
        values["mtime_ns"] = now.mtime_ns
    about["file"] = now.file
    ledger.append(json_line(values))
