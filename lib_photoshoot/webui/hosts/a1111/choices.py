"""What the host has to choose from. Each list is made when it is asked for: nothing is scanned at the start."""

from __future__ import annotations

import sys
from pathlib import Path

from lib_photoshoot.prompts import NO_LORA, ordered_loras
from lib_photoshoot.settings import AUTO, NO_MODEL, SAME


def controlnet_models(rescan: bool = False) -> list[str]:
    """ControlNet models that fit the loaded checkpoint; all of them while none is loaded."""
    from lib_photoshoot.webui.hosts.a1111.controlnet import find_controlnet

    controlnet = find_controlnet()
    if controlnet is None:
        return [AUTO, NO_MODEL]
    family = _loaded_family()
    fitting = [m.name for m in controlnet.models(rescan) if family is None or m.family in (None, family)]
    return [AUTO, NO_MODEL, *fitting]


def controlnet_modules() -> list[str]:
    """ControlNet's preprocessors."""
    from lib_photoshoot.webui.hosts.a1111.controlnet import find_controlnet

    controlnet = find_controlnet()
    return [AUTO, *(controlnet.modules() if controlnet else [])]


def samplers() -> list[str]:
    """Return the samplers that the user has not hidden."""
    from modules import sd_samplers

    return [SAME, *sd_samplers.visible_sampler_names()]


def schedulers() -> list[str]:
    """Return the schedule types; hosts before 1.9 have none of their own."""
    module = sys.modules.get("modules.sd_schedulers")
    return [SAME, *(scheduler.label for scheduler in module.schedulers)] if module else [SAME]


def checkpoints() -> list[str]:
    """Return the checkpoints by their titles."""
    from modules import sd_models

    return [info.title for info in sd_models.checkpoints_list.values()]


def loras() -> list[str]:
    """LoRA files by the names that prompts use, from the host's Lora extension or else from its folder."""
    networks = sys.modules.get("networks")
    if networks is not None and hasattr(networks, "available_networks"):
        names = list(networks.available_networks)
    else:
        from modules import shared

        folder = Path(getattr(shared.cmd_opts, "lora_dir", "") or "models/Lora")
        names = [path.stem for path in folder.rglob("*") if path.suffix in (".safetensors", ".pt", ".ckpt")]
    return [*ordered_loras(names), NO_LORA]


def _loaded_family() -> str | None:
    """Return the checkpoint's family, without making the host load one for the question."""
    from lib_photoshoot.webui.hosts.a1111 import checkpoint

    return checkpoint.family_of(checkpoint.at_hand())


LISTS = {
    "cn_module": controlnet_modules,
    "cn_model": controlnet_models,
    "sampler": samplers,
    "scheduler": schedulers,
}
"""Settings whose values are the host's: the list, which a pasted value may go beyond."""
