"""Read a model file's tensors without running anything that the file contains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.weights.manifest import Manifest
from lib_photoshoot.weights.store import get_command


def _command(path: Path) -> str:
    """Return the command that brings this file; the manifest knows its name, unless the file is the user's own."""
    names = [weight.name for weight in Manifest.load().files.values() if weight.basename == path.name]
    return get_command(names[0] if names else "NAME")


def load_state_dict(path: Path | str) -> dict[str, Any]:
    """Return the tensors of a ``.safetensors`` file or a PyTorch checkpoint, on the CPU.

    A checkpoint that wraps its tensors (``{"model": ...}``) comes back as it is. Raises WeightsError when the file is
    missing, damaged, or holds anything but plain data.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path.name} is not in {path.parent}: get it with `{_command(path)}`.")
    remedy = f"delete it and get it again with `{_command(path)}`"
    try:
        state = _load_safetensors(path) if path.suffix == ".safetensors" else _load_checkpoint(path)
    except MemoryError:
        raise
    except Exception as error:  # the loaders raise about ten kinds for damaged bytes, some of them undocumented
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise WeightsError(f"{path.name} in {path.parent} cannot be loaded ({reason}): {remedy}.") from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path.name} in {path.parent} holds a {type(state).__name__}, no tensors: {remedy}.")
    return state


def _load_safetensors(path: Path) -> Any:
    from safetensors.torch import load_file

    return load_file(str(path), device="cpu")


def _load_checkpoint(path: Path) -> Any:
    import warnings

    import torch

    with warnings.catch_warnings():
        # Old checkpoints make torch warn about its own storage class, which is nobody's concern here.
        warnings.filterwarnings("ignore", message="TypedStorage is deprecated")
        return torch.load(path, map_location="cpu", weights_only=True)
