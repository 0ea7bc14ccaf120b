"""How well a picture goes with the others of its product: qualities that only a set of pictures has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lib_photoshoot.consistency.sets import SURE, Comparison, Departure, Member, compare
from lib_photoshoot.consistency.traits import Trait, Traits
from lib_photoshoot.consistency.words import TRAIT_NAMES, in_words
from lib_photoshoot.ranking.qualities import Quality

TERMS = {
    Trait.LIGHT: "light",
    Trait.SHADOW: "shadow",
    Trait.WHITE: "white",
    Trait.SIZE: "scale",
    Trait.GROUND: "ground",
    Trait.ELEVATION: "camera",
    Trait.LEAN: "lean",
}
"""The weights' names; *size* is the one that says how large a product is on its own."""


def compare_measured(pictures: Iterable[tuple[str, Traits | None]]) -> Comparison:
    """Compare the pictures of one product, by their files and traits, with each other."""
    return compare(Member(file, "", traits) for file, traits in pictures if traits is not None)


def set_qualities(traits: Traits | None, comparison: Comparison) -> Iterator[Quality]:
    """Yield a quality for each trait that the set has in common: 1 in its middle, 1/2 where a picture begins to differ.

    For pictures that :func:`compare_measured` compared.
    """
    for trait, measured in (traits or {}).items():
        norm = comparison.norm(trait, "")
        if norm is None or not norm.is_common or measured.confidence < SURE:
            continue
        far = norm.distance(measured) / norm.limit
        departure = Departure(trait, measured.values, norm.middle, far)
        reason = in_words(departure) if far > 1 else f"{TRAIT_NAMES[trait]} like the others'"
        yield Quality(TERMS[trait], 0.5 ** (far * far), reason)
