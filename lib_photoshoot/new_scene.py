"""What is made of a match: its products enhanced where they are, put into a new scene, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib_photoshoot.colour.space import ColourSpace
from lib_photoshoot.enhancement.applying import Enhanced, Lost, enhance_products
from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped, Enhancer
from lib_photoshoot.products import Product
from lib_photoshoot.results import NewScene, ProductRegion, Reason
from lib_photoshoot.staging.composition import changed_product_pixels
from lib_photoshoot.staging.light import Light
from lib_photoshoot.staging.plan import Staged, StageError
from lib_photoshoot.staging.protocol import SceneLook
from lib_photoshoot.staging.scene import paint_scene
from lib_photoshoot.staging.scenery import ProductGrewError, Scenery
from lib_photoshoot.staging.stage import stage
from lib_photoshoot.transparency import on_neutral_ground, over_white
from lib_photoshoot.wording import counted

NOT_MADE = (EnhancementError, StageError)
"""What :func:`make_picture` raises where the original stays."""


@dataclass(frozen=True, eq=False)
class Checks:
    """The second looks at what was made, where there are any.

    ``lost`` is given a picture before an enhancement as models look at it, uint8 sRGB (height, width, 3), and its
    alpha, and returns what says which products that enhancement has lost; ``seen`` is the photo so, if it is known.
    ``look`` looks at new scenes.
    """

    lost: Callable[[np.ndarray, np.ndarray | None], Lost] | None = None
    seen: np.ndarray | None = None
    look: SceneLook | None = None


def make_picture(
    photo: np.ndarray,
    opacity: np.ndarray | None,
    space: ColourSpace,
    regions: Sequence[ProductRegion],
    products: Sequence[Product],
    enhancer: Enhancer | None,
    scenery: Scenery | None,
    checks: Checks | None = None,
) -> tuple[Enhanced, NewScene | None]:
    """Return the new picture with its products, and what is to be said of its scene where that is new.

    ``photo`` is uint8 or uint16 RGB (height, width, 3) in ``space``, and so is the new picture, in a new scene perhaps
    of another size; ``opacity``, uint8 (height, width), is the photo's alpha, if it has one. An enhancer that keeps
    shapes works on the photo, whose light it measures, and any other in the scene. The products' regions stay the
    photo's. Raises EnhancementError and StageError: then nothing was made.
    """
    checks = checks or Checks()
    if scenery is None:
        if enhancer is None:
            return Enhanced(photo, 0, list(regions), []), None
        return _enhanced_photo(photo, opacity, space, regions, products, enhancer, checks), None
    before = enhancer is not None and getattr(enhancer, "keeps_shape", False)
    done = Enhanced(photo, 0, list(regions), [])
    if enhancer is not None and before:
        done = _enhanced_photo(photo, opacity, space, regions, products, enhancer, checks)
    image, scene = _scene(done.image, opacity, space, done.regions, scenery, checks.look)
    if enhancer is None or before:
        return replace(done, image=image), replace(scene, retouched=before)
    lost = checks.lost and checks.lost(space.to_srgb(image), None)
    later = enhance_products(image, space, scene.regions, products, enhancer, lost)
    return _of_photo(later, regions, scene.regions), replace(scene, regions=tuple(later.regions))


def failure_of(error: Exception) -> Reason:
    """Return the code of why a picture was not made, for one of :data:`NOT_MADE`."""
    if isinstance(error, ProductGrewError):
        return Reason.PRODUCT_GREW
    return Reason.INTERRUPTED if isinstance(error, EnhancementStopped) else Reason.NOT_ENHANCED


def _enhanced_photo(
    photo: np.ndarray,
    opacity: np.ndarray | None,
    space: ColourSpace,
    regions: Sequence[ProductRegion],
    products: Sequence[Product],
    enhancer: Enhancer,
    checks: Checks,
) -> Enhanced:
    lost = None
    if checks.lost is not None:
        seen = on_neutral_ground(space.to_srgb(photo), opacity) if checks.seen is None else checks.seen
        lost = checks.lost(seen, opacity)
    return enhance_products(photo, space, regions, products, enhancer, lost)


def _scene(
    photo: np.ndarray,
    opacity: np.ndarray | None,
    space: ColourSpace,
    regions: Sequence[ProductRegion],
    scenery: Scenery,
    look: SceneLook | None,
) -> tuple[np.ndarray, NewScene]:
    # Around a transparent picture there is nothing: it stands on white.
    seen = photo if opacity is None else over_white(photo, opacity)
    staged = stage(seen, regions, scenery.plan, scenery.backdrop, space)
    scene = paint_scene(staged, scenery.painter, look, scenery.limits)
    if scene.image is None:
        least = min(attempt.gained for attempt in scene.tries)
        raise ProductGrewError(
            f"In {counted(len(scene.tries), 'try', 'tries')} more of the product was painted than there is, "
            f"{least:.1%} of its area at the least; the original was kept."
        )
    growths = scene.tries[-1].growths if scene.tries else ()
    image, light, note = _lit(scene.image, staged, scenery.light)
    return image, NewScene(
        painter=scenery.painter.name,
        photo=photo,
        regions=staged.regions,
        scale=staged.scale,
        kept=int(np.count_nonzero(staged.alpha == 255)),
        changed_product=scene.changed if light is None else changed_product_pixels(staged, image),
        tries=max(1, len(scene.tries)),
        grown=max((growth.gained for growth in growths), default=None),
        hidden=max((growth.hidden for growth in growths if growth.hidden is not None), default=None),
        generated=scenery.generated or scenery.painter.can_grow or light is not None,
        light=None if light is None else light.painter.name,
        relit_product=light is not None and light.product,
        doubts=scene.doubts,
        notes=(*staged.notes, *note),
    )


def _lit(image: np.ndarray, staged: Staged, light: Light | None) -> tuple[np.ndarray, Light | None, tuple[str, ...]]:
    """Return the scene in its new light, that light, and a sentence where there is none though it was asked for."""
    if light is None:
        return image, None, ()
    try:
        return light.on(image, staged), light, ()
    except EnhancementStopped:
        return image, None, ("The pass for the new light was stopped, so the scene has none.",)
    except EnhancementError as error:
        return image, None, (f"The scene has no new light. {error}",)


def _of_photo(later: Enhanced, regions: Sequence[ProductRegion], placed: Sequence[ProductRegion]) -> Enhanced:
    """Return what an enhancement in the scene did, told of the products as they stand in the photo."""
    there = {(one.product, one.box): region for one, region in zip(placed, regions, strict=True)}
    found = [
        replace(region, colour=one.colour, colour_check=one.colour_check)
        for one, region in zip(later.regions, regions, strict=True)
    ]
    rejected = [replace(item, box=there[item.product, item.box].box) for item in later.rejected]
    return replace(later, regions=found, rejected=rejected)
