"""The settings model: one declaration, checked by construction, stable as a dictionary and as infotext."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.settings import (
    DEFAULTS,
    FIELDS,
    VERSION,
    FilterSettings,
    SettingsError,
    settings_from,
    settings_from_json,
)
from lib_photoshoot.webui.generate.arguments import is_switched_off, settings_from_arguments


def values_of(name: str) -> st.SearchStrategy[Any]:
    """Every value that a field may have."""
    meta, default = FIELDS[name], DEFAULTS[name]
    if name == "scene_units":
        return st.sampled_from(
            ("auto", "none", "canny + my_canny [d14c016b] [weight=0.5; mode=Balanced] | reference_only")
        )
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, str):
        return st.sampled_from(meta.choices) if meta.choices else st.text(max_size=40)
    if isinstance(default, int):
        return st.integers(int(meta.lowest), int(meta.highest))
    return st.floats(meta.lowest, meta.highest, allow_nan=False)


ALL_VALUES = st.fixed_dictionaries({name: values_of(name) for name in FIELDS}).filter(
    lambda values: values["cn_start"] <= values["cn_end"]
)


@given(ALL_VALUES)
def test_settings_survive_every_form(values: dict[str, Any]) -> None:
    settings = FilterSettings(**values)
    assert settings_from(settings.to_dict()) == settings
    on = FilterSettings(**{**values, "enabled": True})
    text = on.to_json()
    assert settings_from_json(text) == on and "\n" not in text
    assert settings_from_arguments([getattr(settings, name) for name in FIELDS]) == settings


def test_defaults_are_left_out_of_the_infotext() -> None:
    assert FilterSettings(enabled=True, products="bag", denoise=0.4).to_json() == '{"products": "bag"}'


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"prodcts": "bag"}, "'prodcts'"),
        ({"denoise": 1.5}, "from 0 to 1"),
        ({"denoise": math.nan}, "from 0 to 1"),
        ({"denoise": "0.5"}, "from 0 to 1"),
        ({"denoise": True}, "from 0 to 1"),
        ({"limit": 1.5}, "whole number"),
        ({"enabled": 1}, "true or false"),
        ({"products": None}, "give a text"),
        ({"detector": "yolo"}, "choose one of"),
        ({"cn_start": 0.8, "cn_end": 0.2}, "exchange"),
        ({"version": VERSION + 1}, "update the extension"),
        ({"version": "1"}, "update the extension"),
    ],
)
def test_a_wrong_value_is_named_in_one_sentence(values: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_from(values)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}'])
def test_damaged_infotext_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(SettingsError):
        settings_from_json(text)


def test_every_field_is_declared_whole() -> None:
    for name, meta in FIELDS.items():
        assert meta.label and meta.group, name
        if isinstance(DEFAULTS[name], (int, float)) and not isinstance(DEFAULTS[name], bool):
            assert meta.lowest <= DEFAULTS[name] <= meta.highest and meta.step, name
    labels = [meta.label for meta in FIELDS.values()]
    assert len(labels) == len(set(labels))


def test_a_dictionary_switches_the_filter_on_and_overrides_come_last() -> None:
    assert settings_from_arguments([{"products": "bag"}]).enabled
    assert not settings_from_arguments([{"products": "bag", "enabled": False}]).enabled
    assert not settings_from_arguments([]).enabled and not settings_from_arguments([{}]).enabled
    assert settings_from_arguments([{"denoise": 0.2}], {"denoise": 0.7}).denoise == 0.7
    assert is_switched_off(()) and is_switched_off((False, "bag")) and is_switched_off(({},))
    assert not is_switched_off((True,)) and not is_switched_off(({"products": "bag"},))


@pytest.mark.parametrize(
    ("name", "detector"),
    [
        ("groundingdino-swint", "groundingdino"),
        ("groundingdino_swint_ogc", "groundingdino"),
        ("groundingdino-swinb", "groundingdino-b"),
        ("groundingdino_swinb_cogcoor", "groundingdino-b"),
    ],
)
def test_a_detector_may_be_called_as_its_checkpoint(name: str, detector: str) -> None:
    assert settings_from({"detector": name}).detector == detector
