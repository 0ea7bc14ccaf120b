"""ControlNet's interface for other extensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotator import annotator_path  # noqa: F401  (loaded with it)

from scripts import global_state

_MODULES = {
    "none": "none", "canny": "canny", "tile_resample": "tile_resample", "depth": "depth_midas",
    "invert": "invert (from white bg & black line)", "broken": "broken",
    "inpaint_only": "inpaint_only", "reference_only": "reference_only",
}  # fmt: skip


@dataclass
class ControlNetUnit:
    """One control. Without an image it takes the generation's own."""

    enabled: bool = True
    module: str = "none"
    model: str = "None"
    weight: float = 1.0
    image: Any = None
    control_mode: Any = "Balanced"
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    pixel_perfect: bool = False
    save_detected_map: bool = True
    inpaint_crop_input_image: bool = True
    effective_region_mask: Any = None


def get_models(update: bool = False) -> list[str]:
    """All models, with an entry for none."""
    if update:
        global_state.update_cn_models()
    return ["None", *global_state.cn_models]


def get_modules(alias_names: bool = False) -> list[str]:
    """All preprocessors, by the names of the page if so wished."""
    return list(_MODULES.values()) if alias_names else list(_MODULES)


def find_cn_script(script_runner: Any) -> Any:
    """ControlNet's script of a tab."""
    scripts = script_runner.alwayson_scripts if script_runner else ()
    return next((script for script in scripts if script.title() == "ControlNet"), None)
