"""Masks: morphology, feather, cut-outs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from lib_photoshoot.errors import ImageError
from lib_photoshoot.masks import morphology
from lib_photoshoot.masks.cutout import cut_out, mask_image, save_mask

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))
radii = st.floats(0.25, 6)


def disc(size: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(x, y) <= radius


def brute_distance(mask: np.ndarray) -> np.ndarray:
    """Distance of every pixel to the nearest True one, the slow and obvious way."""
    points = np.argwhere(mask)
    if len(points) == 0:
        return np.full(mask.shape, np.inf)
    y, x = np.indices(mask.shape)
    return np.sqrt((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2).min(axis=-1)


@given(masks)
def test_fill_holes_only_adds_and_leaves_no_enclosed_background(mask):
    filled = morphology.fill_holes(mask)
    assert not (mask & ~filled).any()
    assert np.array_equal(morphology.fill_holes(filled), filled)
    # Background that can be reached from the edge of the picture is not a hole.
    reachable = np.zeros_like(mask)
    reachable[[0, -1]] = ~mask[[0, -1]]
    reachable[:, [0, -1]] = ~mask[:, [0, -1]]
    while True:
        padded = np.pad(reachable, 1)
        spread = (padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | reachable) & ~mask
        if np.array_equal(spread, reachable):
            break
        reachable = spread
    assert np.array_equal(filled, ~reachable)


def test_fill_holes_can_keep_large_openings():
    mask = disc(101, 45) & ~disc(101, 25)
    mask[50, 10] = False
    kept = morphology.fill_holes(mask, max_share=0.02)
    assert kept[50, 10] and not kept[50, 50]
    assert morphology.fill_holes(mask)[50, 50]


@given(masks, st.floats(0, 1))
def test_clean_is_idempotent_and_keeps_the_largest_component(mask, share):
    cleaned = morphology.clean(mask, share)
    assert np.array_equal(morphology.clean(cleaned, share), cleaned)
    assert cleaned.any() == mask.any()
    assert not (morphology.remove_islands(mask, share) & ~mask).any()


def test_remove_islands_drops_the_small_and_keeps_the_large():
    mask = np.zeros((40, 60), bool)
    mask[5:25, 5:25] = True  # 400
    mask[5:15, 40:50] = True  # 100
    mask[35:37, 50:52] = True  # 4
    kept = morphology.remove_islands(mask, 0.1)
    assert kept[10, 10] and kept[10, 45] and not kept[35:37, 50:52].any()
    assert kept.sum() == 500


@given(masks, radii)
def test_grow_is_the_set_of_near_pixels(mask, radius):
    # Half a float32 rounding of slack: whole-pixel distances must not depend on it.
    distance = brute_distance(mask)
    grown = morphology.grow(mask, radius)
    assert grown[distance < radius - 1e-4].all()
    assert not grown[distance > radius + 1e-4].any()


@given(masks, radii)
def test_shrinking_is_growing_the_background(mask, radius):
    assert np.array_equal(morphology.grow(mask, -radius), ~morphology.grow(~mask, radius))


@given(masks, radii)
def test_feather_is_bounded_and_its_support_lies_in_the_grown_mask(mask, radius):
    alpha = morphology.feather(mask, radius)
    assert alpha.dtype == np.float32 and alpha.shape == mask.shape
    assert alpha.min() >= 0 and alpha.max() <= 1
    assert (alpha[~morphology.grow(mask, radius)] == 0.0).all()
    assert (alpha[brute_distance(~mask) > radius + 1e-3] == 1.0).all()
    assert (alpha[mask] > 0.5).all() and (alpha[~mask] < 0.5).all()


def test_feather_falls_smoothly():
    alpha = morphology.feather(disc(101, 30), 8)
    row = alpha[50, 50:]
    assert (np.diff(row) <= 0).all()
    assert np.abs(np.diff(row)).max() < 0.2
    assert row[0] == 1.0 and row[-1] == 0.0


@settings(max_examples=30)
@given(masks, radii, st.integers(16, 200))
def test_strips_leave_no_trace(mask, radius, pixels):
    mask = np.kron(mask, np.ones((4, 1), bool))
    expected = morphology.feather(mask, radius), morphology.grow(mask, radius), morphology.grow(mask, -radius)
    with pytest.MonkeyPatch.context() as patch:
        strips = morphology.row_strips
        patch.setattr(morphology, "row_strips", lambda shape, overlap=0: strips(shape, overlap, pixels))
        actual = morphology.feather(mask, radius), morphology.grow(mask, radius), morphology.grow(mask, -radius)
    for one, other in zip(expected, actual, strict=True):
        assert np.array_equal(one, other)


@given(st.lists(hnp.arrays(np.bool_, (5, 7)), max_size=4))
def test_merge_and_invert(some):
    merged = morphology.merge(some, (5, 7))
    assert np.array_equal(merged, np.any([np.zeros((5, 7), bool), *some], axis=0))
    assert np.array_equal(morphology.invert(merged), ~merged)


def test_wrong_masks_are_refused():
    with pytest.raises(ValueError, match="bool"):
        morphology.grow(np.zeros((3, 3), np.uint8), 1)
    with pytest.raises(ValueError, match="fit"):
        morphology.merge([np.zeros((3, 3), bool)], (3, 4))
    with pytest.raises(ValueError, match="negative"):
        morphology.feather(np.zeros((3, 3), bool), -1)


@given(masks)
def test_mask_image_is_black_and_white(mask):
    picture = mask_image(mask)
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), np.where(mask, 255, 0))


def test_save_mask_round_trip_and_unwritable_folder(tmp_path):
    mask = disc(20, 6)
    save_mask(mask, tmp_path / "mask.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "mask.png")) == 255, mask)
    with pytest.raises(ImageError, match="cannot be written"):
        save_mask(mask, tmp_path / "missing" / "mask.png")


def test_cut_out_shows_no_rim_of_the_background():
    # A red disc on green, mixed at its edge as a camera does; the mask is the disc's.
    alpha = morphology.feather(disc(120, 40), 1.5)[..., None]
    picture = np.rint(alpha * (200, 30, 30) + (1 - alpha) * (0, 255, 0)).astype(np.uint8)
    rgba = np.asarray(cut_out(picture, disc(120, 40)))
    visible = rgba[rgba[..., 3] > 0]
    assert np.abs(visible[:, :3].astype(int) - (200, 30, 30)).max() <= 2
    assert ((visible[:, 3] > 0) & (visible[:, 3] < 255)).any(), "the edge is anti-aliased"
    assert (rgba[[0, -1], :, 3] == 0).all() and (rgba[:, [0, -1], 3] == 0).all()
    assert rgba.shape[0] < 100


def test_cut_out_keeps_thin_parts():
    mask = disc(120, 20)
    mask[59:61, :] = True
    picture = np.zeros((120, 120, 3), np.uint8)
    picture[mask] = (200, 30, 30)
    picture[59:61, :30] = (30, 30, 200)
    rgba = np.asarray(cut_out(picture, mask))
    assert tuple(rgba[rgba.shape[0] // 2, 5, :3]) == (30, 30, 200)


@given(masks.filter(lambda mask: mask.any()), st.sampled_from([0, 1.5, 4.0]))
def test_cut_out_of_any_mask(mask, radius):
    picture = np.full((*mask.shape, 3), 90, np.uint8)
    rgba = np.asarray(cut_out(picture, mask, radius))
    assert rgba.shape[2] == 4 and rgba[..., 3].any()
    assert (rgba[rgba[..., 3] > 0][:, :3] == 90).all()


def test_cut_out_refuses_what_it_cannot_cut():
    picture = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(ValueError, match="empty"):
        cut_out(picture, np.zeros((4, 5), bool))
    with pytest.raises(ValueError, match="image"):
        cut_out(picture, np.ones((5, 5), bool))


def test_growing_by_a_whole_number_is_the_same_every_time_and_takes_the_rim():
    """OpenCV's distance at exactly the radius is now just above it, now just below."""
    mask = np.zeros((96, 128), bool)
    mask[20:60, 10:40] = True
    for radius in (3, 14, 30):
        grown = {morphology.grow(mask, radius).tobytes() for _ in range(40)}
        assert len(grown) == 1
        once = np.frombuffer(grown.pop(), bool).reshape(mask.shape)
        assert once[30, 39 + radius] and not once[30, 40 + radius]
