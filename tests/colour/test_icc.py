"""Profiles of matrix and curves: read as LittleCMS reads them, written so that it can."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageCms

from lib_photoshoot.colour.icc import (
    SRGB_CURVE,
    ProfileError,
    grey_curve,
    has_tables,
    is_hdr,
    make_profile,
    matrix_profile,
)
from lib_photoshoot.colour.profiles import convert, is_srgb, srgb_profile
from lib_photoshoot.colour.space import SRGB, MatrixSpace

P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
D65 = (0.3127, 0.3290)
SYSTEM = Path("/usr/share/color/icc")


def test_a_written_srgb_is_srgb() -> None:
    made = make_profile((0.64, 0.33, 0.30, 0.60, 0.15, 0.06), D65, SRGB_CURVE, "sRGB")
    assert is_srgb(made) and made == make_profile((0.64, 0.33, 0.30, 0.60, 0.15, 0.06), D65, SRGB_CURVE, "sRGB")
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(made)))
    assert not is_srgb(make_profile(P3, D65, SRGB_CURVE, "P3"))


@pytest.mark.parametrize("curve", [(1.0,), (1.8,), (2.2,), SRGB_CURVE], ids=str)
def test_colours_are_those_of_littlecms(curve: tuple[float, ...]) -> None:
    icc = make_profile(P3, D65, curve, "P3")
    # Colours that sRGB holds too: beyond them LittleCMS, in 8 bits, clips.
    pixels = np.random.default_rng(0).integers(90, 180, (40, 50, 3), np.uint8)
    lab = MatrixSpace(icc).to_lab(pixels)
    assert np.abs(lab - SRGB.to_lab(convert(pixels, icc, srgb_profile()))).max() < 1


@pytest.mark.skipif(not SYSTEM.is_dir(), reason="no ICC profiles of the system; Debian: icc-profiles-free, colord-data")
def test_published_profiles_are_read_as_littlecms_does() -> None:
    pixels = np.random.default_rng(0).integers(118, 138, (20, 20, 3), np.uint8)
    read = 0
    for path in sorted(SYSTEM.rglob("*.icc")):
        icc = path.read_bytes()
        try:
            space = MatrixSpace(icc)
        except ProfileError:
            continue
        if has_tables(icc):
            continue
        read += 1
        assert np.abs(space.to_lab(pixels) - SRGB.to_lab(convert(pixels, icc, srgb_profile()))).max() < 1.6, path.name
    assert read >= 3


def curve_tag(values: list[int]) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def with_tag(icc: bytes, name: bytes, body: bytes) -> bytes:
    """The profile with the place of a tag pointed at a new body behind its end."""
    data = bytearray(icc)
    (count,) = struct.unpack_from(">I", data, 128)
    for place in range(132, 132 + 12 * count, 12):
        if data[place : place + 4] == name:
            struct.pack_into(">II", data, place + 4, len(data), len(body))
    data += body
    struct.pack_into(">I", data, 0, len(data))
    return bytes(data)


@pytest.mark.parametrize(
    ("tag", "at", "expected"),
    [
        (curve_tag([]), 0.5, 0.5),
        (curve_tag([2 * 256]), 0.5, 0.25),
        (curve_tag([0, 0, 65535]), 0.75, 0.5),
        (b"para\0\0\0\0" + struct.pack(">Hxxi", 0, 3 << 16), 0.5, 0.125),
        (b"para\0\0\0\0" + struct.pack(">Hxx3i", 1, 2 << 16, 2 << 16, -(1 << 16)), 0.75, 0.25),
        (b"para\0\0\0\0" + struct.pack(">Hxx4i", 2, 1 << 16, 1 << 16, 0, 1 << 14), 0.5, 0.75),
        (b"para\0\0\0\0" + struct.pack(">Hxx7i", 4, 1 << 16, 1 << 16, 0, 1 << 15, 1 << 15, 0, 1 << 14), 0.25, 0.375),
    ],
    ids=["identity", "gamma", "table", "para 0", "para 1", "para 2", "para 4"],
)
def test_curves(tag: bytes, at: float, expected: float) -> None:
    icc = with_tag(make_profile(P3, D65, (2.2,), "P3"), b"gTRC", tag)
    assert matrix_profile(icc).curves[1](np.array([at]))[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda icc: b"",
        lambda icc: b"x" * 400,
        lambda icc: icc[:200],
        lambda icc: icc[:16] + b"CMYK" + icc[20:],
        lambda icc: icc[:128] + b"\xff\xff\xff\xff" + icc[132:],
        lambda icc: with_tag(icc, b"rTRC", b"para\0\0\0\0\0\x09\0\0"),
        lambda icc: with_tag(icc, b"rTRC", b"curv\0\0\0\0\0\0\xff\xff"),
        lambda icc: with_tag(icc, b"rXYZ", b"XYZ \0\0\0\0" + bytes(12)),
    ],
)
def test_what_is_damaged_or_of_another_kind_is_told(spoil) -> None:
    icc = make_profile(P3, D65, (2.2,), "P3")
    with pytest.raises(ProfileError):
        matrix_profile(spoil(icc))
    with pytest.raises(ProfileError):
        grey_curve(icc)


def test_a_profile_for_hdr_is_known_by_its_coding() -> None:
    icc = make_profile(P3, D65, (2.2,), "P3")
    assert not is_hdr(icc)
    renamed = icc.replace(b"cprt", b"cicp", 1)
    assert is_hdr(with_tag(renamed, b"cicp", b"cicp\0\0\0\0\x09\x10\0\x01"))
    assert not is_hdr(with_tag(renamed, b"cicp", b"cicp\0\0\0\0\x01\x0d\0\x01"))
