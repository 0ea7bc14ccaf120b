"""A run's output folder: sd-scripts' names to epochs, and renaming that can be interrupted anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.results.epochs import collect, move_new, rename, scan, target_name
from tests.training.test_lora_file import save_lora

NAME = "ppzocketv2"


def run_folder(out: Path, epochs: int = 10, per_epoch: int = 195) -> Path:
    """What sd-scripts leaves after a whole run; each epoch's weights differ."""
    for epoch in range(1, epochs + 1):
        tail = "" if epoch == epochs else f"-{epoch:06d}"
        save_epoch(out / f"{NAME}{tail}.safetensors", epoch, epochs, per_epoch)
    (out / f"{NAME}-state").mkdir()
    return out


def save_epoch(path: Path, epoch: int, epochs: int = 10, per_epoch: int = 195) -> Path:
    return save_lora(
        path,
        value=epoch / 100,
        ss_epoch=epoch,
        ss_steps=epoch * per_epoch,
        ss_num_epochs=epochs,
        ss_max_train_steps=epochs * per_epoch,
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_the_files_of_a_whole_run(tmp_path):
    results = collect(run_folder(tmp_path), NAME, 10, {10: 0.0583})
    assert [(result.epoch, result.steps) for result in results] == [(n, n * 195) for n in range(1, 11)]
    assert results[0].file.name == "ppzocketv2-000001.safetensors"
    assert results[9].file.name == "ppzocketv2.safetensors"
    assert results[9].target_name == "ppzocketv2-10.safetensors"
    assert (results[8].loss, results[9].loss) == (None, 0.0583)
    assert not any(result.partial for result in results)


@pytest.mark.parametrize(
    ("epoch", "epochs", "expected"),
    [(1, 1, "n-01"), (9, 10, "n-09"), (10, 10, "n-10"), (7, 99, "n-07"), (7, 100, "n-007"), (120, 10, "n-120")],
)
def test_names_for_the_user(epoch, epochs, expected):
    assert target_name("n", epoch, epochs) == f"{expected}.safetensors"


def test_other_files_are_not_the_runs(tmp_path):
    run_folder(tmp_path, 1)
    for other in (
        "ppzocketv2-1",
        "ppzocketv2-01.backup",
        "ppzocketv20-000001",
        "ppzocketv2-step1",
        "Xppzocketv2-000001",
        "ppzocketv2-000001-state",
    ):
        save_epoch(tmp_path / f"{other}.safetensors", 3)
    save_epoch(tmp_path / "ppzocketv2-000003Xsafetensors", 3)
    (tmp_path / "ppzocketv2-000004.safetensors").mkdir()
    found = scan(tmp_path, NAME, 1)
    assert [result.file.name for result in found.results] == ["ppzocketv2.safetensors"]
    assert found.problems == ()


def test_a_name_with_signs_is_taken_literally(tmp_path):
    save_epoch(tmp_path / "a+(b).v2-000001.safetensors", 1)
    assert [result.target_name for result in collect(tmp_path, "a+(b).v2", 3)] == ["a+(b).v2-01.safetensors"]


def test_the_unnumbered_file_is_the_epoch_that_its_header_says(tmp_path):
    # As when a finished run of 10 epochs is resumed up to 15 and ends early.
    save_epoch(tmp_path / f"{NAME}.safetensors", 10)
    save_epoch(tmp_path / f"{NAME}-000011.safetensors", 11, 15)
    assert [result.target_name for result in collect(tmp_path, NAME, 15)] == [
        "ppzocketv2-10.safetensors",
        "ppzocketv2-11.safetensors",
    ]


def test_the_unnumbered_file_without_an_epoch_is_told_and_left(tmp_path):
    save_lora(tmp_path / f"{NAME}.safetensors")
    found = rename(tmp_path, NAME, 10)
    assert found.results == ()
    assert len(found.problems) == 1 and "does not say which epoch" in found.problems[0]
    assert names(tmp_path) == ["ppzocketv2.safetensors"]


def test_steps_are_right_after_a_resume(tmp_path):
    # sd-scripts 0.10.1 counts from the resume: a real run of 2 steps an epoch left "2" in epoch 2 and "4" in epoch 3.
    for epoch, counted, tail in ((1, 2, "-000001"), (2, 2, "-000002"), (3, 4, "")):
        save_lora(
            tmp_path / f"{NAME}{tail}.safetensors",
            ss_epoch=epoch,
            ss_steps=counted,
            ss_num_epochs=3,
            ss_max_train_steps=6,
        )
    assert [result.steps for result in collect(tmp_path, NAME, 3)] == [2, 4, 6]


@pytest.mark.parametrize(
    ("metadata", "steps"),
    [
        ({"ss_steps": 30}, 30),
        ({"ss_steps": 30, "ss_num_epochs": 3, "ss_max_train_steps": 100}, 30),
        ({"ss_steps": 30, "ss_num_epochs": 0, "ss_max_train_steps": 100}, 30),
        ({}, 0),
    ],
)
def test_steps_as_the_file_says_where_nothing_better_is_known(tmp_path, metadata, steps):
    save_lora(tmp_path / f"{NAME}-000001.safetensors", **metadata)
    assert collect(tmp_path, NAME, 3)[0].steps == steps


def test_a_file_saved_within_an_epoch_is_partial_and_keeps_its_name(tmp_path):
    run_folder(tmp_path, 3, per_epoch=60)
    # There sd-scripts writes the number of finished epochs.
    save_lora(tmp_path / f"{NAME}-step00000100.safetensors", ss_epoch=1, ss_steps=100)
    partial = [(r.epoch, r.steps, r.target_name) for r in rename(tmp_path, NAME, 3).results if r.partial]
    assert partial == [(2, 100, "ppzocketv2-step00000100.safetensors")]
    assert [result.epoch for result in collect(tmp_path, NAME, 3)] == [1, 2, 2, 3]
    assert "ppzocketv2-step00000100.safetensors" in names(tmp_path)


def test_renaming_and_doing_it_again(tmp_path):
    run_folder(tmp_path)
    before = {result.epoch: result.file.read_bytes() for result in collect(tmp_path, NAME, 10)}
    expected = [f"ppzocketv2-{n:02d}.safetensors" for n in range(1, 11)]
    for _ in range(2):
        found = rename(tmp_path, NAME, 10, {1: 0.1})
        assert found.problems == ()
        assert [result.file.name for result in found.results] == expected
        assert found.results[0].loss == 0.1
        assert names(tmp_path) == expected
    assert {result.epoch: result.file.read_bytes() for result in collect(tmp_path, NAME, 10)} == before
    assert collect(tmp_path, NAME, 10)[3].steps == 780


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("call", ["link", "open", "unlink", "replace"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("turn", [1, 2])
def test_renaming_survives_an_interruption_at_any_point(tmp_path, monkeypatch, links, call, when, turn):
    run_folder(tmp_path, 3)
    before = {result.epoch: result.file.read_bytes() for result in collect(tmp_path, NAME, 3)}
    real = {name: getattr(os, name) for name in ("link", "open", "unlink", "replace")}
    turns = 0

    def refuse(*_args, **_options):
        raise PermissionError(1, "Operation not permitted")

    def interrupted(*args, **options):
        nonlocal turns
        turns += 1
        if turns != turn:
            return real[call](*args, **options)
        if when == "after":
            real[call](*args, **options)
        raise SystemExit  # the process ends here: not even clean-up runs

    if not links:
        real["link"] = refuse
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", real["link"])
        patch.setattr(os, call, interrupted)
        try:
            rename(tmp_path, NAME, 3)
        except SystemExit:
            assert turns == turn
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", real["link"])
        found = rename(tmp_path, NAME, 3)
    assert found.problems == ()
    assert names(tmp_path) == [f"ppzocketv2-{n:02d}.safetensors" for n in (1, 2, 3)]
    assert {result.epoch: result.file.read_bytes() for result in found.results} == before


def test_both_names_on_one_file_are_finished(tmp_path):
    source = save_epoch(tmp_path / f"{NAME}-000001.safetensors", 1)
    os.link(source, tmp_path / f"{NAME}-01.safetensors")
    assert len(collect(tmp_path, NAME, 10)) == 1
    assert rename(tmp_path, NAME, 10).problems == ()
    assert names(tmp_path) == ["ppzocketv2-01.safetensors"]


def test_an_empty_place_is_filled(tmp_path):
    data = save_epoch(tmp_path / f"{NAME}-000001.safetensors", 1).read_bytes()
    (tmp_path / f"{NAME}-01.safetensors").touch()
    assert rename(tmp_path, NAME, 10).problems == ()
    assert (tmp_path / f"{NAME}-01.safetensors").read_bytes() == data
    assert names(tmp_path) == ["ppzocketv2-01.safetensors"]


@pytest.mark.parametrize("links", [True, False])
def test_another_file_is_never_replaced(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links")))
    new = save_epoch(tmp_path / f"{NAME}-000006.safetensors", 6)
    old = save_lora(tmp_path / f"{NAME}-06.safetensors", value=0.9)
    data = old.read_bytes()
    found = rename(tmp_path, NAME, 10)
    # The one under sd-scripts' own name is newer: a resumed run has done the epoch again.
    assert [result.file for result in found.results] == [new]
    assert len(found.problems) == 1 and "another ppzocketv2-06.safetensors" in found.problems[0]
    assert old.read_bytes() == data and new.exists()


def test_broken_files_stay_and_are_told(tmp_path):
    run_folder(tmp_path, 4)
    broken = tmp_path / f"{NAME}-000002.safetensors"
    broken.write_bytes(broken.read_bytes()[:-10])
    (tmp_path / f"{NAME}-000003.safetensors").write_bytes(b"")
    found = rename(tmp_path, NAME, 4)
    assert [result.epoch for result in found.results] == [1, 4]
    assert ["is incomplete" in text or "is empty" in text for text in found.problems] == [True, True]
    assert names(tmp_path) == [
        "ppzocketv2-000002.safetensors",
        "ppzocketv2-000003.safetensors",
        "ppzocketv2-01.safetensors",
        "ppzocketv2-04.safetensors",
    ]


def test_a_broken_file_does_not_hide_the_renamed_one(tmp_path):
    good = save_epoch(tmp_path / f"{NAME}-02.safetensors", 2)
    (tmp_path / f"{NAME}-000002.safetensors").write_bytes(good.read_bytes()[:100])
    assert [result.file for result in collect(tmp_path, NAME, 10)] == [good]


def test_names_get_a_third_digit_when_a_run_is_extended(tmp_path):
    save_epoch(tmp_path / f"{NAME}-07.safetensors", 7)
    assert [result.file.name for result in rename(tmp_path, NAME, 100).results] == ["ppzocketv2-007.safetensors"]


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(TrainingError, match=r"folder .*nowhere cannot be read"):
        collect(tmp_path / "nowhere", NAME, 10)
    assert scan(tmp_path, NAME, 10).results == ()


def test_a_file_that_cannot_be_renamed_is_told(tmp_path, monkeypatch):
    save_epoch(tmp_path / f"{NAME}-000001.safetensors", 1)

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "open", refuse)
    found = rename(tmp_path, NAME, 10)
    assert len(found.results) == 1 and "Permission denied" in found.problems[0]


def test_a_failed_move_leaves_no_empty_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("a")
    fail = lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error"))  # noqa: E731
    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="Input/output"):
        move_new(tmp_path / "a", tmp_path / "b")
    assert names(tmp_path) == ["a"]
