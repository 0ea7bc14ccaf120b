"""Models of the library transformers, from a folder on this machine: nothing is downloaded, nothing half-loaded."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import PackagesError, WeightsError

if TYPE_CHECKING:
    from torch import nn


def check_transformers(least: tuple[int, int], what: str) -> None:
    """Raise PackagesError where transformers is older than ``least``, major and minor; ``what`` is the model's name.

    Imports nothing.
    """
    there = _installed()
    if _numbers(there) >= least:
        return
    has = f"and here is {there}" if there else "which is not installed here"
    raise PackagesError(
        f"{what} needs transformers {least[0]}.{least[1]} or newer, {has}: choose another detector, or use an "
        "environment with a newer one (a WebUI's own is pinned; leave it as it is)."
    )


def transformers_is(least: tuple[int, int]) -> bool:
    """Whether transformers is there, and no older than ``least``. Imports nothing."""
    return _numbers(_installed()) >= least


def _installed() -> str:
    try:
        return version("transformers")
    except PackageNotFoundError:
        return ""


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", release)[:2])


def load_model(folder: Path, class_name: str, device: str, bf16: bool = False) -> nn.Module:
    """Return the model of that class of transformers with the weights of ``folder``, ready to look at pictures.

    Raises WeightsError for files that cannot be read, and for such as leave a part of the model without its weights,
    which transformers fills with random numbers and goes on.
    """
    import torch

    maker: Any = getattr(import_module("transformers"), class_name)
    try:
        model, report = maker.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except MemoryError:
        raise
    except Exception as error:  # transformers, safetensors and torch raise many kinds for damaged files
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise WeightsError(f"The model in {folder} cannot be loaded ({reason}): copy its files again.") from error
    lacking = [*report["missing_keys"], *report["mismatched_keys"]]
    if lacking:
        raise WeightsError(
            f"The model in {folder} has no weights of its own for {len(lacking)} parts of {class_name}, among them "
            f"{lacking[0]}: copy its files again, all of one model."
        )
    # Its own choice of attention: the plain one of release 5 adds the mask of a caption's phrases as ones and zeros.
    found: nn.Module = model.eval().to(device, torch.bfloat16 if bf16 else torch.float32)
    return found
