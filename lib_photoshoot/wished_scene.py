"""From settings to the scenery that the product filter needs, and how a run remembers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import sha256_of, shown
from lib_photoshoot.images import read_picture
from lib_photoshoot.provenance.evidence import evidence_in
from lib_photoshoot.provenance.terms import TERM_OF
from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import DEFAULTS, FilterSettings, SettingsError, settings_from
from lib_photoshoot.staging.backdrops import BackdropKind, read_backdrop
from lib_photoshoot.staging.plan import StageError
from lib_photoshoot.staging.protocol import ScenePainter
from lib_photoshoot.staging.reading import read_stage
from lib_photoshoot.staging.scene import SceneLimits
from lib_photoshoot.staging.scenery import Scenery, SurfacePainter
from lib_photoshoot.transparency import flattened

STAGED = ("canvas", "product_share", "ground_line", "backdrop", "shadow", "reflection", "colour_cast")
"""The settings that say how products stand in a scene, and on what."""
_DIGEST, _DIGITS = "backdrop_digest", 12
_PAINTER = "scene_painter"


@dataclass(frozen=True, eq=False)
class WishedScene:
    """A scene as it was asked for; ``told`` is what decides a run's results, for its settings (JSON values)."""

    scenery: Scenery
    told: Mapping[str, Any]


def wished_scene(
    settings: FilterSettings, painter: ScenePainter | None = None, locate: Callable[[str], Path] = Path
) -> WishedScene:
    """Return the scene of settings, without a ``painter`` one that no model paints.

    ``locate`` says which file a backdrop's text means, and refuses those that may not be read. Raises StageError for
    texts that cannot be understood, and ImageError for a backdrop that cannot be read.
    """
    painter = painter or SurfacePainter()
    plan = read_stage(settings)
    told = {name: getattr(settings, name) for name in STAGED if getattr(settings, name) != DEFAULTS[name]}
    told |= {"repaint": settings.repaint, _PAINTER: painter.name}
    limits = SceneLimits(settings.growth_limit, settings.scene_tries, settings.keep_out)
    wanted = read_backdrop(plan.backdrop)
    if wanted.kind is not BackdropKind.PICTURE:
        return WishedScene(Scenery(plan, painter, limits), told)
    path = locate(wanted.picture).absolute()
    pixels, generated = _backdrop(path)
    told |= {"backdrop": f"@{path}", _DIGEST: sha256_of(path)[:_DIGITS]}
    return WishedScene(Scenery(plan, painter, limits, pixels, generated), told)


def remembered_scene(told: Mapping[str, Any]) -> Scenery | None:
    """Return the scene that a run's settings tell of; None where its pictures kept their own.

    Raises CatalogError where it cannot be made here any more, as what a WebUI painted.
    """
    if told.get("repaint", Repaint.PRODUCT.value) == Repaint.PRODUCT.value:
        return None
    if told.get(_PAINTER) != SurfacePainter.name:
        raise CatalogError("A WebUI painted this run's scenes; correct outlines there, where they can be painted anew.")
    try:
        values = {name: told[name] for name in ("repaint", *STAGED) if name in told}
        return wished_scene(settings_from(values), locate=lambda text: _unchanged(text, told.get(_DIGEST))).scenery
    except (SettingsError, StageError) as error:
        raise CatalogError(f"The run's scene cannot be read ({error}); run `filter` again.") from error


def _backdrop(path: Path) -> tuple[np.ndarray, bool]:
    picture = read_picture(path)
    evidence = evidence_in(picture.metadata)
    return flattened(picture), evidence is not None and evidence.source in TERM_OF


def _unchanged(text: str, digest: Any) -> Path:
    """Return the file that a run named, only if it still is what the run had: its name may come from anybody."""
    path = Path(text)
    try:
        if path.is_file() and sha256_of(path)[:_DIGITS] == digest:
            return path
    except OSError as error:
        raise CatalogError(f"The backdrop {shown(path)} cannot be read ({error.strerror}).") from error
    raise CatalogError(f"The backdrop {shown(path)} of this run is gone, or another one now; put it back first.")
