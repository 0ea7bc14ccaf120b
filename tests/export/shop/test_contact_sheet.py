"""Contact sheets, looked at as PDF: pages, paper, pictures, the characters that fonts were embedded for."""

from __future__ import annotations

import os
import re
import sys
import zlib
from pathlib import Path, PurePath

import pytest
from PIL import Image

pytest.importorskip("fpdf", reason="the package fpdf2 is not installed")
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.shop import contact_sheet
from lib_photoshoot.export.shop.contact_sheet import is_contact_sheet, write_contact_sheets
from lib_photoshoot.export.shop.fonts import choose_fonts
from lib_photoshoot.export.shop.tables import ShopPicture

LATIN = "".join(map(chr, range(0x20, 0x7F))) + "×·…"


def font(path: Path, characters: str) -> Path:
    """A font in which each of the characters is a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (500, 700), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    names = [".notdef", *(f"u{ord(sign):04X}" for sign in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular", "psName": path.stem})
    builder.setupOS2()
    builder.setupPost()
    path.parent.mkdir(exist_ok=True)
    builder.save(path)
    return path


def pictures(folder: Path, count: int, **more: object) -> list[ShopPicture]:
    path = folder / "p.jpg"
    Image.new("RGB", (60, 90), (200, 40, 40)).save(path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return [
        ShopPicture(PurePath(f"b{number}.jpg"), path, "ebay", 60, 90, 800, **more)  # type: ignore[arg-type]
        for number in range(count)
    ]


def streams(path: Path) -> bytes:
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.DOTALL)
    return b"\n".join(zlib.decompress(data) if data[:1] == b"x" else data for data in found)


def mapped(path: Path) -> set[str]:
    """The characters that the embedded fonts were embedded for."""
    pairs = re.findall(rb"<[0-9A-F]{4}> <([0-9A-F]+)>", streams(path))
    return {bytes.fromhex(pair.decode()).decode("utf-16-be") for pair in pairs}


@pytest.mark.parametrize(("paper", "box"), [("a4", b"595.28 841.89"), ("letter", b"612.00 792.00")])
def test_pages_of_the_paper_with_every_picture(tmp_path: Path, paper: str, box: bytes) -> None:
    path = tmp_path / "x-contact-sheet.pdf"
    (sheet,) = write_contact_sheets(path, pictures(tmp_path, 10, sku="B1"), "eBay", paper, folders=[])
    data, drawn = path.read_bytes(), streams(path)
    assert sheet.pages == 2 and len(re.findall(rb"/Type /Page\b", data)) == 2 and box in data
    assert drawn.count(b" Do Q") == 10 and drawn.count(b"(yes)") == drawn.count(b"(no)") == 10
    for text in (b"b9.jpg", b"SKU B1", b"60 \xd7 90", b"keeps all measured rules", b"Signature", b"page 2 of 2"):
        assert text in drawn, text
    assert is_contact_sheet(path) and not is_contact_sheet(tmp_path / "contact-sheet.jpg")


def test_the_same_pictures_are_the_same_file_and_no_other_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    write_contact_sheets(path, pictures(tmp_path, 2), "eBay", folders=[])
    before = path.read_bytes()
    assert b"D:20231114221320" in before  # the pictures' own time, whenever the sheet is made
    (again,) = write_contact_sheets(path, pictures(tmp_path, 2), "eBay", folders=[])
    assert again.was_there
    with pytest.raises(ExportError, match="exists already, differs"):
        write_contact_sheets(path, pictures(tmp_path, 3), "eBay", folders=[])
    assert path.read_bytes() == before


def test_many_pictures_are_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_sheet, "PAGES", 1)
    sheets = write_contact_sheets(tmp_path / "x-contact-sheet.pdf", pictures(tmp_path, 20), "eBay", folders=[])
    assert [item.path.name for item in sheets] == [
        *("x-contact-sheet.pdf", "x-contact-sheet-2.pdf", "x-contact-sheet-3.pdf")
    ]
    assert b"(1 of 3\\)" in streams(sheets[0].path) and all(is_contact_sheet(item.path) for item in sheets)


def test_any_script_is_drawn_by_a_font_that_has_it(tmp_path: Path) -> None:
    font(tmp_path / "fonts" / "dejavusans.ttf", LATIN)
    font(tmp_path / "fonts" / "notosanscjk-regular.ttf", "製品")
    font(tmp_path / "fonts" / "another.ttf", "製品青")
    told: list[str] = []
    path = tmp_path / "x.pdf"
    shown = pictures(tmp_path, 1, title="製品", product="cup")
    write_contact_sheets(path, shown, "eBay", tell=told.append, folders=[tmp_path / "fonts"])
    assert not told and {"製", "品", "c", "u", "p"} <= mapped(path)
    assert b"notosanscjk" in path.read_bytes() and b"another" not in path.read_bytes()


def test_what_no_font_has_is_a_number_and_told(tmp_path: Path) -> None:
    own = font(tmp_path / "own.ttf", LATIN + "製")
    told: list[str] = []
    path = tmp_path / "x.pdf"
    write_contact_sheets(path, pictures(tmp_path, 1, title="製青"), "eBay", "a4", [own], told.append, [])
    assert len(told) == 1 and "No font here has the characters 青:" in told[0] and "--font FILE" in told[0]
    assert "製" in mapped(path) and "青" not in mapped(path) and "\\" in mapped(path)
    # Without any font those of every PDF reader are taken, which have Western letters.
    told.clear()
    write_contact_sheets(tmp_path / "y.pdf", pictures(tmp_path, 1, title="製 é"), "eBay", tell=told.append, folders=[])
    assert b"\\\\u88fd \xe9" in streams(tmp_path / "y.pdf") and "製" in told[0]


def test_a_font_that_is_none(tmp_path: Path) -> None:
    bad = tmp_path / "bad.ttf"
    bad.write_bytes(b"\0" * 100)
    assert choose_fonts("a", folders=[tmp_path]).lacking == {"a"}
    with pytest.raises(ExportError, match="is no TrueType or OpenType font; name another one with --font"):
        write_contact_sheets(tmp_path / "x.pdf", pictures(tmp_path, 1), "eBay", fonts=[bad], folders=[])


def test_long_texts_stay_in_their_cells(tmp_path: Path) -> None:
    long = pictures(tmp_path, 1, title="x" * 500, sku="y" * 500, checks=("z " * 900,))
    write_contact_sheets(tmp_path / "x.pdf", long, "t" * 400, folders=[])
    drawn = streams(tmp_path / "x.pdf")
    assert 2 <= len(re.findall(rb"\(z z", drawn)) <= 4 and len(re.findall(rb"y{9}[^)]*\) Tj", drawn)) <= 2
    tops = [float(top) for top in re.findall(rb"BT [\d.]+ ([\d.]+) Td", drawn)]
    assert min(tops) > 20 and b"...) Tj" in drawn


def test_a_picture_that_is_gone_and_transparent_ones(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 20), (255, 255, 255, 0)).save(tmp_path / "p.png")
    (item,) = pictures(tmp_path, 1)
    clear = ShopPicture(PurePath("p.png"), tmp_path / "p.png", "x", 40, 20, 9)
    assert write_contact_sheets(tmp_path / "x.pdf", [clear], "eBay", folders=[])
    item.path.write_bytes(b"no picture")
    with pytest.raises(ExportError, match="cannot be put on a contact sheet"):
        write_contact_sheets(tmp_path / "y.pdf", [item], "eBay", folders=[])
    assert not (tmp_path / "y.pdf").exists()


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(
        ExportError, match=r'need the package fpdf2, which is not installed; run: .* "fpdf2>=2\.8\.6,<3"'
    ):
        write_contact_sheets(tmp_path / "x.pdf", pictures(tmp_path, 1), "eBay", folders=[])
