"""ControlNet as other extensions meet it: one hook on the checkpoint, and silence when it fails."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
import torch
from internal_controlnet import external_code
from modules import scripts, shared
from PIL import Image

from scripts import global_state

UNITS = 3


class Network:
    """Adds its weight to the blue of what is painted."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        changed = pixels.copy()
        changed[..., 2] = np.clip(changed[..., 2] + 60 * self.weight, 0, 255)
        return changed


class Script(scripts.Script):
    """Up to three units; keeps the models that it has read."""

    def __init__(self) -> None:
        self.latest_network: Any = None
        self.detected_map: list[Image.Image] = []
        self.cache: set[str] = set()
        self.enabled_units: list[external_code.ControlNetUnit] = []

    def title(self):
        return "ControlNet"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.State(external_code.ControlNetUnit(enabled=False)) for _ in range(UNITS)]

    def process(self, p, *args, **kwargs):
        self._unhook()
        self.detected_map = []
        units = [unit for unit in map(self._unit, args) if unit.enabled]
        if units:
            self._hook(p, units)

    def _unit(self, value: Any) -> external_code.ControlNetUnit:
        return external_code.ControlNetUnit(**value) if isinstance(value, dict) else value

    def _hook(self, p: Any, units: list[external_code.ControlNetUnit]) -> None:
        for number, unit in enumerate(units):
            p.extra_generation_params[f"ControlNet {number}"] = f"Module: {unit.module}, Model: {unit.model}"
            self._load(unit)
        if shared.sd_model.hooks:
            raise RuntimeError("two hooks on one network: it is corrupt until the host is started anew")
        self.enabled_units = units
        self.latest_network = Network(sum(unit.weight for unit in units))
        shared.sd_model.hooks.append(self.latest_network)
        shown = [Image.new("RGB", (p.width, p.height), (0, 0, 255)) for unit in units if unit.save_detected_map]
        self.detected_map += shown

    def _load(self, unit: external_code.ControlNetUnit) -> None:
        if unit.module == "broken":
            raise RuntimeError("the preprocessor's file cannot be had")
        if "reference" in unit.module:
            return
        name = global_state.cn_models_names.get(unit.model.split(" [")[0].lower())
        if name is None:
            raise RuntimeError(f"model not found: {unit.model}")
        if name not in self.cache:
            torch.rand(7)  # building a network draws random numbers
            self.cache.add(name)

    def _unhook(self) -> None:
        if self.latest_network is not None:
            shared.sd_model.hooks.remove(self.latest_network)
            self.latest_network = None

    def postprocess(self, p, processed, *args):
        if self.latest_network is not None:
            processed.images.extend(self.detected_map)
        self._unhook()

    def clear_control_model_cache(self) -> None:
        self.cache.clear()
