"""The distance from the training photos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_photoshoot.ranking.likeness import FEATURES, _shrunk, features, photo_statistics


def photo(seed: int, level: int = 120, tint: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    pixels = random.normal(level + random.normal(0, 8), 30, (60, 80, 3)) + np.array([tint, 0, -tint])
    return np.clip(pixels, 0, 255).astype(np.uint8)


PHOTOS = [features(photo(seed)) for seed in range(20)]


def test_a_photo_like_the_others_is_nearer_than_a_dark_or_tinted_one() -> None:
    statistics = photo_statistics(PHOTOS)
    like, dark, tinted = (statistics.likeness(p) for p in (photo(99), photo(99, 40), photo(99, tint=70)))
    assert like.score > 0.6 > max(dark.score, tinted.score)
    assert "most by brightness" in dark.reason and "20 photos" in dark.reason


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(20)))
def test_the_photos_order_does_not_matter(order) -> None:
    picture = photo(5, 90)
    assert photo_statistics([PHOTOS[i] for i in order]).likeness(picture) == photo_statistics(PHOTOS).likeness(picture)


@pytest.mark.parametrize("rows", [PHOTOS[:1], PHOTOS[:2], [PHOTOS[0]] * 5])
def test_few_or_equal_photos_give_finite_distances(rows) -> None:
    assert 0 < photo_statistics(rows).likeness(photo(3, 100)).score < 1
    assert photo_statistics(rows).likeness(photo(0)).score > 0.9


def test_the_shrinkage_is_ledoit_and_wolfs() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(0, 1, (8, len(FEATURES))) * (1, 2, 3, 4, 5, 6)
    rows -= rows.mean(axis=0)
    shrunk, sample = _shrunk(rows), rows.T @ rows / len(rows)
    assert np.trace(shrunk) == pytest.approx(np.trace(sample))
    assert np.linalg.cond(shrunk) < np.linalg.cond(sample)
    # With many rows hardly anything is left to shrink.
    many = random.normal(0, 1, (20_000, len(FEATURES))) * (1, 2, 3, 4, 5, 6)
    assert np.allclose(_shrunk(many), many.T @ many / len(many), rtol=0.02, atol=0.02)
