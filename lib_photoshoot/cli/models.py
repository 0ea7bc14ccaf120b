"""``models list | get | verify``: the model files, from the command line. Exit code 3 when a file is not right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from lib_photoshoot.cli.exits import EXIT_CODES, WEIGHTS_MISSING, exit_codes, say
from lib_photoshoot.cli.progress import telling
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.paths import models_folder
from lib_photoshoot.weights import download, store
from lib_photoshoot.weights.manifest import Manifest, WeightFile

app = typer.Typer(
    help="The model files: what is here, what is missing, get it, check it.", epilog=EXIT_CODES, no_args_is_help=True
)

DEFAULT_GROUP = "embedded"


@app.command("list")
def list_models() -> None:
    """Show every model file: its size, its licence, and where it is."""
    with exit_codes("Interrupted."):
        manifest = Manifest.load()
    table = Table()
    for column in ("name", "size", "licence"):
        table.add_column(column, no_wrap=True, justify="right" if column == "size" else "left")
    table.add_column("file", overflow="fold")
    for weight in manifest.files.values():
        table.add_row(weight.name, _size(weight.size), weight.licence, escape(_state(weight, manifest)))
    console = Console()
    console.print(table)
    for group, members in manifest.groups.items():
        left = store.download_size(group, manifest)
        console.print(f"group {group}: {', '.join(members)} ({_size(left) + ' to get' if left else 'complete'})")


@app.command("get")
def get_models(
    names: Annotated[list[str] | None, typer.Argument(help="Files or groups (see list); default: embedded.")] = None,
) -> None:
    """Download what is missing, go on where an earlier try stopped, and verify it."""
    with exit_codes("Interrupted; the same command goes on where it stopped."):
        manifest = Manifest.load()
        todo = store.missing(names or [DEFAULT_GROUP], manifest)
        if not todo:
            say(f"All there and verified in {models_folder()}.")
            return
        total = sum(weight.size for weight in todo)
        say(f"Getting {', '.join(weight.file for weight in todo)}: {_size(total)} in all.")
        for weight in todo:
            _get_telling(weight, manifest)


@app.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(help="Files or groups; default: all that are here.")] = None,
) -> None:
    """Read every byte of the files and compare them with the published sha256."""
    with exit_codes("Interrupted."):
        manifest = Manifest.load()
        weights = manifest.expand(names) if names else tuple(manifest.files.values())
        present = {weight.name: [path for path in store.candidates(weight) if path.exists()] for weight in weights}
        if not names and not any(present.values()):
            raise WeightsError(
                f"There is no model file in {models_folder()}: get those of the embedded detector with "
                f"`{store.get_command(DEFAULT_GROUP)}`."
            )
        bad = False
        for weight in weights:
            if names and not present[weight.name]:
                bad = True
                say(f"missing  {weight.name}: get it with `{store.get_command(weight.name)}`")
            for path in present[weight.name]:
                bad |= not _verify_one(path, weight)
    if bad:
        raise typer.Exit(WEIGHTS_MISSING)


def _verify_one(path: Path, weight: WeightFile) -> bool:
    try:
        store.verify(path, weight)
    except WeightsError as error:
        say(f"wrong    {error}")
        return False
    typer.echo(f"right    {weight.name}  {path}")
    return True


def _get_telling(weight: WeightFile, manifest: Manifest) -> None:
    columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with telling(weight.basename, weight.size, columns, _size) as tell:
        download.get(weight.name, lambda done, total: tell(done, total=total), manifest=manifest)


def _state(weight: WeightFile, manifest: Manifest) -> str:
    if not any(path.exists() for path in store.candidates(weight)):
        return f"missing: {weight.file}"
    try:
        return str(store.find(weight.name, manifest))
    except WeightsError as error:
        return str(error)


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
