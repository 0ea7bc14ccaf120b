"""What a person's decisions mean for all that is made of a run: they stand above the filter's word and its doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from lib_photoshoot.catalog.decisions import DECISIONS_NAME, read_hands
from lib_photoshoot.catalog.inputs import output_folder
from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from lib_photoshoot.catalog.outputs import cutout_name
from lib_photoshoot.catalog.report import doubts_of
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, stamp_of
from lib_photoshoot.pages.hands import HANDS
from lib_photoshoot.wording import counted

ACCEPTED, REJECTED = HANDS


@dataclass(frozen=True)
class MadeFile:
    """What a run knows of one of its files: what a person decided about its picture (``accepted``, ``rejected``, None),
    its picture's path and output name, and of a cut-out the product's word and the codes of what speaks against its
    outline.
    """

    hand: str | None = None
    picture: str = ""
    stem: str = ""
    product: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class MadeFiles:
    """A run's files by their paths in its folder, and the pictures, as the user named them, that a person accepted
    though there is no cut-out of them.
    """

    files: Mapping[str, MadeFile] = field(default_factory=dict)
    without_cutout: tuple[str, ...] = ()


def files_made_in(run: Path) -> MadeFiles:
    """Return what a run knows of its files now, also while it goes on; nothing where it has no ledger.

    Raises CatalogError where that cannot be read: what was rejected must not be sold.
    """
    try:
        return _files_made_in(run, stamp_of(run / LEDGER_NAME), stamp_of(run / DECISIONS_NAME))
    except FileNotFoundError:
        return MadeFiles()
    except OSError as error:
        raise CatalogError(
            f"The ledger or the decisions in {shown(run)} cannot be read ({error.strerror}); check their permissions."
        ) from error


@lru_cache(maxsize=4)
def _files_made_in(run: Path, *stamps: object) -> MadeFiles:
    """Read ledger and decisions; the stamps renew the cache when they have changed. Raises CatalogError, OSError."""
    hands = read_hands(run)
    files: dict[str, MadeFile] = {}
    without = []
    for record in current_records(run / LEDGER_NAME):
        with suppress(KeyError, TypeError, AttributeError):  # of a strange folder
            hand = hands[record.file].decision if record.file in hands else None
            made = MadeFile(hand, record.file, record.stem)
            files |= dict.fromkeys(record.outputs, made)
            masks = [region for region in record.entry["regions"] if region["mask"]]
            files |= {
                cutout_name(region["mask"]): replace(
                    made, product=str(region["product"]), doubts=tuple(doubts_of(region))
                )
                for region in masks
            }
            if hand == ACCEPTED and not masks:
                without.append(str(record.entry["file"]))
    return MadeFiles(files, tuple(without))


def place_in_run(path: Path) -> tuple[Path, str] | None:
    """Return the folder of the filter run that a file among its outputs belongs to, and the file's path in it."""
    path = path.absolute()
    folder = output_folder(path.parent)
    return None if folder is None else (folder.parent, path.relative_to(folder.parent).as_posix())


def made_file(path: Path) -> MadeFile | None:
    """Return what a run knows of one of its files; None for any other file. Raises CatalogError."""
    place = place_in_run(path)
    return None if place is None else files_made_in(place[0]).files.get(place[1])


def rejected_in_words(names: Sequence[str], noun: str, otherwise: str) -> str:
    """Return the sentence about what was left out since a person rejected it; ``otherwise`` is how to have it."""
    return f"{counted(len(names), noun)} ({shown(names[0])} first) rejected by hand: left out; {otherwise}."


def without_cutout_in_words(run: Path) -> str:
    """Return the sentence about what a person accepted and the filter did not find; empty where there is none."""
    names = files_made_in(run).without_cutout
    if not names:
        return ""
    return (
        f"{counted(len(names), 'picture')} ({shown(names[0])} first) accepted by hand, but without a cut-out, since no "
        f"product was found there: draw the outline in `review {shown(run)}`, or filter again with a lower threshold."
    )
