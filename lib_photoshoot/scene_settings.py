"""The settings of a scene: what is painted anew, where the products stand, and what they may gain by it.

:class:`~lib_photoshoot.settings.FilterSettings` has these fields after its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from lib_photoshoot.declared import number, setting


class Repaint(str, Enum):
    """What of a picture is painted anew."""

    PRODUCT = "product"
    """The products; every other pixel stays."""
    SCENE = "scene"
    """Everything but the products; every pixel that is all product stays."""
    BOTH = "both"
    """The scene first, then the products in it."""


class Relight(str, Enum):
    """What of a painted scene takes new light from IC-Light."""

    OFF = "off"
    """Nothing."""
    EDGES = "edges and shadow"
    """The products' soft edges and the ground that they shade; every pixel that is all product stays."""
    PRODUCT = "product too"
    """The products' own pixels as well, which is an edit."""


ORIGINAL = "original"
"""Backdrop: the picture's own surroundings."""
BLURRED = "blurred"
"""Backdrop: the picture's own surroundings, out of focus and without the products."""


def _number(default: float, label: str, lowest: float, highest: float, step: float, help: str = "", **more: Any) -> Any:
    return number(default, label, more.pop("group", "scene"), lowest, highest, step, help, axis=True, **more)


@dataclass(frozen=True)
class SceneFields:
    """What a job says about the scene; see :class:`lib_photoshoot.staging.plan.StagePlan` for what is staged by it."""

    repaint: str = setting(
        Repaint.PRODUCT.value,
        "Enhance",
        "main",
        "product: the scene stays. scene: the product stays as it is, to the pixel. both: first the scene.",
        choices=tuple(member.value for member in Repaint),
        axis=True,
    )
    scene_prompt: str = setting(
        "", "Prompt for the scene", "scene", "Empty takes the job's own; [PROMPT] inserts it, [PRODUCT] the words.",
        axis=True, lines=2,
    )  # fmt: skip
    scene_negative_prompt: str = setting(
        "", "Negative prompt for the scene", "scene", "Empty takes the job's own; [PROMPT] inserts it.", lines=2
    )
    scene_denoise: float = _number(0.9, "Scene denoising strength", 0, 1, 0.01)
    scene_units: str = setting(
        "auto",
        "ControlNet units of the scene",
        "scene",
        "auto; none; or units with | between, each as module + model [weight=1; start=0; end=1; mode=Balanced].",
        axis=True,
    )
    keep_out: int = _number(2, "Keep-out around the product (pixels)", 0, 64, 1, "Not painted by the model.")
    growth_limit: float = _number(
        0.02, "Largest growth of the product", 0, 1, 0.005, "Share of its area; beyond it the scene is tried again."
    )
    scene_tries: int = _number(3, "Tries for a scene", 1, 10, 1, "Then the original stays.")
    relight: str = setting(
        Relight.OFF.value,
        "New light (IC-Light)",
        "scene",
        "Where its models are installed, with SD 1.5. product too: changes the product's pixels; counts as an edit.",
        choices=tuple(member.value for member in Relight),
        axis=True,
    )
    relight_strength: float = _number(1.0, "Strength of the new light", 0, 1, 0.05)
    canvas: str = setting(
        "", "Canvas", "staging", "Empty: as the picture. Else 1024x1024, a ratio as 4:5, or a sales channel's name.",
        axis=True,
    )  # fmt: skip
    product_share: float = _number(
        0.0, "Product's share of the frame", 0, 1, 0.01, "Of the longer side; 0 leaves its size.", group="staging"
    )
    ground_line: float = _number(
        0.0, "Ground line", 0, 1, 0.01, "Where the product stands, from the top; 0 leaves its place.", group="staging"
    )
    backdrop: str = setting(
        ORIGINAL,
        "Backdrop",
        "staging",
        "original; blurred; a colour as #f4f4f4; two as #ffffff to #d8d8d8; or a picture as @/folder/picture.jpg.",
        axis=True,
    )
    shadow: float = _number(0.0, "Contact shadow", 0, 1, 0.05, group="staging")
    reflection: float = _number(0.0, "Reflection", 0, 1, 0.05, group="staging")
    colour_cast: float = _number(
        0.0, "Take over the scene's colour cast", 0, 1, 0.05, "Changes the product's colours; counts as an edit.",
        group="staging",
    )  # fmt: skip
    first_look: bool = setting(
        False, "Look before hires fix", "decide", "A picture without the product does not get the second pass."
    )
