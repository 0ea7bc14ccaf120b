"""What is told of one product in one picture, so that a set of pictures can be compared: its traits.

A trait is measured or it is not there: what the pixels do not tell is left out and never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lib_photoshoot.journal import SPOILED


class Trait(str, Enum):
    """What can be told of a product in its picture; the values are stable codes for reports and APIs."""

    LIGHT = "light"
    """Where the light comes from by the product's shading: degrees in the picture, 0 from the right, 90 from above."""
    SHADOW = "shadow"
    """Where the light comes from by the shadow on the ground: degrees, opposite to where the shadow falls."""
    WHITE = "white"
    """The light's colour as a neutral ground or highlights show it: CIELAB a* and b*."""
    SIZE = "size"
    """The longer of the product's width and height, each as a share of the frame's."""
    GROUND = "ground"
    """The product's lowest point, and its middle: shares of the frame's height, from its top."""
    ELEVATION = "elevation"
    """How high the camera looks down: degrees above the horizon, by the ellipse of a round base."""
    LEAN = "lean"
    """How far the product leans: degrees clockwise, by its straight sides; a tilted camera leans all."""


_PAIRS = (Trait.WHITE, Trait.GROUND)


@dataclass(frozen=True)
class Measured:
    """A trait's numbers (two for ``WHITE`` and ``GROUND``, one else) and how far they can be trusted, in [0, 1]."""

    values: tuple[float, ...]
    confidence: float


Traits = Mapping[Trait, Measured]
"""The traits of one product in one picture that could be measured."""


def traits_to_json(traits: Traits) -> dict[str, Any]:
    """Return traits as JSON values: of each its ``value``, a number or a list of two, and its ``confidence``.

    >>> traits_to_json({Trait.SIZE: Measured((0.5,), 1.0)})
    {'size': {'value': 0.5, 'confidence': 1.0}}
    """
    return {
        trait.value: {
            "value": [round(value, 4) for value in one.values] if len(one.values) > 1 else round(one.values[0], 4),
            "confidence": round(one.confidence, 3),
        }
        for trait, one in traits.items()
    }


def traits_from_json(values: Any) -> dict[Trait, Measured]:
    """Read traits back; whatever is no trait, as in the file of a stranger or of a later release, is left out."""
    found: dict[Trait, Measured] = {}
    for name, one in values.items() if isinstance(values, Mapping) else ():
        with suppress(*SPOILED):
            trait, value = Trait(name), one["value"]
            numbers = tuple(float(item) for item in (value if isinstance(value, list) else [value]))
            confidence = float(one["confidence"])
            if len(numbers) == (2 if trait in _PAIRS else 1) and all(map(math.isfinite, (*numbers, confidence))):
                found[trait] = Measured(numbers, min(max(confidence, 0.0), 1.0))
    return found
