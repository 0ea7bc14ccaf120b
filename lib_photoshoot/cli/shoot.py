"""``shoot``: pictures of every product of a shot list, made by running WebUIs with our filter on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lib_photoshoot.cli.exits import SOME_UNREADABLE, exit_codes, say
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.wording import counted

EXIT_CODES = (
    "Exit codes: 0 every product has its pictures; 1 some lack pictures, and it is said why; 2 wrong usage, a list, "
    "folder or WebUI that cannot be used, or every WebUI given up; 130 interrupted. All but 0 go on with --resume."
)


def shoot_command(
    shot_list: Annotated[Path, typer.Argument(metavar="LIST", help="A .csv or .yaml with one product a row.")],
    webui: Annotated[list[str], typer.Option("--webui", metavar="URL", help="A running WebUI; as often as needed.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Output folder: new, or of the shoot to resume.")],
    auth: Annotated[
        str,
        typer.Option(metavar="USER:PASSWORD", envvar="PHOTOSHOOT_WEBUI_AUTH", help="Login of the WebUIs' --api-auth."),
    ] = "",
    tries: Annotated[
        Optional[int],  # noqa: UP045 (Typer reads the annotation at run time)
        typer.Option(min=1, max=100_000, help="Most tries a product; the default is 5 for each picture wanted."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that a WebUI may take for one picture.")] = 600.0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a shoot in the same folder.")] = False,
) -> None:
    """Make pictures of every product of a list through running WebUIs, until the filter has accepted enough of each."""
    with exit_codes(f"Interrupted; every finished picture is kept in {out}: the same command with --resume goes on."):
        from rich.progress import MofNCompleteColumn, TimeElapsedColumn

        from lib_photoshoot.shoot.run.http_webui import HttpWebUi
        from lib_photoshoot.shoot.run.runner import ShootProgress, ShootRun
        from lib_photoshoot.shoot.shot_list.reading import read_shot_list

        products = read_shot_list(shot_list)
        webuis = [HttpWebUi(url, auth, timeout) for url in webui]
        columns = (MofNCompleteColumn(), TimeElapsedColumn())
        with telling("accepted", sum(product.count for product in products), columns) as bar:

            def tell(state: ShootProgress) -> None:
                bar(state.accepted)
                if state.note:
                    say(state.note)

            with ShootRun(products, webuis, out, resume, tries, tell) as run:
                summary = run.run()
        for sentence in summary.short:
            say(sentence)
        earlier = f" ({summary.resumed} in earlier runs)" if summary.resumed else ""
        wanted, asked = counted(summary.wanted, "picture"), counted(summary.tries, "try", "tries")
        say(f"{summary.accepted} of {wanted} accepted after {asked}{earlier}. Look at {out / 'report.html'}")
    if summary.short:
        raise typer.Exit(SOME_UNREADABLE)
