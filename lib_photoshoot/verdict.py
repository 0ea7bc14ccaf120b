"""What the filter says about one picture of a job, as the value that stands in the picture's infotext.

The value is one JSON object: people read its ``says``, programs the rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from lib_photoshoot.results import Box, Decision, Doubt, ProductRegion, Reason

RESULT_KEY = "Product filter result"


class Done(str, Enum):
    """What became of a picture; the values are stable codes."""

    NOTHING = "nothing"
    """It was skipped."""
    ENHANCED = "enhanced"
    CUT_OUT = "cut_out"
    """Masks and cut-outs were made, as asked; the picture is as it came."""
    UNDONE = "undone"
    """A product was enhanced and put back, as it was lost or its colour was off."""
    FAILED = "failed"
    """The products were found, and the enhancement failed."""
    STOPPED = "stopped"
    """The job was stopped before the picture was looked at."""
    REFUSED = "refused"
    """The settings cannot be carried out."""


@dataclass(frozen=True)
class FoundProduct:
    """One product of the picture: its score in [0, 1], what speaks against its outline, its colour, and its box.

    ``delta_e`` is CIEDE2000 against its colour reference, None without one; ``box`` (x0, y0, x1, y1) in pixels, None in
    what earlier releases have written. ``also`` names further products of the list that it is.
    """

    product: str
    score: float
    doubts: tuple[Doubt, ...] = ()
    delta_e: float | None = None
    box: Box | None = None
    also: tuple[str, ...] = ()

    def to_values(self) -> dict[str, Any]:
        """Return the JSON values; ``also`` only where there is any, as earlier releases have it."""
        values = asdict(self)
        return values if self.also else {name: value for name, value in values.items() if name != "also"}


@dataclass(frozen=True)
class Verdict:
    """The filter's word on one picture; ``says`` is the same in a sentence.

    ``decision`` is None where the picture was not looked at, ``reason`` that of a skip.
    """

    done: Done
    says: str
    decision: Decision | None = None
    reason: Reason | None = None
    products: tuple[FoundProduct, ...] = ()

    def to_json(self) -> str:
        """Return the value, on one line."""
        values: dict[str, Any] = {
            "says": self.says,
            "decision": self.decision,
            "reason": self.reason,
            "done": self.done,
            "products": [one.to_values() for one in self.products],
        }
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """Read a value, also one that another machine has written. Raises ValueError for anything else."""
        try:
            values = json.loads(text)
            decision, reason, says = values["decision"], values["reason"], values["says"]
            if not isinstance(says, str):
                raise ValueError("'says' is no text")
            return cls(
                Done(values["done"]),
                says,
                None if decision is None else Decision(decision),
                None if reason is None else Reason(reason),
                tuple(_found(item) for item in values["products"]),
            )
        except (TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise ValueError(f"it is no result of the filter ({error})") from error


def found_products(regions: Iterable[ProductRegion]) -> tuple[FoundProduct, ...]:
    """Return the products of a filter's result."""
    return tuple(
        FoundProduct(
            region.product,
            round(float(region.score), 4),
            region.outline.doubts if region.outline else (),
            region.colour_check.delta_e if region.colour_check and region.colour_check.measured else None,
            tuple(round(float(side), 1) for side in region.box),  # type: ignore[arg-type]
            region.also,
        )
        for region in regions
    )


def _found(item: Any) -> FoundProduct:
    score, delta_e = float(item["score"]), item["delta_e"]
    if not isinstance(item["product"], str) or not math.isfinite(score):
        raise ValueError("a product has no name or no score")
    box = item.get("box")
    if box is not None:
        x0, y0, x1, y1 = map(float, box)
        box = (x0, y0, x1, y1)
        if not all(map(math.isfinite, box)) or x0 >= x1 or y0 >= y1:
            raise ValueError("a product's box is none")
    also = item.get("also", [])
    if not isinstance(also, list) or not all(isinstance(name, str) for name in also):
        raise ValueError("a product is also what has no name")
    return FoundProduct(
        item["product"],
        score,
        tuple(map(Doubt, item["doubts"])),
        None if delta_e is None else float(delta_e),
        box,
        tuple(also),
    )
