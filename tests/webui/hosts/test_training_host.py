"""The adapter of the Train part on modules that behave as those of WebUI 1.10.1 do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.webui.hosts.a1111 import options, training_blip, training_host
from lib_photoshoot.webui.hosts.a1111.training_blip import WebuiBlip, missing_for_blip
from lib_photoshoot.webui.hosts.a1111.training_host import A1111TrainingHost
from lib_photoshoot.webui.hosts.a1111.training_memory import HostMemory
from lib_photoshoot.webui.hosts.options import LET_GO, MOVE, STAY, option_key


class Model:
    """A checkpoint or another network: where it is."""

    def __init__(self, name: str = "") -> None:
        self.sd_checkpoint_info = SimpleNamespace(filename=name)
        self.place = "cuda"

    def to(self, place: Any) -> Model:
        self.place = str(place)
        return self

    def half(self) -> Model:
        return self


class SdModels(ModuleType):
    """The parts of ``modules.sd_models`` that matter, with its ways of finding a checkpoint again."""

    def __init__(self, model: Model | None) -> None:
        super().__init__("modules.sd_models")
        self.model_data = SimpleNamespace(sd_model=model, loaded_sd_models=[model] if model else [])
        self.checkpoints_list: dict[str, Any] = {}
        self.checkpoint_aliases: dict[str, Any] = {}
        self.loads = 0

    def send_model_to_cpu(self, model: Model) -> None:
        model.to("cpu")

    def send_model_to_trash(self, model: Model) -> None:
        model.to("meta")

    def reload_model_weights(self) -> None:
        data = self.model_data
        if data.sd_model is None and data.loaded_sd_models:
            data.sd_model = data.loaded_sd_models[0].to("cuda")
        elif data.sd_model is None:
            self.loads += 1
            data.sd_model = Model()
            data.loaded_sd_models.insert(0, data.sd_model)


class Host:
    """The host's modules; ``hijacked`` are the models that it has changed for its own use."""

    def __init__(self, folder: Path) -> None:
        self.model = Model("a.safetensors")
        self.unhijacked: list[Model] = []
        self.cleared = 0
        self.modules: Any = ModuleType("modules")
        self.sd_models = self.modules.sd_models = SdModels(self.model)
        self.modules.sd_unet = SimpleNamespace(apply_unet=lambda option: None)
        self.modules.sd_hijack = SimpleNamespace(model_hijack=SimpleNamespace(undo_hijack=self.unhijacked.append))
        self.modules.devices = SimpleNamespace(
            device=SimpleNamespace(type="cuda"), cpu="cpu", device_interrogate="cuda", torch_gc=lambda: None
        )
        self.modules.lowvram = SimpleNamespace(send_everything_to_cpu=lambda: None)
        self.modules.torch_utils = SimpleNamespace(get_param=lambda model: SimpleNamespace(dtype="float16"))
        self.modules.call_queue = SimpleNamespace(queue_lock=nullcontext())
        self.modules.paths = SimpleNamespace(models_path=str(folder / "models"), data_path=str(folder), paths={})
        controlnet = SimpleNamespace(clear_control_model_cache=self._clear)
        self.modules.scripts = SimpleNamespace(
            scripts_txt2img=SimpleNamespace(alwayson_scripts=[SimpleNamespace(), controlnet])
        )
        self.interrogator = SimpleNamespace(blip_model=None, clip_model=None)
        self.modules.shared = SimpleNamespace(
            cmd_opts=SimpleNamespace(lora_dir=str(folder / "Lora"), no_half=False),
            opts=SimpleNamespace(data={}, sd_model_checkpoint="a"),
            interrogator=self.interrogator,
        )

    def _clear(self) -> None:
        self.cleared += 1

    def choose(self, name: str, value: Any) -> None:
        self.modules.shared.opts.data[option_key(name)] = value


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    made = Host(tmp_path)
    monkeypatch.setitem(sys.modules, "modules", made.modules)
    for name in ("sd_models", "call_queue"):
        monkeypatch.setitem(sys.modules, f"modules.{name}", getattr(made.modules, name))
    yield made


def test_the_checkpoint_leaves_the_gpu_and_is_found_again(host: Host) -> None:
    memory = HostMemory()
    host.interrogator.blip_model = kept = Model()
    memory.make_room()
    assert (host.model.place, host.sd_models.model_data.sd_model, host.cleared) == ("cpu", None, 1)
    assert host.sd_models.model_data.loaded_sd_models == [host.model] and kept.place == "cpu"
    memory.give_back()
    assert host.sd_models.model_data.sd_model is host.model and host.model.place == "cuda"
    assert host.sd_models.loads == 0


def test_a_generation_in_between_brings_it_back_and_it_is_taken_again(host: Host) -> None:
    memory = HostMemory()
    memory.make_room()
    host.sd_models.reload_model_weights()  # as every generation does at its beginning
    assert host.model.place == "cuda"
    memory.make_room()
    memory.make_room()
    assert (host.model.place, host.sd_models.model_data.sd_model) == ("cpu", None)
    memory.give_back()
    memory.give_back()
    assert host.sd_models.model_data.sd_model is host.model


def test_an_unloaded_checkpoint_is_loaded_from_its_file(host: Host) -> None:
    host.choose("trainer_room", LET_GO)
    host.modules.devices.device.type = "cpu"
    memory = HostMemory()
    memory.make_room()
    assert host.unhijacked == [host.model] and host.model.place == "meta"
    assert (host.sd_models.model_data.sd_model, host.sd_models.model_data.loaded_sd_models) == (None, [])
    memory.give_back()
    assert host.sd_models.loads == 1


def test_the_checkpoint_stays_where_nothing_is_won(host: Host) -> None:
    memory = HostMemory()
    host.choose("trainer_room", STAY)
    memory.make_room()
    host.choose("trainer_room", MOVE)
    host.modules.devices.device.type = "cpu"
    memory.make_room()
    assert host.sd_models.model_data.sd_model is host.model and host.cleared == 0


def test_what_was_never_loaded_is_not_loaded_by_us(host: Host) -> None:
    host.sd_models.model_data = SimpleNamespace(sd_model=None, loaded_sd_models=[])
    memory = HostMemory()
    memory.make_room()
    memory.give_back()
    assert host.sd_models.loads == 0


def test_the_hosts_lists_and_folders(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    info = SimpleNamespace(title="a.safetensors [12]", filename="/models/a.safetensors")
    host.sd_models.checkpoints_list = {info.title: info}
    host.sd_models.checkpoint_aliases = {"a": info}
    adapter = A1111TrainingHost()
    (one,) = adapter.checkpoints()
    assert (one.name, str(one.path), adapter.loaded()) == (info.title, info.filename, info.title)
    assert adapter.lora_folder() == Path(host.modules.shared.cmd_opts.lora_dir)
    adapter.refresh_loras()  # the Lora extension may be switched off
    refreshed: list[int] = []
    monkeypatch.setitem(sys.modules, "networks", SimpleNamespace(list_available_networks=lambda: refreshed.append(1)))
    adapter.refresh_loras()
    assert refreshed == [1]


def test_programs_are_named_in_settings_only_and_not_by_strangers(host: Host) -> None:
    adapter = A1111TrainingHost()
    assert (adapter.named_trainer(), adapter.refusal()) == (("", ""), None)
    host.choose("trainer_folder", ' "/my/sd scripts" ')
    host.choose("trainer_python", "/my/python")
    assert adapter.named_trainer() == ("/my/sd scripts", "/my/python")
    host.modules.shared.cmd_opts.disable_extension_access = True
    refusal = adapter.refusal()
    assert refusal and refusal.endswith(".") and "--listen" in refusal
    named = [options.OPTIONS[name] for name in ("trainer_folder", "trainer_python")]
    assert all(option.page_only and option.names_code for option in named)


def test_the_host_refuses_to_set_them_where_strangers_may_reach_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", SimpleNamespace(Dropdown=object))
    added: dict[str, Any] = {}

    class OptionInfo:
        def __init__(self, default: Any, label: str = "", **more: Any) -> None:
            self.default, self.more, self.restrict_api = default, more, False

        def info(self, text: str) -> OptionInfo:
            return self

    shared = host.modules.shared
    shared.OptionInfo, shared.OptionHTML = OptionInfo, OptionInfo
    shared.opts.add_option = added.__setitem__
    options.register()
    assert not added["photoshoot_trainer_python"].more.get("component_args") and len(added) == len(options.OPTIONS)
    shared.cmd_opts.disable_extension_access = True
    options.register()
    for name in ("trainer_folder", "trainer_python"):
        assert added[option_key(name)].more["component_args"] == {"visible": False}
        assert added[option_key(name)].restrict_api
    assert "--share" in added["photoshoot_trainer_refusal"].default


def test_blip_is_used_only_where_everything_is_there(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_blip, "_has_tokenizer", lambda: False)
    assert "not on this machine" in str(missing_for_blip())
    with pytest.raises(TrainingError):
        WebuiBlip()
    weights = tmp_path / "models" / "BLIP" / "model_base_caption_capfilt_large.pth"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"")
    assert "repositories" in str(missing_for_blip())
    host.modules.paths.paths["BLIP"] = str(tmp_path)
    assert "tokenizer" in str(missing_for_blip())
    monkeypatch.setattr(training_blip, "_has_tokenizer", lambda: True)
    assert missing_for_blip() is None and training_host.A1111TrainingHost().missing_for_captions() is None


def test_blip_captions_in_our_turn_and_is_unloaded(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_blip, "missing_for_blip", lambda: None)
    unloads: list[int] = []
    blip = Model()
    blip.place = "cpu"
    interrogator = host.interrogator
    interrogator.running_on_cpu = False
    interrogator.load_blip_model = lambda: blip
    interrogator.generate_caption = lambda image: f"{image.size} {interrogator.dtype} {blip.place}"
    interrogator.unload = lambda: unloads.append(1)
    captioner = A1111TrainingHost().captioner()
    assert captioner.caption([np.zeros((4, 6, 3), np.uint8)]) == ["(6, 4) float16 cuda"]
    assert unloads == [1] and interrogator.blip_model is blip

    def fail(image: Any) -> str:
        raise RuntimeError("CUDA\nout of memory")

    interrogator.generate_caption = fail
    with pytest.raises(TrainingError, match="CUDA out of memory"):
        captioner.caption([np.zeros((4, 6, 3), np.uint8)])
    assert unloads == [1, 1]
