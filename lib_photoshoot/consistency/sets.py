"""Which pictures of a set differ from the others, by robust statistics.

The middle of a trait is its median and the spread the median distance from that, so that up to half of the pictures may
differ without moving either (F. R. Hampel, "The influence curve and its role in robust estimation", J. Am. Stat. Assoc.
69 (1974) 383-393). A picture differs that lies 3.5 standard deviations off, had the set the normal distribution of that
spread: B. Iglewicz and D. C. Hoaglin, "How to detect and handle outliers" (1993); and that lies so far off that people
see it: no set is so alike that nothing in it may vary. Where a set has no common light, none of it can differ by it.

Light, white and lean are compared over the whole set, size, ground and elevation among the pictures of one product: a
ring is smaller than a bag in every shop.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lib_photoshoot.consistency.traits import Measured, Trait, Traits

LEAST = MappingProxyType(
    {
        Trait.LIGHT: 60.0,
        Trait.SHADOW: 60.0,
        Trait.WHITE: 4.0,
        Trait.SIZE: math.log(1.3),
        Trait.GROUND: 0.06,
        Trait.ELEVATION: 10.0,
        Trait.LEAN: 3.0,
    }
)
"""What a picture may always differ by: degrees, a* and b* (CIE 1976), the logarithm of a quotient, a share of the
frame."""
SMALLEST_SET = 5
"""So many pictures, with the trait surely measured, make a set."""
LEAST_SHARE = 1 / 3
"""Of fewer than this share of the pictures a trait says nothing about the set."""
SURE = 0.5
"""The confidence from which a measure counts."""
_DEVIATIONS = 3.5
_ANGLES = (Trait.LIGHT, Trait.SHADOW)
_OF_ALL = (Trait.LIGHT, Trait.SHADOW, Trait.WHITE, Trait.LEAN)
_ANYWHERE = 180.0


@dataclass(frozen=True)
class Member:
    """One product in one picture of a set; ``key`` tells the picture."""

    key: str
    product: str
    traits: Traits


@dataclass(frozen=True)
class Norm:
    """How a trait is in a set: measured in ``count`` pictures, ``middle``, and the distance that is too far: ``limit``.

    ``product`` is "" for a trait that is compared over the whole set.
    """

    trait: Trait
    product: str
    count: int
    middle: tuple[float, ...]
    limit: float

    @property
    def is_common(self) -> bool:
        """Whether the pictures have anything in common that one of them could differ by."""
        return self.trait not in _ANGLES or self.limit < _ANYWHERE

    def distance(self, measure: Measured) -> float:
        """Return how far a measure lies from the middle, in the unit of :data:`LEAST`."""
        return float(_distances(self.trait, np.array([measure.values]), np.array(self.middle))[0])


@dataclass(frozen=True)
class Departure:
    """A trait by which a picture differs from its set; ``far`` counts the distance in limits, over 1."""

    trait: Trait
    values: tuple[float, ...]
    middle: tuple[float, ...]
    far: float


@dataclass(frozen=True)
class Comparison:
    """A set compared: its norms by trait and product, and what differs by the pictures' keys; ``count`` pictures, of
    which ``unmeasured`` have no traits at all.
    """

    norms: Mapping[tuple[Trait, str], Norm]
    departures: Mapping[str, tuple[Departure, ...]]
    count: int
    unmeasured: int

    def norm(self, trait: Trait, product: str) -> Norm | None:
        """Return what a picture of the product is compared with; None where there is too little of it."""
        return self.norms.get((trait, "" if trait in _OF_ALL else product))

    def of(self, key: str) -> tuple[Departure, ...]:
        """Return what a picture differs by, the furthest first."""
        return self.departures.get(key, ())


def compare(members: Iterable[Member], pictures: int | None = None) -> Comparison:
    """Compare the pictures of a set with each other; ``pictures`` is how many there are, where some are no member.

    In any order: the result is the same.
    """
    members = list(members)
    groups: dict[tuple[Trait, str], list[tuple[str, Measured]]] = {}
    for member in members:
        for trait, measured in member.traits.items():
            if measured.confidence >= SURE:
                product = "" if trait in _OF_ALL else member.product
                groups.setdefault((trait, product), []).append((member.key, measured))
    sizes = Counter(member.product for member in members)
    norms: dict[tuple[Trait, str], Norm] = {}
    departures: dict[str, dict[Trait, Departure]] = {}
    for (trait, product), found in groups.items():
        size = len(members) if trait in _OF_ALL else sizes[product]
        if len(found) < max(SMALLEST_SET, LEAST_SHARE * size):
            continue
        norm, far = _compared(trait, product, np.array([measured.values for _, measured in found]))
        norms[trait, product] = norm
        for number in np.flatnonzero(far > 1) if norm.is_common else ():
            key, measured = found[number]
            own = departures.setdefault(key, {})
            # One picture may hold several products.
            if trait not in own or own[trait].far < far[number]:
                own[trait] = Departure(trait, measured.values, norm.middle, float(far[number]))
    in_order = {
        key: tuple(sorted(own.values(), key=lambda one: (-one.far, one.trait))) for key, own in departures.items()
    }
    count = len({member.key for member in members}) if pictures is None else pictures
    return Comparison(norms, in_order, count, count - len({member.key for member in members if member.traits}))


def _compared(trait: Trait, product: str, values: np.ndarray) -> tuple[Norm, np.ndarray]:
    """Return how a trait is in a set, and how far each of its values (N, 1 or 2) lies off, in limits."""
    middle = np.array([_middle_angle(values[:, 0])]) if trait in _ANGLES else np.median(values, axis=0)
    off = _distances(trait, values, middle)
    # Of a normal distribution in one dimension half lies within 0.6745 deviations, in two within 1.1774.
    spread = float(np.median(off)) / (1.1774 if trait is Trait.WHITE else 0.6745)
    limit = max(LEAST[trait], _DEVIATIONS * spread)
    return Norm(trait, product, len(values), tuple(map(float, middle)), limit), off / limit


def _distances(trait: Trait, values: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return the distance of each row of ``values`` (N, 1 or 2) from the middle."""
    if trait in _ANGLES:
        return np.abs((values[:, 0] - middle[0] + 180) % 360 - 180)
    if trait is Trait.GROUND:
        # Wide and high products stand on one line, or have their middle on one: either is a way to keep a set.
        return np.abs(values - middle).min(axis=1)
    if trait is Trait.SIZE:
        return np.abs(np.log(np.maximum(values[:, 0], 1e-6) / max(middle[0], 1e-6)))
    return np.sqrt(((values - middle) ** 2).sum(axis=1))


def _middle_angle(degrees: np.ndarray) -> float:
    """Return the angle, in whole degrees, from which the others are the least away in sum (N. I. Fisher, "Statistical
    analysis of circular data", 1993, section 2.3.2)."""
    counts = np.bincount(np.rint(degrees).astype(int) % 360, minlength=360)
    apart = np.abs((np.arange(360)[:, None] - np.arange(360)[None] + 180) % 360 - 180)
    return float(np.argmin(apart @ counts))
