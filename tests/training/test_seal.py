"""A run folder from somebody else starts nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import RunFolder, RunSpec, Status, TrainingState
from lib_photoshoot.training.run.seal import KEY_NAME, is_sealed, seal_of


def spec(*command: str) -> RunSpec:
    return RunSpec(
        name="shoe", tag="", folder="", checkpoint="", images=1, epochs=1, steps_per_epoch=1, command=command
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "shoe")
    folder.path.mkdir(parents=True)
    folder.write_spec(spec("python", "train_network.py"))
    folder.write_status(Status(TrainingState.STOPPED, step=0, total=1, epochs=1))
    return folder


def test_what_this_installation_wrote_is_sealed(run: RunFolder) -> None:
    run.check_seal()
    assert (run.path.parent / KEY_NAME).stat().st_mode & 0o077 == 0


def test_a_strangers_or_changed_run_starts_nothing(run: RunFolder, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(control, "_supervise", lambda *_: pytest.fail("a stranger's command was started"))
    values = json.loads((run.path / "run.json").read_text())
    values["command"] = ["sh", "-c", "touch taken"]
    elsewhere = RunFolder(tmp_path / "others" / "runs" / "shoe")
    shutil.copytree(run.path, elsewhere.path)
    (run.path / "run.json").write_text(json.dumps(values))
    for folder in (run, elsewhere):
        with pytest.raises(TrainingError, match="prepared elsewhere or changed"):
            control.resume(folder)
    # An installation that has a key of its own does not take a seal of another.
    seal_of({}, elsewhere.path.parent)
    with pytest.raises(TrainingError, match="prepared elsewhere"):
        control.resume(elsewhere)
    assert elsewhere.spec().name == "shoe", "it can still be looked at"


def test_an_empty_key_seals_nothing(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).touch()
    assert not is_sealed({"command": [], "seal": seal_of({"command": []}, tmp_path)}, tmp_path)
