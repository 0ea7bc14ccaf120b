"""Alpha and colours along an edge, on drawn pictures whose truth is known."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from lib_photoshoot.masks import edges, matting
from lib_photoshoot.masks.comparison import boundary, mask_iou, raggedness
from lib_photoshoot.masks.cutout import cut_out
from lib_photoshoot.masks.edges import edge_alpha
from lib_photoshoot.masks.matting import edge_colours, matte, matting_laplacian

RED, GREEN = (200, 40, 40), (30, 150, 60)


def disc(side: int, radius: float, blur: float = 1.0) -> np.ndarray:
    """True alpha of a disc with an edge as soft as a camera's, float32 in [0, 1]."""
    large = np.zeros((4 * side, 4 * side), np.uint8)
    cv2.circle(large, (2 * side, 2 * side), round(4 * radius), 255, -1, cv2.LINE_AA)
    alpha = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.GaussianBlur(alpha, (0, 0), blur) if blur else alpha


def over(alpha: np.ndarray, product=RED, background=GREEN, noise: float = 3.0) -> np.ndarray:
    picture = alpha[..., None] * np.array(product, np.float32) + (1 - alpha[..., None]) * np.array(
        background, np.float32
    )
    picture += np.random.default_rng(1).normal(0, noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_the_laplacian_is_levins():
    """Recorded from PyMatting 1.1's cf_laplacian with the same epsilon and radius 1, on the same random pixels."""
    image = np.random.default_rng(7).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    whole = np.ones((4, 5), bool)
    laplacian = matting_laplacian(image / 255.0, whole, np.arange(20).reshape(4, 5)).toarray()
    row = [
        0.067369, 0.171733, -0.70285, -0.427383, -0.057622, 0.099407, -1.048029, 3.453037, 0.309078, -0.576225,
        -0.27434, 0.521473, -0.727505, 0.000828, 0.161271, -0.1745, -0.536103, -0.394992, 0.318272, -0.18292,
    ]  # fmt: skip
    assert laplacian[7] == pytest.approx(row, abs=1e-5)
    assert laplacian.sum(1) == pytest.approx(np.zeros(20), abs=1e-9)
    assert np.allclose(laplacian, laplacian.T)


def test_a_soft_edge_gets_its_own_alpha_where_the_views_see_one():
    truth = disc(200, 60)
    shifted = np.roll(truth > 0.5, 2, axis=1)
    soft = cv2.blur(shifted.astype(np.float32), (17, 17))
    alpha = edge_alpha(over(truth), shifted, soft).astype(np.float32) / 255
    edge = (truth > 0.02) & (truth < 0.98)
    assert np.abs(alpha - truth)[edge].mean() < 0.05, "colours tell where the edge is, two pixels beside the outline"
    hard = np.abs(shifted.astype(np.float32) - truth)[edge].mean()
    assert np.abs(alpha - truth)[edge].mean() < hard / 3


def test_a_clear_edge_moves_to_the_pictures_own():
    truth = disc(200, 60) > 0.5
    shifted = np.roll(truth, 2, axis=1)
    alpha = edge_alpha(over(disc(200, 60), noise=12), shifted, shifted.astype(np.float32))
    assert mask_iou(shifted, truth) < 0.97
    assert mask_iou(alpha > 127, truth) > 0.98
    assert np.count_nonzero((alpha > 12) & (alpha < 243)) < 1.5 * np.count_nonzero(boundary(truth)), "a pixel wide"


def test_a_frayed_background_makes_no_frayed_edge():
    """Texture like the product's own right beside it: the edge stays as smooth as the views see it."""
    truth = disc(240, 80, 0)
    texture = np.random.default_rng(3).integers(20, 90, (240, 240, 1)).astype(np.uint8).repeat(3, axis=2)
    vote = cv2.GaussianBlur(truth, (0, 0), 2)
    alpha = edge_alpha(texture, vote > 0.5, vote)
    assert raggedness(alpha > 127) < 1.15
    assert mask_iou(alpha > 127, truth > 0.5) > 0.97
    assert (alpha[disc(240, 70, 0) == 1] == 255).all(), "and nothing inside shows through"


def test_a_hard_edge_stays_hard():
    truth = np.zeros((120, 120), np.float32)
    truth[30:90, 30:90] = 1
    alpha = edge_alpha(over(truth), truth > 0.5, cv2.blur(truth, (5, 5)))
    assert np.count_nonzero((alpha > 12) & (alpha < 240)) <= 12, "hardly a pixel in between, but at the corners"
    assert np.count_nonzero((alpha > 127) != (truth > 0.5)) <= 4


def test_where_colours_tell_nothing_the_views_have_the_last_word():
    flat = np.full((160, 160, 3), 128, np.uint8)
    sure = cv2.blur(disc(160, 50, 0), (9, 9))
    assert mask_iou(edge_alpha(flat, sure > 0.5, sure) > 127, sure > 0.5) > 0.99
    unsure = cv2.blur(disc(160, 50, 0), (25, 25))
    alpha = edge_alpha(flat, unsure > 0.5, unsure)
    assert np.abs(alpha.astype(float) / 255 - unsure).mean() < 0.02


def test_far_from_the_outline_nothing_is_soft():
    truth = disc(300, 80)
    picture = over(truth, noise=25)
    alpha = edge_alpha(picture, truth > 0.5, truth)
    assert (alpha[truth == 1][::7] > 0).all()
    assert (alpha[disc(300, 60, 0) == 1] == 255).all() and (alpha[disc(300, 105, 0) == 0] == 0).all()


def test_tiles_leave_no_seams(monkeypatch):
    truth = disc(260, 100)
    picture, inside = over(truth), truth > 0.5
    band = (truth > 0.01) & (truth < 0.99)
    whole = matte(picture, band, inside, truth)
    monkeypatch.setattr(matting, "TILE", 64)
    assert np.abs(matte(picture, band, inside, truth) - whole).max() < 0.02


def test_a_large_picture_gets_its_edge_at_its_own_resolution(monkeypatch):
    monkeypatch.setattr(edges, "WORKING_SIDE", 150)
    truth = disc(600, 200)
    small = cv2.resize(truth, (200, 200), interpolation=cv2.INTER_AREA)
    alpha = edge_alpha(over(truth), small > 0.5, small).astype(np.float32) / 255
    edge = (truth > 0.02) & (truth < 0.98)
    assert np.abs(alpha - truth)[edge].mean() < 0.15
    assert np.count_nonzero((alpha > 0.5) != (truth > 0.5)) < 0.01 * np.count_nonzero(truth > 0.5)


def test_the_edge_has_the_products_colour_and_none_of_the_background():
    truth = disc(200, 60, 1.5)
    alpha = np.rint(255 * truth).astype(np.uint8)
    picture = over(truth, noise=0)
    colours = edge_colours(picture, alpha)
    edge = (alpha > 10) & (alpha < 250)
    assert np.abs(colours[edge].astype(int) - RED).max() <= 12
    assert np.abs(picture[edge].astype(int) - RED).max() > 80, "the picture itself mixes both"
    assert np.array_equal(colours[alpha == 255], picture[alpha == 255])
    beyond = (alpha == 0) & (cv2.dilate((alpha > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    assert (colours[beyond][:, 0] > 150).all(), "colours go on under full transparency"


def test_a_cut_out_with_a_matte_has_exactly_its_alpha():
    truth = disc(120, 40)
    alpha = np.rint(255 * truth).astype(np.uint8)
    rgba = np.asarray(cut_out(over(truth), truth > 0.5, matte=alpha))
    rows, columns = np.nonzero(alpha)
    assert np.array_equal(rgba[4:-4, 4:-4, 3], alpha[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    assert not rgba[:4, :, 3].any() and not rgba[:, -4:, 3].any()
    with pytest.raises(ValueError, match="matte must be uint8"):
        cut_out(over(truth), truth > 0.5, matte=truth)


def test_a_large_product_needs_little_beside_its_picture():
    """36 megapixels of it: arrays of the product's size in bytes, the equations of one tile, and no more."""
    side = 6000
    solid = disc(1024, 480, 0) > 0.5
    picture = np.full((side, side, 3), GREEN, np.uint8)
    cv2.circle(picture, (side // 2, side // 2), round(480 * side / 1024), RED, -1)
    tracemalloc.start()
    alpha = edge_alpha(picture, solid, solid.astype(np.float32))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert alpha.shape == (side, side) and alpha[side // 2, side // 2] == 255 and alpha[5, 5] == 0
    assert peak < 30 * side * side


@pytest.mark.parametrize("side", [1, 3, 20])
def test_tiny_products_keep_their_outline(side):
    solid = np.zeros((60, 60), bool)
    solid[30 : 30 + side, 20 : 20 + side] = True
    alpha = edge_alpha(over(solid.astype(np.float32)), solid, solid.astype(np.float32))
    assert mask_iou(alpha > 127, solid) >= 0.5 and (alpha > 127).any()


def test_a_product_that_fills_the_frame_is_all_opaque():
    alpha = edge_alpha(over(np.ones((50, 70), np.float32)), np.ones((50, 70), bool), np.ones((50, 70), np.float32))
    assert (alpha == 255).all()
