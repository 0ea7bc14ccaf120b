"""``train review``: the photos of a training on the picture page, with captions and what was found about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import exit_codes
from lib_photoshoot.cli.serving import Browser, Port, served
from lib_photoshoot.cli.train_options import Folder, Home, Preset, RecipeFile, Values, recipe_of
from lib_photoshoot.cli.train_told import pictures_shown

if TYPE_CHECKING:
    from lib_photoshoot.training.recipe import Recipe
    from lib_photoshoot.training.review.reviewed import ReviewedPhotos

AFTER = "`train check` says what would be trained."
"""Said at the end, where anything was decided."""


def train_review_command(
    folder: Folder,
    preset: Preset = "",
    recipe: RecipeFile = None,
    values: Values = None,
    outlines: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option("--outlines", metavar="RUN", help="A run of filter over the photos; its outlines are shown."),
    ] = None,
    port: Port = 0,
    browser: Browser = True,
    home: Home = None,
) -> None:
    """Look through the photos in the browser: findings, crops, captions to type, and which ones are left out."""
    with exit_codes("Interrupted; what was decided and typed is kept."):
        reviewed = reviewed_photos(folder, recipe_of(preset, recipe, values), home, outlines)
        served(reviewed, folder, port, browser, AFTER)


def reviewed_photos(folder: Path, recipe: Recipe, home: Path | None = None, run: Path | None = None) -> ReviewedPhotos:
    """Look at every photo of a folder, showing how far that is; ``run`` is one of filter over them.

    Raises PhotoshootError.
    """
    from lib_photoshoot.training.controller import DEFAULT_HOME, TrainingController
    from lib_photoshoot.training.review.reviewed import ReviewedPhotos

    controller = TrainingController((home or DEFAULT_HOME).expanduser().absolute())
    with pictures_shown("looking at the photos") as tell:
        return ReviewedPhotos(controller, folder.expanduser().absolute(), recipe, tell, run)
