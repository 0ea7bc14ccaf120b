"""What ``finish`` hands over: names, tables, zips, contact sheets, and folders that ``review`` opens."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lib_photoshoot import build
from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.review.records import EXPORTED_NAME
from lib_photoshoot.export.review.reviewed import ReviewedExports
from lib_photoshoot.export.shop.settings import ShopSettings
from lib_photoshoot.export.shop.sku_table import sku_rows
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.shoot.finish import naming
from lib_photoshoot.shoot.finish.for_shops import ForShops, HandedOver
from lib_photoshoot.shoot.finish.ranking import FinishedProduct, called
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder
from tests.pages import read_page
from tests.shoot.test_finish import Squares, add, exports, run, shoot

__all__ = ["shoot"]

TABLE = "sku,file,title\nL-7,Lamp 7,Lamp seven\nBAG,bag/100.png,A bag\n"


def handed(
    out: Path, settings: ShopSettings | None = None, table: str = "", **more: Any
) -> tuple[dict[str, FinishedProduct], HandedOver]:
    """Finish, and return the products with the names of now, and what became of the channel."""
    told: list[HandedOver] = []
    rows = sku_rows(table, "the table") if table else None
    result = run(out, shop=ForShops(settings or ShopSettings(), rows, told.append), **more)
    names = {(one.profile, old): new for one in told for old, new in one.names.items()}
    return {name: called(product, names) for name, product in result.items()}, told[0]


def folder_of(out: Path) -> Path:
    return out / "finished" / "exports" / "small"


def reviewed(out: Path) -> dict[str, dict[str, Any]]:
    """The pictures on the page of the channel's folder, by their files."""
    page = read_page(b"".join(ReviewedExports(folder_of(out)).page()).decode())
    return {item["reference"]["file"] if item["reference"] else item["name"]: item for item in page.items}


def test_each_channels_folder_is_opened_by_review(shoot: Path) -> None:
    _, one = handed(shoot)
    assert one == HandedOver("small") and exports(shoot) == ["Lamp 7-1.jpg", "Lamp 7-2.jpg", "Lamp 7-4.jpg"]
    items = reviewed(shoot)
    assert sorted(items) == exports(shoot) and items["Lamp 7-1.jpg"]["marks"] == ["fine"]
    assert items["Lamp 7-1.jpg"]["products"] == ["Lamp 7"] and not any(item["check"] for item in items.values())
    before = (folder_of(shoot) / EXPORTED_NAME).read_bytes()
    handed(shoot)
    assert (folder_of(shoot) / EXPORTED_NAME).read_bytes() == before
    # Of an earlier version there is no such file: it is written, and the pictures are as they were.
    times = {name: os.stat(folder_of(shoot) / name).st_mtime_ns for name in exports(shoot)}
    (folder_of(shoot) / EXPORTED_NAME).unlink()
    handed(shoot)
    assert (folder_of(shoot) / EXPORTED_NAME).read_bytes() == before
    assert times == {name: os.stat(folder_of(shoot) / name).st_mtime_ns for name in exports(shoot)}


def test_an_open_page_hears_of_what_is_withdrawn_and_comes_back(shoot: Path) -> None:
    handed(shoot)
    page = ReviewedExports(folder_of(shoot))
    since = read_page(b"".join(page.page()).decode()).head["changes"].partition("since=")[2]
    (one,) = [item for item in read_page(b"".join(page.page()).decode()).items if item["name"] == "Lamp 7-2"]
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", 1, Hand("rejected"))])
    handed(shoot)
    news = page.changes(since)
    assert news["gone"] == [one["id"]] and news["items"] == [] and "2 pictures" in news["page"]["lead"]
    assert page.picture("Lamp 7-2.jpg") is None and sorted(reviewed(shoot)) == ["Lamp 7-1.jpg", "Lamp 7-4.jpg"]
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", 1, None)])
    handed(shoot)
    again = page.changes(news["changes"].partition("since=")[2])
    assert [item["id"] for item in again["items"]] == [one["id"]] and again["gone"] == []
    assert page.picture("Lamp 7-2.jpg") is not None


def test_names_tables_a_zip_and_sheets(shoot: Path) -> None:
    pytest.importorskip("fpdf")
    add(shoot, "bag", (100, 101))
    settings = ShopSettings("{sku}_{n}", ("plain", "woocommerce"), "", True, True)
    products, one = handed(shoot, settings, TABLE)
    assert exports(shoot) == [
        "BAG_1.jpg", "L-7_1.jpg", "L-7_2.jpg", "L-7_3.jpg", "bag-101.jpg", "small-contact-sheet.pdf",
        "small-woocommerce.csv", "small.csv", "small.zip",
    ]  # fmt: skip
    assert products["Lamp 7"].channels[0].made == ("L-7_1.jpg", "L-7_2.jpg", "L-7_3.jpg")
    assert len(one.said) == 4 and "1 picture without a row in the table, left out: bag-101" in one.problems[0]
    with zipfile.ZipFile(folder_of(shoot) / "small.zip") as archive:
        assert sorted(archive.namelist()) == ["BAG_1.jpg", "L-7_1.jpg", "L-7_2.jpg", "L-7_3.jpg"]
    rows = list(csv.DictReader(io.StringIO((folder_of(shoot) / "small.csv").read_text("utf-8-sig"))))
    assert [(row["file"], row["sku"], row["product"], row["made_from"]) for row in rows][::3] == [
        ("L-7_1.jpg", "L-7", "Lamp 7", "Lamp 7/1.png"),
        ("BAG_1.jpg", "BAG", "bag", "bag/100.png"),
    ]
    assert {row["digital_source_type"] for row in rows} == {"trainedAlgorithmicMedia"}
    assert reviewed(shoot)["BAG_1.jpg"]["details"][0] == ["File", "BAG_1.jpg"]
    # Again: nothing is made or called otherwise, and what went with it is made anew.
    squares = Squares()
    products, again = handed(shoot, settings, TABLE, squares=squares)
    assert not squares.calls and not again.names and again.problems == one.problems
    assert products["Lamp 7"].channels[0].kept == ("L-7_1.jpg", "L-7_2.jpg", "L-7_3.jpg")
    # The best one is rejected: names move up, and the zip has none of it.
    best = products["Lamp 7"].ranking[0].measured.file
    ShootFolder(shoot).decide([ChosenShot("Lamp 7", int(Path(best).stem) - 1, Hand("rejected"))])
    sizes = {name: (folder_of(shoot) / name).read_bytes() for name in ("L-7_2.jpg", "L-7_3.jpg")}
    products, moved = handed(shoot, settings, TABLE)
    assert moved.names["L-7_2.jpg"] == "L-7_1.jpg" and (folder_of(shoot) / "withdrawn/L-7_1.jpg").is_file()
    assert (folder_of(shoot) / "L-7_1.jpg").read_bytes() in sizes.values()
    assert not any("earlier pictures" in problem for problem in moved.problems)
    # Without a pattern they get their own names back, and what is not asked for again is said to be old.
    _, plain = handed(shoot)
    assert [name for name in exports(shoot) if name.endswith(".jpg") and "withdrawn" not in name] == sorted(
        f"{Path(item.measured.file).parent}-{Path(item.measured.file).stem}.jpg"
        for product in products.values()
        for item in product.ranking[: product.wanted]
    )
    assert sum("is of earlier pictures; ask for it again" in problem for problem in plain.problems) == 4


def test_an_outline_that_is_drawn_anew_keeps_the_pictures_name(shoot: Path) -> None:
    from tests.corrected import drawn_by_hand

    settings = ShopSettings("{product}_{n}")
    handed(shoot, settings)
    before = {name: (folder_of(shoot) / name).read_bytes() for name in exports(shoot)}
    drawn_by_hand(shoot / "finished" / "Lamp 7", "1", lambda mask: mask[: mask.shape[0] // 2].fill(0))
    handed(shoot, settings)
    after = {name: (folder_of(shoot) / name).read_bytes() for name in exports(shoot)}
    assert sorted(before) == sorted(after) == ["Lamp-7_1.jpg", "Lamp-7_2.jpg", "Lamp-7_3.jpg"]
    assert len(set(before.values()) - set(after.values())) == 1


def test_what_is_rejected_in_the_channels_own_review_is_not_handed_over(shoot: Path) -> None:
    settings = ShopSettings(shops=("plain",), archive=True)
    handed(shoot, settings)
    page = ReviewedExports(folder_of(shoot))
    page.decide(page.chosen([{"file": "Lamp 7-1.jpg", "decision": "rejected", "reason": "colour", "note": "too red"}]))
    _, one = handed(shoot, settings)
    assert "1 export (Lamp 7-1.jpg first) rejected by hand: left out" in one.problems[0]
    with zipfile.ZipFile(folder_of(shoot) / "small.zip") as archive:
        assert archive.namelist() == ["Lamp 7-2.jpg", "Lamp 7-4.jpg"]
    (row,) = [
        row
        for row in csv.DictReader(io.StringIO((folder_of(shoot) / "small.csv").read_text("utf-8-sig")))
        if row["file"] == "Lamp 7-1.jpg"
    ]
    assert row["ready"] == "no" and "rejected by hand: Colour: too red" in row["checks"]
    assert (folder_of(shoot) / "Lamp 7-1.jpg").is_file()


def test_what_somebody_changed_is_neither_handed_over_nor_called_otherwise(shoot: Path) -> None:
    handed(shoot, ShopSettings(archive=True))
    (folder_of(shoot) / "Lamp 7-2.jpg").write_bytes(b"retouched")
    (folder_of(shoot) / "small.zip").write_bytes(b"mine")
    _, one = handed(shoot, ShopSettings("{product}_{n}", archive=True))
    assert "Lamp 7-2.jpg" in exports(shoot) and "Lamp-7_1.jpg" in exports(shoot)
    assert any("was changed since it was exported, and keeps its name" in problem for problem in one.problems)
    assert any("and is not handed over" in problem for problem in one.problems)
    assert any("small.zip exists already, differs" in problem for problem in one.problems)
    assert (folder_of(shoot) / "small.zip").read_bytes() == b"mine"
    # A name that somebody else's file has.
    (folder_of(shoot) / "new_1.jpg").write_bytes(b"mine, too")
    _, one = handed(shoot, ShopSettings("new_{n}"))
    assert any("new_1.jpg is there and was not written by `finish`" in problem for problem in one.problems)
    assert (folder_of(shoot) / "new_1.jpg").read_bytes() == b"mine, too"


@pytest.mark.parametrize("calls", [1, 3, 4, 6])
def test_killed_while_names_change(shoot: Path, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Between a file's two names, and before the line that says so."""
    handed(shoot, ShopSettings("{product}_{n}"))
    whole = {name: (folder_of(shoot) / name).read_bytes() for name in exports(shoot)}
    real, left = os.replace, [calls]

    class Killed(BaseException):
        pass

    def killing(*names: Any) -> None:
        if (folder_of(shoot)) in (Path(names[0]).parent,):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
        real(*names)

    with monkeypatch.context() as patched:
        patched.setattr(naming.os, "replace", killing)
        with pytest.raises(Killed):
            handed(shoot, ShopSettings("{n:02}-{product}"))
    _, one = handed(shoot, ShopSettings("{product}_{n}"))
    assert {name: (folder_of(shoot) / name).read_bytes() for name in exports(shoot)} == whole and not one.problems
    assert sorted(reviewed(shoot)) == sorted(whole) and not [*folder_of(shoot).glob(".*")]


def test_what_cannot_be_is_said_before_anything_is_done(shoot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for settings, text in (
        (ShopSettings("{sku}"), "give the table that has them with --table"),
        (ShopSettings(shops=("woocommerce",)), "knows an article by its SKU"),
        (ShopSettings("{seed}"), "unknown field"),
    ):
        with pytest.raises(ExportError, match=text):
            handed(shoot, settings)
        assert not (shoot / "finished" / "exports").exists()
    # What shows in the end alone is told, and the pictures are there.
    _, one = handed(shoot, ShopSettings("{product}"))
    assert "gives" in one.problems[0] and "one name" in one.problems[0] and len(exports(shoot)) == 3


def test_on_the_command_line(shoot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squares = Squares()

    class Registry:
        def get(self, choice: Any) -> Any:
            return self

        def filter(self) -> Squares:
            return squares

    monkeypatch.setattr("lib_photoshoot.registry.ModelRegistry", Registry)
    monkeypatch.setattr(build, "build_filter", lambda *_, **__: squares)
    table = tmp_path / "skus.csv"
    table.write_text(TABLE)
    options = ["--names", "{sku}_{n:02}", "--table", str(table), "--zip", "--shop", "plain"]
    result = CliRunner().invoke(app, ["finish", str(shoot), *options])
    assert "L-7_01.jpg" in result.stdout and "small.zip: 3 pictures" in result.stdout, result.output
    assert "The table has 1 row of no picture here: bag/100.png" in result.stderr and result.exit_code == 1
    names = [line.strip() for line in result.stdout.splitlines() if line.strip().endswith(".jpg")]
    assert all((folder_of(shoot) / name).is_file() for name in names) and len(names) == 3
    result = CliRunner().invoke(app, ["finish", str(shoot), "--names", "{sku}"])
    assert result.exit_code == 2 and "--table" in result.stderr
    review = CliRunner().invoke(app, ["review", str(folder_of(shoot)), "--apply", str(tmp_path / "none.json")])
    assert "none.json" in review.stderr and "holds no shoot" not in review.stderr
    assert json.loads((folder_of(shoot) / EXPORTED_NAME).read_text().splitlines()[0])["program"].endswith("exports")
