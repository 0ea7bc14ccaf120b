"""Shot lists as people write them, and every mistake with its line."""

from __future__ import annotations

import gc
import json
import time
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.errors import ShootError
from lib_photoshoot.products import parse_products
from lib_photoshoot.shoot.shot_list import reading as shot_list
from lib_photoshoot.shoot.shot_list.fields import read_field
from lib_photoshoot.shoot.shot_list.reading import read_rows, read_shot_list, rows_of, write_shot_list
from lib_photoshoot.shoot.shot_list.rows import RowError
from lib_photoshoot.spreadsheet import formula_safe, formula_undone


def read(tmp_path: Path, text: str, suffix: str = ".csv") -> Any:
    path = tmp_path / f"list{suffix}"
    path.write_text(text, encoding="utf-8")
    return read_shot_list(path)


CSV = (
    "\ufeffname;class;aliases;scenes;count;seeds;preset;filter;negative_prompt;cfg_scale;exports;width\r\n"
    '"Red ""12""";handbag;purse|tote;on a beach, at noon|in a street;4;7 | 8|2;Retouch only;'
    '"{""threshold"": 0.4}";blurry;6.5;amazon-main|ebay;768\r\n'
    "\r\n"
    "shoe;;;;2;;;;;;;\r\n"
)
YAML = """\
defaults:
  width: 768
products:
- name: 'Red "12"'
  class: handbag
  aliases: [purse, tote]
  scenes: ["on a beach, at noon", in a street]
  count: 4
  seeds: [7, 8, 2]
  preset: Retouch only
  filter: {threshold: 0.4}
  negative_prompt: blurry
  cfg_scale: 6.5
  exports: [amazon-main, ebay]
- {name: shoe, count: 2, width: 512}
"""


@pytest.mark.parametrize(("text", "suffix"), [(CSV, ".csv"), (YAML, ".yaml"), (YAML, ".YML")])
def test_csv_and_yaml_say_the_same(tmp_path: Path, text: str, suffix: str) -> None:
    bag, shoe = read(tmp_path, text, suffix)
    assert (bag.name, bag.folder, bag.count, bag.seeds) == ('Red "12"', "Red -12", 4, (7, 8, 2))
    assert bag.scenes == ("on a beach, at noon", "in a street") and bag.exports == ("amazon-main", "ebay")
    assert bag.settings.products == "handbag = purse | tote" and bag.settings.enabled
    assert (bag.settings.threshold, bag.settings.enhancement) == (0.4, "retouch")
    assert bag.sampling == {"steps": 20, "width": 768, "height": 512, "cfg_scale": 6.5, "scheduler": "Automatic"}
    assert bag.prompt.startswith('"handbag", ') and bag.negative_prompt == "blurry"
    assert (shoe.first_seed, shoe.seeds, shoe.scenes, shoe.sampling["width"]) == (1, (), (), 512)
    assert shoe.settings.products == "shoe"


def test_the_request_has_the_scene_the_lora_and_the_filter(tmp_path: Path) -> None:
    row = {"name": "bag", "count": 1, "prompt": "my bag", "scenes": ["on a beach", "at home"], "lora": "L", "seeds": 9}
    more = {"lora_weight": 0.7, "checkpoint": "tiny", "sampler": "Euler", "preset": "Cut-outs only"}
    (bag,) = read(tmp_path, json.dumps([row | more]), ".yaml")
    body = bag.shot(0).request()
    assert body["prompt"] == "my bag, <lora:L:0.7>, on a beach" and body["seed"] == 9
    assert body["override_settings"] == {"sd_model_checkpoint": "tiny"} and body["sampler_name"] == "Euler"
    args = body["alwayson_scripts"]["Product Photoshoot"]["args"]
    assert args == [
        {"enabled": True, "products": "bag", "on_match": "mask and cut-out only", "save_masks": True,
         "save_cutouts": True}
    ]  # fmt: skip
    assert "override_settings" not in read(tmp_path, "name,count\nbag,1\n")[0].shot(0).request()


def test_tries_follow_from_the_list_alone(tmp_path: Path) -> None:
    bag, shoe = read(tmp_path, "name,count,first_seed,seeds,scenes\nbag,1,4294967295,,a|b\nshoe,1,,5|4,\n")
    assert [(bag.shot(n).seed, bag.shot(n).scene) for n in range(3)] == [(2**32 - 1, "a"), (0, "b"), (1, "a")]
    assert [shoe.shot(n).seed for n in range(shoe.limit(100))] == [5, 4] and bag.limit(100) == 100


def test_a_recipe_is_what_decides_a_picture(tmp_path: Path) -> None:
    recipes = [
        read(tmp_path, f"name,count,exports,{column}\nbag,{count},{exports},{value}\n")[0].recipe
        for count, exports, column, value in (
            (1, "etsy", "steps", "20"), (9, "ebay", "steps", ""), (1, "etsy", "steps", "21"),
            (1, "etsy", "scenes", "x"), (1, "etsy", "filter", '"{""denoise"": 0.2}"'), (1, "etsy", "first_seed", "2"),
        )
    ]  # fmt: skip
    assert recipes[0] == recipes[1] and len(set(recipes)) == 5


MISTAKES = [
    ("name,count,hue\nbag,1,red\n", 1, "'hue'"),
    ("name\nbag\n", 1, "column count"),
    ("name,count,name\nbag,1,x\n", 1, "name is there twice"),
    ("name,count\nbag,1\nshoe,\n", 3, "count is missing"),
    ("name,count\nbag,1\n ,2\n", 3, "name is missing"),
    ("name,count\nbag,1\nshoe,1\nbag,2\n", 4, "stands in line 2"),
    ("name,count,exports\nbag,1,amazn\n", 2, "no export profile 'amazn'"),
    ("name,count\nbag,1\nBAG,2\n", 3, "too like 'bag'"),
    ("name,count,class\nthumbnails,1,bag\n", 2, "file of the shoot"),
    ("name,count,class\n...,1,bag\n", 2, "'...'"),
    ("name,count\nbag,zero\n", 2, "'zero'"),
    ("name,count\nbag,0\n", 2, "from 1 to 10000"),
    ("name,count\nbag,1.5\n", 2, "whole number"),
    ("name,count,cfg_scale\nbag,1,nan\n", 2, "'nan'"),
    ("name,count,width\nbag,1,513\n", 2, "multiple of 8"),
    ("name,count,seeds\nbag,1,4|x\n", 2, "'x'"),
    ("name,count,seeds\nbag,1,4|5|4\n", 2, "twice"),
    ("name,count,seeds\nbag,1,-1\n", 2, "seeds is '-1'"),
    ("name,count,seeds,first_seed\nbag,1,4,5\n", 2, "both seeds and first_seed"),
    ("name,count,filter\nbag,1,denoise\n", 2, "JSON"),
    ('name,count,filter\nbag,1,"{""denoiz"": 1}"\n', 2, "'denoiz'"),
    ('name,count,filter\nbag,1,"{""denoise"": 7}"\n', 2, "denoising strength"),
    ('name,count,filter\nbag,1,"{""on_no_match"": ""leave out""}"\n', 2, "on_no_match"),
    ("name,count,preset\nbag,1,none such\n", 2, "'none such'"),
    ("name,count,lora\nbag,1,<x>\n", 2, "'<x>'"),
    ('name,count,class\nsku 12,1,"bag; \'x"\n', 2, "bag; "),
    ('name,count,scenes\n"bag\nb",1,a\nshoe,1,a,b\n', 4, "4 cells for 3 columns"),
    ('name,count\nbag,1\n"shoe,1\n', 3, "quotes"),
]


@pytest.mark.parametrize(("text", "line", "word"), MISTAKES)
def test_a_mistake_in_a_csv_is_one_sentence_with_its_line(tmp_path: Path, text: str, line: int, word: str) -> None:
    with pytest.raises(ShootError) as error:
        read(tmp_path, text)
    sentence = str(error.value)
    assert sentence.startswith(f"{tmp_path / 'list.csv'}, line {line}: ") and word in sentence and "\n" not in sentence


YAML_MISTAKES = [
    ("- name: bag\n  count: 1\n  hue: red\n", 3, "'hue'"),
    ("- name: bag\n  count: 1\n\n- name: shoe\n  count: x\n", 5, "'x'"),
    ("- name: bag\n  count: true\n", 2, "True"),
    ("- name: 815\n  count: 1\n", 1, "quotes"),
    ("- name: bag\n  count: 1\n  name: shoe\n", 3, "twice"),
    ("- name: bag\n  count: 1\n- count: 1\n  name: bag\n", 4, "line 1"),
    ("- bag\n", 1, "no product with fields"),
    ("bag: 1\n", 1, "'bag'"),
    ("just text\n", 1, "no list"),
    ("defaults: {}\n", 1, "'products'"),
    ("- name: bag\n  count: [1\n", 3, "not YAML"),
    ("- {name: bag, count: 1, filter: !!python/object:os.system x}\n", 1, "are not read"),
    ("- {name: bag, count: 1, scenes: [[a]]}\n", 1, "no text"),
    ("- {name: bag, count: 1, steps: 1.5}\n", 1, "whole number"),
    ("[" * 5000, 1, "not YAML"),
]


@pytest.mark.parametrize(("text", "line", "word"), YAML_MISTAKES)
def test_a_mistake_in_a_yaml_is_one_sentence_with_its_line(tmp_path: Path, text: str, line: int, word: str) -> None:
    with pytest.raises(ShootError) as error:
        read(tmp_path, text, ".yaml")
    sentence = str(error.value)
    assert sentence.startswith(f"{tmp_path / 'list.yaml'}, line {line}: ") and word in sentence and "\n" not in sentence


def test_all_mistakes_of_a_list_are_told_a_row_each(tmp_path: Path) -> None:
    rows = ["bag,1,512", "shoe,none,5", "hat", ",1,512", "bag,2,512", "cup,3,512"]
    with pytest.raises(ShootError) as error:
        read(tmp_path, "\n".join(["name,count,width", *rows]))
    lines = str(error.value).splitlines()
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["3", "3", "4", "5", "6"]
    assert all(line.startswith(f"{tmp_path / 'list.csv'}, line ") for line in lines)
    assert all(word in line for word, line in zip(("'none'", "width", "1 cells", "name", "line 2"), lines, strict=True))
    broken = "- {name: bag, count: x}\n- 3\n- {nam: hat, cuont: 1}\n- {name: cup, count: 1}\n"
    with pytest.raises(ShootError) as error:
        read(tmp_path, broken, ".yaml")
    assert [line.split(", line ")[1][0] for line in str(error.value).splitlines()] == ["1", "2", "3", "3"]


def test_all_wrong_columns_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ShootError) as error:
        read(tmp_path, "nam,cuont,width,width\nbag,1,512,512\n")
    told = str(error.value)
    assert all(word in told for word in ("'nam'", "'cuont'", "width is there twice", "column name", "column count"))
    assert told.count("\n") == 4


def test_of_very_many_mistakes_the_rest_is_counted(tmp_path: Path) -> None:
    with pytest.raises(ShootError) as error:
        read(tmp_path, "name,count\n" + "bag,none\n" * 2000)
    lines = str(error.value).splitlines()
    assert len(lines) == 11 and lines[-1] == "… and 1,990 more mistakes there; correct these first."


def test_a_file_that_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"name,count\nb\xe4g,1\n")
    for path, word in (
        (tmp_path / "list.csv", "UTF-8"),
        (tmp_path / "list.txt", "neither CSV nor YAML"),
        (tmp_path / "none.csv", "No such file"),
    ):
        with pytest.raises(ShootError, match=word):
            read_shot_list(path)
    for suffix in (".csv", ".yaml"):
        with pytest.raises(ShootError, match="names no product"):
            read(tmp_path, "", suffix)


@pytest.mark.parametrize("suffix", [".csv", ".yaml"])
def test_ten_thousand_products(tmp_path: Path, suffix: str) -> None:
    rows = [{"name": f"bag {n}", "class": "handbag", "count": n % 9 + 1, "scenes": "a|b"} for n in range(10_000)]
    if suffix == ".csv":
        text = "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    else:
        text = "\n".join(f"- {json.dumps(row)}" for row in rows)
    start = time.perf_counter()
    products = read(tmp_path, text, suffix)
    print(f"10,000 rows of {suffix}: {time.perf_counter() - start:.2f} s")
    assert len(products) == 10_000 and products[-1].count == 1


def rows(text: str, kind: str = "yaml") -> list[dict[str, Any]]:
    return [dict(row.values) for row in rows_of(text, kind == "csv")]


def sentence(text: str) -> RowError:
    with pytest.raises(RowError) as raised:
        rows(text)
    return raised.value


ALIASES = "a0: &a0 [x, x, x]\n" + "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 7))
BOMB = "- name: bag\n  count: 1\n  filter:\n" + "\n".join(f"    {line}" for line in ALIASES.split("\n"))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (BOMB, 4, "an alias (*name) stands for it elsewhere"),
        ("- name: &a bag\n  prompt: *a\n", 1, "an alias"),
        ("- name: &a [*a]\n", 1, "an alias"),
        ("- &a {name: bag, count: 1}\n- *a\n", 1, "an alias"),
        ("- name: !!bool abc\n", 1, "column 9: 'abc' cannot be read as !!bool"),
        ("- name: bag\n  count: !!timestamp abc\n", 2, "column 10: values tagged !!timestamp are not read"),
        ("- name: !!int abc\n", 1, "cannot be read as !!int"),
        ("- name: !!float abc\n", 1, "cannot be read as !!float"),
        ("- name: !!binary aGFsbG8=\n", 1, "values tagged !!binary are not read"),
        ("- name: bag\n  filter: !!set {a, b}\n", 2, "!!set are not read"),
        ("- name: bag\n  filter: !!omap [a: 1]\n", 2, "!!omap are not read"),
        ("- name: !!python/object/apply:os.system [ls]\n", 1, "!!python/object/apply:os.system are not read"),
        ("- name: !own x\n", 1, "tagged !own are not read"),
        ("- name: bag\n  filter: {? [a] : b}\n", 2, "write a plain name"),
        ("- name: bag\n  count: 0x" + "f" * 9000 + "\n", 2, "cannot be read as !!int"),
        ("- name: bag\n  count: " + "9" * 9000 + "\n", 2, "cannot be read as !!int"),
        ("- name: bag\n  filter: " + "[" * 100 + "]" * 100 + "\n", 2, "nested too deeply"),
        ("[" * 100_000, 1, "the file is not YAML"),
        ("- name: bag\n  prompt: a\x07b\n", 1, "the file is not YAML"),
    ],
)
def test_yaml_that_is_more_than_plain_values_is_one_sentence_at_once(text: str, line: int, words: str) -> None:
    begun = time.process_time()
    error = sentence(text)
    assert words in error.text and error.line == line
    assert time.process_time() - begun < 1


def test_dates_and_times_are_text_and_a_number_that_is_none_is_told() -> None:
    (row,) = rows("- name: 2024-01-31\n  class: 12:30\n  prompt: =\n  count: 3\n  seeds: [1, 2]\n  lora_weight: .nan\n")
    assert [row[name] for name in ("name", "class", "prompt", "count", "seeds")] == [
        "2024-01-31", "12:30", "=", 3, [1, 2],
    ]  # fmt: skip
    with pytest.raises(ShootError, match="give a number from -2 to 2"):
        read_field("lora_weight", row["lora_weight"])
    assert rows("- name: bag\n  filter: {denoise: 0.5, recheck: false, prompt: null}\n")[0]["filter"] == {
        "denoise": 0.5, "recheck": False, "prompt": None,
    }  # fmt: skip


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_unusual_line_separators_in_a_cell_are_text(tmp_path: Path, mark: str) -> None:
    wanted = [
        {"name": "bag", "count": "2", "prompt": f"a bag{mark}by a window"},
        {"name": "cup", "count": "1", "prompt": "a"},
    ]
    assert rows(f"name,count,prompt\nbag,2,a bag{mark}by a window\ncup,1,a\n", "csv") == wanted
    assert (
        rows(f"- name: bag\n  count: '2'\n  prompt: a bag{mark}by a window\n- name: cup\n  count: '1'\n  prompt: a\n")
        == wanted
    )
    write_shot_list(tmp_path, wanted)
    assert [dict(row.values) for row in read_rows(tmp_path / "list.yaml")] == wanted


@pytest.mark.parametrize("kind", ["csv", "yaml"])
def test_a_long_list_is_read_in_good_time(kind: str) -> None:
    names = range(4000)
    text = "name,count,prompt\n" + "".join(f"bag {n},2,a bag on a table\n" for n in names)
    if kind == "yaml":
        text = "".join(f"- name: bag {n}\n  count: 2\n  prompt: a bag on a table\n" for n in names)
    begun = time.process_time()
    assert len(rows(text, kind)) == 4000
    assert time.process_time() - begun < 3  # a fifth of 20,000 rows, on a machine that may be busy


def test_no_cell_becomes_a_spreadsheets_formula_and_none_is_changed() -> None:
    for text in ('=HYPERLINK("http://x")', "+1+1", "-x", "@SUM(1)", "\tx", "\uff1d1", "-"):
        assert formula_safe(text) == f"'{text}" and formula_undone(formula_safe(text)) == text
    for text in ("bag", "", "-1", "+0.5", "-1e3", "'quoted", "'"):
        assert formula_safe(text) == text == formula_undone(text)
    assert rows("name,count,prompt\n'=1+1,1,a bag\n", "csv")[0]["name"] == "=1+1"


def test_only_the_fields_that_a_row_has_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(shot_list, "read_field", lambda name, value: asked.append(name) or read_field(name, value))
    (tmp_path / "list.yaml").write_text("- name: bag\n  steps: 25\n  count: 3\n")
    (product,) = read_shot_list(tmp_path / "list.yaml")
    assert asked == ["name", "count", "steps"]
    assert (product.sampling["steps"], product.sampling["width"], product.seeds) == (25, 512, ())


def test_python_searches_for_garbage_again_after_a_list(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- name: bag\n  count: none\n")
    with pytest.raises(ShootError, match="count"):
        read_shot_list(tmp_path / "list.yaml")
    assert gc.isenabled()


def test_photos_that_a_picture_has_to_be_like_are_examples_of_the_product(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos, mine").mkdir()
    ring, cup = read(tmp_path, 'name,like,count\nring,"my ring | photos, mine",1\ncup,,1\n')
    (product,) = parse_products(ring.settings.products)
    assert product.name == "ring" and product.examples == ("my ring", str(tmp_path / "photos, mine"))
    assert cup.settings.products == "cup" and ring.recipe != cup.recipe
    args = ring.shot(0).request()["alwayson_scripts"]["Product Photoshoot"]["args"]
    assert args[0]["products"] == ring.settings.products


def test_the_same_photos_for_a_class_keep_its_word_in_the_prompt(tmp_path: Path) -> None:
    (ring,) = read(tmp_path, "name,class,like,count\nSKU-1,ring,@my ring,1\n")
    assert ring.settings.products == "ring = @my ring" and ring.prompt.startswith('"ring"')
