"""What a person decides about pictures: it is kept, it counts, it moves files, and survives being cut off."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.errors import ShootError
from lib_photoshoot.journal import json_line, reopened
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder, chosen_from
from lib_photoshoot.shoot.review.report import write_report
from lib_photoshoot.shoot.run.ledger import ShootLedger, read_state
from lib_photoshoot.shoot.run.runner import ShootRun
from lib_photoshoot.shoot.run.waiting import WAITING_NAME
from lib_photoshoot.shoot.shot_list.product import ListedProduct
from tests.shoot.conftest import events
from tests.shoot.fake_webui import FakeWebUi
from tests.shoot.test_report import make_shoot

Shoot = Callable[..., Any]
Products = tuple[ListedProduct, ...]


@pytest.fixture
def folder(shoot: Shoot, tmp_path: Path) -> ShootFolder:
    with FakeWebUi() as fake:
        shoot(fake)
    return ShootFolder(tmp_path / "out")


def shot(folder: ShootFolder, product: str, number: int) -> dict[str, Any]:
    (found,) = [each for each in folder.view()["shots"] if (each["product"], each["number"]) == (product, number)]
    return found


def test_a_decision_stands_above_the_filters_and_can_be_withdrawn(folder: ShootFolder) -> None:
    before = {path: path.read_bytes() for path in folder.path.rglob("*.png")}
    revision = folder.view()["revision"]
    folder.decide(
        [
            ChosenShot("red bag", 0, Hand("rejected")),
            ChosenShot("red bag", 2, Hand("accepted")),
            ChosenShot("shoe", 0, Hand("accepted")),
        ]
    )
    view = folder.view(revision)
    assert [(each["number"], each["decision"], each["filter"], each["by_hand"]) for each in view["shots"]] == [
        (0, "rejected", "accepted", "rejected"), (2, "accepted", "rejected", "accepted"),
        (0, "accepted", "accepted", "accepted"),
    ]  # fmt: skip
    assert [each["file"] for each in view["shots"]] == ["red bag/rejected/1.png", "red bag/3.png", "shoe/100.png"]
    for each in view["shots"]:
        assert (folder.path / each["file"]).is_file() and (folder.path / each["thumbnail"]).is_file()
    assert view["products"][0] == {"name": "red bag", "wanted": 4, "accepted": 4, "rejected": 1}
    folder.decide([ChosenShot("red bag", 0, None), ChosenShot("red bag", 2, None)])
    assert {path: path.read_bytes() for path in folder.path.rglob("*.png")} == before
    assert shot(folder, "red bag", 0)["by_hand"] is None and shot(folder, "red bag", 0)["decision"] == "accepted"
    # What is so already leaves no line.
    lines = len(events(folder.path))
    folder.decide([ChosenShot("red bag", 0, None), ChosenShot("shoe", 0, Hand("accepted"))])
    assert len(events(folder.path)) == lines


def test_a_rejected_picture_is_replaced_by_the_next_run(folder: ShootFolder, shoot: Shoot) -> None:
    folder.decide([ChosenShot("shoe", 0, Hand("rejected"))])
    with FakeWebUi() as fake:
        summary = shoot(fake, resume=True)
        assert fake.counts == {(fake.requests[0][0], 104): 1}
    assert (summary.accepted, summary.tries) == (12, 18)
    assert shot(folder, "shoe", 0)["file"] == "shoe/rejected/100.png"


def test_a_move_that_was_cut_off_is_made_up_for(folder: ShootFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(os, "rename", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        with pytest.raises(ShootError, match=r"could not be kept.*Permission denied"):
            folder.decide([ChosenShot("shoe", 0, Hand("rejected"))])
    assert (folder.path / "shoe/100.png").is_file() and shot(folder, "shoe", 0)["decision"] == "rejected"
    with ShootLedger(folder.path, None, resume=True):
        pass
    assert (folder.path / "shoe/rejected/100.png").is_file() and not (folder.path / "shoe/100.png").exists()


def test_a_deleted_picture_can_be_decided_about(folder: ShootFolder) -> None:
    (folder.path / "shoe/100.png").unlink()
    folder.decide([ChosenShot("shoe", 0, Hand("rejected"))])
    assert shot(folder, "shoe", 0)["decision"] == "rejected" and not (folder.path / "shoe/rejected/100.png").exists()


def test_what_is_decided_under_a_running_shoot_waits_for_it(folder: ShootFolder, products: Products) -> None:
    with ShootLedger(folder.path, products, resume=True):
        assert not folder.decide([ChosenShot("shoe", 0, Hand("rejected"))])[0].accepted
        assert (folder.path / shot(folder, "shoe", 0)["file"]).is_file()
    assert shot(folder, "shoe", 0)["by_hand"] == "rejected"


def test_a_running_shoot_makes_up_for_what_is_rejected_meanwhile(
    products: Products, tmp_path: Path, shoot: Shoot
) -> None:
    from lib_photoshoot.shoot.run.http_webui import HttpWebUi

    out = tmp_path / "out"

    def reject_the_first(number: int, body: Any) -> None:
        if number == 3:
            (product, *_) = [entry.product for entry in read_state(out).tries if entry.number == 0 and entry.accepted]
            ShootFolder(out).decide([ChosenShot(product, 0, Hand("rejected", "other"))])

    with FakeWebUi() as fake, ShootRun(products, [HttpWebUi(fake.url)], out) as run:
        fake.misbehave = reject_the_first
        summary = run.run()
    assert summary.accepted == 12
    state = read_state(out)
    (rejected,) = [entry for entry in state.tries if entry.by_hand]
    assert not state.waiting and (out / rejected.file).is_file() and "/rejected/" in rejected.file


def test_an_unknown_picture_is_refused_and_the_earlier_ones_stay(folder: ShootFolder) -> None:
    with pytest.raises(ShootError, match="no picture 77 of 'shoe'"):
        folder.decide([ChosenShot("shoe", 0, Hand("rejected")), ChosenShot("shoe", 77, Hand("rejected"))])
    assert shot(folder, "shoe", 0)["by_hand"] == "rejected"


def test_spoiled_and_unknown_decisions_in_a_ledger_are_passed_over(folder: ShootFolder) -> None:
    path = folder.path / "ledger.jsonl"
    hand = {"product": "shoe", "number": 0, "decision": "rejected"}
    for spoiled in (
        hand | {"decision": "maybe"},
        hand | {"number": 99},
        {"product": "shoe"},
        "x",
        hand | {"number": "x"},
        hand | {"number": float("inf")},
        hand | {"number": float("nan")},
    ):
        with path.open("a") as file:
            file.write(json.dumps({"hand": spoiled}) + "\n")
    assert all(entry.by_hand is None for entry in read_state(folder.path).tries)
    assert len(read_state(folder.path).tries) == 17


@pytest.mark.parametrize(
    "change",
    [
        {"number": float("inf")}, {"number": float("nan")}, {"seed": 1.5}, {"seconds": None}, {"seconds": "x"},
        {"seconds": float("nan")}, {"seconds": 10**400}, {"scores": [["bag", float("nan")]]},
        {"scores": [["bag", 10**400]]}, {"scores": "ab"}, {"decision": "evil"}, {"decision": ["accepted"]},
        {"by_hand": "evil"}, {"why": {}}, {"scene": [1]}, {"webui": None}, {"product": ["shoe"]}, {"exports": 5},
    ],
)  # fmt: skip
def test_a_strangers_try_is_passed_over(folder: ShootFolder, change: dict[str, Any]) -> None:
    path = folder.path / "ledger.jsonl"
    lines = path.read_bytes()
    tried = next(json.loads(line)["try"] for line in lines.splitlines() if line.startswith(b'{"try"'))
    for value, count in (({}, 18), (change, 17)):
        path.write_bytes(lines + json_line({"try": {**tried, "number": 99, **value}}))
        view = ShootFolder(folder.path).view()
        assert len(read_state(folder.path).tries) == count and len(view["shots"]) == count
        write_report(folder.path, view)
        json.dumps(view, allow_nan=False)
    path.write_bytes(lines + b'{"claim":{"product":"shoe","recipe":"x","number":1e999}}\n')
    assert len(read_state(folder.path).tries) == 17


def test_a_list_whose_count_is_no_number_is_told_with_its_file(folder: ShootFolder) -> None:
    (folder.path / "list.yaml").write_text("- {name: red bag, count: .inf}\n")
    with pytest.raises(ShootError, match=r"list\.yaml: the count is inf; give a whole number"):
        ShootFolder(folder.path).names()


def test_decisions_in_json(tmp_path: Path) -> None:
    good = [{"product": "a", "number": 1, "decision": None}]
    assert chosen_from(good) == [ChosenShot("a", 1, None)]
    for bad in ({}, [1], [{"product": "a"}], [good[0] | {"decision": "x"}], [good[0] | {"number": True}]):
        with pytest.raises(ShootError):
            chosen_from(bad)
    with pytest.raises(ShootError, match=r"holds no shoot"):
        ShootFolder(tmp_path)


def test_stopping_ends_after_the_pictures_at_hand(products: Products, tmp_path: Path, shoot: Shoot) -> None:
    from lib_photoshoot.shoot.run.http_webui import HttpWebUi

    with FakeWebUi(seconds=0.02) as first, FakeWebUi(seconds=0.02) as second:
        webuis = [HttpWebUi(fake.url) for fake in (first, second)]
        with ShootRun(products, webuis, tmp_path / "out") as run:
            first.misbehave = lambda number, body: run.stop() if number == 3 else None
            summary = run.run()
        assert summary.stopped and 4 <= summary.tries < 12 and not summary.lost
        assert any("so far; stopped." in sentence for sentence in summary.short)
        # No claim is left without its try: nothing was cut off.
        assert sum("claim" in event for event in events(tmp_path / "out")) == summary.tries
        assert shoot(first, second, resume=True).accepted == 12


def test_the_list_stands_beside_the_ledger(folder: ShootFolder, products: Products) -> None:
    assert [product.recipe for product in folder.products()] == [product.recipe for product in products]
    assert [(each.name, each.folder, each.count) for each in folder.names()] == [
        ("red bag", "red bag", 4), ("shoe", "shoe", 3), ("watch", "watch", 5),
    ]  # fmt: skip


def test_half_written_files_of_finish_are_left_to_it(folder: ShootFolder) -> None:
    ours, others = (folder.path / name / f".{'0' * 32}.part" for name in ("shoe", "finished"))
    for path in (ours, others):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    folder.decide([ChosenShot("shoe", 0, Hand("rejected"))])
    assert others.is_file() and not ours.exists()


def test_decisions_that_cannot_wait_are_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """While a shoot has its ledger, and another program the file beside it, for longer than anybody waits."""
    out = make_shoot(tmp_path / "out")
    reviewed = ReviewedShoot(ShootFolder(out))
    chosen = reviewed.chosen([{"product": "red bag", "number": 0, "decision": "rejected"}])
    with ShootLedger(out, None, resume=True):
        reviewed.decide(chosen)
        before = (out / WAITING_NAME).read_bytes()
        again = reviewed.chosen([{"product": "shoe", "number": 0, "decision": "rejected"}])
        with reopened(out / WAITING_NAME):
            begun = time.monotonic()
            with pytest.raises(
                ShootError, match=r"Another program holds .*decisions\.jsonl; end it and decide again\."
            ):
                reviewed.decide(again)
            assert 2.5 < time.monotonic() - begun < 20 and reviewed.decided == 1
        assert (out / WAITING_NAME).read_bytes() == before
        reviewed.decide(again)
    assert {entry.product for entry in read_state(out).tries if entry.by_hand == "rejected"} == {"red bag", "shoe"}
