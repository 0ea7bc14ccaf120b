"""The recipe and the runs as JSON, for the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.training.recipe import FIELDS, PRESETS
from lib_photoshoot.training.results.sheet import samples
from lib_photoshoot.training.run.folder import TrainingState
from lib_photoshoot.training.run.processes import processes_of
from lib_photoshoot.training.trainer.console import HOOK_MARK

if TYPE_CHECKING:
    from lib_photoshoot.declared import Meta
    from lib_photoshoot.training.results.epochs import EpochResult
    from lib_photoshoot.training.run.folder import RunFolder

MOST_POINTS = 500
"""Points of a loss chart."""

_KINDS = {bool: "bool", int: "int", float: "float", str: "text"}
_POINT = ("step", "loss", "average", "unet_lr", "text_encoder_lr")


def recipe_schema() -> dict[str, Any]:
    """Return groups, fields and presets of the recipe."""
    groups = dict.fromkeys(meta.group for meta in FIELDS.values())
    return {
        "presets": {name: recipe.changed() for name, recipe in PRESETS.items()},
        "groups": [{"name": name, "label": name.capitalize()} for name in groups],
        "fields": [_field(name, meta) for name, meta in FIELDS.items()],
    }


def _field(name: str, meta: Meta) -> dict[str, Any]:
    described = {
        "name": name,
        "label": meta.label,
        "group": meta.group,
        "help": meta.help,
        "type": "choice" if meta.choices else "lines" if meta.many else _KINDS[meta.kind],
        "default": list(meta.default) if meta.many else meta.default,
    }
    if meta.choices:
        # In the default's own type, so that a chosen one can be sent back as it is.
        return described | {"choices": [meta.kind(choice) for choice in meta.choices]}
    if meta.ranged:
        described |= {"lowest": meta.lowest, "highest": meta.highest, "step": meta.step}
    return described


def run_summary(run: RunFolder) -> dict[str, Any]:
    """One line of the list of runs."""
    status = run.status()
    return {
        "name": run.path.name,
        "state": status.state.value,
        "step": status.step,
        "total": status.total,
        "created": run.spec().created,
    }


def run_detail(run: RunFolder, results: Sequence[EpochResult]) -> dict[str, Any]:
    """Everything about one run."""
    spec, status = run.spec(), run.status()
    return {
        "name": run.path.name,
        "status": status.to_dict(),
        "resumable": status.state.resumable,
        "active": status.state.active,
        # What lost its supervisor may still be at work.
        "cancellable": status.state.active
        or (status.state is TrainingState.INTERRUPTED and bool(processes_of(run.path))),
        "spec": {
            "recipe": dict(spec.recipe),
            "folder": spec.folder,
            "checkpoint": spec.checkpoint,
            "images": spec.images,
            "epochs": spec.epochs,
            "steps_per_epoch": spec.steps_per_epoch,
            "total_steps": spec.total_steps,
            "notes": list(spec.notes),
        },
        "history": history(run),
        "results": [_result(result) for result in results],
        "samples": [
            {"epoch": epoch, "files": [path.name if path else None for path in paths]}
            for epoch, paths in samples(run.out, spec.name).items()
        ],
        "commands": list(spec.machine_commands),
    }


def _result(result: EpochResult) -> dict[str, Any]:
    return {
        "epoch": result.epoch,
        "file": result.file.name,
        "steps": result.steps,
        "loss": result.loss,
        "partial": result.partial,
        "target": result.target_name,
    }


def history(run: RunFolder, most: int = MOST_POINTS) -> list[list[Any]]:
    """Step, loss, average loss and the two learning rates, evenly thinned to ``most`` points; the last one stays."""
    points = [[line.get(name) for name in _POINT] for line in run.history()]
    if len(points) <= most:
        return points
    stride = -(-len(points) // most)
    # From the end, so that the newest step is always there.
    return list(islice(reversed(points), 0, None, stride))[::-1]


def console_text(path: Path, most: int) -> str:
    """Return the last ``most`` bytes of a console log, from a whole line on, as it would look on a screen.

    Of a line that was drawn over only the last state is left, and of our own hook's lines nothing.
    """
    try:
        with open(path, "rb") as file:
            start = max(0, path.stat().st_size - most)
            file.seek(start)
            data = file.read(most)
    except OSError:  # nothing was printed yet
        return ""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in data.decode("utf-8", "replace").split("\n")]
    whole = lines[1:] if start and len(lines) > 1 else lines
    return "\n".join(line for line in whole if not line.startswith(HOOK_MARK))
