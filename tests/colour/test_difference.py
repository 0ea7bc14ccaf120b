"""CIEDE2000 against published pairs."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.colour.difference import delta_e, difference


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Sharma, Wu, Dalal: "The CIEDE2000 color-difference formula", table 1, pairs 1, 7, 17 and 25.
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_published_pairs(one: tuple[float, ...], other: tuple[float, ...], expected: float) -> None:
    assert delta_e(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


def test_many_pixels_give_mean_percentile_and_the_mean_colours() -> None:
    before = np.tile([50.0, 0.0, 0.0], (100_000, 1))
    after = before.copy()
    after[:50_000] = [73.0, 25.0, -18.0]
    before[:50_000] = [50.0, 2.5, 0.0]
    found = difference(before, after)
    assert found.mean == pytest.approx(27.1492 / 2, abs=1e-3)
    assert found.percentile_95 == pytest.approx(27.1492, abs=1e-3)
    assert found.before == pytest.approx((50.0, 1.25, 0.0)) and found.after == pytest.approx((61.5, 12.5, -9.0))


def test_no_pixel_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        difference(np.zeros((0, 3)), np.zeros((0, 3)))
