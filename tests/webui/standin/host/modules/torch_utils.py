"""Looking into networks."""

from __future__ import annotations

import torch


def get_param(model: torch.nn.Module) -> torch.nn.Parameter:
    """Any of its parameters."""
    return next(model.parameters())
