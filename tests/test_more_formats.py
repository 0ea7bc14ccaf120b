"""HEIC, AVIF, JPEG XL and PDF: read where something here can, else told; never passed over in silence."""

from __future__ import annotations

import json
import struct
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


def write_dng(path: Path, values: np.ndarray, order: str = "<") -> None:
    """A Bayer mosaic (RGGB, uint16, 12 bits) as the least DNG that is one: sensor values that are linear sRGB."""
    height, width = values.shape
    xyz_to_srgb = [3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057]
    matrix = b"".join(struct.pack(order + "ii", round(value * 10000), 10000) for value in xyz_to_srgb)
    neutral = struct.pack(order + "6I", 1, 1, 1, 1, 1, 1)
    short, long = order + "H", order + "I"
    tags = [
        (254, 4, 1, struct.pack(long, 0)),
        (256, 4, 1, struct.pack(long, width)),
        (257, 4, 1, struct.pack(long, height)),
        (258, 3, 1, struct.pack(short, 16)),
        (259, 3, 1, struct.pack(short, 1)),
        (262, 3, 1, struct.pack(short, 32803)),
        (271, 2, 5, b"Test\0"),
        (272, 2, 5, b"Test\0"),
        (273, 4, 1, b"data"),
        (277, 3, 1, struct.pack(short, 1)),
        (278, 4, 1, struct.pack(long, height)),
        (279, 4, 1, struct.pack(long, values.nbytes)),
        (33421, 3, 2, struct.pack(order + "2H", 2, 2)),
        (33422, 1, 4, bytes([0, 1, 1, 2])),
        (50706, 1, 4, bytes([1, 4, 0, 0])),
        (50708, 2, 5, b"Test\0"),
        (50714, 3, 1, struct.pack(short, 0)),
        (50717, 4, 1, struct.pack(long, 4095)),
        (50721, 10, 9, matrix),
        (50728, 5, 3, neutral),
        (50778, 3, 1, struct.pack(short, 21)),
    ]
    place = 8 + 2 + 12 * len(tags) + 4
    table, body = b"", b""
    where = place + sum(len(value) + len(value) % 2 for *_, value in tags if len(value) > 4)
    for tag, kind, count, value in tags:
        value = struct.pack(long, where) if value == b"data" else value
        if len(value) > 4:
            field, body = struct.pack(long, place + len(body)), body + value + b"\0" * (len(value) % 2)
        else:
            field = value.ljust(4, b"\0")
        table += struct.pack(order + "HHI", tag, kind, count) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(long, 8) + struct.pack(short, len(tags))
    path.write_bytes(head + table + b"\0\0\0\0" + body + values.astype(order + "u2").tobytes())


def mosaic(red: float, green: float, blue: float) -> np.ndarray:
    cell = np.array([[red, green], [green, blue]]) * 4095
    return np.tile(np.rint(cell), (24, 32)).astype(np.uint16)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_raw_file_is_developed_or_said(tmp_path: Path, monkeypatch, order: str) -> None:
    write_dng(tmp_path / "a.dng", mosaic(0.4, 0.2, 0.1), order)
    assert [source.stem for source in collect_inputs([tmp_path])] == ["a"]
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "rawpy", None)
        with pytest.raises(ImageError, match=r"a\.dng is a camera's raw file.*rawpy"):
            read_picture(tmp_path / "a.dng")
    pytest.importorskip("rawpy")
    picture = read_picture(tmp_path / "a.dng")
    assert (picture.width, picture.height) == (64, 48)
    # Not brightened: the light that came in, as sRGB writes it.
    assert np.abs(picture.pixels[24, 32].astype(int) - (170, 124, 89)).max() <= 2
    data = (tmp_path / "a.dng").read_bytes()
    for size in (40, 150, 400):
        (tmp_path / "a.dng").write_bytes(data[:size])
        with pytest.raises(ImageError, match=r"a\.dng"):
            read_picture(tmp_path / "a.dng")


def test_a_plain_tiff_is_no_raw_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    gradient().save(tmp_path / "a.tif")
    assert (read_picture(tmp_path / "a.tif").pixels == np.asarray(gradient())).all()
