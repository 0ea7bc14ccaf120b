"""References given apart from the product list, and in shot lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_photoshoot.colour.reference import ColourError, parse_reference
from lib_photoshoot.errors import ShootError
from lib_photoshoot.products import parse_products
from lib_photoshoot.references.table import with_references
from lib_photoshoot.shoot.shot_list.reading import read_shot_list

PRODUCTS = parse_products("cup = mug, shoe")


def table(folder: Path, text: str) -> Path:
    (folder / "c.csv").write_text(text, "utf-8")
    return folder / "c.csv"


def test_single_colours_stand_above_the_tables(tmp_path: Path) -> None:
    told: list[str] = []
    rows = table(tmp_path, "product;colour;tolerance\nmug;Lab(52, 8, 20);2\nshoe;#112233;\nhat;#445566;\n")
    cup, shoe = with_references(PRODUCTS, ["shoe=#ffffff; tolerance=5"], rows, told.append)
    assert str(cup.colour) == "Lab(52, 8, 20)" and cup.colour and cup.colour.tolerance == 2
    assert str(shoe.colour) == "#ffffff" and shoe.colour and shoe.colour.tolerance == 5
    assert [text.partition(": ")[2] for text in told] == [
        "not used for hat; they are no products of this run.",
        "not used for shoe; the product list or --colour says their colour.",
    ]
    assert with_references(PRODUCTS, []) == PRODUCTS


def test_a_colour_in_the_product_list_stands_above_the_tables_and_is_not_given_twice(tmp_path: Path) -> None:
    told: list[str] = []
    products = parse_products("cup = mug [colour=#123456], shoe")
    cup, shoe = with_references(products, [], table(tmp_path, "product,colour\nmug,#fff\nshoe,#abc\n"), told.append)
    assert str(cup.colour) == "#123456" and str(shoe.colour) == "#aabbcc"
    assert len(told) == 1 and "not used for cup; the product list" in told[0]
    for given in (["mug=#fff"], ["shoe=#fff", "shoe=#fff"]):
        with pytest.raises(ColourError, match=r"has two colours, in the product list or by --colour; keep one"):
            with_references(products, given)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_tables_as_european_spreadsheets_save_them(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = (
        'Product;Colour;Tolerance;;\r\ncup;"Lab(52,5; -8,25; 20)";3,5\r\n;;;\r\nschuhgröße;Lab(1,5 2 3,5) 62,5%;;;\r\n'
    )
    text = rows if delimiter == ";" else rows.replace('"', "").replace("; ", "~").replace(";", "\t").replace("~", "; ")
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "c.csv").write_bytes((mark + text).encode(encoding))
    cup, size = with_references(parse_products("cup, schuhgröße"), [], tmp_path / "c.csv")
    assert cup.colour == parse_reference("Lab(52.5, -8.25, 20)", 3.5)
    assert size.colour == parse_reference("Lab(1.5, 2, 3.5) 62.5%")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "line 1: The table is empty; its columns are product, colour, tolerance"),
        (b"\xef\xbb\xbf\n\n", "line 1: The table is empty"),
        (b"product,colour\n\n,\n", "has no row for a product; write one"),
        (b"PK\x03\x04\x14\x00", "is a spreadsheet's own file; save it there as CSV"),
        (b"product,colour\nb\xe4g,#fff\n", "is not UTF-8 text; save it as UTF-8"),
        ("product,colour\ncup,#fff\n".encode("utf-16-le"), "is not UTF-8 text"),
        (b"\xff\xfep", "is not UTF-8 text"),
        (bytes(range(256)), "is not UTF-8 text"),
        (b" " * (4 << 20) + b"  ", "is larger than 4 MB"),
        (b'product,colour\ncup,"#fff\n', "line 2: the row cannot be read; check its quotes"),
        (None, r"cannot be read \(No such file or directory\); check the path"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path: Path, data: bytes | None, sentence: str) -> None:
    if data is not None:
        (tmp_path / "c.csv").write_bytes(data)
    with pytest.raises(ColourError, match=rf"c\.csv,? {sentence}") as caught:
        with_references(PRODUCTS, [], tmp_path / "c.csv")
    assert "codec" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("product,colour\ncup,#fff\n\nCup,#000\n", "line 4: The product 'cup' stands in line 2 already; keep one"),
        ("product,colour\nmug,#fff\ncup,#fff\n", "line 3: The product 'cup' stands in line 2 already"),
        ("product,colour\ncup,#fff\nhat,#fff\nhat,#000\n", "line 4: The product 'hat' stands in line 3 already"),
        ("product,colour,tolerance\ncup,#fff,3,5\n", "line 2: there are 4 cells for 3 columns; put texts with a ','"),
        ("product,colour,colour\ncup,#fff,#000\n", "has the column twice: 'colour'"),
        ("product,colour\n,#fff\n", "line 2: The row names no product"),
        ('product,colour\ncup,"#fff |\n#000"\nshoe,#ff\n', "line 4: The colour '#ff' is not known"),
        ("product,colour\ncup,#7a5c\n", "line 2: The colour '#7a5c' is not known"),
        ("product,colour\ncup,#7a5c3e\nshoe,=A1\n", "line 3: The cell '=A1' is a formula"),
        ("product,colour,tolerance\ncup,#7a5c3e,0\n", "line 2: The tolerance"),
        ("product,colour\nhat,#7a5c3e\n", "names none of the products cup, mug, shoe"),
        ("product\ncup\n", "lacks the column colour"),
        ("product,colour,hue\ncup,#7a5c3e,1\n", "unknown column: 'hue'"),
    ],
)
def test_bad_tables_are_told_with_the_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ColourError, match=sentence):
        with_references(PRODUCTS, [], table(tmp_path, text), lambda _: None)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [("hat=#7a5c3e", "'hat', which is none"), ("#7a5c3e", "names no product"), ("cup=#7a5c3e; x=1", "setting 'x'")],
)
def test_bad_colours_on_the_command_line(given: str, sentence: str) -> None:
    with pytest.raises(ColourError, match=sentence):
        with_references(PRODUCTS, [given])


def test_brackets_hold_a_colours_semicolons_together() -> None:
    (cup,) = with_references(parse_products("cup"), ["cup=Lab(52,5; 8; 20); tolerance=2,5"])
    assert cup.colour == parse_reference("Lab(52.5, 8, 20)", 2.5)
    (cup,) = parse_products("cup [colour=Lab(52,5; 8; 20); tolerance=2,5]")
    assert cup.colour == parse_reference("Lab(52.5, 8, 20)", 2.5)


def test_a_shot_list_passes_its_colour_to_the_filter(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    text = "name\tcount\tcolour\tcolour_tolerance\ncup\t2\t#7a5c3e 60% | #fff 40%\t2,5\nshoe\t1\t\t\n"
    path.write_text(text, "utf-16")
    cup, shoe = read_shot_list(path)
    assert cup.settings.products == "cup [colour=#7a5c3e 60% | #ffffff 40%; tolerance=2.5]"
    assert shoe.settings.products == "shoe" and "colour" not in shoe.row


def test_a_colour_that_yaml_takes_for_a_comment_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- name: cup\n  count: 1\n  colour: #7a5c3e\n", "utf-8")
    with pytest.raises(ShootError, match="line 3: the colour is empty; YAML"):
        read_shot_list(path)
    path.write_text("- name: cup\n  count: 1\n  colour: '#7a5c'\n", "utf-8")
    with pytest.raises(ShootError, match="'#7a5c' is not known"):
        read_shot_list(path)


def test_all_mistakes_of_a_table_are_told_a_row_each(tmp_path: Path) -> None:
    path = table(tmp_path, "product,colour\ncup,#ggg\n,#fff\nhat,#fff\nhat,#000\n" + "bag,x\n" * 20)
    with pytest.raises(ColourError) as error:
        with_references(parse_products("cup"), (), path)
    lines = str(error.value).splitlines()
    assert [line.split(", line ")[1].split(":")[0] for line in lines[:4]] == ["2", "3", "5", "6"]
    assert len(lines) == 11 and lines[-1].startswith("… and 13 more mistakes")
