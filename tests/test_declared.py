"""Values that are declared once: what is taken, what is said of the rest, and how stored ones grow older."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot import settings
from lib_photoshoot.declared import (
    Meta,
    check_fields,
    check_names,
    checked,
    declared_in,
    json_schema,
    migrated,
    number,
    setting,
)
from lib_photoshoot.presets import PresetError, loaded, preset_from_text
from lib_photoshoot.settings import FilterSettings, settings_from
from lib_photoshoot.training import recipe as recipes
from lib_photoshoot.training.recipe import Recipe, recipe_from
from lib_photoshoot.training.run.changes import changed
from lib_photoshoot.training.run.folder import RunFolder, RunSpec
from lib_photoshoot.training.trainer.arguments import recipe_arguments


@dataclass(frozen=True)
class Tea:
    """Something with one value of each kind."""

    name: str = setting("green", "Name")
    sugar: bool = setting(False)
    cups: int = number(2, "Cups", "amount", 1, 12, 1, "Of 0.2 litres.")
    heat: float = number(0.8, "Heat", "amount", 0, 1, 0.1)
    pot: str = setting("clay", choices=("clay", "iron"), aliases={"earthenware": "clay"})
    minutes: float | None = setting(None, kind=float, highest=9, optional=True)

    def __post_init__(self) -> None:
        check_fields(self, lambda name, meta: f"The {name}", ValueError)


def test_values_come_in_their_own_types() -> None:
    tea = Tea(cups=3.0, heat=1, pot="earthenware", minutes=4)  # type: ignore[arg-type]
    assert tea == Tea("green", False, 3, 1.0, "clay", 4.0)
    assert [type(value) for value in (tea.cups, tea.heat, tea.minutes)] == [int, float, float]
    assert Tea().minutes is None


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": 3}, "The name is 3; give a text."),
        ({"sugar": 1}, "The sugar is 1; it is either true or false."),
        ({"cups": True}, "The cups is True; give a number from 1 to 12."),
        ({"cups": 13}, "The cups is 13; give a number from 1 to 12."),
        ({"cups": 2.5}, "The cups is 2.5; give a whole number from 1 to 12."),
        ({"heat": math.nan}, "The heat is nan; give a number from 0 to 1."),
        ({"heat": "0.5"}, "The heat is '0.5'; give a number from 0 to 1."),
        ({"pot": "tin"}, "The pot is 'tin'; choose one of: clay, iron."),
        ({"minutes": 10}, "The minutes is 10; give a number from 0 to 9."),
    ],
)
def test_a_wrong_value_is_told_with_what_it_may_be(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        Tea(**values)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("value", "fits"), [(64, True), (72, True), (65, False), (72.0, False), (4294967296, False)])
def test_an_exact_number_is_a_multiple_of_its_step(value: Any, fits: bool) -> None:
    meta = Meta(int, 64, lowest=64, highest=2**32 - 8, step=8, exact=True)
    if fits:
        assert checked(meta, "The width", value, ValueError) == value
        return
    with pytest.raises(ValueError, match="give a whole number, a multiple of 8, from 64 to 4294967288"):
        checked(meta, "The width", value, ValueError)


def test_names_that_are_none_are_told() -> None:
    check_names({"cups": 1}, declared_in(Tea), "No {}", ValueError)
    with pytest.raises(ValueError, match="No 'milk' in tea; known are: name, sugar, cups, heat, pot, minutes"):
        check_names(["milk", "sugar"], declared_in(Tea), "No {} in tea", ValueError)


def test_the_schema_says_what_the_check_takes() -> None:
    schema = json_schema({name: meta for name, meta in declared_in(Tea).items() if name != "minutes"})
    assert schema["additionalProperties"] is False and schema["properties"] == {
        "name": {"type": "string", "title": "Name", "default": "green"},
        "sugar": {"type": "boolean", "default": False},
        "cups": {
            "type": "integer", "title": "Cups", "description": "Of 0.2 litres.", "minimum": 1, "maximum": 12,
            "default": 2,
        },
        "heat": {"type": "number", "title": "Heat", "minimum": 0, "maximum": 1, "default": 0.8},
        "pot": {"type": "string", "enum": ["clay", "iron"], "default": "clay"},
    }  # fmt: skip


def _mugs_to_cups(values: dict[str, Any]) -> dict[str, Any]:
    return {("cups" if name == "mugs" else name): value for name, value in values.items()}


def _twice_the_heat(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "heat": values.get("heat", 0.1) * 2}


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ({"version": 1, "mugs": 3}, {"cups": 3, "heat": 0.2}),
        ({"version": 2, "cups": 3, "heat": 0.3}, {"cups": 3, "heat": 0.6}),
        ({"version": 3, "heat": 0.3}, {"heat": 0.3}),
        ({"heat": 0.3}, {"heat": 0.3}),
    ],
)
def test_a_stored_dictionary_of_each_older_version_is_brought_up(stored: dict[str, Any], found: dict[str, Any]) -> None:
    before = dict(stored)
    assert migrated(stored, [_mugs_to_cups, _twice_the_heat], "The tea has", ValueError) == found
    assert stored == before


@pytest.mark.parametrize("version", [4, "1", None, True, 1.0])
def test_a_version_of_tomorrow_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match=r"The tea has version .*, this extension knows up to 3; update"):
        migrated({"version": version}, [_mugs_to_cups, _twice_the_heat], "The tea has", ValueError)


FIRST_PRESET = """{"version": 1, "products": "bag", "detector": "auto", "segmenter": "mobile-sam", "threshold": 0.0,
"require_all": false, "order": "best score", "limit": 0, "on_no_match": "keep untouched", "on_match": "enhance",
"filter_input": false, "save_masks": false, "save_cutouts": false, "save_before": false, "enhancement": "inpaint",
"prompt": "", "negative_prompt": "", "denoise": 0.3, "mask_grow": 4, "mask_blur": 4, "only_masked": true, "padding": 32,
"recheck": true, "cn_module": "auto", "cn_model": "auto", "cn_weight": 1.0, "cn_mode": "Balanced", "cn_start": 0.1,
"cn_end": 1.0, "steps": 0, "cfg_scale": 0.0, "sampler": "same as the job", "scheduler": "same as the job"}"""
FIRST_RECIPE = """{"version": 1, "activation_tag": "ppzocketv2", "output_name": "ppzocketv2", "resolution": 768,
"num_repeats": 6, "train_batch_size": 2, "enable_bucket": true, "bucket_reso_steps": 64, "min_bucket_reso": 320,
"max_bucket_reso": 1280, "bucket_no_upscale": false, "flip_aug": false, "shuffle_caption": true, "keep_tokens": 1,
"max_token_length": 225, "weighted_captions": false, "clip_skip": 2, "network_dim": 8, "network_alpha": 8.0,
"network_dropout": 0.0, "scale_weight_norms": 0.0, "network_train_unet_only": false, "network_args": "",
"max_train_epochs": 10, "unet_lr": 0.0002, "text_encoder_lr": 4e-05, "learning_rate": 0.0002,
"lr_scheduler": "cosine_with_restarts", "lr_scheduler_num_cycles": 3, "warmup_ratio": 0.05,
"optimizer_type": "AdamW8bit", "optimizer_args": "", "gradient_accumulation_steps": 1, "max_grad_norm": 1.0,
"min_snr_gamma": 5.0, "noise_offset": 0.0, "prior_loss_weight": 1.0, "seed": 42, "mixed_precision": "fp16",
"save_precision": "fp16", "attention": "xformers", "gradient_checkpointing": false, "cache_latents": true,
"lowram": true, "max_data_loader_n_workers": 8, "persistent_data_loader_workers": true, "save_every_n_epochs": 1,
"save_last_n_epochs": 10, "state_every_steps": 0, "sample_prompts": [], "sample_negative_prompt": "",
"sample_every_n_epochs": 1, "sample_width": 512, "sample_height": 512, "sample_steps": 28, "sample_cfg": 7.0,
"sample_seed": 42, "sample_sampler": "euler_a"}"""


def test_the_first_presets_and_recipes_that_were_ever_written_are_read() -> None:
    preset = loaded(preset_from_text(FIRST_PRESET, "'first'"))
    assert settings_from(preset) == FilterSettings(products="bag", denoise=0.3, cn_start=0.1, enhancement="inpaint")
    assert recipe_from(json.loads(FIRST_RECIPE)) == Recipe(network_dim=8)


def _renamed(old: str, new: str) -> list[Any]:
    return [lambda values: {(new if name == old else name): value for name, value in values.items()}]


def test_a_preset_of_an_older_version_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MIGRATIONS", _renamed("strength", "denoise"))
    older = '{"version": 1, "strength": 0.3, "mask_blur": 9}'
    assert preset_from_text(older, "'older'") == {"denoise": 0.3, "mask_blur": 9}
    assert settings_from(json.loads(older)) == FilterSettings(denoise=0.3, mask_blur=9)
    with pytest.raises(PresetError, match="no setting called 'strength'"):
        preset_from_text('{"version": 2, "strength": 0.3}', "'newer'")


def test_a_run_of_an_older_version_is_migrated_when_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "MIGRATIONS", _renamed("rank", "network_dim"))
    monkeypatch.setattr(recipes, "VERSION", 2)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    command = ("train", *recipe_arguments(Recipe(network_dim=8)))
    older = {"version": 1, "rank": 8}
    run.write_spec(RunSpec("tea", "tea", "photos", "sd15", 1, 10, 10, command, recipe=older))
    assert recipe_from(run.spec().recipe) == Recipe(network_dim=8)
    now = changed(run.spec(), {"save_precision": "float"}).recipe
    assert now["version"] == 2 and recipe_from(now) == Recipe(network_dim=8, save_precision="float")
