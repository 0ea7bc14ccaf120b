"""``review``: a shoot's or a run's pictures in the browser, where decisions by hand go into its ledger at once."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lib_photoshoot.cli.exits import exit_codes, say
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.calibration.applying import Calibrator

EXIT_CODES = (
    "Exit codes: 0 ended with Ctrl-C, or the decisions are written; 2 wrong usage, a folder without a shoot or run, or "
    "with one that is going on, a file without decisions, or a port that is taken."
)


def review_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The output folder of a shoot or of filter.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; 0 for any free one.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    apply: Annotated[
        Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option(metavar="FILE", help="Write decisions that were saved from report.html into the folder, and end."),
    ] = None,
    calibration: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILE", help="The calibration of a run that had one, to correct outlines in it."),
    ] = None,
) -> None:
    """Look through the pictures of a shoot or of filter in the browser, accept or reject them, correct outlines."""
    with exit_codes("Interrupted."):
        from lib_photoshoot.correction.fixer import fixer_of
        from lib_photoshoot.pages.saved import apply_decisions, counts_in_words
        from lib_photoshoot.pages.server import PageServer
        from lib_photoshoot.shoot.review.opening import open_reviewed

        reviewed = open_reviewed(folder, partial(fixer_of, calibrator=_calibrator(calibration)))
        if apply is not None:
            say(f"{counts_in_words(apply_decisions(reviewed, apply))}. Look at {folder / 'report.html'}")
            return
        with PageServer(reviewed, port) as server:
            say(f"Review at {server.address}\nCtrl-C ends it.")
            if browser:
                _open(server.address)
            with suppress(KeyboardInterrupt):
                server.serve_forever()
            server.finish()
            done = ((reviewed.decided, "decision"), (reviewed.corrected, "correction"))
        if told := [counted(number, what) for number, what in done if number]:
            say(f"{' and '.join(told)} by hand. Look at {folder / 'report.html'}")


def _calibrator(name: str | None) -> Calibrator | None:
    if name is None:
        return None
    from lib_photoshoot.calibration.applying import calibrator_for

    return calibrator_for(name)[0]


def _open(address: str) -> None:
    import threading
    import webbrowser

    # A browser without windows would keep the page from being served.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
