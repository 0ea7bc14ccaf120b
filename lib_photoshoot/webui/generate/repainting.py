"""The host's own inpainting of products outside of a generation: a job is opened for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from PIL import Image

from lib_photoshoot.images import Picture, to_image
from lib_photoshoot.products import Product
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate.schema import JobValues
from lib_photoshoot.webui.hosts.protocol import Host
from lib_photoshoot.webui.http.errors import RequestError

if TYPE_CHECKING:
    from lib_photoshoot.enhancement.holding import HoldingEnhancer

OpenJob = Callable[[JobValues, Image.Image], AbstractContextManager[Any]]
"""Stands in for the generation around an enhancement; takes what it would have said, and the picture."""


@contextmanager
def repainting(
    host: Host,
    open_job: OpenJob,
    settings: FilterSettings,
    products: Sequence[Product],
    job: JobValues,
    picture: Picture,
    is_photo: bool = True,
) -> Iterator[tuple[HoldingEnhancer, str | None]]:
    """Yield what paints the products of ``picture``, and what differs from what was asked for.

    The caller has the turn in the host's queue. Raises RequestError for what the host cannot do.
    """
    from lib_photoshoot.webui.generate.colour import holding
    from lib_photoshoot.webui.generate.enhancer import InpaintEnhancer, JobPrompt
    from lib_photoshoot.webui.generate.units import choose_unit

    unit = choose_unit(settings, host.controlnet(), host.family())
    if unit.problem:
        raise RequestError(unit.problem)
    named = {product.name: product for product in products}
    prompt = JobPrompt(job.prompt, job.negative_prompt, job.seed)
    with open_job(job, to_image(picture.srgb)) as outer:
        painting = InpaintEnhancer(host, outer, settings, named, prompt, unit.unit)
        yield holding(painting, settings, is_photo=is_photo, products=products), unit.note
