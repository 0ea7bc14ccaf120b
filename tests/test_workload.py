"""Pictures that are bombs in time: read or refused at once, in one sentence; ordinary ones are read as ever."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import ImageTooLargeError
from lib_photoshoot.images import decode_picture


def encoded(kind: str, side: int = 64, **options: object) -> bytes:
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (side, side, 3), np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def many_scans(number: int) -> bytes:
    data = encoded("JPEG", progressive=True)
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * number + data[-2:]


def many_chunks() -> bytes:
    data = encoded("PNG")
    return data[:33] + chunk(b"tEXt", b"a\0b") * 300_000 + data[33:]


def many_frames() -> bytes:
    data = encoded("GIF", 8)
    start = data.rindex(b"\x2c", 0, len(data) - 20)
    return data[:-1] + b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0" * 300_000 + b";" + data[start:start]


def huge_tile() -> bytes:
    """A TIFF of 64 x 64 pixels whose only tile says that it has 40,000 x 40,000."""
    packed = zlib.compress(bytes(1000))
    tags = [(256, 64), (257, 64), (258, 8), (259, 8), (262, 1), (277, 1), (322, 40_000), (323, 40_000)]
    tags += [(324, 8 + 2 + 10 * 12 + 4), (325, len(packed))]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + directory + bytes(4) + packed


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: many_scans(2000), "a JPEG of more than 100 scans"),
        (many_chunks, "too many small parts"),
        (many_frames, "too many small parts"),
        (huge_tile, "tiles of 40000x40000 pixels"),
    ],
)
def test_a_bomb_in_time_is_one_sentence_at_once(make, words: str) -> None:
    data = make()
    begun = time.process_time()
    with pytest.raises(ImageTooLargeError, match=words):
        decode_picture(data, "a")
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    "data",
    [
        encoded("JPEG", progressive=True),
        many_scans(50),
        encoded("PNG")[:33] + chunk(b"tEXt", b"a\0b") * 2000 + encoded("PNG")[33:],
        encoded("TIFF"),
        encoded("TIFF", compression="tiff_lzw"),
        encoded("GIF", save_all=True, append_images=[Image.new("RGB", (64, 64), (n, 0, 0)) for n in range(200)]),
        encoded("JPEG", exif=b"Exif\0\0" + b"\xff\xda" * 500),
    ],
)
def test_what_pictures_ordinarily_hold_is_read(data: bytes) -> None:
    assert decode_picture(data, "a").width == 64
