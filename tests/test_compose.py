"""Compose: outside the feathered mask nothing changes, and that is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lib_photoshoot import compose as module
from lib_photoshoot.compose import changed_outside, compose
from lib_photoshoot.masks.morphology import feather


@st.composite
def scenes(draw):
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    original, enhanced = (draw(hnp.arrays(np.uint8, (height, width, 3))) for _ in range(2))
    weights = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1, width=32))
    return original, enhanced, draw(hnp.arrays(np.float32, (height, width), elements=weights))


@given(scenes())
def test_outside_is_the_original_and_inside_the_blend(scene):
    original, enhanced, alpha = scene
    before = original.copy()
    result = compose(original, enhanced, alpha)
    assert result.dtype == np.uint8 and result is not original
    assert np.array_equal(original, before), "the original array is not written to"
    assert np.array_equal(result[alpha == 0], original[alpha == 0])
    assert np.array_equal(result[alpha == 1], enhanced[alpha == 1])
    exact = original + alpha[..., None].astype(np.float64) * (enhanced.astype(float) - original)
    assert np.abs(result - exact).max() <= 0.501
    assert changed_outside(original, result, alpha) == 0


@given(scenes())
def test_changed_outside_counts_every_pixel_that_differs(scene):
    original, other, alpha = scene
    expected = sum(
        bool(alpha[y, x] == 0 and tuple(original[y, x]) != tuple(other[y, x])) for y, x in np.ndindex(alpha.shape)
    )
    assert changed_outside(original, other, alpha) == expected


def test_a_change_in_one_channel_by_one_is_seen():
    original = np.full((6, 6, 3), 100, np.uint8)
    result = original.copy()
    result[0, 0, 2] += 1
    result[3, 3] += 1
    alpha = np.zeros((6, 6), np.float32)
    alpha[3, 3] = 1e-6
    assert changed_outside(original, result, alpha) == 1


@given(scenes())
def test_strips_leave_no_trace(scene):
    original, enhanced, alpha = (np.concatenate([array] * 4) for array in scene)
    expected = compose(original, enhanced, alpha)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_STRIP_PIXELS", 1)
        assert np.array_equal(compose(original, enhanced, alpha), expected)


@given(hnp.arrays(np.bool_, (15, 18)), st.floats(0, 5))
def test_with_feathered_masks(mask, radius):
    original = np.full((15, 18, 3), 10, np.uint8)
    alpha = feather(mask, radius)
    result = compose(original, np.full_like(original, 240), alpha)
    assert changed_outside(original, result, alpha) == 0
    assert (result[mask] > 120).all()


@pytest.mark.parametrize(
    ("original", "enhanced", "alpha"),
    [
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.float32)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8), np.zeros((4, 4), np.float32)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float64)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((5, 4), np.float32)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8), np.full((4, 4), 1.5, np.float32)),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8), np.full((4, 4), np.nan, np.float32)),
    ],
)
def test_wrong_arguments_are_refused(original, enhanced, alpha):
    with pytest.raises(ValueError):
        compose(original, enhanced, alpha)
    with pytest.raises(ValueError):
        changed_outside(original, enhanced, alpha)
