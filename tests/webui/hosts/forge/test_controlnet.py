"""Forge's own ControlNet in the stand-in host: units in its dialects, failures that are seen, jobs as they were."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.scene_units import CONTROL_MODES
from lib_photoshoot.settings import NO_MODEL
from lib_photoshoot.webui.hosts.protocol import ControlUnit
from tests.webui.hosts.a1111.conftest import ON, SIDE, bag, differing, generate
from tests.webui.hosts.forge.conftest import INPAINT, WIDE
from tests.webui.standin.host import CANNY, StandIn

SQUARE = np.s_[30:62, 30:62]
OUTER = {"ControlNet": {"args": [{"enabled": True, "module": "canny", "model": CANNY}]}}


def controlnet() -> Any:
    from lib_photoshoot.webui.hosts.a1111.controlnet import find_controlnet

    return find_controlnet()


def made(unit: ControlUnit) -> Any:
    """The unit as this ControlNet gets it, in a pass over a picture of its own."""
    return controlnet()._unit(unit, Image.new("RGB", (8, 6), "red"))


def blue(image: np.ndarray) -> float:
    """How much bluer than red a picture is: each unit adds 60."""
    return float(image[..., 2].mean() - image[..., 0].mean())


def test_it_is_found_with_its_models_and_preprocessors(forge: StandIn) -> None:
    from lib_photoshoot.webui.hosts.a1111.choices import controlnet_models

    found = controlnet()
    assert [(model.name, model.family) for model in found.models()] == [
        (CANNY, "sd1"),
        (INPAINT, "sd1"),
        (WIDE, "sdxl"),
    ]
    assert controlnet_models() == ["auto", NO_MODEL, CANNY, INPAINT]
    assert {"none", "lineart_standard", "ip-adapter_clip_h", "normal_bae"} <= set(found.modules())
    assert found.most_units() == 3


def test_a_preprocessors_file_is_looked_for_where_the_host_keeps_it(forge: StandIn) -> None:
    from modules_forge.shared import preprocessor_dir

    found, folder = controlnet(), Path(preprocessor_dir)
    for module, file in (("depth_midas", "midas/dpt_hybrid-midas-501f0c75.pt"), ("normal_bae", "scannet.pt")):
        assert found.needs_download(module)
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
        assert not found.needs_download(module)
    assert found.needs_download("ip-adapter_clip_h") and not found.needs_download("canny")


def test_a_unit_without_a_picture_of_its_own_leaves_it_to_the_pass(forge: StandIn) -> None:
    unit = made(ControlUnit("lineart_standard", CANNY, 0.7, CONTROL_MODES[2], 0.1, 0.9))
    assert unit.image is unit.mask_image is None and unit.module == "lineart_standard (from white bg & black line)"
    assert (unit.weight, unit.guidance_start, unit.guidance_end) == (0.7, 0.1, 0.9)
    assert unit.control_mode == "ControlNet is more important" and not unit.save_detected_map
    assert made(ControlUnit("none", CANNY)).module == "None"


def test_a_picture_and_a_region_are_arrays(forge: StandIn) -> None:
    own, region = Image.new("RGB", (4, 5), "white"), Image.new("L", (8, 6), 255)
    unit = made(ControlUnit("ip-adapter_clip_h", CANNY, image=own))
    assert unit.image.shape == (5, 4, 3) and not unit.image_fg.any() and unit.image_fg.shape == (5, 4, 4)
    assert unit.mask_image is None or not unit.mask_image.any(), "everywhere"
    unit = made(ControlUnit("canny", CANNY, region=region))
    assert unit.image[..., 0].all() and unit.image.shape == (6, 8, 3), "beside a region the pass's picture is told"
    assert unit.mask_image.shape == (6, 8, 3) and unit.mask_image.all()


def test_another_dialect_has_dictionaries_and_other_modes(forge: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from enum import Enum

    from lib_controlnet import external_code

    @dataclass
    class Unit:
        """reForge's: no layer to draw on, and its own field for a mask."""

        enabled: bool = True
        module: str = "None"
        model: str = "None"
        weight: float = 1.0
        image: Any = None
        mask_image: Any = None
        control_mode: Any = None

    monkeypatch.setattr(external_code, "ControlNetUnit", Unit)
    monkeypatch.setattr(external_code, "ControlMode", Enum("Mode", {"A": "Balanced", "B": "Prefer Prompt", "C": "C"}))
    unit = made(ControlUnit("canny", CANNY, mode=CONTROL_MODES[1], region=Image.new("L", (8, 6), 255)))
    assert unit.control_mode == "Prefer Prompt"
    assert unit.image["image"].shape == (6, 8, 3) and not unit.image["mask"].any()
    assert unit.mask_image["image"].all() and not unit.mask_image["mask"].any()


def test_the_product_is_painted_under_it_and_the_checkpoint_left_as_it_was(forge: StandIn) -> None:
    before = generate(forge).images[0]
    forge.checkpoint.pictures = {5: bag()}
    kept = [forge.checkpoint.forge_objects_after_applying_lora, forge.checkpoint.forge_objects_after_applying_lora.unet]
    on = generate(forge, {**ON, "denoise": 1.0}).images[0]
    assert blue(on[SQUARE]) > 50
    assert not forge.checkpoint.forge_objects.unet.controls, "the job's own patchers, not the pass's"
    plain = generate(forge, {**ON, "denoise": 1.0, "enhancement": "inpaint"}).images[0]
    assert abs(blue(plain[SQUARE])) < 10
    assert kept[0] is forge.checkpoint.forge_objects_after_applying_lora and kept[1] is kept[0].unet
    forge.checkpoint.pictures = {}
    assert not differing(before, generate(forge).images[0]).any() and forge.reports() == []


def test_the_jobs_own_controlnet_rules_its_batches_and_not_the_product(forge: StandIn) -> None:
    job: dict[str, Any] = {"n_iter": 2, "alwayson_scripts": OUTER}
    plain = generate(forge, None, **job)
    forge.checkpoint.pictures = {5: bag()}
    off, on = generate(forge, None, **job), generate(forge, {**ON, "denoise": 1.0, "cn_weight": 0.0}, **job)
    outside = differing(off.images[0], on.images[0])
    outside[SQUARE] = False
    assert not outside.any() and abs(blue(on.images[0][SQUARE])) < 10, "the product is under its own, of weight 0"
    assert not differing(plain.images[1], on.images[1]).any() and blue(on.images[1]) > 50
    assert forge.reports() == [], "the outer job's units are still known in its second batch"


@pytest.mark.parametrize(
    ("module", "told"),
    [("broken", "(the preprocessor's file cannot be had)"), ("late", "(shapes do not fit)"), ("idle", "its reason")],
)
def test_what_fails_silently_is_seen_and_the_image_stays(forge: StandIn, module: str, told: str) -> None:
    forge.checkpoint.pictures = {5: bag()}
    off, on = generate(forge), generate(forge, {**ON, "cn_model": CANNY, "cn_module": module})
    assert f"ControlNet did not take up {CANNY!r} with {module!r}" in on.texts[0] and told in on.texts[0]
    assert not differing(off.images[0], on.images[0]).any()
    forge.reports()
    assert "enhanced with ControlNet" in generate(forge, ON).texts[0], "the next job is well again"
    assert forge.reports() == []


def test_the_picture_does_not_show_whether_the_model_was_loaded_before(forge: StandIn) -> None:
    forge.checkpoint.pictures = {5: bag()}
    first = generate(forge, ON)
    assert not differing(first.images[0], generate(forge, ON).images[0]).any()


def test_a_folder_chosen_for_a_batch_is_none_of_the_passes(forge: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    group = type("ControlNetUiGroup", (), {"GLOBAL_CONTROLNET_BATCH_DIR": "/pictures"})
    name = "lib_controlnet.controlnet_ui.controlnet_ui_group"
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(ControlNetUiGroup=group))
    script = next(one for one in forge.scripts.scripts_txt2img.scripts if one.title() == "ControlNet")
    seen: list[str] = []
    process = type(script).process

    def watched(self: Any, p: Any, *units: Any) -> None:
        seen.append(group.GLOBAL_CONTROLNET_BATCH_DIR)
        process(self, p, *units)

    monkeypatch.setattr(type(script), "process", watched)
    forge.checkpoint.pictures = {5: bag()}
    generate(forge, ON)
    assert seen == ["/pictures", ""] and group.GLOBAL_CONTROLNET_BATCH_DIR == "/pictures"


def test_more_units_than_places_are_no_matter(forge: StandIn) -> None:
    """They take no place among the scripts' values."""
    forge.checkpoint.pictures = {5: bag()}
    before = [(one.args_from, one.args_to) for one in forge.scripts.scripts_txt2img.scripts]
    generate(forge, ON)
    assert before == [(one.args_from, one.args_to) for one in forge.scripts.scripts_txt2img.scripts]


@pytest.mark.parametrize(("wish", "told"), [({}, "so products are enhanced by plain"), ({"cn_model": CANNY}, "choose")])
def test_with_another_kind_of_checkpoint_it_is_not_offered(
    forge: StandIn, wish: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(forge.checkpoint), "is_sd1", False)
    forge.checkpoint.__class__ = type("Flux", (type(forge.checkpoint),), {})
    forge.checkpoint.pictures = {5: bag()}
    off, on = generate(forge), generate(forge, {**ON, **wish})
    assert not wish or "not offered with a Flux checkpoint" in on.texts[0]
    assert any(differing(off.images[0], image).any() for image in on.images) is not bool(wish)
    retouched = generate(forge, {**ON, "enhancement": "retouch"})
    assert "enhanced" in retouched.texts[0]


def test_sides_of_the_pass_are_those_of_the_job(forge: StandIn) -> None:
    forge.checkpoint.pictures = {5: bag()}
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host

    assert generate(forge, ON).images[0].shape == (SIDE, SIDE, 3) and not A1111Host().is_inpainting()
    forge.checkpoint.is_inpaint = True
    assert A1111Host().is_inpainting()
