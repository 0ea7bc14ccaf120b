"""Grey pictures of 12 to 32 bits and of floats look as they did before they were stored so."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from lib_photoshoot.images import read_picture

STEPS = np.arange(256).reshape(16, 16)
UNSIGNED, SIGNED, FLOAT = 1, 2, 3


def tiff(path: Path, values: np.ndarray, kind: int = UNSIGNED, white_is_zero: bool = False, bits: int = 0) -> Path:
    """A little-endian TIFF of one strip."""
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    height, width = values.shape
    tags = {
        256: width,
        257: height,
        258: bits or values.dtype.itemsize * 8,
        259: 1,
        262: 0 if white_is_zero else 1,
        273: 8,
        277: 1,
        278: height,
        279: len(data),
        339: kind,
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    path.write_bytes(head + struct.pack("<H", len(tags)) + entries + bytes(4))
    return path


def shown(path: Path) -> np.ndarray:
    pixels = read_picture(path).pixels
    assert np.array_equal(pixels[:, :, 0], pixels[:, :, 2])
    return pixels[:, :, 1].astype(int)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (STEPS.astype(np.uint32), UNSIGNED),
        (STEPS.astype(np.int32), SIGNED),
        (STEPS.astype(np.uint32) * 257, UNSIGNED),
        (STEPS.astype(np.int32) * 257, SIGNED),
        (STEPS.astype(np.uint32) * 0x01010101, UNSIGNED),
        (STEPS.astype(np.int32) * 0x00808080, SIGNED),
        (STEPS.astype(np.uint16) * 257, UNSIGNED),
        ((STEPS * (32767 / 255)).astype(np.int16), SIGNED),
        (STEPS.astype(np.float32), FLOAT),
        (STEPS.astype(np.float32) / 255, FLOAT),
        (STEPS.astype(np.float32) * 257, FLOAT),
        (STEPS.astype(np.float32) / 255 - 0.5, FLOAT),
        (STEPS.astype(np.float32) * 1e6, FLOAT),
    ],
)
def test_every_way_to_store_the_steps_shows_them(tmp_path: Path, values: np.ndarray, kind: int) -> None:
    assert np.abs(shown(tiff(tmp_path / "a.tif", values, kind)) - STEPS).max() <= 1


def test_eight_bits_in_thirty_two_are_the_same_to_the_bit(tmp_path: Path) -> None:
    dark = np.minimum(STEPS, 40)
    assert np.array_equal(shown(tiff(tmp_path / "a.tif", dark.astype(np.uint32))), dark)
    assert np.array_equal(shown(tiff(tmp_path / "b.tif", dark.astype(np.float32), FLOAT)), dark)
    assert np.array_equal(shown(tiff(tmp_path / "c.tif", (STEPS % 2).astype(np.int32), SIGNED)), STEPS % 2)


def test_what_undershoots_zero_is_black(tmp_path: Path) -> None:
    values = STEPS.astype(np.int32)
    values[0, 0] = -7
    assert np.array_equal(shown(tiff(tmp_path / "a.tif", values, SIGNED)), STEPS)


def test_highlights_and_overshoot_of_floats_do_not_darken_the_rest(tmp_path: Path) -> None:
    values = STEPS.astype(np.float32) / 255
    values[0, 0], values[15, 15] = -0.02, 5.5
    assert np.array_equal(shown(tiff(tmp_path / "a.tif", values, FLOAT)), STEPS)


def test_what_is_no_number_is_black_and_infinity_white(tmp_path: Path) -> None:
    values = STEPS.astype(np.float32) / 255
    values[0, :2], values[15, 14:] = np.nan, np.inf
    expected = STEPS.copy()
    expected[0, :2], expected[15, 14:] = 0, 255
    assert np.array_equal(shown(tiff(tmp_path / "a.tif", values, FLOAT)), expected)
    assert (shown(tiff(tmp_path / "b.tif", np.full((4, 4), np.nan, np.float32), FLOAT)) == 0).all()


@pytest.mark.parametrize(("values", "kind"), [(STEPS.astype(np.uint16) * 257, UNSIGNED), (STEPS / 255, FLOAT)])
def test_white_may_be_zero(tmp_path: Path, values: np.ndarray, kind: int) -> None:
    values = values if kind == UNSIGNED else values.astype(np.float32)
    path = tiff(tmp_path / "a.tif", values, kind, white_is_zero=True)
    assert np.array_equal(shown(path), 255 - STEPS)


def test_twelve_bits_reach_white_and_keep_their_bits(tmp_path: Path) -> None:
    steps = np.arange(0, 4096, 16).reshape(16, 16)
    steps[15, 15] = 4095
    pairs = steps.reshape(-1, 2)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1)
    path = tiff(tmp_path / "a.tif", packed.astype(np.uint8).reshape(16, 24), bits=12)
    path.write_bytes(
        path.read_bytes().replace(struct.pack("<HHII", 256, 4, 1, 24), struct.pack("<HHII", 256, 4, 1, 16))
    )
    picture = read_picture(path)
    assert picture.deep is not None
    assert np.array_equal(picture.deep[:, :, 0], np.rint(steps * (65535 / 4095)).astype(np.uint16))
