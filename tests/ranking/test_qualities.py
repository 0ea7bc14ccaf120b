"""Qualities as properties: blurrier, clipped and smaller score lower; every score lies in [0, 1]."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_photoshoot.ranking import qualities

seeds = st.integers(0, 10_000)


def scene(seed: int = 0, side: int = 200, radius: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A textured disc before a plain background, and its mask."""
    random = np.random.default_rng(seed)
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), radius, 1, -1)
    texture = random.integers(20, 200, (side, side, 3), dtype=np.uint8)
    return np.where(mask[:, :, None] > 0, texture, np.uint8(225)), mask > 0


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.6, 3), st.floats(1.3, 3))
def test_blurrier_is_less_sharp(seed: int, sigma: float, factor: float) -> None:
    picture, mask = scene(seed)
    scores = [
        qualities.sharpness(p, mask).score for p in (picture, blurred(picture, sigma), blurred(picture, sigma * factor))
    ]
    assert scores[0] > scores[1] > scores[2]


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.01, 0.4), st.floats(0.05, 0.5), st.sampled_from([0, 255]))
def test_more_clipped_is_worse_exposed(seed: int, few: float, more: float, value: int) -> None:
    picture, mask = scene(seed)
    places = np.flatnonzero(mask)
    scores = []
    for share in (0, few, few + more):
        clipped = picture.copy()
        clipped.reshape(-1, 3)[places[: round(share * places.size)]] = value
        scores.append(qualities.exposure(clipped, mask).score)
    assert scores[0] > scores[1] > scores[2]


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 90), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 1.2)))
def test_every_score_lies_between_0_and_1_and_has_a_reason(seed, radius, score, iou) -> None:
    picture, mask = scene(seed, radius=radius)
    for quality in (
        qualities.detection(score),
        qualities.mask_quality(picture, mask, iou),
        qualities.sharpness(picture, mask),
        qualities.exposure(picture, mask),
        qualities.size(mask),
    ):
        assert 0 <= quality.score <= 1 and quality.reason


def test_an_empty_mask_is_the_worst() -> None:
    picture, mask = scene()
    empty = np.zeros_like(mask)
    for quality in (qualities.mask_quality, qualities.sharpness, qualities.exposure):
        assert quality(picture, empty).score == 0
    assert qualities.size(empty).score == 0


def test_sharpness_does_not_depend_on_the_resolution() -> None:
    picture, mask = scene(side=1200, radius=500)
    picture = blurred(picture, 4)
    small = cv2.resize(picture, (600, 600), interpolation=cv2.INTER_AREA)
    half = cv2.resize(mask.astype(np.uint8), (600, 600), interpolation=cv2.INTER_AREA) > 0
    large_score, small_score = qualities.sharpness(picture, mask).score, qualities.sharpness(small, half).score
    assert small_score == pytest.approx(large_score, abs=0.1)


def test_the_background_says_nothing_about_the_products_sharpness() -> None:
    picture, mask = scene()
    smooth = blurred(picture, 3)
    noisy = np.where(mask[:, :, None], smooth, picture[::-1, ::-1] ^ np.uint8(77))
    assert qualities.sharpness(noisy, mask).score == pytest.approx(qualities.sharpness(smooth, mask).score, abs=0.05)


def test_a_mask_that_is_a_little_too_large_does_not_make_a_smooth_product_sharp() -> None:
    picture, mask = scene(radius=90)
    picture = np.where(mask[:, :, None], np.uint8(60), picture)
    larger = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert qualities.sharpness(picture, larger).score < 0.05


def test_a_mask_beside_the_edge_is_worse_than_one_on_it() -> None:
    picture, mask = scene()
    picture = np.where(mask[:, :, None], np.uint8(60), picture)
    off = np.roll(mask, 12, axis=1)
    assert qualities.mask_quality(picture, mask).score > qualities.mask_quality(picture, off).score + 0.2
    assert qualities.mask_quality(picture, mask, 0.5).score < qualities.mask_quality(picture, mask, 0.9).score


def test_size_and_being_cut_off() -> None:
    small, large = scene(radius=20)[1], scene(radius=80)[1]
    assert qualities.size(small).score < qualities.size(large).score
    cut = qualities.size(np.roll(large, 60, axis=0))
    assert cut.score == pytest.approx(qualities.size(large).score / 2) and "cut off" in cut.reason
