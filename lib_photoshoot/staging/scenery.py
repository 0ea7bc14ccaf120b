"""A new scene for the products of a picture: what is wished, what paints it, and how far it may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_photoshoot.results import ProductRegion
from lib_photoshoot.staging.plan import Staged, StageError, StagePlan
from lib_photoshoot.staging.protocol import Attempt, ScenePainter

if TYPE_CHECKING:
    import numpy as np

Look = Callable[["np.ndarray"], Sequence[ProductRegion]]
"""What is found of the products in a new scene, uint8 or uint16 RGB (height, width, 3)."""


class ProductGrewError(StageError):
    """In every try the model painted more of the product than there is."""


@dataclass(frozen=True)
class SceneLimits:
    """How often a scene is tried, and what a product may gain by it, as a share of its area.

    ``keep_out`` is how many pixels around the products stay unpainted at the first try.
    """

    tries: int = 3
    growth: float = 0.02
    keep_out: int = 2


@dataclass(frozen=True, eq=False)
class Scenery:
    """All that the product filter needs to know of a scene.

    ``backdrop`` is the plan's own picture, uint8 sRGB RGB (height, width, 3), where it names one; it is ``generated``
    where a trained model made it.
    """

    plan: StagePlan
    painter: ScenePainter
    limits: SceneLimits = SceneLimits()
    backdrop: np.ndarray | None = None
    generated: bool = False


class SurfacePainter:
    """The painter without a diffusion model: the scene is the surface on which the products were staged."""

    name = "surface"
    can_grow = False

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        """See ``ScenePainter``."""
        return staged.image
