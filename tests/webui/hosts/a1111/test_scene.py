"""New scenes in the stand-in host: sizes, saved files, several units, and 50 interrupts at random times."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.webui.hosts.a1111.conftest import SIDE, bag, decoded, differing, encoded, generate, saved, stop_at
from tests.webui.standin.host import CANNY, StandIn

SQUARE = np.s_[30:62, 30:62]
SCENE = {
    "products": "bag", "repaint": "scene", "scene_prompt": "[PRODUCT] on wood", "scene_denoise": 1.0,
    "only_masked": False, "growth_limit": 1.0,
}  # fmt: skip
BOTH = {
    **SCENE, "repaint": "both", "prompt": "[PRODUCT] of leather", "denoise": 1.0, "recheck": False,
    "colour_hold": "never", "mask_grow": 0, "mask_blur": 0,
}  # fmt: skip


def check_scene(before: np.ndarray, after: np.ndarray) -> None:
    """The product is as it was, and everything well outside of it is new."""
    changed = differing(before, after)
    assert not changed[SQUARE][2:-2, 2:-2].any()
    changed[24:68, 24:68] = True
    assert changed.mean() > 0.97


@pytest.mark.parametrize("only_masked", [False, True])
def test_the_scene_is_new_and_the_product_stays_in_a_batch_of_two_by_two(host: StandIn, only_masked: bool) -> None:
    host.checkpoint.pictures = {seed: bag(place=(30, 30)) for seed in (5, 6, 7, 8)}
    job = {"batch_size": 2, "n_iter": 2}
    off, on = generate(host, None, **job), generate(host, {**SCENE, "only_masked": only_masked}, **job)
    for before, after, text in zip(off.images[-4:], on.images[-4:], on.texts[-4:], strict=True):
        check_scene(before, after)
        assert "0 of " in text and "product pixels changed" in text
    assert differing(on.images[-1], on.images[-2]).any()


def test_several_units_come_on_together_and_go_again(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    script = host.scripts.scripts_txt2img.script("controlnet")
    host.checkpoint.pictures = {5: bag()}
    units = f"canny + {CANNY} [weight=0.25; end=0.5] | reference_only [weight=0.5; mode=My prompt] | none + {CANNY}"
    answer = generate(host, {**SCENE, "scene_units": units})
    canny, reference, raw = script.enabled_units
    assert (canny.model, canny.weight, canny.guidance_end) == (CANNY, 0.25, 0.5)
    assert canny.image is None and canny.effective_region_mask.shape == (SIDE, SIDE, 3)
    assert (reference.model, reference.weight, reference.control_mode) == ("None", 0.5, "My prompt is more important")
    assert max(reference.image.shape[:2]) < 40 and not reference.inpaint_crop_input_image
    assert raw.module == "none" and not host.checkpoint.hooks
    assert "canny / " in answer.texts[0] and "reference_only" in answer.texts[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scene_units": "canny + no_such_model"}, "is not installed"),
        ({"scene_units": f"canny + {CANNY} [weight=7]"}, "from 0 to 2"),
        ({"scene_units": f"auto | canny + {CANNY} | invert + {CANNY} | none + {CANNY}"}, "ControlNet units"),
        ({"canvas": "wide"}, "canvas 'wide'"),
        ({"backdrop": "@/nowhere/wood.jpg"}, "outside the folders"),
    ],
)
def test_what_can_be_known_before_is_told_and_nothing_is_painted(
    host: StandIn, settings: dict[str, Any], words: str
) -> None:
    host.checkpoint.at_step = lambda p: pytest.fail("something is painted")
    answer = generate(host, {**SCENE, **settings})
    assert answer.images == [] and words in answer.texts[0].replace('\\"', '"')


def test_a_canvas_of_another_size_is_delivered_saved_and_told(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    settings = {**SCENE, "canvas": "150x107", "product_share": 0.5, "ground_line": 0.9, "backdrop": "#ffffff"}
    answer = generate(host, {**settings, "save_masks": True}, save_images=True)
    assert answer.images[0].shape == (107, 150, 3)
    sizes = {path.name: Image.open(path).size for path in saved(host, "txt2img_samples")}
    assert set(sizes.values()) == {(150, 107)} and len(sizes) == 2, "the picture and its mask"


def test_both_first_the_scene_then_the_product(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    off, on = generate(host), generate(host, BOTH)
    changed = differing(off.images[0], on.images[0])
    assert changed[SQUARE][4:-4, 4:-4].mean() > 0.9 and changed[:20].mean() > 0.9
    assert "new scene by" in on.texts[0] and "enhanced with" in on.texts[0]


def test_fifty_interrupts_at_random_times_deliver_the_original_or_all_of_the_scene(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    job = {"steps": 10}
    off, whole = generate(host, None, **job).images[0], generate(host, BOTH, **job).images[0]
    steps: list[int] = []
    host.checkpoint.at_step = lambda p: steps.append(1)
    generate(host, BOTH, **job)
    chance, originals, last = random.Random(3), 0, len(steps)
    assert last == 30, "the job, the scene, the product"
    for number in range(50):
        # In the scene or in the product's pass, by skip or interrupt.
        stop_at(host, chance.randint(11, last), bool(number % 2))
        (image,) = generate(host, BOTH, **job).images
        originals += not differing(off, image).any()
    host.checkpoint.at_step = lambda p: None
    assert originals == 50
    assert not differing(whole, generate(host, BOTH, **job).images[0]).any(), "the host stays healthy"


def test_requests_paint_scenes_found_and_given(host: StandIn) -> None:
    from fastapi.testclient import TestClient

    client = TestClient(host.app)
    body = {"image": encoded(bag()), "settings": SCENE, "job": {"steps": 2, "seed": 5, "width": SIDE, "height": SIDE}}
    answer = client.post("/photoshoot/v1/filter", json={**body, "masks": True}).json()
    check_scene(np.asarray(bag()), decoded(answer["image"]))
    assert answer["scene"]["changed_product_pixels"] == 0 < answer["scene"]["kept_pixels"]
    regions = [{"product": "bag", "mask": answer["regions"][0]["mask"]}]
    given = {**body, "settings": {**SCENE, "products": "", "canvas": "120x104"}, "regions": regions}
    again = client.post("/photoshoot/v1/enhance", json=given).json()
    assert decoded(again["image"]).shape == (104, 120, 3) and again["scene"]["width"] == 120
    wrong = client.post("/photoshoot/v1/filter", json={**body, "settings": {**SCENE, "scene_units": "x + y"}})
    assert wrong.status_code == 422 and "is not installed" in wrong.json()["error"]


def test_an_infotext_brings_a_scenes_settings_back(host: StandIn) -> None:
    host.checkpoint.pictures = {5: bag()}
    text = generate(host, {**SCENE, "backdrop": "#ffffff"}).texts[0]
    held = json.loads(json.loads(text.split("Product filter: ")[1].split(", Product filter result")[0]))
    assert held["repaint"] == "scene" and held["backdrop"] == "#ffffff"


def photo_of_a_bag(transparent: bool = False) -> Image.Image:
    """A bag whose pixels are all different; with transparency a cut-out of it."""
    photo = bag()
    pixels = np.array(photo)
    pixels[SQUARE] = np.random.default_rng(8).integers(180, 255, (32, 32, 3))
    photo = Image.fromarray(pixels)
    if transparent:
        alpha = np.zeros(pixels.shape[:2], np.uint8)
        alpha[SQUARE] = 255
        photo.putalpha(Image.fromarray(alpha))
    return photo


def test_a_photo_of_img2img_keeps_its_product_and_is_not_painted_over_first(host: StandIn) -> None:
    photo, passes = photo_of_a_bag(), []
    host.checkpoint.at_step = lambda p: passes.append(p.width)
    job = {"init_images": [encoded(photo)], "batch_size": 2, "steps": 3}
    on = generate(host, SCENE, "img2img", **job)
    assert len(passes) == 2 * 3, "of the two scenes alone"
    for image in on.images[-2:]:
        check_scene(np.asarray(photo), image)
    assert differing(*on.images[-2:]).any()
    plain = generate(host, None, "img2img", **job)
    assert differing(plain.images[-1], np.asarray(photo))[SQUARE].any(), "a job without us is the host's own"


def test_a_photo_without_the_product_is_delivered_to_the_pixel(host: StandIn) -> None:
    photo = bag(lit=False)
    host.checkpoint.at_step = lambda p: pytest.fail("nothing is painted")
    (image,) = generate(host, SCENE, "img2img", init_images=[encoded(photo)]).images
    assert not differing(image, np.asarray(photo)).any()


def test_photos_of_a_batch_stay_with_their_own_pictures_when_one_is_left_out(host: StandIn) -> None:
    lit = photo_of_a_bag()
    settings = {**SCENE, "on_no_match": "leave out"}
    job = {"init_images": [encoded(bag(lit=False)), encoded(lit)], "batch_size": 2, "n_iter": 2}
    on = generate(host, settings, "img2img", **job)
    assert len(on.images[on.first :]) == 2
    for image in on.images[on.first :]:
        check_scene(np.asarray(lit), image)


def test_a_cut_out_of_img2img_is_staged_by_its_own_alpha(host: StandIn) -> None:
    photo = photo_of_a_bag(transparent=True)
    settings = {**SCENE, "scene_denoise": 0.0, "backdrop": "#808080"}
    (image,) = generate(host, settings, "img2img", init_images=[encoded(photo)]).images
    inside = np.asarray(photo.convert("RGB"))[SQUARE]
    assert not differing(image[SQUARE], inside)[2:-2, 2:-2].any() and (image[:20] == 128).all()


def test_a_users_own_mask_is_painted_as_he_wants(host: StandIn) -> None:
    corner = Image.new("L", (SIDE, SIDE))
    corner.paste(255, (0, 0, 20, 20))
    seen: list[Any] = []
    host.checkpoint.at_step = lambda p: seen.append(p.prompt)
    job = {"init_images": [encoded(photo_of_a_bag())], "mask": encoded(corner), "inpaint_full_res": False}
    generate(host, SCENE, "img2img", steps=1, **job)
    assert seen == ["a bag", "bag on wood"]
