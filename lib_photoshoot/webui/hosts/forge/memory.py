"""The memory of hosts with Forge's backend, or the one it came from: they move their models themselves.

What they keep on the GPU they find out anew before each load, so that memory of ours which is given back needs no word.
"""

from __future__ import annotations

import sys
from typing import Any

_MANAGERS = ("backend.memory_management", "ldm_patched.modules.model_management")
_SHORT = ("LOW_VRAM", "NO_VRAM")


def find_memory() -> ForgeMemory | None:
    """Return the host's memory, where the host has loaded a manager of its own."""
    manager = next((sys.modules[name] for name in _MANAGERS if name in sys.modules), None)
    return ForgeMemory(manager) if manager is not None else None


class ForgeMemory:
    """What is asked of the manager; each call needs our turn in the host's queue."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    @property
    def is_short(self) -> bool:
        """Whether the host was told to keep as little as it can on the GPU."""
        return getattr(self._manager.vram_state, "name", "") in _SHORT

    def make_room(self, device: str, size: int) -> None:
        """Let the host move models of its own away, until ``size`` bytes are free on a device; all that it can if it
        has less.
        """
        import torch

        asked, own = torch.device(device), self._manager.get_torch_device()
        # The manager compares devices: "cuda" is another one than "cuda:0" to it.
        self._manager.free_memory(size, own if asked.index is None and asked.type == own.type else asked)

    def unload(self) -> None:
        """Let the host move all its models away; it brings back what a generation needs."""
        self._manager.unload_all_models()
        self._manager.soft_empty_cache()

    def load(self, *patchers: Any) -> None:
        """Let the host move models to its device, each in its wrapper."""
        self._manager.load_models_gpu(list(patchers))
