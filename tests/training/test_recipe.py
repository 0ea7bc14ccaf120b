import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.recipe import DEFAULTS, FIELDS, PRESETS, VERSION, Recipe, adapted, recipe_from
from lib_photoshoot.training.trainer.environment import Capabilities, Gpu

GPU = Capabilities(
    gpus=(Gpu("a GPU", 8 << 30, bf16=True),), eight_bit=True, xformers=True, tensorboard=True, cpu_count=8
)
ORIGINAL = {
    "activation_tag": "ppzocketv2",
    "output_name": "ppzocketv2",
    "resolution": 768,
    "enable_bucket": True,
    "bucket_reso_steps": 64,
    "bucket_no_upscale": False,
    "min_bucket_reso": 320,
    "max_bucket_reso": 1280,
    "shuffle_caption": True,
    "keep_tokens": 1,
    "flip_aug": False,
    "masked_loss": False,
    "num_repeats": 6,
    "train_batch_size": 2,
    "max_train_epochs": 10,
    "network_dim": 16,
    "network_alpha": 8.0,
    "network_args": "",
    "learning_rate": 2e-4,
    "unet_lr": 2e-4,
    "text_encoder_lr": 4e-5,
    "lr_scheduler": "cosine_with_restarts",
    "lr_scheduler_num_cycles": 3,
    "warmup_ratio": 0.05,
    "optimizer_type": "AdamW8bit",
    "optimizer_args": "",
    "min_snr_gamma": 5.0,
    "noise_offset": 0.0,
    "prior_loss_weight": 1.0,
    "weighted_captions": False,
    "clip_skip": 2,
    "max_token_length": 225,
    "mixed_precision": "fp16",
    "save_precision": "fp16",
    "attention": "xformers",
    "lowram": True,
    "cache_latents": True,
    "save_every_n_epochs": 1,
    "save_last_n_epochs": 10,
    "seed": 42,
    "max_data_loader_n_workers": 8,
    "persistent_data_loader_workers": True,
}


def test_the_defaults_are_the_original_experiment():
    recipe = Recipe()
    assert {name: getattr(recipe, name) for name in ORIGINAL} == ORIGINAL
    assert PRESETS["Original experiment"] == recipe
    assert recipe.changed() == {}


def test_the_original_warms_up_for_97_of_1950_steps():
    assert Recipe().warmup_steps(1950) == 97
    assert Recipe(lr_scheduler="constant").warmup_steps(1950) == 0


def test_each_value_has_a_label_and_is_shown_in_its_range():
    for name, meta in FIELDS.items():
        assert meta.label and meta.group, name
        if type(DEFAULTS[name]) in (int, float) and not meta.choices:
            assert meta.lowest is not None and meta.highest is not None and meta.step, name


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name):
    recipe = PRESETS[name]
    stored = json.loads(json.dumps(recipe.to_dict()))
    assert stored["version"] == VERSION
    assert recipe_from(stored) == recipe
    assert recipe_from(recipe.changed()) == recipe


def test_sample_prompts_survive_json():
    recipe = Recipe(sample_prompts=("a cup", " a shoe  on grass "))
    assert recipe.sample_prompts == ("a cup", "a shoe  on grass")
    assert recipe_from(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"unet_lrr": 1e-4}, "'unet_lrr'"),
        ({"version": VERSION + 1}, "update"),
        ({"resolution": 770}, "multiple of 8"),
        ({"resolution": "768"}, "number from 64 to 2048"),
        ({"resolution": 1600}, "largest bucket side"),
        ({"resolution": 256}, "smallest bucket side"),
        ({"bucket_reso_steps": 96}, "64"),
        ({"max_train_epochs": 0}, "from 1"),
        ({"max_train_epochs": 1.5}, "whole number"),
        ({"max_train_epochs": True}, "number"),
        ({"unet_lr": float("nan")}, "number from 0 to 2"),
        ({"unet_lr": -1e-4}, "number from 0 to 2"),
        ({"max_token_length": 100}, "75, 150, 225"),
        ({"optimizer_type": "AdamW9bit"}, "AdamW8bit"),
        ({"mixed_precision": "fp8"}, "fp16, bf16, no"),
        ({"lowram": "yes"}, "true or false"),
        ({"sample_prompts": "a cup"}, "list"),
        ({"sample_prompts": ["a cup\n--w 64"]}, "one line"),
        ({"sample_negative_prompt": "ugly\nblurred"}, "line break"),
        ({"activation_tag": "two, tags"}, "commas"),
        ({"activation_tag": ""}, "word"),
        ({"output_name": "../evil"}, "cannot hold /"),
        ({"output_name": "-x"}, "cannot be empty"),
        ({"output_name": 3}, "give a text"),
        ({"output_name": "製" * 67}, "has 201 bytes"),
        ({"optimizer_args": "weight_decay"}, "key=value"),
        ({"optimizer_args": "decay=abc"}, "key=value"),
        ({"network_args": "conv_dim"}, "key=value"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(values, words):
    with pytest.raises(TrainingError) as caught:
        recipe_from(values)
    message = str(caught.value)
    assert words in message
    assert message.endswith(".") and "\n" not in message


def test_bucket_sides_do_not_matter_without_buckets():
    assert Recipe(resolution=64, enable_bucket=False).resolution == 64


@given(st.sampled_from(sorted(FIELDS)), st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans()))
def test_any_value_makes_a_valid_recipe_or_a_sentence(name, value):
    try:
        recipe = recipe_from({name: value})
    except TrainingError as error:
        assert str(error).endswith(".")
    else:
        assert type(getattr(recipe, name)) is type(DEFAULTS[name])
        assert recipe_from(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_a_full_machine_changes_nothing():
    assert adapted(Recipe(), GPU) == (Recipe(), ())


def test_a_bare_cpu_changes_what_it_cannot_do_and_says_so():
    recipe, said = adapted(Recipe(), Capabilities(cpu_count=2))
    assert recipe.changed() == {
        "mixed_precision": "no",
        "lowram": False,
        "optimizer_type": "AdamW",
        "attention": "sdpa",
        "max_data_loader_n_workers": 2,
    }
    assert len(said) == 5
    assert all(sentence.endswith(".") for sentence in said)
    assert recipe.save_precision == "fp16"
    assert adapted(recipe, Capabilities(cpu_count=2)) == (recipe, ())


@pytest.mark.parametrize(("asked", "instead"), [("PagedAdamW8bit", "AdamW"), ("Lion8bit", "Lion")])
def test_an_eight_bit_optimiser_has_a_stand_in(asked, instead):
    recipe, said = adapted(Recipe(optimizer_type=asked), dataclasses.replace(GPU, eight_bit=False))
    assert recipe.optimizer_type == instead
    assert len(said) == 1 and "bitsandbytes is not installed" in said[0] and asked in said[0]


def test_a_gpu_without_bf16_computes_in_fp16():
    old = dataclasses.replace(GPU, gpus=(Gpu("new", 1, bf16=True), Gpu("old", 1)))
    recipe, said = adapted(Recipe(mixed_precision="bf16"), old)
    assert recipe.mixed_precision == "fp16" and "bf16" in said[0]
    assert adapted(Recipe(mixed_precision="bf16"), GPU)[1] == ()


def test_the_cpu_check_runs_on_a_bare_cpu_as_it_is():
    assert adapted(PRESETS["CPU check"], Capabilities()) == (PRESETS["CPU check"], ())
