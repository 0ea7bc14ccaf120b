"""A small network in place of a checkpoint's UNet: layers of each kind, by names of the same pattern."""

from __future__ import annotations

import torch
from torch import nn

from lib_photoshoot.webui.hosts.a1111.iclight_network import FIRST

WIDTH = 8


class SmallNetwork(nn.Module):
    """Answers a latent, (pictures, 4, height, width), by one like it."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(11)
            self.input_blocks = nn.ModuleList([nn.Sequential(nn.Conv2d(4, WIDTH, 3, padding=1))])
            self.norm, self.attend = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH, bias=False)
            self.out = nn.Sequential(nn.GroupNorm(2, WIDTH), nn.SiLU(), nn.Conv2d(WIDTH, 4, 3, padding=1))
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.input_blocks[0](x)
        return self.out(inner + self.attend(self.norm(inner.movedim(1, -1))).movedim(-1, 1))


def offsets_for(network: nn.Module, channels: int) -> dict[str, torch.Tensor]:
    """Random offsets of IC-Light's shape, for a model that is shown so many channels more."""
    generator = torch.Generator().manual_seed(5)
    shapes = {name: list(value.shape) for name, value in network.named_parameters()}
    shapes[f"{FIRST}.weight"][1] += channels
    return {name: 0.3 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
