"""New scenes inside a real WebUI with the real ControlNet: product pixels, sizes, stops, what others see of it."""

from __future__ import annotations

import random
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.e2e.conftest import SIDE, WebUi, decoded, encoded
from tests.e2e.test_generation import control, differing, in_the_middle

# What small random weights paint is noise, in which anything may be found: how far a product grows is not asked here.
SCENE = {
    "products": "handbag", "repaint": "scene", "scene_prompt": "[PRODUCT] on a wooden table", "growth_limit": 1.0,
    "scene_tries": 1, "only_masked": False, "steps": 1,
}  # fmt: skip


@cache
def _alpha_of(data: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    from lib_photoshoot.build import build_filter
    from lib_photoshoot.products import parse_products

    picture = np.frombuffer(data, np.uint8).reshape(shape)
    regions = build_filter().detect(picture, parse_products("handbag")).regions
    return np.maximum.reduce([region.alpha for region in regions])


def product_alpha(picture: np.ndarray) -> np.ndarray:
    """How much of each pixel is the product, by the command line's own way: uint8 (height, width)."""
    return _alpha_of(picture.tobytes(), picture.shape)


def check_scene(before: np.ndarray, after: np.ndarray, least: float = 0.05) -> int:
    """Assert that the scene is new and the product, ``least`` of the picture, as it was; returns the number of pixels
    that are all product.
    """
    alpha, changed = product_alpha(before), differing(before, after)
    kept = int((alpha == 255).sum())
    assert kept > least * alpha.size
    assert changed[alpha == 255].sum() == 0, "not one pixel of the product is another"
    assert changed[alpha == 0].mean() > 0.9, "the scene is painted anew"
    return kept


@pytest.mark.parametrize("only_masked", [False, True])
def test_no_pixel_of_the_product_changes_in_a_batch_of_two_by_two(webui: WebUi, bag: Path, only_masked: bool) -> None:
    job = {"batch_size": 2, "n_iter": 2}
    off = webui.generate([bag], None, **job)
    on = webui.generate([bag], {**SCENE, "only_masked": only_masked}, **job)
    kept = [check_scene(before, after) for before, after in zip(off.images[-4:], on.images[-4:], strict=True)]
    assert all(f"0 of {count} product pixels changed" in text for count, text in zip(kept, on.texts[-4:], strict=True))
    assert differing(on.images[-1], on.images[-2]).any(), "each by its own seed"
    again = webui.generate([bag], {**SCENE, "only_masked": only_masked}, **job)
    assert not any(differing(a, b).any() for a, b in zip(on.images, again.images, strict=True))


@pytest.mark.parametrize("only_masked", [False, True])
@pytest.mark.parametrize("side", [512, 1024])
def test_no_pixel_of_the_product_changes_in_large_pictures(
    webui: WebUi, bag: Path, side: int, only_masked: bool
) -> None:
    """Photos of requests: of a generation the WebUI would paint the picture itself too, for minutes on a CPU."""
    body = {
        "image": encoded(bag, (side, side)), "settings": {**SCENE, "only_masked": only_masked},
        "job": {"steps": 1, "seed": 5, "width": SIDE, "height": SIDE},
    }  # fmt: skip
    answer = webui.call("/photoshoot/v1/filter", body)
    kept = check_scene(decoded(body["image"]), decoded(answer["image"]))
    scene = answer["scene"]
    assert (scene["kept_pixels"], scene["changed_product_pixels"], scene["width"]) == (kept, 0, side)


def test_no_pixel_of_the_product_changes_after_hires_fix(webui: WebUi, bag: Path) -> None:
    job = {
        "enable_hr": True, "hr_scale": 2, "hr_upscaler": webui.upscalers()[0], "hr_second_pass_steps": 1,
        "batch_size": 2, "denoising_strength": 0.6, "width": SIDE // 2, "height": SIDE // 2,
    }  # fmt: skip
    off, on = webui.generate([bag], None, **job), webui.generate([bag], SCENE, **job)
    assert on.images[-1].shape[:2] == (SIDE, SIDE)
    for before, after in zip(off.images[-2:], on.images[-2:], strict=True):
        check_scene(before, after)


def test_under_an_outer_controlnet_later_batches_and_jobs_are_as_without_us(webui: WebUi, bag: Path) -> None:
    job: dict[str, Any] = {"n_iter": 2, "alwayson_scripts": control(webui, bag)}
    plain, lone = webui.generate([], None, **job), webui.generate([], None)
    off, on = webui.generate([bag, Path("-")], None, **job), webui.generate([bag, Path("-")], SCENE, **job)
    check_scene(off.images[-2], on.images[-2])
    assert not differing(plain.images[-1], on.images[-1]).any(), "the next batch"
    for before, after in zip(plain.images, webui.generate([], None, **job).images, strict=True):
        assert not differing(before, after).any()
    assert not differing(lone.images[0], webui.generate([], None).images[0]).any()


def test_adetailer_beside_a_scene(webui: WebUi, bag: Path, tmp_path: Path, allowed: Path) -> None:
    """ADetailer repaints a face, and what it leaves is what we paint a scene around; the next batch is as without us.

    Which pixels are the product is asked of the very picture that the job had: beside another face the bag may be
    outlined otherwise.
    """
    if "adetailer" not in webui.call("/sdapi/v1/scripts")["txt2img"]:
        pytest.skip("the WebUI has no ADetailer")
    both = Image.new("RGB", (1024, 512), "white")
    both.paste(Image.open(ROOT / "samples" / "astronaut.jpg").convert("RGB").resize((512, 512)), (0, 0))
    both.paste(Image.open(bag).convert("RGB").resize((400, 400)), (580, 60))
    both.save(tmp_path / "both.png")
    face = {"ADetailer": {"args": [True, False, {"ad_model": "mediapipe_face_full", "ad_denoising_strength": 0.5}]}}
    job: dict[str, Any] = {
        "n_iter": 2,
        "width": 512,
        "height": 256,
        "alwayson_scripts": {**face, **control(webui, bag)},
    }
    pictures = [tmp_path / "both.png", Path("-")]
    bare = webui.generate(pictures, None, n_iter=2, width=512, height=256)
    alone = webui.generate(pictures, None, **job)
    on = webui.generate(pictures, {**SCENE, "save_before": True}, **job)
    assert differing(bare.images[0], alone.images[0])[:, :256].any(), "ADetailer repaints the face"
    (start,) = (np.asarray(Image.open(path).convert("RGB")) for path in allowed.rglob("*-before.png"))
    assert not differing(alone.images[0], start).any(), "we start from what ADetailer leaves"
    kept = check_scene(start, on.images[0], 0.02)
    assert f"0 of {kept} product pixels changed" in on.texts[0]
    assert not differing(alone.images[1], on.images[1]).any(), "the next batch"


def test_several_units_have_each_their_effect(webui: WebUi, bag: Path) -> None:
    canny, depth = "canny + control_v11p_sd15_canny", "invert + control_v11f1p_sd15_depth [weight=0.7; end=0.8]"
    inpaint, reference = "inpaint_only", "reference_only [weight=0.5; mode=My prompt]"
    off = webui.generate([bag], None)
    scenes = []
    for units in ("none", canny, f"{canny} | {depth}", f"{inpaint} | {canny} | {reference}", "auto"):
        on = webui.generate([bag], {**SCENE, "scene_units": units})
        check_scene(off.images[0], on.images[0])
        scenes.append(on.images[0])
    pairs = [(a, b) for number, a in enumerate(scenes) for b in scenes[:number]]
    assert all(differing(a, b).mean() > 0.2 for a, b in pairs), "no two of these are the same"
    assert not differing(off.images[0], webui.generate([bag], None).images[0]).any()


def test_units_that_cannot_be_had_are_told_before(webui: WebUi) -> None:
    for units, words in (("canny + nowhere", "is not installed"), ("auto | canny | canny", "4 ControlNet units")):
        answer = webui.generate([], {**SCENE, "scene_units": units}, steps=100, width=1024, height=1024)
        assert answer.images == [] and words in answer.info["infotexts"][0]


def test_a_canvas_of_another_size_is_delivered_and_saved(webui: WebUi, bag: Path, allowed: Path) -> None:
    settings = {
        **SCENE, "canvas": "300x203", "product_share": 0.7, "ground_line": 0.9, "backdrop": "#e8e0d8", "shadow": 0.5,
    }  # fmt: skip
    for only_masked in (False, True):
        on = webui.generate([bag], {**settings, "only_masked": only_masked}, save_images=True, seed=77 + only_masked)
        assert on.images[0].shape == (203, 300, 3)
        assert "0 of " in on.texts[0] and "new scene by" in on.texts[0]
    assert {Image.open(path).size for path in allowed.rglob("*.png")} == {(300, 203)}


def test_both_paints_the_scene_and_then_the_product(webui: WebUi, bag: Path) -> None:
    off = webui.generate([bag], None)
    on = webui.generate([bag], {**SCENE, "repaint": "both", "recheck": False, "colour_limit": 0.0})
    changed, alpha = differing(off.images[0], on.images[0]), product_alpha(off.images[0])
    assert changed[alpha == 255].mean() > 0.9 and changed[alpha == 0].mean() > 0.9
    assert "new scene by" in on.texts[0] and "enhanced with ControlNet" in on.texts[0]


def test_the_product_of_a_photo_in_img2img_stays_as_photographed(webui: WebUi, bag: Path) -> None:
    photo = encoded(bag, (SIDE, SIDE))
    job = {"init_images": [photo], "denoising_strength": 0.75, "batch_size": 2}
    # The host's encoder draws random numbers that the job before has left: what counts is the second of two alike.
    before = [webui.generate([], None, "img2img", **job) for _ in range(2)][-1]
    on = webui.generate([], SCENE, "img2img", **job)
    for image in on.images[-2:]:
        check_scene(decoded(photo), image)
    assert differing(*on.images[-2:]).any()
    after = webui.generate([], None, "img2img", **job)
    assert not any(differing(a, b).any() for a, b in zip(before.images, after.images, strict=True)), "later jobs"


@pytest.mark.parametrize("command", ["interrupt", "skip"])
def test_a_stop_in_the_middle_of_a_scene_delivers_the_original(webui: WebUi, bag: Path, command: str) -> None:
    off = webui.generate([bag], None)
    stopped = in_the_middle(webui, command, [bag], {**SCENE, "steps": 40, "scene_denoise": 1.0})
    assert not differing(off.images[0], stopped.images[0]).any() and "stopped" in stopped.texts[0]
    check_scene(off.images[0], webui.generate([bag], SCENE).images[0])


def test_interrupts_at_random_times_deliver_the_original_or_the_whole_scene(webui: WebUi, bag: Path) -> None:
    """Never a picture that is half painted, and never one of ControlNet's maps."""
    settings = {**SCENE, "repaint": "both", "recheck": False, "colour_limit": 0.0, "steps": 3}
    off, whole = webui.generate([bag], None), webui.generate([bag], settings)
    start = time.perf_counter()
    webui.generate([bag], settings)
    takes, chance, stopped = time.perf_counter() - start, random.Random(17), 0
    for _ in range(10):
        timer = threading.Timer(chance.uniform(0, takes), webui.call, ("/sdapi/v1/interrupt", {}))
        timer.start()
        answer = webui.generate([bag], settings)
        timer.join()
        assert len(answer.images) <= 1
        for image in answer.images:
            original = not differing(off.images[0], image).any()
            stopped += original
            assert original or not differing(whole.images[0], image).any()
    print(f"\n{stopped} of 10 interrupted jobs delivered the original, the others the whole scene or nothing")
    assert not differing(whole.images[0], webui.generate([bag], settings).images[0]).any(), "the host stays healthy"
