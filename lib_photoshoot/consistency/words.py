"""What differs in a set, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lib_photoshoot.consistency.sets import Comparison, Departure
from lib_photoshoot.consistency.traits import Trait
from lib_photoshoot.wording import counted

_FROM = ("the right", "the upper right", "above", "the upper left", "the left", "the lower left", "below",
         "the lower right")  # fmt: skip
_TOWARDS = ("to the left", "to the front left", "to the front", "to the front right", "to the right",
            "to the back right", "to the back", "to the back left")  # fmt: skip
"""Where a shadow falls, by where its light comes from."""
TRAIT_NAMES = {
    Trait.LIGHT: "light",
    Trait.SHADOW: "shadow",
    Trait.WHITE: "white point",
    Trait.SIZE: "size",
    Trait.GROUND: "ground line",
    Trait.ELEVATION: "camera height",
    Trait.LEAN: "lean",
}


def direction(degrees: float) -> str:
    """Return where light comes from.

    >>> direction(350), direction(91)
    ('the right', 'above')
    """
    return _FROM[_octant(degrees)]


def in_words(one: Departure) -> str:
    """Return by what a picture differs from its set, without a full stop.

    >>> in_words(Departure(Trait.LIGHT, (2.0,), (175.0,), 2.0))
    'light from the right instead of the left'
    >>> in_words(Departure(Trait.SIZE, (0.4,), (0.8,), 2.0))
    'product half as large'
    >>> in_words(Departure(Trait.GROUND, (0.78,), (0.9,), 2.0))
    'ground 12 % higher'
    """
    if one.trait is Trait.LIGHT:
        return f"light from {direction(one.values[0])} instead of {direction(one.middle[0])}"
    if one.trait is Trait.SHADOW:
        falls, others = (_TOWARDS[_octant(degrees[0])] for degrees in (one.values, one.middle))
        return f"shadow {falls} instead of {others}"
    if one.trait is Trait.WHITE:
        a, b = (value - middle for value, middle in zip(one.values, one.middle, strict=True))
        hue = ("warmer" if b > 0 else "colder") if abs(b) >= abs(a) else ("more magenta" if a > 0 else "greener")
        return f"white {hue} by {(a * a + b * b) ** 0.5:.0f} (a*b*)"
    off = one.values[0] - one.middle[0]
    if one.trait is Trait.SIZE:
        return f"product {_times(one.values[0] / max(one.middle[0], 1e-6))}"
    if one.trait is Trait.GROUND:
        return f"ground {abs(off):.0%} {'lower' if off > 0 else 'higher'}".replace("%", " %")
    if one.trait is Trait.ELEVATION:
        return f"camera {abs(off):.0f}° {'higher' if off > 0 else 'lower'}"
    return f"leaning {abs(off):.0f}° to the {'right' if off > 0 else 'left'}"


def differs_in_words(departures: Sequence[Departure]) -> str:
    """Return all by which a picture differs, as a sentence; "" for nothing.

    >>> differs_in_words([Departure(Trait.LEAN, (5.0,), (0.0,), 1.6)])
    'Differs from the set: leaning 5° to the right.'
    """
    return f"Differs from the set: {'; '.join(map(in_words, departures))}." if departures else ""


def told_of(comparison: Comparison) -> list[str]:
    """Return what there is to say about a set, a sentence each; nothing where nothing could be compared."""
    told = []
    if comparison.norms:
        kinds = list(_kinds(one for departures in comparison.departures.values() for one in departures))
        if kinds:
            verb = "differs" if len(comparison.departures) == 1 else "differ"
            whole = counted(comparison.count, "picture")
            told.append(f"{len(comparison.departures)} of {whole} {verb}: {'; '.join(kinds)}.")
        else:
            told.append(f"No picture differs from the others ({counted(comparison.count, 'picture')}).")
        told += [
            f"There is no common {TRAIT_NAMES[norm.trait]} direction."
            for norm in comparison.norms.values()
            if not norm.is_common
        ]
    return told


def _kinds(departures: Iterable[Departure]) -> Iterator[str]:
    """Yield each way in which pictures differ, with how many do, the most frequent first."""
    kinds: dict[tuple[object, ...], list[Departure]] = {}
    for one in departures:
        angle = one.trait in (Trait.LIGHT, Trait.SHADOW)
        # White is warmer or greener, a light from here or there; of all else it is more or less.
        way: object = in_words(one).split(" by ")[0] if angle or one.trait is Trait.WHITE else one.values > one.middle
        kinds.setdefault((one.trait, way), []).append(one)
    for ones in sorted(kinds.values(), key=lambda ones: (-len(ones), ones[0].trait)):
        middle = sorted(ones, key=lambda one: one.far)[len(ones) // 2]
        yield in_words(middle) + (f" ({len(ones)})" if len(ones) > 1 else "")


def _times(quotient: float) -> str:
    if 0.46 <= quotient <= 0.54:
        return "half as large"
    if 1.85 <= quotient <= 2.15:
        return "twice as large"
    return f"{1 - quotient:.0%} smaller".replace("%", " %") if quotient < 1 else f"{quotient:.1f} times as large"


def _octant(degrees: float) -> int:
    return round(degrees / 45) % 8
