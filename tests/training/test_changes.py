"""What a resume may change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.recipe import FIELDS
from lib_photoshoot.training.run.changes import MAY_CHANGE, changed
from lib_photoshoot.training.run.folder import RunSpec
from lib_photoshoot.training.trainer.arguments import recipe_arguments
from tests.training.conftest import SMALL


def spec(recipe=SMALL) -> RunSpec:
    command = ("python", "entry.py", "--output_dir", "no", *recipe_arguments(recipe))
    return RunSpec("a", "a", "/f", "/c", 12, 3, 12, command, recipe=recipe.to_dict())


def test_flags_and_values_are_exchanged_and_nothing_else() -> None:
    before = spec(replace(SMALL, lowram=True, mixed_precision="fp16"))
    after = changed(before, {"lowram": False, "mixed_precision": "no", "noise_offset": 0.1})
    assert after.command[:4] == before.command[:4]
    assert "--lowram" in before.command and "--lowram" not in after.command
    assert after.command[after.command.index("--mixed_precision") + 1] == "no"
    assert after.command[after.command.index("--noise_offset") + 1] == "0.1"
    assert changed(after, {"lowram": True, "noise_offset": 0, "mixed_precision": "no"}).command == tuple(
        "no" if word == "fp16" and before.command[at - 1] == "--mixed_precision" else word
        for at, word in enumerate(before.command)
    )


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"resolution": 512}, "'resolution' cannot be changed"),
        ({"unet_lr": 1e-5}, "'unet_lr' cannot be changed"),
        ({"nonsense": 1}, "'nonsense' cannot be changed"),
        ({"max_grad_norm": -1}, "give a number"),
        ({"mixed_precision": "fp16"}, "cannot change to fp16"),
    ],
)
def test_what_would_not_fit_the_saved_state_is_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        changed(spec(), values)


def test_a_run_of_another_version_is_resumed_as_it_is() -> None:
    other = replace(spec(), command=("python", "train_network.py"))
    assert changed(other, {}) == other
    with pytest.raises(TrainingError, match="another version"):
        changed(other, {"lowram": True})


def test_the_names_are_the_recipes() -> None:
    assert set(MAY_CHANGE) <= set(FIELDS)
