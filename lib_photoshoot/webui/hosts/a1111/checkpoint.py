"""The checkpoint that the host has loaded: what kind it is, whatever the host keeps it in."""

from __future__ import annotations

import gc
from typing import Any

from lib_photoshoot.webui.hosts.protocol import FAMILIES


def at_hand() -> Any:
    """Return the checkpoint if it is loaded, None while it is not: some hosts load it with their first generation."""
    from modules import sd_models

    model = sd_models.model_data.sd_model
    return model if hasattr(model, "sd_checkpoint_info") else None


def loaded() -> Any:
    """Return the checkpoint, loaded if need be; needs our turn in the host's queue."""
    from modules import shared

    if _loads_late() and at_hand() is None:
        bring_back()
    return shared.sd_model


def bring_back() -> None:
    """Let the host load the checkpoint; needs our turn in the host's queue."""
    from modules import sd_models

    if _loads_late():
        sd_models.forge_model_reload()
    else:
        sd_models.reload_model_weights()


def let_go() -> bool:
    """Take the checkpoint out of memory on a host that loads it anew with its next generation; return whether there was
    one, and the host is such a one. Needs our turn in the host's queue.
    """
    from modules import sd_models, shared

    if not _loads_late() or at_hand() is None:
        return False
    shared.sd_model = sd_models.model_data.sd_model = sd_models.FakeInitialModel()
    sd_models.model_data.forge_hash = ""  # by which the host knows what is loaded
    gc.collect()
    return True


def _loads_late() -> bool:
    from modules import sd_models

    return hasattr(sd_models, "forge_model_reload")


def family_of(model: Any) -> str | None:
    """Return ``sd1``, ``sd2`` or ``sdxl``, the host's own name of another kind, None where it has none."""
    family = next((name for name in FAMILIES if getattr(model, f"is_{name}", False)), None)
    if family is not None or model is None:
        return family
    if getattr(model, "is_sd3", False):
        return "SD3"
    # Forge's backend has a class for each kind.
    return type(model).__name__ if hasattr(model, "forge_objects") else None


def is_inpainting(model: Any) -> bool:
    """Whether a checkpoint was made for inpainting."""
    network = getattr(model, "model", None)
    return bool(
        getattr(model, "is_inpaint", False)
        or getattr(model, "is_sdxl_inpaint", False)
        or getattr(network, "conditioning_key", None) in ("hybrid", "concat")
    )
