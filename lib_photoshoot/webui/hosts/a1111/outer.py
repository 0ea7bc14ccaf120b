"""What the routes and the tab need of the host outside of a generation: its queue, a job to paint in, its folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from lib_photoshoot.registry import REGISTRY
from lib_photoshoot.webui.generate.schema import JobValues
from lib_photoshoot.webui.hosts.a1111 import checkpoint
from lib_photoshoot.webui.hosts.a1111.options import read_option
from lib_photoshoot.webui.hosts.options import UNLOAD
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.folders import AllowedFolders, allowed_folders, listed_folders


@contextmanager
def queue_turn() -> Iterator[None]:
    """Our turn in the host's queue, in which nothing else uses models."""
    from modules.call_queue import queue_lock

    with queue_lock:
        yield


@contextmanager
def models_turn() -> Iterator[None]:
    """As :func:`queue_turn`, for one request: the detection models go afterwards, where the user wants that."""
    with queue_turn():
        try:
            yield
        finally:
            release_models()


def release_models() -> None:
    """Let the detection models go if the user wants that after each job."""
    if read_option("unload") == UNLOAD:
        REGISTRY.release()


def own_outputs() -> Path:
    """Where the tab's runs and the shoots lie, unless another folder is named."""
    return Path(_outputs()).absolute() / "photoshoot"


def _outputs() -> str:
    """Return the host's folder of results, which it calls ``outputs``, or ``output`` as Forge Neo does."""
    from modules import paths

    internal = sys.modules.get("modules.paths_internal")
    return str(getattr(internal, "default_output_dir", None) or os.path.join(paths.data_path, "outputs"))


def usable_folders() -> AllowedFolders:
    """Return the folders that requests may name: those of our option, and what else no stranger can have chosen.

    docs/security.md says why.
    """
    from modules import paths, shared

    listed = listed_folders(str(read_option("api_folders")))
    if shared.cmd_opts.hide_ui_dir_config:
        return allowed_folders(listed, Path.cwd(), _HIDDEN)
    own = [_outputs(), os.path.join(paths.data_path, "log", "images")]
    if not _strangers_set_options(shared.cmd_opts):
        # The host takes relative folders from its working directory.
        names = [name for name in shared.opts.data_labels if name.startswith("outdir_")]
        own += [str(getattr(shared.opts, name, "") or "") for name in names]
    return allowed_folders([*own, *listed], Path.cwd())


def page_folders() -> AllowedFolders:
    """Return the folders whose pictures the page shows: those of requests, and what this extension has made."""
    usable = usable_folders()
    return replace(usable, roots=(*usable.roots, Path(os.path.realpath(own_outputs()))))


_HIDDEN = (
    "this WebUI was started with --hide-ui-dir-config, so only those can be named that its owner has listed in "
    "Settings, Product Photoshoot"
)


def _strangers_set_options(cmd_opts: Any) -> bool:
    """Whether the host's HTTP API, which also sets its output folders, asks nobody who they are."""
    return bool((cmd_opts.api or cmd_opts.nowebui) and not cmd_opts.api_auth)


@contextmanager
def open_job(values: JobValues, image: Image.Image) -> Iterator[Any]:
    """Yield a processing object that stands for the generation around a nested pass; nothing is ever sampled from it.

    Raises RequestError for a sampler or scheduler that the host does not have. Needs :func:`queue_turn`.
    """
    from modules import scripts, sd_samplers, sd_schedulers, shared
    from modules.processing import StableDiffusionProcessingImg2Img

    sampler = values.sampler or sd_samplers.all_samplers[0].name
    if sampler not in sd_samplers.all_samplers_map:
        raise RequestError(f"There is no sampler called {sampler!r}; GET /sdapi/v1/samplers lists them.")
    if values.scheduler not in sd_schedulers.schedulers_map:
        raise RequestError(
            f"There is no schedule type called {values.scheduler!r}; GET /sdapi/v1/schedulers lists them."
        )
    model = checkpoint.loaded()
    usual = 512 if checkpoint.family_of(model) in ("sd1", "sd2", None) else 1024
    outer = StableDiffusionProcessingImg2Img(
        sd_model=model,
        outpath_samples=shared.opts.outdir_samples or shared.opts.outdir_img2img_samples,
        outpath_grids=shared.opts.outdir_grids or shared.opts.outdir_img2img_grids,
        prompt=values.prompt,
        negative_prompt=values.negative_prompt,
        seed=values.seed,
        sampler_name=sampler,
        scheduler=values.scheduler,
        steps=values.steps,
        cfg_scale=values.cfg_scale,
        width=values.width or usual,
        height=values.height or usual,
        tiling=False,
        do_not_save_samples=True,
        do_not_save_grid=True,
        init_images=[image],
    )
    outer.is_api = True
    # Only ControlNet's script runs in a nested pass, with arguments of its own: the others need no values, and their
    # set-up no call.
    outer.scripts_setup_complete = True
    outer.scripts = copy(scripts.scripts_img2img)
    outer.script_args = [0] + [None] * max((script.args_to or 0 for script in outer.scripts.scripts), default=0)
    with closing(outer):
        shared.state.begin(job="photoshoot")
        shared.state.job_count = 0  # nested passes announce themselves
        try:
            yield outer
        finally:
            shared.state.end()
            shared.total_tqdm.clear()
