"""The page of a run as data, and a person's decisions in its ledger."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from pathlib import Path

import pytest

from lib_photoshoot.catalog import page as run_page
from lib_photoshoot.catalog.decisions import DECISIONS_NAME, ChosenPicture, chosen_from, read_hands
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.journal import Journal, json_line
from lib_photoshoot.pages.hands import Hand
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


def decide(out: Path, *decisions: tuple[Path, Hand | None]) -> None:
    ReviewedRun(out).decide([ChosenPicture(os.path.abspath(file), hand) for file, hand in decisions])


NAMED = {"file": "x", "decision": "rejected"}
NO, YES = Hand("rejected", "outline", 'the strap <b>ends</b> "here"'), Hand("accepted")


def test_decisions_stand_in_the_runs_folder_and_outlive_a_resumed_run(photos: Path, out: Path) -> None:
    one, none = photos / "one.png", photos / "none.png"
    decide(out, (one, NO), (none, YES))
    decide(out, (none, None))
    assert read_hands(out) == {os.path.abspath(one): NO}
    go(photos, out)
    items = page_of(out).items
    assert [(item["decision"], item["by_hand"]) for item in items[:2]] == [("rejected", None), ("rejected", "rejected")]
    assert (items[1]["reason"], items[1]["note"]) == (NO.reason, NO.note)
    paint(one, (5, 5, 31, 31))  # another picture: nobody has decided about it
    go(photos, out)
    assert read_hands(out) == {} and page_of(out).items[1]["by_hand"] is None


def test_decisions_are_in_the_reports_for_programs(photos: Path, out: Path) -> None:
    decide(out, (photos / "one.png", Hand("rejected", "colour", "=too red")))
    go(photos, out)
    written = (out / "report.json").read_bytes(), (out / "report.csv").read_bytes()
    images = json.loads(written[0])["images"]
    assert images[1]["by_hand"] == {"decision": "rejected", "reason": "colour", "note": "=too red"}
    assert "by_hand" not in images[0] and images[1]["decision"] == "match"
    rows = list(csv.DictReader(io.StringIO(written[1].decode())))
    assert [row["by_hand"] for row in rows] == ["", "rejected", ""]
    assert (rows[1]["by_hand_reason"], rows[1]["by_hand_note"]) == ("colour", "'=too red")
    ReviewedRun(out).write_report()  # the review writes what the run itself would
    assert ((out / "report.json").read_bytes(), (out / "report.csv").read_bytes()) == written
    decide(out, (photos / "one.png", YES))
    ReviewedRun(out).write_report()
    assert json.loads((out / "report.json").read_bytes())["images"][1]["by_hand"] == {"decision": "accepted"}


def test_older_decisions_in_the_ledger_itself_still_count(photos: Path, out: Path) -> None:
    one, none = (os.path.abspath(photos / name) for name in ("one.png", "none.png"))
    with journal_of(out) as ledger:
        for file, decision in ((one, "rejected"), (none, "accepted"), (none, None)):
            ledger.append(json_line({"hand": {"file": file, "decision": decision}}))
    assert read_hands(out) == {one: Hand("rejected")}
    decide(out, (photos / "one.png", None), (photos / "none.png", YES))
    assert read_hands(out) == {none: YES}
    assert [item["by_hand"] for item in read_page(b"".join(ReviewedRun(out).page()).decode()).items[:2]] == [
        "accepted", None,
    ]  # fmt: skip


def test_what_is_so_already_leaves_no_line(photos: Path, out: Path) -> None:
    for hand in (YES, YES, NO, NO, Hand("rejected"), None, None):
        decide(out, (photos / "one.png", hand))
    assert len((out / DECISIONS_NAME).read_bytes().splitlines()) == 1 + 4


def test_a_torn_line_is_written_over_and_spoiled_ones_are_passed_over(photos: Path, out: Path) -> None:
    decide(out, (photos / "none.png", YES))
    file = out / DECISIONS_NAME
    before = file.read_bytes()
    spoiled = [{"hand": 7}, {"hand": {"file": []}}, {"hand": {"file": "x", "decision": "maybe", "of": ""}}]
    file.write_bytes(before + b"".join(map(json_line, spoiled)) + b'{"hand":{"fi')
    decide(out, (photos / "one.png", NO))
    assert file.read_bytes().count(b"\n") == before.count(b"\n") + 4
    assert read_hands(out) == {os.path.abspath(photos / "none.png"): YES, os.path.abspath(photos / "one.png"): NO}


def test_a_strangers_file_of_decisions_is_neither_read_nor_written(photos: Path, out: Path) -> None:
    (out / DECISIONS_NAME).write_bytes(b"their own\n")
    with pytest.raises(CatalogError, match="holds no decisions of this program"):
        ReviewedRun(out)
    (out / DECISIONS_NAME).unlink()
    reviewed = ReviewedRun(out)
    (out.parent / "outside").write_bytes(b"")
    (out / DECISIONS_NAME).symlink_to(out.parent / "outside")
    with pytest.raises(CatalogError, match="leads out of that folder"):
        reviewed.decide([ChosenPicture(os.path.abspath(photos / "one.png"), NO)])
    assert (out.parent / "outside").read_bytes() == b"" and not reviewed.decided


def test_a_full_disk_is_said_and_nothing_is_half_kept(photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(out, (photos / "none.png", YES))
    before = (out / DECISIONS_NAME).read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lib_photoshoot.journal.os.fsync", full)
    with pytest.raises(CatalogError, match="is full; make room and decide again"):
        decide(out, (photos / "one.png", NO))
    monkeypatch.undo()
    assert (out / DECISIONS_NAME).read_bytes() == before
    decide(out, (photos / "one.png", NO))
    assert len(read_hands(out)) == 2


def test_no_ledger_is_begun(photos: Path, out: Path) -> None:
    reviewed = ReviewedRun(out)
    (out / LEDGER_NAME).unlink()
    with pytest.raises(CatalogError, match="cannot be read"):
        reviewed.decide([ChosenPicture(os.path.abspath(photos / "one.png"), YES)])
    assert not (out / LEDGER_NAME).exists() and not (out / DECISIONS_NAME).exists()


@pytest.mark.parametrize(
    "values",
    [{}, [1], [{"file": "x"}], [{"file": 1, "decision": None}], [{"file": "x", "decision": "perhaps"}],
     [{"file": "x", "decision": None, "more": 1}], [{"file": "x", "decision": []}],
     [NAMED | {"decision": "accepted", "reason": "colour"}], [NAMED | {"reason": "mood"}], [NAMED | {"reason": 7}],
     [NAMED | {"decision": None, "note": "later"}], [NAMED | {"note": "x" * 501}], [NAMED | {"note": ["x"]}]],
)  # fmt: skip
def test_what_are_no_decisions_is_said(values: object) -> None:
    with pytest.raises(CatalogError, match=r"\.$"):
        chosen_from(json.loads(json.dumps(values)))
