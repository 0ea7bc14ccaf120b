import json
import os
import subprocess
from pathlib import Path

import pytest

from lib_photoshoot.training.recipe import PRESETS, Recipe, adapted
from lib_photoshoot.training.trainer.arguments import (
    DATASET_CONFIG_NAME,
    TrainerPaths,
    dataset_configuration,
    dataset_configuration_text,
    sample_prompts_text,
    trainer_arguments,
)
from lib_photoshoot.training.trainer.environment import Capabilities, Gpu, trainer_variables

GPU = Capabilities(gpus=(Gpu("a GPU", 8 << 30),), eight_bit=True, xformers=True, tensorboard=True, cpu_count=8)
PATHS = TrainerPaths(
    checkpoint=Path("/models/base.safetensors"),
    dataset_config=Path("/run/dataset.json"),
    output_dir=Path("/run/out"),
    vae=Path("/models/vae.safetensors"),
    logging_dir=Path("/run/logs"),
    sample_prompts=Path("/run/sample_prompts.txt"),
    tokenizer_cache_dir=Path("/tokenizers"),
)
FULL = Recipe(
    sample_prompts=("a cup",),
    noise_offset=0.05,
    network_dropout=0.1,
    scale_weight_norms=1.0,
    gradient_checkpointing=True,
    weighted_captions=True,
    network_train_unet_only=True,
    optimizer_args="weight_decay=0.01 betas=(0.9,0.99)",
    network_args="conv_dim=4 conv_alpha=1",
)


def given(arguments, name):
    """The values behind a flag, or None where it is absent."""
    if f"--{name}" not in arguments:
        return None
    rest = arguments[arguments.index(f"--{name}") + 1 :]
    ends = [position for position, word in enumerate(rest) if word.startswith("--")]
    return rest[: ends[0]] if ends else rest


def test_the_original_is_told_in_full():
    arguments = trainer_arguments(Recipe(), PATHS, 1950, GPU)
    expected = {
        "pretrained_model_name_or_path": [str(PATHS.checkpoint)],
        "vae": [str(PATHS.vae)],
        "dataset_config": [str(PATHS.dataset_config)],
        "output_dir": [str(PATHS.output_dir)],
        "output_name": ["ppzocketv2"],
        "save_model_as": ["safetensors"],
        "network_module": ["networks.lora"],
        "network_dim": ["16"],
        "network_alpha": ["8.0"],
        "lr_warmup_steps": ["97"],
        "lr_scheduler": ["cosine_with_restarts"],
        "lr_scheduler_num_cycles": ["3"],
        "unet_lr": ["0.0002"],
        "text_encoder_lr": ["4e-05"],
        "optimizer_type": ["AdamW8bit"],
        "max_train_epochs": ["10"],
        "min_snr_gamma": ["5.0"],
        "max_token_length": ["225"],
        "clip_skip": ["2"],
        "save_last_n_epochs": ["10"],
        "mixed_precision": ["fp16"],
        "seed": ["42"],
        "logging_dir": [str(PATHS.logging_dir)],
        "log_with": ["tensorboard"],
        "tokenizer_cache_dir": [str(PATHS.tokenizer_cache_dir)],
        "console_log_simple": [],
        "xformers": [],
        "lowram": [],
        "cache_latents": [],
        "persistent_data_loader_workers": [],
    }
    assert {name: given(arguments, name) for name in expected} == expected


@pytest.mark.parametrize(
    "name",
    [
        "noise_offset",
        "network_dropout",
        "scale_weight_norms",
        "optimizer_args",
        "network_args",
        "gradient_checkpointing",
        "sample_prompts",
        "cache_latents_to_disk",
        "config_file",
        "save_state",
        "resume",
    ],
)
def test_what_is_off_is_absent(name):
    assert given(trainer_arguments(Recipe(), PATHS, 1950, GPU), name) is None


def test_each_name_is_given_once():
    flags = [word for word in trainer_arguments(FULL, PATHS, 1950, GPU) if word.startswith("--")]
    assert len(flags) == len(set(flags))


def test_the_warm_up_is_longer_with_several_processes():
    # sd-scripts makes a schedule of steps x processes, and Accelerate goes through it so much faster.
    assert given(trainer_arguments(Recipe(), PATHS, 1000, GPU, processes=2), "lr_warmup_steps") == ["100"]
    assert given(trainer_arguments(Recipe(lr_scheduler="constant"), PATHS, 1000, GPU), "lr_warmup_steps") == ["0"]


def test_the_machine_decides_on_tensorboard_and_states():
    arguments = trainer_arguments(Recipe(), PATHS, 10, Capabilities(hook=False))
    assert given(arguments, "logging_dir") is None and given(arguments, "log_with") is None
    assert given(arguments, "save_state") == [] and given(arguments, "save_last_n_epochs_state") == ["2"]


def test_loading_in_the_trainer_itself_keeps_no_processes():
    arguments = trainer_arguments(Recipe(max_data_loader_n_workers=0), PATHS, 10, GPU)
    assert given(arguments, "persistent_data_loader_workers") is None


@pytest.mark.parametrize(
    ("attention", "length", "expected"),
    [("sdpa", 150, ([], None, ["150"])), ("xformers", 225, (None, [], ["225"])), ("none", 75, (None, None, None))],
)
def test_attention_and_caption_length_are_flags_or_nothing(attention, length, expected):
    arguments = trainer_arguments(Recipe(attention=attention, max_token_length=length), PATHS, 10, GPU)
    assert tuple(given(arguments, name) for name in ("sdpa", "xformers", "max_token_length")) == expected


def test_the_data_set_is_told_as_the_original():
    (dataset,) = dataset_configuration(Recipe(), Path("/run/photos"))["datasets"]
    (subset,) = dataset.pop("subsets")
    assert dataset == {
        "resolution": 768,
        "batch_size": 2,
        "enable_bucket": True,
        "bucket_reso_steps": 64,
        "min_bucket_reso": 320,
        "max_bucket_reso": 1280,
        "bucket_no_upscale": False,
    }
    assert subset == {
        "image_dir": str(Path("/run/photos")),
        "num_repeats": 6,
        "caption_extension": ".txt",
        "shuffle_caption": True,
        "keep_tokens": 1,
        "flip_aug": False,
    }


def test_a_folder_of_any_name_survives_any_locale():
    text = dataset_configuration_text(Recipe(), Path("/фото с пробелом/写真"))
    assert text.isascii()
    assert json.loads(text) == dataset_configuration(Recipe(), Path("/фото с пробелом/写真"))
    assert DATASET_CONFIG_NAME.endswith(".json")


def test_sample_prompts_begin_with_the_tag_and_carry_the_flags():
    recipe = Recipe(sample_prompts=("a cup", "photo of PPZOCKETV2 shoe --d 7 --w 640"), sample_negative_prompt="ugly")
    assert sample_prompts_text(recipe).splitlines() == [
        "ppzocketv2, a cup --n ugly --w 512 --h 512 --d 42 --l 7.0 --s 28",
        "photo of PPZOCKETV2 shoe --n ugly --w 512 --h 512 --d 42 --l 7.0 --s 28 --d 7 --w 640",
    ]
    assert sample_prompts_text(Recipe()) == ""


def test_sample_prompts_are_not_taken_for_flags_or_comments():
    recipe = Recipe(sample_prompts=("N scale train, ppzocketv2", "# ppzocketv2"))
    assert all(line.startswith("ppzocketv2, ") for line in sample_prompts_text(recipe).splitlines())


# Against the real sd-scripts ------------------------------------------------------------------------------------------

_REAL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import train_network
from library import config_util, train_util
task = json.load(open(sys.argv[2], encoding="utf-8"))
parsed = []
for arguments in task["arguments"]:
    args = train_network.setup_parser().parse_args(arguments)
    train_util.verify_training_args(args)
    sanitizer = config_util.ConfigSanitizer(True, True, args.masked_loss, True)
    user_config = config_util.load_user_config(task["dataset"])
    blueprint = config_util.BlueprintGenerator(sanitizer).generate(user_config, args)
    (dataset,) = blueprint.dataset_group.datasets
    (subset,) = dataset.subsets
    values = {k: v for k, v in vars(args).items() if isinstance(v, (int, float, str, bool, list, type(None)))}
    parsed.append({"args": values, "dataset": vars(dataset.params), "subset": vars(subset.params)})
prompts = train_util.load_prompts(task["prompts"])
open(sys.argv[3], "w", encoding="utf-8").write(json.dumps({"parsed": parsed, "prompts": prompts}, default=str))
"""


@pytest.fixture(scope="module")
def understood(tmp_path_factory):
    """What the real sd-scripts understands of each recipe, and of our files."""
    folder, python = os.environ.get("PHOTOSHOOT_SD_SCRIPTS"), os.environ.get("PHOTOSHOOT_SD_SCRIPTS_PYTHON")
    if not folder or not python:
        pytest.skip("set PHOTOSHOOT_SD_SCRIPTS (folder) and PHOTOSHOOT_SD_SCRIPTS_PYTHON to ask the real sd-scripts")
    work = tmp_path_factory.mktemp("真 run")
    recipes = [*PRESETS.values(), FULL, adapted(FULL, Capabilities())[0]]
    dataset, prompts, task = work / DATASET_CONFIG_NAME, work / "sample_prompts.txt", work / "task.json"
    dataset.write_text(dataset_configuration_text(Recipe(), work / "фото"), encoding="utf-8")
    prompted = Recipe(sample_prompts=("n scale train", "a cup --d 7"), sample_negative_prompt="ugly, blurred")
    prompts.write_text(sample_prompts_text(prompted), encoding="utf-8")
    arguments = [trainer_arguments(recipe, PATHS, 1950, GPU) for recipe in recipes]
    task.write_text(json.dumps({"arguments": arguments, "dataset": str(dataset), "prompts": str(prompts)}))
    script, answer = work / "real.py", work / "answer.json"
    script.write_text(_REAL, encoding="utf-8")
    environment = {**trainer_variables(), "LC_ALL": "C"}
    done = subprocess.run(
        [python, script, folder, task, answer], capture_output=True, text=True, env=environment, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return recipes, json.loads(answer.read_text(encoding="utf-8")), work


def test_the_real_parser_reads_every_value_as_meant(understood):
    recipes, answer, _ = understood
    for recipe, parsed in zip(recipes, answer["parsed"], strict=True):
        args = parsed["args"]
        for name, value in args.items():
            meant = getattr(recipe, name, value)
            if name == "sample_prompts":
                meant = str(PATHS.sample_prompts) if recipe.sample_prompts else None
            elif name == "text_encoder_lr":
                meant = [meant]
            elif name in ("optimizer_args", "network_args"):
                meant = meant.split() or None
            elif name in ("resolution", "bucket_reso_steps", "min_bucket_reso", "max_bucket_reso", "enable_bucket"):
                continue  # the data set's, below
            elif name in ("shuffle_caption", "keep_tokens", "sample_sampler", "sample_every_n_epochs"):
                continue
            elif name == "max_token_length" and meant == 75:
                meant = None
            if name in ("noise_offset", "network_dropout", "scale_weight_norms", "save_last_n_epochs") and not meant:
                meant = None
            assert value == meant, name
        assert args["lr_warmup_steps"] == recipe.warmup_steps(1950)
        assert args["sdpa"] is (recipe.attention == "sdpa") and args["xformers"] is (recipe.attention == "xformers")


def test_the_real_data_set_reader_reads_every_value_as_meant(understood):
    _, answer, work = understood
    parsed, recipe = answer["parsed"][0], Recipe()
    dataset, subset = parsed["dataset"], parsed["subset"]
    assert dataset["resolution"] == [768, 768]
    assert dataset["batch_size"] == recipe.train_batch_size
    for name in ("enable_bucket", "bucket_reso_steps", "min_bucket_reso", "max_bucket_reso", "bucket_no_upscale"):
        assert dataset[name] == getattr(recipe, name), name
    for name in ("num_repeats", "shuffle_caption", "keep_tokens", "flip_aug"):
        assert subset[name] == getattr(recipe, name), name
    assert subset["image_dir"] == str(work / "фото")
    assert subset["caption_extension"] == ".txt"


def test_the_real_prompt_reader_reads_every_flag_as_meant(understood):
    _, answer, _ = understood
    flags = {"width": 512, "height": 512, "seed": 42, "scale": 7.0, "sample_steps": 28}
    flags["negative_prompt"] = "ugly, blurred"
    assert answer["prompts"] == [
        {"prompt": "ppzocketv2, n scale train", **flags, "enum": 0},
        {"prompt": "ppzocketv2, a cup", **flags, "seed": 7, "enum": 1},
    ]
