"""A host that manages its memory itself, asked for room and told to move away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib_photoshoot.registry import REGISTRY, ModelRegistry
from tests.webui.hosts.a1111.conftest import bag, generate
from tests.webui.standin.host import StandIn


@dataclass
class Held:
    """Loaded models, as far as the registry looks at them."""

    choice: Any


def manager() -> Any:
    from backend import memory_management

    return memory_management


def test_detection_stays_off_a_gpu_that_is_short(forge: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    forge.shared.opts.data["photoshoot_device"] = "auto"
    assert A1111Host().detector_device() == "auto"
    monkeypatch.setattr(manager(), "vram_state", manager().VRAMState.NO_VRAM)
    assert A1111Host().detector_device() == "cpu"


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What happens while models are loaded: of files of 1000 bytes, onto a GPU that is only said to be there."""
    from lib_photoshoot import build
    from lib_photoshoot.weights import store

    file = tmp_path / "file"
    file.write_bytes(bytes(1000))
    seen: list[Any] = []
    monkeypatch.setattr(store, "find", lambda name: file)
    monkeypatch.setattr(build, "snapshot_of", lambda detector: None)
    monkeypatch.setattr(build, "resolve_device", lambda device: device.replace("auto", "cuda"))
    monkeypatch.setattr(build, "load_models", lambda choice: seen.append("loaded") or Held(choice))
    return seen


def test_somebody_is_asked_for_room_before_models_go_to_the_gpu(order: list[Any]) -> None:
    from lib_photoshoot import build

    registry = ModelRegistry()
    registry.ask_for_room_by(lambda device, size: order.append((device, size)))
    choice = build.ModelChoice()
    registry.get(choice)
    assert order == ["loaded"], "nobody is asked for room in the computer's own memory"
    gpu = type(choice)(**{**vars(choice), "device": "auto"})
    registry.get(gpu)
    device, size = order[1]
    assert device == "cuda" and size > 1000 * len(build.weights_of(gpu)) and order[2] == "loaded"
    registry.get(gpu)
    assert len(order) == 3, "they are there already"


def test_from_its_start_on_the_host_is_the_one_that_is_asked(
    forge: StandIn, order: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.build import ModelChoice

    monkeypatch.setattr(REGISTRY, "_models", None)
    monkeypatch.setattr(manager(), "asked", order)
    # The fixture ``models`` has another one in its place.
    ModelRegistry.get(REGISTRY, ModelChoice(device="auto"))
    (device, size), after = order
    assert device == "cuda:0" and size > 1000 and after == "loaded"


def test_room_is_asked_of_the_hosts_manager(forge: StandIn) -> None:
    from lib_photoshoot.webui.hosts.forge.memory import find_memory

    memory = find_memory()
    assert memory is not None
    for device in ("cuda", "cuda:1", "xpu"):
        memory.make_room(device, 7)
    memory.unload()
    assert manager().asked == [("cuda:0", 7), ("cuda:1", 7), ("xpu", 7), "unload"]


@pytest.mark.parametrize("how", ["MOVE", "LET_GO"])
def test_a_training_gets_the_room_and_the_host_its_checkpoint_back(
    forge: StandIn, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.webui.hosts import options
    from lib_photoshoot.webui.hosts.a1111 import checkpoint
    from lib_photoshoot.webui.hosts.a1111.training_memory import HostMemory

    models, kept = forge.sd_models, forge.checkpoint
    monkeypatch.setattr(forge.devices, "device", SimpleNamespace(type="cuda"))
    models.FakeInitialModel = type("FakeInitialModel", (), {})

    def reload() -> None:
        forge.shared.sd_model = models.model_data.sd_model = kept

    models.forge_model_reload = reload
    forge.shared.opts.data["photoshoot_trainer_room"] = getattr(options, how)
    memory = HostMemory()
    memory.make_room()
    assert manager().asked == ["unload"]
    assert checkpoint.at_hand() is (kept if how == "MOVE" else None)
    memory.give_back()
    assert checkpoint.at_hand() is kept
    kept.pictures = {5: bag()}
    assert generate(forge).images


def test_the_hosts_blip_is_moved_by_the_host(forge: StandIn) -> None:
    import numpy as np
    import torch

    from lib_photoshoot.webui.hosts.a1111.training_blip import WebuiBlip

    interrogator = forge.shared.interrogator
    interrogator.offload_device, interrogator.load_device, interrogator.dtype = "cpu", "cpu", torch.float32
    forge.interrogate.ModelPatcher = lambda model, load_device, offload_device: ("wrapped", model)
    blip = WebuiBlip.__new__(WebuiBlip)
    assert blip.caption([np.zeros((5, 4, 3), np.uint8)]) == ["a picture 4 pixels wide"]
    (wrapped,) = manager().asked[0]
    assert wrapped[0] == "wrapped"
