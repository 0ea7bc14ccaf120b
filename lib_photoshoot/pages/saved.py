"""Decisions that a page without a server has saved into a file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from lib_photoshoot.errors import MissingPictureError, PhotoshootError
from lib_photoshoot.files import shown
from lib_photoshoot.pages.application import Reviewed

LARGEST_FILE = 64 << 20


def apply_decisions(reviewed: Reviewed, file: Path) -> Counter[str | None]:
    """Write the decisions of a file that the page saved into its folder, and the page's file anew.

    How many were accepted, rejected and (None) withdrawn. Raises PhotoshootError; then nothing was decided.
    """
    chosen = _read(reviewed, file)
    try:
        if chosen:
            reviewed.decide(chosen)
    except MissingPictureError as error:
        raise PhotoshootError(
            f"{shown(file)} is about other pictures: {error.what}; name the folder whose report saved it."
        ) from error
    reviewed.end()
    reviewed.write_report()
    return Counter(one.decision for one in chosen)


def counts_in_words(counts: Counter[str | None]) -> str:
    """``3 accepted, 1 rejected, 0 withdrawn``."""
    return f"{counts['accepted']} accepted, {counts['rejected']} rejected, {counts[None]} withdrawn"


def _read(reviewed: Reviewed, file: Path) -> list:
    name = shown(file)
    try:
        if file.is_file() and file.stat().st_size > LARGEST_FILE:
            raise PhotoshootError(f"{name} is too large for decisions; name the file that the report saved.")
        values = json.loads(file.read_bytes())
    except OSError as error:
        why = error.strerror
        raise PhotoshootError(f"{name} cannot be read ({why}); name the file that the report saved.") from error
    except (ValueError, RecursionError) as error:
        raise PhotoshootError(f"{name} is not JSON; save the decisions from the report again.") from error
    try:
        return reviewed.chosen(values)
    except PhotoshootError as error:
        raise PhotoshootError(f"{name}: {error}") from error
