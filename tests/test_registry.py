"""The registry: loads once, keeps, replaces and releases."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass

import pytest

from lib_photoshoot import build
from lib_photoshoot.build import DetectorName, ModelChoice, SegmenterName, model_choice
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.registry import ModelRegistry
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.weights import store


class Weights:
    """Something that can be seen to go."""


@dataclass(frozen=True)
class Loaded:
    choice: ModelChoice
    weights: object


@pytest.fixture(autouse=True)
def absent(monkeypatch) -> set[str]:
    """Names of weights that are not there; all others are."""
    names: set[str] = set()

    def find(name: str) -> None:
        if name in names:
            raise WeightsError(f"{name} is absent")

    monkeypatch.setattr(store, "find", find)
    return names


@pytest.fixture
def loads(monkeypatch) -> list[ModelChoice]:
    made: list[ModelChoice] = []

    def load(choice: ModelChoice) -> Loaded:
        made.append(choice)
        return Loaded(choice, Weights())

    monkeypatch.setattr(build, "load_models", load)
    return made


def test_models_are_loaded_once_and_a_threshold_is_no_reason_to_load_again(loads: list[ModelChoice]) -> None:
    models = ModelRegistry()
    first = models.get(ModelChoice())
    strict = models.get(ModelChoice(threshold=0.9))
    assert len(loads) == 1 and strict.weights is first.weights and strict.choice.threshold == 0.9
    models.get(ModelChoice(segmenter=SegmenterName.VIT_B))
    assert len(loads) == 2


def test_released_models_are_gone(loads: list[ModelChoice]) -> None:
    models = ModelRegistry()
    weights = weakref.ref(models.get(ModelChoice()).weights)
    assert models.loaded and models.release() and not models.loaded
    gc.collect()
    assert weights() is None and not models.release()
    models.get(ModelChoice())
    assert len(loads) == 2


def test_other_models_take_the_place_before_they_are_loaded(monkeypatch) -> None:
    models = ModelRegistry()
    held: list[bool] = []
    monkeypatch.setattr(build, "load_models", lambda choice: held.append(models.loaded) or Loaded(choice, None))
    models.get(ModelChoice())
    models.get(ModelChoice(device="cuda:0"))
    assert held == [False, False]


def test_missing_weights_do_not_cost_the_models_that_are_held(loads: list[ModelChoice], absent: set[str]) -> None:
    models = ModelRegistry()
    models.get(ModelChoice())
    absent.add("sam-vit-h")
    with pytest.raises(WeightsError, match="sam-vit-h"):
        models.get(ModelChoice(segmenter=SegmenterName.VIT_H))
    assert models.loaded and len(loads) == 1


def test_auto_takes_grounding_dino_where_its_weights_are(absent: set[str]) -> None:
    absent |= {"groundingdino-swint", "groundingdino-swinb"}
    assert model_choice(FilterSettings(), "cpu").detector is DetectorName.EMBEDDED
    absent.remove("groundingdino-swinb")
    assert model_choice(FilterSettings(), "cpu").detector is DetectorName.GROUNDINGDINO_B
    absent.remove("groundingdino-swint")
    assert build.automatic_detector() == "groundingdino"
    chosen = model_choice(FilterSettings(detector="embedded", threshold=0.4, segmenter="sam-vit-h"), "cuda")
    assert chosen == ModelChoice(DetectorName.EMBEDDED, SegmenterName.VIT_H, "cuda", threshold=0.4)
