"""Where a corrected outline grows into another product's of the same picture: what was drawn last is what is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lib_photoshoot.correction.regions import read_region_mask
from lib_photoshoot.masks.morphology import fill_holes, mask_box
from lib_photoshoot.results import ProductRegion

if TYPE_CHECKING:
    from lib_photoshoot.catalog.ledger import Record
    from lib_photoshoot.correction.saving import Part

WITHIN = 0.9
"""Share of an outline from which it lies within another, as a dial within its watch: then both keep it."""
SEEN_PIXELS = 3
"""Nobody has to be told of what is nowhere as wide: edges that follow the picture meet there."""


def without_overlaps(out: Path, record: Record, parts: Sequence[Part]) -> tuple[list[Part], list[str]]:
    """Return the parts without what a correction took from others, and a sentence for each that lost anything seen.

    Only where an outline has grown: what two of the run's own outlines share stays both products'. Of two that were
    drawn at once the one that stands later wins. Raises CatalogError, ImageError.
    """
    result, told = list(parts), {}
    grown = {
        index: part.region.solid & ~_before(out, record, part)
        for index, part in enumerate(parts)
        if part.drawing is not None
    }
    for index in grown:
        part = parts[index]
        for number, other in enumerate(result):
            if number == index or (number in grown and number > index):
                continue
            # Of two that were drawn it does not matter which of them has grown.
            new = grown[index] | grown[number] if number in grown else grown[index]
            if not (shared := new & part.region.solid & other.region.solid).any():
                continue
            size, lost = np.count_nonzero(other.region.solid), np.count_nonzero(shared)
            names = {"product": part.region.product, "other": other.region.product}
            if lost >= WITHIN * size:
                told[index, number] = _WITHIN.format(**names)
                continue
            result[number] = replace(other, region=_without(other.region, part.region, shared), cut=True)
            if cv2.erode(shared.astype(np.uint8), np.ones((SEEN_PIXELS, SEEN_PIXELS), np.uint8)).any():
                told[index, number] = _TAKEN.format(**names)
    return result, list(told.values())


_TAKEN = "What {product} and {other} shared is {product}’s now: it was corrected last."
_WITHIN = "{other} lies within the outline of {product}, and keeps its own; remove it if both are one."


def _before(out: Path, record: Record, part: Part) -> np.ndarray:
    """Return what a part's outline held before, bool of its size: nothing of a new one."""
    nothing = np.zeros_like(part.region.mask)
    if part.before is None:
        return nothing
    entry: Mapping[str, object] = record.entry["regions"][part.before]
    height, width = nothing.shape
    mask = read_region_mask(out, entry, (height, width))
    return nothing if mask is None else mask


def _without(region: ProductRegion, taker: ProductRegion, shared: np.ndarray) -> ProductRegion:
    """Return a region without the pixels that are another's now; what is soft there is shared by both."""
    solid = region.solid & ~shared
    mask = fill_holes(solid)
    opened = mask & ~solid
    alpha = region.alpha
    if alpha is not None:
        of_taker = np.where(taker.solid, 255, 0).astype(np.uint8) if taker.alpha is None else taker.alpha
        alpha = np.where(shared | ~region.solid, np.minimum(alpha, 255 - of_taker), alpha).astype(np.uint8)
    box = mask_box(mask) or region.box
    return replace(region, mask=mask, openings=opened if opened.any() else None, alpha=alpha, box=box)
