"""A unit as Forge's ControlNet takes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class ControlMode(Enum):
    """What counts more."""

    BALANCED = "Balanced"
    PROMPT = "My prompt is more important"
    CONTROL = "ControlNet is more important"


@dataclass
class ControlNetUnit:
    """One control. Without an image it takes the generation's own, with its mask."""

    mask_image: Any = None
    enabled: bool = True
    module: str = "None"
    model: str = "None"
    weight: float = 1.0
    image: Any = None
    image_fg: Any = None
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    pixel_perfect: bool = False
    control_mode: Any = ControlMode.BALANCED
    save_detected_map: bool = True
