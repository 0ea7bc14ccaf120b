"""Epochs into a Lora folder: copies, cards, previews, names that are taken, and disks that refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.results import export as export_module
from lib_photoshoot.training.results.epochs import EpochResult, collect
from lib_photoshoot.training.results.export import card, export
from tests.training.test_lora_file import save_lora
from tests.training.test_results import NAME, run_folder, save_epoch


@pytest.fixture
def results(tmp_path) -> tuple[EpochResult, ...]:
    (tmp_path / "out").mkdir()
    return collect(run_folder(tmp_path / "out"), NAME, 10, {10: 0.05831})


@pytest.fixture
def lora_dir(tmp_path) -> Path:
    folder = tmp_path / "Lora"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def save_picture(path: Path, prompt: str = "") -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", prompt)
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(path, pnginfo=info)
    return path


def test_chosen_epochs_with_card_and_preview(results, lora_dir, tmp_path):
    picture = save_picture(tmp_path / "p.PNG", "ppzocketv2, handbag")
    done = export(results, [10, 1, 10], lora_dir, "ppzocketv2", 0.8, "Für Taschen", {10: picture})
    assert [(item.epoch, item.name, item.copied, item.notes) for item in done] == [
        (10, "ppzocketv2-10", True, ()),
        (1, "ppzocketv2-01", True, ()),
    ]
    assert names(lora_dir) == [
        "ppzocketv2-01.json",
        "ppzocketv2-01.safetensors",
        "ppzocketv2-10.json",
        "ppzocketv2-10.png",
        "ppzocketv2-10.safetensors",
    ]
    assert done[0].file.read_bytes() == results[9].file.read_bytes()
    assert results[9].file.exists()
    assert (lora_dir / "ppzocketv2-10.png").read_bytes() == picture.read_bytes()
    assert json.loads((lora_dir / "ppzocketv2-10.json").read_text(encoding="utf8")) == {
        "description": "Epoch 10, 1950 steps, loss 0.0583",
        "sd version": "SD1",
        "activation text": "ppzocketv2",
        "preferred weight": 0.8,
        "negative text": "",
        "notes": "Für Taschen",
    }


def test_a_card_says_only_what_is_known():
    assert card(EpochResult(2, Path("a"), 0, "a"), "tag")["description"] == "Epoch 2"


def test_the_same_file_again_is_already_there(results, lora_dir):
    export(results, [10], lora_dir, "ppzocketv2")
    stamp = (lora_dir / "ppzocketv2-10.safetensors").stat()
    (lora_dir / "ppzocketv2-10.json").unlink()
    again = export(results, [10], lora_dir, "ppzocketv2")[0]
    assert (again.copied, again.notes) == (False, ())
    assert (lora_dir / "ppzocketv2-10.safetensors").stat().st_mtime_ns == stamp.st_mtime_ns
    assert names(lora_dir) == ["ppzocketv2-10.json", "ppzocketv2-10.safetensors"]


def test_another_lora_of_that_name_is_kept_and_a_free_name_given(results, lora_dir):
    other = lora_dir / "ppzocketv2-10.safetensors"
    data = results[9].file.read_bytes()[:-1] + b"x"  # as long, and of the same header
    other.write_bytes(data)
    with pytest.raises(TrainingError, match=r"another LoRA named ppzocketv2-10; .* as ppzocketv2-10-2 \(--rename\)\.$"):
        export(results, [1, 10], lora_dir, "ppzocketv2")
    assert names(lora_dir) == ["ppzocketv2-10.safetensors"]  # epoch 1 was not begun either
    done = export(results, [1, 10], lora_dir, "ppzocketv2", rename=True)
    assert [item.name for item in done] == ["ppzocketv2-01", "ppzocketv2-10-2"]
    assert other.read_bytes() == data
    assert done[1].file.read_bytes() == results[9].file.read_bytes()
    # Once there under the other name, it is found there.
    for rename in (False, True):
        assert [item.copied for item in export(results, [10], lora_dir, "ppzocketv2", rename=rename)] == [False]


def test_the_next_free_name(results, lora_dir):
    for number, end in enumerate(("", "-2", "-3")):
        save_lora(lora_dir / f"ppzocketv2-10{end}.safetensors", value=0.9 + number)
    with pytest.raises(TrainingError, match="as ppzocketv2-10-4"):
        export(results, [10], lora_dir, "ppzocketv2")
    assert export(results, [10], lora_dir, "ppzocketv2", rename=True)[0].name == "ppzocketv2-10-4"


@pytest.mark.parametrize(
    "taken", ["sub/deep/ppzocketv2-10.safetensors", "PPZocketV2-10.safetensors", "ppzocketv2-10.pt"]
)
def test_a_name_is_taken_wherever_and_however_the_webui_would_find_it(results, lora_dir, taken):
    path = lora_dir / taken
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"other")
    with pytest.raises(TrainingError, match="another LoRA named ppzocketv2-10"):
        export(results, [10], lora_dir, "ppzocketv2")
    assert names(lora_dir) == [taken]


def test_the_same_file_in_a_subfolder_is_already_there(results, lora_dir):
    (lora_dir / "mine").mkdir()
    there = lora_dir / "mine" / "ppzocketv2-10.safetensors"
    there.write_bytes(results[9].file.read_bytes())
    assert export(results, [10], lora_dir, "ppzocketv2")[0].file == there
    assert names(lora_dir) == ["mine/ppzocketv2-10.json", "mine/ppzocketv2-10.safetensors"]


def test_links_in_a_circle_end(results, lora_dir):
    (lora_dir / "again").symlink_to(lora_dir, target_is_directory=True)
    (lora_dir / "more").symlink_to(lora_dir, target_is_directory=True)
    assert export(results, [10], lora_dir, "ppzocketv2")[0].copied


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(results, lora_dir, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links")))
    monkeypatch.setattr(export_module, "_names_taken", lambda folder: {})
    (lora_dir / "ppzocketv2-10.safetensors").write_bytes(b"mine")
    with pytest.raises(TrainingError, match="exists by now"):
        export(results, [10], lora_dir, "ppzocketv2")
    assert names(lora_dir) == ["ppzocketv2-10.safetensors"]
    assert (lora_dir / "ppzocketv2-10.safetensors").read_bytes() == b"mine"


def test_without_hard_links(results, lora_dir, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links")))
    done = export(results, [10], lora_dir, "ppzocketv2")
    assert done[0].file.read_bytes() == results[9].file.read_bytes()
    assert names(lora_dir) == ["ppzocketv2-10.json", "ppzocketv2-10.safetensors"]


@pytest.mark.parametrize("preview", ["ppzocketv2-10.png", "ppzocketv2-10.preview.jpeg", "ppzocketv2-10.webp"])
def test_a_users_card_and_preview_are_kept(results, lora_dir, tmp_path, preview):
    (lora_dir / "ppzocketv2-10.json").write_text("{}")
    (lora_dir / preview).write_bytes(b"mine")
    done = export(results, [10], lora_dir, "ppzocketv2", preview={10: save_picture(tmp_path / "p.png")})
    assert done[0].notes == ("The card that was there is kept.", "The preview that was there is kept.")
    assert (lora_dir / "ppzocketv2-10.json").read_text() == "{}"
    assert (lora_dir / preview).read_bytes() == b"mine"
    assert len(names(lora_dir)) == 3


@pytest.mark.parametrize(
    ("file", "said"), [("p.txt", "is no PNG"), ("p.png", "is not a picture"), ("n.png", "not exist")]
)
def test_a_preview_that_is_no_picture_is_left_out(results, lora_dir, tmp_path, file, said):
    (tmp_path / "p.txt").write_text("no picture")
    (tmp_path / "p.png").write_text("no picture")
    done = export(results, [10], lora_dir, "ppzocketv2", preview={10: tmp_path / file})
    assert len(done[0].notes) == 1 and said in done[0].notes[0]
    assert names(lora_dir) == ["ppzocketv2-10.json", "ppzocketv2-10.safetensors"]


def test_what_cannot_be_chosen(results, lora_dir):
    with pytest.raises(TrainingError, match=r"no file of epoch 11; choose from 1, 2, .*, 10\.$"):
        export(results, [1, 11], lora_dir, "ppzocketv2")
    with pytest.raises(TrainingError, match="No epoch was chosen"):
        export(results, [], lora_dir, "ppzocketv2")
    with pytest.raises(TrainingError, match="no finished epoch"):
        export([], [1], lora_dir, "ppzocketv2")
    with pytest.raises(TrainingError, match="no finished epoch"):
        export([EpochResult(2, results[0].file, 100, "a.safetensors", partial=True)], [2], lora_dir, "ppzocketv2")
    assert names(lora_dir) == []


def test_a_file_with_nan_or_gone_is_refused(results, lora_dir):
    save_lora(results[1].file, value=float("nan"))
    results[2].file.unlink()
    with pytest.raises(TrainingError, match=r"ppzocketv2-000002.*NaN"):
        export(results, [1, 2], lora_dir, "ppzocketv2")
    with pytest.raises(TrainingError, match=r"ppzocketv2-000003.*does not exist"):
        export(results, [1, 3], lora_dir, "ppzocketv2")
    assert names(lora_dir) == []


def test_a_missing_folder_is_told(results, tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(TrainingError, match=r"Lora folder .* does not exist; "):
            export(results, [10], folder, "ppzocketv2")


def test_a_read_only_folder_is_told(results, lora_dir):
    lora_dir.chmod(0o555)
    if os.access(lora_dir, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(TrainingError, match="cannot be written"):
        export(results, [10], lora_dir, "ppzocketv2")
    lora_dir.chmod(0o755)
    assert names(lora_dir) == []


def test_a_kernel_folder_that_takes_no_files_is_told(results):
    folder = Path("/proc/self/fdinfo")
    if not folder.is_dir():
        pytest.skip("no /proc here")
    with pytest.raises(TrainingError, match="cannot be written"):
        export(results, [10], folder, "ppzocketv2")


def test_a_full_disk_leaves_nothing_half_written(results, lora_dir):
    resource = pytest.importorskip("resource")
    size = results[9].file.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        with pytest.raises(TrainingError, match=r"ppzocketv2-10.* since the disk is full; .*\.$"):
            export(results, [10], lora_dir, "ppzocketv2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(lora_dir) == []
    assert export(results, [10], lora_dir, "ppzocketv2")[0].copied


def test_an_interrupted_copy_leaves_nothing(results, lora_dir, monkeypatch):
    def interrupted(source, target):
        target.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(export_module, "_copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export(results, [10], lora_dir, "ppzocketv2")
    assert names(lora_dir) == []


def test_names_with_blanks_dots_and_other_scripts(lora_dir, tmp_path):
    save_epoch(tmp_path / "сумка v1.5-000001.safetensors", 1)
    done = export(collect(tmp_path, "сумка v1.5", 3), [1], lora_dir, "сумка", notes="\udcff")
    assert done[0].name == "сумка v1.5-01"
    assert names(lora_dir) == ["сумка v1.5-01.json", "сумка v1.5-01.safetensors"]
    assert json.loads((lora_dir / "сумка v1.5-01.json").read_text(encoding="utf8"))["activation text"] == "сумка"
