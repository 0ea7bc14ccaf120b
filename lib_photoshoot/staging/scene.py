"""A scene painted around products: tried, looked at, tried again, and given up where the product grows in every try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib_photoshoot.results import Doubt, Reason
from lib_photoshoot.staging.composition import changed_product_pixels, put_back
from lib_photoshoot.staging.contact import is_floating
from lib_photoshoot.staging.growth import Growth, measure_growth
from lib_photoshoot.staging.plan import Staged
from lib_photoshoot.staging.protocol import Attempt, SceneLook, ScenePainter

HIDDEN = 0.15
"""Share of a product's area that is no longer seen as it from which something seems painted over it."""
_WIDEST = 64
"""Largest keep-out around the products, in pixels."""


@dataclass(frozen=True)
class SceneLimits:
    """``growth`` is the largest that a product may gain, as a share of its area; ``tries`` how many scenes are painted
    at most; ``keep_out`` how many pixels around the products stay unpainted at first.
    """

    growth: float = 0.02
    tries: int = 3
    keep_out: int = 2


@dataclass(frozen=True)
class SceneTry:
    """One attempt at a scene, and what each product gained in it, in the regions' order."""

    attempt: Attempt
    growths: tuple[Growth, ...]

    @property
    def gained(self) -> float:
        """The largest growth of a product."""
        return max((growth.gained for growth in self.growths), default=0.0)


@dataclass(frozen=True, eq=False)
class Scene:
    """What became of a scene.

    ``image`` is the picture with the products in it, None where in all ``tries`` a product grew: then ``reason`` says
    so and the original stays. ``changed`` counts pixels that are all product and differ from the article: measured, 0
    unless the scene's colour cast was asked for. Tries are empty for a painter that cannot make products grow.
    """

    image: np.ndarray | None
    tries: tuple[SceneTry, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    reason: Reason | None = None
    changed: int = 0


def paint_scene(
    staged: Staged, painter: ScenePainter, look: SceneLook | None = None, limits: SceneLimits | None = None
) -> Scene:
    """Paint a scene around staged products until none of them grew in it beyond the limit.

    Each further try has a number of its own, from which painters take another seed, and a wider keep-out. For a painter
    whose scenes cannot grow products, the first one is taken; ``look`` says more of the others. Raises
    EnhancementError, EnhancementStopped as the painter does.
    """
    limits = limits or SceneLimits()
    if not painter.can_grow:
        image = put_back(painter.paint(staged, Attempt(0, limits.keep_out)), staged)
        return Scene(image, changed=changed_product_pixels(staged, image))
    start = staged.space.to_srgb(staged.image)
    tries: list[SceneTry] = []
    for number in range(max(1, limits.tries)):
        attempt = Attempt(number, _keep_out(limits.keep_out, number))
        image = put_back(painter.paint(staged, attempt), staged)
        growths = _growths(staged, start, staged.space.to_srgb(image), look or SceneLook())
        tries.append(SceneTry(attempt, growths))
        if tries[-1].gained <= limits.growth:
            return Scene(image, tuple(tries), _doubts(growths), changed=changed_product_pixels(staged, image))
    return Scene(None, tuple(tries), reason=Reason.PRODUCT_GREW)


def _keep_out(first: int, number: int) -> int:
    """Twice as wide with each try."""
    return first if number == 0 else min(_WIDEST, max(first, 1) << number)


def _growths(staged: Staged, start: np.ndarray, image: np.ndarray, look: SceneLook) -> tuple[Growth, ...]:
    growths = []
    for region in staged.regions:
        alpha = region.alpha if region.alpha is not None else staged.alpha
        growth = measure_growth(alpha, staged.alpha, start, image, look)
        if staged.grounded:
            growth = replace(growth, floating=is_floating(image, alpha))
        growths.append(growth)
    return tuple(growths)


def _doubts(growths: Sequence[Growth]) -> tuple[Doubt, ...]:
    doubts = []
    if any((growth.hidden or 0.0) > HIDDEN for growth in growths):
        doubts.append(Doubt.PRODUCT_HIDDEN)
    if any(growth.floating for growth in growths):
        doubts.append(Doubt.FLOATING)
    return tuple(doubts)
