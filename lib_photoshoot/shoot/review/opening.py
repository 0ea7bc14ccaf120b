"""Which pictures a folder holds, for whoever lets them be looked through."""

from __future__ import annotations

from pathlib import Path

from lib_photoshoot.catalog.review import ReviewedRun, is_run
from lib_photoshoot.pages.application import Reviewed
from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ShootFolder


def open_reviewed(folder: Path) -> Reviewed:
    """Open the run of the filter or the shoot in a folder. Raises PhotoshootError where it holds neither."""
    return ReviewedRun(folder) if is_run(folder) else ReviewedShoot(ShootFolder(folder))
