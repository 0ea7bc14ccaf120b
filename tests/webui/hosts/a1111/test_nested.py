"""Nested passes in the stand-in host: what they leave as it was, under ControlNet and beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lib_photoshoot.settings import NO_MODEL
from tests.webui.hosts.a1111.conftest import DEPTH, ON, SIDE, WIDE, bag, differing, generate
from tests.webui.standin.host import CANNY, StandIn

SQUARE = np.s_[30:62, 30:62]
OUTER = {"ControlNet": {"args": [{"enabled": True, "module": "canny", "model": CANNY}]}}


def blue(image: np.ndarray) -> float:
    """How much bluer than red a picture is: ControlNet's stand-in adds 60."""
    return float(image[..., 2].mean() - image[..., 0].mean())


def test_the_product_is_painted_under_controlnet_which_is_gone_afterwards(host: StandIn) -> None:
    before = generate(host).images[0]
    host.checkpoint.pictures = {5: bag()}
    on = generate(host, {**ON, "denoise": 1.0}).images[0]
    assert blue(on[SQUARE]) > 50 and not host.checkpoint.hooks
    plain = generate(host, {**ON, "denoise": 1.0, "enhancement": "inpaint"}).images[0]
    assert abs(blue(plain[SQUARE])) < 10
    host.checkpoint.pictures = {}
    assert not differing(before, generate(host).images[0]).any()


def test_the_jobs_own_controlnet_rules_its_images_and_not_the_products(host: StandIn) -> None:
    job: dict[str, Any] = {"n_iter": 2, "alwayson_scripts": OUTER}
    host.checkpoint.pictures = {5: bag(), 6: bag()}
    off, on = generate(host, None, **job), generate(host, {**ON, "denoise": 1.0, "cn_weight": 0.0}, **job)
    assert len(on.images) == len(off.images) == 3, "two images and ControlNet's map"
    assert not differing(off.images[2], on.images[2]).any()
    for before, after in zip(off.images[:2], on.images[:2], strict=True):
        outside = differing(before, after)
        outside[SQUARE] = False
        assert not outside.any() and blue(after) < 60
        assert abs(blue(after[SQUARE])) < 10, "the product is painted under its own control, of weight 0"
    assert not host.checkpoint.hooks


def test_the_second_batch_is_painted_under_the_jobs_controlnet(host: StandIn) -> None:
    job: dict[str, Any] = {"n_iter": 2, "alwayson_scripts": OUTER}
    plain = generate(host, None, **job)
    host.checkpoint.pictures = {5: bag()}
    first_only = generate(host, ON, **job)
    assert not differing(plain.images[1], first_only.images[1]).any() and blue(first_only.images[1]) > 50


def test_params_file_and_progress_are_the_users_own_jobs(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag(), 6: bag()}
    counts: list[tuple[int, int]] = []
    host.checkpoint.at_step = lambda p: counts.append((host.shared.state.job_no, host.shared.state.job_count))
    generate(host, {**ON, "prompt": "only for the product"}, n_iter=2)
    text = (Path(host.paths.data_path) / "params.txt").read_text()
    assert text.startswith("a bag") and "only for the product" not in text.splitlines()[0]
    assert all(number < count for number, count in counts) and counts[-1] == (3, 4)


def test_a_pass_draws_no_random_numbers_of_others(host: StandIn) -> None:
    def run_then_draw(settings: Any) -> float:
        torch.manual_seed(1)
        generate(host, settings)
        return torch.rand(1).item()

    host.checkpoint.pictures = {5: bag()}
    assert run_then_draw(ON) == run_then_draw(None)


def test_the_picture_does_not_show_whether_the_model_was_loaded_before(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    host.scripts.scripts_txt2img.script("controlnet").clear_control_model_cache()
    first = generate(host, ON)
    assert not differing(first.images[0], generate(host, ON).images[0]).any()


def test_other_scripts_are_not_called_within_a_pass(host: StandIn) -> None:
    class Counting(host.scripts.Script):
        filename = "counting.py"
        args_from = args_to = 0
        calls = 0

        def title(self) -> str:
            return "Counting"

        def process(self, p: Any, *args: Any) -> None:
            self.calls += 1

        def postprocess(self, p: Any, processed: Any, *args: Any) -> None:
            self.calls += 1

    counting, runner = Counting(), host.scripts.scripts_txt2img
    # In the place of two scripts as a pass has them: the host keeps its list of hooks by its length alone.
    runner.alwayson_scripts.append(counting)
    try:
        host.checkpoint.pictures = {5: bag()}
        generate(host, ON)
        assert counting.calls == 2
        runner.alwayson_scripts.remove(counting)
        generate(host, ON)
        assert counting.calls == 2 and "found bag" in generate(host, ON).texts[0]
    finally:
        if counting in runner.alwayson_scripts:
            runner.alwayson_scripts.remove(counting)


def test_what_only_the_pass_can_show_is_told_and_the_image_stays(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    off, on = generate(host), generate(host, {**ON, "cn_model": CANNY, "cn_module": "broken"})
    assert f"ControlNet did not take up {CANNY!r} with 'broken'" in on.texts[0]
    assert not differing(off.images[0], on.images[0]).any()
    assert "the preprocessor's file cannot be had" in host.reports()[0], "ControlNet's own"
    assert "enhanced with ControlNet" in generate(host, ON).texts[0], "the next job is well again"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cn_model": "no_such_model"}, "is not installed"),
        ({"cn_model": DEPTH, "cn_module": "depth_midas"}, "has not been downloaded"),
        ({"cn_model": WIDE}, "made for another kind of checkpoint"),
    ],
)
def test_what_can_be_known_before_is_told(host: StandIn, settings: dict[str, Any], words: str) -> None:
    host.checkpoint.pictures = {5: bag()}
    off, on = generate(host), generate(host, {**ON, **settings})
    assert words in on.texts[0].replace('\\"', '"')
    assert all(not differing(off.images[0], image).any() for image in on.images)
    assert "enhanced with ControlNet" in generate(host, ON).texts[0], "the next job is well again"


def test_a_sampler_that_fails_is_one_sentence(host: StandIn) -> None:
    def fails(p: Any) -> None:
        if hasattr(p, "init_images"):
            raise RuntimeError("CUDA out of memory.\nTried to allocate 2 GiB")

    host.checkpoint.pictures = {5: bag()}
    off = generate(host)
    host.checkpoint.at_step = fails
    on = generate(host, ON)
    assert "The WebUI could not paint (CUDA out of memory.)." in on.texts[0]
    assert not differing(off.images[0], on.images[0]).any()


def test_after_a_failure_the_next_batch_is_painted_as_without_us(host: StandIn) -> None:
    """The host calls no hook any more when a pass fails: ControlNet would stay on the checkpoint's network."""
    failures = iter([True])

    def fails(p: Any) -> None:
        if hasattr(p, "init_images") and next(failures, False):
            raise RuntimeError("CUDA out of memory.")

    plain = generate(host, n_iter=2)
    host.checkpoint.pictures = {5: bag()}
    host.checkpoint.at_step = fails
    on = generate(host, ON, n_iter=2)
    assert "out of memory" in on.texts[0] and not differing(plain.images[1], on.images[1]).any()


def test_the_whole_picture_can_be_painted_at_odd_sizes(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    answer = generate(host, {**ON, "only_masked": False}, width=SIDE + 4, height=SIDE + 12)
    assert answer.images[0].shape == (SIDE + 12, SIDE + 4, 3) and "enhanced with" in answer.texts[0]


def test_without_controlnet_products_are_repainted_plainly(fresh: Any) -> None:
    host = fresh("photoshoot")
    host.checkpoint.pictures = {5: bag()}
    off, on = generate(host), generate(host, ON)
    assert differing(off.images[0], on.images[0])[SQUARE].mean() > 0.9 and "enhanced with inpaint" in on.texts[0]


def test_another_checkpoints_family_is_known(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.webui.hosts.a1111.choices import controlnet_models
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    assert A1111Host().family() == "sd1" and controlnet_models() == ["auto", NO_MODEL, CANNY, DEPTH]
    monkeypatch.setattr(host.checkpoint, "is_sdxl", True, raising=False)
    assert A1111Host().family() == "sdxl" and controlnet_models(rescan=True) == ["auto", NO_MODEL, WIDE]


@pytest.mark.parametrize("switch", ["lowvram", "medvram", "medvram_sdxl"])
def test_detection_stays_off_a_gpu_that_is_short(host: StandIn, switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    host.shared.opts.data["photoshoot_device"] = "auto"
    assert A1111Host().detector_device() == "auto"
    monkeypatch.setattr(host.shared.cmd_opts, switch, True)
    assert A1111Host().detector_device() == "cpu"


def test_the_conditionings_of_the_jobs_prompt_are_kept(host: StandIn) -> None:
    """The host caches them in its class, for all jobs; a pass of another prompt must not replace them."""
    processing = host.processing.StableDiffusionProcessing
    seen: list[Any] = []
    host.checkpoint.pictures = {5: bag()}
    host.checkpoint.at_step = lambda p: seen.append(p.cached_c) if hasattr(p, "init_images") else None
    generate(host, ON)
    assert seen and all(cache is not processing.cached_c for cache in seen)
