"""What all surfaces call."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from lib_photoshoot import paths
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.kept_examples import kept_examples
from lib_photoshoot.training.controller import TrainingController
from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import TrainingState
from lib_photoshoot.training.run.preparation import RunRequest, prepare
from lib_photoshoot.training.run.processes import processes_of
from lib_photoshoot.training.trainer.launch import Launch
from tests.training.conftest import SMALL, Trainer, finish


class Namer:
    """A captioner that says the size."""

    name, batch_size = "namer", 4

    def caption(self, images: list[np.ndarray]) -> list[str]:
        return [f"a picture of {image.shape[1]} pixels" for image in images]


@pytest.fixture
def controller(tmp_path: Path) -> TrainingController:
    return TrainingController(tmp_path / "home")


def test_check_counts_as_the_trainer_does(controller: TrainingController, photos: Path) -> None:
    check = controller.check(photos, Recipe())
    assert (check.steps_per_epoch, check.total_steps) == (36, 360)
    assert check.to_dict()["warmup_steps"] == 18
    assert check.seconds is None, "no run has told the pace yet"
    json.dumps(check.to_dict())


def test_captions_are_kept_apart_from_the_users_folder(controller: TrainingController, photos: Path) -> None:
    (photos / "03.txt").unlink()
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    check = controller.check(photos, SMALL)
    assert check.uncaptioned == ("03.png",)
    sheet = controller.caption(check.dataset, Namer())
    assert sheet["03.png"] == "ppzocketv2, a picture of 144 pixels"
    assert sheet["04.png"] == "ppzocketv2, picture number 4"
    again = controller.check(photos, SMALL)
    assert not again.uncaptioned and again.captions["03.png"] == sheet["03.png"]
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before


def test_what_is_wrong_with_captions_follows_their_edits(controller: TrainingController, photos: Path) -> None:
    (photos / "03.txt").write_text("a shoe", encoding="utf-8")
    (photos / "04.txt").unlink()
    check = controller.check(photos, SMALL)
    assert [found.file for found in check.dataset.problems] == ["03.png", "04.png"]
    sheet = controller.captions(check.dataset)
    sheet.set("03.png", "ppzocketv2, a shoe")
    sheet.set("04.png", "a bag")
    sheet.set("05.png", "")
    controller.save_captions(check.dataset, sheet)
    problems = controller.check(photos, SMALL).dataset.problems
    assert [(found.file, found.kind.value) for found in problems] == [
        ("04.png", "tag_missing"),
        ("05.png", "caption_empty"),
    ]


class Names:
    """A captioner that says one thing."""

    name, batch_size = "names", 4

    def caption(self, images: list[np.ndarray]) -> list[str]:
        return ["a thing"] * len(images)


def findings(controller: TrainingController, photos: Path, kind: str) -> list[str]:
    return [found.file for found in controller.check(photos, SMALL).dataset.findings if found.kind.value == kind]


def test_a_newer_text_beside_a_photo_wins_unless_the_caption_was_edited_here(
    controller: TrainingController, photos: Path
) -> None:
    (photos / "01.txt").write_text("a shoe")
    (photos / "02.txt").unlink()
    controller.caption(controller.check(photos, SMALL).dataset, Names())
    dataset = controller.check(photos, SMALL).dataset
    assert [dataset.captions[f"0{n}.png"] for n in (1, 2)] == ["ppzocketv2, a shoe", "ppzocketv2, a thing"]
    sheet = controller.captions(dataset)
    sheet.set("03.png", "ppzocketv2, edited here")
    controller.save_captions(dataset, sheet)
    for number in (1, 2, 3):
        (photos / f"0{number}.txt").write_text(f"by hand {number}")
    check = controller.check(photos, SMALL)
    assert [check.captions[f"0{n}.png"] for n in (1, 2, 3)] == [
        "ppzocketv2, by hand 1",
        "ppzocketv2, by hand 2",
        "ppzocketv2, edited here",
    ]
    assert findings(controller, photos, "caption_conflict") == ["03.png"]
    controller.caption(check.dataset, Names())
    assert findings(controller, photos, "caption_conflict") == ["03.png"], "captioning others hides no conflict"
    sheet = controller.captions(check.dataset)
    sheet.set("04.png", "ppzocketv2, another")
    controller.save_captions(check.dataset, sheet)
    assert findings(controller, photos, "caption_conflict") == ["03.png"], "nor does an edit of others"
    controller.caption(check.dataset, Names(), take_texts=True)
    assert controller.check(photos, SMALL).captions["03.png"] == "ppzocketv2, by hand 3"
    assert not findings(controller, photos, "caption_conflict")
    (photos / "03.txt").write_text("once more")
    assert controller.check(photos, SMALL).captions["03.png"] == "ppzocketv2, once more"


def test_an_edit_made_in_sight_of_the_newer_text_ends_the_conflict(
    controller: TrainingController, photos: Path
) -> None:
    for text in ("first", "second"):
        dataset = controller.check(photos, SMALL).dataset
        sheet = controller.captions(dataset)
        sheet.set("03.png", f"ppzocketv2, {text}")
        controller.save_captions(dataset, sheet)
        conflicts = findings(controller, photos, "caption_conflict")
        assert not conflicts
        (photos / "03.txt").write_text(f"beside, after {text}")
        assert findings(controller, photos, "caption_conflict") == ["03.png"]
    assert controller.check(photos, SMALL).captions["03.png"] == "ppzocketv2, second"


def test_a_sheet_of_an_earlier_version_stays_and_what_contradicts_it_is_told(
    controller: TrainingController, photos: Path
) -> None:
    from lib_photoshoot.training.captions.sheet import CaptionSheet

    dataset = controller.check(photos, SMALL).dataset
    controller.save_captions(dataset, controller.captions(dataset))
    (file,) = (controller.home / "captions").iterdir()
    CaptionSheet({**dataset.captions, "05.png": "ppzocketv2, of old"}).save(file)
    assert controller.check(photos, SMALL).captions["05.png"] == "ppzocketv2, of old"
    assert findings(controller, photos, "caption_conflict") == ["05.png"]


def test_a_caption_beyond_the_text_encoder_is_told(controller: TrainingController, photos: Path) -> None:
    (photos / "00.txt").write_text("ppzocketv2, " + ", ".join(f"strap number {n}" for n in range(150)))
    (photos / "01.txt").write_text("ppzocketv2, " + " ".join(["strap"] * 200))
    assert findings(controller, photos, "caption_long") == ["00.png"]


def test_a_damaged_run_hides_no_other(fake: Trainer, photos: Path, controller: TrainingController) -> None:
    run, *damaged = (fake.prepare(photos, controller.home) for _ in range(4))
    (damaged[0].path / "run.json").write_text("{", encoding="utf-8")
    (damaged[1].path / "run.json").write_text("{}", encoding="utf-8")
    (damaged[2].path / "status.json").write_text('{"state": "dancing"}', encoding="utf-8")
    assert [found.path for found in controller.runs()] == [run.path]
    assert controller.active() is None


def test_two_folders_of_one_name_have_captions_of_their_own(controller: TrainingController, tmp_path: Path) -> None:
    for parent in ("one", "two"):
        folder = tmp_path / parent / "photos"
        folder.mkdir(parents=True)
        Image.effect_noise((100, 100), 90).convert("RGB").save(folder / "a.png")
        dataset = controller.check(folder, SMALL).dataset
        sheet = controller.captions(dataset)
        assert sheet["a.png"] == ""
        sheet.set("a.png", parent)
        controller.save_captions(dataset, sheet)
    assert controller.captions(dataset)["a.png"] == "two"


def test_without_blip_the_embedded_captioner_is_named_by_auto(
    controller: TrainingController, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.training.captions import blip

    monkeypatch.setattr(blip, "_cached", lambda: None)
    with pytest.raises(TrainingError, match="BLIP's weights are not on this machine"):
        controller.captioner("blip")
    with pytest.raises(TrainingError, match="no captioner 'gpt'"):
        controller.captioner("gpt")


def test_a_prepared_run_holds_copies_and_the_users_words(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    run = fake.prepare(photos, tmp_path)
    assert sorted(path.name for path in run.dataset.iterdir()) == sorted(path.name for path in photos.iterdir())
    assert (run.dataset / "05.txt").read_text("utf-8") == "ppzocketv2, picture number 5"
    assert not os.path.samefile(run.dataset / "05.png", photos / "05.png")
    assert run.status().state is TrainingState.PREPARED


def test_left_out_cropped_and_turned_pictures(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.linear_gradient("L").resize((200, 100)).convert("RGB").save(photos / "turned.jpg", exif=exif)
    (photos / "turned.txt").write_text("ppzocketv2, turned", encoding="utf-8")
    controller = TrainingController(tmp_path / "home")
    check = controller.check(photos, SMALL)
    captions = {name: text for name, text in check.captions.items() if name in ("00.png", "01.png", "turned.jpg")}
    from lib_photoshoot.training.trainer.environment import Capabilities

    request = RunRequest(
        check.dataset,
        captions,
        SMALL,
        fake.checkpoint,
        fake.environment,
        Capabilities(),
        crops={"01.png": (8, 16, 72, 144)},
    )
    run = prepare(controller.runs_folder, request)
    assert Image.open(run.dataset / "01.png").size == (64, 128)
    assert Image.open(run.dataset / "turned.jpg").size == (100, 200)
    assert not Image.open(run.dataset / "turned.jpg").getexif().get(0x0112)
    assert {path.suffix for path in run.dataset.iterdir()} == {".png", ".jpg", ".txt"}
    assert run.spec().images == 3


@pytest.mark.parametrize(
    "problem", ["no caption", "same stem", "nothing left", "full", "no checkpoint", "not a folder"]
)
def test_what_would_end_a_training_is_said_before_it(
    fake: Trainer, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    from lib_photoshoot.training.trainer.environment import Capabilities

    if problem == "same stem":
        shutil.copy(photos / "00.png", photos / "00.webp")
    controller = TrainingController(tmp_path / "home")
    check = controller.check(photos, SMALL)
    captions = dict(check.captions)
    request = RunRequest(check.dataset, captions, SMALL, fake.checkpoint, fake.environment, Capabilities())
    sentences = {
        "no caption": "1 of 12 pictures without a caption",
        "same stem": "would share one caption",
        "nothing left": "is left to train on",
        "full": "make room",
        "no checkpoint": "no checkpoint",
        "not a folder": "cannot be used",
    }
    if problem == "no caption":
        captions["03.png"] = " "
    elif problem == "nothing left":
        captions.clear()
    elif problem == "full":
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    elif problem == "no checkpoint":
        request = replace(request, checkpoint=tmp_path / "gone.safetensors")
    elif problem == "not a folder":
        controller.home.mkdir(exist_ok=True)
        controller.runs_folder.write_text("a file")
    with pytest.raises(TrainingError, match=sentences[problem]):
        prepare(controller.runs_folder, request)
    assert problem == "not a folder" or not list(controller.runs_folder.glob("*")), "nothing half-made is left"


def test_runs_are_found_again_newest_first(fake: Trainer, photos: Path, controller: TrainingController) -> None:
    with pytest.raises(TrainingError, match="no training run"):
        controller.run()
    runs = [fake.prepare(photos, controller.home) for _ in range(3)]
    assert len({run.path for run in runs}) == 3, "three in one second have names of their own"
    assert [run.path for run in controller.runs()] == [run.path for run in reversed(runs)]
    assert controller.run(runs[0].path.name).path == runs[0].path
    with pytest.raises(TrainingError, match="no run called"):
        controller.run("../home")


def test_one_run_at_a_time_and_its_pace_tells_the_next(
    fake: Trainer, photos: Path, controller: TrainingController
) -> None:
    first, second = (fake.prepare(photos, controller.home, misbehaviour="slow") for _ in range(2))
    controller.start(first)
    with pytest.raises(TrainingError, match="is at work"):
        controller.start(second)
    assert finish(first).state is TrainingState.DONE
    seconds = controller.check(photos, SMALL).seconds
    assert seconds is not None and 0.05 * 36 < seconds < 10 * 36
    assert controller.losses(first).keys() == {1, 2, 3}
    assert not first.states.exists(), "nothing is left to resume, so nothing takes up the disk"


def test_export_takes_the_last_epoch_and_keeps_what_is_there(
    fake: Trainer, photos: Path, controller: TrainingController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fake.prepare(photos, controller.home)
    with pytest.raises(TrainingError, match="no finished epoch"):
        controller.export(run, [], tmp_path)
    controller.start(run)
    finish(run)
    lora = tmp_path / "Lora"
    lora.mkdir()
    (item,) = controller.export(run, [], lora)
    assert item.name == "ppzocketv2-03" and item.copied and not item.notes
    monkeypatch.setattr(paths, "training_folder", lambda: controller.home)
    (item,) = controller.export(run, [], lora)
    assert item.notes[-1].endswith(f"product = @training:{run.path.name}")
    assert kept_examples().existing(f"training:{run.path.name}") == run.dataset
    assert json.loads((lora / "ppzocketv2-03.json").read_text())["activation text"] == "ppzocketv2"
    (lora / "ppzocketv2-02.safetensors").write_bytes(b"somebody else's")
    with pytest.raises(TrainingError, match=r"export as ppzocketv2-02-2 \(--rename\)"):
        controller.export(run, [2], lora)
    assert (lora / "ppzocketv2-02.safetensors").read_bytes() == b"somebody else's"


def test_several_machines_get_a_line_each(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    from lib_photoshoot.training.dataset.scanning import scan
    from lib_photoshoot.training.trainer.environment import Capabilities

    dataset = scan(photos, "ppzocketv2", SMALL.bucket_settings())
    launch = Launch(processes=2, machines=3, rank=0, address="10.0.0.1")
    request = RunRequest(
        dataset, dataset.captions, SMALL, fake.checkpoint, fake.environment, Capabilities(), launch=launch
    )
    spec = prepare(tmp_path, request).spec()
    assert len(spec.machine_commands) == 3
    assert "--node_rank 2" in spec.machine_commands[2]
    assert "PHOTOSHOOT_STATE_EVERY_STEPS=0" in spec.machine_commands[2], "all save their states at the same steps"
    assert spec.steps_per_epoch == 2, "12 batches by 6 processes"


def test_resume_waits_for_no_dead_and_ends_what_is_alive(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="hang@14")
    status = control.start(run)
    while (status := run.status()).step < 13:
        assert status.state.active
    import signal
    import time

    os.kill(status.supervisor, signal.SIGKILL)
    while run.status().state.active:
        time.sleep(0.05)
    (hanging,) = processes_of(run.path)  # it does not notice
    with pytest.raises(TrainingError, match="still at work"):
        TrainingController(tmp_path).start(fake.prepare(photos, tmp_path))
    fake.misbehave(run, "")
    control.resume(run)
    assert not hanging.is_running() or hanging.status() == psutil.STATUS_ZOMBIE
    assert finish(run).state is TrainingState.DONE
