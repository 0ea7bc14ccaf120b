"""``models list | get | verify``: the model files, from the command line. Exit code 1 when a file is not right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.weights import download, store
from lib_photoshoot.weights.manifest import Manifest, WeightFile

app = typer.Typer(help="The model files: what is here, what is missing, get it, check it.", no_args_is_help=True)

DEFAULT_GROUP = "embedded"


@app.command("list")
def list_models() -> None:
    """Show every model file: its size, its licence, and where it is."""
    try:
        manifest = Manifest.load()
    except WeightsError as error:
        _fail(Console(stderr=True, soft_wrap=True), error)
        return
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
    errors = Console(stderr=True, soft_wrap=True)
    try:
        manifest = Manifest.load()
        todo = store.missing(names or [DEFAULT_GROUP], manifest)
        if not todo:
            errors.print(f"All there and verified in {escape(str(store.models_folder()))}.")
            return
        total = sum(weight.size for weight in todo)
        errors.print(f"Getting {', '.join(weight.file for weight in todo)}: {_size(total)} in all.")
        for weight in todo:
            _get_with_bar(weight, manifest, errors)
    except WeightsError as error:
        _fail(errors, error)


@app.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(help="Files or groups; default: all that are here.")] = None,
) -> None:
    """Read every byte of the files and compare them with the published sha256."""
    errors = Console(stderr=True, soft_wrap=True)
    output = Console(soft_wrap=True)
    try:
        manifest = Manifest.load()
        weights = manifest.expand(names) if names else tuple(manifest.files.values())
    except WeightsError as error:
        _fail(errors, error)
        return
    bad = False
    for weight in weights:
        present = [path for path in store.candidates(weight) if path.exists()]
        if not present and names:
            bad = True
            errors.print(f"missing  {weight.name}: get it with `{store.get_command(weight.name)}`", markup=False)
        for path in present:
            bad |= not _verify_one(path, weight, output, errors)
    if bad:
        raise typer.Exit(1)


def _verify_one(path: Path, weight: WeightFile, output: Console, errors: Console) -> bool:
    try:
        store.verify(path, weight)
    except WeightsError as error:
        errors.print(f"wrong    {error}", markup=False)
        return False
    output.print(f"right    {weight.name}  {path}", markup=False)
    return True


def _get_with_bar(weight: WeightFile, manifest: Manifest, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(weight.basename, total=weight.size)
        download.get(weight.name, lambda done, total: bar.update(task, completed=done, total=total), manifest=manifest)


def _state(weight: WeightFile, manifest: Manifest) -> str:
    if not any(path.exists() for path in store.candidates(weight)):
        return f"missing: {weight.file}"
    try:
        return str(store.find(weight.name, manifest))
    except WeightsError as error:
        return str(error)


def _fail(console: Console, error: WeightsError) -> None:
    console.print(str(error), markup=False, highlight=False)
    raise typer.Exit(1)


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
