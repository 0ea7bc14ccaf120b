"""Options and arguments that several ``train`` commands take, and the recipe that they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from lib_photoshoot.errors import TrainingError

if TYPE_CHECKING:
    from lib_photoshoot.training.recipe import Recipe

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of photos; it is only read.")]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's name; the run at work without one, else the newest.")
]
Home = Annotated[
    Optional[Path],  # noqa: UP045 (Typer reads the annotation at run time)
    typer.Option("--home", help="Where trainer, captions and runs are; the extension's folder training by default."),
]
Preset = Annotated[str, typer.Option("--preset", help="The recipe to start from; `train recipe` lists them.")]
RecipeFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--recipe", help="A JSON file with recipe values, over the preset's."),
]
Values = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="NAME=VALUE", help="One recipe value; as often as needed."),
]
Changes = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="NAME=VALUE", help="A recipe value to change, where the saved state allows it."),
]
Regularisation = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--regularisation", metavar="FOLDER", help="Pictures of the class, such as other bags in 1_bag/."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Show the progress until it ends.")]
SdScripts = Annotated[str, typer.Option("--sd-scripts", help="A folder with sd-scripts instead of the installed one.")]
Python = Annotated[str, typer.Option("--python", help="The interpreter with sd-scripts' packages.")]


def recipe_of(preset: str, file: Path | None, settings: list[str] | None) -> Recipe:
    """Return a preset, with a file's values and then single ones over it. Raises TrainingError."""
    from lib_photoshoot.training.assignments import assigned
    from lib_photoshoot.training.recipe import PRESETS, recipe_from

    if preset and preset not in PRESETS:
        raise TrainingError(f"There is no preset {preset!r}; choose one of: {', '.join(PRESETS)}.")
    values: dict[str, Any] = dict(PRESETS[preset].changed()) if preset else {}
    if file is not None:
        try:
            read = json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise TrainingError(f"The recipe {file} cannot be read ({error}); give a JSON file.") from error
        if not isinstance(read, dict):
            raise TrainingError(f"The recipe {file} holds no JSON object; give names with values.")
        values |= read
    return recipe_from(values | assigned(settings or ()))


def epochs_of(text: str) -> list[int]:
    """Return the numbers of ``8,10``. Raises TrainingError."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise TrainingError(f"The epochs {text!r} are no numbers; write them as 8,10.") from error
