"""Colour spaces: there and back without loss, in 8 and 16 bits, and the same L*a*b* for the same colour."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.colour.icc import ProfileError, make_profile
from lib_photoshoot.colour.profiles import srgb_profile
from lib_photoshoot.colour.space import SRGB, ColourSpace, MatrixSpace, eight_bit, space_of

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8)
DEEP = np.random.default_rng(0).integers(2000, 65536, (60, 50, 3), np.uint16)
GAMMA_18 = make_profile((0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001), (0.3457, 0.3585), (1.8,), "ProPhoto")


@pytest.fixture(params=["sRGB", "sRGB by its profile", "Adobe RGB", "ProPhoto"])
def space(request: pytest.FixtureRequest, adobe_rgb: bytes) -> ColourSpace:
    named = {"sRGB": None, "sRGB by its profile": srgb_profile(), "Adobe RGB": adobe_rgb, "ProPhoto": GAMMA_18}
    return space_of(named[request.param])


def test_there_and_back(space: ColourSpace) -> None:
    assert np.abs(space.from_lab(space.to_lab(PIXELS)).astype(int) - PIXELS).max() <= 1
    back = space.from_lab(space.to_lab(DEEP), np.uint16)
    assert back.dtype == np.uint16 and np.abs(back.astype(int) - DEEP).max() <= 40
    assert np.abs(space.to_lab(DEEP) - space.to_lab(eight_bit(DEEP))).max() < 2


def test_white_and_grey_are_neutral_in_every_space(space: ColourSpace) -> None:
    greys = np.repeat(np.array([0, 60, 128, 200, 255], np.uint8)[None, :, None], 3, axis=2)
    lab = space.to_lab(greys)[0]
    assert np.abs(lab[:, 1:]).max() < 0.2
    assert lab[0, 0] == pytest.approx(0, abs=0.1) and lab[-1, 0] == pytest.approx(100, abs=0.1)


def test_srgb_in_and_out(space: ColourSpace) -> None:
    soft = np.random.default_rng(0).integers(80, 180, (40, 50, 3), np.uint8)
    own = space.from_srgb(soft)
    assert np.abs(space.to_srgb(own).astype(int) - soft).max() <= 3
    assert np.abs(space.to_lab(own) - SRGB.to_lab(soft)).max() < 1.7
    deep = space.from_srgb(soft, np.uint16)
    assert deep.dtype == np.uint16 and np.array_equal(eight_bit(deep), own)


def test_plain_srgb_is_not_copied() -> None:
    assert SRGB.to_srgb(PIXELS) is PIXELS and SRGB.from_srgb(PIXELS) is PIXELS
    assert space_of(None) is SRGB and space_of(srgb_profile()).icc == srgb_profile()
    assert space_of(srgb_profile()).to_srgb(PIXELS) is PIXELS


def test_what_lies_outside_is_clipped_and_not_wrapped() -> None:
    green = np.array([[[60.0, -120.0, 80.0], [50.0, 90.0, -110.0]]], np.float32)
    assert SRGB.from_lab(green).min() == 0 and MatrixSpace(GAMMA_18).from_lab(green, np.uint16).max() <= 65535


def test_eight_bits_are_rounded() -> None:
    values = np.array([[[0, 128, 129], [257, 32896, 65535]]], np.uint16)
    assert eight_bit(values).tolist() == [[[0, 0, 1], [1, 128, 255]]]


def test_other_profiles_are_refused() -> None:
    with pytest.raises(ProfileError):
        space_of(b"no profile")
