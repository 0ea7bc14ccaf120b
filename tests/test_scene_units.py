"""How the ControlNet units of a scene are written, and what is said of what is not understood."""

from __future__ import annotations

import pytest

from lib_photoshoot.scene_units import UnitText, parse_units
from lib_photoshoot.settings import FilterSettings, SettingsError


def test_units_have_preprocessor_model_and_settings() -> None:
    text = "inpaint_only+lama + inpaint [ab12cd34] [weight=0.5; start=.1; end=0.8; mode=my prompt]| reference_only"
    assert parse_units(text) == (
        UnitText("inpaint_only+lama", "inpaint [ab12cd34]", 0.5, "My prompt is more important", 0.1, 0.8),
        UnitText("reference_only"),
    )


def test_a_hash_in_brackets_is_part_of_a_models_name() -> None:
    assert parse_units("canny + a [d14c016b]")[0].model == "a [d14c016b]"
    assert parse_units("canny + a [d14c016b] []")[0] == UnitText("canny", "a [d14c016b]")


@pytest.mark.parametrize("text", ["none", " None ", ""])
def test_no_units(text: str) -> None:
    assert parse_units(text) == ()


def test_auto_stands_alone_or_beside_others() -> None:
    assert [unit.is_auto for unit in parse_units("auto | canny | auto + my_canny")] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("canny + ", "write it as"),
        ("canny | | auto", "Unit 2"),
        ("canny + a [weight=0.5", "not closed"),
        ("canny + a [weight=3]", "from 0 to 2"),
        ("canny + a [weight=nan]", "from 0 to 2"),
        ("canny + a [end=]", "from 0 to 1"),
        ("canny + a [strength=1]", "known are: weight, start, end, mode"),
        ("canny + a [weight=1; weight=1]", "twice"),
        ("canny + a [mode=strong]", "choose one of: Balanced"),
        ("canny + a [start=0.8; end=0.2]", "exchange the two"),
        ("auto [weight=0.5]", "takes no settings"),
        ("none | canny", "write none alone"),
    ],
)
def test_what_is_not_understood_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match="scene's ControlNet units") as caught:
        FilterSettings(scene_units=text)
    said = str(caught.value)
    assert words in said and said.endswith(".") and "\n" not in said
