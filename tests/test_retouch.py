"""Retouch: restrained, measured on the product, without seams, halos or clipping."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_photoshoot.colour.difference import difference
from lib_photoshoot.colour.space import SRGB, space_of
from lib_photoshoot.enhancement import retouch as module
from lib_photoshoot.enhancement.protocol import Enhancer
from lib_photoshoot.enhancement.retouch import Retouch, retouch_of
from lib_photoshoot.enhancement.toning import (
    FAITHFUL,
    LIVELY,
    RetouchSettings,
    RetouchSettingsError,
    measure,
    tone_curve,
)
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.masks.morphology import grow
from lib_photoshoot.results import ProductRegion

OFF = {"exposure": 0.0, "local_contrast": 0.0, "saturation": 0.0, "sharpness": 0.0, "faithful": False}


def disc(size: int = 200, radius: float = 70, x: float = 0, y: float = 0) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(columns - x, rows - y) <= radius


def region(mask: np.ndarray) -> ProductRegion:
    return ProductRegion("bag", (0.0, 0.0, float(mask.shape[1]), float(mask.shape[0])), 0.9, mask, 0.9)


def textured(mask: np.ndarray, colour=(120, 120, 120), spread: float = 25, seed: int = 0) -> np.ndarray:
    """A textured product on a dark blue background."""
    noise = np.random.default_rng(seed).normal(0, 1, mask.shape)
    smooth = sum(np.roll(noise, (i, j), (0, 1)) for i in range(-2, 3) for j in range(-2, 3)) / 5
    product = np.clip(np.array(colour) + spread * smooth[..., None], 0, 255)
    return np.where(mask[..., None], product, (20, 30, 90)).astype(np.uint8)


def lightness(image: np.ndarray) -> np.ndarray:
    return SRGB.to_lab(image)[..., 0]


def cast(image: np.ndarray, mask: np.ndarray) -> float:
    means = image[mask].mean(axis=0)
    return float(means.max() - means.min())


def test_is_an_enhancer():
    enhancer: Enhancer = Retouch()
    mask = disc()
    image = textured(mask)
    before = image.copy()
    result = enhancer.enhance(image, [region(mask)])
    assert enhancer.name == "retouch"
    assert result.dtype == np.uint8 and result.shape == image.shape and result is not image
    assert np.array_equal(image, before)
    assert (result != image)[mask].any()
    assert np.array_equal(result[~grow(mask, 4.5)], image[~grow(mask, 4.5)])


@pytest.mark.parametrize("regions", [[], [region(np.zeros((200, 200), bool))]])
def test_nothing_to_do_gives_an_equal_copy(regions):
    image = textured(disc())
    result = Retouch().enhance(image, regions)
    assert np.array_equal(result, image) and result is not image


def test_strength_zero_changes_nothing_and_more_changes_more():
    mask = disc()
    image = textured(mask, (90, 80, 70))
    changes = []
    for strength in (0.0, 0.5, 1.0, 2.0):
        result = Retouch(replace(LIVELY, strength=strength)).enhance(image, [region(mask)])
        changes.append(np.abs(result.astype(int) - image)[mask].mean())
    assert changes[0] == 0
    assert changes == sorted(changes) and len(set(changes)) == 4


def test_all_off_is_the_identity_up_to_rounding():
    mask = disc()
    image = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    result = Retouch(RetouchSettings(**OFF)).enhance(image, [region(mask)])
    assert np.abs(result.astype(int) - image).max() <= 2


@given(st.floats(-4, 4))
def test_tone_curve_is_monotone_and_keeps_black_and_white(exposure):
    curve = tone_curve(exposure)
    assert (np.diff(curve) > 0).all()
    assert curve[0] == pytest.approx(0, abs=1e-4) and curve[-1] == pytest.approx(100, abs=1e-4)


def test_tone_curve_follows_the_exposure():
    assert np.allclose(tone_curve(0), np.linspace(0, 100, 1024), atol=1e-3)
    assert (tone_curve(1)[1:-1] > tone_curve(0)[1:-1]).all()
    assert (tone_curve(-1)[1:-1] < tone_curve(0)[1:-1]).all()


def test_a_dull_product_gets_lighter_and_a_good_one_hardly_changes():
    mask = disc()
    dull = textured(mask, (60, 60, 60), spread=12)
    good = textured(mask, (150, 150, 150), spread=50)
    gains = [
        lightness(Retouch(LIVELY).enhance(i, [region(mask)]))[mask].mean() - lightness(i)[mask].mean()
        for i in (dull, good)
    ]
    assert 3 < gains[0] < 15
    assert abs(gains[1]) < 2.5


def test_a_black_product_with_bright_reflections_stays_black():
    mask = disc()
    image = textured(mask, (18, 18, 18), spread=4)
    image[disc(radius=14, x=20)] = 245
    result = Retouch().enhance(image, [region(mask)])
    assert lightness(result)[mask & ~disc(radius=20, x=20)].mean() < 12


def test_highlights_are_not_clipped():
    mask = disc()
    image = textured(mask, (235, 235, 232), spread=8)
    image = np.minimum(image, 253)
    result = Retouch().enhance(image, [region(mask)])
    assert (result[mask] == 255).any(axis=1).mean() < 0.002


ARTICLES = {
    "white": (240, 239, 236),
    "black": (22, 22, 24),
    "grey": (128, 128, 128),
    "taupe": (140, 125, 112),
    "sage": (138, 154, 126),
    "dusty pink": (200, 162, 160),
    "pale blue": (170, 196, 214),
    "navy": (28, 38, 70),
    "terracotta": (176, 92, 66),
    "red": (200, 20, 24),
    "gold": (190, 150, 60),
}


def off(before: np.ndarray, after: np.ndarray, mask: np.ndarray, space=SRGB):
    return difference(*(space.to_lab(pixels[mask][None])[0] for pixels in (before, after)))


@pytest.mark.parametrize("colour", ARTICLES.values(), ids=ARTICLES)
def test_a_faithful_retouch_leaves_the_articles_colour(colour):
    mask = disc()
    image = textured(mask, colour, spread=18)
    found = off(image, Retouch().enhance(image, [region(mask)]), mask)
    assert found.mean <= 1 and found.percentile_95 <= 2
    assert math.dist(found.before[1:], found.after[1:]) < 0.3
    # It does something: an article is sharper afterwards.
    assert found.mean > 0.3


def test_a_strong_texture_is_sharpened_within_the_limits():
    mask = disc()
    image = textured(mask, (120, 100, 90), spread=70)
    full = Retouch(replace(FAITHFUL, faithful=False)).enhance(image, [region(mask)])
    held = Retouch().enhance(image, [region(mask)])
    assert off(image, full, mask).mean > 2
    assert off(image, held, mask).mean <= 1 and off(image, held, mask).percentile_95 <= 2


def test_sixteen_bits_and_other_spaces_are_retouched_in_their_own_values(adobe_rgb: bytes):
    mask = disc()
    image = textured(mask, (140, 110, 90), spread=12)
    space = space_of(adobe_rgb)
    deep = image.astype(np.uint16) * 257 + 100
    for pixels in (image, deep):
        result = Retouch().enhance(pixels, [region(mask)], space)
        assert result.dtype == pixels.dtype and (result != pixels)[mask].any()
        found = off(pixels, result, mask, space)
        assert found.mean <= 1 and math.dist(found.before[1:], found.after[1:]) < 0.3
    assert len(np.unique(Retouch().enhance(deep, [region(mask)])[mask])) > 1000


def test_a_lively_retouch_never_takes_the_articles_own_colour_for_a_cast():
    mask = disc()
    taupe = textured(mask, (140, 128, 120), spread=6)
    found = off(taupe, Retouch(LIVELY).enhance(taupe, [region(mask)]), mask)
    chroma = [math.hypot(*colour[1:]) for colour in (found.before, found.after)]
    assert chroma[1] >= chroma[0]


def test_retouches_by_name():
    assert retouch_of("off") is None
    assert retouch_of("faithful").settings == FAITHFUL and retouch_of("lively").settings == LIVELY
    balanced = retouch_of("off", "sweep")
    mask = disc()
    image = textured(mask)
    # No sweep of white around it: nothing is done at all.
    assert np.abs(balanced.enhance(image, [region(mask)]).astype(int) - image).max() <= 1


def test_vibrance_moves_faint_colours_more_than_strong_ones():
    def gain(colour):
        mask = disc()
        image = textured(mask, colour, spread=0)
        result = Retouch(RetouchSettings(**{**OFF, "saturation": 0.5})).enhance(image, [region(mask)])
        before, after = (SRGB.to_lab(i[mask][None])[0].mean(axis=0) for i in (image, result))
        return math.hypot(*after[1:]) / math.hypot(*before[1:])

    assert gain((140, 120, 110)) > 1.3
    assert 0.99 < gain((230, 40, 20)) < 1.05


def test_sharpening_and_local_contrast_raise_contrast_without_colour():
    mask = disc()
    image = textured(mask, spread=12)
    for name, amount in (("sharpness", 1.0), ("local_contrast", 1.0)):
        result = Retouch(RetouchSettings(**{**OFF, name: amount})).enhance(image, [region(mask)])
        core = grow(mask, -8)
        assert lightness(result)[core].std() > 1.05 * lightness(image)[core].std(), name
        assert np.ptp(result[core].astype(int), axis=1).max() <= 2, name


def test_the_background_makes_no_halo_in_the_product():
    mask = disc()
    image = np.where(mask[..., None], 140, 5).astype(np.uint8).repeat(3, axis=2)
    result = Retouch(RetouchSettings(**{**OFF, "local_contrast": 1.0})).enhance(image, [region(mask)])
    assert np.ptp(result[mask].astype(int)) <= 2


def test_only_the_product_is_measured():
    mask = disc()
    one = textured(mask)
    other = one.copy()
    other[~grow(mask, 20)] = 255
    settings_ = RetouchSettings(sharpness=0.0)
    results = [Retouch(settings_).enhance(image, [region(mask)]) for image in (one, other)]
    assert measure(one, mask) == measure(other, mask)
    assert np.array_equal(results[0][mask], results[1][mask])


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 20_000))
def test_strips_leave_no_seams(pixels):
    mask = disc(160, 60)
    image = textured(mask, (90, 80, 70))
    expected = Retouch().enhance(image, [region(mask)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "STRIP_PIXELS", pixels)
        result = Retouch().enhance(image, [region(mask)])
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_products_that_touch_keep_their_own_pixels():
    left, right = disc(radius=40, x=-41), disc(radius=40, x=41)
    image = np.where(left[..., None], textured(left, (60, 60, 60)), textured(right, (190, 150, 120))).astype(np.uint8)
    both = Retouch().enhance(image, [region(left), region(right)])
    for mask in (left, right):
        alone = Retouch().enhance(image, [region(mask)])
        assert np.array_equal(both[mask], alone[mask])


def test_tiny_and_very_wide_products():
    image = np.full((1, 1, 3), 100, np.uint8)
    assert Retouch().enhance(image, [region(np.ones((1, 1), bool))]).shape == (1, 1, 3)
    wide = np.full((2, 40_000, 3), 100, np.uint8)
    assert Retouch().enhance(wide, [region(np.ones((2, 40_000), bool))]).shape == wide.shape


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strength", -0.1),
        ("strength", None),
        ("exposure", 3.0),
        ("local_contrast", math.nan),
        ("saturation", "much"),
        ("sharpness", math.inf),
        ("feather", -1),
    ],
)
def test_settings_out_of_range_are_told(name, value):
    with pytest.raises(RetouchSettingsError, match=name) as caught:
        RetouchSettings(**{name: value})
    assert isinstance(caught.value, PhotoshootError) and isinstance(caught.value, ValueError)


def test_wrong_pictures_are_refused():
    with pytest.raises(ValueError, match="uint8"):
        Retouch().enhance(np.zeros((4, 4, 3), np.float32), [])
    with pytest.raises(ValueError, match="fit"):
        Retouch().enhance(np.zeros((4, 4, 3), np.uint8), [region(np.ones((4, 5), bool))])
