"""Names by a pattern: every name is known, portable and one picture's alone before anything is written."""

from __future__ import annotations

import pytest

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.shop.names import parse_pattern
from lib_photoshoot.file_names import LONGEST


def picture(stem: str, sku: str = "", product: str = "cup") -> dict[str, str]:
    return {"sku": sku, "product": product, "stem": stem, "channel": "ebay"}


def names(pattern: str, *pictures: dict[str, str]) -> list[str]:
    return parse_pattern(pattern, "JPEG").names(pictures)


def test_n_counts_those_whose_names_would_be_the_same() -> None:
    pictures = [picture("a", "B1"), picture("b", "B2"), picture("c", "b1"), picture("d", "B1", "shoe")]
    assert names("{sku}_{n}.jpg", *pictures) == ["B1_1", "B2_1", "b1_2", "B1_3"]
    assert names("{sku}_{product}_{n:02}", *pictures) == ["B1_cup_01", "B2_cup_01", "b1_cup_02", "B1_shoe_01"]
    assert names("{channel}-{stem}.JPEG", picture("x")) == ["ebay-x"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\shop\\a b", "C-shop-a-b"),
        ("=cmd|' /C calc'!A0", "cmd-C-calc-A0"),
        ("CON", "_CON"),
        ("com1.front", "_com1.front"),
        ("コップ 白", "コップ-白"),
        ("e\u0301te\u0301", "été"),
        ("a\u202egpj.exe", "a-gpj.exe"),
        (".hidden.", "hidden"),
        ("x" * 300, None),
        ("製" * 100, None),
    ],
)
def test_values_are_data(value: str, name: str | None) -> None:
    (made,) = names("{sku}", picture("a", value))
    assert made == name or (name is None and len(made.encode()) <= LONGEST - len(".jpg") and made[:40] == value[:40])


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("{price}", "unknown field {price}; known are {sku}, {product}"),
        ("{sku.__class__}", "unknown field {sku.__class__}"),
        ("{sku[0]}", "unknown field"),
        ("{sku!r}", "unknown field {sku!r}"),
        ("{}", "unknown field {}"),
        ("{n:>999999}", "unknown field {n:>999999}"),
        ("{sku:5}", "unknown field {sku:5}"),
        ("{sku", "open brace"),
        ("{sku}/{n}", "'/', which a file's name cannot hold"),
        ("{sku}:{n}", "':', which"),
        ("{sku}\n", "which a file's name cannot hold"),
        ("picture.jpg", "has no field"),
        (".{sku}", "begins with a dot"),
        ("{sku}.png", "ends with .png, and the profile's files are JPEG"),
    ],
)
def test_a_pattern_is_checked(pattern: str, sentence: str) -> None:
    with pytest.raises(ExportError) as caught:
        parse_pattern(pattern, "JPEG")
    assert sentence in str(caught.value)


def test_suffixes_of_the_format_may_be_written() -> None:
    assert parse_pattern("{sku}.tiff", "TIFF").names([picture("a", "B1")]) == ["B1"]
    assert parse_pattern("{sku}.WebP", "WEBP").names([picture("a", "B1")]) == ["B1"]


def test_two_pictures_get_no_one_name() -> None:
    with pytest.raises(ExportError, match=r"gives a and b one name, B1; add \{n\} or \{stem\}"):
        names("{sku}", picture("a", "B1"), picture("b", "B1"))
    with pytest.raises(ExportError, match="one name"):  # as a file system sees it
        names("{sku}", picture("a", "STRASSE"), picture("b", "straße"))
    with pytest.raises(ExportError, match=r"one name, a-1-1-1; add \{stem\}"):
        names("{sku}-{n}-{product}", picture("a", "a-1", "1"), picture("b", "a", "1-1"))


def test_a_field_without_a_value_is_told() -> None:
    with pytest.raises(ExportError, match=r"uses \{product\}, which is not known for a"):
        names("{product}_{n}", picture("a", product=""))
    with pytest.raises(ExportError, match=r"uses \{sku\}, which is '///', which no file name can hold"):
        names("{sku}", picture("a", "///"))
