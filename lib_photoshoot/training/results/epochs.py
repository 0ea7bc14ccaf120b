"""What a training run left in its folder: one LoRA file an epoch, named as sd-scripts does or as the user knows them.

sd-scripts v0.10.1 saves ``NAME-000001.safetensors`` … and the last epoch as ``NAME.safetensors``; the files become
``NAME-01.safetensors`` … ``NAME-10.safetensors``. Only after the run has ended: while it goes on, sd-scripts removes
old epochs by its own names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.training.results.lora_file import LoraFile, read_lora

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class EpochResult:
    """A whole, readable LoRA file of one epoch (1 and up).

    ``steps`` counts from the start of the training, 0 where the file does not say. ``target_name`` is the file name
    that the user sees. ``loss`` is the epoch's average. ``partial`` marks a file saved within the epoch, at ``steps``.
    """

    epoch: int
    file: Path
    steps: int
    target_name: str
    loss: float | None = None
    partial: bool = False


@dataclass(frozen=True)
class RunFiles:
    """The usable files by epoch, and one sentence for each that is not usable or could not be renamed."""

    results: tuple[EpochResult, ...]
    problems: tuple[str, ...]


def target_name(name: str, epoch: int, epochs: int) -> str:
    """``ppzocketv2-01.safetensors``: two digits, three from 100 epochs on, so that names sort by epoch."""
    return f"{name}-{epoch:0{max(2, len(str(epochs)))}d}{SUFFIX}"


def collect(out: Path, name: str, epochs: int, losses: Mapping[int, float] | None = None) -> tuple[EpochResult, ...]:
    """Return the usable files of ``scan``; raises TrainingError when the folder cannot be read."""
    return scan(out, name, epochs, losses).results


def scan(out: Path, name: str, epochs: int, losses: Mapping[int, float] | None = None) -> RunFiles:
    """Look through a run's output folder, before or after ``rename``.

    ``name`` is sd-scripts' output_name, ``epochs`` the number planned, ``losses`` the average loss by epoch. Raises
    TrainingError when the folder cannot be read.
    """
    found: dict[tuple[int, int], EpochResult] = {}
    problems = []
    for path in _files(out, name):
        try:
            result = _result(path, name, epochs, losses or {})
        except TrainingError as error:
            problems.append(str(error))
            continue
        found.setdefault((result.epoch, result.steps if result.partial else -1), result)
    results = sorted(found.values(), key=lambda result: (result.epoch, not result.partial, result.steps))
    return RunFiles(tuple(results), tuple(problems))


def rename(out: Path, name: str, epochs: int, losses: Mapping[int, float] | None = None) -> RunFiles:
    """Give every whole epoch its ``target_name``, within the folder and never over another file.

    Can be run again, also after an interruption at any point. Broken files, and those whose new name is taken, stay
    where they are and are among the problems. Raises TrainingError when the folder cannot be read.
    """
    problems = []
    for result in scan(out, name, epochs).results:
        if result.partial or result.file.name == result.target_name:
            continue
        try:
            _rename(result.file, out / result.target_name)
        except FileExistsError:
            problems.append(
                f"{shown(result.file)} keeps its name, since there is another {result.target_name}; move one away."
            )
        except OSError as error:
            reason = error.strerror or str(error)
            problems.append(f"{shown(result.file)} cannot be renamed ({reason}); check the folder's permissions.")
    after = scan(out, name, epochs, losses)
    return RunFiles(after.results, (*after.problems, *problems))


def move_new(source: Path, target: Path) -> None:
    """Move a file to a free name on the same file system; raises FileExistsError where the name is taken."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (FAT, some network drives): an empty file of ours takes the name first.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            os.replace(source, target)
        except OSError:  # nothing else: after an interruption the target may already be the file itself
            os.unlink(target)
            raise
    else:
        os.unlink(source)


def _rename(source: Path, target: Path) -> None:
    """``move_new`` that also finishes what an interruption left: both names on one file, or an empty target."""
    if target.is_file() and os.path.samefile(source, target):
        source.unlink()
    elif target.is_file() and target.stat().st_size == 0:
        os.replace(source, target)
    else:
        move_new(source, target)


def _files(out: Path, name: str) -> list[Path]:
    """Return the run's LoRA files; where an epoch is there twice, the one that counts comes first.

    That is the one under sd-scripts' own name: a resumed run has written it after the other was renamed.
    """
    orders = (r"-\d{6}", "", r"-\d{2,5}", r"-step\d{8,}")
    try:
        paths = sorted(path for path in out.iterdir() if path.is_file() and stays_inside(out, path))
    except OSError as error:
        raise TrainingError(
            f"The run's folder {shown(out)} cannot be read ({error.strerror or error}); check the path."
        ) from error
    return [
        path
        for order in orders
        for path in paths
        if re.fullmatch(re.escape(name) + order + re.escape(SUFFIX), path.name)
    ]


def _result(path: Path, name: str, epochs: int, losses: Mapping[int, float]) -> EpochResult:
    lora = read_lora(path)
    tail = path.name[len(name) : -len(SUFFIX)]
    if tail.startswith("-step"):
        # In such a file sd-scripts counts the finished epochs.
        epoch = _stated_epoch(lora) + 1
        return EpochResult(epoch, path, int(tail[5:]), path.name, losses.get(epoch), partial=True)
    epoch = int(tail[1:]) if tail else _stated_epoch(lora)
    return EpochResult(epoch, path, _steps(lora, epoch), target_name(name, epoch, epochs), losses.get(epoch))


def _stated_epoch(lora: LoraFile) -> int:
    if lora.epoch is None:
        raise TrainingError(f"{shown(lora.path)} does not say which epoch it is; rename it yourself to use it.")
    return lora.epoch


def _steps(lora: LoraFile, epoch: int) -> int:
    """Return the steps from the start of the training to the end of an epoch; 0 when unknown."""
    # After a resume sd-scripts' own count begins again, while the planned totals stay true.
    try:
        total, planned = int(lora.metadata["ss_max_train_steps"]), int(lora.metadata["ss_num_epochs"])
        steps, rest = divmod(total, planned)
    except (KeyError, ValueError, ZeroDivisionError):
        return lora.steps or 0
    return lora.steps or 0 if rest else steps * epoch
