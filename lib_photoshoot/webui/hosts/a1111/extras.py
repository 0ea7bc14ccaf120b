"""Files beside a generated image: masks, cut-outs, the image before the enhancement."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.file_names import with_ending

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.webui.generate.job import FilterJob, ImageOutcome


def save_extras(
    p: Any, seed: int, job: FilterJob, before: Image.Image, outcome: ImageOutcome, infotext: Callable[[], str]
) -> None:
    """Save what the settings ask for beside the image: masks, cut-outs, the image before the enhancement.

    ``seed`` is the image's and begins their names; ``infotext`` makes its infotext: cut-outs say too that
    they were generated.
    """
    settings, result = job.settings, outcome.result
    if result is None or not result.regions or not _saves_files(settings):
        return
    from lib_photoshoot.masks.cutout import cut_out, mask_image
    from lib_photoshoot.settings import OnMatch
    from lib_photoshoot.webui.generate.scene import placed_regions
    from lib_photoshoot.webui.hosts.a1111.options import folder_option

    text = infotext()
    alone = settings.on_match == OnMatch.CUT_OUT.value
    folder = folder_option("masks_folder", Path(p.outpath_samples))
    # Of a product in a new scene the mask fits the scene, and the cut-out is as sharp as before.
    colours = result.image if result.scene is None else result.scene.photo
    for position, (region, placed) in enumerate(zip(result.regions, placed_regions(result), strict=True), 1):
        name = f"{seed}-{position}-{region.product}"
        if settings.save_masks or alone:
            _save(mask_image(placed.mask), folder, f"{name}-mask")
        if settings.save_cutouts or alone:
            _save(cut_out(colours, region.solid, matte=region.alpha), folder, f"{name}-cutout", text)
    if settings.save_before and outcome.image is not before:
        _save(before, folder, f"{seed}-before", text)


def _saves_files(settings: FilterSettings) -> bool:
    """Whether there is anything to save: the job of another extension may have no folder for its images."""
    from lib_photoshoot.settings import OnMatch

    alone = settings.on_match == OnMatch.CUT_OUT.value
    return alone or settings.save_masks or settings.save_cutouts or settings.save_before


def _save(image: Image.Image, folder: Path, name: str, text: str = "") -> None:
    from lib_photoshoot.catalog.outputs import slug
    from lib_photoshoot.images import write_image
    from lib_photoshoot.provenance.metadata import Metadata, save_options

    written = Metadata(texts=(("parameters", text),) if text else ())
    write_image(image, free_name(folder / f"{slug(name)}.png"), **save_options("PNG", written))


def free_name(path: Path) -> Path:
    """Return the path itself, or with the first number that no file has: nothing is ever overwritten."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = with_ending(path, f"-{number}")
    return candidate
