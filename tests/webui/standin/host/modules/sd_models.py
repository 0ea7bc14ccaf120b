"""Checkpoints, and one that paints without a network."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image

from modules import devices

checkpoints_list: dict[str, CheckpointInfo] = {}
checkpoint_aliases: dict[str, CheckpointInfo] = {}


class CheckpointInfo:
    """A checkpoint's file."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.name = os.path.basename(filename)
        self.name_for_extra = os.path.splitext(self.name)[0]
        self.title = f"{self.name} [{zlib.crc32(self.name.encode()):08x}]"

    def register(self) -> None:
        """Into the lists."""
        checkpoints_list[self.title] = self
        for name in (self.title, self.name, self.name_for_extra):
            checkpoint_aliases[name] = self


class Checkpoint:
    """Paints a dark pattern that prompt and seed alone decide, or what a test gives for a seed of the prompt "a bag".

    ``hooks`` are ControlNet's: they change what is painted. ``at_step`` is called at each step of each sampling, and
    ``before_sampling`` before its hook.
    A ``model.diffusion_model`` that a test gives it has its say in all that is painted.
    """

    is_sd1, is_sd2, is_sdxl = True, False, False
    scale_factor = 0.5

    def __init__(self, info: CheckpointInfo) -> None:
        self.sd_checkpoint_info = info
        self.place: Any = devices.device
        self.pictures: dict[int, Image.Image] = {}
        self.hooks: list[Callable[[np.ndarray], np.ndarray]] = []
        self.at_step: Callable[[Any], None] = lambda p: None
        self.before_sampling: Callable[[], None] = lambda: None
        self.model: Any = SimpleNamespace(diffusion_model=None)
        self.first_stage_model = torch.nn.Identity()

    def to(self, place: Any) -> Checkpoint:
        """Move."""
        self.place = place
        return self

    def paint(self, prompt: str, seed: int, width: int, height: int) -> np.ndarray:
        """Float RGB (height, width, 3) in [0, 255]."""
        given = self.pictures.get(seed) if prompt == "a bag" else None
        if given is not None:
            pixels = np.asarray(given.convert("RGB").resize((width, height)), np.float32)
        else:
            random = np.random.default_rng([seed, zlib.crc32(re.sub("<.*?>", "", prompt).encode())])
            pixels = random.integers(0, 90, (height, width, 3)).astype(np.float32)
        for hook in self.hooks:
            pixels = hook(pixels)
        if self.model.diffusion_model is not None:
            start = self.encode_first_stage(torch.from_numpy(np.moveaxis(pixels / 127 - 1, 2, 0))[None]).mode()
            said = 30 * self.model.diffusion_model(self.scale_factor * start)[:, :3]
            pixels = pixels + np.moveaxis(torch.nn.functional.interpolate(said, (height, width))[0].numpy(), 0, 2)
        return pixels

    def encode_first_stage(self, pictures: torch.Tensor) -> Any:
        """The latents' distribution: means of 8 x 8 pixels and of their three colours, and noise that a draw has."""
        small = torch.nn.functional.avg_pool2d(pictures, 8)
        mean = torch.cat([small, small.mean(dim=1, keepdim=True)], dim=1)
        return SimpleNamespace(mode=lambda: mean, sample=lambda: mean + torch.randn_like(mean))


class SdModelData:
    """The checkpoint at hand, and those in reserve."""

    def __init__(self) -> None:
        self.sd_model: Any = None
        self.loaded_sd_models: list[Any] = []
        self.loads = 0
        """How often one was read from its file."""

    def get_sd_model(self) -> Any:
        """The checkpoint, loaded if need be."""
        if self.sd_model is None:
            reload_model_weights()
        return self.sd_model


model_data = SdModelData()


def reload_model_weights(sd_model: Any = None, info: Any = None, forced_reload: bool = False) -> Any:
    """Make the chosen checkpoint the one at hand: from the reserve, else from its file."""
    data = model_data
    if data.sd_model is None and data.loaded_sd_models:
        data.sd_model = data.loaded_sd_models[0].to(devices.device)
    elif data.sd_model is None:
        data.sd_model = Checkpoint(info or next(iter(checkpoints_list.values())))
        data.loaded_sd_models.insert(0, data.sd_model)
        data.loads += 1
    return data.sd_model


def send_model_to_cpu(m: Any) -> None:
    """Off the GPU."""
    m.to(devices.cpu)


def send_model_to_trash(m: Any) -> None:
    """Nowhere."""
    m.to("meta")
