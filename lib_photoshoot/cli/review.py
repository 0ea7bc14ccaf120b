"""``review``: pictures of a shoot, run, export or training in the browser, where decisions by hand are kept at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import exit_codes, say
from lib_photoshoot.cli.serving import Browser, Port, served

if TYPE_CHECKING:
    from lib_photoshoot.catalog.review import ReviewedRun
    from lib_photoshoot.correction.fixer import Fixer
    from lib_photoshoot.pages.application import Reviewed
    from lib_photoshoot.shoot.review.decisions import ReviewedShoot

EXIT_CODES = (
    "Exit codes: 0 ended with Ctrl-C, or the decisions are written; 2 wrong usage, a folder without such pictures, or "
    "with one that is going on, a file without decisions, or a port that is taken."
)

_AFTER_EXPORTS = "`export` into that folder with --zip, --shop or --contact-sheet obeys them."


def review_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Of a shoot, of filter or of export, or one of photos to train on.")
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

    Those of a shoot, of filter, of export, or photos to train on (`train review` takes a recipe for them).
    """
    with exit_codes("Interrupted."):
        from lib_photoshoot.pages.saved import apply_decisions, counts_in_words

        reviewed, after = _reviewed(folder, calibration)
        if apply is not None:
            say(f"{counts_in_words(apply_decisions(reviewed, apply))}. {after}")
            return
        served(reviewed, folder, port, browser, after)


def _reviewed(folder: Path, calibration: str | None) -> tuple[Reviewed, str]:
    """Return what a folder holds, and what to look at after the review."""
    from lib_photoshoot.cli.train_review import AFTER, reviewed_photos
    from lib_photoshoot.errors import CatalogError
    from lib_photoshoot.export.review.reviewed import ReviewedExports
    from lib_photoshoot.files import shown
    from lib_photoshoot.shoot.review.opening import open_reviewed
    from lib_photoshoot.training.dataset.folders import holds_photos
    from lib_photoshoot.training.recipe import Recipe

    if (found := open_reviewed(folder, partial(_fixer, calibration), _correct)) is not None:
        return found, _AFTER_EXPORTS if isinstance(found, ReviewedExports) else f"Look at {folder / 'report.html'}"
    if holds_photos(folder):
        return reviewed_photos(folder, Recipe()), AFTER
    what = "holds no shoot, no run of filter, no export and no photos" if folder.is_dir() else "is no folder"
    raise CatalogError(f"{shown(folder)} {what}; name the output folder of shoot, filter or export, or one of photos.")


def _fixer(calibration: str | None, run: ReviewedRun) -> Fixer:
    from lib_photoshoot.correction.fixer import Fixer, click_outliner

    if calibration is None:
        return Fixer(run, click_outliner)
    from lib_photoshoot.calibration.applying import calibrator_for

    return Fixer(run, click_outliner, calibrator_for(calibration)[0])


def _correct(shoot: ReviewedShoot) -> None:
    from lib_photoshoot.build import model_choice
    from lib_photoshoot.correction.fixer import click_outliner
    from lib_photoshoot.registry import ModelRegistry
    from lib_photoshoot.shoot.review.outlines import ShotOutlines

    registry = ModelRegistry()
    outlines = ShotOutlines(
        shoot.folder, lambda settings: model_choice(settings, "cpu"), lambda choice: registry.get(choice).filter()
    )
    shoot.correct(outlines, click_outliner)
