"""The page of a run as data, and a person's decisions in its ledger."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib_photoshoot.catalog import page as run_page
from lib_photoshoot.catalog.decisions import ChosenPicture, append_hands, chosen_from, read_hands
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.journal import Journal
from tests.bright_squares import BrightSquares
from tests.pages import Page, read_page
from tests.test_catalog import PRODUCTS, paint


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    paint(folder / "one.png", (5, 5, 30, 30))
    paint(folder / "none.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8no")
    return folder


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    go(photos, tmp_path / "out")
    return tmp_path / "out"


def go(photos: Path, out: Path) -> None:
    run_catalog(BrightSquares(), collect_inputs([photos]), PRODUCTS, out, resume=True)


def journal_of(out: Path) -> Journal:
    """A run's ledger, as another program has it open."""
    with open(out / LEDGER_NAME, "rb") as file:
        return Journal(out / LEDGER_NAME, file.readline())


def page_of(out: Path) -> Page:
    return read_page((out / "report.html").read_text(encoding="utf-8"))


def test_what_the_page_knows_of_each_picture(out: Path) -> None:
    page = page_of(out)
    skipped, found, broken = page.items
    assert (found["name"], found["filter"], found["decision"], found["by_hand"]) == (
        "one",
        "accepted",
        "accepted",
        None,
    )
    assert (skipped["name"], skipped["filter"]) == ("none", "rejected") and "Nothing in the picture" in skipped["why"]
    assert (broken["decision"], broken["reference"]) == ("unreadable", None) and "not a picture" in broken["why"]
    views = {found["view"]: found["file"]} | {view["view"]: view["file"] for view in found["views"]}
    assert list(views)[:3] == ["found", "after", "before"] and views.pop("before") == ""
    assert "cutout 1" in views and "mask 1" in views and all((out / file).is_file() for file in views.values())
    assert [len(one) for one in page.thumbnails] == [1, 3, 1] and not page.thumbnails[2][0]
    assert found["thumbnail"] == "thumbnails/overlay/one.jpg"
    assert page.thumbnails[1][0] == (out / found["thumbnail"]).read_bytes()
    assert [show["name"] for show in page.head["shows"]] == ["all", "match", "skip", "unreadable", "hand"]


def test_the_page_keeps_its_key_whoever_writes_it_and_however_the_run_goes_on(photos: Path, out: Path) -> None:
    key = page_of(out).head["key"]
    ReviewedRun(out).write_report()
    assert page_of(out).head["key"] == key
    paint(photos / "a first one.png", (5, 5, 30, 30))
    go(photos, out)
    assert len(page_of(out).items) == 4 and page_of(out).head["key"] == key
    go(photos, out.with_name("another"))
    assert page_of(out.with_name("another")).head["key"] != key


def test_too_many_thumbnails_stay_files(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_page, "MOST_EMBEDDED", 1000)
    go(photos, tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert page.head["per_block"] == 0 and not page.thumbnails
    assert (tmp_path / "out" / page.items[0]["thumbnail"]).is_file()


def test_decisions_stand_in_the_ledger_and_outlive_a_resumed_run(photos: Path, out: Path) -> None:
    one, none = (os.path.abspath(photos / name) for name in ("one.png", "none.png"))
    append_hands(out / LEDGER_NAME, [ChosenPicture(one, "rejected"), ChosenPicture(none, "accepted")])
    append_hands(out / LEDGER_NAME, [ChosenPicture(none, None)])
    assert read_hands(out / LEDGER_NAME) == {one: "rejected"}
    go(photos, out)
    assert [(item["decision"], item["by_hand"]) for item in page_of(out).items[:2]] == [
        ("rejected", None),
        ("rejected", "rejected"),
    ]
    paint(photos / "one.png", (5, 5, 31, 31))  # another picture: nobody has decided about it
    go(photos, out)
    assert read_hands(out / LEDGER_NAME) == {} and page_of(out).items[1]["by_hand"] is None


def test_a_torn_line_is_written_over_and_spoiled_ones_are_passed_over(out: Path) -> None:
    ledger = out / LEDGER_NAME
    ledger.write_bytes(ledger.read_bytes() + b'{"hand":7}\n{"hand":{"file":[]}}\n{"hand":{"fi')
    append_hands(ledger, [ChosenPicture("x", "accepted")])
    assert ledger.read_bytes().endswith(b'{"file":[]}}\n{"hand":{"file":"x","decision":"accepted"}}\n')
    assert read_hands(ledger) == {"x": "accepted"}


def test_no_ledger_is_begun_and_no_running_one_written_to(out: Path) -> None:
    from lib_photoshoot.journal import Journal

    running = Journal(out / LEDGER_NAME, (out / LEDGER_NAME).read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(CatalogError, match="A run is writing"):
        append_hands(out / LEDGER_NAME, [ChosenPicture("x", "accepted")])
    running.close()
    (out / LEDGER_NAME).unlink()
    with pytest.raises(CatalogError, match="holds no run any more"):
        append_hands(out / LEDGER_NAME, [ChosenPicture("x", "accepted")])
    assert not (out / LEDGER_NAME).exists()


@pytest.mark.parametrize(
    "values",
    [{}, [1], [{"file": "x"}], [{"file": 1, "decision": None}], [{"file": "x", "decision": "perhaps"}],
     [{"file": "x", "decision": None, "more": 1}], [{"file": "x", "decision": []}]],
)  # fmt: skip
def test_what_are_no_decisions_is_said(values: object) -> None:
    with pytest.raises(CatalogError, match=r"\.$"):
        chosen_from(json.loads(json.dumps(values)))
