"""``export`` with names, tables, a zip and contact sheets, as a user calls it; every file read back."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.export.profile import PROFILES
from lib_photoshoot.products import parse_products
from tests.export.conftest import cutout, save_cutout
from tests.export.test_export_cli import invoke, pictures_in
from tests.test_catalog import BrightSquares, paint

ADDRESS = "https://shop.example/pics"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over two pictures in folders of which one holds two lamps, and one that holds none."""
    folder = tmp_path_factory.mktemp("shop")
    paint(folder / "in" / "lit.png", (20, 10, 60, 50))
    paint(folder / "in" / "deep" / "two.png", (20, 10, 60, 50), (65, 5, 75, 15))
    paint(folder / "in" / "dark.png")
    run_catalog(BrightSquares(), collect_inputs([folder / "in"]), parse_products("lamp"), folder / "run")
    # The channel's own profile in small: a tenth of the width takes a hundredth of the time.
    rules = (PROFILES / "ebay.toml").read_text("utf-8").replace("= 1600", "= 160").replace("= 500", "= 100")
    (folder / "ebay.toml").write_text(rules, "utf-8")
    return folder / "run"


@pytest.fixture
def export(run: Path, tmp_path: Path) -> Any:
    def call(*arguments: object, table: str | None = None) -> Any:
        extra: tuple[object, ...] = ()
        if table is not None:
            (tmp_path / "skus.csv").write_text(table, "utf-8-sig")
            extra = ("--table", tmp_path / "skus.csv")
        command = (
            "export",
            run,
            "--profile",
            run.parent / "ebay.toml",
            "--enlarge",
            16,
            "--out",
            tmp_path / "out",
            *extra,
            *arguments,
        )
        return invoke(*command)

    return call


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""), strict=True))


TABLE = """sku;file;title;alt
L-2;deep/two_2_lamp;Small lamp;
L-1;lit.png;Lamp;A lamp
L-1;deep/two_1_lamp.png;;
X;gone.jpg;;
"""


def test_all_that_a_shop_needs_in_one_command(export: Any, tmp_path: Path) -> None:
    options = ("--names", "{sku}_{product}_{n}.jpg", "--shop", "plain,shopify,woocommerce", "--url-base", ADDRESS)
    result = export(*options, "--zip", table=TABLE)
    out = tmp_path / "out"
    names = ["L-1_lamp_1.jpg", "L-1_lamp_2.jpg", "L-2_lamp_1.jpg"]
    assert pictures_in(out) == set(names), result.output
    assert "The table has 1 row of no picture here: gone.jpg (line 5)." in result.stderr
    plain = rows(out / "ebay.csv")
    assert [(row["file"], row["sku"], row["product"], row["position"], row["made_from"]) for row in plain] == [
        ("L-2_lamp_1.jpg", "L-2", "lamp", "1", "two.png"),
        ("L-1_lamp_1.jpg", "L-1", "lamp", "1", "lit.png"),
        ("L-1_lamp_2.jpg", "L-1", "lamp", "2", "two.png"),
    ]
    assert {row["source"] for row in plain} == {"retouched"} and {row["ready"] for row in plain} == {"yes"}
    assert [row["Product image URL"] for row in rows(out / "ebay-shopify.csv")] == [
        f"{ADDRESS}/{name}" for name in ("L-2_lamp_1.jpg", *names[:2])
    ]
    images = {row["SKU"]: row["Images"] for row in rows(out / "ebay-woocommerce.csv")}
    assert images["L-1"] == f"{ADDRESS}/{names[0]}, {ADDRESS}/{names[1]}"
    with zipfile.ZipFile(out / "ebay.zip") as archive:
        assert archive.namelist() == names
        assert archive.read(names[0]) == (out / names[0]).read_bytes()
    assert f"{out / 'ebay.zip'}: 3 pictures, " in result.stdout
    before = {path: path.read_bytes() for path in out.iterdir()}
    again = export(*options, "--zip", table=TABLE)
    assert again.exit_code == result.exit_code and f"{out / 'ebay.zip'}: already there, 3 pictures" in again.stdout
    (out / "ebay.csv").write_text("mine")
    changed = export(*options, "--zip", table=TABLE)
    assert changed.exit_code == 2 and "ebay.csv exists already, differs" in changed.stderr
    assert {path: path.read_bytes() for path in out.iterdir()} == {**before, out / "ebay.csv": b"mine"}


def test_the_contact_sheet(export: Any, tmp_path: Path) -> None:
    pytest.importorskip("fpdf", reason="the package fpdf2 is not installed")
    result = export("--contact-sheet", "--paper", "letter")
    sheet = tmp_path / "out" / "ebay-contact-sheet.pdf"
    assert f"{sheet}: 1 page" in result.stdout and sheet.read_bytes().startswith(b"%PDF-")
    checked = invoke("check-export", tmp_path / "out", "--profile", "ebay")
    assert "contact-sheet" not in checked.output  # it is no picture of the channel


def test_what_is_to_be_checked_goes_to_no_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.export import cutouts

    save_cutout(tmp_path / "in" / "sure.png", cutout(1000, 640))
    save_cutout(tmp_path / "in" / "doubtful.png", cutout(1000, 640))
    recorded = cutouts.recorded_doubts
    monkeypatch.setattr(
        cutouts,
        "recorded_doubts",
        lambda path, *more: ("ragged",) if path.stem == "doubtful" else recorded(path, *more),
    )
    # An article's title stands in one row, here of a picture that is not sold yet.
    (tmp_path / "skus.csv").write_text("sku,file,title\nA,gone,Lamp\nA,sure,\nB,doubtful,\n")
    result = invoke(
        *("export", tmp_path / "in", "--profile", "amazon-main", "--out", tmp_path / "out", "--enlarge", 1, "--zip"),
        *("--names", "{sku}", "--table", tmp_path / "skus.csv", "--shop", "plain,woocommerce"),
    )
    assert result.exit_code == 1 and pictures_in(tmp_path / "out") == {"A.jpg", "to-check/B.jpg"}, result.output
    plain = rows(tmp_path / "out" / "amazon-main.csv")
    assert [(row["ready"], "check the outline" in row["checks"]) for row in plain] == [("yes", False), ("no", True)]
    assert [(row["SKU"], row["Name"]) for row in rows(tmp_path / "out" / "amazon-main-woocommerce.csv")] == [
        ("A", "Lamp")
    ]
    with zipfile.ZipFile(tmp_path / "out" / "amazon-main.zip") as archive:
        assert archive.namelist() == ["A.jpg"]


def test_pictures_without_a_row(export: Any, tmp_path: Path) -> None:
    table = "sku,file\nL-1,lit\n"
    result = export("--names", "{sku}", table=table)
    assert pictures_in(tmp_path / "out") == {"L-1.jpg"} and result.exit_code == 1
    assert "2 pictures without a row in the table, left out: deep/two_1_lamp, deep/two_2_lamp." in result.stderr
    result = export("--names", "{stem}", "--shop", "plain", table=table)
    assert "2 pictures without a row in the table, exported without a SKU" in result.stderr
    assert [row["sku"] for row in rows(tmp_path / "out" / "ebay.csv")] == ["L-1", "", ""]


@pytest.mark.parametrize(
    ("arguments", "table", "sentence"),
    [
        (("--names", "{price}"), None, "has the unknown field {price}; known are {sku}, "),
        (("--names", "{product}"), None, "gives lit_1_lamp and deep/two_1_lamp one name, lamp; add {n} or {stem}"),
        (("--names", "{sku}"), None, "uses {sku}; give the table that has them with --table"),
        (("--shop", "woocommerce"), None, "knows an article by its SKU; give the table"),
        (("--shop", "shopify"), TABLE, "say with --url-base"),
        (
            ("--shop", "shopify", "--url-base", ADDRESS),
            "sku,file\nL,lit\n",
            "has none for 'L'; fill in its column title",
        ),
        (
            ("--shop", "shopify", "--url-base", ADDRESS),
            "sku,file,title\nL 1,lit,a\nL-1,deep/two,b\n",
            "take 'L 1' and 'L-1' for one article",
        ),
        (("--shop", "etsy"), None, "There is no shop table 'etsy'"),
        (("--names", "{sku}"), "sku,file\nL,gone\n", "has no row for any of these pictures"),
        (("--names", "{sku}"), "sku\nL\n", "lacks the column file"),
        (("--contact-sheet", "--font", "gone.ttf"), None, "There is no font file gone.ttf"),
    ],
)
def test_wrong_usage_writes_nothing(
    export: Any, tmp_path: Path, arguments: tuple[str, ...], table: str | None, sentence: str
) -> None:
    if "--contact-sheet" in arguments:
        pytest.importorskip("fpdf", reason="the package fpdf2 is not installed")
    result = export(*arguments, table=table)
    assert result.exit_code == 2 and sentence in result.stderr, result.output
    assert "Traceback" not in result.output and not (tmp_path / "out").exists()
