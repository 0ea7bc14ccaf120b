"""What a product seems to have gained in a painted scene: limbs, necks, straps, text (Eshratifar et al. 2024, "Salient
object-aware background generation using text-guided diffusion models").

What around the product has its colours (:mod:`lib_photoshoot.staging.look_alikes`) may be more of it, or a part of the
scene that happens to look like it. The segmenter tells them apart: asked for what lies at such a place and is not the
product's own pixels, it finds something of that shape, and nothing larger that goes on without the product. What looked
like that at the start of the scene already says nothing about the painting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.staging.look_alikes import Surroundings, look_alikes, surroundings
from lib_photoshoot.staging.protocol import PlaceLooker

LEAST = 0.008
"""Share of the product's area from which something that looks like it is asked about."""
MOST_ASKED = 5
"""Look-alikes that are asked about, the largest first."""
_LARGE = 0.12
"""Share from which several places of one look-alike are asked about: it may hold more of the product and scene."""
FITS = 0.75
"""Least share of what the segmenter finds that looks like the product."""
GOES_ON = 0.65
"""Share by which something larger, without the product, exceeds what was found, from which that is the scene's."""
ENCLOSED = 0.6
"""Share of a piece's border along the product from which it is an opening of the product, and shows the scene."""
_RIM = np.ones((5, 5), np.uint8)
_CLEAR = 0.8
"""Predicted IoU from which the segmenter's answers count."""


@dataclass(frozen=True)
class Growth:
    """``gained`` is the area that a product seems to have gained outside its alpha and ``hidden`` that which is no
    longer seen, both as shares of its area; ``floating`` that it touches no surface.
    """

    gained: float
    hidden: float = 0.0
    floating: bool = False


@dataclass(frozen=True, eq=False)
class LookAlike:
    """Something near a product that may be more of it: its pixels (bool) in the surroundings, and what was measured.

    ``fits`` is the share of them that looks like the product, ``goes_on`` by how much something larger and without the
    product exceeds them, ``enclosed`` the share of their border along the product.
    """

    pixels: np.ndarray
    fits: float
    goes_on: float
    enclosed: float

    @property
    def is_product(self) -> bool:
        """Whether it is believed to be more of the product."""
        return self.fits >= FITS and self.goes_on < GOES_ON and self.enclosed < ENCLOSED


def measure_growth(alpha: np.ndarray, start: np.ndarray, painted: np.ndarray, looker: PlaceLooker) -> Growth:
    """Return what a product of this ``alpha`` (uint8, height, width) gained and lost from one picture to the other.

    ``start`` is the scene before it was painted, ``painted`` afterwards, with the product in both: uint8 sRGB (height,
    width, 3). ``floating`` is not judged here.
    """
    near = surroundings(alpha)
    if near is None:
        return Growth(0.0)
    own = np.count_nonzero(near.own)
    gained = share_gained(near, pieces(near, start, painted, looker))
    before, after = (_seen_of(near, image, looker) for image in (start, painted))
    return Growth(gained, np.count_nonzero(before & ~after) / own)


def share_gained(near: Surroundings, found: Sequence[LookAlike]) -> float:
    """Return the area of the pieces that are believed to be more of the product, as a share of its own."""
    gained = np.zeros(near.own.shape, bool)
    for piece in found:
        if piece.is_product:
            gained |= piece.pixels
    # What lies between a piece and the product was left out when it was looked for.
    gained |= (cv2.dilate(gained.astype(np.uint8), _RIM) > 0) & ~_outside(near)
    return float(np.count_nonzero(gained & ~near.own)) / np.count_nonzero(near.own)


def _outside(near: Surroundings) -> np.ndarray:
    """Return what is no product and not beside it either, bool."""
    return cv2.dilate(near.own.astype(np.uint8), _RIM) == 0


def pieces(near: Surroundings, start: np.ndarray, painted: np.ndarray, looker: PlaceLooker) -> list[LookAlike]:
    """Return what around a product may be more of it; arguments as of :func:`measure_growth`."""
    alike = look_alikes(near, painted)
    known = cv2.dilate(look_alikes(near, start).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    solid = cv2.morphologyEx((alike & ~known).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    found = []
    for index in np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST_ASKED] + 1:
        share = stats[index, cv2.CC_STAT_AREA] / np.count_nonzero(near.own)
        if share < LEAST:
            break
        for places in _places(near, labels == index, share > _LARGE):
            piece = _piece(near, alike, places, painted, looker) if places else None
            if piece is not None:
                found.append(piece)
    return found


def _places(near: Surroundings, alike: np.ndarray, is_large: bool) -> list[list[tuple[float, float]]]:
    """Return what is asked about a look-alike: two places in its middle, and in a large one three near the product."""
    asked = [inner_places(alike, 2)]
    if is_large:
        beside = alike & (cv2.dilate(near.own.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0)
        asked += [[place] for place in inner_places(beside, 3)]
    return asked


def inner_places(mask: np.ndarray, count: int) -> list[tuple[float, float]]:
    """Return up to ``count`` places (x, y) deep inside a mask (bool) and apart from each other."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    columns, rows = np.meshgrid(np.arange(mask.shape[1]), np.arange(mask.shape[0]))
    places = []
    for _ in range(count):
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[y, x] < 1:
            break
        places.append((float(x), float(y)))
        depth = np.where(np.hypot(columns - x, rows - y) <= max(3, 2 * depth[y, x]), 0, depth)
    return places


def _piece(
    near: Surroundings, alike: np.ndarray, places: Sequence[tuple[float, float]], image: np.ndarray, looker: PlaceLooker
) -> LookAlike | None:
    """Ask what lies at some places: without the product, and on its own."""
    here = [(*near.in_picture(x, y), True) for x, y in places]
    apart = [(*near.in_picture(x, y), False) for x, y in inner_places(near.own, 3)]
    outside = _outside(near)
    own = np.count_nonzero(near.own)
    reach = outside & near.within_reach()
    best: tuple[float, np.ndarray, float] | None = None
    answers = looker.prompted(image, None, here + apart, near.shape)
    for answer in answers:
        found = (answer.probability[near.rect.slices] > 0.5) & reach
        if np.count_nonzero(found) < LEAST * own:
            continue
        both = np.count_nonzero(found & alike)
        overlap = both / max(np.count_nonzero(found | alike), 1)
        fits = both / np.count_nonzero(found)
        if best is None or (fits >= FITS, overlap) > (best[2] >= FITS, best[0]):
            best = (overlap, found, fits)
    if best is None:
        return None
    _, found, fits = best
    size = np.count_nonzero(found)
    goes_on = 0.0
    for answer in [*answers, *looker.prompted(image, None, here[:1], near.shape)]:
        whole = answer.probability > 0.5
        inside = whole[near.rect.slices]
        holds = np.count_nonzero(inside & found) > 0.6 * size and np.count_nonzero(inside & near.own) < 0.25 * own
        if answer.quality > _CLEAR and holds:
            goes_on = max(goes_on, (np.count_nonzero(whole) - np.count_nonzero(inside & ~outside)) / size - 1)
    ring = cv2.dilate(found.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool) & ~found
    enclosed = np.count_nonzero(ring & ~outside) / max(np.count_nonzero(ring), 1)
    return LookAlike(found, fits, goes_on, enclosed)


def _seen_of(near: Surroundings, image: np.ndarray, looker: PlaceLooker) -> np.ndarray:
    """Return what of a product is still seen as one thing."""
    inside = [(*near.in_picture(x, y), True) for x, y in inner_places(near.own, 3)]
    if not inside:  # too thin to be asked about
        return near.own
    answers = looker.prompted(image, None, inside, near.shape)
    seen = [(answer.probability[near.rect.slices] > 0.5) & near.own for answer in answers]
    return max(seen, key=np.count_nonzero)
