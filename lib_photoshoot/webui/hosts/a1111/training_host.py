"""The training host on the real WebUI. Imports ``modules`` on first use only, never at the WebUI's start."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.webui.hosts.a1111.host import A1111Host
from lib_photoshoot.webui.hosts.a1111.options import code_refusal, read_option
from lib_photoshoot.webui.hosts.a1111.outer import queue_turn, release_models, usable_folders
from lib_photoshoot.webui.hosts.a1111.training_blip import WebuiBlip, missing_for_blip
from lib_photoshoot.webui.hosts.a1111.training_memory import HostMemory
from lib_photoshoot.webui.http.folders import AllowedFolders
from lib_photoshoot.webui.train.host import HostCheckpoint
from lib_photoshoot.webui.train.service import TrainingService

if TYPE_CHECKING:
    from lib_photoshoot.training.captions.protocol import Captioner

_LOCK = threading.Lock()
_SERVICE: TrainingService | None = None


def training_service() -> TrainingService:
    """Return the one service of this process."""
    from modules import paths

    global _SERVICE
    with _LOCK:
        if _SERVICE is None:
            _SERVICE = TrainingService(A1111TrainingHost(), blip_folders=(Path(paths.models_path) / "BLIP",))
        return _SERVICE


class A1111TrainingHost:
    """See ``TrainingHost``."""

    def __init__(self) -> None:
        self._memory = HostMemory()

    def checkpoints(self) -> Sequence[HostCheckpoint]:
        from modules import sd_models

        found = list(sd_models.checkpoints_list.values())
        return [HostCheckpoint(info.title, Path(info.filename).absolute()) for info in found]

    def loaded(self) -> str | None:
        from modules import sd_models, shared

        info = sd_models.checkpoint_aliases.get(shared.opts.sd_model_checkpoint)
        return info.title if info else None

    def folders(self) -> AllowedFolders:
        return usable_folders()

    def lora_folder(self) -> Path:
        from modules import shared

        return Path(shared.cmd_opts.lora_dir)

    def refresh_loras(self) -> None:
        # The host's Lora extension; it may be switched off.
        networks = sys.modules.get("networks")
        if networks is not None and hasattr(networks, "list_available_networks"):
            networks.list_available_networks()

    def named_trainer(self) -> tuple[str, str]:
        # Copied from a file manager, a path may stand in quotes.
        folder, python = (str(read_option(name)).strip().strip('"') for name in ("trainer_folder", "trainer_python"))
        return folder, python

    def refusal(self) -> str | None:
        return code_refusal()

    def device(self) -> str:
        return A1111Host().detector_device()

    def turn(self) -> AbstractContextManager[Any]:
        return queue_turn()

    def release_models(self) -> None:
        release_models()

    def missing_for_captions(self) -> str | None:
        return missing_for_blip()

    def captioner(self) -> Captioner:
        return WebuiBlip()

    def make_room(self) -> None:
        self._memory.make_room()

    def give_back(self) -> None:
        self._memory.give_back()
