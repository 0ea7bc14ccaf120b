"""Colour held through a pass: shifts are taken back, texture and light stay, and nothing else changes."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from benchmarks.colour_hold import Pair, make_pair, score
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.enhancement import colour_hold
from lib_photoshoot.enhancement.colour_hold import PARAMETERS, colour_change, hold_colour, seen_colour


@pytest.mark.parametrize("number", [2, 11])
def test_a_shift_is_taken_back_and_the_new_texture_stays(number: int) -> None:
    scored, _ = score(make_pair(number), PARAMETERS)
    assert scored.painted > 4 and scored.held < 2.5 and scored.ideal < 2 and scored.texture > 0.98
    assert scored.outside == 0


@pytest.fixture(scope="module")
def pair() -> Pair:
    return make_pair(4)


def test_strength_is_the_share_that_is_taken_back(pair: Pair) -> None:
    assert (hold_colour(pair.before, pair.painted, pair.alpha, 0) == pair.painted).all()
    means = [score(pair, PARAMETERS, strength)[0].held for strength in (0, 0.5, 1)]
    assert all(more > less + 1 for more, less in pairwise(means))


def blocks(*colours: tuple[float, float, float], light: float = 0) -> np.ndarray:
    """Stripes of L*a*b* colours, 40 pixels wide, 80 high; the right half lighter by ``light``."""
    lab = np.repeat(np.array(colours, np.float32), 40, axis=0)[None].repeat(80, axis=0)
    lab[:, lab.shape[1] // 2 :, 0] += light
    return SRGB.from_lab(np.ascontiguousarray(lab))


WHOLE = np.ones((80, 160), np.float32)


def test_parts_of_several_colours_get_each_their_own_back() -> None:
    before = blocks((40, 50, 30), (85, 0, 2), (30, 5, -30), (60, -20, 20))
    after = blocks((46, 35, 24), (80, 3, 8), (38, 6, -18), (58, -8, 14))
    held = SRGB.to_lab(hold_colour(before, after, WHOLE))
    for column in range(20, 160, 40):
        assert held[40, column] == pytest.approx(SRGB.to_lab(before)[40, column], abs=2.5)


def test_a_light_edge_of_the_new_picture_stays_and_its_colour_is_the_articles() -> None:
    plain, lit = blocks(*[(50, 5, 10)] * 4), blocks(*[(50, -6, 16)] * 4, light=12)
    held = SRGB.to_lab(hold_colour(plain, lit, WHOLE))
    assert held[40, 82, 0] - held[40, 77, 0] > 7
    chroma = held[..., 1:] / (held[..., :1] + 16)
    assert np.abs(chroma - np.array([5, 10]) / 66).max() < 0.02


def test_a_soft_edge_changes_as_much_as_it_is_article_and_outside_nothing_changes() -> None:
    before, after = blocks(*[(50, 20, 0)] * 4), blocks(*[(50, 0, 0)] * 4)
    alpha = np.clip((np.arange(160, dtype=np.float32) - 40) / 40, 0, 1)[None].repeat(80, axis=0)
    held = SRGB.to_lab(hold_colour(before, after, alpha))[40, :, 1]
    assert (hold_colour(before, after, alpha)[:, :41] == after[:, :41]).all()
    assert held[60] == pytest.approx(10, abs=1.5) and held[120] == pytest.approx(20, abs=1.5)


def test_strips_fit_without_seams(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = hold_colour(pair.before, pair.painted, pair.alpha)
    monkeypatch.setattr(colour_hold, "_STRIP_PIXELS", 4000)
    assert np.abs(whole.astype(int) - hold_colour(pair.before, pair.painted, pair.alpha)).max() <= 1


def test_a_large_picture_is_held_as_its_small_copy(pair: Pair) -> None:
    small = hold_colour(pair.before, pair.painted, pair.alpha)
    large = [cv2.resize(pixels, None, fx=3, fy=3) for pixels in (pair.before, pair.painted, pair.alpha)]
    held = cv2.resize(hold_colour(*large), (512, 512), interpolation=cv2.INTER_AREA)
    inner = cv2.erode(pair.alpha, np.ones((9, 9))) == 1
    assert np.abs(held.astype(int) - small)[inner].mean() < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 400)])
def test_the_smallest_masks(size: tuple[int, int]) -> None:
    before, after = (np.full((*size, 3), value, np.uint8) for value in (120, 90))
    held = hold_colour(before, after, np.ones(size, np.float32))
    assert np.abs(held.astype(int) - before).max() <= 2
    assert colour_change(before, after, held, np.ones(size, np.float32)).held.mean < 1


def test_an_empty_mask_changes_and_measures_nothing() -> None:
    picture, none = np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32)
    assert (hold_colour(picture, picture + 9, none) == 9).all() and colour_change(
        picture, picture, picture, none
    ) is None


def test_what_is_seen_is_the_articles_colour_without_texture_and_surroundings() -> None:
    lab = np.full((64, 64, 3), (50, 20, 10), np.float32)
    lab[..., 0] += np.indices((64, 64)).sum(0) % 2 * 20 - 10
    pixels = SRGB.from_lab(lab)
    alpha = np.zeros((64, 64), np.float32)
    alpha[16:48, 16:48] = 1
    pixels[alpha == 0] = (0, 255, 0)
    seen = seen_colour(pixels, alpha)
    assert len(seen) == 32 * 32 and np.abs(seen - (50, 20, 10)).max() < 1.5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strength": 1.1}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"alpha": np.full((4, 4), np.nan, np.float32)}, "alpha"),
        ({"alpha": np.ones((4, 4))}, "alpha"),
        ({"painted": np.zeros((4, 5, 3), np.uint8)}, "painted"),
    ],
)
def test_wrong_arguments(change: dict, words: str) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    arguments = {"before": picture, "painted": picture, "alpha": np.ones((4, 4), np.float32), **change}
    with pytest.raises(ValueError, match=words):
        hold_colour(**arguments)
