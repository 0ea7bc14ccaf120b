"""A host that computes on the CPU."""

from __future__ import annotations

import contextlib

import torch

cpu = torch.device("cpu")
device = device_interrogate = cpu
dtype = dtype_unet = dtype_vae = torch.float32


def autocast(disable=False):
    """Full precision on the CPU."""
    return contextlib.nullcontext()


def torch_gc() -> None:
    """Nothing to give back on the CPU."""
