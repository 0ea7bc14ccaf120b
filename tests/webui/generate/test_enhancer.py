"""Repainting through a host: order, prompts, exactness outside, stops and failures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib_photoshoot.compose import changed_outside, compose
from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.products import Product
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate.enhancer import InpaintEnhancer, JobPrompt, blur_reach, fill_in, in_order
from lib_photoshoot.webui.hosts.protocol import ControlUnit
from tests.webui.fake_host import FakeHost

BAG = Product("bag", prompt="a red [PRODUCT], [PROMPT]", denoise=0.6)
SHOE = Product("shoe")
PROMPT = JobPrompt("a shop <lora:x:1>", "blurry", 7)


def region(product: str, box: tuple[int, int, int, int], score: float = 0.5) -> ProductRegion:
    mask = np.zeros((96, 128), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return ProductRegion(product, tuple(map(float, box)), score, mask, 0.9)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)


LEFT, RIGHT = region("bag", (10, 20, 40, 60), 0.6), region("shoe", (80, 20, 120, 80), 0.9)


def enhancer(host: FakeHost, **settings) -> InpaintEnhancer:
    chosen = FilterSettings(**settings)
    return InpaintEnhancer(host, object(), chosen, {"bag": BAG, "shoe": SHOE}, PROMPT, ControlUnit("canny", "c"))


def test_each_region_has_its_own_prompt_and_settings_and_starts_from_the_one_before(image: np.ndarray) -> None:
    host = FakeHost()
    own = enhancer(host, prompt="studio", denoise=0.3, steps=9, cfg_scale=5, sampler="Euler", mask_blur=2)
    result = own.enhance(image, [LEFT, RIGHT])
    shoe, bag = host.requests
    assert (shoe.prompt, shoe.denoise, shoe.seed) == ("studio", 0.3, 7)
    assert (bag.prompt, bag.denoise, bag.seed) == ("a red bag, a shop <lora:x:1>", 0.6, 8)
    assert (bag.negative_prompt, bag.steps, bag.cfg_scale, bag.sampler, bag.scheduler) == ("blurry", 9, 5, "Euler", "")
    assert bag.units == (ControlUnit("canny", "c"),) and host.expected == 2
    assert (np.asarray(bag.image)[50, 100] == host.colour).all(), "the second pass sees the first one's result"
    assert (result[40, 25] == host.colour).all() and (result[50, 100] == host.colour).all()


@pytest.mark.parametrize("blur", [0, 4, 12])
@pytest.mark.parametrize("grow", [-4, 0, 6])
def test_nothing_changes_outside_and_nothing_inside_is_lost(image: np.ndarray, blur: int, grow: int) -> None:
    own = enhancer(FakeHost(), mask_blur=blur, mask_grow=grow)
    alpha = own.alpha(LEFT.mask)
    result = compose(image, own.enhance(image, [LEFT]), alpha)
    assert changed_outside(image, result, alpha) == 0
    assert set(np.unique(alpha)) <= {0.0, 1.0}
    changed = (result != image).any(2)
    inner = np.zeros_like(changed)
    inner[24:56, 14:36] = True
    assert changed[inner].mean() > 0.95


def test_the_background_in_an_opening_is_not_painted(image: np.ndarray) -> None:
    openings = np.zeros_like(LEFT.mask)
    openings[25:55, 15:35] = True
    host = FakeHost()
    own = enhancer(host, mask_blur=2, mask_grow=0)
    handle = replace(LEFT, openings=openings)
    result = compose(image, own.enhance(image, [handle]), own.alpha(handle.solid))
    asked = np.asarray(host.requests[0].mask)
    assert not asked[openings].any() and (asked[handle.solid] == 255).all()
    assert (result[35:45, 20:30] == image[35:45, 20:30]).all() and (result[22, 15:35] != image[22, 15:35]).any()


def test_a_host_that_spills_over_its_mask_is_held_to_it_between_regions(image: np.ndarray) -> None:
    class Spilling(FakeHost):
        def inpaint(self, job, request):
            super().inpaint(job, request)
            return Image.new("RGB", request.image.size, self.colour)

    host = Spilling()
    own = enhancer(host)
    result = own.enhance(image, [LEFT, RIGHT])
    first = own.alpha(RIGHT.mask)
    assert changed_outside(image, np.asarray(host.requests[1].image), first) == 0
    assert changed_outside(image, result, np.maximum(first, own.alpha(LEFT.mask))) == 0


def test_a_stop_between_regions_or_during_one_is_a_stop_of_all(image: np.ndarray) -> None:
    host = FakeHost()

    def stop_at_second(number: int) -> None:
        host.is_stopped = number == 2

    host.before_paint = stop_at_second
    with pytest.raises(EnhancementStopped):
        enhancer(host).enhance(image, [LEFT, RIGHT])
    assert len(host.requests) == 2
    host.is_stopped = True
    with pytest.raises(EnhancementStopped):
        enhancer(host).enhance(image, [LEFT])
    assert len(host.requests) == 2, "a job that was stopped asks for nothing more"


def test_a_picture_of_another_size_is_refused(image: np.ndarray) -> None:
    class Wrong(FakeHost):
        def inpaint(self, job, request):
            return super().inpaint(job, request).resize((64, 64))

    with pytest.raises(EnhancementError, match="64x64"):
        enhancer(Wrong()).enhance(image, [LEFT])


def test_order_and_limit() -> None:
    small = region("bag", (60, 5, 70, 15), 0.7)
    regions = [LEFT, small, RIGHT]
    names = ["bag", "shoe"]

    def order(**settings) -> list[ProductRegion]:
        return in_order(regions, FilterSettings(**settings), names)

    assert order() == [RIGHT, small, LEFT]
    assert order(order="largest") == [RIGHT, LEFT, small]
    assert order(order="left to right") == [LEFT, small, RIGHT]
    assert order(order="as products are listed") == [small, LEFT, RIGHT]
    assert order(limit=1) == [RIGHT]


@given(st.integers(0, 64))
def test_blur_reach_is_half_the_hosts_kernel(blur: int) -> None:
    kernel = 2 * int(2.5 * blur + 0.5) + 1
    assert blur_reach(blur) == kernel // 2


def test_prompts_are_filled_in() -> None:
    assert fill_in("", "job", "bag") == "job" and fill_in("  ", "job", "bag") == "job"
    assert fill_in("[PRODUCT] on [PROMPT]", "a [PRODUCT] table", "bag") == "bag on a bag table"
