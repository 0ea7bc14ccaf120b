"""The host's own inpainting of products and scenes outside of a generation: a job is opened for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from lib_photoshoot.images import Picture, to_image
from lib_photoshoot.products import Product
from lib_photoshoot.settings import Enhancement, FilterSettings
from lib_photoshoot.webui.generate.schema import JobValues
from lib_photoshoot.webui.hosts.protocol import Host
from lib_photoshoot.webui.http.errors import RequestError

if TYPE_CHECKING:
    from lib_photoshoot.enhancement.holding import HeldRegion
    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.staging.scenery import Scenery

OpenJob = Callable[[JobValues, Image.Image], AbstractContextManager[Any]]
"""Stands in for the generation around an enhancement; takes what it would have said, and the picture."""


@dataclass(frozen=True, eq=False)
class Repainting:
    """What paints the products of one picture, what paints its scene, and what differs from what was asked for."""

    enhancer: Enhancer | None
    scenery: Scenery | None
    note: str | None = None

    @property
    def held(self) -> list[HeldRegion]:
        """What became of the products' colours."""
        return getattr(self.enhancer, "held", [])


@contextmanager
def repainting(
    host: Host,
    open_job: OpenJob,
    settings: FilterSettings,
    products: Sequence[Product],
    job: JobValues,
    picture: Picture,
    is_photo: bool = True,
) -> Iterator[Repainting]:
    """Yield what paints ``picture``.

    The caller has the turn in the host's queue. Raises RequestError for what the host cannot do, StageError,
    FolderError and ImageError for a scene that cannot be staged.
    """
    from lib_photoshoot.enhancement.retouch import retouch_of
    from lib_photoshoot.webui.generate.colour import holding
    from lib_photoshoot.webui.generate.enhancer import InpaintEnhancer, JobPrompt
    from lib_photoshoot.webui.generate.scene import notes_of, start_scene, wants_product
    from lib_photoshoot.webui.generate.units import UnitChoice, choose_unit

    unit = choose_unit(settings, host.controlnet(), host.family()) if wants_product(settings) else UnitChoice()
    scene = start_scene(host, settings)
    problem = unit.problem or (scene.units.problem if scene else None)
    if problem:
        raise RequestError(problem)
    named = {product.name: product for product in products}
    prompt = JobPrompt(job.prompt, job.negative_prompt, job.seed)
    notes = notes_of(unit, scene)
    with open_job(job, to_image(picture.srgb)) as outer:
        enhancer: Enhancer | None = None
        if wants_product(settings) and settings.enhancement == Enhancement.RETOUCH.value:
            enhancer = retouch_of(settings.retouch, settings.white_balance)
        elif wants_product(settings):
            painting = InpaintEnhancer(host, outer, settings, named, prompt, unit.unit)
            enhancer = holding(painting, settings, is_photo=is_photo, products=products)
        scenery = scene.scenery(host, outer, settings, prompt) if scene else None
        yield Repainting(enhancer, scenery, " ".join(notes) or None)
