"""Ask the host for a scene in new light: one pass over all of it, under a model of IC-Light."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lib_photoshoot.masks.morphology import grow
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.staging.backdrops import resized, without_products
from lib_photoshoot.webui.generate.enhancer import JobPrompt, sampling_of
from lib_photoshoot.webui.generate.scene_painter import scene_prompts
from lib_photoshoot.webui.hosts.protocol import InpaintRequest, LightModel, LightRequest

if TYPE_CHECKING:
    from lib_photoshoot.staging.plan import Staged
    from lib_photoshoot.webui.hosts.protocol import Host

_GREY = 127
"""What is no product in the foreground that IC-Light is shown."""
_DENOISE = 0.9
"""IC-Light's own for a start that tells of the light."""
_GUIDANCE = {False: 2.0, True: 7.0}
"""IC-Light's own, by whether the model sees the background."""
_MOST_PIXELS = 768 * 768
"""Of the light no details are used, and checkpoints of SD 1.5 were trained at no more."""
_GRID = 8
_AROUND = 2
"""Pixels around a product that still have its colours."""


class HostLightPainter:
    """A ``LightPainter`` that asks the host; ``job`` is the host's own processing object."""

    def __init__(self, host: Host, job: Any, settings: FilterSettings, prompt: JobPrompt, model: LightModel) -> None:
        self.name = model.name
        self._host = host
        self._job = job
        self._settings = settings
        self._prompt = prompt
        self._model = model

    def relit(self, picture: np.ndarray, staged: Staged) -> np.ndarray:
        """See ``LightPainter``."""
        height, width = picture.shape[:2]
        size = _working_size(width, height)
        alpha = staged.alpha.astype(np.float32)[..., None] / 255
        article = staged.space.to_srgb(staged.article).astype(np.float32)
        foreground = np.rint(_GREY + (article - _GREY) * alpha).astype(np.uint8)
        small = resized(picture, *size)
        products = resized(staged.alpha, *size) > 0
        light = LightRequest(
            self._model,
            Image.fromarray(resized(foreground, *size)),
            Image.fromarray(without_products(small, grow(products, _AROUND))),
        )
        self._host.expect(1)
        painted = self._host.relight(self._job, self._request(small, staged), light).convert("RGB")
        return resized(np.asarray(painted), width, height)

    def _request(self, picture: np.ndarray, staged: Staged) -> InpaintRequest:
        return InpaintRequest(
            image=Image.fromarray(picture),
            mask=Image.new("L", (picture.shape[1], picture.shape[0]), 255),
            **scene_prompts(self._settings, self._prompt, staged),
            seed=self._prompt.seed,
            denoise=_DENOISE,
            mask_blur=0,
            only_masked=False,
            padding=0,
            cfg_scale=_GUIDANCE[self._model.sees_background],
            **sampling_of(self._settings),
        )


def _working_size(width: int, height: int) -> tuple[int, int]:
    """Return the size in which the light is painted: on the host's grid, and no larger than need be."""
    scale = min(1.0, math.sqrt(_MOST_PIXELS / (width * height)))
    return (
        max(_GRID, round(width * scale / _GRID) * _GRID),
        max(_GRID, round(height * scale / _GRID) * _GRID),
    )
