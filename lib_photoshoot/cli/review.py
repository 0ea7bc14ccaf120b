"""``review``: pictures of a shoot, a run or a training in the browser, where decisions by hand are kept at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import exit_codes, say
from lib_photoshoot.cli.serving import Browser, Port, served
from lib_photoshoot.errors import PhotoshootError

if TYPE_CHECKING:
    from lib_photoshoot.pages.application import Reviewed

EXIT_CODES = (
    "Exit codes: 0 ended with Ctrl-C, or the decisions are written; 2 wrong usage, a folder without such pictures, or "
    "with one that is going on, a file without decisions, or a port that is taken."
)


def review_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of a shoot or of filter, or one of photos to train on.")
    ],
    port: Port = 0,
    browser: Browser = True,
    apply: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option(metavar="FILE", help="Write decisions that were saved from report.html into the folder, and end."),
    ] = None,
    calibration: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILE", help="The calibration of a run that had one, to correct outlines in it."),
    ] = None,
) -> None:
    """Look through pictures in the browser, accept or reject them, correct outlines.

    Those of a shoot, of filter, or photos to train on (`train review` takes a recipe for them).
    """
    with exit_codes("Interrupted."):
        from lib_photoshoot.cli.train_review import AFTER, reviewed_photos
        from lib_photoshoot.pages.saved import apply_decisions, counts_in_words
        from lib_photoshoot.training.recipe import Recipe

        after = f"Look at {folder / 'report.html'}"
        try:
            reviewed = _reviewed(folder, calibration)
        except PhotoshootError:
            if apply is not None or not _are_photos(folder):
                raise
            reviewed, after = reviewed_photos(folder, Recipe()), AFTER
        if apply is not None:
            say(f"{counts_in_words(apply_decisions(reviewed, apply))}. {after}")
            return
        served(reviewed, port, browser, after)


def _are_photos(folder: Path) -> bool:
    """Whether a folder, which is none of our own that can be read, holds pictures all the same."""
    from lib_photoshoot.catalog.ledger import LEDGER_NAME
    from lib_photoshoot.shoot.run.ledger import LIST_NAME
    from lib_photoshoot.training.dataset.folders import holds_photos

    ours = any((folder / name).exists() for name in (LEDGER_NAME, LIST_NAME))  # then it is damaged
    return not ours and holds_photos(folder)


def _reviewed(folder: Path, calibration: str | None) -> Reviewed:
    from lib_photoshoot.catalog.review import ReviewedRun, is_run
    from lib_photoshoot.correction.fixer import fixer_of
    from lib_photoshoot.shoot.review.decisions import ReviewedShoot
    from lib_photoshoot.shoot.review.folder import ShootFolder

    if not is_run(folder):
        return ReviewedShoot(ShootFolder(folder))
    calibrator = None
    if calibration is not None:
        from lib_photoshoot.calibration.applying import calibrator_for

        calibrator = calibrator_for(calibration)[0]
    reviewed = ReviewedRun(folder)
    reviewed.fixing = fixer_of(reviewed, calibrator)
    return reviewed
