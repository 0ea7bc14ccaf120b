"""What ControlNet's files tell on any host: of a model its family, of a preprocessor whether it is whole.

Nothing of a host is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache

from lib_photoshoot.safetensors_header import HeaderError, read_header

PREPROCESSOR_FILES = {
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
"""The file that a preprocessor would download, below the folder for such files. One that is not listed is taken to
work: it says so itself if not."""
COMMON_NAMES = {
    "None": "none",
    "normalbae": "normal_bae",
    "CLIP-ViT-H (IPAdapter)": "ip-adapter_clip_h",
    "CLIP-ViT-bigG (IPAdapter)": "ip-adapter_clip_g",
    "InsightFace+CLIP-H (IPAdapter)": "ip-adapter_face_id_plus",
    "InsightFace (InstantID)": "instant_id_face_embedding",
    "CLIP-G (Revision)": "revision_clipvision",
    "CLIP-G (Revision ignore prompt)": "revision_ignore_prompt",
}
"""Preprocessors that go by another name on some hosts: those that settings and presets have, by the host's."""
_FAMILY_BY_CONTEXT = {768: "sd1", 1024: "sd2", 2048: "sdxl"}


def lacks_file(preprocessor: str, folder: str) -> bool:
    """Whether a preprocessor would have to fetch its file into ``folder``, where it lies in a sub-folder or on top."""
    name = PREPROCESSOR_FILES.get(preprocessor)
    if name is None:
        return False
    return not any(os.path.isfile(os.path.join(folder, place)) for place in (name, os.path.basename(name)))


def model_family(path: str | None) -> str | None:
    """Return the checkpoint family that a model was made for: ``sd1``, ``sd2``, ``sdxl``, None where the file does not
    tell or is gone.
    """
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
