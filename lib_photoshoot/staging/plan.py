"""Where the products stand on a canvas, and on what: the start of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.scene_settings import ORIGINAL

if TYPE_CHECKING:
    import numpy as np


class StageError(PhotoshootError):
    """A scene cannot be staged: the sentence says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class StagePlan:
    """The wishes of one scene.

    ``canvas`` is its size as (width, height) in pixels, its ratio as a float (width by height), or None for the
    picture's own. ``share`` is that of the frame which the products' common box fills, along the side that fills most;
    ``ground`` where they stand, from the top of the frame, and ``across`` where their middle is, from its left: all in
    (0, 1], None to leave them as they are. ``backdrop`` is as users type it; see
    :func:`lib_photoshoot.staging.backdrops.read_backdrop`. ``shadow``, ``reflection`` and ``cast`` are strengths in
    [0, 1].
    """

    canvas: tuple[int, int] | float | None = None
    share: float | None = None
    ground: float | None = None
    across: float | None = None
    backdrop: str = ORIGINAL
    shadow: float = 0.0
    reflection: float = 0.0
    cast: float = 0.0


@dataclass(frozen=True, eq=False)
class Staged:
    """Products on a canvas, before anything is painted.

    ``image`` is the start of the scene with the products in it, uint8 or uint16 RGB (height, width, 3), ``surface`` the
    same without them. ``article`` has the products' own colours wherever ``alpha``, uint8 (height, width), is above 0;
    where it is 255, ``image`` is ``article`` exactly, unless ``cast`` asks for the scene's colours. ``regions`` are the
    products, as they stand here. ``scale`` is their size relative to the picture's: 1 where no pixel was resampled.
    ``notes`` are sentences for the user. ``grounded`` says that the products are to stand on something, ``cast`` in
    [0, 1] how far they take over the scene's colour cast, ``space`` what colours the pixels mean.
    """

    image: np.ndarray
    surface: np.ndarray
    article: np.ndarray
    alpha: np.ndarray
    regions: tuple[ProductRegion, ...]
    scale: float = 1.0
    notes: tuple[str, ...] = ()
    grounded: bool = False
    cast: float = 0.0
    space: ColourSpace = SRGB
