"""What a person decided about a picture: the decision, why, and a note; the same for runs, shoots and their pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_photoshoot.errors import PhotoshootError

HANDS = ("accepted", "rejected")
REASONS = {
    "outline": "Outline",
    "colour": "Colour",
    "sharpness": "Sharpness",
    "wrong_product": "Wrong product",
    "double": "Double",
    "other": "Other",
}
"""Codes of why a person rejects a picture, in the order of the page's keys 1 to 6, and the page's words for them."""
LONGEST_NOTE = 500
"""Characters of a note."""
_OPTIONAL = {"reason", "note"}


@dataclass(frozen=True)
class Hand:
    """A person's decision: one of ``HANDS``; ``reason``, of rejections alone, is a code of ``REASONS``."""

    decision: str
    reason: str | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the decision as a ledger and a report have it: what there is none of is left out."""
        values = {"decision": self.decision, "reason": self.reason, "note": self.note}
        return {name: value for name, value in values.items() if value}

    @property
    def words(self) -> str:
        """Why, for people: the reason, the note, or both; "" where neither was given."""
        return ": ".join(filter(None, [REASONS.get(self.reason or "", ""), self.note]))


def hand_of(values: Mapping[str, Any], error: type[Exception] = PhotoshootError) -> Hand | None:
    """Return the decision in JSON values with ``decision`` and, where given, ``reason`` and ``note``.

    None where it withdraws an earlier one. Raises ``error`` for what is none.
    """
    decision, reason, note = values["decision"], values.get("reason"), values.get("note") or ""
    if decision is not None and decision not in HANDS:
        raise error(f"The decision {decision!r} is none; give {' or '.join(HANDS)}, or null to withdraw it.")
    if reason is not None and (decision != "rejected" or reason not in REASONS):
        raise error(f"The reason {reason!r} is none; a rejection may have one of {', '.join(REASONS)}.")
    if not isinstance(note, str) or len(note) > LONGEST_NOTE:
        raise error(f"A note is a text of at most {LONGEST_NOTE} characters.")
    if decision is None:
        if note:
            raise error("A note belongs to a decision; accept or reject the picture with it.")
        return None
    return Hand(decision, reason, note.strip())


def has_keys(item: Any, reference: tuple[str, ...]) -> bool:
    """Whether a decision in JSON names its picture by ``reference``, and has besides only what decisions have."""
    return isinstance(item, dict) and {*reference, "decision"} <= set(item) <= {*reference, "decision", *_OPTIONAL}


def item_fields(hand: Hand | None) -> dict[str, Any]:
    """Return what an item of the page has of a decision."""
    if hand is None:
        return {"by_hand": None, "reason": "", "note": ""}
    return {"by_hand": hand.decision, "reason": hand.reason or "", "note": hand.note}
