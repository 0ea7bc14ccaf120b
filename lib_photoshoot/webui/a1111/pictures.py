"""Pictures between the host and the filter: tensors to images, masks and cut-outs to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from lib_photoshoot.webui.job import FilterJob, ImageOutcome


def composite_of(p: Any, index: int, tensor: Any) -> Image.Image:
    """The picture that image ``index`` of the batch will become: in "only masked" jobs a tensor is the crop alone.

    ``tensor`` is float (3, height, width) in [0, 1].
    """
    pixels = (255.0 * np.moveaxis(tensor.cpu().numpy(), 0, 2)).astype(np.uint8)
    image = Image.fromarray(pixels)
    overlays = getattr(p, "overlay_images", None)
    if not overlays or index >= len(overlays):
        return image
    from modules.processing import apply_overlay

    composite = apply_overlay(image, p.paste_to, overlays[index])
    # Hosts before 1.9 return the picture alone.
    return composite[0] if isinstance(composite, tuple) else composite


def infotext_of(p: Any) -> str:
    """The infotext that the host will write into the image that it is at; empty where it writes none."""
    from modules import shared
    from modules.processing import create_infotext

    if not shared.opts.enable_pnginfo:
        return ""
    lists = (p.prompts, p.seeds, p.subseeds)
    try:
        return str(create_infotext(p, *lists, index=p.batch_index, all_negative_prompts=p.negative_prompts))
    except Exception:  # another host's, or another extension's part of it: an image is never lost for its text
        return ""


def save_extras(
    p: Any, number: int, job: FilterJob, before: Image.Image, outcome: ImageOutcome, text: str = ""
) -> None:
    """Save what the settings ask for beside the image: masks, cut-outs, the image before the enhancement.

    ``number`` is the image's number in the job, ``text`` its infotext: cut-outs say too that they were generated.
    """
    settings, result = job.settings, outcome.result
    if result is None or not result.regions:
        return
    from lib_photoshoot.masks.cutout import cut_out, mask_image
    from lib_photoshoot.settings import OnMatch
    from lib_photoshoot.webui.a1111.options import read_option

    alone = settings.on_match == OnMatch.CUT_OUT.value
    folder = Path(p.outpath_samples) / str(read_option("masks_folder"))
    for position, region in enumerate(result.regions, 1):
        name = f"{p.all_seeds[number]}-{position}-{region.product}"
        if settings.save_masks or alone:
            _save(mask_image(region.mask), folder, f"{name}-mask")
        if settings.save_cutouts or alone:
            _save(cut_out(result.image, region.solid, matte=region.alpha), folder, f"{name}-cutout", text)
    if settings.save_before and outcome.image is not before:
        _save(before, folder, f"{p.all_seeds[number]}-before", text)


def _save(image: Image.Image, folder: Path, name: str, text: str = "") -> None:
    from lib_photoshoot.catalog.outputs import slug
    from lib_photoshoot.images import write_image
    from lib_photoshoot.provenance.metadata import Metadata, save_options

    written = Metadata(texts=(("parameters", text),) if text else ())
    write_image(image, free_name(folder / f"{slug(name)}.png"), **save_options("PNG", written))


def free_name(path: Path) -> Path:
    """The path itself, or with the first number that no file has: nothing is ever overwritten."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate
