"""Hires fix inside a real WebUI: a picture without the product does not get the second pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import PAINTER, Answer, WebUi
from tests.e2e.test_generation import control, differing

SMALL, LARGE = 192, 320
"""Forge Neo paints in multiples of 64 alone."""
LOOK = {"products": "handbag", "first_look": True, "on_match": "mask and cut-out only"}
JOB: dict[str, Any] = {
    "enable_hr": True, "hr_resize_x": LARGE, "hr_resize_y": LARGE, "hr_second_pass_steps": 2,
    "denoising_strength": 0.6, "width": SMALL, "height": SMALL, "steps": 1, "batch_size": 3,
}  # fmt: skip


def generate(webui: WebUi, pictures: list[Path], settings: dict[str, Any] | None, **job: Any) -> Answer:
    """The pictures are those of the first pass."""
    scripts = {PAINTER: {"args": [{"pictures": [str(path) for path in pictures], "first": True}]}}
    return webui.generate([], settings, alwayson_scripts={**scripts, **job.pop("alwayson_scripts", {})}, **JOB, **job)


@pytest.mark.parametrize("of_latents", [True, False])
def test_only_the_picture_with_the_product_gets_the_second_pass(
    webui: WebUi, bag: Path, moon: Path, of_latents: bool
) -> None:
    *latent, upscaler = webui.upscalers()
    if of_latents and not latent:
        pytest.skip("the WebUI has no upscaler of latents")
    job = {"hr_upscaler": latent[0] if of_latents else upscaler}
    off = generate(webui, [moon, bag, moon], None, **job).images[-3:]
    on = generate(webui, [moon, bag, moon], LOOK, **job)
    assert [image.shape[0] for image in on.images[-3:]] == [SMALL, LARGE, SMALL]
    difference = np.abs(on.images[-2].astype(int) - off[1]).max()
    print(f"\n{job}: the kept picture differs by {difference} levels at most from the one of a whole batch")
    # Batches of other sizes are computed in another order, up to a level; and upscalers of pictures encode what they
    # made with random numbers of the whole WebUI, one picture after the other.
    assert not of_latents or difference <= 1
    first = np.asarray(Image.open(moon).convert("RGB").resize((SMALL, SMALL)))
    assert np.abs(on.images[-1].astype(int) - first).max() <= 1, "as the first pass left it"
    assert ["hires fix left out" in text for text in on.texts[-3:]] == [True, False, True]


def test_later_batches_and_an_outer_controlnet_are_as_without_us(webui: WebUi, bag: Path, moon: Path) -> None:
    *latent, upscaler = webui.upscalers()
    job: dict[str, Any] = {"hr_upscaler": latent[0] if latent else upscaler, "sampler_name": "DPM++ SDE", "n_iter": 2}
    job["alwayson_scripts"] = control(webui, bag)
    pictures = [moon, moon, moon, bag, moon, bag]
    off, on = generate(webui, pictures, None, **job), generate(webui, pictures, LOOK, **job)
    off_large, on_large = ([one for one in answer.images if one.shape[:2] == (LARGE, LARGE)] for answer in (off, on))
    assert ["hires fix left out" in text for text in on.texts[-6:]] == [True, True, True, False, True, False]
    own = (off_large[-3], off_large[-1])
    for image, before, other in zip(on_large[-2:], own, reversed(own), strict=True):
        difference = np.abs(image.astype(int) - before)
        print(f"\n{job['hr_upscaler']}: {difference.max()} levels at most, {difference.mean():.2f} on average")
        assert difference.mean() < np.abs(image.astype(int) - other).mean() / 4, "by the picture's own seed"
        assert not latent or difference.max() <= 1, "under the job's ControlNet"


def test_all_with_the_product_are_painted_as_without_us(webui: WebUi, bag: Path) -> None:
    job = {"hr_upscaler": webui.upscalers()[-1]}
    off, on = generate(webui, [bag], None, **job), generate(webui, [bag], LOOK, **job)
    assert not any(differing(a, b).any() for a, b in zip(off.images, on.images, strict=True))
    after = webui.generate([], None, **JOB, **job)
    again = webui.generate([], None, **JOB, **job)
    assert not any(differing(a, b).any() for a, b in zip(after.images, again.images, strict=True))
