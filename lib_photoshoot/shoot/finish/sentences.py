"""What ``finish`` says of pictures that are not sold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog import by_hand
from lib_photoshoot.catalog.report import REASON_TEXT, colour_in_words
from lib_photoshoot.results import Reason

if TYPE_CHECKING:
    from lib_photoshoot.shoot.run.ledger import Try


def why_rejected(entry: Try | None) -> str:
    """Return why a person rejected a picture; empty where nothing was said."""
    return "" if entry is None or entry.hand is None else entry.hand.words


def rejected_in_words(rejected: Collection[Try]) -> str:
    """Return the sentence about the pictures that a person rejected; empty where there are none."""
    names = [entry.file for entry in rejected]
    return by_hand.rejected_in_words(names, "picture", "`review` shows what and why") if names else ""


def not_found(entry: Try, report: Mapping[str, Any]) -> str:
    """Return the sentence about an accepted picture in which the product is no longer found."""
    code = report["reason"]
    if code == Reason.COLOUR_OFF.value:
        off = next(filter(None, map(colour_in_words, report["rejected"])), "off")
        return f"{entry.file} is accepted, but its colour is {off}, so it is not sold; look at it, and reject it."
    reason = REASON_TEXT[Reason(code)].rstrip(".")
    return (
        f"{entry.file} is accepted, but the product is no longer found in it ({reason[:1].lower()}{reason[1:]}); "
        "look at it, and reject it if that is right."
    )
