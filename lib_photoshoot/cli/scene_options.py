"""The options of a new scene, and what they ask for together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from lib_photoshoot.errors import CatalogError
from lib_photoshoot.model_names import RetouchName
from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import DEFAULTS, settings_from

if TYPE_CHECKING:
    from lib_photoshoot.wished_scene import WishedScene

_PANEL = "A new scene around the products"

RepaintWhat = Annotated[
    Optional[Repaint],  # noqa: UP045 (Typer reads the annotation at run time)
    typer.Option(
        rich_help_panel=_PANEL,
        help="product: only the products change. scene: everything but them, which is meant by the options below. "
        "both: the products are retouched, then put into the scene.",
    ),
]
Stage = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, help="A preset, whose scene is taken: the options below go before it."),
]
Backdrop = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        rich_help_panel=_PANEL,
        help='original; blurred; a colour as "#f4f4f4"; two as "#ffffff to #d8d8d8"; or a picture as @wood.jpg.',
    ),
]
Canvas = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, help="Size as 1600x2000, ratio as 4:5, or a channel's name, as for export."),
]
Share = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, min=0, max=1, help="How much of the frame the products fill, as 0.7."),
]
Ground = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, min=0, max=1, help="Where they stand, from the top of the frame, as 0.85."),
]
Shadow = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, min=0, max=1, help="Strength of the shadow where they stand."),
]
Reflection = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, min=0, max=1, help="Strength of their reflection in the ground."),
]
Cast = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(rich_help_panel=_PANEL, min=0, max=1, help="Take over the scene's colour cast: changes the products."),
]


def asked_scene(
    repaint: Repaint | None, preset: str | None, retouch: RetouchName | None, white_balance: str, **staged: Any
) -> tuple[WishedScene | None, RetouchName]:
    """Return the scene that is asked for, and the retouch: by default none where the products stay as they are.

    ``staged`` are settings by their names, None where they were not given. Raises PhotoshootError.
    """
    given = {name: value for name, value in staged.items() if value is not None}
    wanted = bool(given or preset)
    corrects = white_balance != "off" or retouch not in (None, RetouchName.OFF)
    if repaint is None:
        repaint = (Repaint.BOTH if corrects else Repaint.SCENE) if wanted else Repaint.PRODUCT
    if repaint is Repaint.PRODUCT:
        if wanted:
            raise CatalogError("--repaint product leaves the scene as it is; leave out the options of a scene, or it.")
        return None, RetouchName.FAITHFUL if retouch is None else retouch
    if not wanted:
        raise CatalogError(
            f"--repaint {repaint.value} needs a scene; add for example --backdrop '#f4f4f4' --shadow 0.6."
        )
    if repaint is Repaint.SCENE and corrects:
        raise CatalogError(
            "With --repaint scene the products stay as they are; say --repaint both to retouch them too, or leave out "
            "--retouch and --white-balance."
        )
    # With the first scene, and not with --help.
    from lib_photoshoot.wished_scene import wished_scene

    if "backdrop" in given and os.path.isfile(given["backdrop"]):
        given["backdrop"] = f"@{given['backdrop']}"
    settings = settings_from({**_preset(preset), **given, "repaint": repaint.value})
    if repaint is Repaint.SCENE:
        retouch = RetouchName.OFF
    wished = wished_scene(settings, locate=lambda text: Path(text).expanduser())
    return wished, RetouchName.FAITHFUL if retouch is None else retouch


def _preset(name: str | None) -> dict[str, Any]:
    """Return what a preset says of a stage. Raises PresetError, and CatalogError for one that says nothing of it."""
    if name is None:
        return {}
    from lib_photoshoot.presets import user_presets
    from lib_photoshoot.wished_scene import STAGED

    presets = user_presets()
    known = {known.casefold(): known for known in presets.names()}
    values = presets.load(known.get(name.casefold(), name))
    staged = {field: value for field, value in values.items() if field in STAGED and value != DEFAULTS[field]}
    if not staged:
        raise CatalogError(f"The preset {name!r} says nothing of a scene; choose another one, or name a --backdrop.")
    return staged
