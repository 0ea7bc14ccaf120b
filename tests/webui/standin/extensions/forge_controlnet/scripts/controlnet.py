"""The ControlNet that a host brings along: patches of the checkpoint for each sampling, and silence when it fails."""

from __future__ import annotations

from copy import copy
from typing import Any

import gradio as gr
import torch
from backend import memory_management  # noqa: F401  (loaded by the host)
from lib_controlnet import global_state
from lib_controlnet.external_code import ControlNetUnit
from modules import scripts

UNITS = 3
LOADED: set[str] = set()
SEEN: list[ControlNetUnit] = []
"""Every unit that was put on a network, for the tests."""


class ControlNetForForgeOfficial(scripts.Script):
    """Adds each unit's weight to the blue of what is painted."""

    def title(self):
        return "ControlNet"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.State(ControlNetUnit(enabled=False)) for _ in range(UNITS)]

    def get_enabled_units(self, units):
        made = [ControlNetUnit(**unit) if isinstance(unit, dict) else unit for unit in units]
        return [unit for unit in made if unit.enabled]

    def process(self, p, *args, **kwargs):
        self.current_params: dict[int, Any] = {}
        for i, unit in enumerate(self.get_enabled_units(args)):
            p.extra_generation_params[f"ControlNet {i}"] = f"Module: {unit.module}, Model: {unit.model}"
            if unit.module == "broken" or global_state.get_preprocessor(unit.module) is None:
                raise RuntimeError("the preprocessor's file cannot be had")
            file = global_state.get_controlnet_filename(unit.model)
            if file not in LOADED:
                torch.rand(7)  # building a network draws random numbers
                LOADED.add(file)
            self.current_params[i] = unit.weight

    def process_before_every_sampling(self, p, *args, **kwargs):
        for i, unit in enumerate(self.get_enabled_units(args)):
            weight = self.current_params[i]
            if unit.module == "late":
                raise RuntimeError("shapes do not fit")
            if unit.module != "idle":
                SEEN.append(unit)
                unet = copy(p.sd_model.forge_objects.unet)
                unet.controls = [*unet.controls, weight]
                p.sd_model.forge_objects.unet = unet

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        for i, _ in enumerate(self.get_enabled_units(args)):
            self.current_params[i]

    def postprocess(self, p, processed, *args):
        self.current_params = {}
