"""Whether the trainer will find its tokenizer is known before a start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.trainer.environment import TrainerEnvironment
from lib_photoshoot.training.trainer.tokenizer import check_tokenizer
from tests.training.conftest import Trainer, put_tokenizer

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def environment(tmp_path: Path) -> TrainerEnvironment:
    return TrainerEnvironment(tmp_path, tmp_path, tmp_path / "tokenizers")


def test_offline_without_a_tokenizer_is_told(environment: TrainerEnvironment, tmp_path: Path) -> None:
    cache = {"HF_HOME": str(tmp_path / "hub")}
    with pytest.raises(
        TrainingError, match=r"http://127\.0\.0\.1:9 does not answer; connect .*tokenizers \(with vocab"
    ):
        check_tokenizer(environment, {**cache, "HF_ENDPOINT": NOBODY})
    with pytest.raises(TrainingError, match="HF_HUB_OFFLINE is set"):
        check_tokenizer(replace(environment, tokenizer=None), {**cache, "HF_HUB_OFFLINE": "1"})


def test_a_tokenizer_on_this_machine_needs_no_network(environment: TrainerEnvironment, tmp_path: Path) -> None:
    nowhere = {"HF_ENDPOINT": NOBODY, "HF_HUB_CACHE": str(tmp_path / "hub")}
    snapshot = tmp_path / "hub" / "models--openai--clip-vit-large-patch14" / "snapshots" / "32bd"
    snapshot.mkdir(parents=True)
    (snapshot / "vocab.json").write_text("{}")
    check_tokenizer(environment, nowhere)
    put_tokenizer(tmp_path / "tokenizers")
    check_tokenizer(environment, {"HF_ENDPOINT": NOBODY, "HF_HUB_CACHE": str(tmp_path)})


def test_no_run_is_made_without_one(
    fake: Trainer, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    bare = replace(fake, environment=replace(fake.environment, tokenizer=None))
    with pytest.raises(TrainingError, match="tokenizer is not on this machine"):
        bare.prepare(photos, tmp_path)
    assert not list((tmp_path / "runs").glob("*"))
