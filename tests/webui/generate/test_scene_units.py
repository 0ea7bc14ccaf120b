"""Which ControlNet units paint a scene, and what each of them is shown."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.settings import NO_MODEL, FilterSettings
from lib_photoshoot.staging.plan import Staged
from lib_photoshoot.webui.generate.scene_units import choose_scene_units, with_product
from lib_photoshoot.webui.hosts.protocol import ControlModel, ControlUnit
from tests.webui.fake_host import FakeControlNet

INPAINT = ControlModel("control_v11p_sd15_inpaint [ebff9138]", "sd1")
CANNY = ControlModel("control_v11p_sd15_canny [d14c016b]", "sd1")
LINEART = ControlModel("control_v11p_sd15_lineart [43d4be0d]", "sd1")
IP_ADAPTER = ControlModel("ip-adapter_sd15 [6a3f6166]", "sd1")
XL = ControlModel("diffusers_xl_canny_full [2b69fca4]", "sdxl")
ALL = FakeControlNet([INPAINT, CANNY, LINEART, IP_ADAPTER, XL])


def chosen(text: str, controlnet: FakeControlNet | None = ALL, family: str = "sd1", inpainting: bool = False):
    return choose_scene_units(FilterSettings(scene_units=text), controlnet, family, inpainting)


def test_auto_inpaints_the_rest_and_draws_the_products_outline() -> None:
    assert [unit.model for unit in chosen("auto").units] == [INPAINT.name, LINEART.name]
    assert [unit.model for unit in chosen("auto", inpainting=True).units] == [LINEART.name]
    assert [unit.model for unit in chosen("auto", family="sdxl").units] == [XL.name]


def test_units_are_taken_as_they_are_written() -> None:
    canny, reference, adapter = chosen(
        "canny + control_v11p_sd15_canny [weight=0.5; end=0.7] | reference_only | ip-adapter_clip_h [weight=0.4]"
    ).units
    assert canny == ControlUnit("canny", CANNY.name, 0.5, end=0.7)
    assert (reference.model, adapter.model, adapter.weight) == (NO_MODEL, IP_ADAPTER.name, 0.4)
    assert chosen("none").units == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("canny + nowhere", "is not installed"),
        (f"canny + {XL.name}", "another kind of checkpoint"),
        ("nonsense + control_v11p_sd15_canny", "does not exist"),
        ("depth_midas", "has not been downloaded"),
        ("tile_resample", "write tile_resample + model"),
        ("canny + none", "needs a model"),
        ("auto | canny | lineart_standard", "4 ControlNet units, and the WebUI has 3"),
    ],
)
def test_what_cannot_work_is_told_before_the_job(text: str, words: str) -> None:
    choice = chosen(text)
    assert choice.units == () and words in choice.problem and choice.problem.count(".") == 1


def test_without_controlnet_or_models_it_is_plain_inpainting() -> None:
    assert "plain inpainting" in chosen("auto", None).note
    assert "plain inpainting" in chosen("auto", FakeControlNet([XL])).note
    assert "not installed" in chosen("canny", None).problem


def test_the_product_is_shown_cut_out_and_shapes_are_kept_around_it() -> None:
    alpha = np.zeros((200, 300), np.uint8)
    alpha[80:120, 100:160] = 255
    article = np.zeros((200, 300, 3), np.uint8)
    article[alpha > 0] = 40
    staged = Staged(article, article, article, alpha, ())
    units = [ControlUnit(name, "m") for name in ("inpaint_only", "canny", "ip-adapter_clip_h", "reference_only")]
    inpaint, canny, adapter, reference = with_product(units, staged, keep_out=2)
    assert inpaint.image is None and inpaint.region is None
    region = np.asarray(canny.region) > 127
    assert canny.image is None and region[64:136, 100:160].all() and region.sum() < 100 * 120
    assert adapter.image.size == reference.image.size == (60, 40)
    assert (np.asarray(adapter.image) == 40).all()
