"""Repaint products through the host's img2img inpainting, one region after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from lib_photoshoot.compose import compose
from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.masks.cutout import mask_image
from lib_photoshoot.masks.morphology import grow
from lib_photoshoot.products import Product
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.settings import SAME, FilterSettings, Order
from lib_photoshoot.webui.hosts.protocol import ControlUnit, Host, InpaintRequest

STOPPED = "The enhancement was stopped; the original image was kept."


@dataclass(frozen=True)
class JobPrompt:
    """What the outer job says about one image: prompts as typed (with LoRA tags) and the image's own seed."""

    prompt: str
    negative_prompt: str
    seed: int


class InpaintEnhancer:
    """An ``Enhancer`` that asks the host; ``job`` is the host's own processing object."""

    name = "inpaint"

    def __init__(
        self,
        host: Host,
        job: Any,
        settings: FilterSettings,
        products: Mapping[str, Product],
        job_prompt: JobPrompt,
        unit: ControlUnit | None,
    ) -> None:
        self.host = host
        self.job = job
        self.settings = settings
        self.products = products
        self.job_prompt = job_prompt
        self.unit = unit

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        """1 wherever the host's own blurred mask lets a pixel change, 0 elsewhere; see ``Enhancer``.

        The host has blended with its blurred mask already: blending once more would only weaken the edge.
        """
        return grow(mask, self.settings.mask_grow + blur_reach(self.settings.mask_blur)).astype(np.float32)

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion]) -> np.ndarray:
        """See ``Enhancer``. Each region starts from the result of the one before."""
        chosen = in_order(regions, self.settings, list(self.products))
        self.host.expect(len(chosen))
        current = image
        for number, region in enumerate(chosen):
            if self.host.stopped():
                raise EnhancementStopped(STOPPED)
            painted = np.asarray(self.host.inpaint(self.job, self._request(current, region, number)).convert("RGB"))
            if self.host.stopped():
                raise EnhancementStopped(STOPPED)
            if painted.shape != image.shape:
                raise EnhancementError(
                    f"The WebUI returned {painted.shape[1]}x{painted.shape[0]} pixels for an image of "
                    f"{image.shape[1]}x{image.shape[0]}; the original was kept."
                )
            current = compose(current, painted, self.alpha(region.solid))
        return current

    def _request(self, image: np.ndarray, region: ProductRegion, number: int) -> InpaintRequest:
        settings, product = self.settings, self.products[region.product]
        return InpaintRequest(
            image=Image.fromarray(image),
            mask=mask_image(grow(region.solid, settings.mask_grow)),
            prompt=fill_in(product.prompt or settings.prompt, self.job_prompt.prompt, product.name),
            negative_prompt=fill_in(settings.negative_prompt, self.job_prompt.negative_prompt, product.name),
            seed=self.job_prompt.seed + number,
            denoise=settings.denoise if product.denoise is None else product.denoise,
            mask_blur=settings.mask_blur,
            only_masked=settings.only_masked,
            padding=settings.padding,
            cfg_scale=settings.cfg_scale,
            **sampling_of(settings),
            units=(self.unit,) if self.unit else (),
        )


def blur_reach(mask_blur: int) -> int:
    """Pixels that the WebUI's mask blur reaches to each side: half its Gaussian's kernel."""
    return int(2.5 * mask_blur + 0.5)


def sampling_of(settings: FilterSettings) -> dict[str, Any]:
    """Return steps, sampler and scheduler of an ``InpaintRequest``."""
    return {
        "steps": settings.steps,
        "sampler": "" if settings.sampler == SAME else settings.sampler,
        "scheduler": "" if settings.scheduler == SAME else settings.scheduler,
    }


def fill_in(own: str, job: str, product: str) -> str:
    """Return the prompt of a region: the job's own when empty; ``[PROMPT]`` and ``[PRODUCT]`` are filled in."""
    if not own.strip():
        return job
    return own.replace("[PROMPT]", job).replace("[PRODUCT]", product)


def in_order(regions: Sequence[ProductRegion], settings: FilterSettings, names: Sequence[str]) -> list[ProductRegion]:
    """Return the regions in the order of the settings, at most ``limit`` of them (0 for all)."""
    keys = {
        Order.SCORE: lambda region: -region.score,
        Order.AREA: lambda region: -int(np.count_nonzero(region.mask)),
        Order.LEFT: lambda region: (region.box[0], region.box[1]),
        Order.PRODUCTS: lambda region: (names.index(region.product), -region.score),
    }
    ordered = sorted(regions, key=keys[Order(settings.order)])
    return ordered[: settings.limit] if settings.limit else ordered
