"""The photos of a training on the picture page: what is shown of them, captions, and which are left out."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import CatalogError, PhotoshootError, TrainingError
from lib_photoshoot.locks import hold
from lib_photoshoot.training.controller import TrainingController
from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.review.reviewed import LONGEST_CAPTION, ReviewedPhotos
from tests.pages import read_page
from tests.shoot.test_review import HOSTILE, Served
from tests.test_catalog import paint
from tests.test_catalog_page import go
from tests.training.conftest import SMALL, Trainer

TAG = "ppzocketv2"


@pytest.fixture
def controller(tmp_path: Path) -> TrainingController:
    return TrainingController(tmp_path / "home")


def review(controller: TrainingController, folder: Path, recipe: Recipe = SMALL) -> ReviewedPhotos:
    return ReviewedPhotos(controller, folder, recipe)


@pytest.fixture
def reviewed(controller: TrainingController, photos: Path) -> Iterator[ReviewedPhotos]:
    one = review(controller, photos)
    yield one
    one.end()


def items(reviewed: ReviewedPhotos) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in read_page(b"".join(reviewed.page()).decode()).items}


def send(reviewed: ReviewedPhotos, *values: dict[str, Any]) -> dict[str, Any]:
    return reviewed.decide(reviewed.chosen(list(values)))


def reject(name: str, decision: str | None = "rejected", **more: str) -> dict[str, Any]:
    return {"file": name, "decision": decision, **more}


def marked(reviewed: ReviewedPhotos, mark: str) -> list[str]:
    return [name for name, item in items(reviewed).items() if mark in item["marks"]]


def test_each_photo_with_caption_bucket_crop_and_what_was_found(photos: Path, controller: TrainingController) -> None:
    Image.new("RGB", (300, 100), "red").save(photos / "wide.tif")
    (photos / "broken.jpg").write_bytes(b"no picture")
    (photos / "03.txt").unlink()
    Image.new("L", (144, 144)).save(photos / "00.mask.png")
    page = read_page(b"".join(review(controller, photos).page()).decode())
    shown = {item["name"]: item for item in page.items}
    assert [item["name"] for item in page.items] == [*(f"{n:02d}.png" for n in range(12)), "wide.tif", "broken.jpg"]
    assert shown["00.png"]["caption"] == f"{TAG}, picture number 0" == shown["00.png"]["why"]
    assert [view["view"] for view in shown["00.png"]["views"]] == ["trained", "mask"]
    assert shown["wide.tif"]["more"][:3] == ["trained at 64 × 64", "made 1.56 times smaller", "67% cut away"]
    assert [view["view"] for view in shown["wide.tif"]["views"]] == ["cut", "trained"]
    missing = shown["03.png"]
    assert missing["check"] and "03.png has no caption" in missing["why"] and missing["aside"] == "1 finding"
    assert [name for name, item in shown.items() if "findings" in item["marks"]] == ["03.png", "wide.tif", "broken.jpg"]
    assert shown["broken.jpg"]["decision"] == "rejected" and "caption" not in shown["broken.jpg"]
    assert page.head["lead"].startswith("13 photos to train on, 2 without a caption; ")
    assert [show["name"] for show in page.head["shows"]][3:6] == ["findings", "duplicates", "edited"]


def test_near_duplicates_stand_side_by_side_and_leaving_one_out_settles_them(
    photos: Path, reviewed: ReviewedPhotos
) -> None:
    Image.open(photos / "02.png").resize((100, 100)).save(photos / "zz.png")
    shutil.copy(photos / "02.txt", photos / "zz.txt")
    assert list(items(reviewed))[2:4] == ["02.png", "zz.png"] and marked(reviewed, "duplicates") == ["02.png", "zz.png"]
    assert "looks the same as 02.png" in items(reviewed)["zz.png"]["notes"][0]["text"]
    since = read_page(b"".join(reviewed.page()).decode()).head["changes"].partition("=")[2]
    send(reviewed, reject("02.png"))
    assert [item["name"] for item in reviewed.changes(since)["items"]] == ["02.png", "zz.png"]
    assert not items(reviewed)["zz.png"]["notes"] and marked(reviewed, "duplicates") == ["02.png", "zz.png"]


def test_a_rejected_photo_is_left_out_by_check_estimate_and_run(
    fake: Trainer, photos: Path, controller: TrainingController, reviewed: ReviewedPhotos
) -> None:
    (photos / "03.txt").unlink()
    before = controller.check(photos, SMALL)
    assert [found.file for found in before.in_the_way()] == ["03.png"] and before.steps_per_epoch == 12
    send(reviewed, reject("03.png", reason="sharpness", note="out of focus"), reject("04.png"))
    check = controller.check(photos, SMALL)
    assert not check.in_the_way() and not check.uncaptioned and check.left_out == ("03.png", "04.png")
    assert (len(check.dataset.images), check.steps_per_epoch) == (10, 10) and check.disk < before.disk
    run = controller.prepare(check, fake.checkpoint, fake.environment, capabilities=_capabilities())
    assert run.spec().images == 10 and not {"03.png", "04.png"} & set(os.listdir(run.dataset))
    item = items(reviewed)["03.png"]
    assert (item["by_hand"], item["reason"], item["note"]) == ("rejected", "sharpness", "out of focus")
    send(reviewed, reject("03.png", None), reject("04.png", None))
    assert controller.check(photos, SMALL).to_dict() == before.to_dict()


def _capabilities() -> Any:
    from lib_photoshoot.training.trainer.environment import Capabilities

    return Capabilities(cpu_count=2, hook=True)


def test_decisions_and_captions_are_kept_apart_from_the_folder(photos: Path, controller: TrainingController) -> None:
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    first = review(controller, photos)
    send(first, reject("05.png"), {"file": "06.png", "caption": f"{TAG}, a lamp\nof glass"})
    again = review(TrainingController(controller.home), photos)
    assert items(again)["05.png"]["by_hand"] == "rejected" and marked(again, "edited") == ["06.png"]
    assert items(again)["06.png"]["caption"] == f"{TAG}, a lamp of glass"
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before
    first.write_report()
    assert sorted(os.listdir(photos)) == sorted(before)


def test_a_caption_takes_its_findings_with_it(photos: Path, reviewed: ReviewedPhotos) -> None:
    send(reviewed, reject("06.png", note="blurred"))
    (answer,) = send(reviewed, {"file": "06.png", "caption": "a\nlamp"})["shots"]
    assert (answer["caption"], answer["by_hand"], answer["note"]) == ("a lamp", "rejected", "blurred")
    item = items(reviewed)["06.png"]
    assert item["check"] and "activation tag" in item["why"] and item["marks"] == ["edited", "findings"]
    send(reviewed, {"file": "06.png", "caption": f"{TAG}, a lamp"})
    item = items(reviewed)["06.png"]
    assert not item["notes"] and item["why"] == f"{TAG}, a lamp" and item["aside"] == ""


def test_captions_of_rejected_photos_stay(
    photos: Path, controller: TrainingController, reviewed: ReviewedPhotos
) -> None:
    class Says:
        name, batch_size = "says", 4

        def caption(self, images: Any) -> list[str]:
            send(reviewed, {"file": "02.png", "caption": f"{TAG}, typed meanwhile"})
            return ["a thing"] * len(images)

    for name in ("01.txt", "02.txt", "07.txt"):
        (photos / name).unlink()
    send(reviewed, {"file": "05.png", "caption": f"{TAG}, mine"}, reject("05.png"))
    send(reviewed, reject("07.png"))
    sheet = controller.caption(controller.check(photos, SMALL).whole, Says())
    assert sheet["05.png"] == f"{TAG}, mine" and sheet["01.png"] == f"{TAG}, a thing"
    assert sheet["02.png"] == f"{TAG}, typed meanwhile" and sheet["07.png"] == TAG


def test_what_is_decided_elsewhere_is_told(
    photos: Path, controller: TrainingController, reviewed: ReviewedPhotos
) -> None:
    address = read_page(b"".join(reviewed.page()).decode()).head["changes"]
    assert reviewed.changes(address.partition("=")[2])["items"] == []
    other = review(controller, photos)
    send(other, reject("01.png"))
    (photos / "02.png").unlink()
    news = reviewed.changes(address.partition("=")[2])
    assert [(item["name"], item["by_hand"]) for item in news["items"]] == [("01.png", "rejected")]
    assert len(news["gone"]) == 1 and news["page"]["lead"].startswith("10 of 11 photos to train on")
    assert reviewed.changes(news["changes"].partition("=")[2])["items"] == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([{"file": "none.png", "decision": "rejected"}], "has no photo none.png"),
        ([{"file": "00.png", "decision": "rejected"}, {"file": "../x", "caption": "x"}], "has no photo"),
        ([{"file": "broken.jpg", "decision": "accepted"}], "broken.jpg cannot be trained on"),
        ([{"file": "broken.jpg", "caption": "x"}], "cannot be trained on"),
        ([{"file": "00.png", "caption": 1}], "both texts"),
        ([{"file": "00.png", "caption": "x", "decision": "rejected"}], "exactly file, caption"),
        ([{"file": "00.png", "caption": "x" * (LONGEST_CAPTION + 1)}], "at most 10,000"),
        ([{"file": "00.png", "decision": "perhaps"}], "is none"),
        ({}, "no list"),
    ],
)
def test_what_is_no_decision_is_refused_and_nothing_kept(
    photos: Path, controller: TrainingController, values: Any, words: str
) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")
    reviewed = review(controller, photos)
    with pytest.raises(PhotoshootError, match=words):
        reviewed.decide(reviewed.chosen(values))
    assert reviewed.decided == 0 and not any(item["by_hand"] for item in items(reviewed).values())


def test_a_name_that_two_pictures_share_is_free_again(photos: Path, controller: TrainingController) -> None:
    Image.new("RGB", (144, 144), "blue").save(photos / "00.jpg")
    (problem,) = controller.check(photos, SMALL).in_the_way()
    assert "would share the caption file" in problem.text
    send(review(controller, photos), reject("00.jpg"))
    assert not controller.check(photos, SMALL).in_the_way()


def test_a_photo_that_cannot_be_read_can_be_left_out_of_the_problems(
    photos: Path, controller: TrainingController
) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")
    assert controller.check(photos, SMALL).in_the_way()
    send(review(controller, photos), reject("broken.jpg"))
    check = controller.check(photos, SMALL)
    assert not check.in_the_way() and check.left_out == ("broken.jpg",)


def test_views_show_the_photo_the_cut_and_what_is_trained(photos: Path, controller: TrainingController) -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (0, 0, 20, 100))
    picture.save(photos / "wide.png")
    served = Served(photos, review(controller, photos))
    try:
        item = items(served.server.reviewed)["wide.png"]
        looks = {view["view"]: view for view in (item, *item["views"])}
        sizes = {}
        for name, look in looks.items():
            for kind in ("file", "thumbnail"):
                status, headers, body = served.get(look[kind])
                assert status == 200 and headers["Content-Type"] == "image/jpeg"
                sizes[name, kind] = Image.open(io.BytesIO(body)).size
        assert sizes["photo", "file"] == (300, 100) == sizes["cut", "file"] and sizes["trained", "file"] == (64, 64)
        left = [Image.open(io.BytesIO(served.get(looks[name]["file"])[2])).getpixel((5, 50)) for name in looks]
        assert left[0][2] > 240 and left[1][2] < 200 and left[2][0] > 240  # blue, dimmed, cut away
        for name in [*HOSTILE, "photo/none.png.jpg", "wide.png", "photo/../wide.png"]:
            assert served.get(name)[0] == 404
    finally:
        served.close()


def test_outlines_of_a_run_of_the_filter_are_views(tmp_path: Path, controller: TrainingController) -> None:
    folder = tmp_path / "bags"
    paint(folder / "two.png", (5, 5, 15, 15), (30, 30, 45, 45))
    paint(folder / "none.png")
    Image.new("L", (80, 60)).save(folder / "two.mask.png")
    for path in folder.iterdir():
        Image.open(path).resize((160, 120), Image.Resampling.NEAREST).save(path)
    go(folder, tmp_path / "run")
    served = Served(folder, ReviewedPhotos(controller, folder, SMALL, run=tmp_path / "run"))
    try:
        shown = items(served.server.reviewed)
        views = [(view["view"], view.get("label")) for view in shown["two.png"]["views"][-3:]]
        assert views == [("mask", "Mask"), ("mask 2", "Outline 1 lamp"), ("mask 3", "Outline 2 lamp")]
        assert not any(view["view"].startswith("mask") for view in shown["none.png"]["views"])
        status, _, body = served.get(shown["two.png"]["views"][-1]["file"].replace(" ", "%20"))
        mask = Image.open(io.BytesIO(body)).convert("L")
        assert status == 200 and mask.getpixel((75, 75)) > 200 and mask.getpixel((20, 20)) < 50
    finally:
        served.close()
    paint(tmp_path / "other" / "two.png", (5, 5, 15, 15))
    for other, run, error in ((tmp_path / "other", tmp_path / "run", TrainingError), (folder, folder, CatalogError)):
        with pytest.raises(error):
            ReviewedPhotos(controller, other, SMALL, run=run)


def test_a_folder_with_repeats_has_groups_and_its_notes_count_what_is_trained(
    photos: Path, controller: TrainingController
) -> None:
    bags = photos / "6_bags"
    bags.mkdir()
    for name in ("00", "01"):
        for suffix in (".png", ".txt"):
            shutil.move(photos / f"{name}{suffix}", bags / f"{name}{suffix}")
    reviewed = review(controller, photos)
    page = read_page(b"".join(reviewed.page()).decode())
    assert page.head["products"] == [{"name": "6_bags"}] and items(reviewed)["00.png"]["products"] == ["6_bags"]
    assert "6 times an epoch" in items(reviewed)["00.png"]["more"]
    send(reviewed, reject("00.png"))
    notes = controller.check(photos, SMALL).dataset.notes
    assert [found.text for found in notes] == ["6_bags: 1 picture, each 6 times an epoch."]


def test_another_program_at_work_and_a_damaged_journal_are_told(
    photos: Path, controller: TrainingController, reviewed: ReviewedPhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.training.review import decisions

    monkeypatch.setattr(decisions, "_PATIENCE_S", 0.0)
    (controller.home / "captions").mkdir(parents=True)
    stream = hold(controller.home / "captions" / ".lock")
    assert stream is not None
    with stream, pytest.raises(TrainingError, match="Another program"):
        send(reviewed, reject("00.png"))
    send(reviewed, reject("00.png"))
    (journal,) = (controller.home / "captions").glob("*.jsonl")
    with open(journal, "ab") as file:
        file.write(b'{"hand": {"file": 1}}\n{"hand": {"file": "01.png", "decision": "rej')
    send(reviewed, reject("02.png"))  # what a kill and a crash left is passed over
    assert controller.check(photos, SMALL).left_out == ("00.png", "02.png")
    journal.write_bytes(b"something else\n")
    with pytest.raises(TrainingError, match="move it away"):
        controller.check(photos, SMALL)


def test_check_says_what_is_left_out_and_nothing_is_left_when_all_is(
    fake: Trainer, photos: Path, controller: TrainingController, reviewed: ReviewedPhotos
) -> None:
    send(reviewed, *(reject(f"{number:02d}.png") for number in range(11)))
    done = CliRunner().invoke(app, ["train", "check", str(photos), "--home", str(controller.home)])
    assert done.exit_code == 0 and "1 photo, 1 with a caption." in done.output
    assert (
        "11 files left out, as you decided in `train review`: 00.png, " in done.output and "and 1 more" in done.output
    )
    values = CliRunner().invoke(app, ["train", "check", str(photos), "--home", str(controller.home), "--json"])
    assert len(json.loads(values.output)["left_out"]) == 11
    send(reviewed, reject("11.png"))
    with pytest.raises(TrainingError, match="No picture of"):
        controller.prepare(
            controller.check(photos, SMALL), fake.checkpoint, fake.environment, capabilities=_capabilities()
        )


def test_review_opens_a_folder_of_photos_and_train_review_with_a_recipe(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.pages import server
    from lib_photoshoot.training import controller as controllers

    opened: list[Any] = []
    monkeypatch.setattr(server.PageServer, "serve_forever", lambda self: opened.append(self.reviewed))
    monkeypatch.setattr(controllers, "DEFAULT_HOME", tmp_path / "default")
    runner = CliRunner()
    assert runner.invoke(app, ["review", str(photos), "--no-browser"]).exit_code == 0
    arguments = ["train", "review", str(photos), "--no-browser", "--home", str(tmp_path), "--set", "resolution=512"]
    assert runner.invoke(app, arguments).exit_code == 0
    assert [type(one) for one in opened] == [ReviewedPhotos] * 2
    refused = runner.invoke(app, ["review", str(photos), "--no-browser", "--apply", str(photos / "00.txt")])
    assert refused.exit_code == 2
    (photos / "ledger.jsonl").write_text("{}\n")
    assert runner.invoke(app, ["review", str(photos), "--no-browser"]).exit_code == 2
    assert runner.invoke(app, ["review", str(tmp_path / "none"), "--no-browser"]).exit_code == 2
