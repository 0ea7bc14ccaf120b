"""``python -m lib_photoshoot train``: the commands as a user types them, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lib_photoshoot.cli.main import app
from lib_photoshoot.locks import hold
from lib_photoshoot.training import controller as controllers
from lib_photoshoot.training.controller import TrainingController
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import RunFolder, Status, TrainingState
from lib_photoshoot.training.trainer.environment import (
    FOLDER_VARIABLE,
    PYTHON_VARIABLE,
    Capabilities,
    TrainerEnvironment,
)
from tests.training.conftest import SMALL, Trainer, finish, put_tokenizer

ROOT = Path(__file__).resolve().parents[2]


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lib_photoshoot", "train", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT)


def test_check_tells_counts_and_problems(photos: Path, tmp_path: Path) -> None:
    done = train("check", photos, "--home", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "12 photos, 12 with a caption." in done.stdout
    assert "36 steps an epoch, 360 in all" in done.stdout
    (photos / "03.txt").unlink()
    (photos / "broken.jpg").write_bytes(b"no picture")
    done = train("check", photos, "--home", tmp_path, "--json")
    assert done.returncode == 1
    values = json.loads(done.stdout)
    assert values["uncaptioned"] == ["03.png"]
    assert "broken.jpg" in {problem["file"] for problem in values["problems"]}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "nowhere"], "nowhere"),
        (["check", "{photos}", "--set", "network_dims=4"], "no value called 'network_dims'"),
        (["check", "{photos}", "--set", "network_dim=many"], "Rank"),
        (["check", "{photos}", "--set", "network_dim"], "write it as NAME=VALUE"),
        (["check", "{photos}", "--preset", "fast"], "no preset 'fast'"),
        (["check", "{photos}", "--recipe", "{photos}"], "cannot be read"),
        (["start", "{photos}", "--checkpoint", "gone.safetensors"], "There is no checkpoint"),
        (["start", "{photos}", "--checkpoint", "{checkpoint}"], "There is no folder"),
        (["status"], "no training run"),
        (["export", "--to", "{photos}"], "no training run"),
        (["progress", "--log", "gone.txt"], "cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    fake: Trainer,
    photos: Path,
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (FOLDER_VARIABLE, PYTHON_VARIABLE):  # they would name another trainer
        monkeypatch.delenv(name, raising=False)
    home = [] if arguments[0] == "progress" else ["--home", str(tmp_path / "home")]
    words = [word.replace("{photos}", str(photos)).replace("{checkpoint}", str(fake.checkpoint)) for word in arguments]
    result = CliRunner().invoke(app, ["train", *words, *home])
    assert result.exit_code == 2, result.output
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert not list((tmp_path / "home").rglob("run.json"))


def start(fake: Trainer, photos: Path, home: Path, *more: str) -> Result:
    if not (home / "tokenizers").exists():
        put_tokenizer(home / "tokenizers")
    trainer = ["--sd-scripts", str(fake.environment.sd_scripts), "--python", str(fake.environment.python)]
    small = [f"--set={name}={getattr(SMALL, name)}" for name in ("resolution", "min_bucket_reso", "max_bucket_reso")]
    words = [str(photos), "--checkpoint", str(fake.checkpoint), "--home", str(home), *small, *trainer, *more]
    return CliRunner().invoke(app, ["train", "start", *words])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainerEnvironment]:
    """The trainers that were asked what they can, which takes seconds; they are bare CPUs."""
    asked: list[TrainerEnvironment] = []

    def inspect(environment: TrainerEnvironment) -> Capabilities:
        asked.append(environment)
        return Capabilities(cpu_count=2)

    monkeypatch.setattr(controllers, "inspect", inspect)
    return asked


def test_start_shows_what_check_finds_and_goes_on_only_if_told(
    fake: Trainer, photos: Path, tmp_path: Path, asked: list[TrainerEnvironment], ended: Callable[[RunFolder], None]
) -> None:
    (photos / "00.txt").write_text("no tag here", encoding="utf-8")
    (photos / "01.txt").unlink()
    cut = (photos / "02.png").read_bytes()
    (photos / "02.png").write_bytes(cut[: len(cut) // 2])
    found = CliRunner().invoke(app, ["train", "check", str(photos), "--home", str(tmp_path)])
    findings = [line for line in found.output.splitlines() if line.startswith("problem: ")]
    assert len(findings) == 3
    refused = start(fake, photos, tmp_path)
    assert refused.exit_code == found.exit_code == 1
    assert all(line in refused.output for line in findings) and "--anyway" in refused.output
    assert not asked and not (tmp_path / "runs").exists()
    begun = start(fake, photos, tmp_path, "--anyway")
    assert begun.exit_code == 0 and all(line in begun.output for line in findings)
    (run,) = TrainingController(tmp_path).runs()
    ended(run)
    assert run.spec().images == 10, "without the one that is cut short and the one that has no caption"


def test_a_start_that_is_refused_leaves_no_run(
    fake: Trainer, photos: Path, tmp_path: Path, asked: list[TrainerEnvironment], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fake.prepare(photos, tmp_path)
    with hold(other.lock_file):
        other.write_status(Status(TrainingState.TRAINING))
        refused = start(fake, photos, tmp_path)
        assert refused.exit_code == 2 and "is at work; stop it" in refused.output and not asked
        # Another one began while the photos were looked at.
        monkeypatch.setattr(TrainingController, "check_quiet", lambda self: None)
        assert start(fake, photos, tmp_path).exit_code == 2 and asked
    assert [run.path for run in TrainingController(tmp_path).runs()] == [other.path]
    shutil.rmtree(other.path)
    monkeypatch.setattr(control.subprocess, "Popen", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    assert start(fake, photos, tmp_path).exit_code == 130
    assert not [path for path in (tmp_path / "runs").iterdir() if path.is_dir()]


def test_the_run_at_work_is_meant_where_none_is_named(fake: Trainer, photos: Path, tmp_path: Path) -> None:
    older, newer, decoy = (fake.prepare(photos, tmp_path) for _ in range(3))
    newer.write_status(Status(TrainingState.STOPPED))
    controller = TrainingController(tmp_path)
    assert controller.run().path == newer.path, "what has not begun is not meant"
    with hold(older.lock_file):
        older.write_status(Status(TrainingState.TRAINING))
        assert controller.run().path == older.path
    assert controller.run(decoy.path.name).path == decoy.path


@pytest.mark.parametrize("python", ["gone", __file__])
def test_an_install_that_cannot_be_tells_its_stages_and_an_option_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    from lib_photoshoot.training.trainer import installation

    monkeypatch.setattr(installation, "_need_space", lambda home, needed: None)
    monkeypatch.setattr(installation, "plan_for_this_machine", installation.InstallationPlan)
    source = tmp_path / "sd-scripts"
    source.mkdir()
    (source / "train_network.py").touch()
    words = ["train", "install", "--home", str(tmp_path / "home"), "--source", str(source), "--python", python]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "1% Copying sd-scripts" in result.output and "5% Making a virtual environment" in result.output
    assert "train install --python PATH" in result.output


def test_the_recipe_shown_is_the_originals() -> None:
    shown = json.loads(train("recipe", "--json").stdout)
    assert (shown["network_dim"], shown["network_alpha"], shown["resolution"]) == (16, 8, 768)
    changed = train("recipe", "--set", "flip_aug=true", "--set", "unet_lr=1e-4").stdout
    assert [line.split()[1] for line in changed.splitlines() if line.startswith("*")] == ["flip_aug", "unet_lr"]


def test_progress_prints_one_json_object_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    bar = "\rsteps:  25%|██▌       | 1/4 [00:06<00:18,  6.09s/it, avr_loss=1.18]"
    log.write_text(
        f"\nepoch 1/2\n{bar * 2}\nsaving checkpoint: /out/a-000001.safetensors\n\nepoch 2/2\n", encoding="utf-8"
    )
    lines = [json.loads(line) for line in train("progress", "--log", log).stdout.splitlines()]
    step = next(line for line in lines if "step" in line)
    assert step | {"step": 1, "total": 4, "epoch": 1, "epochs": 2, "loss": 1.18, "seconds_left": 18.0} == step
    assert {"event": "saved", "file": "/out/a-000001.safetensors"} in lines


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_status_stop_resume_and_export(
    fake: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    home = tmp_path / "home"
    run = fake.prepare(photos, home, replace(SMALL, max_train_epochs=40), "slow")
    ended(run)
    control.start(run)
    while run.status().step < 3:
        assert run.status().state.active
    status = json.loads(train("status", "--home", home, "--json").stdout)
    assert status["state"] == "training" and status["step"] >= 3
    assert f"{run.path.name}: paused" in train("pause", "--home", home).stderr
    assert f"{run.path.name}: training" in train("unpause", "--home", home).stderr
    assert "Stopped" in train("stop", "--home", home).stderr
    assert run.status().state is TrainingState.STOPPED
    assert train("stop", "--home", home).returncode == 2
    fake.misbehave(run, "")
    refused = train("resume", "--home", home, "--set", "resolution=512")
    assert refused.returncode == 2 and "'resolution' cannot be changed" in refused.stderr
    lower = ["--set", "gradient_checkpointing=true", "--set", "max_grad_norm=0.5"]
    followed = train("resume", run.path.name, "--home", home, "--follow", *lower)
    assert "--gradient_checkpointing" in run.spec().command and run.spec().recipe["max_grad_norm"] == 0.5
    assert followed.returncode == 0 and "done" in followed.stdout
    lora = tmp_path / "Lora"
    lora.mkdir()
    exported = train("export", "--to", lora, "--epochs", "1,40", "--home", home)
    assert exported.stdout.split() == [str(lora / f"ppzocketv2-{epoch}.safetensors") for epoch in ("01", "40")]
    assert run.path.name in train("runs", "--home", home).stdout


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_a_failed_run_that_is_followed_ends_with_its_cause(
    fake: Trainer, photos: Path, tmp_path: Path, ended: Callable[[RunFolder], None]
) -> None:
    run = fake.prepare(photos, tmp_path, misbehaviour="raise@5")
    ended(run)
    control.start(run)
    finish(run)
    fake.misbehave(run, "full@7")
    done = train("resume", "--follow", "--home", tmp_path)
    assert done.returncode == 2
    assert "disk is full" in done.stderr


def test_the_whole_chain_on_the_real_trainer(real: Trainer, shared_data: Path, tmp_path: Path) -> None:
    """Check, caption, start to a finished LoRA, by command line, on a dozen of the real photos."""
    photos, home, lora = tmp_path / "zwölf Fotos", tmp_path / "home", tmp_path / "Lora"
    photos.mkdir()
    lora.mkdir()
    for path in sorted((shared_data / "product_photos").glob("*.jpg"))[:12]:
        (photos / path.name).write_bytes(path.read_bytes())
    (home / "tokenizers").mkdir(parents=True)
    assert real.environment.tokenizer
    (home / "tokenizers" / "openai_clip-vit-large-patch14").symlink_to(
        real.environment.tokenizer / "openai_clip-vit-large-patch14"
    )
    assert train("check", photos, "--home", home).returncode == 1, "no captions yet"
    captioned = train("caption", photos, "--home", home)
    if captioned.returncode == 3:
        pytest.skip("the embedded weights are absent")
    assert all(": ppzocketv2, a" in line for line in captioned.stdout.splitlines())
    small = ["--preset", "CPU check", "--set", "resolution=64", "--set", "max_bucket_reso=128"]
    started = train(
        "start", photos, "--home", home, "--checkpoint", real.checkpoint, *small, "--follow",
        "--sd-scripts", real.environment.sd_scripts, "--python", real.environment.python,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    (file,) = train("export", "--to", lora, "--home", home).stdout.split()
    assert Path(file).name == "ppzocketv2-01.safetensors"
    assert not [path for path in photos.iterdir() if path.suffix != ".jpg"], "nothing was written beside the photos"
