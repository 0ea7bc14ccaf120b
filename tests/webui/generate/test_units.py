"""Which ControlNet unit is used, and what the user is told before the job."""

from __future__ import annotations

import pytest

from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate.units import choose_unit, find_model, stem
from lib_photoshoot.webui.hosts.protocol import ControlModel, ControlUnit
from tests.webui.fake_host import FakeControlNet

DEPTH = ControlModel("control_v11f1p_sd15_depth [cfd03158]", "sd1")
CANNY = ControlModel("control_v11p_sd15_canny [d14c016b]", "sd1")
TILE = ControlModel("control_v11f1e_sd15_tile [a371b31b]", "sd1")
XL_CANNY = ControlModel("diffusers_xl_canny_full [2b69fca4]", "sdxl")
UNTOLD = ControlModel("my_canny_lora [00000000]", None)


def test_auto_takes_what_keeps_the_shape_best_and_works_without_a_download() -> None:
    controlnet = FakeControlNet([DEPTH, CANNY, TILE])
    assert choose_unit(FilterSettings(), controlnet, "sd1").unit == ControlUnit("tile_resample", TILE.name)
    assert choose_unit(FilterSettings(), FakeControlNet([DEPTH, CANNY]), "sd1").unit.module == "canny"
    only_depth = choose_unit(FilterSettings(), FakeControlNet([DEPTH]), "sd1")
    assert only_depth.unit is None and "plain inpainting" in only_depth.note
    with_midas = choose_unit(FilterSettings(), FakeControlNet([DEPTH], ["depth_midas"]), "sd1")
    assert with_midas.unit == ControlUnit("depth_midas", DEPTH.name)


def test_only_models_of_the_checkpoints_family_are_chosen() -> None:
    controlnet = FakeControlNet([XL_CANNY, CANNY])
    assert choose_unit(FilterSettings(), controlnet, "sd1").unit.model == CANNY.name
    assert choose_unit(FilterSettings(), controlnet, "sdxl").unit.model == XL_CANNY.name
    wrong = choose_unit(FilterSettings(cn_model=XL_CANNY.name), controlnet, "sd1")
    assert wrong.unit is None and "another kind of checkpoint" in wrong.problem
    assert choose_unit(FilterSettings(), FakeControlNet([UNTOLD]), "sd1").unit.model == UNTOLD.name


def test_a_module_chosen_with_an_automatic_model_decides_the_model() -> None:
    controlnet = FakeControlNet([TILE, CANNY])
    assert choose_unit(FilterSettings(cn_module="canny"), controlnet, "sd1").unit.model == CANNY.name


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cn_model": "absent"}, "not installed"),
        ({"cn_model": "control_v11f1p_sd15_depth"}, "needs a map"),
        ({"cn_model": "control_v11f1p_sd15_depth", "cn_module": "depth_midas"}, "has not been downloaded"),
        ({"cn_model": "control_v11p_sd15_canny", "cn_module": "nonsense"}, "does not exist"),
    ],
)
def test_what_cannot_work_is_told_before_the_job(settings: dict, words: str) -> None:
    choice = choose_unit(FilterSettings(**settings), FakeControlNet([DEPTH, CANNY]), "sd1")
    assert choice.unit is None and words in choice.problem and choice.problem.count(".") == 1


def test_without_controlnet_there_is_a_visible_note_and_retouching_needs_none() -> None:
    assert "not installed" in choose_unit(FilterSettings(), None, "sd1").note
    assert choose_unit(FilterSettings(enhancement="retouch"), None, "sd1").note is None
    assert choose_unit(FilterSettings(cn_model="None"), FakeControlNet([CANNY]), "sd1").unit is None


def test_all_values_reach_the_unit() -> None:
    settings = FilterSettings(
        cn_model=CANNY.name, cn_module="canny", cn_weight=0.7, cn_mode="My prompt is more important", cn_start=0.1,
        cn_end=0.8,
    )  # fmt: skip
    unit = choose_unit(settings, FakeControlNet([CANNY]), "sd1").unit
    assert unit == ControlUnit("canny", CANNY.name, 0.7, "My prompt is more important", 0.1, 0.8)


def test_models_are_found_by_stem_and_named_as_listed() -> None:
    names = [DEPTH.name, CANNY.name]
    assert find_model("control_v11f1p_sd15_depth", names) == DEPTH.name
    assert find_model("Control_V11F1P_SD15_Depth [00000000]", names) == DEPTH.name
    assert find_model("depth", names) is None
    assert stem("a [b] [12345678]") == "a [b]"
