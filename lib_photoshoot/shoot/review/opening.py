"""Which pictures a folder holds, for whoever lets them be looked through."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lib_photoshoot.catalog.inputs import is_run
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.pages.application import Reviewed
from lib_photoshoot.pages.fixing import Fixing
from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.run.ledger import LIST_NAME


def open_reviewed(
    folder: Path, fixing: Callable[[ReviewedRun], Fixing], correct: Callable[[ReviewedShoot], object]
) -> Reviewed | None:
    """Open the run of the filter, the shoot or the exports in a folder, None where it holds none of them.

    ``fixing`` makes who corrects a run's outlines, ``correct`` lets a shoot's be corrected. Raises PhotoshootError for
    one that cannot be read.
    """
    if not is_run(folder):
        if os.path.lexists(folder / LIST_NAME):
            shoot = ReviewedShoot(ShootFolder(folder))
            correct(shoot)
            return shoot
        if not os.path.lexists(folder / LEDGER_NAME):
            return _exports(folder)
    reviewed = ReviewedRun(folder)  # which says what is wrong with a ledger that is none
    reviewed.fixing = fixing(reviewed)
    return reviewed


def _exports(folder: Path) -> Reviewed | None:
    from lib_photoshoot.export.review.records import EXPORTED_NAME
    from lib_photoshoot.export.review.reviewed import ReviewedExports  # what measures pictures takes a while to load

    return ReviewedExports(folder) if os.path.lexists(folder / EXPORTED_NAME) else None
