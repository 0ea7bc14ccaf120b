"""Bytes under the limit, at the best quality that allows it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.encoding import encode, encode_under
from lib_photoshoot.export.profile import load_profile
from lib_photoshoot.provenance.metadata import NOTHING

NOISE = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
FILE = load_profile("amazon-main").file


@pytest.mark.parametrize("format_", ["JPEG", "WEBP"])
def test_the_quality_is_the_best_under_the_limit(format_: str) -> None:
    file = replace(FILE, format=format_, quality=95, least_quality=10)
    full = len(encode(NOISE, format_, 95))
    assert encode_under(NOISE, file)[1] == 95
    data, quality = encode_under(NOISE, replace(file, most_bytes=full // 2))
    assert 10 <= quality < 95 and len(data) <= full // 2
    assert len(encode(NOISE, format_, quality + 1)) > full // 2


def test_the_limit_counts_the_metadata_too() -> None:
    marked = NOTHING.with_term("trainedAlgorithmicMedia")
    limit = len(encode(NOISE, "JPEG", 95)) + 10
    data, quality = encode_under(NOISE, replace(FILE, most_bytes=limit), marked)
    assert quality < 95 and len(data) <= limit and b"DigitalSourceType" in data


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_what_cannot_be_small_enough_is_told(format_: str) -> None:
    with pytest.raises(ExportError, match=r"needs .* bytes as .* allows 500"):
        encode_under(NOISE, replace(FILE, format=format_, most_bytes=500))


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_lossless_formats_keep_every_pixel_and_alpha(format_: str) -> None:
    rgba = np.dstack([NOISE, NOISE[:, :, 0]])
    with Image.open(io.BytesIO(encode(rgba, format_, 90))) as image:
        assert (np.asarray(image) == rgba).all()
