"""Tables of SKUs as spreadsheets save them, and which row is of which picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.shop.sku_table import SkuRow, match_rows, read_sku_table

A = [["/p/a/lit.jpg", "a/lit_1_cup", "cutouts/a/lit_1_cup"], ["/p/a/lit.jpg", "a/lit", "lit.jpg"]]
A2 = [["/r/cutouts/a/lit_2_cup.png", "a/lit_2_cup"], ["/p/a/lit.jpg", "a/lit", "lit.jpg"]]
B = [["/r/cutouts/b/lit_1_cup.png", "b/lit_1_cup"], ["/p/b/lit.jpg", "b/lit", "lit.jpg"]]


def read(tmp_path: Path, data: bytes | str) -> tuple[SkuRow, ...]:
    path = tmp_path / "skus.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_sku_table(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_as_spreadsheets_save_it(tmp_path: Path, encoding: str, sign: str) -> None:
    text = (
        f'SKU{sign} File {sign}title{sign}{sign}\r\nB-1{sign}a.jpg{sign}"白い, カップ; 1"\r\n\r\n\'=5{sign}b{sign}\r\n'
    )
    first, second = read(tmp_path, text.encode(encoding))
    assert first == SkuRow("B-1", "a.jpg", "白い, カップ; 1", line=2) and second == SkuRow("=5", "b", line=4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: The table is empty"),
        ("sku,name\n", "line 1: The table lacks the column file; its columns are sku, file, title, handle, alt."),
        ("sku,file,price\n", "unknown column: 'price'"),
        ("sku,file,SKU\n", "column twice: 'sku'"),
        ("sku,file\n", "has no row for a picture"),
        ("sku,file\n,a.jpg\n", "line 2: the sku is empty"),
        ("sku,file\nB1,a.jpg,b.jpg\n", "line 2: there are 3 cells for 2 columns"),
        ('sku,file\nB1,"a\nb"\n', "line 2: the file is no line of text"),
        (f"sku,file\n{'x' * 3000},a\n", "line 2: the sku is no line of text of at most 2000"),
        (b"PK\x03\x04", "is a spreadsheet's own file"),
        (b"sku,file\n\xff,a", "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(ExportError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value) and "skus.csv" in str(caught.value)


def skus(rows: list[SkuRow], *pictures: list[list[str]]) -> list[str]:
    return ["" if row is None else row.sku for row in match_rows(rows, pictures).rows]


@pytest.mark.parametrize(
    "file",
    ["/p/a/lit.jpg", "a/lit", "a/lit.jpg", "A\\LIT.JPG", "./a/lit.png", "a/lit_1_cup.png", "cutouts/a/lit_1_cup"],
)
def test_a_picture_has_many_names(file: str) -> None:
    assert skus([SkuRow("X", file)], A, B) == ["X", ""]


def test_accents_are_one_however_they_are_written() -> None:
    assert skus([SkuRow("X", "e\u0301te\u0301.jpg")], [["/p/\u00e9t\u00e9.jpg", "\u00e9t\u00e9"]]) == ["X"]


def test_a_nearer_name_stands_above_one_of_the_original() -> None:
    both = [SkuRow("ALL", "a/lit.jpg", line=2), SkuRow("ONE", "a/lit_2_cup", line=3)]
    assert skus(both, A, A2) == ["ALL", "ONE"] and skus(both[::-1], A, A2) == ["ALL", "ONE"]


def test_the_suffix_tells_namesakes_apart() -> None:
    pictures = [["/p/a.jpg", "a", "a.jpg"]], [["/p/a.png", "a_png", "a.png"]]
    assert skus([SkuRow("J", "a.jpg"), SkuRow("P", "a.png")], *pictures) == ["J", "P"]


def test_rows_that_mean_no_picture_or_several() -> None:
    matched = match_rows([SkuRow("X", "a/lit"), SkuRow("Y", "dark.jpg", line=3)], [A])
    assert [row.sku for row in matched.unused] == ["Y"]
    with pytest.raises(ExportError, match=r"line 2 names 'lit.jpg', as /p/a/lit.jpg and /p/b/lit.jpg are both called"):
        match_rows([SkuRow("X", "lit.jpg", line=2)], [A, B])
    with pytest.raises(ExportError, match=r"lines 2 and 3 give 'a/lit.jpg' the SKUs 'X' and 'Y'"):
        match_rows([SkuRow("X", "a/lit", line=2), SkuRow("Y", "a/lit.jpg", line=3)], [A])
