"""What a training will take, told before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.run.folder import RunFolder, TrainingState

LORA_BYTES_PER_RANK = 1_210_000
"""Of an SD 1.5 LoRA in 16 bits, U-Net and text encoder: 4,832,952 bytes at rank 4."""
STATE_BYTES_PER_RANK = 7_100_000
"""Of a state with AdamW: 28.4 MB at rank 4."""
_STATES = 2
"""A new one is finished before the old one goes."""


def disk_needed(pictures: Iterable[Path], recipe: Recipe) -> int:
    """Bytes that a run writes: copies of the pictures, the epochs' files and the states. Raises OSError as it comes."""
    copies = sum(path.stat().st_size for path in pictures)
    kept = recipe.max_train_epochs // recipe.save_every_n_epochs + 1
    if recipe.save_last_n_epochs:
        kept = min(kept, recipe.save_last_n_epochs + 1)
    width = 2 if recipe.save_precision == "float" else 1
    lora = LORA_BYTES_PER_RANK * recipe.network_dim * width
    return copies + kept * lora + _STATES * STATE_BYTES_PER_RANK * recipe.network_dim


def seconds_needed(steps: int, recipe: Recipe, runs: Sequence[RunFolder]) -> float | None:
    """Seconds that so many steps take, by the pace of the newest finished run here; None where there is none.

    A step's time grows with its pixels: the resolution squared, times the batches of a step and their size.
    """
    for run in runs:
        status = run.status()
        if status.state is not TrainingState.DONE or not status.seconds_per_step:
            continue
        earlier = run.spec().recipe
        pixels = _pixels_of_step(earlier) if earlier else 0
        if pixels:
            return steps * status.seconds_per_step * _pixels_of_step(recipe.to_dict()) / pixels
    return None


def _pixels_of_step(recipe: Mapping[str, Any]) -> int:
    return recipe["resolution"] ** 2 * recipe["train_batch_size"] * recipe["gradient_accumulation_steps"]
