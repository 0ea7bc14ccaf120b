"""Whether a product that was enhanced, generated or photographed again is still the one that examples show.

Finding asks which of all things in a picture may be the product. Here its outline is known, and the question is
another: is *this* the user's article, by shape, print and colour, or one like it? The evidence and its weights are
those of finding; ``benchmarks/identity.py`` measures them on pairs of photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib_photoshoot.examples.calibration import LEAD
from lib_photoshoot.masks.morphology import bounding_rect

if TYPE_CHECKING:
    from lib_photoshoot.examples.features import Features
    from lib_photoshoot.examples.signature import Signature

SAME = 0.5
"""The score from which an outlined product is the one of the examples: the one from which it is found as that. Of pairs
of two products of one shelf, told apart, none reached it where it was chosen, of others 3 of 20."""
KEPT_SHARE = 0.5
"""Of its score before that a product keeps when it is enhanced, where that score lay below :data:`SAME` already."""
MARGIN = 0.1
"""Of the longer side: what is around the product helps the network as it does in the examples."""
COLOUR_FITS = 0.1
"""Shortfall of the colours that is told as none."""


@dataclass(frozen=True)
class Identity:
    """How an outlined product compares with examples.

    ``score`` in [0, 1] is how surely it is the same product. ``look`` is the network's likeness in [-1, 1], ``colour``
    how far the colours fall short of what two examples have in common (0: not at all), ``print`` the log odds of the
    examples' print, None where they have none; then ``lead`` says how much more like the examples it is than they are
    like each other.
    """

    score: float
    look: float
    colour: float
    print: float | None
    lead: float | None = None

    @property
    def is_same(self) -> bool:
        """Whether it is the product of the examples, or perhaps another that is not :attr:`told_apart` from it."""
        return self.score >= SAME

    @property
    def told_apart(self) -> bool:
        """Whether print or look can tell it from others of its kind."""
        return self.lead is None or self.lead >= LEAD

    def in_words(self) -> str:
        """Return what speaks for it or against it, without commas.

        >>> Identity(0.9, 0.62, 0.0, 4.0).in_words()
        'the same product 0.90: look 0.62; its print is there; its colours fit'
        """
        told = "the same product" if self.told_apart else "of its kind and perhaps not the same product"
        head = told if self.is_same else "another product"
        parts = [f"look {self.look:.2f}"]
        if self.print is not None:
            parts.append("its print is there" if self.print > 0 else "its print is not there")
        parts.append("its colours fit" if self.colour < COLOUR_FITS else f"its colours do not fit ({self.colour:.2f})")
        return f"{head} {self.score:.2f}: {'; '.join(parts)}"


def identity_of(
    signature: Signature, features: Features, image: np.ndarray, mask: np.ndarray, second: Features | None = None
) -> Identity:
    """Compare the product that ``mask`` (bool, not empty) outlines in ``image`` (uint8 RGB) with examples.

    ``second`` is the second network, where there is one.
    """
    from lib_photoshoot.examples.looking import Looked
    from lib_photoshoot.examples.matching import compare, print_places

    rect = bounding_rect(mask)
    if rect is None:
        raise ValueError("an identity needs a mask that is not empty")
    margin = round(MARGIN * max(rect.x1 - rect.x0, rect.y1 - rect.y0))
    x0, y0 = max(0, rect.x0 - margin), max(0, rect.y0 - margin)
    part = (slice(y0, rect.y1 + margin), slice(x0, rect.x1 + margin))
    looked = Looked(np.ascontiguousarray(image[part]), features, second)
    width, height = looked.to_picture
    box = ((rect.x0 - x0) / width, (rect.y0 - y0) / height, (rect.x1 - x0) / width, (rect.y1 - y0) / height)
    place = next(iter(print_places(signature, looked)), None) if signature.is_printed else None
    found = compare(signature, looked, box, place, _shrunk(mask[part], looked.image.shape))
    return Identity(found.score, found.look, found.colour, found.print, found.lead)


def _shrunk(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask in the size of what is looked at."""
    import cv2

    return cv2.resize(mask.astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0


def still_same(before: float, after: float) -> bool:
    """Whether a product with these scores before and after an enhancement is still the same one.

    >>> still_same(0.9, 0.6), still_same(0.9, 0.4), still_same(0.3, 0.2)
    (True, False, True)
    """
    return after >= (SAME if before >= SAME else KEPT_SHARE * before)
