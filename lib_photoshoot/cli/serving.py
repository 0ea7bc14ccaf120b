"""A picture page served from the command line, until Ctrl-C."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from lib_photoshoot.cli.exits import say
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from lib_photoshoot.pages.application import Reviewed

Port = Annotated[int, typer.Option(min=0, max=65535, help="Of this machine; 0 for the folder's usual one, or any.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")]


def served(reviewed: Reviewed, folder: Path, port: int, browser: bool, after: str) -> None:
    """Serve the page of a folder until Ctrl-C, and say ``after`` where anything was done. Raises PhotoshootError."""
    from lib_photoshoot.pages.server import PageServer, usual_port

    with PageServer(reviewed, port, usual_port(folder)) as server:
        say(f"Review at {server.address}\nCtrl-C ends it.")
        if browser:
            _open(server.address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
        server.finish()
        done = ((reviewed.decided, "decision"), (reviewed.corrected, "correction"))
    if told := [counted(number, what) for number, what in done if number]:
        say(f"{' and '.join(told)} by hand. {after}")


def _open(address: str) -> None:
    import threading
    import webbrowser

    # A browser without windows would keep the page from being served.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
