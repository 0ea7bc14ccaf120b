"""References given apart from the product list, and in shot lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_photoshoot.colour.reference import ColourError
from lib_photoshoot.products import parse_products
from lib_photoshoot.references.table import with_references
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.shoot.shot_list import read_shot_list

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
    assert len(told) == 1 and "hat" in told[0]
    assert with_references(PRODUCTS, []) == PRODUCTS


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("product,colour\ncup,#7a5c\n", "line 2: The colour '#7a5c' is not known"),
        ("product,colour\ncup,#7a5c3e\nshoe,=A1\n", "line 3: The cell '=A1' is a formula"),
        ("product,colour,tolerance\ncup,#7a5c3e,0\n", "line 2: The tolerance"),
        ("product,colour\nhat,#7a5c3e\n", "names none of the products cup, mug, shoe"),
        ("product\ncup\n", "lacks the column colour"),
        ("product,colour,hue\ncup,#7a5c3e,1\n", "unknown column 'hue'"),
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


def test_a_shot_list_passes_its_colour_to_the_filter(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,count,colour,colour_tolerance\ncup,2,#7a5c3e 60% | #ffffff 40%,2\nshoe,1,,\n", "utf-8")
    cup, shoe = read_shot_list(path)
    assert cup.settings.products == "cup [colour=#7a5c3e 60% | #ffffff 40%; tolerance=2]"
    assert shoe.settings.products == "shoe" and "colour" not in shoe.row


def test_a_colour_that_yaml_takes_for_a_comment_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- name: cup\n  count: 1\n  colour: #7a5c3e\n", "utf-8")
    with pytest.raises(ShootError, match="line 3: the colour is empty; YAML"):
        read_shot_list(path)
    path.write_text("- name: cup\n  count: 1\n  colour: '#7a5c'\n", "utf-8")
    with pytest.raises(ShootError, match="'#7a5c' is not known"):
        read_shot_list(path)
