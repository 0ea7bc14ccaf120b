"""Models that the user brings as a folder: where they are looked for, and what is said where they are not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib_photoshoot import build
from lib_photoshoot.detection import transformers_models
from lib_photoshoot.detection.transformers_models import check_transformers, transformers_is
from lib_photoshoot.errors import PackagesError, WeightsError
from lib_photoshoot.examples import second
from lib_photoshoot.model_names import DETECTORS, DetectorName
from lib_photoshoot.weights.hub_models import HUB_MODELS, find_hub_model


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def put(folder: Path, model_type: str = "mm-grounding-dino", *files: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    for name in files or ("model.safetensors",):
        (folder / name).write_bytes(b"")
    return folder


def refusal(name: str) -> str:
    with pytest.raises(WeightsError) as error:
        find_hub_model(name)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".")
    return text


@pytest.mark.parametrize("name", HUB_MODELS)
def test_who_has_none_is_told_how_to_get_it(name: str, folders: Path) -> None:
    text = refusal(name)
    model = HUB_MODELS[name]
    assert f"hf download {model.repository} --local-dir {folders / 'models' / name}" in text
    assert model.licence in text
    assert ("ask its owner" in text) == model.gated


def test_our_own_folder_comes_before_the_hubs_cache(folders: Path) -> None:
    cached = put(folders / "hub" / "models--iSEE-Laboratory--llmdet_base" / "snapshots" / "abc")
    put(folders / "hub" / "models--somebody--llmdet_base" / "snapshots" / "abc")
    assert find_hub_model("llmdet") == cached
    newer = put(folders / "hub" / "models--iSEE-Laboratory--llmdet_tiny" / "snapshots" / "def")
    os.utime(cached, (1, 1))
    assert find_hub_model("llmdet") == newer
    own = put(folders / "models" / "llmdet", "mm-grounding-dino", "model.safetensors.index.json")
    assert find_hub_model("llmdet") == own
    assert "mm-groundingdino is not in" in refusal("mm-groundingdino")


def test_a_folder_that_cannot_be_it_says_why(folders: Path) -> None:
    place = put(folders / "models" / "mm-groundingdino", "grounding-dino")
    assert "kind 'grounding-dino'" in refusal("mm-groundingdino")
    (place / "config.json").write_text("no JSON")
    assert "no config.json" in refusal("mm-groundingdino")
    (place / "config.json").write_text('{"model_type": "mm-grounding-dino"}')
    (place / "model.safetensors").rename(place / "pytorch_model.bin")
    assert "has no model.safetensors" in refusal("mm-groundingdino")  # a pickle is none
    put(folders / "models" / "sam3", "sam3_video")
    assert "has no vocab.json and no merges.txt" in refusal("sam3")


@pytest.mark.parametrize(
    ("there", "least", "fine"),
    [("4.30.2", (4, 55), False), ("4.55.0", (4, 55), True), ("5.0.0rc1", (5, 0), True), ("", (4, 55), False)],
)
def test_an_older_library_is_one_sentence(
    there: str, least: tuple[int, int], fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_models, "_installed", lambda: there)
    assert transformers_is(least) == fine
    if fine:
        check_transformers(least, "llmdet")
        return
    with pytest.raises(PackagesError, match=f"llmdet needs transformers 4.55 or newer, .*{there}"):
        check_transformers(least, "llmdet")


def test_a_folder_makes_its_detector_the_automatic_one(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_models, "_installed", lambda: "5.1")
    monkeypatch.setattr("lib_photoshoot.weights.store.find", _only("bert-vocab"))
    assert build.automatic_detector() == "embedded"
    place = put(folders / "models" / "llmdet")
    assert build.automatic_detector() == "llmdet"
    assert build.snapshot_of(DetectorName.LLMDET) == place
    assert build.snapshot_of(DetectorName.EMBEDDED) is None
    monkeypatch.setattr(transformers_models, "_installed", lambda: "4.30.2")
    assert build.automatic_detector() == "embedded"
    with pytest.raises(PackagesError):
        build.snapshot_of(DetectorName.LLMDET)


def _only(there: str):
    def find(name: str) -> Path:
        if name != there:
            raise WeightsError(f"{name} is not there.")
        return Path(name)

    return find


def test_the_registry_names_models_that_are_known() -> None:
    brought = {entry.snapshot for entry in DETECTORS.values() if entry.snapshot}
    assert {*brought, second.FOLDER} == set(HUB_MODELS)
    assert all(entry.transformers for entry in DETECTORS.values() if entry.snapshot)
