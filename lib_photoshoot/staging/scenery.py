"""A new scene for the products of a picture: what is wished, what paints it, and how far it may go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lib_photoshoot.staging.light import Light
from lib_photoshoot.staging.plan import Staged, StageError, StagePlan
from lib_photoshoot.staging.protocol import Attempt, ScenePainter
from lib_photoshoot.staging.scene import SceneLimits

if TYPE_CHECKING:
    import numpy as np


class ProductGrewError(StageError):
    """In every try the model painted more of the product than there is."""


@dataclass(frozen=True, eq=False)
class Scenery:
    """All that the product filter needs to know of a scene.

    ``backdrop`` is the plan's own picture, uint8 sRGB RGB (height, width, 3), where it names one; it is ``generated``
    where a trained model made it. ``light`` is the new light that the scene takes, if any is asked for and can be had.
    """

    plan: StagePlan
    painter: ScenePainter
    limits: SceneLimits = field(default_factory=SceneLimits)
    backdrop: np.ndarray | None = None
    generated: bool = False
    light: Light | None = None


class SurfacePainter:
    """The painter without a diffusion model: the scene is the surface on which the products were staged."""

    name = "surface"
    can_grow = False

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        """See ``ScenePainter``."""
        return staged.image
