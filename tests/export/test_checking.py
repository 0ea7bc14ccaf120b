"""The check finds each missed rule, says by how much, and finds nothing in a picture that keeps them."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import ImageError
from lib_photoshoot.export.checking import FileCheck, check_bytes, check_file, to_json
from lib_photoshoot.export.encoding import encode
from lib_photoshoot.export.profile import Aspect, Background, Ground, load_profile
from lib_photoshoot.provenance.metadata import NOTHING, Metadata
from lib_photoshoot.provenance.terms import DigitalSource
from tests.colour.test_profiles import swapped
from tests.export.conftest import INFOTEXT

RAW = Metadata(texts=(("parameters", INFOTEXT),))
AMAZON = load_profile("amazon-main")


def frame(side: int = 1200, share: float = 0.9, ground: int = 255) -> np.ndarray:
    """A dark square of ``share`` of a square frame's side."""
    pixels = np.full((side, side, 3), ground, np.uint8)
    half = round(side * share / 2)
    middle = slice(side // 2 - half, side // 2 + half)
    pixels[middle, middle] = (60, 40, 20)
    return pixels


def check(pixels: np.ndarray, format_: str = "JPEG", profile=AMAZON) -> FileCheck:
    return check_bytes(encode(pixels, format_, 95), profile, "a")


def missed(result: FileCheck) -> dict[Aspect, str]:
    return {finding.aspect: finding.measured for finding in result.findings}


def test_a_right_picture_misses_nothing() -> None:
    result = check(frame())
    assert result.findings == () and result.clean == 1
    assert result.fill == pytest.approx(0.9, abs=0.01)


def test_size() -> None:
    assert "600 x 600" in missed(check(frame(600)))[Aspect.SIZE]
    assert missed(check(frame(600), profile=load_profile("ebay"))) == {}
    wide = np.pad(frame(1600), ((0, 0), (300, 300), (0, 0)), constant_values=255)
    assert "width / height 1.375" in missed(check(wide, profile=load_profile("walmart-main")))[Aspect.SIZE]
    large = replace(AMAZON, canvas=replace(AMAZON.canvas, most_side=1100))
    assert Aspect.SIZE in missed(check(frame(), profile=large))


@pytest.mark.parametrize("level", [254, 250])
def test_nearly_white_is_not_white(level: int) -> None:
    result = check(frame(ground=level), "PNG")
    assert f"differ, by up to {255 - level}" in missed(result)[Aspect.BACKGROUND] and result.clean == 0


def test_a_few_wrong_pixels_far_from_the_product_are_counted() -> None:
    pixels = frame(share=0.86)
    pixels[5:8, 5:9] = 251
    assert missed(check(pixels, "PNG"))[Aspect.BACKGROUND].startswith("12 of ")


def test_a_grey_background_is_told_by_the_frames_edge() -> None:
    assert "4,796 of 4,796 pixels along the frame's edge" in missed(check(frame(ground=200)))[Aspect.BACKGROUND]


def test_a_product_that_leaves_the_frame() -> None:
    pixels = np.roll(frame(), 200, axis=1)
    assert "along the frame's edge" in missed(check(pixels))[Aspect.BACKGROUND]


def test_white_inside_the_product_is_no_background() -> None:
    pixels = frame()
    pixels[500:700, 500:700] = 252
    assert missed(check(pixels, "PNG")) == {}


def test_fill() -> None:
    assert "fills 70.0%" in missed(check(frame(share=0.7), "PNG"))[Aspect.FILL]
    google = load_profile("google-merchant")
    assert Aspect.FILL in missed(check(frame(share=0.95), profile=google))
    assert missed(check(frame(share=0.85), profile=google)) == {}
    assert "fills 0.0%" in missed(check(np.full((1200, 1200, 3), 255, np.uint8)))[Aspect.FILL]


def test_format_bytes_and_colours() -> None:
    assert missed(check(frame(), "WEBP"))[Aspect.FORMAT] == "WEBP"
    small = replace(AMAZON, file=replace(AMAZON.file, most_bytes=1000))
    assert "too many" in missed(check(frame(), profile=small))[Aspect.BYTES]
    buffer = io.BytesIO()
    Image.fromarray(frame()).save(buffer, "JPEG", quality=95, icc_profile=swapped())
    assert "other than sRGB" in missed(check_bytes(buffer.getvalue(), AMAZON, "a"))[Aspect.COLOUR]
    buffer = io.BytesIO()
    Image.fromarray(frame()).convert("CMYK").save(buffer, "JPEG", quality=95)
    assert missed(check_bytes(buffer.getvalue(), AMAZON, "a"))[Aspect.COLOUR] == "colours as CMYK"


def test_transparency() -> None:
    clear = load_profile("transparent")
    rgba = np.dstack([frame(), np.where(frame()[:, :, 0] < 200, 255, 0).astype(np.uint8)])
    assert missed(check(rgba, "PNG", clear)) == {}
    assert Aspect.BACKGROUND in missed(check(rgba, "PNG"))
    assert "along the frame's edge" in missed(check(frame(), "PNG", clear))[Aspect.BACKGROUND]


def test_in_front_of_a_picture_only_the_file_is_measured() -> None:
    result = check(frame(ground=90), profile=replace(AMAZON, background=Background(Ground.PICTURE)))
    assert (result.fill, result.clean, result.findings) == (None, None, ())


def test_json_and_unreadable_files(tmp_path) -> None:
    (item,) = to_json("a.jpg", check(frame(600)))["missed"]
    assert item["aspect"] == "size" and item["source"].startswith("https://") and item["verified"] is False
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(ImageError):
        check_file(tmp_path / "a.jpg", AMAZON)
    with pytest.raises(ImageError, match="cannot be read"):
        check_file(tmp_path / "gone.jpg", AMAZON)


@pytest.mark.parametrize(
    ("profile", "metadata", "finding"),
    [
        ("google-merchant", RAW, "generated, without a DigitalSourceType"),
        ("google-merchant", RAW.with_term("trainedAlgorithmicMedia"), None),
        ("google-merchant", RAW.with_term("compositeSynthetic"), None),
        ("google-merchant", RAW.with_term("digitalCapture"), "generated, without a DigitalSourceType"),
        ("google-merchant", NOTHING, None),
        ("etsy", RAW.with_term("trainedAlgorithmicMedia"), "a generated picture"),
        ("amazon-main", RAW, None),
    ],
)
def test_the_mark_of_a_generated_picture_where_the_channel_demands_it(profile, metadata, finding) -> None:
    result = check_bytes(encode(frame(share=0.85), "PNG", 95, metadata), load_profile(profile), "a")
    assert (missed(result).get(Aspect.METADATA) or "none").startswith(finding or "none")


def test_what_the_ledger_knows_of_a_file_without_marks_counts() -> None:
    data = encode(frame(share=0.85), "PNG", 95)
    assert Aspect.METADATA in missed(
        check_bytes(data, load_profile("google-merchant"), "a", source=DigitalSource.GENERATED)
    )


def test_ottos_share_is_of_the_area() -> None:
    otto = load_profile("otto-main")
    assert "fills 77.4%" in missed(check(frame(share=0.88), "PNG", otto))[Aspect.FILL]
    assert missed(check(frame(share=0.94), "PNG", otto)) == {}
