"""The Train part without HTTP: real runs with our sd-scripts-like trainer, on a small in-memory host."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from lib_photoshoot import registry
from lib_photoshoot.errors import PhotoshootError, TrainingError
from lib_photoshoot.training import controller as controllers
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import RunFolder
from lib_photoshoot.training.trainer.environment import FOLDER_VARIABLE, PYTHON_VARIABLE, Capabilities, Gpu
from lib_photoshoot.webui.http.background import BackgroundJob, JobState
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.fields import Fields
from lib_photoshoot.webui.http.folders import AllowedFolders, FolderError, MissingPathError, allowed_folders
from lib_photoshoot.webui.train import datasets as training_datasets
from lib_photoshoot.webui.train import trainer as training_trainer
from lib_photoshoot.webui.train.captioning import Captioners
from lib_photoshoot.webui.train.datasets import KEPT
from lib_photoshoot.webui.train.host import HostCheckpoint
from lib_photoshoot.webui.train.service import TrainingService
from lib_photoshoot.webui.train.views import console_text, history
from lib_photoshoot.webui.train.watch import RunWatch
from tests.training.conftest import FAKE, SMALL, put_tokenizer
from tests.webui.generate.test_job import BrightModels

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and process groups of POSIX")

TAG = "ppzocketv2"
RECIPE = {**SMALL.changed(), "max_train_epochs": 2}
TENSORS = {
    "cond_stage_model.transformer.text_model.embeddings.position_ids": (1, 77),
    "model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3),
    "first_stage_model.decoder.conv_in.weight": (32, 4, 3, 3),
}


class FakeTrainingHost:
    """See ``TrainingHost``; remembers what was asked of it."""

    def __init__(self, root: Path, checkpoints: list[HostCheckpoint]) -> None:
        self.root = root
        self.asked: list[str] = []
        self.listed = checkpoints
        self.named = ("", "")
        self.said_no: str | None = None
        self.ours = False

    def checkpoints(self) -> list[HostCheckpoint]:
        return self.listed

    def loaded(self) -> str | None:
        return self.listed[0].name if self.listed else None

    def folders(self) -> AllowedFolders:
        return allowed_folders([str(self.root / "outputs")], self.root)

    def lora_folder(self) -> Path:
        return self.root / "Lora"

    def refresh_loras(self) -> None:
        self.asked.append("refresh")

    def named_trainer(self) -> tuple[str, str]:
        return self.named

    def refusal(self) -> str | None:
        return self.said_no

    def device(self) -> str:
        return "cpu"

    @contextmanager
    def turn(self) -> Iterator[None]:
        assert not self.ours
        self.ours = True
        yield
        self.ours = False

    def release_models(self) -> None:
        self.asked.append("release")

    def missing_for_captions(self) -> str | None:
        return "The host has no captioner."

    def captioner(self) -> Any:
        raise TrainingError("The host has no captioner.")

    def make_room(self) -> None:
        self.asked.append("room")

    def give_back(self) -> None:
        self.asked.append("back")


class SlowCaptioner:
    """Says how bright pictures are; waits for ``go`` before each."""

    name, batch_size = "slow", 1

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.calls = 0

    def caption(self, images: list[np.ndarray]) -> list[str]:
        self.begun.set()
        assert self.go.wait(10)
        self.calls += 1
        return [f"a thing, number {self.calls}" for _ in images]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "base – é.safetensors"
    path.parent.mkdir()
    save_file({name: np.zeros(shape, np.float16) for name, shape in TENSORS.items()}, path)
    return path


@pytest.fixture
def host(tmp_path: Path, checkpoint: Path) -> FakeTrainingHost:
    (tmp_path / "Lora").mkdir()
    return FakeTrainingHost(tmp_path, [HostCheckpoint("base.safetensors [0123456789]", checkpoint)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, the first with a caption, in an allowed folder."""
    place = tmp_path / "outputs" / "Fotos für 製品"
    place.mkdir(parents=True)
    rng = np.random.default_rng(7)
    for number in range(4):
        pixels = np.repeat(np.repeat(rng.integers(0, 256, (9, 9, 3), np.uint8), 16, 0), 16, 1)
        Image.fromarray(pixels).save(place / f"{number}.png")
    (place / "0.txt").write_text(f"{TAG}, the first", encoding="utf-8")
    return place


@pytest.fixture
def service(tmp_path: Path, host: FakeTrainingHost, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingService]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(FAKE))
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)
    monkeypatch.setattr(controllers, "inspect", lambda environment: Capabilities(cpu_count=2))
    monkeypatch.setattr(training_trainer, "inspect", lambda environment: Capabilities(python="3.11.7", cpu_count=2))
    put_tokenizer(tmp_path / "home" / "tokenizers")
    made = TrainingService(host, tmp_path / "home")
    made.watch._poll = 0.05
    yield made
    for run in made.controller.runs():
        control.cancel(run)


def refused(kind: type[PhotoshootError], call: Callable[..., Any], *arguments: Any) -> PhotoshootError:
    with pytest.raises(kind) as caught:
        call(*arguments)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    return caught.value


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = holds()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not so within {seconds} s")


def captioned(service: TrainingService, folder: Path) -> None:
    for number in range(4):
        edit(service, folder, "set", name=f"{number}.png", text=f"{TAG}, thing {number}")


def edit(service: TrainingService, folder: Path, action: str, **more: Any) -> dict[str, Any]:
    return service.pictures.edit_captions({"folder": str(folder), "tag": TAG, "action": action, **more})


def begin(service: TrainingService, folder: Path, **more: Any) -> dict[str, Any]:
    body = {"folder": str(folder), "recipe": RECIPE, "checkpoint": "base.safetensors", **more}
    return service.runs.begin(body)


def run_to_end(service: TrainingService, name: str) -> dict[str, Any]:
    until(lambda: not service.runs.detail(name)["active"])
    return service.runs.detail(name)


# What the page begins with.


def test_the_overview_describes_every_value_of_the_recipe(service: TrainingService, checkpoint: Path) -> None:
    overview = service.overview()
    json.dumps(overview)
    by_name = {field["name"]: field for field in overview["fields"]}
    assert by_name["resolution"] == {
        "name": "resolution", "label": "Resolution", "group": "pictures", "type": "int", "default": 768,
        "help": by_name["resolution"]["help"], "lowest": 64, "highest": 2048, "step": 64,
    }  # fmt: skip
    assert by_name["max_token_length"]["choices"] == [75, 150, 225] and by_name["max_token_length"]["default"] == 225
    assert {field["type"] for field in overview["fields"]} == {"int", "float", "bool", "text", "lines", "choice"}
    assert {field["group"] for field in overview["fields"]} == {group["name"] for group in overview["groups"]}
    assert overview["presets"]["Original experiment"] == {}
    assert overview["checkpoints"] == [{"name": "base.safetensors [0123456789]", "path": str(checkpoint), "fits": True}]
    assert overview["loaded"] == "base.safetensors [0123456789]" and overview["active"] is None
    assert [one["name"] for one in overview["captioners"]] == ["auto", "blip", "webui", "embedded"]
    webui = overview["captioners"][2]
    assert (webui["ready"], webui["why"]) == (False, "The host has no captioner.")


def test_checkpoints_that_cannot_be_trained_on_come_last(
    service: TrainingService, host: FakeTrainingHost, tmp_path: Path
) -> None:
    xl, pickled = tmp_path / "xl.safetensors", tmp_path / "old.ckpt"
    save_file({"conditioner.embedders.0.weight": np.zeros(1, np.float16)}, xl)
    pickled.write_bytes(b"?")
    gone = HostCheckpoint("gone", tmp_path / "gone.safetensors")
    host.listed = [gone, HostCheckpoint("xl", xl), HostCheckpoint("old", pickled), *host.listed]
    listed = service.overview()["checkpoints"]
    assert [one["fits"] for one in listed] == [True, None, False, False]
    assert [one["name"] for one in listed][:2] == ["base.safetensors [0123456789]", "old"]


def test_the_trainer_is_looked_at_once_and_in_the_background(
    service: TrainingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, looks = threading.Event(), []

    def inspect(environment: Any) -> Capabilities:
        looks.append(environment)
        assert answer.wait(10)
        return Capabilities(python="3.11.7 (main)", gpus=(Gpu("NVIDIA X", 24 << 30),))

    monkeypatch.setattr(training_trainer, "inspect", inspect)
    before = service.trainer.to_dict()
    assert (before["ready"], before["looking"], before["can_install"]) == (False, True, False)
    assert service.trainer.capabilities() is None
    answer.set()
    after = until(lambda: (found := service.trainer.to_dict())["ready"] and found)
    assert after["text"] == "sd-scripts 0.10.1 with Python 3.11.7 trains on NVIDIA X (24 GB)."
    assert len(looks) == 1 and not after["looking"]


def test_what_is_wrong_with_the_trainer_is_said(service: TrainingService, monkeypatch: pytest.MonkeyPatch) -> None:
    def inspect(environment: Any) -> Capabilities:
        raise TrainingError("There is no torch.")

    monkeypatch.setattr(training_trainer, "inspect", inspect)
    state = service.trainer.to_dict()
    assert (state["ready"], state["text"], state["can_install"]) == (False, "There is no torch.", False)


def test_only_a_trainer_of_our_own_is_installed_and_only_where_the_host_lets_it(
    service: TrainingService, host: FakeTrainingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.training.trainer import installation

    installed: list[Path] = []

    def install(home: Path, progress: Callable[[str, float | None], None]) -> None:
        progress("Downloading", 0.5)
        progress("a line of pip", None)
        installed.append(home)

    monkeypatch.setattr(installation, "install", install)
    assert refused(RequestError, service.trainer.install).status == 403  # named by the environment
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.delenv(PYTHON_VARIABLE)
    host.named = ("/somewhere", "")
    assert refused(RequestError, service.trainer.install).status == 403
    host.named, host.said_no = ("", ""), "Not while others may reach this."
    assert str(refused(RequestError, service.trainer.install)) == "Not while others may reach this."
    host.said_no = None
    service.trainer.install()
    until(lambda: not service.trainer.to_dict()["busy"])
    state = service.trainer.to_dict()
    assert installed == [service.controller.home]
    assert (state["share"], state["doing"], state["error"]) == (0.5, "a line of pip", None)


def test_a_machine_without_a_trainer_may_install_one(service: TrainingService, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.training.trainer import environment

    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.delenv(PYTHON_VARIABLE)
    monkeypatch.setattr(training_trainer, "inspect", environment.inspect)
    state = service.trainer.to_dict()
    assert (state["can_install"], state["text"]) == (True, training_trainer.NOT_INSTALLED)


# A folder of pictures.


def test_check_shows_every_picture(service: TrainingService, folder: Path) -> None:
    until(lambda: service.trainer.to_dict()["ready"])
    found = service.pictures.check({"folder": str(folder), "recipe": RECIPE})
    json.dumps(found)
    assert (found["images"], found["steps_per_epoch"], found["total_steps"]) == (4, 4, 8)
    assert found["uncaptioned"] == ["1.png", "2.png", "3.png"]
    first = found["pictures"][0]
    assert (first["name"], first["width"], first["bucket"], first["caption"]) == (
        "0.png",
        144,
        "64x64",
        f"{TAG}, the first",
    )
    assert first["crop"] == [0.0, 0.0, 144.0, 144.0]
    assert found["pictures"][1]["findings"][0]["severity"] == "problem"
    assert (found["can_undo"], found["can_redo"], found["notes_for_machine"]) == (False, False, [])
    original = service.pictures.check({"folder": str(folder)})
    assert any("8-bit" in note for note in original["notes_for_machine"])


def test_values_are_set_in_words_as_on_the_command_line(service: TrainingService, folder: Path) -> None:
    asked = {"folder": str(folder), "recipe": RECIPE}
    check = service.pictures.check({**asked, "set": ["num_repeats=7", "train_batch_size = 1"]})
    assert check["steps_per_epoch"] == 4 * 7
    made = service.pictures.recipe({"recipe": {"network_dim": 4, "seed": 42}, "set": ["unet_lr=1e-4", "flip_aug=True"]})
    assert made == {"recipe": {"network_dim": 4, "unet_lr": 1e-4, "flip_aug": True}}
    for word, sentence in (
        ("network_dim", "write it as NAME=VALUE"),
        ("network_dims=4", "no value called 'network_dims'"),
        ("network_dim=many", "Rank (network_dim) is 'many'; give a number from 1 to 320"),
    ):
        for call in (service.pictures.recipe, lambda body: service.pictures.check({**asked, **body})):
            assert sentence in str(refused(TrainingError, call, {"set": [word]}))
    assert refused(RequestError, service.pictures.recipe, {"set": "network_dim=4"})


def test_regularisation_pictures_are_checked_with_the_photos(
    service: TrainingService, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = folder.parent / "classes" / "2_bag"
    classes.mkdir(parents=True)
    (folder / "3.png").rename(classes / "3.png")
    asked = {"folder": str(folder), "recipe": RECIPE, "regularisation": str(classes.parent)}
    alone = service.pictures.check({"folder": str(folder), "recipe": RECIPE, "regularisation": " "})
    check = service.pictures.check(asked)
    assert alone["regularisation"] == [] and check["images"] == 3
    assert check["regularisation"] == [{"bucket": check["pictures"][0]["bucket"], "repeats": 2}]
    assert check["steps_per_epoch"] == 2 * alone["steps_per_epoch"]
    monkeypatch.setattr(training_datasets, "scan_all", lambda *_: pytest.fail("it was looked at already"))
    assert service.pictures.check(asked) == check
    monkeypatch.undo()
    refused(FolderError, service.pictures.check, {**asked, "regularisation": str(tmp_path)})
    (classes / "3.png").rename(classes.parent / "3.png")
    assert "3.png has no caption" in str(refused(TrainingError, service.pictures.check, asked))


def test_pictures_are_decoded_again_only_when_they_change(
    service: TrainingService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.webui.train import datasets as training_datasets

    scans: list[Path] = []
    real = training_datasets.scan_all

    def scan(place: Path, *rest: Any) -> Any:
        scans.append(place)
        return real(place, *rest)

    monkeypatch.setattr(training_datasets, "scan_all", scan)
    for epochs in (1, 2, 3):
        service.pictures.check({"folder": str(folder), "recipe": {**RECIPE, "max_train_epochs": epochs}})
    edit(service, folder, "add", word="studio")
    assert len(scans) == 1
    (folder / "1.txt").write_text("new", encoding="utf-8")
    found = service.pictures.check({"folder": str(folder), "recipe": RECIPE})
    assert len(scans) == 2 and len(found["pictures"]) == 4


@pytest.mark.parametrize("place", ["/etc", "/", "relative", "../up", "", "//host/share", None, 3])
def test_folders_outside_the_allowed_ones_are_refused(service: TrainingService, place: Any) -> None:
    for call in (
        service.pictures.check,
        lambda body: service.pictures.edit_captions({**body, "tag": TAG, "action": "write_beside"}),
        lambda body: service.pictures.caption({**body, "tag": TAG}),
        lambda body: service.runs.begin({**body, "checkpoint": "base.safetensors"}),
    ):
        refused(PhotoshootError, call, {"folder": place})


def test_a_link_that_leads_outside_is_not_followed(service: TrainingService, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (80, 80)).save(secret)
    (folder / "link.png").symlink_to(secret)
    refused(FolderError, service.pictures.check, {"folder": str(folder)})
    refused(FolderError, service.pictures.picture, str(folder), "link.png", 64)
    (folder / "link.png").unlink()
    (folder / "link.png").symlink_to(folder / "0.png")
    assert service.pictures.check({"folder": str(folder), "recipe": RECIPE})["images"] == 5


def test_captions_are_edited_in_steps(service: TrainingService, folder: Path) -> None:
    one = edit(service, folder, "add", word=TAG, position=0)
    assert (one["changed"], one["captions"]["1.png"], one["can_undo"]) == (3, TAG, True)
    edit(service, folder, "add", word="studio", names=["1.png"])
    assert (
        edit(service, folder, "replace", search="first", replacement="best")["captions"]["0.png"] == f"{TAG}, the best"
    )
    assert edit(service, folder, "remove", word="studio")["captions"]["1.png"] == TAG
    back = edit(service, folder, "undo")
    assert (back["changed"], back["captions"]["1.png"], back["can_redo"]) == (1, f"{TAG}, studio", True)
    assert edit(service, folder, "redo")["captions"]["1.png"] == TAG
    assert edit(service, folder, "redo")["changed"] == 0
    assert (
        service.pictures.check({"folder": str(folder), "recipe": RECIPE})["pictures"][0]["caption"]
        == f"{TAG}, the best"
    )
    assert sorted(path.name for path in folder.iterdir()) == ["0.png", "0.txt", "1.png", "2.png", "3.png"]


def test_captions_outlive_the_service_and_meet_the_command_lines(
    service: TrainingService, folder: Path, host: FakeTrainingHost
) -> None:
    edit(service, folder, "set", name="1.png", text="typed")
    again = TrainingService(host, service.controller.home)
    assert edit(again, folder, "set", name="2.png", text="elsewhere")["captions"]["1.png"] == "typed"
    seen = edit(service, folder, "set", name="3.png", text="here")
    assert seen["captions"]["2.png"] == "elsewhere" and seen["can_undo"]
    assert edit(service, folder, "undo")["captions"]["2.png"] == "elsewhere"


def test_captions_beside_the_pictures_only_on_the_users_word(service: TrainingService, folder: Path) -> None:
    edit(service, folder, "add", word="studio")
    written = edit(service, folder, "write_beside")
    assert written["left"] == ["0.txt"] and (folder / "1.txt").read_text() == "studio"
    assert (folder / "0.txt").read_text() == f"{TAG}, the first"
    edit(service, folder, "write_beside", overwrite=True)
    assert (folder / "0.txt").read_text() == f"{TAG}, the first, studio"
    assert (folder / "0.txt.bak").read_text() == f"{TAG}, the first"


def test_sheets_of_the_last_folders_are_kept(service: TrainingService, folder: Path) -> None:
    places = [folder.parent / f"more {number}" for number in range(KEPT + 2)]
    for place in places:
        place.mkdir()
        Image.new("RGB", (80, 80)).save(place / "a.png")
        edit(service, place, "set", name="a.png", text="one")
    assert not edit(service, places[0], "undo")["changed"]  # forgotten, but saved
    assert service.pictures.check({"folder": str(places[0]), "recipe": RECIPE})["pictures"][0]["caption"] == "one"
    assert edit(service, places[-1], "undo")["changed"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"action": "dance"},
        {"action": "set", "name": "none.png", "text": "x"},
        {"action": "set", "name": "0.png"},
        {"action": "replace", "search": ""},
        {"action": "add", "word": "one, two"},
        {"action": "add", "word": "one", "names": "0.png"},
        {"action": "add", "word": "one", "position": -1},
        {"action": "add", "word": "one", "position": float("nan")},
        {"action": "set", "name": "0.png", "text": "x", "surprise": 1},
    ],
)
def test_edits_that_make_no_sense_change_nothing(service: TrainingService, folder: Path, body: dict[str, Any]) -> None:
    before = edit(service, folder, "redo")["captions"]
    refused(PhotoshootError, service.pictures.edit_captions, {"folder": str(folder), "tag": TAG, **body})
    assert edit(service, folder, "redo")["captions"] == before


def test_edits_at_the_same_time_are_all_kept(service: TrainingService, folder: Path) -> None:
    words = [f"word{number}" for number in range(12)]
    threads = [threading.Thread(target=edit, args=(service, folder, "add"), kwargs={"word": word}) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    caption = edit(service, folder, "redo")["captions"]["1.png"]
    assert sorted(caption.split(", ")) == sorted(words)


@pytest.fixture
def captioner(monkeypatch: pytest.MonkeyPatch) -> SlowCaptioner:
    slow = SlowCaptioner()
    monkeypatch.setattr(Captioners, "open", lambda self, name: slow)
    return slow


def caption(service: TrainingService, folder: Path, **more: Any) -> dict[str, Any]:
    return service.pictures.caption({"folder": str(folder), "tag": TAG, "recipe": RECIPE, **more})


def caption_to_end(service: TrainingService) -> dict[str, Any]:
    until(lambda: not service.pictures.caption_state()["busy"])
    return service.pictures.caption_state()


def test_pictures_without_a_caption_get_one(service: TrainingService, folder: Path, captioner: SlowCaptioner) -> None:
    captioner.go.set()
    assert caption(service, folder)["busy"] in (True, False)
    state = caption_to_end(service)
    assert (state["done"], state["of"], state["error"], state["captioner"]) == (3, 3, None, "slow")
    assert state["captions"] == {"0.png": f"{TAG}, the first"} | {
        f"{number}.png": f"{TAG}, a thing, number {number}" for number in (1, 2, 3)
    }
    assert edit(service, folder, "undo")["changed"] == 3


def test_captions_that_are_typed_meanwhile_stay(
    service: TrainingService, folder: Path, captioner: SlowCaptioner
) -> None:
    caption(service, folder)
    assert captioner.begun.wait(10)
    edit(service, folder, "set", name="2.png", text="mine")
    assert refused(RequestError, caption, service, folder).status == 409
    captioner.go.set()
    assert caption_to_end(service)["captions"]["2.png"] == f"{TAG}, mine"


def test_chosen_pictures_are_captioned_anew(service: TrainingService, folder: Path, captioner: SlowCaptioner) -> None:
    captioner.go.set()
    caption(service, folder, anew=True, names=["0.png"])
    assert caption_to_end(service)["captions"] == {
        "0.png": f"{TAG}, a thing, number 1",
        "1.png": "",
        "2.png": "",
        "3.png": "",
    }
    caption(service, folder, names=["none.png"])
    assert "none.png" in caption_to_end(service)["error"]


def test_texts_beside_the_photos_are_taken_on_the_users_word(
    service: TrainingService, folder: Path, captioner: SlowCaptioner
) -> None:
    captioner.go.set()
    captioned(service, folder)
    for number in (0, 1):
        (folder / f"{number}.txt").write_text(f"{TAG}, text {number}", encoding="utf-8")
    problems = service.pictures.check({"folder": str(folder), "recipe": RECIPE})["problems"]
    assert [(one["file"], one["kind"]) for one in problems] == [(f"{n}.png", "caption_conflict") for n in (0, 1)]
    caption(service, folder)
    assert caption_to_end(service)["captions"]["0.png"] == f"{TAG}, thing 0"
    caption(service, folder, take_texts=True, names=["0.png"])
    state = caption_to_end(service)
    assert (state["error"], state["of"], captioner.calls) == (None, 0, 0)
    assert state["captions"] == {"0.png": f"{TAG}, text 0"} | {f"{n}.png": f"{TAG}, thing {n}" for n in (1, 2, 3)}
    problems = service.pictures.check({"folder": str(folder), "recipe": RECIPE})["problems"]
    assert [one["file"] for one in problems] == ["1.png"]
    assert edit(service, folder, "undo")["captions"]["0.png"] == f"{TAG}, thing 0"


def test_an_emptied_caption_takes_the_text_and_not_the_captioners(
    service: TrainingService, folder: Path, captioner: SlowCaptioner
) -> None:
    captioner.go.set()
    captioned(service, folder)
    edit(service, folder, "set", name="0.png", text="")
    (folder / "0.txt").write_text("text 0", encoding="utf-8")
    caption(service, folder, take_texts=True)
    assert caption_to_end(service)["captions"]["0.png"] == f"{TAG}, text 0" and not captioner.calls


def test_a_stopped_captioning_changes_nothing(service: TrainingService, folder: Path, captioner: SlowCaptioner) -> None:
    caption(service, folder)
    assert captioner.begun.wait(10)
    service.pictures.stop_captioning()
    captioner.go.set()
    state = caption_to_end(service)
    assert (state["error"], state["captions"], captioner.calls) == ("The captioning was stopped.", None, 1)
    assert edit(service, folder, "redo")["captions"]["1.png"] == ""


def test_what_a_captioner_lacks_is_said(service: TrainingService, folder: Path) -> None:
    caption(service, folder, captioner="webui")
    assert caption_to_end(service)["error"] == "The host has no captioner."
    caption(service, folder, captioner="blip")
    assert "BLIP" in caption_to_end(service)["error"]
    refused(RequestError, lambda: caption(service, folder, captioner="parrot"))


def test_products_are_looked_for_in_turns(
    service: TrainingService, folder: Path, host: FakeTrainingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    bright = BrightModels()
    monkeypatch.setattr(registry.REGISTRY, "get", lambda choice: bright)
    service.pictures.curate({"folder": str(folder), "tag": TAG, "products": "bag", "margin": 0.2})
    until(lambda: not service.pictures.curate_state()["busy"])
    state = service.pictures.curate_state()
    assert (state["done"], state["of"], state["error"], len(state["pictures"])) == (4, 4, None, 4)
    assert all(set(one) == {"name", "products", "crop"} for one in state["pictures"])
    assert host.asked == ["release"]
    refused(PhotoshootError, service.pictures.curate, {"folder": str(folder), "tag": TAG, "products": ""})


def test_thumbnails(service: TrainingService, folder: Path) -> None:
    made = service.pictures.picture(str(folder), "0.png", 64)
    assert made.data.startswith(b"\xff\xd8\xff")
    assert service.pictures.picture(str(folder), "0.png", 64, made.mark).data == b""
    Image.new("RGB", (300, 100)).save(folder / "0.png")
    assert service.pictures.picture(str(folder), "0.png", 64, made.mark).data
    for name in ("../0.png", "sub/0.png", "..", "", "0.png\0", "C:0.png", "a\\0.png"):
        assert refused(RequestError, service.pictures.picture, str(folder), name, 64).status == 404
    refused(MissingPathError, service.pictures.picture, str(folder), "0.txt", 64)
    for name in ("none.png", "x" * 300 + ".png", "製" * 100 + ".png"):
        refused(MissingPathError, service.pictures.picture, str(folder), name, 64)
    refused(RequestError, service.pictures.picture, str(folder), "0.png", 5)


# Runs.


def test_a_run_from_its_start_to_the_lora_folder(
    service: TrainingService, folder: Path, host: FakeTrainingHost
) -> None:
    captioned(service, folder)
    run = begin(service, folder, leave_out=["3.png"], crops={"0.png": [0, 0, 100.0, 100]})
    name = run["name"]
    assert run["active"] and run["spec"]["images"] == 3 and run["spec"]["total_steps"] == 6
    done = run_to_end(service, name)
    json.dumps(done)
    assert (done["status"]["state"], done["resumable"], done["commands"]) == ("done", False, [])
    assert [one["epoch"] for one in done["results"]] == [1, 2]
    assert [point[0] for point in done["history"]] == list(range(1, 7)) and len(done["history"][0]) == 5
    assert service.runs.listed() == [
        {"name": name, "state": "done", "step": 6, "total": 6, "created": service.controller.run(name).spec().created}
    ]
    until(lambda: host.asked == ["room", "room", "back"], 5)  # before the start and by the watch
    assert "steps:" in service.runs.log(name, 10_000)["text"]
    exported = service.runs.export(name, {"epochs": [2], "weight": 0.8, "notes": "for bags"})
    assert exported == {"exported": [{"epoch": 2, "name": f"{TAG}-02", "copied": True, "notes": []}]}
    card = json.loads((host.lora_folder() / f"{TAG}-02.json").read_text())
    assert (card["activation text"], card["preferred weight"], card["notes"]) == (TAG, 0.8, "for bags")
    assert host.asked[-1] == "refresh"
    refused(TrainingError, service.runs.make_sheet, name)  # no sample was painted
    moved = Path(service.runs.remove(name)["moved_to"])
    assert moved.parent == service.controller.home / "removed" and (moved / "run.json").is_file()
    assert service.runs.listed() == []


def test_a_run_with_values_in_words_and_regularisation_resumes_with_others(
    service: TrainingService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", "slow")
    captioned(service, folder)
    classes = folder.parent / "1_bag"
    classes.mkdir()
    (folder / "3.png").rename(classes / "3.png")
    run = begin(service, folder, regularisation=str(classes), set=["max_train_epochs=20"])
    name = run["name"]
    assert run["spec"]["epochs"] == 20 and run["spec"]["images"] == 3
    assert [path.name for path in service.controller.run(name).dataset.glob("regularisation_*/*.png")] == ["3.png"]
    wrong = {"action": "stop", "set": ["max_grad_norm=0.5"]}
    assert "resume does" in str(refused(RequestError, service.runs.act, name, wrong))
    until(lambda: service.runs.detail(name)["status"]["step"] > 2)
    service.runs.act(name, {"action": "stop"})
    assert run_to_end(service, name)["status"]["state"] == "stopped"
    bad = {"action": "resume", "set": ["resolution=512"]}
    assert "start a new run with it" in str(refused(RequestError, service.runs.act, name, bad))
    lower = {"action": "resume", "recipe": {"max_grad_norm": 0.5}, "set": ["gradient_checkpointing=true"]}
    recipe = service.runs.act(name, lower)["spec"]["recipe"]
    assert (recipe["max_grad_norm"], recipe["gradient_checkpointing"]) == (0.5, True)
    service.runs.act(name, {"action": "cancel"})


def test_one_run_at_a_time_and_what_can_be_done_with_it(
    service: TrainingService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", "slow")
    captioned(service, folder)
    name = begin(service, folder, recipe={**RECIPE, "max_train_epochs": 20}, start=False)["name"]
    assert service.runs.detail(name)["status"]["state"] == "prepared"
    for action in ("pause", "unpause", "stop", "resume"):
        assert refused(RequestError, service.runs.act, name, {"action": action}).status == 409
    assert service.runs.act(name, {"action": "start"})["active"]
    assert refused(RequestError, begin, service, folder).status == 409
    assert refused(RequestError, service.runs.remove, name).status == 409
    assert len(service.runs.listed()) == 1
    service.runs.act(name, {"action": "pause"})
    until(lambda: service.runs.detail(name)["status"]["state"] == "paused")
    service.runs.act(name, {"action": "unpause"})
    until(lambda: service.runs.detail(name)["status"]["step"] > 2)
    service.runs.act(name, {"action": "stop"})
    stopped = run_to_end(service, name)
    assert stopped["status"]["state"] == "stopped" and stopped["resumable"]
    assert service.runs.act(name, {"action": "resume"})["active"]
    assert service.runs.act(name, {"action": "cancel"})["status"]["state"] == "cancelled"
    refused(RequestError, service.runs.act, name, {"action": "fly"})


def test_a_run_is_found_again_by_another_process(
    service: TrainingService, folder: Path, host: FakeTrainingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", "slow")
    captioned(service, folder)
    name = begin(service, folder, recipe={**RECIPE, "max_train_epochs": 20})["name"]
    later = FakeTrainingHost(host.root, host.listed)
    restarted = TrainingService(later, service.controller.home)
    restarted.watch._poll = 0.05
    assert restarted.overview()["active"] == name
    until(lambda: later.asked == ["room"])
    restarted.overview()
    restarted.runs.act(name, {"action": "cancel"})
    until(lambda: later.asked == ["room", "back"], 5)


def test_the_hosts_models_come_back_when_a_run_cannot_start(
    service: TrainingService, folder: Path, host: FakeTrainingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioned(service, folder)

    def start(run: RunFolder) -> None:
        raise TrainingError("No.")

    monkeypatch.setattr(service.controller, "start", start)
    refused(TrainingError, begin, service, folder)
    assert host.asked == ["room", "back"]
    assert service.runs.listed() == [], "it would be the newest run, and never have begun"


def test_a_generation_in_the_middle_of_a_run_is_moved_away_again() -> None:
    class Run:
        polls = 0

        def status(self) -> Any:
            self.polls += 1
            return type("Status", (), {"state": type("State", (), {"active": self.polls < 20})})

    host = FakeTrainingHost(Path(), [])
    RunWatch(host, poll=0.01, again=0.05)._watch(Run())  # type: ignore[arg-type]
    assert host.asked[-1] == "back" and 2 <= host.asked.count("room") <= 6


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"checkpoint": "other"}, 404),
        ({"checkpoint": "/etc/passwd"}, 404),
        ({"leave_out": ["none.png"]}, 422),
        ({"leave_out": "0.png"}, 422),
        ({"crops": {"none.png": [0, 0, 9, 9]}}, 422),
        ({"crops": {"0.png": [0, 0, 145, 9]}}, 422),
        ({"crops": {"0.png": [-1, 0, 9, 9]}}, 422),
        ({"crops": {"0.png": [9, 0, 9, 9]}}, 422),
        ({"crops": {"0.png": [1.5, 0, 2.4, 9]}}, 422),  # no whole pixel wide
        ({"crops": {"0.png": [0, 0, 10**400, 9]}}, 422),
        ({"crops": {"0.png": [0, 0, float("nan"), 9]}}, 422),
        ({"crops": {"0.png": "all"}}, 422),
        ({"crops": []}, 422),
        ({"processes": 0}, 422),
        ({"processes": True}, 422),
        ({"start": "yes"}, 422),
        ({"python": "/bin/sh"}, 422),
        ({"trainer_folder": "/tmp"}, 422),
    ],
)
def test_a_run_that_makes_no_sense_is_not_prepared(
    service: TrainingService, folder: Path, more: dict[str, Any], status: int
) -> None:
    captioned(service, folder)
    assert refused(RequestError, lambda: begin(service, folder, **more)).status == status
    assert service.runs.listed() == []


def test_a_run_needs_captions_and_several_machines_an_address(service: TrainingService, folder: Path) -> None:
    refused(TrainingError, begin, service, folder)
    captioned(service, folder)
    refused(TrainingError, lambda: begin(service, folder, machines=2))
    run = begin(service, folder, machines=2, address="10.0.0.1", processes=2, start=False)
    assert len(run["commands"]) == 2 and "--node_rank 1" in run["commands"][1]


def test_a_folder_with_problems_is_trained_only_if_told(service: TrainingService, folder: Path) -> None:
    captioned(service, folder)
    (folder / "broken.png").write_bytes(b"no picture")
    edit(service, folder, "set", name="1.png", text="no tag")
    error = refused(RequestError, begin, service, folder)
    assert error.status == 409 and str(error).startswith("2 problems were found in the folder")
    assert "1.png" in str(error) and "'anyway'" in str(error)
    assert "broken.png" in str(refused(RequestError, lambda: begin(service, folder, leave_out=["1.png"])))
    assert service.runs.listed() == []
    edit(service, folder, "set", name="2.png", text="")
    refused(TrainingError, begin, service, folder)
    assert begin(service, folder, anyway=True, start=False)["spec"]["images"] == 3, "without the one without a caption"


def test_a_checkpoint_that_is_gone_is_told_before_the_pictures_are_read(
    service: TrainingService, folder: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.unlink()
    monkeypatch.setattr(service.pictures, "look", lambda *_: pytest.fail("the pictures were read"))
    assert "There is no checkpoint" in str(refused(TrainingError, begin, service, folder))


@pytest.mark.parametrize("name", ["", ".", "..", "../runs", "a/b", "a\\b", "none", "a\0b", "a\nb", "C:a"])
def test_names_of_runs_are_no_paths(service: TrainingService, folder: Path, name: str) -> None:
    captioned(service, folder)
    begin(service, folder, start=False)
    for call in (
        lambda: service.runs.detail(name),
        lambda: service.runs.log(name, 100),
        lambda: service.runs.sample(name, "a.png", 64),
        lambda: service.runs.sheet(name, "sheet.png"),
        lambda: service.runs.remove(name),
        lambda: service.runs.act(name, {"action": "start"}),
        lambda: service.runs.export(name, {}),
    ):
        assert refused(RequestError, call).status == 404


def test_samples_and_sheets_are_files_of_the_run(service: TrainingService, folder: Path, tmp_path: Path) -> None:
    captioned(service, folder)
    recipe = {**RECIPE, "sample_prompts": ["a bag"]}
    name = begin(service, folder, recipe=recipe, start=False)["name"]
    run = service.controller.run(name)
    samples = run.out / "sample"
    samples.mkdir()
    picture = f"{TAG}_e000001_00_20260101000000_42.png"
    Image.new("RGB", (64, 64), "red").save(samples / picture)
    assert service.runs.detail(name)["samples"] == [{"epoch": 1, "files": [picture]}]
    assert service.runs.sample(name, picture, 64).data
    refused(RequestError, service.runs.sheet, name, "sheet.png")
    service.runs.make_sheet(name)
    assert service.runs.sheet(name, "sheet.png")[0].read_bytes().startswith(b"\x89PNG")
    assert b"<html" in service.runs.sheet(name, "sheet.html")[0].read_bytes()
    secret = tmp_path / "secret.png"
    Image.new("RGB", (64, 64)).save(secret)
    (samples / "link.png").symlink_to(secret)
    for file in ("link.png", "../../run.json", "none.png", ".."):
        assert refused(RequestError, service.runs.sample, name, file, 64).status == 404
    for file in ("run.json", "status.json", "../sheet.png"):
        assert refused(RequestError, service.runs.sheet, name, file).status == 404


def test_removed_runs_never_replace_each_other(service: TrainingService, folder: Path) -> None:
    captioned(service, folder)
    name = begin(service, folder, start=False)["name"]
    taken = service.controller.home / "removed" / name
    taken.mkdir(parents=True)
    assert service.runs.remove(name)["moved_to"] == f"{taken}-2"


# Pieces.


def test_a_long_history_is_thinned_and_keeps_its_end(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    lines = [json.dumps({"step": step, "loss": 1 / step}) for step in range(1, 1951)]
    run.history_file.write_text("\n".join(lines))
    points = history(run)
    assert len(points) <= 500 and points[-1] == [1950, 1 / 1950, None, None, None]
    assert {b[0] - a[0] for a, b in pairwise(points)} == {4}


def test_a_console_log_as_it_would_look(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    assert console_text(log, 100) == ""
    log.write_bytes("first\nsteps: 1/2\rsteps: 2/2\r\n@photoshoot {}\nlast é".encode())
    assert console_text(log, 1000) == "first\nsteps: 2/2\nlast é"
    assert console_text(log, 12) == "last é"


def test_one_job_at_a_time_and_its_failures_are_sentences() -> None:
    job, go = BackgroundJob("cooking"), threading.Event()
    job.start("soup", lambda state: go.wait(10))
    assert str(refused(RequestError, job.start, "stew", lambda state: None)).startswith("The cooking of soup")
    go.set()
    until(lambda: not job.state.busy)
    assert job.state.result is True

    def burn(state: JobState) -> None:
        raise ValueError("black")

    job.start("stew", burn)
    until(lambda: not job.state.busy)
    assert job.state.error == "The cooking failed (ValueError: black)."


@pytest.mark.parametrize("body", [None, [], "text", 3, {"other": 1}])
def test_a_body_is_an_object_of_known_fields(body: Any) -> None:
    refused(RequestError, Fields, body, ("name",))


def test_a_sheet_of_other_pictures_begins_anew(service: TrainingService, folder: Path) -> None:
    edit(service, folder, "set", name="1.png", text="typed")
    Image.new("RGB", (80, 80)).save(folder / "4.png")
    assert edit(service, folder, "set", name="4.png", text="new")["captions"]["1.png"] == "typed"
