"""``review``: pictures of a shoot, a run or a training in the browser, where decisions by hand are kept at once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import exit_codes, say
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.pages.application import Reviewed

EXIT_CODES = (
    "Exit codes: 0 ended with Ctrl-C, or the decisions are written; 2 wrong usage, a folder without such pictures, or "
    "with one that is going on, a file without decisions, or a port that is taken."
)


Port = Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; 0 for any free one.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")]


def review_command(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Of a shoot or of filter, or one of photos to train on."),
    ],
    port: Port = 0,
    browser: Browser = True,
    apply: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option(metavar="FILE", help="Write decisions that were saved from report.html into the folder, and end."),
    ] = None,
) -> None:
    """Look through pictures in the browser, and accept or reject them by hand.

    Those of a shoot, of filter, or photos to train on (`train review` takes a recipe for them).
    """
    with exit_codes("Interrupted."):
        from lib_photoshoot.pages.saved import apply_decisions, counts_in_words

        if apply is not None:
            reviewed = _reviewed(folder)
            say(f"{counts_in_words(apply_decisions(reviewed, apply))}. Look at {folder / 'report.html'}")
            return
        if _are_photos(folder):
            served(_photos(folder), port, browser, "`train check` says what would be trained.")
            return
        served(_reviewed(folder), port, browser, f"Look at {folder / 'report.html'}")


def served(reviewed: Reviewed, port: int, browser: bool, after: str) -> None:
    """Serve the page until Ctrl-C, and say ``after`` where anything was decided. Raises PhotoshootError."""
    from lib_photoshoot.pages.server import PageServer

    with PageServer(reviewed, port) as server:
        say(f"Review at {server.address}\nCtrl-C ends it.")
        if browser:
            _open(server.address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
        server.finish()
    if reviewed.decided:
        say(f"{counted(reviewed.decided, 'decision')} by hand. {after}")


def _are_photos(folder: Path) -> bool:
    """Whether a folder holds pictures that no run and no shoot has made."""
    from lib_photoshoot.training.dataset.folders import holds_photos

    if not holds_photos(folder):
        return False
    try:
        _reviewed(folder)
    except PhotoshootError:
        return not any((folder / name).exists() for name in ("ledger.jsonl", "list.yaml"))  # one that is damaged
    return False


def _photos(folder: Path) -> Reviewed:
    from lib_photoshoot.cli.train_review import reviewed_photos
    from lib_photoshoot.training.recipe import Recipe

    return reviewed_photos(folder, Recipe())


def _reviewed(folder: Path) -> Reviewed:
    from lib_photoshoot.catalog.review import ReviewedRun, is_run
    from lib_photoshoot.shoot.review.decisions import ReviewedShoot
    from lib_photoshoot.shoot.review.folder import ShootFolder

    return ReviewedRun(folder) if is_run(folder) else ReviewedShoot(ShootFolder(folder))


def _open(address: str) -> None:
    import threading
    import webbrowser

    # A browser without windows would keep the page from being served.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
