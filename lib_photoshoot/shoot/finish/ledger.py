"""What ``finish`` remembers of earlier runs, in a journal: each line is one picture measured, or one export in place.

It is locked while it is open, so that two runs never work in one folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib_photoshoot.confined import is_plain
from lib_photoshoot.consistency.traits import traits_from_json, traits_to_json
from lib_photoshoot.errors import ShootError
from lib_photoshoot.files import shown
from lib_photoshoot.journal import SPOILED, ForeignError, Journal, json_line
from lib_photoshoot.ranking.order import MeasuredPicture
from lib_photoshoot.ranking.qualities import Quality

FINISH_LEDGER = "finish.jsonl"
_HEADER = json.dumps({"program": "product-photoshoot finish", "version": 1}).encode("ascii") + b"\n"


@dataclass(frozen=True)
class ExportRecord:
    """One export that was written.

    ``file`` is its name in the profile's folder and ``sha256`` that of its bytes; ``made_from`` changes with whatever
    it was made from. ``missed`` are the channel's rules that it misses, in words.
    """

    profile: str
    product: str
    seed: int
    made_from: str
    file: str
    sha256: str
    missed: tuple[str, ...]


@dataclass(frozen=True)
class HandedFile:
    """A table, zip or contact sheet that was written for a profile: its name, its bytes' sha256, and a digest of the
    pictures that it is ``of``.
    """

    profile: str
    file: str
    sha256: str
    of: str


class FinishLedger(Journal):
    """An open ledger; use it as a context manager. All of it raises OSError as it comes.

    ``measured`` has, by product and seed, what a picture was measured from and the result; ``exports`` the newest
    record by product, and then by profile and seed; ``handed`` what went with them, by profile and name.
    """

    def __init__(self, folder: Path) -> None:
        """Create folder and file, or read them. Raises ShootError where another run has them or they are not ours."""
        path = folder / FINISH_LEDGER
        self.measured: dict[tuple[str, int], tuple[str, MeasuredPicture]] = {}
        self.exports: dict[str, dict[tuple[str, int], ExportRecord]] = {}
        self.handed: dict[tuple[str, str], HandedFile] = {}
        folder.mkdir(parents=True, exist_ok=True)
        try:
            super().__init__(path, _HEADER)
        except BlockingIOError as error:
            raise ShootError(f"Another `finish` is writing to {shown(folder)}; wait until it has ended.") from error
        except ForeignError as error:
            raise ShootError(
                f"{shown(path)} was not written by `finish`; move it away and run `finish` again."
            ) from error
        for _, line in self.lines():
            with suppress(*SPOILED):
                self._apply(json.loads(line))

    def _apply(self, event: Mapping[str, Any]) -> None:
        if (values := event.get("export")) is not None:
            record = ExportRecord(**{**values, "missed": tuple(values["missed"])})
            if not all(is_plain(name) and "/" not in name for name in (record.file, record.profile)):
                raise ValueError("an export lies elsewhere")
            self._know(record)
            return
        if (values := event.get("handed")) is not None:
            handed = HandedFile(**values)
            if not all(is_plain(name) and "/" not in name for name in (handed.file, handed.profile)):
                raise ValueError("a file lies elsewhere")
            self.handed[handed.profile, handed.file] = handed
            return
        values = event["measured"]
        qualities = tuple(Quality(str(name), float(score), str(reason)) for name, score, reason in values["qualities"])
        colours = values.get("colours")
        measured = MeasuredPicture(
            values["file"],
            values["product"],
            qualities,
            int(values["hash"]),
            colours=None if colours is None else np.array(colours, np.float32),
            traits=traits_from_json(values["traits"]) if "traits" in values else None,
        )
        self.measured[values["product"], int(values["seed"])] = (values["made_from"], measured)

    def add_measured(self, seed: int, made_from: str, measured: MeasuredPicture) -> None:
        """Remember what a picture's qualities are."""
        colours = measured.colours
        values = {
            "product": measured.product,
            "seed": seed,
            "made_from": made_from,
            "file": measured.file,
            "qualities": [(item.name, item.score, item.reason) for item in measured.qualities],
            "hash": measured.hash,
            "colours": None if colours is None else _listed(colours),
            **({} if measured.traits is None else {"traits": traits_to_json(measured.traits)}),
        }
        self.append(json_line({"measured": values}))
        self.measured[measured.product, seed] = (made_from, measured)

    def add_export(self, record: ExportRecord) -> None:
        """Remember an export whose file is in place."""
        self.append(json_line({"export": asdict(record)}))
        self._know(record)

    def add_handed(self, handed: HandedFile) -> None:
        """Remember a file that went with a profile's pictures."""
        if self.handed.get((handed.profile, handed.file)) != handed:
            self.append(json_line({"handed": asdict(handed)}))
            self.handed[handed.profile, handed.file] = handed

    def _know(self, record: ExportRecord) -> None:
        self.exports.setdefault(record.product, {})[record.profile, record.seed] = record


def _listed(colours: np.ndarray) -> list[Any]:
    """Return an array as JSON values: NaN, a part without any of the product, is null, and NaN again when read."""
    values = colours.astype(float).round(2).astype(object)
    values[np.isnan(colours)] = None
    return values.tolist()
