"""What a LoRA file says about itself, from the safetensors header alone, and whether its weights are numbers."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.safetensors_header import Header, HeaderError, HeaderFault, read_header

TAGS_KEPT = 24
"""As many tags as the WebUI's LoRA card shows."""

_DOWN, _UP = ".lora_down.weight", ".lora_up.weight"
# Unsigned type of the same width, and the exponent's bits: all of them set is NaN or infinite in any IEEE type.
# Looking at bits covers BF16, for which numpy has no type.
_EXPONENT = {"F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80), "F32": ("<u4", 0x7F800000), "F64": ("<u8", 0x7FF << 52)}


@dataclass(frozen=True)
class LoraFile:
    """A whole LoRA file.

    ``modules`` counts the layers it changes, ``rank`` (network dim) is that of most of them. What sd-scripts wrote
    into the metadata is None or empty where it is missing: ``epoch`` and ``steps`` at saving (after a resume,
    sd-scripts counts ``steps`` from the resume), ``finished_at`` in seconds since 1970. ``tags`` are the most frequent
    parts of the captions with their counts, in lower case, most frequent first; ``activation_tag`` is the first of
    them if at least half of the pictures have it.
    """

    path: Path
    bytes: int
    tensors: int
    modules: int
    rank: int
    alpha: float | None
    epoch: int | None
    steps: int | None
    output_name: str
    base_model_version: str
    tags: tuple[tuple[str, int], ...]
    activation_tag: str
    seed: int | None
    finished_at: float | None
    metadata: Mapping[str, str] = field(repr=False)


def read_lora(path: str | os.PathLike[str]) -> LoraFile:
    """Read a LoRA's header; raises TrainingError for a file that is missing, empty, incomplete or no LoRA."""
    header = _read_header(path)
    ranks = Counter(
        tensor.shape[0]
        for key, tensor in header.tensors.items()
        if key.endswith(_DOWN) and tensor.shape and key[: -len(_DOWN)] + _UP in header.tensors
    )
    if not ranks:
        raise TrainingError(f"{shown(path)} holds no LoRA layers; choose a LoRA that sd-scripts has written.")
    metadata = header.metadata
    tags = _tags(metadata)
    return LoraFile(
        path=Path(path),
        bytes=header.size,
        tensors=len(header.tensors),
        modules=sum(ranks.values()),
        rank=ranks.most_common(1)[0][0],
        alpha=_number(metadata, "ss_network_alpha"),
        epoch=_whole(metadata, "ss_epoch"),
        steps=_whole(metadata, "ss_steps"),
        output_name=metadata.get("ss_output_name", ""),
        base_model_version=metadata.get("ss_base_model_version", ""),
        tags=tuple(tags.most_common(TAGS_KEPT)),
        activation_tag=_activation_tag(tags, metadata),
        seed=_whole(metadata, "ss_seed"),
        finished_at=_number(metadata, "ss_training_finished_at"),
        metadata=metadata,
    )


def has_nan(path: str | os.PathLike[str]) -> bool:
    """Whether any weight is NaN or infinite: such a LoRA gives black pictures. Reads the whole file.

    Raises TrainingError for a file that is not a whole safetensors file.
    """
    import numpy as np

    header = _read_header(path)
    try:
        with open(path, "rb") as file:
            for tensor in header.tensors.values():
                if tensor.dtype not in _EXPONENT:
                    continue  # whole numbers
                kind, exponent = _EXPONENT[tensor.dtype]
                file.seek(header.data + tensor.begin)
                bits = np.frombuffer(file.read(tensor.end - tensor.begin), kind)
                if bool(((bits & exponent) == exponent).any()):
                    return True
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return False


def _read_header(path: str | os.PathLike[str]) -> Header:
    try:
        header = read_header(path)
    except FileNotFoundError as error:
        raise TrainingError(f"{shown(path)} does not exist (any more); check the path.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    except HeaderError as error:
        if error.fault is HeaderFault.NO_FILE:
            raise TrainingError(f"{shown(path)} is not a file; name a LoRA's .safetensors file.") from error
        if error.fault is HeaderFault.EMPTY:
            raise TrainingError(f"{shown(path)} is empty (0 bytes); save or copy the LoRA again.") from error
        if error.fault is HeaderFault.CUT_IN_HEADER:
            raise _incomplete(path, os.path.getsize(path), error.least) from error
        raise _no_safetensors(path) from error
    if header.size < header.declared:
        raise _incomplete(path, header.size, header.declared)
    more = header.size - header.declared
    if more > 0:
        raise TrainingError(f"{shown(path)} is {more} bytes longer than its header says; save or copy the LoRA again.")
    return header


def _no_safetensors(path: str | os.PathLike[str]) -> TrainingError:
    return TrainingError(f"{shown(path)} is not a safetensors file, or damaged; choose another or copy it again.")


def _incomplete(path: str | os.PathLike[str], size: int, declared: int) -> TrainingError:
    return TrainingError(
        f"{shown(path)} is incomplete ({size} bytes, at least {declared} expected); save or copy the LoRA again."
    )


def _unreadable(path: str | os.PathLike[str], error: Exception) -> TrainingError:
    reason = getattr(error, "strerror", None) or str(error)
    return TrainingError(f"{shown(path)} cannot be read ({reason}); check its permissions and copy it again.")


def _number(metadata: Mapping[str, str], key: str) -> float | None:
    try:
        value = float(metadata[key])
    except (KeyError, ValueError):  # sd-scripts writes "None" for what was not set
        return None
    return value if math.isfinite(value) else None


def _whole(metadata: Mapping[str, str], key: str) -> int | None:
    value = _number(metadata, key)
    return None if value is None else int(value)


def _folders(metadata: Mapping[str, str], key: str) -> list[dict[str, Any]]:
    """Return what a piece of JSON metadata says of each image folder; empty where it has another form."""
    try:
        folders = json.loads(metadata[key]).values()
    except (KeyError, ValueError, AttributeError, RecursionError):
        return []
    return [folder for folder in folders if isinstance(folder, dict)]


def _tags(metadata: Mapping[str, str]) -> Counter[str]:
    tags: Counter[str] = Counter()
    for folder in _folders(metadata, "ss_tag_frequency"):
        tags.update({tag.strip(): count for tag, count in folder.items() if isinstance(count, int)})
    return tags


def _activation_tag(tags: Counter[str], metadata: Mapping[str, str]) -> str:
    # Captions are "tag, sentence": sentences hardly repeat. Of equal counts the first wins, as in the captions.
    pictures = [folder.get("img_count") for folder in _folders(metadata, "ss_dataset_dirs")]
    total = sum(count for count in pictures if isinstance(count, int))
    return next((tag for tag, count in tags.most_common(1) if 2 * count >= total), "")
