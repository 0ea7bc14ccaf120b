"""How the settings hold a product's colour through a pass of the host, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lib_photoshoot.enhancement.holding import HoldingEnhancer, Original
from lib_photoshoot.products import Product, Way
from lib_photoshoot.settings import ColourHold, FilterSettings

if TYPE_CHECKING:
    from lib_photoshoot.enhancement.colour_hold import ColourChange
    from lib_photoshoot.enhancement.protocol import Enhancer


def holding(
    painting: Enhancer,
    settings: FilterSettings,
    is_photo: bool,
    original: Original | None = None,
    products: Iterable[Product] = (),
) -> HoldingEnhancer:
    """Return the enhancer, with colours held where the settings say so, and measured in any case.

    A photo is a picture that the host was given: its colours are known to be the article's. What txt2img has painted
    has none of its own, and a prompt for the product may well ask for another colour there; not so for ``products`` by
    example, which are found only where they have their own colours.
    """
    on = settings.colour_hold == ColourHold.ALWAYS.value or (
        settings.colour_hold == ColourHold.PHOTOS.value and is_photo
    )
    limit = settings.colour_limit if on and settings.colour_limit > 0 else None
    by_example = [product.name for product in products if product.way is Way.EXAMPLES]
    strict = dict.fromkeys(by_example, settings.colour_limit) if settings.colour_limit > 0 else {}
    return HoldingEnhancer(painting, settings.colour_strength if on else 0.0, limit, original, strict)


def change_text(change: ColourChange) -> str:
    """``ΔE 6.5 → 1.2 (95 % below 9.1 → 3.0)``, or one figure of each where nothing was held."""
    means = [f"{state.mean:.1f}" for state in (change.painted, change.held)]
    most = [f"{state.percentile_95:.1f}" for state in (change.painted, change.held)]
    if change.painted == change.held:
        return f"ΔE {means[0]} (95 % below {most[0]})"
    return f"ΔE {' → '.join(means)} (95 % below {' → '.join(most)})"
