"""A host that computes on the CPU."""

from __future__ import annotations

import torch

cpu = torch.device("cpu")
device = device_interrogate = cpu
dtype = torch.float32


def torch_gc() -> None:
    """Nothing to give back on the CPU."""
