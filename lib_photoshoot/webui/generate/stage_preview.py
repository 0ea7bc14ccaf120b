"""The start of a scene, before anything is spent: the products of one picture where they would stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate.job import reason_text, start_job
from lib_photoshoot.webui.generate.scene import SceneJob, start_scene, wants_scene
from lib_photoshoot.webui.http.sentences import note
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.staging.plan import Staged
    from lib_photoshoot.webui.hosts.protocol import Host


@dataclass(frozen=True, eq=False)
class Outlined:
    """A picture, uint8 RGB (height, width, 3), and its products: what is staged anew when a setting changes."""

    pixels: np.ndarray
    regions: tuple[ProductRegion, ...]


@dataclass(frozen=True, eq=False)
class StageShown:
    """The start of a scene, and what is said of it as HTML."""

    image: Image.Image
    html: str


def outline(host: Host, settings: FilterSettings, image: Image.Image) -> Outlined:
    """Find the products of a picture. Raises PhotoshootError where none is found, and for what would stop the job."""
    from lib_photoshoot.transparency import over_white, rgba_of, split

    job = start_job(host, replace(settings, repaint=Repaint.SCENE.value))
    if job.problem is not None:
        raise PhotoshootError(job.problem)
    result = job.decide(image)
    if result.reason is not None:
        raise PhotoshootError(f"Nothing to stage: {reason_text(result.reason)}.")
    pixels, opacity = split(rgba_of(image))
    return Outlined(pixels if opacity is None else over_white(pixels, opacity), result.regions)


def show_stage(host: Host, settings: FilterSettings, seen: Outlined) -> StageShown:
    """Return the products on their canvas, as a scene would begin. Raises PhotoshootError for what cannot be staged."""
    from lib_photoshoot.images import to_image
    from lib_photoshoot.staging.stage import stage

    scene = start_scene(host, settings if wants_scene(settings) else replace(settings, repaint=Repaint.SCENE.value))
    assert scene is not None, "a scene was asked for"
    staged = stage(seen.pixels, seen.regions, scene.wished.plan, scene.wished.backdrop)
    return StageShown(to_image(staged.image), "".join(_lines(settings, scene, staged)))


def _lines(settings: FilterSettings, scene: SceneJob, staged: Staged) -> Iterator[str]:
    height, width = staged.alpha.shape
    rows, columns = np.nonzero(staged.alpha.any(axis=1))[0], np.nonzero(staged.alpha.any(axis=0))[0]
    tall, wide = len(rows) and rows[-1] + 1 - rows[0], len(columns) and columns[-1] + 1 - columns[0]
    share = max(tall / height, wide / width)
    size = "" if staged.scale == 1 else f", at {staged.scale:.0%} of its size"
    count = counted(len(staged.regions), "product")
    yield note(f"{count} on {width}×{height} pixels: {share:.0%} of the frame{size}. {_painted_by(settings, scene)}")
    if not wants_scene(settings):
        yield note("No scene would be painted: Enhance is set to product.", wrong=True)
    problems = (scene.units.problem, scene.units.note)
    yield from (note(text, wrong=True) for text in problems if text)
    yield from (note(text) for text in staged.notes)


def _painted_by(settings: FilterSettings, scene: SceneJob) -> str:
    if settings.scene_denoise == 0:
        return "This is the scene: nothing would be painted."
    means = scene.units.in_words or "plain inpainting"
    return f"The rest would be painted anew by {means}."
