"""HEIC, AVIF, JPEG XL and PDF: read where something here can, else told; never passed over in silence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.errors import ImageError
from lib_photoshoot.images import read_picture
from lib_photoshoot.more_formats import avif_formats
from lib_photoshoot.products import parse_products
from tests.test_catalog import BrightSquares, paint

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n"
JXL = b"\xff\x0a\xfa\x1f\x01\x00"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\0" * 40
EXIF_TURNED = (
    b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
)


def gradient() -> Image.Image:
    values = np.arange(48, dtype=np.uint8) * 5
    return Image.fromarray(
        np.dstack([np.tile(values, (32, 1)), np.full((32, 48), 90, np.uint8), np.zeros((32, 48), np.uint8)])
    )


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("brief.pdf", PDF, "is PDF, which is not read here"),
        ("bag.jxl", JXL, "is JPEG XL, which is not read here"),
        ("bag.jpg", b"\x00\x00\x00\x0cJXL \r\n\x87\n", "is JPEG XL"),
        ("IMG_1.JPG", HEIC, 'pip install "pillow-heif'),
        ("text.heic", b"no picture at all", "is not a picture in a known format"),
    ],
)
def test_what_cannot_be_read_says_what_it_is(tmp_path: Path, monkeypatch, name: str, data: bytes, said: str) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError) as error:
        read_picture(tmp_path / name)
    assert name in str(error.value) and said in str(error.value)


def test_a_run_counts_and_names_them(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    folder = tmp_path / "photos"
    paint(folder / "lit.png", (5, 5, 30, 30))
    for name, data in (("brief.pdf", PDF), ("sub/bag.JXL", JXL), ("phone.HEIC", HEIC)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    summary = run_catalog(BrightSquares(), collect_inputs([folder]), parse_products("lamp"), tmp_path / "out")
    named = {Path(item["file"]).name for item in summary.unreadable}
    assert (summary.matched, named) == (1, {"brief.pdf", "bag.JXL", "phone.HEIC"})
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {Path(item["file"]).name for item in report["unreadable"]} == named


@pytest.mark.skipif(not avif_formats(), reason="this Pillow is built without AVIF")
def test_avif_is_read_whatever_its_name(tmp_path: Path) -> None:
    for name in ("a.avif", "a.jpg"):
        gradient().save(tmp_path / name, "AVIF", quality=95, exif=EXIF_TURNED)
        picture = read_picture(tmp_path / name)
        assert (picture.width, picture.height) == (32, 48)
        upright = np.rot90(np.asarray(gradient()), -1)
        assert np.abs(picture.pixels.astype(int) - upright).max() <= 12


def test_heic_is_read_upright_and_changes_nothing_in_the_process(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    file = tmp_path / "a.HEIC"
    heif = pillow_heif.from_pillow(gradient())
    heif.save(file, quality=95, exif=EXIF_TURNED)
    picture = read_picture(file)
    assert (picture.width, picture.height) == (32, 48)
    assert np.abs(picture.pixels.astype(int) - np.rot90(np.asarray(gradient()), -1)).max() <= 12
    assert "HEIF" not in Image.OPEN and [source.stem for source in collect_inputs([tmp_path])] == ["a"]
    data = file.read_bytes()
    for size in range(20, len(data), 37):
        file.write_bytes(data[:size])
        with pytest.raises(ImageError, match=r"a\.HEIC"):
            read_picture(file)
