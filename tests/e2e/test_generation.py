"""The filter inside a real WebUI with the real ControlNet: exactness, skips, drops, seeds, stops, infotext."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.masks.morphology import grow
from lib_photoshoot.webui.generate.enhancer import blur_reach
from tests.conftest import ROOT
from tests.e2e.conftest import OURS, SIDE, Answer, WebUi, data_folder, encoded

# Random weights paint noise over a product, so the re-check would undo every enhancement.
ON = {"products": "handbag", "recheck": False}
CANNY = {
    "enabled": True, "module": "canny", "weight": 1.0, "pixel_perfect": True, "save_detected_map": False,
}  # fmt: skip


@pytest.fixture
def outputs(webui: WebUi, tmp_path: Path) -> Iterator[Path]:
    """A folder of its own for what the jobs of a test save."""
    before = webui.call("/sdapi/v1/options")
    own = {"outdir_txt2img_samples": str(tmp_path / "samples"), "outdir_txt2img_grids": str(tmp_path / "grids")}
    own |= {"save_to_dirs": False, "grid_save_to_dirs": False, "grid_only_if_multiple": True}
    own |= {"samples_format": "png", "grid_format": "png"}
    webui.call("/sdapi/v1/options", own)
    yield tmp_path
    webui.call("/sdapi/v1/options", {key: before[key] for key in own})


def differing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a != b).any(axis=2)


def found_mask(picture: np.ndarray) -> np.ndarray:
    """What the filter enhances, by the command line's own way: not what shows through under the handle."""
    from lib_photoshoot.build import build_filter
    from lib_photoshoot.products import parse_products

    result = build_filter().detect(picture, parse_products("handbag"))
    return np.any([region.solid for region in result.regions], axis=0)


def test_a_product_is_repainted_and_every_other_pixel_stays(
    webui: WebUi, bag: Path, moon: Path, tmp_path: Path
) -> None:
    off = webui.generate([bag, moon], None, batch_size=2)
    on = webui.generate([bag, moon], ON, batch_size=2)
    changed = differing(off.images[0], on.images[0])
    mask = found_mask(off.images[0])
    support = grow(mask, 4 + blur_reach(4))
    assert changed[mask].mean() > 0.9 and not changed[~support].any()
    assert not differing(off.images[1], on.images[1]).any(), "a skipped image is bit for bit the same"
    assert "found handbag" in on.texts[0] and "enhanced with ControlNet" in on.texts[0]
    assert "skipped: nothing" in on.texts[1]
    again = webui.generate([bag, moon], ON, batch_size=2)
    assert not differing(on.images[0], again.images[0]).any(), "the same job gives the same picture"


def test_later_jobs_are_as_if_nothing_had_happened(webui: WebUi, bag: Path) -> None:
    before = webui.generate([], None)
    webui.generate([bag], ON)
    assert not differing(before.images[0], webui.generate([], None).images[0]).any()
    with_control = webui.generate([], None, alwayson_scripts=control(webui, bag))
    webui.generate([bag], ON)
    assert not differing(
        with_control.images[0], webui.generate([], None, alwayson_scripts=control(webui, bag)).images[0]
    ).any()


def control(webui: WebUi, picture: Path) -> dict[str, Any]:
    """A unit of the outer job. Its model goes by its whole name: some hosts do without the unit otherwise."""
    model = next(name for name in webui.call("/controlnet/model_list")["model_list"] if "sd15_canny" in name)
    return {"ControlNet": {"args": [{**CANNY, "model": model, "image": encoded(picture)}]}}


def test_an_outer_controlnet_over_two_batches_is_unhooked_and_put_back(webui: WebUi, bag: Path, moon: Path) -> None:
    job = {"batch_size": 2, "n_iter": 2, "alwayson_scripts": control(webui, bag)}
    # Without the painter the outer job's own pictures are compared; the filter looks and finds nothing in noise.
    plain = webui.generate([], None, **job)
    mixed = webui.generate([bag, moon, bag, moon], None, **job)
    filtered = webui.generate([bag, moon, bag, moon], ON, **job)
    for number in (1, 3):
        assert not differing(mixed.images[-4:][number], filtered.images[-4:][number]).any()
    for number in (0, 2):
        assert differing(mixed.images[-4:][number], filtered.images[-4:][number]).any()
    after = webui.generate([], None, **job)
    for a, b in zip(plain.images, after.images, strict=True):
        assert not differing(a, b).any()
    lone = webui.generate([], None, batch_size=2, n_iter=2)
    for a, b in zip(lone.images[-4:], plain.images[-4:], strict=True):
        assert differing(a, b).mean() > 0.1, "the control does something at all"


def test_the_second_batch_is_painted_under_the_outer_control(webui: WebUi, bag: Path) -> None:
    """The first image is enhanced, the second batch's comes from the checkpoint under the outer ControlNet."""
    job = {"n_iter": 2, "alwayson_scripts": control(webui, bag)}
    plain = webui.generate([], None, **job)
    first_only = webui.generate([bag, Path("-")], ON, **job)
    assert not differing(plain.images[-1], first_only.images[-1]).any()


def test_a_lora_of_the_job_counts_for_its_next_batch(webui: WebUi, bag: Path) -> None:
    """Whatever the product between the two was painted with."""
    loras = [lora["name"] for lora in webui.call("/sdapi/v1/loras")]
    if not loras:
        pytest.skip("the WebUI has no LoRA")
    job = {"n_iter": 2, "prompt": f"a bag <lora:{loras[0]}:1>"}
    plain = webui.generate([], None, **job)
    on = webui.generate([bag, Path("-")], {**ON, "prompt": "a bag"}, **job)
    assert not differing(plain.images[-1], on.images[-1]).any() and "found handbag" in on.texts[-2]
    assert differing(plain.images[-1], webui.generate([], None, n_iter=2).images[-1]).any(), "it does something at all"


def grid_and_files(outputs: Path) -> tuple[list[Path], list[Path]]:
    return sorted((outputs / "samples").rglob("*.png")), sorted((outputs / "grids").rglob("*.png"))


def test_images_left_out_are_absent_everywhere_and_seeds_stay_in_step(
    webui: WebUi, bag: Path, moon: Path, outputs: Path
) -> None:
    settings = {**ON, "on_no_match": "leave out"}
    job = {"batch_size": 2, "n_iter": 2, "save_images": True}
    answer = webui.generate([moon, bag, bag, moon], settings, **job)
    seeds = [int(text.split("Seed: ")[1].split(",")[0]) for text in answer.texts[-2:]]
    assert seeds == [6, 7]
    files, grids = grid_and_files(outputs)
    assert [seed_in(path) for path in files] == [6, 7]
    assert len(answer.images) == 3 and answer.images[0].shape[1] == 2 * SIDE, "the grid and two images"
    assert [Image.open(path).size for path in grids] == [(2 * SIDE, SIDE)]
    without = webui.generate([bag, bag], ON, seed=6, batch_size=2)
    assert not differing(answer.images[1], without.images[0]).any(), "as that seed's image of a job of its own"


def seed_in(path: Path) -> int:
    return int(Image.open(path).text["parameters"].split("Seed: ")[1].split(",")[0])


@pytest.mark.parametrize("only_multiple", [True, False])
def test_all_images_left_out_raises_nothing(webui: WebUi, moon: Path, outputs: Path, only_multiple: bool) -> None:
    webui.call("/sdapi/v1/options", {"grid_only_if_multiple": only_multiple})
    answer = webui.generate([moon], {**ON, "on_no_match": "leave out"}, batch_size=2, n_iter=2, save_images=True)
    assert answer.images == [] and grid_and_files(outputs) == ([], [])


def test_skipped_images_can_go_to_their_own_folder(webui: WebUi, bag: Path, moon: Path, outputs: Path) -> None:
    settings = {**ON, "on_no_match": "move to folder"}
    for _ in range(2):
        answer = webui.generate([bag, moon], settings, batch_size=2, save_images=True)
    assert len(answer.images) == 3
    files, _ = grid_and_files(outputs)
    skipped = [path for path in files if path.parent.name == "photoshoot-skipped"]
    assert [seed_in(path) for path in skipped] == [6, 6], "two runs, nothing overwritten"
    assert [seed_in(path) for path in files if path not in skipped] == [5, 5]


def test_masks_and_cut_outs_are_saved_and_the_image_stays(webui: WebUi, bag: Path, outputs: Path) -> None:
    off = webui.generate([bag], None)
    only = webui.generate([bag], {**ON, "on_match": "mask and cut-out only"}, save_images=True)
    assert not differing(off.images[0], only.images[0]).any()
    kinds = {path.name for path in (outputs / "samples" / "photoshoot-masks").iterdir()}
    assert kinds == {"5-1-handbag-mask.png", "5-1-handbag-cutout.png"}


def test_img2img_can_look_at_its_input_first(webui: WebUi, bag: Path, moon: Path) -> None:
    settings = {**ON, "filter_input": True}
    start = time.perf_counter()
    skipped = webui.generate([], settings, "img2img", init_images=[encoded(moon)], steps=20, denoising_strength=1.0)
    assert time.perf_counter() - start < 20
    assert not differing(skipped.images[0], np.asarray(Image.open(moon).convert("RGB"))).any()
    assert "input skipped" in skipped.info["infotexts"][0]
    left_out = {**settings, "on_no_match": "leave out"}
    assert webui.generate([], left_out, "img2img", init_images=[encoded(moon)]).images == []
    done = webui.generate([bag], settings, "img2img", init_images=[encoded(bag)])
    assert "found handbag" in done.texts[0]


def test_only_masked_inpainting_shows_the_filter_the_whole_picture(webui: WebUi, bag: Path, tmp_path: Path) -> None:
    picture = Image.open(bag).convert("RGB")
    corner = Image.new("L", picture.size)
    corner.paste(255, (0, 0, 60, 60))
    corner.save(tmp_path / "corner.png")
    job = {
        "init_images": [encoded(bag)], "mask": encoded(tmp_path / "corner.png"), "inpaint_full_res": True,
        "width": 128, "height": 128, "inpainting_fill": 1,
    }  # fmt: skip
    off = webui.generate([], None, "img2img", **job)
    # What small random weights paint is far beyond any limit of colour.
    on = webui.generate([], {**ON, "on_no_match": "leave out", "colour_limit": 0}, "img2img", **job)
    assert on.images[0].shape[:2] == picture.size[::-1] and "found handbag" in on.texts[0]
    assert differing(off.images[0], on.images[0]).any()


def test_two_products_have_their_own_prompts(webui: WebUi, shared_data: Path, tmp_path: Path) -> None:
    both = Image.new("RGB", (1024, 512), "white")
    for number, name in enumerate(("handbag", "shoes")):
        both.paste(Image.open(shared_data / "filter_inputs" / f"{name}.png").convert("RGB"), (512 * number, 0))
    both.save(tmp_path / "both.png")
    settings = {"recheck": False, "products": 'handbag [prompt="a red bag"; denoise=0.9], shoe', "mask_blur": 2}
    off = webui.generate([tmp_path / "both.png"], None, width=512, height=256)
    on = webui.generate([tmp_path / "both.png"], settings, width=512, height=256)
    changed = differing(off.images[0], on.images[0])
    assert "handbag" in on.texts[0] and "shoe" in on.texts[0]
    assert changed[:, :230].any() and changed[:, 290:].any()
    one = webui.generate([tmp_path / "both.png"], {**settings, "limit": 1}, width=512, height=256)
    sides = [differing(off.images[0], one.images[0])[:, part].any() for part in (slice(0, 230), slice(290, 512))]
    assert sorted(sides) == [False, True]


def held_in(text: str) -> tuple[float, float]:
    """The mean ΔE after the pass, and once held."""
    found = re.search(r"colour of handbag: ΔE ([\d.]+) → ([\d.]+) ", text)
    assert found is not None, text
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("corrected", [False, True])
def test_colours_are_held_in_a_batch_of_two_by_two_with_the_hosts_own_correction_on_and_off(
    webui: WebUi, bag: Path, corrected: bool
) -> None:
    job = {"batch_size": 2, "n_iter": 2, "override_settings": {"img2img_color_correction": corrected}}
    settings = {**ON, "colour_limit": 0}
    held = webui.generate([bag], settings, "img2img", init_images=[encoded(bag)], **job)
    changes = [held_in(text) for text in held.texts[-4:]]
    print("\nhost's own correction", "on:" if corrected else "off:", changes)
    # Small random weights paint noise, of which much is left at any size of window.
    assert all(after < 0.7 * before for before, after in changes)


def test_a_colour_that_cannot_be_held_leaves_the_original(webui: WebUi, bag: Path) -> None:
    settings = {**ON, "colour_hold": "always", "colour_strength": 0.0, "colour_limit": 1.0}
    off, on = webui.generate([bag], None), webui.generate([bag], settings)
    assert "enhancement of handbag undone: its colour was too far off" in on.texts[0]
    assert not differing(off.images[0], on.images[0]).any()


def test_what_fails_is_told_and_the_image_stays(webui: WebUi, bag: Path) -> None:
    settings = {"cn_model": "control_v11p_sd15_canny", "cn_module": "openpose_hand"}
    off = webui.generate([bag], None)
    on = webui.generate([bag], {**ON, **settings})
    assert "did not take up" in on.texts[0]
    assert not differing(off.images[0], on.images[0]).any()
    assert not differing(off.images[0], webui.generate([bag], None).images[0]).any()


@pytest.mark.parametrize("path", ["txt2img", "img2img"])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prodcts": "handbag"}, "prodcts"),
        ({"denoise": 7}, "Denoising strength is 7"),
        ({"products": ""}, "product list is empty"),
        ({"products": "flux capacitor"}, "flux capacitor: not looked for"),
        ({"segmenter": "sam-vit-h"}, "press 'Get weights'"),
        ({"cn_model": "no_such_model"}, "is not installed"),
        ({"cn_model": "control_v11f1p_sd15_depth", "cn_module": "depth_midas"}, "has not been downloaded"),
    ],
)
def test_what_can_be_known_before_is_told_before(
    webui: WebUi, bag: Path, settings: dict[str, Any], words: str, path: str
) -> None:
    """Nothing is painted: a hundred steps of a large picture would take minutes."""
    job = {"steps": 100, "width": 1024, "height": 1024} | ({"init_images": [encoded(bag)]} if path == "img2img" else {})
    start = time.perf_counter()
    answer = webui.generate([], {**ON, **settings}, path, **job)
    assert answer.images == [] and time.perf_counter() - start < 20
    assert words in answer.info["infotexts"][0].replace('\\"', '"')


def test_folders_of_a_job_do_not_lead_out(webui: WebUi, bag: Path, outputs: Path) -> None:
    settings = {**ON, "on_match": "mask and cut-out only"}
    for name in ("masks_folder", "skipped_folder"):
        climb = {f"photoshoot_{name}": "../../victim"}
        answer = webui.generate([bag], settings, save_images=True, override_settings=climb)
        assert answer.images == [] and "leads out of" in answer.info["infotexts"][0]
    assert not list(outputs.parent.rglob("victim"))
    assert len(webui.generate([bag], settings).images) == 1


def in_the_middle(webui: WebUi, command: str, *job: Any, **more: Any) -> Answer:
    """Run a job and send ``command`` once its enhancement, of 40 steps, is under way."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(webui.generate(*job, **more)))
    thread.start()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = webui.call("/sdapi/v1/progress?skip_current_image=true")["state"]
        if state["sampling_steps"] == 40 and state["sampling_step"] > 1:
            break
        time.sleep(0.02)
    webui.call(f"/sdapi/v1/{command}", {})
    thread.join(240)
    return answers[0]


LONG = {**ON, "steps": 40, "denoise": 1.0}


def test_an_interrupt_in_the_middle_of_an_enhancement_delivers_the_original(webui: WebUi, bag: Path) -> None:
    off = webui.generate([bag], None)
    stopped = in_the_middle(webui, "interrupt", [bag], LONG)
    assert not differing(off.images[0], stopped.images[0]).any() and "stopped" in stopped.texts[0]
    assert "enhanced with" in webui.generate([bag], ON).texts[0], "the host stays healthy"


def test_a_skip_leaves_one_image_and_goes_on_with_the_next(webui: WebUi, bag: Path) -> None:
    off = webui.generate([bag], None, n_iter=2)
    first, second = in_the_middle(webui, "skip", [bag], LONG, n_iter=2).images
    assert not differing(off.images[0], first).any() and differing(off.images[1], second).any()


def test_every_image_of_every_batch_has_its_own_result(webui: WebUi, bag: Path, moon: Path, outputs: Path) -> None:
    settings = {**ON, "enhancement": "retouch"}
    answer = webui.generate([bag, moon, moon, bag], settings, batch_size=2, n_iter=2, save_images=True)
    assert [("found handbag" in text) for text in answer.texts[-4:]] == [True, False, False, True]
    grid, third = answer.texts[0], answer.texts[-2]
    if "Seed: 5," in grid:
        assert "Product filter result" not in grid, "the grid has none"
    else:
        assert grid == third, "reForge gives the grid the whole text of the last batch's first image"


def test_the_infotext_holds_what_differs_from_the_defaults(webui: WebUi, bag: Path) -> None:
    text = webui.generate([bag], {**ON, "denoise": 0.4, "padding": 48}).texts[0]
    held = json.loads(json.loads(text.split("Product filter: ")[1].split(", Product filter result")[0]))
    assert held == {"products": "handbag", "padding": 48, "recheck": False}


def test_the_api_accepts_the_name_in_any_case_and_positional_values_are_off_by_default(webui: WebUi, bag: Path) -> None:
    off = webui.generate([bag], None)
    positional = webui.generate([bag], None, alwayson_scripts={
        "Painter": {"args": [{"pictures": [str(bag)]}]}, OURS.lower(): {"args": [False]},
    })  # fmt: skip
    assert not differing(off.images[0], positional.images[0]).any()
    assert "Product filter" not in positional.texts[0]


def test_adetailer_beside_us(webui: WebUi, bag: Path, moon: Path, tmp_path: Path) -> None:
    """ADetailer repaints the face first, we the bag; later batches and an outer ControlNet are as without us."""
    if "adetailer" not in webui.call("/sdapi/v1/scripts")["txt2img"]:
        pytest.skip("the WebUI has no ADetailer")
    scene = Image.new("RGB", (1024, 512), "white")
    scene.paste(Image.open(ROOT / "samples" / "astronaut.jpg").convert("RGB").resize((512, 512)), (0, 0))
    scene.paste(Image.open(bag).convert("RGB").resize((400, 400)), (580, 60))
    scene.save(tmp_path / "scene.png")
    face = {"ADetailer": {"args": [True, False, {"ad_model": "mediapipe_face_full", "ad_denoising_strength": 0.5}]}}
    job: dict[str, Any] = {
        "n_iter": 2,
        "width": 512,
        "height": 256,
        "alwayson_scripts": {**face, **control(webui, bag)},
    }
    pictures = [tmp_path / "scene.png", Path("-")]
    bare = webui.generate(pictures, None, n_iter=2, width=512, height=256)
    alone = webui.generate(pictures, None, **job)
    both = webui.generate(pictures, ON, **job)
    assert differing(bare.images[0], alone.images[0])[:, :256].any(), "ADetailer repaints the face"
    assert not differing(alone.images[0], both.images[0])[:, :256].any(), "which we leave as it left it"
    assert differing(alone.images[0], both.images[0])[:, 300:].any() and "found handbag" in both.texts[0]
    assert not differing(alone.images[1], both.images[1]).any(), "the next batch is painted as without us"


def test_hires_fix_and_variation_seeds(webui: WebUi, bag: Path, moon: Path) -> None:
    job = {
        "enable_hr": True, "hr_resize_x": 320, "hr_resize_y": 320, "hr_upscaler": webui.upscalers()[0],
        "hr_second_pass_steps": 2, "denoising_strength": 0.6, "width": 192, "height": 192, "subseed": 9,
        "subseed_strength": 0.3, "batch_size": 2,
    }  # fmt: skip
    off, on = webui.generate([bag, moon], None, **job), webui.generate([bag, moon], ON, **job)
    assert on.images[0].shape[:2] == (320, 320) and "found handbag" in on.texts[0]
    assert differing(off.images[0], on.images[0]).any() and not differing(off.images[1], on.images[1]).any()


def test_a_refiner_with_an_outer_controlnet(webui: WebUi, bag: Path) -> None:
    """With a refiner ControlNet hooks itself in before each batch rather than once for the job."""
    checkpoint = webui.call("/sdapi/v1/sd-models")[0]["title"]
    job = {
        "refiner_checkpoint": checkpoint, "refiner_switch_at": 0.5, "steps": 4, "n_iter": 2,
        "alwayson_scripts": control(webui, bag),
    }  # fmt: skip
    off, on = webui.generate([bag, Path("-")], None, **job), webui.generate([bag, Path("-")], ON, **job)
    assert differing(off.images[0], on.images[0]).any() and "enhanced with" in on.texts[0]
    assert not differing(off.images[1], on.images[1]).any(), "the next batch is painted as without us"


def test_params_file_keeps_the_users_own_job(webui: WebUi, bag: Path) -> None:
    params = data_folder(webui) / "params.txt"
    if not params.is_file():
        pytest.skip("the WebUI's folder is not on this machine")
    webui.generate([bag], {**ON, "prompt": "only for the product"})
    text = params.read_text()
    assert text.startswith("a bag") and "only for the product" not in text.splitlines()[0]
