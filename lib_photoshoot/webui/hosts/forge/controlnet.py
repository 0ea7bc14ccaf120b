"""The ControlNet that Forge and its descendants bring along, ``lib_controlnet``; nothing of it is imported before it is
loaded.

Its dialects differ in the fields of a unit: an image of its own is an array in Forge, a dictionary with a mask in
reForge. Fields that a dialect does not have are left out.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.scene_units import CONTROL_MODES
from lib_photoshoot.webui.hosts.control import Equipment, HostControlNet
from lib_photoshoot.webui.hosts.control_files import COMMON_NAMES, lacks_file, model_family
from lib_photoshoot.webui.hosts.protocol import ControlModel, ControlUnit, InpaintRequest

if TYPE_CHECKING:
    from PIL import Image


def find_own_controlnet(most_units: int) -> HostControlNet | None:
    """Return the host's own ControlNet, where it has one and has loaded it."""
    code, state = (sys.modules.get(f"lib_controlnet.{name}") for name in ("external_code", "global_state"))
    return ForgeControlNet(code, state, most_units) if code is not None and state is not None else None


class ForgeControlNet:
    """See ``HostControlNet``."""

    def __init__(self, external_code: Any, global_state: Any, most_units: int) -> None:
        self._code = external_code
        self._state = global_state
        self._most_units = most_units

    def models(self, refresh: bool = False) -> Sequence[ControlModel]:
        if refresh:
            self._state.update_controlnet_filenames()
        names = [name for name in self._state.get_all_controlnet_names() if name != "None"]
        return [ControlModel(name, model_family(self._state.get_controlnet_filename(name))) for name in names]

    def modules(self) -> Sequence[str]:
        return list(self._modules())

    def needs_download(self, module: str) -> bool:
        folder = sys.modules["modules_forge.shared"].preprocessor_dir
        name = self._modules().get(module, module)
        own_file = getattr(self._state.get_preprocessor(name), "filename", None) if name != module else None
        if own_file:
            return not os.path.isfile(os.path.join(folder, own_file))
        return lacks_file(module, folder)

    def most_units(self) -> int:
        return self._most_units

    def outer(self, job: Any) -> None:
        return None  # it is put on the network anew for each sampling, and a pass has a script of its own

    def equip(self, job: Any, request: InpaintRequest) -> Equipment | None:
        scripts = job.scripts.alwayson_scripts if job.scripts is not None else ()
        found = next((script for script in scripts if _is_controlnet(script)), None)
        if found is None:
            return None
        from lib_photoshoot.webui.hosts.forge.witness import WatchedControlNet

        watched = WatchedControlNet(found, [self._unit(unit, request.image) for unit in request.units])
        return Equipment([watched], list(job.script_args), watched)

    def _unit(self, unit: ControlUnit, picture: Image.Image) -> Any:
        """Return ControlNet's own object. Without an image of its own it takes the pass's, cropped as the pass is, and
        works where the pass paints.
        """
        fields = {field.name for field in dataclasses.fields(self._code.ControlNetUnit)}
        wanted: dict[str, Any] = {
            "enabled": True,
            "module": self._modules().get(unit.module, unit.module),
            "model": unit.model,
            "weight": unit.weight,
            # The text: a unit's own value is compared with it, and the member of the list would not be equal.
            "control_mode": list(self._code.ControlMode)[CONTROL_MODES.index(unit.mode)].value,
            "guidance_start": unit.start,
            "guidance_end": unit.end,
            "pixel_perfect": True,
            "save_detected_map": False,
        }
        own = unit.image
        if own is None and unit.region is not None:
            own = picture  # a region is only looked at beside an image of the unit's own
        if own is not None:
            pixels = np.asarray(own.convert("RGB"))
            region = np.zeros_like(pixels) if unit.region is None else np.asarray(unit.region.convert("RGB"))
            if "image_fg" in fields:  # the layer that is drawn on: there it would be looked for where all is dark
                blank = np.zeros((*pixels.shape[:2], 4), np.uint8)
                wanted |= {"image": pixels, "image_fg": blank, "mask_image": region}
            else:
                nothing = np.zeros_like(region)
                wanted["image"] = {"image": pixels, "mask": np.zeros_like(pixels)}
                wanted["mask_image"] = {"image": region, "mask": nothing}
        return self._code.ControlNetUnit(**{name: value for name, value in wanted.items() if name in fields})

    def _modules(self) -> dict[str, str]:
        """Return the preprocessors' names in this ControlNet, by those that users know from the extension."""
        names = self._state.get_all_preprocessor_names()
        return {COMMON_NAMES.get(name, name.partition(" (")[0]): name for name in names}


def _is_controlnet(script: Any) -> bool:
    return script.title() == "ControlNet" and hasattr(script, "get_enabled_units")
