"""What scripts add to, and where their files lie."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from modules import paths

preprocessor_dir = os.path.join(paths.models_path, "ControlNetPreprocessor")
_NAMES = (
    "None", "canny", "tile_resample", "depth_midas", "lineart_standard (from white bg & black line)", "inpaint_only",
    "broken", "late", "idle", "CLIP-ViT-H (IPAdapter)", "normalbae",
)  # fmt: skip
supported_preprocessors: dict[str, Any] = {name: SimpleNamespace(name=name) for name in _NAMES}
supported_preprocessors["CLIP-ViT-H (IPAdapter)"].filename = "CLIP-ViT-H-14.safetensors"
