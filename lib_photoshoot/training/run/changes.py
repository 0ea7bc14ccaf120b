"""Values of the recipe that a run may change when it is resumed, as after an error that named them.

Others would make the saved state, the count of steps or the order of the pictures wrong, or are overruled by the state,
as the learning rates are (kohya-ss/sd-scripts#1110).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.recipe import Recipe, recipe_from
from lib_photoshoot.training.run.folder import RunSpec
from lib_photoshoot.training.trainer.arguments import recipe_arguments

MAY_CHANGE = (
    "gradient_checkpointing",
    "mixed_precision",
    "attention",
    "lowram",
    "max_data_loader_n_workers",
    "persistent_data_loader_workers",
    "max_grad_norm",
    "min_snr_gamma",
    "noise_offset",
    "network_dropout",
    "scale_weight_norms",
    "save_precision",
)


def changed(spec: RunSpec, values: Mapping[str, Any]) -> RunSpec:
    """Return the run with these values of its recipe. Raises TrainingError for one that may not change, or a wrong
    one.
    """
    if not values:
        return spec
    for name in values:
        if name not in MAY_CHANGE:
            raise TrainingError(
                f"{name!r} cannot be changed in a run that has begun; start a new run with it. What may be changed: "
                f"{', '.join(MAY_CHANGE)}."
            )
    before = recipe_from(spec.recipe)
    after = recipe_from({**before.to_dict(), **values})
    if after.mixed_precision == "fp16" != before.mixed_precision:  # the scale of its losses is in no saved state
        raise TrainingError("A run that has begun cannot change to fp16; choose no or bf16, or start a new run.")
    return replace(spec, command=_command(spec, before, after), recipe=after.to_dict())


def _command(spec: RunSpec, before: Recipe, after: Recipe) -> tuple[str, ...]:
    old = tuple(recipe_arguments(before))
    if spec.command[-len(old) :] != old:
        raise TrainingError(
            "The run was prepared by another version of this extension, so its values cannot be changed; resume it as "
            "it is, or start a new run."
        )
    return (*spec.command[: -len(old)], *recipe_arguments(after))
