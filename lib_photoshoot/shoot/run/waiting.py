"""Decisions about a shoot's pictures that were taken while somebody held its ledger: they wait, on the disk, beside it.

A shoot holds its ledger from its beginning to its end, and a decision moves a picture and changes what is made next, so
only who holds the ledger can carry it out. Who decides meanwhile writes it here; the shoot takes it in before its next
shot, and says in the ledger how far it has read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lib_photoshoot.confined import inside
from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import shown
from lib_photoshoot.journal import SPOILED, ForeignError, append_when_free, json_line, read_lines

WAITING_NAME = "decisions.jsonl"
_HEADER = json_line({"program": "product-photoshoot shoot decisions", "version": 1})


def append_waiting(out: Path, decisions: Iterable[Mapping[str, Any]]) -> None:
    """Write decisions, as the ledger has them, all or none. Raises ShootError, and OSError as it comes."""
    path = inside(out, WAITING_NAME, ShootError)
    lines = [json_line({"hand": values}) for values in decisions]
    try:
        append_when_free(path, _HEADER, lambda: lines)
    except (BlockingIOError, FileExistsError) as error:
        raise ShootError(f"Another program holds {shown(path)}; end it and decide again.") from error
    except ForeignError as error:
        raise _foreign(path) from error


def read_waiting(out: Path, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield decisions from a place of the file on, each with the place behind it. Raises as :func:`append_waiting`."""
    path = inside(out, WAITING_NAME, ShootError)
    try:
        for place, line in read_lines(path, _HEADER, start):
            with suppress(*SPOILED):
                yield place + len(line), dict(json.loads(line)["hand"])
    except FileNotFoundError:
        return
    except ForeignError as error:
        raise _foreign(path) from error


def _foreign(path: Path) -> ShootError:
    return ShootError(f"{shown(path)} holds no decisions of a shoot; move it away.")
