"""sd-webui-controlnet (1.1.455), found where the WebUI has loaded it; nothing of it is imported before.

ControlNet reports success whatever happens: a missing model leaves the image as if there were no ControlNet, and the
infotext claims otherwise. So its hook on the network is looked at, see ``hook_witness.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from lib_photoshoot.enhancement.protocol import EnhancementError
from lib_photoshoot.webui.hosts.a1111.options import host_option
from lib_photoshoot.webui.hosts.control import Equipment, HostControlNet
from lib_photoshoot.webui.hosts.control_files import lacks_file, model_family
from lib_photoshoot.webui.hosts.protocol import ControlModel, ControlUnit, InpaintRequest

_UNITS = 3
"""How many units all of these ControlNets have by themselves."""


def find_controlnet() -> HostControlNet | None:
    """Return the ControlNet that the WebUI has loaded, its own or the extension's."""
    from lib_photoshoot.webui.hosts.forge.controlnet import find_own_controlnet

    most_units = int(host_option("control_net_unit_count", _UNITS))
    own = find_own_controlnet(most_units)
    if own is not None:
        return own
    code = sys.modules.get("internal_controlnet.external_code")
    state = sys.modules.get("scripts.global_state")
    return A1111ControlNet(code, state, most_units) if code is not None and state is not None else None


class A1111ControlNet:
    """See ``HostControlNet``."""

    def __init__(self, external_code: Any, global_state: Any, most_units: int) -> None:
        self._code = external_code
        self._state = global_state
        self._most_units = most_units

    def models(self, refresh: bool = False) -> Sequence[ControlModel]:
        names = self._code.get_models(update=refresh or not self._state.cn_models_names)
        return [ControlModel(name, model_family(self._state.cn_models.get(name))) for name in names if name != "None"]

    def modules(self) -> Sequence[str]:
        names, labels = self._code.get_modules(False), self._code.get_modules(True)
        # Users know the labels; those with an explanation in brackets go by their short name, which works as well.
        return [name if " (" in label else label for name, label in zip(names, labels, strict=True)]

    def needs_download(self, module: str) -> bool:
        annotator = sys.modules.get("annotator.annotator_path")
        return annotator is not None and lacks_file(module, annotator.models_path)

    def _script_of(self, runner: Any) -> Any:
        """Return the ControlNet script of a runner, or None."""
        return self._code.find_cn_script(runner)

    def most_units(self) -> int:
        return self._most_units

    def _unit(self, unit: ControlUnit) -> Any:
        """ControlNet's own object. Without an image of its own it takes the pass's, cropped as the pass is."""
        own: dict[str, Any] = {}
        if unit.image is not None:
            # What is not of the pass's size cannot be cropped like it.
            own |= {"image": np.asarray(unit.image), "inpaint_crop_input_image": False}
        if unit.region is not None:
            own["effective_region_mask"] = np.asarray(unit.region.convert("RGB"))
        return self._code.ControlNetUnit(
            enabled=True,
            module=unit.module,
            model=unit.model,
            weight=unit.weight,
            control_mode=unit.mode,
            guidance_start=unit.start,
            guidance_end=unit.end,
            pixel_perfect=True,
            save_detected_map=False,
            **own,
        )

    def outer(self, job: Any) -> OuterControlNet:
        return OuterControlNet(self._script_of(job.scripts))

    def equip(self, job: Any, request: InpaintRequest) -> Equipment | None:
        script = None if job.scripts is None else self._script_of(job.scripts)
        if script is None:
            return None
        from lib_photoshoot.webui.hosts.a1111.hook_witness import HookWitness

        slots = script.args_to - script.args_from
        if len(request.units) > slots:
            # One too many would move the slots of every script after ControlNet's, for good.
            raise EnhancementError(f"ControlNet has {slots} units here, and {len(request.units)} were asked for.")
        units = [self._unit(unit) for unit in request.units]
        units += [self._code.ControlNetUnit(enabled=False) for _ in range(slots - len(units))]
        values = list(job.script_args)
        values[script.args_from : script.args_to] = units
        witness = HookWitness(script)
        # The script itself is shared, its slot too: a copy of it would reload its model on every pass.
        return Equipment([script, witness], values, witness)


class OuterControlNet:
    """Takes the outer job's ControlNet off the network for our passes, and puts it back before its next batch.

    Two hooks at once corrupt the network until the WebUI restarts; a nested pass under the outer hook is steered by it.
    """

    def __init__(self, script: Any) -> None:
        self._script = script
        self._unhooked = False
        self._maps: list[Any] = []

    def unhook(self, job: Any, processed_type: type) -> None:
        """Take the outer hook off, if there is one."""
        script = self._script
        if script is None or getattr(script, "latest_network", None) is None:
            return
        from copy import copy

        receiver = processed_type(job, [], job.seed, "")
        script.postprocess(copy(job), receiver)
        # What ControlNet shows of its maps would be lost with this receiver; the last batch's are shown by us.
        self._maps = list(receiver.images)
        self._unhooked = True

    def rehook(self, job: Any) -> None:
        """Put the outer hook back before the next batch is sampled."""
        if not self._unhooked:
            return
        script = self._script
        script.process(job, *job.script_args[script.args_from : script.args_to])
        self._unhooked, self._maps = False, []

    def take_maps(self) -> list[Any]:
        """Return the outer job's detected maps, if our passes came between them and the results; once."""
        maps, self._maps = self._maps, []
        return maps if self._unhooked else []
