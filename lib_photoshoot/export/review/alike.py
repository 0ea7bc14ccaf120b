"""How far the pictures of an export folder are alike, as they were measured when they were exported."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lib_photoshoot.consistency.sets import Comparison, Member, compare
from lib_photoshoot.consistency.traits import traits_from_json
from lib_photoshoot.export.review.records import ExportedFile, ExportJournal


def compare_records(records: Iterable[ExportedFile]) -> Comparison:
    """Compare exported pictures, those of one channel with each other; keys are their files."""
    members = [Member(one.file, one.channel, traits_from_json(one.traits)) for one in records]
    return compare(members)


def compare_exports(folder: Path) -> Comparison:
    """Compare the pictures of an export folder. Raises ExportError, CatalogError."""
    journal = ExportJournal(folder, decisions=False)
    return compare_records(filter(None, map(journal.known, journal.files())))
