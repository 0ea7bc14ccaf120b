"""What train_network.py is told: its command line, the dataset configuration and the sample prompts.

Everything goes on the command line, where sd-scripts' parser checks names, types and choices; its ``--config_file``
would be taken unchecked. The texts are returned, nothing is written here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.trainer.environment import Capabilities

CAPTION_EXTENSION = ".txt"
DATASET_CONFIG_NAME = "dataset.json"
"""sd-scripts tells the format by the ending."""
SAMPLE_PROMPTS_NAME = "sample_prompts.txt"
"""Likewise."""

_STATES_KEPT = 2
"""States are about six times as large as the LoRA; the last but one is for a power cut while the last is written."""

_AS_THEY_ARE = (
    "train_batch_size",
    "max_train_epochs",
    "learning_rate",
    "unet_lr",
    "text_encoder_lr",
    "lr_scheduler",
    "lr_scheduler_num_cycles",
    "optimizer_type",
    "network_dim",
    "network_alpha",
    "gradient_accumulation_steps",
    "max_grad_norm",
    "prior_loss_weight",
    "seed",
    "clip_skip",
    "mixed_precision",
    "save_precision",
    "max_data_loader_n_workers",
    "save_every_n_epochs",
)
_ABSENT_WHEN_ZERO = ("min_snr_gamma", "noise_offset", "network_dropout", "scale_weight_norms", "save_last_n_epochs")
_FLAGS = (
    "cache_latents",
    "lowram",
    "gradient_checkpointing",
    "weighted_captions",
    "network_train_unet_only",
    "masked_loss",
)
_MISREAD = re.compile("#|(n|ss|cn|ctr|rcfg|fs) ", re.IGNORECASE)
_LISTS = ("optimizer_args", "network_args")


@dataclass(frozen=True)
class TrainerPaths:
    """Where the trainer reads and writes; absolute, as it may run in another folder."""

    checkpoint: Path
    dataset_config: Path
    output_dir: Path
    vae: Path | None = None
    logging_dir: Path | None = None
    sample_prompts: Path | None = None
    tokenizer_cache_dir: Path | None = None


def trainer_arguments(
    recipe: Recipe, paths: TrainerPaths, total_steps: int, capabilities: Capabilities, *, processes: int = 1
) -> list[str]:
    """Return the arguments of train_network.py for a run from its beginning.

    ``total_steps`` are the optimizer steps of the whole run, ``processes`` those of all machines together. The recipe
    is taken as it is: pass one that is :func:`~lib_photoshoot.training.recipe.adapted`.
    """
    # Accelerate moves the schedule on by one step for each process, so the warm-up must be that much longer.
    warmup = recipe.warmup_steps(total_steps) * processes
    arguments = [
        *_path_arguments(recipe, paths, capabilities),
        "--output_name",
        recipe.output_name,
        "--save_model_as",
        "safetensors",
        "--console_log_simple",
        "--network_module",
        "networks.lora",
        "--lr_warmup_steps",
        str(warmup),
    ]
    if not capabilities.hook:  # the hook makes better states itself
        arguments += ["--save_state", "--save_last_n_epochs_state", str(_STATES_KEPT)]
    return arguments + recipe_arguments(recipe)


def recipe_arguments(recipe: Recipe) -> list[str]:
    """Those of the arguments that say the recipe's values and nothing else; they end a run's command."""
    arguments = []
    for name in _AS_THEY_ARE:
        arguments += [f"--{name}", str(getattr(recipe, name))]
    for name in _ABSENT_WHEN_ZERO:
        if getattr(recipe, name):
            arguments += [f"--{name}", str(getattr(recipe, name))]
    arguments += [f"--{name}" for name in _FLAGS if getattr(recipe, name)]
    for name in _LISTS:
        if getattr(recipe, name):
            arguments += [f"--{name}", *getattr(recipe, name).split()]
    if recipe.max_token_length > 75:  # which sd-scripts knows as the absence of the argument
        arguments += ["--max_token_length", str(recipe.max_token_length)]
    if recipe.attention != "none":
        arguments.append(f"--{recipe.attention}")
    if recipe.persistent_data_loader_workers and recipe.max_data_loader_n_workers:  # PyTorch refuses it without any
        arguments.append("--persistent_data_loader_workers")
    return arguments


def _path_arguments(recipe: Recipe, paths: TrainerPaths, capabilities: Capabilities) -> list[str]:
    arguments = ["--pretrained_model_name_or_path", str(paths.checkpoint)]
    arguments += ["--dataset_config", str(paths.dataset_config), "--output_dir", str(paths.output_dir)]
    if paths.vae is not None:
        arguments += ["--vae", str(paths.vae)]
    if paths.tokenizer_cache_dir is not None:
        arguments += ["--tokenizer_cache_dir", str(paths.tokenizer_cache_dir)]
    if paths.logging_dir is not None and capabilities.tensorboard:
        arguments += ["--log_with", "tensorboard", "--logging_dir", str(paths.logging_dir)]
        arguments += ["--log_prefix", f"{recipe.output_name}_"]
    if paths.sample_prompts is not None and recipe.sample_prompts:
        arguments += ["--sample_prompts", str(paths.sample_prompts), "--sample_sampler", recipe.sample_sampler]
        arguments += ["--sample_every_n_epochs", str(recipe.sample_every_n_epochs)]
    return arguments


def dataset_configuration(
    recipe: Recipe,
    folders: Path | Mapping[Path, int | None],
    regularisation: Mapping[Path, int | None] | None = None,
    masks: Mapping[Path, Path] | None = None,
) -> dict[str, Any]:
    """sd-scripts' dataset configuration for folders of pictures with captions of the same name beside them.

    ``folders`` are one with the recipe's repeats, or several with their own, None for the recipe's;
    ``regularisation`` likewise. ``masks`` are the folders of the masks by those of the pictures.
    """
    dataset: dict[str, Any] = {
        "resolution": recipe.resolution,
        "batch_size": recipe.train_batch_size,
        "enable_bucket": recipe.enable_bucket,
        "bucket_reso_steps": recipe.bucket_reso_steps,
        "min_bucket_reso": recipe.min_bucket_reso,
        "max_bucket_reso": recipe.max_bucket_reso,
        "bucket_no_upscale": recipe.bucket_no_upscale,
    }
    subset = {
        "caption_extension": CAPTION_EXTENSION,
        "shuffle_caption": recipe.shuffle_caption,
        "keep_tokens": recipe.keep_tokens,
        "flip_aug": recipe.flip_aug,
    }
    repeated = {folders: None} if isinstance(folders, Path) else folders
    subsets = [
        {"image_dir": str(folder), "num_repeats": repeats or recipe.num_repeats, **subset}
        for folder, repeats in repeated.items()
    ]
    subsets += [
        {"image_dir": str(folder), "num_repeats": repeats or 1, **subset, "keep_tokens": 0, "is_reg": True}
        for folder, repeats in (regularisation or {}).items()
    ]
    for values in subsets:
        if (place := (masks or {}).get(Path(str(values["image_dir"])))) is not None:
            values["conditioning_data_dir"] = str(place)
    return {"datasets": [{**dataset, "subsets": subsets}]}


def dataset_configuration_text(
    recipe: Recipe,
    folders: Path | Mapping[Path, int | None],
    regularisation: Mapping[Path, int | None] | None = None,
    masks: Mapping[Path, Path] | None = None,
) -> str:
    """Return the same as the text of a ``.json`` file. ASCII, as sd-scripts reads it in the locale's encoding."""
    return json.dumps(dataset_configuration(recipe, folders, regularisation, masks), indent=2, ensure_ascii=True) + "\n"


def sample_prompts_text(recipe: Recipe) -> str:
    """Return the text of the ``.txt`` file of sample prompts, UTF-8, one line for each picture; empty without
    prompts.
    """
    return "".join(f"{_sample_line(recipe, prompt)}\n" for prompt in recipe.sample_prompts)


def _sample_line(recipe: Recipe, prompt: str) -> str:
    """Return a prompt with sd-scripts' own flags, of which the user's come last and win.

    The activation tag is put first, as in the captions, where the prompt lacks it, or where sd-scripts would misread
    the prompt's beginning: "n scale train" as a negative prompt, ``#`` as a comment.
    """
    words, *own_flags = prompt.split(" --")
    tag = recipe.activation_tag
    if tag.lower() not in words.lower() or _MISREAD.match(words):
        words = f"{tag}, {words}"
    flags = {
        "n": recipe.sample_negative_prompt,
        "w": recipe.sample_width,
        "h": recipe.sample_height,
        "d": recipe.sample_seed,
        "l": recipe.sample_cfg,
        "s": recipe.sample_steps,
    }
    ours = [f"{flag} {value}" for flag, value in flags.items() if value != ""]
    return " --".join([words, *ours, *own_flags])
