"""What a person's decisions mean for all that is made of a run: they stand above the filter's word and its doubts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lib_photoshoot.catalog.decisions import DECISIONS_NAME, read_hands
from lib_photoshoot.catalog.inputs import OUTPUT_FOLDERS, is_run
from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.pages.hands import HANDS
from lib_photoshoot.wording import counted

ACCEPTED, REJECTED = HANDS


@dataclass(frozen=True)
class HandsOnRun:
    """The decisions about a run's pictures.

    ``outputs`` has a decision by each path, relative to the run's folder, that was written of its picture.
    ``without_cutout`` are the accepted pictures, as the user named them, in which the filter found no product.
    """

    outputs: Mapping[str, str] = field(default_factory=dict)
    without_cutout: tuple[str, ...] = ()


def hands_on(run: Path) -> HandsOnRun:
    """Return what was decided about the pictures of a run; nothing where it has no ledger.

    Raises CatalogError where that cannot be read: what was rejected must not be sold.
    """
    try:
        return _hands_on(run, stamp_of(run / LEDGER_NAME), stamp_of(run / DECISIONS_NAME))
    except FileNotFoundError:
        return HandsOnRun()
    except OSError as error:
        raise CatalogError(
            f"The decisions in {shown(run)} cannot be read ({error.strerror}); check its permissions."
        ) from error


@lru_cache(maxsize=4)
def _hands_on(run: Path, *stamps: object) -> HandsOnRun:
    """Read what was decided; the stamps renew the cache when that has changed. Raises CatalogError, OSError."""
    hands = read_hands(run)
    outputs: dict[str, str] = {}
    without = []
    for record in current_records(run / LEDGER_NAME) if hands else ():
        if (hand := hands.get(record.file)) is not None:
            outputs |= dict.fromkeys(record.outputs, hand.decision)
            if hand.decision == ACCEPTED and not any(region["mask"] for region in record.entry["regions"]):
                without.append(str(record.entry["file"]))
    return HandsOnRun(outputs, tuple(without))


def place_in_run(path: Path) -> tuple[Path, str] | None:
    """Return the folder of the filter run that a file among its outputs belongs to, and the file's path in it."""
    path = path.absolute()
    for folder in path.parents:
        if folder.name in OUTPUT_FOLDERS and is_run(os.fspath(folder.parent)):
            return folder.parent, path.relative_to(folder.parent).as_posix()
    return None


def hand_on(path: Path) -> str | None:
    """Return what was decided about the picture that a file in a run was made of; None for any other file."""
    place = place_in_run(path)
    return None if place is None else hands_on(place[0]).outputs.get(place[1])


def rejected_in_words(names: Sequence[str], noun: str, otherwise: str) -> str:
    """Return the sentence about what was left out since a person rejected it; ``otherwise`` is how to have it."""
    return f"{counted(len(names), noun)} ({shown(names[0])} first) rejected by hand: left out; {otherwise}."


def without_cutout_in_words(run: Path) -> str:
    """Return the sentence about what a person accepted and the filter did not find; empty where there is none."""
    names = hands_on(run).without_cutout
    if not names:
        return ""
    return (
        f"{counted(len(names), 'picture')} ({shown(names[0])} first) accepted by hand, but without a cut-out, since no "
        f"product was found there: draw the outline in `review {shown(run)}`, or filter again with a lower threshold."
    )
