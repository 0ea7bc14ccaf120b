"""Colours in sRGB."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ImageCms

from lib_photoshoot.colour.profiles import convert, is_srgb, srgb_profile

PIXELS = np.array([[[200, 30, 40], [10, 220, 90], [128, 128, 128]]], np.uint8)


def swapped() -> bytes:
    """An RGB profile unlike sRGB. Pillow makes none, so the sRGB one has its red and green exchanged."""
    data = bytearray(srgb_profile())
    tags = {bytes(data[p : p + 4]): p for p in range(132, 132 + 12 * int.from_bytes(data[128:132], "big"), 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def test_srgb_profiles_are_known_by_what_they_do() -> None:
    assert is_srgb(srgb_profile())
    assert not is_srgb(swapped())
    assert not is_srgb(b"no profile")
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())))


def test_the_srgb_profile_has_the_same_bytes_whenever_it_is_made() -> None:
    first = srgb_profile()
    srgb_profile.cache_clear()
    assert srgb_profile() == first and b"".join(n.to_bytes(2, "big") for n in (1999, 10, 18)) == first[24:30]


def test_conversion() -> None:
    converted = convert(PIXELS, swapped(), srgb_profile())
    assert converted[0, 0, 1] > converted[0, 0, 0] and converted[0, 1, 0] > converted[0, 1, 1]
    assert np.abs(converted[0, 2].astype(int) - 128).max() <= 2
    with pytest.raises((ImageCms.PyCMSError, OSError)):
        convert(PIXELS, b"no profile", srgb_profile())


def test_a_picture_of_many_strips_is_converted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 11, 3), np.uint8)
    whole = convert(pixels, swapped(), srgb_profile())
    monkeypatch.setattr("lib_photoshoot.colour.profiles._STRIP_PIXELS", 50)
    assert np.array_equal(convert(pixels, swapped(), srgb_profile()), whole)
