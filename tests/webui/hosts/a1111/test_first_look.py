"""Hires fix in the stand-in host: a picture without the product does not get the second pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.webui.generate.test_job import BrightModels
from tests.webui.hosts.a1111.conftest import ON, SIDE, bag, differing, generate, saved, seed_in
from tests.webui.standin.host import StandIn

LOOK = {**ON, "first_look": True, "on_match": "mask and cut-out only"}
HIRES = {"enable_hr": True, "hr_scale": 2.0, "batch_size": 2, "n_iter": 2}
LARGE = (2 * SIDE, 2 * SIDE)


@pytest.fixture
def second_passes(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The seeds of each second pass."""
    kind, seeds = host.processing.StableDiffusionProcessingTxt2Img, []
    before = kind.sample_hr_pass

    def counted(self: Any, samples: Any, decoded: Any, own: Any, *rest: Any) -> Any:
        seeds.append(list(own))
        return before(self, samples, decoded, own, *rest)

    monkeypatch.setattr(kind, "sample_hr_pass", counted)
    return seeds


def sizes(images: list[np.ndarray]) -> list[tuple[int, int]]:
    return [image.shape[:2] for image in images]


@pytest.mark.parametrize("upscaler", ["Latent", "Lanczos"])
def test_only_pictures_with_a_product_get_the_second_pass(
    host: StandIn, second_passes: list[list[int]], upscaler: str
) -> None:
    host.checkpoint.pictures = {5: bag(lit=False), 6: bag(), 7: bag(lit=False), 8: bag(lit=False)}
    job = {**HIRES, "hr_upscaler": upscaler}
    off = generate(host, None, **job)
    on = generate(host, LOOK, **job)
    assert second_passes == [[5, 6], [7, 8], [6]]
    assert sizes(on.images[on.first :]) == [(SIDE, SIDE), LARGE, (SIDE, SIDE), (SIDE, SIDE)]
    assert not differing(on.images[on.first + 1], off.images[off.first + 1]).any(), "as without us"
    for place, seed in ((0, 5), (2, 7), (3, 8)):
        assert not differing(on.images[on.first + place], np.asarray(host.checkpoint.pictures[seed]), 2).any()
        assert "hires fix left out" in on.texts[on.first + place]
    assert [seed_in(text) for text in on.texts[on.first :]] == [5, 6, 7, 8]
    assert "hires fix left out" not in on.texts[on.first + 1]


@pytest.mark.parametrize("pale", [False, True])
def test_what_goes_on_in_levels_is_looked_at_as_it_is(
    host: StandIn, second_passes: list[list[int]], monkeypatch: pytest.MonkeyPatch, pale: bool
) -> None:
    """Forge Neo hands on pictures in [0, 1]. Elsewhere pale ones look the same, and are not to be taken for such."""
    if pale:
        bare = Image.fromarray(np.asarray(bag(lit=False)) // 5 + 128)
    else:
        bare = bag(lit=False)
        levels = staticmethod(lambda latents: ((latents + 1) / 2).clamp(0, 1))
        monkeypatch.setattr(host.processing.StableDiffusionProcessingTxt2Img, "_handed_on", levels)
    host.checkpoint.pictures = {5: bare, 6: bare}
    on = generate(host, LOOK, **{**HIRES, "n_iter": 1, "hr_upscaler": "Lanczos"})
    assert second_passes == []
    for image in on.images[on.first :]:
        assert not differing(image, np.asarray(bare), 2).any()


def test_pictures_left_out_are_left_out_small(host: StandIn, second_passes: list[list[int]]) -> None:
    host.checkpoint.pictures = {5: bag(lit=False), 6: bag(), 7: bag(lit=False), 8: bag(lit=False)}
    on = generate(host, {**LOOK, "on_no_match": "leave out"}, **HIRES, save_images=True)
    assert sizes(on.images[on.first :]) == [LARGE] and second_passes == [[6]]
    names = [path.name for path in saved(host, "txt2img_samples")]
    assert seed_in(on.texts[on.first]) == 6
    assert names == ["00000-6.png", "6-1-bag-cutout.png", "6-1-bag-mask.png"], "named by the picture's own seed"


def test_pictures_that_are_moved_are_moved_small(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(lit=False), 6: bag()}
    on = generate(host, {**LOOK, "on_no_match": "move to folder"}, **{**HIRES, "n_iter": 1}, save_images=True)
    assert sizes(on.images[on.first :]) == [(SIDE, SIDE), LARGE]
    moved = [path for path in saved(host, "txt2img_samples") if path.parent.name == "photoshoot-skipped"]
    assert len(moved) == 1


def test_all_with_a_product_are_painted_as_without_us(host: StandIn, second_passes: list[list[int]]) -> None:
    host.checkpoint.pictures = {seed: bag() for seed in (5, 6, 7, 8)}
    off, on = generate(host, None, **HIRES), generate(host, LOOK, **HIRES)
    assert second_passes[:2] == second_passes[2:]
    assert not any(differing(a, b).any() for a, b in zip(off.images[-4:], on.images[-4:], strict=True))


@pytest.mark.parametrize(
    ("settings", "job"), [({"first_look": False}, {}), ({}, {"enable_hr": False}), ({"products": ""}, {})]
)
def test_it_costs_nothing_where_it_is_not_asked_for_or_cannot_be(
    host: StandIn, models: BrightModels, monkeypatch: pytest.MonkeyPatch, settings: dict, job: dict
) -> None:
    from lib_photoshoot.webui.hosts.a1111 import first_look

    monkeypatch.setattr(first_look.FirstLook, "__init__", lambda *_: pytest.fail("nothing is to be looked at"))
    host.checkpoint.pictures = {seed: bag() for seed in (5, 6, 7, 8)}
    generate(host, {**LOOK, **settings}, **{**HIRES, **job})


def test_the_second_pass_is_the_hosts_own_again_for_the_next_run(host: StandIn) -> None:
    from modules.processing import StableDiffusionProcessingTxt2Img

    from lib_photoshoot.webui.hosts.a1111.first_look import FirstLook

    p = StableDiffusionProcessingTxt2Img(enable_hr=True)
    FirstLook(p, lambda image: True).end(p)
    assert "sample_hr_pass" not in vars(p)
    assert not FirstLook.can(StableDiffusionProcessingTxt2Img(enable_hr=True, firstpass_image=bag()))


def test_an_interrupt_in_the_second_pass_delivers_what_the_host_does(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(lit=False), 6: bag()}
    host.checkpoint.at_step = lambda p: host.shared.state.interrupt() if host.shared.state.job_no else None
    on = generate(host, LOOK, **{**HIRES, "n_iter": 1})
    assert len(on.images) >= 1


def test_a_mistake_of_ours_in_looking_does_not_end_the_job(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.webui.generate.job import FilterJob

    def broken(job: Any, image: Any) -> Any:
        raise ZeroDivisionError("a mistake")

    host.checkpoint.pictures = {5: bag(), 6: bag()}
    monkeypatch.setattr(FilterJob, "decide", broken)
    on = generate(host, LOOK, **{**HIRES, "n_iter": 1})
    assert sizes(on.images[on.first :]) == [LARGE, LARGE]
    assert "the first pass was not looked at" in "".join(host.reports())
