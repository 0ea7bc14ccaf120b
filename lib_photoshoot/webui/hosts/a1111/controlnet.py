"""sd-webui-controlnet (1.1.455), found where the WebUI has loaded it; nothing of it is imported before.

ControlNet reports success whatever happens: a missing model leaves the image as if there were no ControlNet, and the
infotext claims otherwise. So its hook on the network is looked at, see :class:`HookWitness`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lib_photoshoot.safetensors_header import HeaderError, read_header
from lib_photoshoot.webui.hosts.protocol import ControlModel, ControlUnit

# The file that a preprocessor would download, below ControlNet's folder of preprocessor weights. A preprocessor that
# is not listed is taken to work: it says so itself if not.
_WEIGHTS = {
    "depth_midas": "midas/dpt_hybrid-midas-501f0c75.pt",
    "normal_midas": "midas/dpt_hybrid-midas-501f0c75.pt",
    "depth_leres": "leres/res101.pth",
    "depth_leres++": "leres/latest_net_G.pth",
    "depth_zoe": "zoedepth/ZoeD_M12_N.pt",
    "depth_anything": "depth_anything/depth_anything_vitl14.pth",
    "depth_anything_v2": "depth_anything_v2/depth_anything_v2_vitl.pth",
    "depth_hand_refiner": "hand_refiner/hand_depth_model_refiner.pth",
    "normal_bae": "normal_bae/scannet.pt",
    "normal_dsine": "normal_dsine/dsine.pt",
    "softedge_hed": "hed/ControlNetHED.pth",
    "softedge_hedsafe": "hed/ControlNetHED.pth",
    "scribble_hed": "hed/ControlNetHED.pth",
    "softedge_pidinet": "pidinet/table5_pidinet.pth",
    "softedge_pidisafe": "pidinet/table5_pidinet.pth",
    "scribble_pidinet": "pidinet/table5_pidinet.pth",
    "softedge_teed": "TEED/7_model.pth",
    "lineart_realistic": "lineart/sk_model.pth",
    "lineart_coarse": "lineart/sk_model2.pth",
    "lineart_anime": "lineart_anime/netG.pth",
    "lineart_anime_denoise": "manga_line/erika.pth",
    "mlsd": "mlsd/mlsd_large_512_fp32.pth",
    "inpaint_only+lama": "lama/ControlNetLama.pth",
    "openpose": "openpose/body_pose_model.pth",
    "openpose_full": "openpose/body_pose_model.pth",
    "seg_ofade20k": "oneformer/250_16_swin_l_oneformer_ade20k_160k.pth",
    "seg_ofcoco": "oneformer/150_16_swin_l_oneformer_coco_100ep.pth",
    "seg_ufade20k": "uniformer/upernet_global_small.pth",
    "ip-adapter_clip_h": "clip_vision/clip_h.pth",
    "ip-adapter_clip_g": "clip_vision/clip_g.pth",
    "ip-adapter_clip_sdxl_plus_vith": "clip_vision/clip_h.pth",
    "revision_clipvision": "clip_vision/clip_g.pth",
    "revision_ignore_prompt": "clip_vision/clip_g.pth",
}
_UNITS = 3
"""ControlNet's own number of units."""
_FAMILY_BY_CONTEXT = {768: "sd1", 1024: "sd2", 2048: "sdxl"}


def find_controlnet() -> A1111ControlNet | None:
    """ControlNet, when the WebUI has loaded it."""
    code = sys.modules.get("internal_controlnet.external_code")
    state = sys.modules.get("scripts.global_state")
    return A1111ControlNet(code, state) if code is not None and state is not None else None


class A1111ControlNet:
    """See ``ControlNetApi``; also makes units and finds the script of a job."""

    def __init__(self, external_code: Any, global_state: Any) -> None:
        self._code = external_code
        self._state = global_state

    def models(self, refresh: bool = False) -> Sequence[ControlModel]:
        names = self._code.get_models(update=refresh or not self._state.cn_models_names)
        return [ControlModel(name, self._family(name)) for name in names if name != "None"]

    def modules(self) -> Sequence[str]:
        names, labels = self._code.get_modules(False), self._code.get_modules(True)
        # Users know the labels; those with an explanation in brackets go by their short name, which works as well.
        return [name if " (" in label else label for name, label in zip(names, labels, strict=True)]

    def needs_download(self, module: str) -> bool:
        annotator = sys.modules.get("annotator.annotator_path")
        if module not in _WEIGHTS or annotator is None:
            return False
        return not os.path.isfile(os.path.join(annotator.models_path, _WEIGHTS[module]))

    def script(self, runner: Any) -> Any:
        """Return the ControlNet script of a runner, or None."""
        return self._code.find_cn_script(runner)

    def most_units(self) -> int:
        from modules import shared

        return int(shared.opts.data.get("control_net_unit_count", _UNITS))

    def unit(self, unit: ControlUnit) -> Any:
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

    def no_unit(self) -> Any:
        """Return a unit that does nothing."""
        return self._code.ControlNetUnit(enabled=False)

    def _family(self, name: str) -> str | None:
        path = self._state.cn_models.get(name)
        try:
            return file_family(path, os.stat(path).st_mtime_ns) if path else None
        except OSError:
            return None


@lru_cache(maxsize=512)
def file_family(path: str, changed: int) -> str | None:
    """Return the checkpoint family of a ``.safetensors`` ControlNet, from its header alone; None where that does not
    tell.

    ``changed`` is the file's time of change, so that a new file under an old name is read anew. Raises OSError.
    """
    if not path.endswith(".safetensors"):
        name = os.path.basename(path).lower()
        return "sdxl" if "xl" in name else "sd1" if "sd15" in name else "sd2" if "sd21" in name else None
    try:
        tensors = read_header(path).tensors
    except HeaderError:
        return None
    return family_of({name: tensor.shape for name, tensor in tensors.items()})


def family_of(shapes: Mapping[str, Sequence[int]]) -> str | None:
    """Return the family by the width of the text that the network's cross-attention reads; ``shapes`` by tensor."""
    return next(
        (
            _FAMILY_BY_CONTEXT.get(shape[-1])
            for name, shape in shapes.items()
            if name.endswith(("attn2.to_k.weight", "to_k_ip.weight")) and shape
        ),
        None,
    )


class OuterControlNet:
    """Takes the outer job's ControlNet off the network for our passes, and puts it back before its next batch.

    Two hooks at once corrupt the network until the WebUI restarts; a nested pass under the outer hook is steered by it.
    """

    def __init__(self, controlnet: A1111ControlNet, job: Any) -> None:
        self._script = controlnet.script(job.scripts)
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
