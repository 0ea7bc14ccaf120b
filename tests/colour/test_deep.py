"""16 bits a channel: read whole, written whole, with everything that belongs to the file."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.colour.deep import encode_deep
from lib_photoshoot.errors import ImageError
from lib_photoshoot.images import Picture, decode_picture, read_picture, save_picture

PIXELS = np.random.default_rng(0).integers(0, 65536, (24, 30, 3), np.uint16)


def encoded(suffix: str, pixels: np.ndarray = PIXELS) -> bytes:
    code = cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    return cv2.imencode(suffix, cv2.cvtColor(pixels, code))[1].tobytes()


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_are_read(suffix: str) -> None:
    picture = decode_picture(encoded(suffix), f"a{suffix}")
    assert picture.best.dtype == np.uint16 and np.array_equal(picture.best, PIXELS)
    assert picture.pixels.dtype == np.uint8 and np.abs(picture.pixels * 257.0 - PIXELS).max() <= 257
    assert picture.srgb is picture.pixels


def test_alpha_stays_beside_sixteen_bits() -> None:
    alpha = np.full((24, 30, 1), 32896, np.uint16)
    picture = decode_picture(encoded(".png", np.dstack([PIXELS, alpha])), "a.png")
    assert np.array_equal(picture.best, PIXELS) and picture.alpha is not None and set(picture.alpha.flat) == {128}


def test_eight_bits_have_no_second_copy() -> None:
    assert decode_picture(encoded(".png", (PIXELS // 257).astype(np.uint8)), "a.png").deep is None


def test_a_truncated_file_is_told() -> None:
    with pytest.raises(ImageError, match=r"a\.png is damaged"):
        decode_picture(encoded(".png")[:-300], "a.png")


def test_orientation_turns_them_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    path.write_bytes(encode_deep(PIXELS, None, {"exif": exif.tobytes()}))
    picture = read_picture(path)
    assert np.array_equal(picture.best, np.rot90(PIXELS, -1)) and picture.exif is None


def test_they_are_written_with_profile_exif_and_texts(tmp_path: Path, adobe_rgb: bytes) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Camera"
    text = tmp_path / "text.png"
    Image.new("RGB", (1, 1)).save(
        text, pnginfo=_text("parameters", "a shoe, Steps: 20"), icc_profile=adobe_rgb, exif=exif
    )
    like = read_picture(text)
    alpha = np.full((24, 30), 200, np.uint8)
    whole = Picture(like.pixels, alpha, 30, 24, like.exif, like.icc, metadata=like.metadata)
    save_picture(PIXELS, tmp_path / "out.png", whole)
    again = read_picture(tmp_path / "out.png")
    assert np.array_equal(again.best, PIXELS) and again.alpha is not None and set(again.alpha.flat) == {200}
    assert again.icc == adobe_rgb and again.metadata.texts == like.metadata.texts and again.exif == like.exif
    assert Image.open(tmp_path / "out.png").getexif()[0x0110] == "Camera"


def test_other_formats_get_eight_bits(tmp_path: Path) -> None:
    save_picture(PIXELS, tmp_path / "out.webp")
    assert read_picture(tmp_path / "out.webp").deep is None


def test_a_reader_that_sees_another_picture_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.zeros((24, 30, 3), np.uint16))
    picture = decode_picture(encoded(".png"), "a.png")
    assert picture.deep is None and picture.pixels.any()


def _text(keyword: str, text: str):
    from PIL import PngImagePlugin

    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(keyword, text)
    return chunks


def test_a_grey_one_has_its_bits() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS[:, :, 0]).save(buffer, "PNG")
    picture = decode_picture(buffer.getvalue(), "a.png")
    assert np.array_equal(picture.best[:, :, 0], PIXELS[:, :, 0]) and np.array_equal(*picture.best.T[:2])
