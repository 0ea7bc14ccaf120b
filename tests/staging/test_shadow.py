"""The contact shadow: under the product, darkest where it stands, gone further on."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.staging.shadow import contact_shadow


def table() -> np.ndarray:
    """A board on two legs."""
    alpha = np.zeros((400, 400), np.uint8)
    alpha[100:150, 50:350] = 255
    alpha[150:300, 60:90] = 255
    alpha[150:300, 310:340] = 255
    return alpha


def test_it_is_dark_under_the_legs_and_faint_between_them() -> None:
    shadow = contact_shadow(table(), 0.5)
    assert shadow.dtype == np.float32 and 0.2 < shadow.max() <= 0.5
    assert shadow[302, 75] > 0.2 and shadow[302, 325] > 0.2
    assert shadow[302, 200] < 0.05, "the board hangs 150 pixels above the ground"


def test_it_ends_soon_and_nothing_is_darkened_above() -> None:
    shadow = contact_shadow(table(), 0.5)
    assert not shadow[:270].any() and not shadow[330:].any()
    assert not shadow[:, :20].any() and not shadow[:, 380:].any()


def test_wheels_at_different_heights_both_stand_on_the_ground() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[100:200, 50:350] = 255
    alpha[200:300, 60:100] = 255
    alpha[200:240, 300:340] = 255
    shadow = contact_shadow(alpha, 0.5)
    assert shadow[302, 80] > 0.15 and shadow[242, 325] > 0.15


def test_strength_and_the_empty_frame() -> None:
    assert not contact_shadow(np.zeros((20, 20), np.uint8), 0.5).any()
    weak, strong = (contact_shadow(table(), strength) for strength in (0.2, 0.8))
    assert weak.max() <= np.float32(0.2) and strong.max() > 2 * weak.max()


@pytest.mark.parametrize(
    "where", [(slice(0, 1), slice(0, 1)), (slice(0, 9), slice(0, 400)), (slice(391, 400), slice(0, 400))]
)
def test_products_at_the_frames_edge(where: tuple[slice, slice]) -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[where] = 255
    shadow = contact_shadow(alpha, 0.5)
    assert np.isfinite(shadow).all() and shadow.min() >= 0
