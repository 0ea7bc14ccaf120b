"""One img2img inpainting inside a running job, leaving no trace in the host.

Why each step is here stands in the measured traps of nested passes: ControlNet's script is shared and must not be
copied, the runner's callback cache must be, ``params.txt`` and the random state belong to the user's own job.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import Any

from modules import paths, shared
from modules.processing import Processed, StableDiffusionProcessingImg2Img, process_images
from PIL import Image

from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.webui.generate.enhancer import STOPPED
from lib_photoshoot.webui.hosts.a1111.keys import OUTER_CONTROLNET
from lib_photoshoot.webui.hosts.a1111.random_state import random_state_kept
from lib_photoshoot.webui.hosts.control import Equipment, HostControlNet, Witness
from lib_photoshoot.webui.hosts.forge.network import network_kept
from lib_photoshoot.webui.hosts.protocol import InpaintRequest

INNER = "_photoshoot_inner"
"""Marks a nested pass, so that no hook of ours runs inside it."""
_OF_SOME_HOSTS = ("distilled_cfg_scale",)
"""Values of a job that only some hosts have, and that a pass takes from it."""


def stopped() -> bool:
    """Whether the user interrupted, skipped, or asked to stop after this image."""
    state = shared.state
    return bool(state.interrupted or state.skipped or getattr(state, "stopping_generation", False))


def _unhook_outer(job: Any, controlnet: HostControlNet) -> None:
    """Take the job's own ControlNet off, one object per job."""
    found = getattr(job, OUTER_CONTROLNET, None) or controlnet.outer(job)
    if found is not None:
        setattr(job, OUTER_CONTROLNET, found)
        found.unhook(job, Processed)


def run(job: Any, request: InpaintRequest, controlnet: HostControlNet | None) -> Image.Image:
    """Paint one region. Raises EnhancementError and EnhancementStopped as ``Host.inpaint`` does."""
    if stopped():
        raise EnhancementStopped(STOPPED)
    if controlnet is not None:
        _unhook_outer(job, controlnet)
    equipment = controlnet.equip(job, request) if controlnet is not None and request.units else None
    if request.units and equipment is None:
        raise EnhancementError("ControlNet is not among the scripts of this job, and its units were asked for.")
    witness = None if equipment is None else equipment.witness
    inner = _processing(job, request)
    _equip(inner, job, equipment)
    with _params_file_kept(), random_state_kept(), _progress_text_kept(), network_kept(shared.sd_model):
        try:
            images = process_images(inner).images
        except Exception as error:  # the host raises anything, from out of memory to a wrong sampler
            if witness is not None:
                witness.let_go(inner)
            raise EnhancementError(f"The WebUI could not paint ({_first_line(error)}).") from error
        finally:
            inner.close()
    if stopped():
        # What comes back now may be half painted, or be a ControlNet map.
        if shared.state.skipped:
            shared.state.skipped = False  # the skip was for this product; the host resets it only for its own batches
        raise EnhancementStopped(STOPPED)
    if witness is not None and not witness.taken_up:
        raise EnhancementError(_not_taken_up(request, witness))
    if not images:
        raise EnhancementError("The WebUI returned no image; its reason is in the console.")
    painted = images[0]
    if painted.size != request.image.size:
        # Whole-picture passes work in multiples of 8 pixels.
        painted = painted.resize(request.image.size, Image.Resampling.LANCZOS)
    return painted


def _not_taken_up(request: InpaintRequest, witness: Witness) -> str:
    units = " and ".join(f"{unit.model!r} with {unit.module!r}" for unit in request.units)
    reason = f" ({witness.reason})" if witness.reason else ""
    return f"ControlNet did not take up {units}{reason}; its reason is in the WebUI's console."


def _size(job: Any, request: InpaintRequest) -> tuple[float, float]:
    """Return the width and height at which the pass paints, before they are rounded up to the host's grid."""
    if not request.only_masked:
        return request.image.size
    if not request.own_ratio:
        return job.width, job.height
    width, height = request.image.size
    share = (job.width * job.height / (width * height)) ** 0.5
    return round(width * share), round(height * share)


def _processing(job: Any, request: InpaintRequest) -> StableDiffusionProcessingImg2Img:
    width, height = _size(job, request)
    chosen: dict[str, Any] = {}
    if hasattr(job, "scheduler"):
        chosen["scheduler"] = request.scheduler or job.scheduler
    chosen |= {name: getattr(job, name) for name in _OF_SOME_HOSTS if hasattr(job, name)}
    inner = StableDiffusionProcessingImg2Img(
        sd_model=job.sd_model,
        outpath_samples=job.outpath_samples,
        outpath_grids=job.outpath_grids,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        styles=[],
        seed=request.seed,
        sampler_name=request.sampler or job.sampler_name,
        steps=request.steps or job.steps,
        cfg_scale=request.cfg_scale or job.cfg_scale,
        batch_size=1,
        n_iter=1,
        width=-(-width // 8) * 8,
        height=-(-height // 8) * 8,
        tiling=job.tiling,
        restore_faces=False,
        do_not_save_samples=True,
        do_not_save_grid=True,
        do_not_reload_embeddings=True,
        init_images=[request.image],
        mask=request.mask,
        mask_blur=request.mask_blur,
        inpainting_fill=1,  # start from the product itself
        inpainting_mask_invert=0,
        denoising_strength=request.denoise,
        resize_mode=0,
        inpaint_full_res=request.only_masked,
        inpaint_full_res_padding=request.padding,
        # The host restores only options that were saved before, so an override could stick.
        override_settings={},
        **chosen,
    )
    # ADetailer's own marks keep it out; ours keeps us out.
    for mark in (INNER, "_ad_disabled", "_ad_inner"):
        setattr(inner, mark, True)
    # Fresh caches of conditionings: the class's own are the outer job's.
    inner.cached_c, inner.cached_uc = [None, None], [None, None]
    return inner


def _equip(inner: StableDiffusionProcessingImg2Img, job: Any, equipment: Equipment | None) -> None:
    """Give the pass a script runner with ControlNet alone, or with nothing: some hosts ask every job for its own."""
    if job.scripts is None:
        return
    runner = copy(job.scripts)
    runner.alwayson_scripts = list(equipment.scripts) if equipment else []
    runner.selectable_scripts = []
    # Shared and checked by length only, this cache would call other scripts.
    runner.callback_map = {}
    inner.scripts, inner.script_args = runner, list(equipment.values) if equipment else []


@contextmanager
def _params_file_kept() -> Iterator[None]:
    """Keep ``params.txt`` as it is: the host writes every pass's parameters there, and its paste button reads them."""
    path = os.path.join(paths.data_path, "params.txt")
    before = None
    with suppress(OSError), open(path, encoding="utf8") as file:
        before = file.read()
    try:
        yield
    finally:
        if before is not None:
            with suppress(OSError), open(path, "w", encoding="utf8") as file:
                file.write(before)


@contextmanager
def _progress_text_kept() -> Iterator[None]:
    text = shared.state.job
    try:
        yield
    finally:
        shared.state.job = text


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
