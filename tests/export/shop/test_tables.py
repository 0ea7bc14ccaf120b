"""The shops' tables, read back as their importers read them."""

from __future__ import annotations

import csv
import io
from pathlib import Path, PurePath

import pytest

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.shop.settings import ShopSettings
from lib_photoshoot.export.shop.tables import ShopPicture, table_of


def picture(file: str, sku: str = "B1", **more: object) -> ShopPicture:
    values = {"width": 10, "height": 20, "bytes": 300, "product": "cup", "source": "photo", **more}
    return ShopPicture(PurePath(file), Path("/out") / file, "ebay", sku=sku, **values)  # type: ignore[arg-type]


def read(data: bytes) -> list[dict[str, str]]:
    text = data.decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


PICTURES = (
    picture("b1_1.jpg", title="Cup, white", alt="From the front"),
    picture("b2.jpg", "B/2", title="白いカップ", handle="shiroi"),
    picture("b 1,2.jpg", checks=("misses fill", "cut off"), made_from="lit.jpg", term="composite"),
    picture("to-check/b1_3.jpg", ready=False),
    picture("none.jpg", ""),
)


def test_for_people() -> None:
    data = table_of("plain", PICTURES)
    rows = read(data)
    assert data.startswith(b"\xef\xbb\xbf")  # by which Excel knows UTF-8
    assert [row["file"] for row in rows] == [item.file.as_posix() for item in PICTURES]
    assert rows[2] == {
        "file": "b 1,2.jpg",
        "product": "cup",
        "sku": "B1",
        "title": "",
        "alt": "cup",
        "channel": "ebay",
        "position": "2",
        "width": "10",
        "height": "20",
        "bytes": "300",
        "ready": "yes",
        "source": "photo",
        "checks": "misses fill; cut off",
        "digital_source_type": "composite",
        "made_from": "lit.jpg",
    }
    assert rows[3]["ready"] == "no" and rows[1]["title"] == "白いカップ"


def test_shopify_has_a_row_a_picture_and_the_title_once() -> None:
    rows = read(table_of("shopify", PICTURES, "https://shop.example/pics/"))
    assert [tuple(row.values()) for row in rows] == [
        ("Cup, white", "b1", "https://shop.example/pics/b1_1.jpg", "1", "From the front"),
        ("", "b1", "https://shop.example/pics/b%201%2C2.jpg", "2", "cup"),
        ("白いカップ", "shiroi", "https://shop.example/pics/b2.jpg", "1", "白いカップ"),
    ]
    assert list(rows[0]) == ["Title", "URL handle", "Product image URL", "Image position", "Image alt text"]


def test_woocommerce_has_a_row_an_article() -> None:
    (first, second) = read(table_of("woocommerce", PICTURES, "https://shop.example"))
    assert first == {
        "SKU": "B1",
        "Name": "Cup, white",
        "Images": "https://shop.example/b1_1.jpg, https://shop.example/b%201%2C2.jpg",
    }
    assert second["SKU"] == "B/2"
    # What a shop calls its articles is not taken away, and a name with a comma would be two.
    untitled = read(table_of("woocommerce", (picture("a,b.jpg"), PICTURES[1])))
    assert untitled == [{"SKU": "B1", "Images": "a-b.jpg"}, {"SKU": "B/2", "Images": "b2.jpg"}]


@pytest.mark.parametrize("shop", ["plain", "shopify", "woocommerce"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_a_formula(shop: str, sign: str) -> None:
    bad = f"{sign}cmd|' /C calc'!A0"
    rows = read(
        table_of(shop, (picture("a.jpg", bad, title=bad, alt=bad, handle="x", product=bad),), "https://x.example")
    )
    cells = [cell for row in rows for cell in row.values()]
    assert any(bad in cell for cell in cells) and not [cell for cell in cells if cell.startswith(sign)]


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ((picture("a.jpg", "A 1"), picture("b.jpg", "a-1")), "take 'A 1' and 'a-1' for one article, 'a-1'"),
        ((picture("a.jpg", "カップ"),), "Shopify's handle of 'カップ' is ''"),
        ((picture("a.jpg", "A", handle="../x"),), "is '../x', and may hold letters"),
    ],
)
def test_articles_that_shopify_could_not_tell_apart(pictures: tuple[ShopPicture, ...], sentence: str) -> None:
    with pytest.raises(ExportError) as caught:
        table_of("shopify", pictures, "https://x.example")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"shops": ("etsy",)}, "There is no shop table 'etsy'; known are: plain, shopify, woocommerce."),
        ({"shops": ("shopify",)}, "say with --url-base"),
        ({"url_base": "ftp://x"}, "'ftp://x' does not begin with https://"),
        ({"paper": "a3"}, "paper is 'a3'; choose one of: a4, letter."),
    ],
)
def test_choices_are_checked(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ExportError) as caught:
        ShopSettings(**values)  # type: ignore[arg-type]
    assert sentence in str(caught.value)
