"""Interrogate CLIP: here only BLIP's half, which says how large a picture is."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image


class InterrogateModels:
    """Holds the networks between calls."""

    blip_model: Any = None
    clip_model: Any = None
    dtype: Any = None
    running_on_cpu = True

    def load_blip_model(self) -> Any:
        """A network that is anything but BLIP."""
        return torch.nn.Linear(1, 1)

    def unload(self) -> None:
        """Off the GPU again."""
        self.blip_model = None

    def generate_caption(self, pil_image: Image.Image) -> str:
        """Needs :attr:`blip_model`."""
        assert self.blip_model is not None and self.dtype is torch.float32
        return f"a picture {pil_image.width} pixels wide"
