"""Paint scenes through the host's img2img inpainting: everything but the products, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.masks.cutout import mask_image
from lib_photoshoot.masks.morphology import grow
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.staging.plan import Staged
from lib_photoshoot.staging.protocol import Attempt
from lib_photoshoot.webui.generate.enhancer import STOPPED, JobPrompt, fill_in, sampling_of
from lib_photoshoot.webui.generate.scene_units import with_product
from lib_photoshoot.webui.hosts.protocol import ControlUnit, Host, InpaintRequest

_SEEDS_APART = 1_000_003
"""Between the seeds of two tries: the next ones are those of a batch's other pictures."""
_SEEDS = 2**32
_GRID = 8
"""Passes over the whole picture work in multiples of so many pixels."""


class HostScenePainter:
    """A ``ScenePainter`` that asks the host; ``job`` is the host's own processing object."""

    can_grow = True

    def __init__(
        self, host: Host, job: Any, settings: FilterSettings, prompt: JobPrompt, units: Sequence[ControlUnit]
    ) -> None:
        self.name = "ControlNet" if units else "inpaint"
        self._host = host
        self._job = job
        self._settings = settings
        self._prompt = prompt
        self._units = units

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        """See ``ScenePainter``."""
        if self._host.stopped():
            raise EnhancementStopped(STOPPED)
        keep = grow(staged.alpha > 0, attempt.keep_out)
        if keep.all():
            raise EnhancementError(
                "The product fills the frame, so there is no scene to paint; set a canvas or the product's share."
            )
        start = staged.space.to_srgb(staged.image)
        self._host.expect(1)
        painted = np.asarray(self._host.inpaint(self._job, self._request(staged, start, keep, attempt)).convert("RGB"))
        if self._host.stopped():
            raise EnhancementStopped(STOPPED)
        height, width = keep.shape
        if painted.shape[0] < height or painted.shape[1] < width:
            raise EnhancementError(
                f"The WebUI returned {painted.shape[1]}x{painted.shape[0]} pixels for a scene of {width}x{height}; "
                "the original was kept."
            )
        scene = closed(painted[:height, :width], start, keep)
        return staged.space.from_srgb(scene, staged.image.dtype)

    def _request(self, staged: Staged, start: np.ndarray, keep: np.ndarray, attempt: Attempt) -> InpaintRequest:
        settings = self._settings
        units = with_product(self._units, staged, attempt.keep_out)
        return InpaintRequest(
            image=Image.fromarray(_on_grid(start)),
            mask=mask_image(_on_grid(~keep)),
            **scene_prompts(settings, self._prompt, staged),
            seed=(self._prompt.seed + attempt.number * _SEEDS_APART) % _SEEDS,
            denoise=settings.scene_denoise,
            # A soft edge would let the start show through around the products; ``closed`` does without.
            mask_blur=0,
            only_masked=settings.only_masked,
            padding=max(keep.shape),
            cfg_scale=settings.cfg_scale,
            **sampling_of(settings),
            units=tuple(
                replace(unit, region=unit.region and mask_image(_on_grid(np.asarray(unit.region) > 127)))
                for unit in units
            ),
            own_ratio=True,
        )


def scene_prompts(settings: FilterSettings, job: JobPrompt, staged: Staged) -> dict[str, Any]:
    """Return both prompts of an ``InpaintRequest`` for a scene around these products."""
    names = " and ".join(dict.fromkeys(name for region in staged.regions for name in region.products))
    return {
        "prompt": fill_in(settings.scene_prompt, job.prompt, names),
        "negative_prompt": fill_in(settings.scene_negative_prompt, job.negative_prompt, names),
    }


def _on_grid(pixels: np.ndarray) -> np.ndarray:
    """Return pixels that go on at the right and below as they end, up to the next multiple of the host's grid: it would
    stretch them.
    """
    height, width = pixels.shape[:2]
    margins = [(0, -height % _GRID), (0, -width % _GRID), (0, 0)][: pixels.ndim]
    return np.pad(pixels, margins, mode="edge")


def closed(painted: np.ndarray, start: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return a scene that goes on up to the products: of what was kept out, as much as was painted beside it.

    ``painted`` and ``start`` are uint8 (height, width, 3), the same where ``keep``, bool (height, width), is true. A
    band that shows the start would be a rim of its colour around the product. So there the nearest change goes on, with
    which the start's own light and shadow stay.
    """
    if not keep.any() or keep.all():
        return painted
    _, labels = cv2.distanceTransformWithLabels(
        keep.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    changes = painted.astype(np.int16) - start
    # Each pixel that was painted is the label of itself and of those to which it is the nearest.
    nearest = np.zeros((int(labels.max()) + 1, 3), np.int16)
    nearest[labels[~keep]] = changes[~keep]
    scene = painted.copy()
    scene[keep] = np.clip(start[keep] + nearest[labels[keep]], 0, 255)
    return scene
