"""``train masks``: the outlines of a run as files beside the photos, for a loss that counts within them alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lib_photoshoot.cli.exits import SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.train_options import Folder, Home
from lib_photoshoot.cli.train_told import pictures_shown
from lib_photoshoot.wording import counted


def train_masks_command(
    folder: Folder,
    outlines: Annotated[
        Path, typer.Option("--outlines", metavar="RUN", help="A run of filter over the photos, corrected in `review`.")
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace NAME-masklabel.png that are there.")] = False,
    home: Home = None,
) -> None:
    """Write each photo's outlines beside it as NAME-masklabel.png, for masked_loss. Exit code 1 where one lacks any."""
    from lib_photoshoot.files import shown

    with exit_codes("Interrupted; the masks that are written are whole."):
        from lib_photoshoot.training.controller import DEFAULT_HOME, TrainingController
        from lib_photoshoot.training.dataset.mask_files import write_masks
        from lib_photoshoot.training.recipe import Recipe
        from lib_photoshoot.training.review.outlines import outlines_of

        controller = TrainingController((home or DEFAULT_HOME).expanduser().absolute())
        photos = folder.expanduser().absolute()
        found = outlines_of(outlines, photos)
        with pictures_shown("looking at the photos") as tell:
            check = controller.check(photos, Recipe(), tell)
        masks = write_masks(check.dataset.images, found, overwrite)
        for path in masks.written:
            print(path)
        if masks.kept:
            say(
                f"{counted(len(masks.kept), 'mask')} ({shown(masks.kept[0])} first) there already and other than the "
                "run's outlines: left. --overwrite replaces those called NAME-masklabel.png."
            )
        if masks.without:
            say(
                f"{counted(len(masks.without), 'photo')} without an outline in the run ({shown(masks.without[0])} "
                f"first): draw it in `review {shown(outlines)}`, or leave the photo out of the training."
            )
    if masks.without or masks.kept:
        raise typer.Exit(SOME_UNREADABLE)
