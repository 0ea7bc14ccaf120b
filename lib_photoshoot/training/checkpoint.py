"""Whether a file is a Stable Diffusion 1.x checkpoint that can be trained on, from its header alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.safetensors_header import HeaderError, HeaderFault, Tensor, read_header

_PICKLED = (".ckpt", ".pt", ".pth", ".bin")
_UNET = "model.diffusion_model."
_VAE = "first_stage_model."
_TEXT_ENCODER = "cond_stage_model.transformer."
_FIRST_CONVOLUTION = "model.diffusion_model.input_blocks.0.0.weight"

# In this order: a later sign may also be found in an earlier kind.
_OTHER_KINDS = (
    ("an SDXL checkpoint", ("conditioner.embedders.",)),
    ("a Stable Diffusion 2.x checkpoint", ("cond_stage_model.model.",)),
    ("a Stable Diffusion 3 checkpoint", ("model.diffusion_model.joint_blocks.", "joint_blocks.")),
    ("a FLUX checkpoint", ("model.diffusion_model.double_blocks.", "double_blocks.")),
    ("a LoRA", ("lora_unet_", "lora_te_", "lora_te1_", "lycoris_")),
    ("a ControlNet", ("control_model.", "controlnet_cond_embedding.")),
)


_SAID = {
    HeaderFault.NO_FILE: "is not a file",
    HeaderFault.EMPTY: "is empty (0 bytes)",
    HeaderFault.OTHER_KIND: "is not a safetensors file",
    HeaderFault.CUT_IN_HEADER: "ends within its header",
    HeaderFault.DAMAGED: "has a damaged header",
}


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint that may be trained on. ``size`` in bytes.

    ``looked_into`` is False for a pickled file: only loading it would tell what it holds. ``note`` is then a sentence
    for the user, otherwise empty.
    """

    path: Path
    size: int
    looked_into: bool = True
    note: str = ""


def check_checkpoint(path: Path) -> CheckpointInfo:
    """Look at a checkpoint before a training. Raises TrainingError for anything that is no whole SD 1.x checkpoint.

    Decided by the names in it, not by its sizes. The weights are not read.
    """
    name = shown(path)
    if path.is_dir():
        raise TrainingError(
            f"The checkpoint {name} is a folder; choose a single .safetensors file, as the WebUI lists it."
        )
    try:
        size = path.stat().st_size
        if path.suffix.lower() in _PICKLED:
            note = f"{path.name} is no .safetensors file, so it is only known to fit once the training has loaded it."
            return CheckpointInfo(path, size, looked_into=False, note=note)
        tensors = _header(path)
    except FileNotFoundError as error:
        raise TrainingError(f"There is no checkpoint {name}; choose one that is there.") from error
    except OSError as error:
        raise TrainingError(f"The checkpoint {name} cannot be read ({error.strerror or error}); check it.") from error
    _check_kind(name, tensors)
    return CheckpointInfo(path, size)


def _header(path: Path) -> Mapping[str, Tensor]:
    """Return the tensors by name. Raises TrainingError and OSError."""
    name = shown(path)
    try:
        header = read_header(path)
    except HeaderError as error:
        raise TrainingError(
            f"The checkpoint {name} {_SAID[error.fault]}; download it again{_hint(error.start)}."
        ) from error
    missing = header.declared - header.size
    if missing > 0:
        raise TrainingError(f"The checkpoint {name} lacks its last {missing:,} bytes; download it again.")
    return header.tensors


def _hint(start: bytes) -> str:
    if start.startswith(b"version "):
        return " with git-lfs, as this is only a pointer to it"
    if start.lstrip().startswith(b"<"):
        return ", as this is a web page"
    return ""


def _check_kind(name: str, tensors: Mapping[str, Tensor]) -> None:
    wanted = "choose a Stable Diffusion 1.x checkpoint"
    for kind, signs in _OTHER_KINDS:
        if _holds(tensors, signs):
            raise TrainingError(f"{name} is {kind}; {wanted}.")
    parts = {"U-Net": _UNET, "VAE": _VAE, "text encoder": _TEXT_ENCODER}
    missing = [part for part, beginning in parts.items() if not _holds(tensors, (beginning,))]
    if len(missing) == len(parts):
        what = "a VAE alone" if _holds(tensors, ("decoder.up.", "decoder.up_blocks.")) else "no checkpoint"
        raise TrainingError(f"{name} is {what}; {wanted}.")
    if missing == ["U-Net", "text encoder"]:
        raise TrainingError(f"{name} is a VAE alone; {wanted}.")
    if missing:
        raise TrainingError(f"{name} holds no {' and no '.join(missing)}; {wanted} with all its parts.")
    first = tensors.get(_FIRST_CONVOLUTION)
    if first is not None and first.shape[1:2] != (4,):
        raise TrainingError(f"{name} is an inpainting or editing checkpoint (not 4 channels); {wanted}.")


def _holds(tensors: Iterable[str], beginnings: tuple[str, ...]) -> bool:
    return any(tensor.startswith(beginnings) for tensor in tensors)
