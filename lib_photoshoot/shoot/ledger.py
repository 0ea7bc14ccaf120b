"""The shoot's memory: an append-only file of JSON lines, from which an interrupted shoot is resumed.

The first line names the program. Before a shot is sent to any WebUI its claim is written; when its picture is in place
its try is. Each line is synced to the disk before anything else happens. A claim without a try was cut off: that shot,
with that very seed, is taken again, and no other ever is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.appended_file import AppendedFile, remove_parts
from lib_photoshoot.images import shown
from lib_photoshoot.shoot.errors import ShootError

if TYPE_CHECKING:
    from lib_photoshoot.shoot.listed import ListedProduct, Shot

LEDGER_NAME = "ledger.jsonl"
HEADER = json.dumps({"program": "product-photoshoot shoot", "version": 1}).encode("ascii") + b"\n"


class Decision:
    """What becomes of a picture."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Try:
    """One finished try.

    ``number`` counts a product's tries from 0; ``seconds`` is the time at the WebUI; ``scores`` are pairs of product
    and score in [0, 1]; ``why`` is the filter's own text; ``file`` is relative to the output folder.
    """

    product: str
    number: int
    seed: int
    scene: str
    webui: str
    seconds: float
    scores: tuple[tuple[str, float], ...]
    decision: str
    why: str
    file: str
    exports: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the picture counts."""
        return self.decision == Decision.ACCEPTED


class ShootLedger:
    """An open ledger; use it as a context manager.

    ``tries`` are all finished tries, in the order in which they ended; ``claimed`` has the numbers of each product's
    claims. Not for several threads at once.
    """

    def __init__(self, out: Path, products: Sequence[ListedProduct], resume: bool) -> None:
        """Create the output folder or check an existing one. Raises ShootError when it cannot be used."""
        self.path = out / LEDGER_NAME
        self.tries: list[Try] = []
        self.claimed: dict[str, set[int]] = defaultdict(set)
        try:
            _check_folder(out, self.path, resume)
            self._file = AppendedFile(self.path)
            # Read under the lock: a shoot that has just ended may have added lines since the check.
            lines, end = whole_lines(self._file.read(), shown(self.path))
            self._read(lines, {product.name: product.recipe for product in products})
            self._file.keep(end)
            if end == 0:
                self._file.append(HEADER)
            remove_parts(out)
        except BlockingIOError as error:
            raise ShootError(
                f"Another shoot is writing to {shown(out)}; wait for it or choose another folder."
            ) from error
        except OSError as error:
            raise ShootError(
                f"The output folder {shown(out)} cannot be used ({error.strerror}); choose another one."
            ) from error

    def claim(self, shot: Shot) -> None:
        """Write that a shot is about to be made; raises ``OSError``, and leaves no part of a line, on a full disk."""
        product = shot.product
        values = {"product": product.name, "recipe": product.recipe, "number": shot.number, "seed": shot.seed}
        self._file.append(_line({"claim": values}))
        self.claimed[product.name].add(shot.number)

    def finish(self, entry: Try) -> None:
        """Write a finished try; raises as :meth:`claim` does."""
        self._file.append(_line({"try": asdict(entry)}))
        self.tries.append(entry)

    def _read(self, lines: Iterable[bytes], recipes: Mapping[str, str]) -> None:
        finished: set[tuple[str, int]] = set()
        for line in lines:
            try:
                event = json.loads(line)
                claim = event.get("claim")
                if claim is not None:
                    name, recipe, number = claim["product"], claim["recipe"], int(claim["number"])
                else:
                    entry = _try_from(event["try"])
            except (ValueError, KeyError, TypeError, AttributeError):
                # A line spoiled by a crash of the file system: its shot is taken again.
                continue
            if claim is None:
                if (entry.product, entry.number) not in finished:
                    finished.add((entry.product, entry.number))
                    self.tries.append(entry)
                continue
            if recipes.get(name) != recipe:
                self._file.close()
                other = "is not in this shot list" if name not in recipes else "had other values"
                raise ShootError(
                    f"{shown(self.path.parent)} belongs to another shot list: its product {name!r} {other}; "
                    "repeat that list, or choose another output folder."
                )
            self.claimed[name].add(number)

    def __enter__(self) -> ShootLedger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def whole_lines(data: bytes, where: str) -> tuple[list[bytes], int]:
    """The lines after the header, and the number of leading bytes that are whole lines; a torn last one is left out.

    Raises ShootError for a file that is no ledger of a shoot.
    """
    if HEADER.startswith(data):  # empty, or the header itself was torn
        return [], len(data) if data == HEADER else 0
    if not data.startswith(HEADER):
        raise ShootError(f"{where} is not the ledger of a shoot; choose another output folder.")
    end = data.rfind(b"\n") + 1
    return data[len(HEADER) : end].split(b"\n")[:-1], end


def _check_folder(out: Path, ledger: Path, resume: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if ledger.is_file():
        _, end = whole_lines(ledger.read_bytes(), shown(ledger))
        if end > 0 and not resume:
            raise ShootError(
                f"{shown(out)} already holds a shoot; add --resume to go on with it, or choose another folder."
            )
    elif any(out.iterdir()):
        raise ShootError(f"{shown(out)} is not empty and holds no shoot; choose another output folder.")


def _line(event: Mapping[str, Any]) -> bytes:
    """One JSON line; ASCII only, so that any text survives."""
    return json.dumps(event, separators=(",", ":")).encode("ascii") + b"\n"


def _try_from(values: Mapping[str, Any]) -> Try:
    entry = Try(**values)
    scores = tuple((str(product), float(score)) for product, score in entry.scores)
    return Try(**{**values, "number": int(entry.number), "scores": scores, "exports": tuple(entry.exports)})
