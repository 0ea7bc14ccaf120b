"""Moves the host's own models, and tells what it was asked."""

from __future__ import annotations

from enum import Enum
from typing import Any

import torch


class VRAMState(Enum):
    """How much is kept on the GPU."""

    DISABLED = 0
    NO_VRAM = 1
    LOW_VRAM = 2
    NORMAL_VRAM = 3


vram_state = VRAMState.NORMAL_VRAM
asked: list[Any] = []
"""The calls, for the tests."""


def get_torch_device():
    """Where the host computes."""
    return torch.device("cuda", 0)


def free_memory(memory_required, device, keep_loaded=[], free_all=False):  # noqa: B006 (as the host has it)
    """Make room."""
    asked.append((str(device), memory_required))


def load_models_gpu(models, memory_required=0, hard_memory_preservation=0):
    """Move models to the GPU."""
    asked.append(list(models))


def unload_all_models():
    """Move all of them away."""
    asked.append("unload")


def soft_empty_cache(force=False):
    """Give freed memory back."""
