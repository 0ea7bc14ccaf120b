"""How far the accepted pictures of a shoot are alike, as the runs that keep their outlines have measured them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.alike import members_of
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.consistency.sets import Comparison, Member, compare
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.shoot.finish.runs import candidates_folder, run_folder, source_of
from lib_photoshoot.shoot.run.ledger import Acceptance


def compare_shots(shoot: Path, shots: Iterable[Mapping[str, Any]]) -> Comparison:
    """Compare the accepted shots of a :func:`~lib_photoshoot.shoot.review.view.shoot_view`; keys are their files.

    One whose product nobody has outlined yet, as ``finish`` does, is not measured.
    """
    runs: dict[str, dict[str, Record]] = {}
    members: list[Member] = []
    accepted = [shot for shot in shots if shot["decision"] == Acceptance.ACCEPTED]
    for shot in accepted:
        folder = shot["file"].partition("/")[0]
        if folder not in runs:
            runs[folder] = _records(shoot, folder)
        record = runs[folder].get(source_of(shoot, shot["file"], shot["seed"]).key)
        for member in (record and members_of(record)) or ():
            # The shoot's product is one, whatever words its filter has for it.
            members.append(replace(member, key=shot["file"], product=shot["product"]))
    return compare(members, len(accepted))


def _records(shoot: Path, folder: str) -> dict[str, Record]:
    """Return the records of a product's runs by their pictures; those of the accepted ones hold."""
    found: dict[str, Record] = {}
    for run in (candidates_folder(shoot, folder), run_folder(shoot, folder)):
        # What cannot be read says so when it is opened; here it is not measured.
        with suppress(OSError, PhotoshootError):
            found |= {record.file: record for record in current_records(run / LEDGER_NAME)}
    return found
