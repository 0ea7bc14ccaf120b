"""Whole runs, with our sd-scripts-like trainer in every test run, and with the real one where it is named."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.hook import entry
from lib_photoshoot.training.results.lora_file import read_lora
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import RunFolder, Status, TrainingState
from lib_photoshoot.training.run.processes import processes_of
from lib_photoshoot.training.trainer.launch import Launch
from tests.conftest import ROOT
from tests.training.conftest import SMALL, Trainer, finish

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and process groups of POSIX")


def until(run: RunFolder, holds: Callable[[Status], bool], seconds: float = 240) -> Status:
    """The first status for which it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = run.status()
        if holds(status):
            return status
        assert status.state.active, f"ended as {status.state.value}: {status.message}"
        time.sleep(0.02)
    raise AssertionError(f"not reached in {seconds} s; the status is {status}")


def group(leader: int) -> list[psutil.Process]:
    """The living members of a process group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def tensors(run: RunFolder) -> dict[str, dict[str, np.ndarray]]:
    """All finished epochs' tensors by file name."""
    return {path.name: load_file(path) for path in sorted(run.out.glob("*.safetensors")) if "step" not in path.name}


def same(one: dict[str, dict[str, np.ndarray]], other: dict[str, dict[str, np.ndarray]]) -> bool:
    """Whether two runs made the same files, bit by bit."""
    return one.keys() == other.keys() and all(
        np.array_equal(one[file][name], other[file][name]) for file in one for name in one[file]
    )


def steps(run: RunFolder) -> list[int]:
    """The steps in the run's history."""
    return [line["step"] for line in run.history()]


@pytest.fixture
def undisturbed(trainer: Trainer, photos: Path, tmp_path: Path) -> RunFolder:
    """A run from its beginning to its end."""
    run = trainer.prepare(photos, tmp_path / "home")
    control.start(run)
    assert finish(run).state is TrainingState.DONE
    return run


def test_a_run_from_the_photos_to_the_epochs_files(undisturbed: RunFolder, photos: Path) -> None:
    status, spec = undisturbed.status(), undisturbed.spec()
    assert (status.step, status.total, status.epoch, status.epochs) == (spec.total_steps, spec.total_steps, 3, 3)
    assert status.loss is not None and 0 < status.loss < 5
    assert status.files == ("ppzocketv2-01.safetensors", "ppzocketv2-02.safetensors", "ppzocketv2-03.safetensors")
    assert steps(undisturbed) == list(range(1, spec.total_steps + 1))
    for epoch, name in enumerate(status.files, 1):
        lora = read_lora(undisturbed.out / name)
        assert (lora.epoch, lora.steps) == (epoch, epoch * spec.steps_per_epoch)
    assert len(list(photos.iterdir())) == 24, "the user's folder holds what it held"


def test_stopped_and_resumed_twice_it_makes_the_same_files(
    undisturbed: RunFolder, trainer: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = trainer.prepare(photos, tmp_path / "other", misbehaviour="slow")
    ended(run)
    control.start(run)
    middle = run.spec().steps_per_epoch
    for step in (middle // 2, middle + 2):  # in the first epoch, and in the second
        until(run, lambda status, step=step: status.step >= step)
        control.stop(run)
        stopped = finish(run)
        assert stopped.state is TrainingState.STOPPED
        assert stopped.saved_step == stopped.step >= step
        control.resume(run)
    assert finish(run).state is TrainingState.DONE
    assert steps(run) == list(range(1, run.spec().total_steps + 1)), "no step lost, none done twice"
    assert same(tensors(run), tensors(undisturbed))


@pytest.mark.parametrize("victim", ["trainer", "supervisor", "everything"])
def test_killed_and_resumed_it_makes_the_same_files(
    undisturbed: RunFolder,
    trainer: Trainer,
    photos: Path,
    tmp_path: Path,
    ended: Callable[[RunFolder], None],
    victim: str,
) -> None:
    run = trainer.prepare(photos, tmp_path / "other", misbehaviour="slow")
    ended(run)
    control.start(run)
    wanted = run.spec().steps_per_epoch + 2
    status = until(run, lambda status: status.step >= wanted)
    assert status.trainer and status.supervisor
    if victim in ("supervisor", "everything"):
        os.kill(status.supervisor, signal.SIGKILL)
    if victim in ("trainer", "everything"):
        os.kill(status.trainer, signal.SIGKILL)
    killed = finish(run)
    expected = TrainingState.FAILED if victim == "trainer" else TrainingState.INTERRUPTED
    assert killed.state is expected
    assert "resume" in killed.message
    control.resume(run)
    done = finish(run)
    assert done.state is TrainingState.DONE, done.message
    assert steps(run) == list(range(1, run.spec().total_steps + 1))
    assert same(tensors(run), tensors(undisturbed))


def test_killed_again_and_again_at_any_moment_it_makes_the_same_files(
    fake: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    whole = fake.prepare(photos, tmp_path / "home")
    control.start(whole)
    assert finish(whole).state is TrainingState.DONE
    run = fake.prepare(photos, tmp_path / "other", replace(SMALL, state_every_steps=5), "slow")
    ended(run)
    random = Random(4)
    status = control.start(run)
    for _ in range(8):
        time.sleep(random.uniform(0.1, 2.5))
        status = run.status()
        victims = [process.pid for process in processes_of(run.path)] + [status.supervisor] * run.supervised
        for victim in random.sample(victims, random.randint(0, len(victims))) or victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        if finish(run).state is TrainingState.DONE:
            break
        control.resume(run)
    assert finish(run).state is TrainingState.DONE, status.message
    assert steps(run) == list(range(1, run.spec().total_steps + 1))
    assert same(tensors(run), tensors(whole))


def test_without_its_supervisor_a_trainer_saves_its_state_and_ends(
    trainer: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = trainer.prepare(photos, tmp_path, replace(SMALL, max_train_epochs=30), "slow")
    ended(run)
    control.start(run)
    status = until(run, lambda status: status.step >= 3)
    assert status.trainer and status.supervisor
    os.kill(status.supervisor, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while processes_of(run.path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(run.path)
    assert run.saved_step() >= status.step


def test_cancel_ends_every_child_within_five_seconds(
    trainer: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = trainer.prepare(photos, tmp_path, replace(SMALL, max_train_epochs=30), "slow,orphan")
    ended(run)
    control.start(run)
    status = until(run, lambda status: status.step >= 2)
    members = processes_of(run.path)
    assert group(status.trainer)
    assert len(members) >= (1 if trainer.real else 3)
    began = time.monotonic()
    cancelled = control.cancel(run)
    assert time.monotonic() - began < 5
    assert cancelled.state is TrainingState.CANCELLED
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in members)
    assert not group(status.trainer)


def test_a_hanging_trainer_is_cancelled_within_five_seconds(
    fake: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="hang@5")
    ended(run)
    control.start(run)
    until(run, lambda status: status.step == 4)
    began = time.monotonic()
    assert control.cancel(run).state is TrainingState.CANCELLED
    assert time.monotonic() - began < 5


def test_pause_halts_and_going_on_goes_on(
    trainer: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = trainer.prepare(photos, tmp_path, replace(SMALL, max_train_epochs=20), "slow")
    ended(run)
    control.start(run)
    until(run, lambda status: status.step >= 2)
    control.pause(run)
    paused = until(run, lambda status: status.state is TrainingState.PAUSED)
    end = time.monotonic() + 10
    while psutil.Process(paused.trainer).status() != psutil.STATUS_STOPPED:  # the system takes a moment to halt it
        assert time.monotonic() < end
        time.sleep(0.02)
    paused = run.status()
    time.sleep(1)
    assert run.status().step <= paused.step + 1  # one may have been on its way
    control.unpause(run)
    until(run, lambda status: status.step > paused.step + 2)
    control.pause(run)
    until(run, lambda status: status.state is TrainingState.PAUSED)
    control.stop(run)  # wakes it
    assert finish(run).state is TrainingState.STOPPED


@pytest.mark.parametrize(
    ("misbehaviour", "sentence"),
    [
        ("nan@14", "loss was not a number at step 14"),
        ("raise@5", "memory is not enough"),
        ("full@5", "disk is full"),
        ("die@5", "SIGKILL"),
        ("nofile", "without the last epoch's file"),
        ("empty", "found no pictures"),
    ],
)
def test_a_failed_run_says_its_real_cause(
    fake: Trainer, photos: Path, tmp_path: Path, misbehaviour: str, sentence: str
) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour=misbehaviour)
    control.start(run)
    status = finish(run)
    assert status.state is TrainingState.FAILED
    assert sentence in status.message
    assert "exit status" not in status.message


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no permission to mount a small tmpfs")
    try:
        run = fake.prepare(photos, disk, misbehaviour="slow")
        control.start(run)
        until(run, lambda status: status.step >= 14)
        filler = disk / "filler"
        with open(filler, "wb") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        status = finish(run)
        assert status.state is TrainingState.FAILED and "disk is full" in status.message
        filler.unlink()
        control.resume(run)
        assert finish(run).state is TrainingState.DONE
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def test_after_a_loss_that_is_no_number_the_last_state_resumes(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="nan@14")
    control.start(run)
    failed = finish(run)
    assert failed.saved_step == 12 and failed.files == ("ppzocketv2-000001.safetensors",)
    fake.misbehave(run, "")
    control.resume(run)
    assert finish(run).state is TrainingState.DONE


def test_a_second_start_and_a_wish_for_a_run_that_ended_are_refused(undisturbed: RunFolder) -> None:
    for refused in (control.start, control.resume, control.stop, control.pause):
        with pytest.raises(TrainingError, match="done"):
            refused(undisturbed)


def test_the_real_epochs_files_hold_what_the_webui_lists(real: Trainer, photos: Path, tmp_path: Path) -> None:
    run = real.prepare(photos, tmp_path, replace(SMALL, max_train_epochs=1))
    control.start(run)
    assert finish(run).state is TrainingState.DONE
    lora = read_lora(run.out / "ppzocketv2-01.safetensors")
    assert lora.rank == 4
    assert lora.activation_tag == "ppzocketv2"


def test_steps_are_counted_as_the_trainer_counts(trainer: Trainer, photos: Path, tmp_path: Path) -> None:
    """The bar's total is the trainer's own; the run's comes from our buckets."""
    (photos / "00.png").rename(photos / "left out.gif")
    run = trainer.prepare(photos, tmp_path, replace(SMALL, max_train_epochs=1, num_repeats=1))
    control.start(run)
    assert finish(run).state is TrainingState.DONE
    printed = run.console_log.read_bytes().decode("utf-8", "replace")
    assert f"学習ステップ数: {run.spec().total_steps}" in printed
    assert run.spec().total_steps == 6


def test_two_processes_share_the_batches_stop_and_go_on(
    real: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    recipe = replace(SMALL, max_train_epochs=2)
    run = real.prepare(photos, tmp_path, recipe, launch=Launch(processes=2))
    ended(run)
    assert run.spec().steps_per_epoch == 6, "12 batches for two"
    control.start(run)
    until(run, lambda status: status.step >= 4)
    control.stop(run)
    stopped = finish(run)
    assert stopped.state is TrainingState.STOPPED, stopped.message
    control.resume(run)
    done = finish(run, 240)
    assert done.state is TrainingState.DONE, done.message
    assert steps(run) == list(range(1, 13))
    assert list(tensors(run)) == ["ppzocketv2-01.safetensors", "ppzocketv2-02.safetensors"]


def test_without_the_hook_a_run_goes_on_at_the_end_of_an_epoch(
    trainer: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = trainer.prepare(photos, tmp_path, misbehaviour="slow", hook=False)
    ended(run)
    control.start(run)
    an_epoch = run.spec().steps_per_epoch
    for saved in (an_epoch, 2 * an_epoch):  # twice in a row, which sd-scripts' own count does not survive
        until(run, lambda status, saved=saved: status.step >= saved + 2)
        assert control.cancel(run).saved_step == saved
        control.resume(run)
    done = finish(run)
    assert done.state is TrainingState.DONE, done.message
    assert done.step == run.spec().total_steps
    assert done.files == ("ppzocketv2-01.safetensors", "ppzocketv2-02.safetensors", "ppzocketv2-03.safetensors")


def test_a_run_outlives_the_process_that_started_it(
    fake: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="slow")
    ended(run)
    code = (
        "import sys, pathlib; from lib_photoshoot.training.run import control; "
        "from lib_photoshoot.training.run.folder import RunFolder; "
        "control.start(RunFolder(pathlib.Path(sys.argv[1]))); import os; os.kill(os.getpid(), 9)"
    )
    root = ROOT
    subprocess.run([sys.executable, "-c", code, str(run.path)], cwd=root, check=False)
    until(run, lambda status: status.step >= 3)
    control.stop(run)
    assert finish(run).state is TrainingState.STOPPED


def test_a_state_that_was_cut_short_is_passed_over(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="raise@14")
    control.start(run)
    finish(run)
    assert run.saved_step() == 12
    whole = next(run.states.iterdir())
    shutil.copytree(whole, run.states / "step-00000013.part")
    (run.states / "step-00000014").mkdir()
    assert run.saved_step() == 12


def test_a_shorter_file_in_the_newest_state_leaves_the_one_before_it(
    fake: Trainer, photos: Path, tmp_path: Path
) -> None:
    """As a power cut leaves it, of a file that was not on the disk yet."""
    run = fake.prepare(photos, tmp_path, replace(SMALL, state_every_steps=10), "raise@23")
    control.start(run)
    assert finish(run).saved_step == 20
    model = run.states / "step-00000020" / "model.safetensors"
    os.truncate(model, model.stat().st_size - 1)
    assert run.saved_step() == 12
    fake.misbehave(run, "")
    control.resume(run)
    assert finish(run).state is TrainingState.DONE
    assert steps(run) == list(range(1, 37))


def test_a_stranger_with_the_trainers_number_lives_on(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="raise@5")
    control.start(run)
    failed = finish(run)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        run.write_status(replace(failed, trainer=stranger.pid, supervisor=stranger.pid))
        control.cancel(run)
        fake.misbehave(run, "")
        control.resume(run)
        assert finish(run).state is TrainingState.DONE
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_run_has_one_supervisor(
    fake: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="hang@2")
    ended(run)
    control.start(run)
    command = [sys.executable, "-m", "lib_photoshoot.training.run.supervisor", str(run.path), "--resume"]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert second.returncode and "has a supervisor already" in second.stderr
    assert run.status().attempts == 1


def test_what_was_finished_and_not_told_is_not_trained_again(undisturbed: RunFolder) -> None:
    printed = undisturbed.console_log.stat().st_size
    undisturbed.write_status(replace(undisturbed.status(), state=TrainingState.TRAINING))
    end = time.monotonic() + 20
    while undisturbed.status().state is not TrainingState.INTERRUPTED:  # its supervisor takes a moment to be gone
        assert time.monotonic() < end
        time.sleep(0.05)
    control.resume(undisturbed)
    assert finish(undisturbed).state is TrainingState.DONE
    assert undisturbed.console_log.stat().st_size == printed


def test_a_run_whose_folder_takes_no_wish_is_cancelled_all_the_same(
    fake: Trainer, photos: Path, tmp_path: Path
) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="hang@2")
    (run.path / "control").write_text("no folder")
    control.start(run)
    until(run, lambda status: status.step == 1)
    with pytest.raises(TrainingError, match="cannot be written"):
        control.stop(run)
    control.cancel(run)
    assert not processes_of(run.path)
    assert finish(run, 10).state is TrainingState.FAILED


def test_two_states_of_one_step_are_one(tmp_path: Path) -> None:
    folder = entry.StateFolder(tmp_path / "state")

    def save(path: str) -> None:
        Path(path).mkdir()
        (Path(path) / "model").write_text("weights")

    for step in (6, 12, 12, 18):
        folder.save({"step": step}, {}, save)
        newest = json.loads((folder.folder / f"step-{step:08d}" / "position.json").read_text())
        assert newest["files"]["model"] == 7
    assert sorted(path.name for path in folder.folder.iterdir()) == ["step-00000012", "step-00000018"]


@pytest.mark.parametrize("hook", [True, False])
def test_a_trainer_that_counts_otherwise_is_ended(trainer: Trainer, photos: Path, tmp_path: Path, hook: bool) -> None:
    """As one does that passes a picture over: the run would end with less than was told."""
    run = trainer.prepare(photos, tmp_path, misbehaviour="slow", hook=hook)
    (run.dataset / "03.png").rename(run.dataset / "03.Png")
    control.start(run)
    failed = finish(run)
    assert failed.state is TrainingState.FAILED
    assert failed.message.startswith("The trainer counts 22 pictures with their repeats, and 24 were prepared")
    assert failed.step < 12 and not failed.files


def test_a_run_that_lacked_only_the_word_that_it_is_finished_keeps_all_its_steps(undisturbed: RunFolder) -> None:
    planned = undisturbed.spec().total_steps
    undisturbed.write_status(replace(undisturbed.status(), state=TrainingState.TRAINING, step=planned - 1))
    control.resume(undisturbed)
    assert finish(undisturbed).state is TrainingState.DONE
    assert steps(undisturbed) == list(range(1, planned + 1))


def test_steps_done_are_those_that_were_told_and_not_the_plan(undisturbed: RunFolder) -> None:
    """The power went between the last file and the word that it is there."""
    planned = undisturbed.spec().total_steps
    log = undisturbed.console_log.read_bytes().splitlines(keepends=True)
    told = (f'"step": {planned - 1},'.encode(), f'"step": {planned},'.encode())
    undisturbed.console_log.write_bytes(b"".join(line for line in log if not any(words in line for words in told)))
    undisturbed.write_status(replace(undisturbed.status(), state=TrainingState.TRAINING, step=planned - 5))
    control.resume(undisturbed)
    done = finish(undisturbed)
    assert (done.state, done.step, done.total) == (TrainingState.DONE, planned - 2, planned)
    assert f"told of {planned - 2} steps, and {planned} were planned" in done.message
