"""The host's models out of the way of a training, and back.

The host itself keeps checkpoints that are not in use in a list, and takes one from there, back onto the GPU, when a
generation asks for it; so does ours while a run is at work. What is not there any more, it loads from its file. Hosts
that manage their memory themselves are told to move everything away.
"""

from __future__ import annotations

import gc
import threading
from typing import Any

from lib_photoshoot.allocator import give_back_freed_memory
from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.webui.hosts.a1111 import checkpoint
from lib_photoshoot.webui.hosts.a1111.options import read_option
from lib_photoshoot.webui.hosts.a1111.outer import queue_turn
from lib_photoshoot.webui.hosts.forge.memory import find_memory
from lib_photoshoot.webui.hosts.options import LET_GO, MOVE, STAY


class HostMemory:
    """Takes the models away and brings them back, each in the host's queue. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False

    def make_room(self) -> None:
        """As the user's option says; again where a generation has brought the checkpoint back."""
        how = read_option("trainer_room")
        if how == STAY or (how == MOVE and not on_gpu()):
            return
        with self._lock, queue_turn():
            REGISTRY.release()
            memory = find_memory()
            if memory is not None:
                memory.unload()  # what a generation needs, it brings back itself
                self._taken = (how == LET_GO and checkpoint.let_go()) or self._taken
            else:
                _release_controlnets()
                _release_interrogator()
                self._taken = _take_checkpoint(how) or self._taken

    def give_back(self) -> None:
        """Bring the checkpoint back, unless a generation has done so."""
        with self._lock, queue_turn():
            if self._taken and checkpoint.at_hand() is None:
                checkpoint.bring_back()
            self._taken = False


def on_gpu() -> bool:
    """Whether the host computes on a GPU."""
    from modules import devices

    return devices.device.type != "cpu"


def _take_checkpoint(how: str) -> bool:
    """Whether there was one to take. Needs our turn in the queue."""
    from modules import sd_hijack, sd_models, sd_unet

    data = sd_models.model_data
    model = data.sd_model
    if model is None or not hasattr(data, "loaded_sd_models"):  # none was loaded yet, or a host before 1.6
        return False
    sd_unet.apply_unet("None")
    if how == LET_GO:
        sd_hijack.model_hijack.undo_hijack(model)
        sd_models.send_model_to_trash(model)
        data.loaded_sd_models.clear()
    else:
        for loaded in data.loaded_sd_models:
            sd_models.send_model_to_cpu(loaded)
    # The host looks for it in its list, or at its file, when the next generation begins.
    data.sd_model = None
    del model
    _collect()
    return True


def _release_controlnets() -> None:
    """Let ControlNet's models go, which it keeps on the GPU from one generation to the next."""
    from modules import scripts

    always_on: list[Any] = getattr(scripts.scripts_txt2img, "alwayson_scripts", [])
    for script in always_on:
        clear = getattr(script, "clear_control_model_cache", None)
        if clear is not None:
            clear()
            _collect()


def _release_interrogator() -> None:
    """Take BLIP and CLIP off the GPU, where the user lets the host keep them: it moves them back when it needs them."""
    from modules import devices, shared

    for name in ("blip_model", "clip_model"):
        model = getattr(shared.interrogator, name, None)
        if model is not None:
            setattr(shared.interrogator, name, model.to(devices.cpu))


def _collect() -> None:
    from modules import devices

    gc.collect()
    devices.torch_gc()
    give_back_freed_memory()
