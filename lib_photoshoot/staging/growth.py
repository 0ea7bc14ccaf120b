"""What a product seems to have gained in a painted scene: limbs, necks, straps, text (Eshratifar et al. 2024, "Salient
object-aware background generation using text-guided diffusion models").

What begins at the product's edge (:mod:`lib_photoshoot.staging.beginnings`) may be more of it, or a part of the scene;
colours and edges tell (:mod:`lib_photoshoot.staging.belonging`). What looked like the product at the start of the scene
already says nothing about the painting. Whether something hides the product is asked of the segmenter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.staging.beginnings import beginnings
from lib_photoshoot.staging.belonging import Belonging, Evidence
from lib_photoshoot.staging.look_alikes import Surroundings, look_alikes, surroundings
from lib_photoshoot.staging.protocol import PlaceLooker, SceneLook, Textures

_RIM = np.ones((5, 5), np.uint8)


@dataclass(frozen=True)
class Growth:
    """``gained`` is the area that a product seems to have gained outside its alpha and ``hidden`` that which is no
    longer seen, both as shares of its area, None where nobody looked; ``floating`` that it touches no surface.
    """

    gained: float
    hidden: float | None = None
    floating: bool = False


@dataclass(frozen=True, eq=False)
class LookAlike:
    """Something beside a product that may be more of it: its pixels (bool) in the surroundings, and what tells."""

    pixels: np.ndarray
    evidence: Evidence


def measure_growth(
    alpha: np.ndarray, products: np.ndarray, start: np.ndarray, painted: np.ndarray, look: SceneLook
) -> Growth:
    """Return what a product of this ``alpha`` (uint8, height, width) gained and lost from one picture to the other.

    ``products`` is the alpha of all products; ``start`` is the scene before it was painted, ``painted`` afterwards,
    with the products in both: uint8 sRGB (height, width, 3). ``floating`` is not judged here.
    """
    near = surroundings(alpha)
    if near is None:
        return Growth(0.0)
    gained = share_gained(near, pieces(near, products, start, painted, look.textures))
    if look.places is None:
        return Growth(gained)
    before, after = (_seen_of(near, image, look.places) for image in (start, painted))
    return Growth(gained, np.count_nonzero(before & ~after) / np.count_nonzero(near.own))


def share_gained(near: Surroundings, found: Sequence[LookAlike]) -> float:
    """Return the area of the pieces that are believed to be more of the product, as a share of its own."""
    gained = np.zeros(near.own.shape, bool)
    for piece in found:
        if piece.evidence.total > 0:
            gained |= piece.pixels
    # What lies between a piece and the product was left out when it was looked for.
    beside = cv2.dilate(near.own.astype(np.uint8), _RIM) > 0
    gained |= (cv2.dilate(gained.astype(np.uint8), _RIM) > 0) & beside
    return float(np.count_nonzero(gained & ~near.own)) / np.count_nonzero(near.own)


def pieces(
    near: Surroundings,
    products: np.ndarray,
    start: np.ndarray,
    painted: np.ndarray,
    textures: Textures | None = None,
) -> list[LookAlike]:
    """Return what around a product may be more of it; arguments as of :func:`measure_growth`."""
    alike = look_alikes(near, painted)
    known = cv2.dilate(look_alikes(near, start).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    around = near.part(painted)
    lab = cv2.cvtColor(around.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)
    here = near.own | (near.part(products) > 127)
    found = beginnings(near, lab, here, alike, known)
    if not found:
        return []
    belonging = Belonging(near, lab, here, None if textures is None else textures(around))
    return [LookAlike(pixels, belonging.evidence(pixels)) for pixels in found]


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


def _seen_of(near: Surroundings, image: np.ndarray, looker: PlaceLooker) -> np.ndarray:
    """Return what of a product is still seen as one thing."""
    inside = [(*near.in_picture(x, y), True) for x, y in inner_places(near.own, 3)]
    if not inside:  # too thin to be asked about
        return near.own
    answers = looker.prompted(image, None, inside, near.shape)
    seen = [(answer.probability[near.rect.slices] > 0.5) & near.own for answer in answers]
    return max(seen, key=np.count_nonzero)
