"""Outlines of a shoot's own pictures: found when one is opened, corrected, kept, and used by ``finish``."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.build import model_choice
from lib_photoshoot.catalog.ledger import LEDGER_NAME, Ledger, Record, current_records
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import header_of
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.files import write_atomic
from lib_photoshoot.journal import Journal
from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.products import parse_products
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.shoot.finish import runs
from lib_photoshoot.shoot.finish.moved import follow
from lib_photoshoot.shoot.finish.runs import CANDIDATES, told_of
from lib_photoshoot.shoot.review.decisions import ReviewedShoot
from lib_photoshoot.shoot.review.folder import ChosenShot, ShootFolder
from lib_photoshoot.shoot.review.outlines import ShotOutlines
from lib_photoshoot.shoot.shot_list.reading import write_shot_list
from tests.correction.test_fixing import FloodSegmenter
from tests.shoot.test_finish import Squares, add, exports, profile, run
from tests.shoot.test_report import read_page
from tests.shoot.test_review import Served
from tests.test_catalog import files_of, paint

SQUARE = (10, 10, 30, 30)
SIZE = (80, 60)


class FixedShoot(Served):
    """A shoot under review whose outlines are found by a small filter and corrected by a small segmenter."""

    def __init__(self, out: Path) -> None:
        self.shoot = ReviewedShoot(ShootFolder(out))
        self.squares = Squares()
        outlines = ShotOutlines(self.shoot.folder, lambda settings: model_choice(settings, "cpu"), self.squares.load)
        self.shoot.correct(outlines, lambda: ClickOutliner(FloodSegmenter()))
        super().__init__(out, self.shoot)

    def ask(self, name: str, values: Any) -> tuple[int, Any]:
        return self.post(values, path=f"/{self.token}/fix/{name}")

    def shots(self) -> list[dict[str, Any]]:
        return read_page(self.get("report.html")[2].decode()).shots

    def draw(self, id_: int, box: Sequence[int], region: int | None = 0, product: str = "") -> tuple[int, Any]:
        """Correct an outline to a box."""
        change = {"region": region, "product": product, "mask": png(box)}
        return self.ask("save", {"id": id_, "regions": [change]})


def png(box: Sequence[int]) -> str:
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 255
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def scene(path: Path, seed: int) -> None:
    paint(path, SQUARE)


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    """Two accepted pictures of a lamp and a candidate that was not."""
    out = tmp_path / "out"
    out.mkdir()
    write_shot_list(out, [{"name": "lamp", "count": 4, "exports": ["small.toml"]}])
    add(out, "lamp", (1,), scene)
    profile(out)
    add(out, "lamp", (2,), lambda path, _: paint(path, (40, 20, 60, 50)))
    add(out, "lamp", (3,), lambda path, _: paint(path, (30, 5, 60, 55)), accepted=False)
    thumbnails = out / "thumbnails" / "lamp"
    thumbnails.mkdir(parents=True)
    for seed in (1, 2, 3):
        Image.new("RGB", (8, 6)).save(thumbnails / f"{seed}.jpg")
    return out


@pytest.fixture
def served(shoot: Path) -> Iterator[FixedShoot]:
    one = FixedShoot(shoot)
    yield one
    one.close()


def record_of(folder: Path, stem: str) -> Record:
    (record,) = [one for one in current_records(folder / LEDGER_NAME) if one.stem == stem]
    return record


def area(folder: Path, record: Record) -> int:
    return int((np.asarray(Image.open(folder / record.entry["regions"][0]["mask"])) > 127).sum())


def about(pixels: int) -> Any:
    """The edge may lie where the picture has one, and corners are round."""
    return pytest.approx(pixels, abs=12)


def test_nobody_has_looked_before_the_editor_opens(served: FixedShoot) -> None:
    before = files_of(served.out)
    assert [(shot["fixable"], shot["unfound"], "size" in shot) for shot in served.shots()] == [(True, True, False)] * 3
    assert served.ask("ready", {"ids": [0, 1, 2]})[0] == 202 and served.squares.calls == 0
    assert served.get("fix/original/2")[1]["Content-Type"] == "image/jpeg"
    status, answer = served.ask("outline", {"id": 0, "region": 0, "steps": []})
    assert status == 409 and "open it again" in answer["error"]
    assert files_of(served.out) == before
    assert served.ask("find", {"id": 9})[0] == 409 and served.ask("find", {"id": "0"})[0] == 400


def test_a_picture_that_is_opened_is_looked_at_once(served: FixedShoot) -> None:
    status, answer = served.ask("find", {"id": 0})
    (item,) = answer["shots"]
    assert status == 200 and (item["id"], item["unfound"], item["size"]) == (0, False, [*SIZE])
    assert [(region["product"], region["box"]) for region in item["regions"]] == [("lamp", [*map(float, SQUARE)])]
    assert not {"mask", "cutout", "by_hand"} & set(item["regions"][0]) and item["marks"] == []
    assert served.ask("find", {"id": 0})[1] == answer and served.squares.calls == 1
    status, outline = served.ask("outline", {"id": 0, "region": 0, "steps": []})
    mask = np.asarray(Image.open(io.BytesIO(base64.b64decode(outline["answers"][0]["mask"])))) > 127
    assert status == 200 and mask.sum() == 400 and mask[10:30, 10:30].all()
    # As ``finish`` would have found it: it looks at the others alone.
    squares = Squares()
    lamp = run(served.out, squares)["lamp"]
    assert squares.calls == 1 and len(lamp.ranking) == 2 and not lamp.problems


def test_a_word_that_nothing_knows_is_told_and_begins_no_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_shot_list(out, [{"name": "set", "class": "zzgrmbl", "count": 1}])
    add(out, "set", (1,), scene)
    one = FixedShoot(out)
    try:
        status, answer = one.ask("find", {"id": 0})
    finally:
        one.close()
    assert status == 409 and "zzgrmbl" in answer["error"] and not one.squares.loads
    assert not (out / "finished" / "set").exists()


def test_finish_uses_what_was_drawn(served: FixedShoot) -> None:
    out, finished = served.out, served.out / "finished" / "lamp"
    served.ask("find", {"id": 0})
    status, answer = served.draw(0, (10, 10, 20, 30))
    (item,) = answer["shots"]
    assert status == 200 and item["regions"][0]["by_hand"] and item["marks"] == ["hand"]
    assert item["regions"][0]["box"][:2] == [10, 10] and item["by_hand"] is None and served.shoot.corrected == 1
    record = record_of(finished, "1")
    assert record.entry["regions"][0]["outline"]["source"] == "hand" and area(finished, record) == about(200)
    squares = Squares()
    lamp = run(out, squares)["lamp"]
    assert squares.calls == 1 and record_of(finished, "1") == record and exports(out) == ["lamp-1.jpg", "lamp-2.jpg"]
    # Nothing is enhanced: each pixel of the cut-out is the picture's own.
    with Image.open(out / "lamp/1.png") as taken, Image.open(finished / record.output_in("enhanced")) as after:
        assert np.array_equal(np.asarray(taken.convert("RGB")), np.asarray(after.convert("RGB")))
    assert lamp.cutouts["lamp/1.png"] == (f"finished/lamp/{record.output_in('cutouts')}",)
    # Drawn again, it is exported again.
    before = (out / "finished/exports/small/lamp-1.jpg").read_bytes()
    assert served.draw(0, (10, 10, 30, 20))[0] == 200
    (channel,) = run(out)["lamp"].channels
    assert channel.made == ("lamp-1.jpg",) and (out / "finished/exports/small/lamp-1.jpg").read_bytes() != before


def test_a_product_that_was_missed_is_drawn_and_one_that_is_none_is_removed(served: FixedShoot) -> None:
    add(served.out, "lamp", (4,), lambda path, _: paint(path))
    (item,) = served.ask("find", {"id": 3})[1]["shots"]
    assert item["regions"] == [] and served.draw(3, (5, 5, 25, 25), None, "lamp")[0] == 200
    served.ask("find", {"id": 1})
    assert served.ask("save", {"id": 1, "regions": [{"region": 0, "remove": True}]})[0] == 200
    lamp = run(served.out)["lamp"]
    assert [item.measured.file for item in lamp.ranking] == ["lamp/1.png", "lamp/4.png"] or exports(served.out) == [
        "lamp-1.jpg", "lamp-4.jpg"
    ]  # fmt: skip
    assert "lamp/2.png is accepted" in lamp.problems[0]


def test_a_candidates_outline_is_not_sold_before_it_is_accepted(served: FixedShoot) -> None:
    out = served.out
    served.ask("find", {"id": 2})
    (item,) = served.draw(2, (30, 5, 45, 55))[1]["shots"]
    assert item["file"] == "lamp/rejected/3.png" and item["regions"][0]["by_hand"]
    candidates, finished = out / "finished" / CANDIDATES / "lamp", out / "finished" / "lamp"
    drawn = record_of(candidates, "3")
    run(out)
    assert exports(out) == ["lamp-1.jpg", "lamp-2.jpg"] and not [*finished.glob("cutouts/3*")]
    assert served.post({"decisions": [{"product": "lamp", "number": 2, "decision": "accepted"}]})[0] == 200
    # It is still to be corrected, and the shoot's page has it as it was drawn.
    (shot,) = [shot for shot in served.shots() if shot["id"] == 2]
    assert shot["file"] == "lamp/3.png" and shot["regions"][0]["by_hand"]
    squares = Squares()
    run(out, squares)
    taken = record_of(finished, "3")
    assert squares.calls == 0 and "lamp-3.jpg" in exports(out)
    assert (taken.entry, taken.outputs) == (drawn.entry, drawn.outputs) and area(finished, taken) == about(750)
    assert not [*current_records(candidates / LEDGER_NAME)] and not [*candidates.glob("*/3*")]
    assert served.draw(2, (30, 5, 40, 55))[0] == 200 and area(finished, record_of(finished, "3")) == about(500)


@pytest.mark.parametrize("after", range(3))
def test_killed_while_a_candidate_is_taken_over(
    served: FixedShoot, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Before its files, before its record, before it is forgotten among the candidates."""
    out = served.out
    served.ask("find", {"id": 2})
    served.draw(2, (30, 5, 45, 55))
    ShootFolder(out).decide([ChosenShot("lamp", 2, Hand("accepted"))])

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> Any:
        raise Killed

    append = Journal.append

    with monkeypatch.context() as patched:
        if after == 0:
            patched.setattr(runs, "write_atomic", lambda path, data: (write_atomic(path, data), killed()))
        elif after == 1:
            patched.setattr(Ledger, "add", killed)
        else:
            patched.setattr(
                Journal, "append", lambda self, line: killed() if b"withdrawn" in line else append(self, line)
            )
        with pytest.raises(Killed):
            run(out)
    squares = Squares()
    lamp = run(out, squares)["lamp"]
    assert squares.calls == 2 and "lamp-3.jpg" in exports(out) and not lamp.problems
    assert area(out / "finished" / "lamp", record_of(out / "finished" / "lamp", "3")) == about(750)
    assert not [*current_records(out / "finished" / CANDIDATES / "lamp" / LEDGER_NAME)]


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_shoot_that_was_moved_keeps_what_was_drawn(served: FixedShoot, tmp_path: Path, how: Any) -> None:
    """Accepted pictures, candidates, and what was decided about a cut-out, whatever the times of the copied files."""
    run(served.out)
    served.ask("find", {"id": 2})
    served.draw(0, (10, 10, 20, 30))
    served.draw(2, (30, 5, 45, 55))
    cut_outs = ReviewedRun(served.out / "finished" / "lamp")
    cut_outs.decide(cut_outs.chosen([
        {"file": str(served.out / "lamp" / f"{seed}.png"), "decision": "rejected", "note": f"{seed} is not ours"}
        for seed in (1, 2)
    ]))  # fmt: skip
    cut_outs.end()
    how(served.out, tmp_path / "elsewhere")
    if how is shutil.copytree:
        for path in (tmp_path / "elsewhere" / "lamp").rglob("*.png"):
            os.utime(path, (1, 1))
    moved = FixedShoot(tmp_path / "elsewhere")
    try:
        shown = {shot["id"]: shot["regions"][0].get("by_hand") for shot in moved.shots()}
        assert shown == {0: True, 1: None, 2: True} and moved.squares.calls == 0
        assert moved.draw(2, (30, 5, 40, 55))[0] == 200
    finally:
        moved.close()
    out = tmp_path / "elsewhere"
    ShootFolder(out).decide([ChosenShot("lamp", 2, Hand("accepted"))])
    squares = Squares()
    lamp = run(out, squares)["lamp"]
    finished = out / "finished" / "lamp"
    assert squares.calls == 0 and not lamp.problems
    assert exports(out) == ["lamp-3.jpg", "withdrawn/lamp-1.jpg", "withdrawn/lamp-2.jpg"]
    for seed, pixels in ((1, 200), (3, 500)):
        assert area(finished, record_of(finished, str(seed))) == about(pixels)
    assert lamp.left_out.startswith("2 pictures (lamp/1.png first) rejected by hand")
    assert {record.file for record in current_records(finished / LEDGER_NAME)} == {
        str(out / "lamp" / f"{seed}.png") for seed in (1, 2, 3)
    }
    before = (finished / LEDGER_NAME).read_bytes()
    follow(out, finished)
    assert (finished / LEDGER_NAME).read_bytes() == before


def test_another_picture_of_that_name_is_not_followed(served: FixedShoot, tmp_path: Path) -> None:
    served.ask("find", {"id": 0})
    served.draw(0, (10, 10, 20, 30))
    out = tmp_path / "elsewhere"
    shutil.copytree(served.out, out)
    Image.effect_noise(SIZE, 80).save(out / "lamp" / "1.png")
    follow(out, out / "finished" / "lamp")
    (record,) = current_records(out / "finished" / "lamp" / LEDGER_NAME)
    assert record.file == str(served.out / "lamp" / "1.png")


def test_an_outline_whose_files_are_gone_is_told_and_found_anew(served: FixedShoot) -> None:
    served.ask("find", {"id": 2})
    served.draw(2, (30, 5, 45, 55))
    for path in (served.out / "finished" / CANDIDATES / "lamp" / "masks").iterdir():
        path.unlink()
    ShootFolder(served.out).decide([ChosenShot("lamp", 2, Hand("accepted"))])
    lamp = run(served.out)["lamp"]
    assert "lamp/3.png is lost" in lamp.problems[0] and "draw it again" in lamp.problems[0] and len(lamp.ranking) == 3


def test_another_page_hears_of_it(served: FixedShoot) -> None:
    changes = read_page(served.get("report.html")[2].decode()).shoot["changes"]
    assert json.loads(served.get(changes)[2])["items"] == []
    served.ask("find", {"id": 0})
    news = json.loads(served.get(changes)[2])
    assert [item["id"] for item in news["items"]] == [0] and news["changes"] != changes
    served.draw(0, (10, 10, 20, 30))
    later = json.loads(served.get(news["changes"])[2])
    assert [(item["id"], item["regions"][0]["by_hand"]) for item in later["items"]] == [(0, True)]
    assert json.loads(served.get(later["changes"])[2])["items"] == []


def test_while_finish_is_at_work_and_with_other_models(served: FixedShoot) -> None:
    finished = served.out / "finished" / "lamp"
    told = told_of(model_choice(FilterSettings(products="lamp"), "cpu"))
    with Ledger(finished, header_of(parse_products("lamp"), told), resume=True):
        status, answer = served.ask("find", {"id": 0})
        assert status == 409 and "by `finish`" in answer["error"]
    assert served.ask("find", {"id": 0})[0] == 200
    with Ledger(finished, header_of(parse_products("lamp"), told), resume=True):
        status, answer = served.draw(0, (10, 10, 20, 30))
        assert status == 409 and "is writing to" in answer["error"]
    shutil.rmtree(finished)
    Ledger(finished, header_of(parse_products("lamp"), {"detector": "another"}), resume=True).close()
    status, answer = served.ask("find", {"id": 0})
    assert status == 409 and "other settings or models; move that folder away" in answer["error"]


def test_a_strangers_shoot_shows_nothing_of_ours(served: FixedShoot, tmp_path: Path) -> None:
    """Its run's ledger names a private picture in place of the shot's, or the shot is a link to one."""
    private = tmp_path / "private.png"
    paint(private, (0, 0, 40, 40))
    served.ask("find", {"id": 0})
    ledger = served.out / "finished/lamp" / LEDGER_NAME
    text = ledger.read_text()
    os.utime(private, ns=(1, record_of(served.out / "finished/lamp", "1").mtime_ns))
    ledger.write_text(text.replace(json.dumps(str(served.out / "lamp/1.png")), json.dumps(str(private))))
    assert served.shots()[0]["unfound"]
    (served.out / "lamp/1.png").unlink()
    (served.out / "lamp/1.png").symlink_to(private)
    for status, answer in (served.ask("find", {"id": 0}), served.draw(0, (1, 1, 9, 9))):
        assert status == 409 and "leads out of that folder" in answer["error"]
    status, _, body = served.get("fix/original/0")
    assert status == 409 and b"leads out of that folder" in body


def test_a_page_without_corrections_says_nothing_of_them(shoot: Path) -> None:
    one = Served(shoot)
    try:
        page = read_page(one.get("report.html")[2].decode())
        assert page.shoot["fix"] == "" and not any("fixable" in shot for shot in page.shots)
        assert one.post({"id": 0}, path=f"/{one.token}/fix/find")[0] == 404
    finally:
        one.close()
