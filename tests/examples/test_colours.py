"""Six colours of one mug: each is like itself in other light, and like no other."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.examples.colours import SIZE, colour_likeness, colours_of
from tests.examples.scenes import COLOURS, mug


@pytest.mark.parametrize("colour", COLOURS)
def test_a_mug_is_like_itself_and_no_other(colour: str) -> None:
    image, mask = mug(colour)
    own = colours_of(image, mask)
    lighter = colours_of(np.clip(image * 1.08, 0, 255).astype(np.uint8), mask)
    others = [colour_likeness(own, colours_of(*mug(other))) for other in COLOURS if other != colour]
    assert colour_likeness(own, lighter) > 0.6
    assert colour_likeness(own, lighter) > max(others) + 0.2


def test_no_pixel_has_no_colour() -> None:
    image, mask = mug("red")
    assert colours_of(image, np.zeros_like(mask)).tolist() == [0.0] * SIZE
    assert colour_likeness(colours_of(image, mask), colours_of(image, mask)) == pytest.approx(1.0, abs=1e-5)
