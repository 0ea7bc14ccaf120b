"""IC-Light in this host: the models that the user has installed, and a pass of the host under one.

Nothing is downloaded here: the models have terms of their own, under which users get them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from modules import devices, paths, shared
from PIL import Image

from lib_photoshoot.enhancement.protocol import EnhancementError
from lib_photoshoot.paths import models_folder
from lib_photoshoot.webui.hosts.a1111 import checkpoint
from lib_photoshoot.webui.hosts.a1111.iclight_network import (
    Lit,
    OffsetsError,
    conditions_of,
    lit,
    read_offsets,
)
from lib_photoshoot.webui.hosts.control import HostControlNet
from lib_photoshoot.webui.hosts.protocol import InpaintRequest, LightModel, LightRequest

_FOLDERS = ("ic-light", "iclight", "unet")
"""Of the host's models: where the neighbours that use IC-Light have it."""
_NAMED = re.compile("ic[-_ ]?light", re.IGNORECASE)


def light_models() -> tuple[LightModel, ...] | None:
    """See ``Host``."""
    if network_of(checkpoint.loaded()) is None:
        return None
    return tuple(found_in([*(Path(paths.models_path, name) for name in _FOLDERS), models_folder()]))


def found_in(folders: list[Path]) -> Iterator[LightModel]:
    """Yield the models of IC-Light in these folders, known by their name and by what their first layer takes in."""
    for folder in folders:
        for path in sorted(folder.glob("*.safetensors")):
            named = _NAMED.search(path.name) or _NAMED.search(folder.name)
            if named and (pictures := conditions_of(path)):
                yield LightModel(path.stem.replace(",", " "), path, pictures == 2)


def network_of(model: Any) -> Any:
    """Return a checkpoint's network as far as it can be relit: this host's own kind, and none of a fork's."""
    if hasattr(model, "forge_objects"):
        return None
    network = getattr(getattr(model, "model", None), "diffusion_model", None)
    return network if hasattr(network, "input_blocks") and hasattr(model, "encode_first_stage") else None


def relight(job: Any, request: InpaintRequest, light: LightRequest, controlnet: HostControlNet | None) -> Image.Image:
    """See ``Host``."""
    from lib_photoshoot.webui.hosts.a1111 import nested

    try:
        with _under(light) as state:
            painted = nested.run(job, request, controlnet)
    except OffsetsError as error:
        raise EnhancementError(str(error)) from error
    if not state.used:
        raise EnhancementError("The WebUI painted by another network than the checkpoint's own; turn that SD Unet off.")
    return painted


@contextmanager
def _under(light: LightRequest) -> Iterator[Lit]:
    """Let the checkpoint's network be that of IC-Light for a while."""
    # Where the host moves layers to the GPU one by one, there is no room for all offsets either.
    place = devices.cpu if shared.cmd_opts.lowvram else shared.device
    try:
        shown = _latent([light.foreground, *([light.background] if light.model.sees_background else [])])
        offsets = read_offsets(light.model.path, place, devices.dtype_unet)
    except RuntimeError as error:  # torch's, as for want of memory
        raise EnhancementError(f"IC-Light could not be made ready ({str(error).splitlines()[0][:200]}).") from error
    with lit(network_of(shared.sd_model), offsets, shown) as state:
        yield state


def _latent(pictures: list[Image.Image]) -> torch.Tensor:
    """Return the latents of pictures one after the other, (1, 4 each, height, width), without noise: grey 127 is 0."""
    model = shared.sd_model
    latents = []
    with torch.no_grad(), devices.autocast():
        model.first_stage_model.to(devices.dtype_vae)
        for picture in pictures:
            pixels = np.asarray(picture.convert("RGB"), np.float32) / 127 - 1
            tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, 2, 0)))[None]
            encoded = model.encode_first_stage(tensor.to(shared.device, dtype=devices.dtype_vae))
            # A distribution, of which the host would draw one and IC-Light takes the middle.
            latents.append(model.scale_factor * encoded.mode())
    return torch.cat(latents, dim=1)
