"""Which pictures a folder holds, for whoever lets them be looked through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lib_photoshoot.catalog.review import ReviewedRun, is_run
from lib_photoshoot.correction.fixer import fixer_of
from lib_photoshoot.pages.application import Reviewed
from lib_photoshoot.pages.fixing import Fixing
from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ShootFolder


def open_reviewed(folder: Path, fixing: Callable[[ReviewedRun], Fixing] = fixer_of) -> Reviewed:
    """Open the run of the filter or the shoot in a folder; ``fixing`` makes who corrects a run's outlines.

    Raises PhotoshootError where the folder holds neither.
    """
    if not is_run(folder):
        return ReviewedShoot(ShootFolder(folder))
    reviewed = ReviewedRun(folder)
    reviewed.fixing = fixing(reviewed)
    return reviewed
