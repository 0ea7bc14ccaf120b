"""Models that the user brings as a folder, in the layout of the Hugging Face hub: some that no hash is known of.

A file of the manifest is refused unless it is the very one. Of these models nobody could tell us size and sha256 from
several sources, or their owner wants to be asked, so they are taken as they are, and only from files that hold nothing
but tensors. A folder lies below the models folder under the model's name, or in the hub's own cache.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.paths import hub_cache, models_folder

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
"""No pickle: such a file runs code when it is opened."""


@dataclass(frozen=True)
class HubModel:
    """A model on the hub: ``repository`` is the one to get, others that begin with ``family`` are taken as well.

    ``model_types`` are what its ``config.json`` may call it, ``files`` what has to lie beside that and the weights.
    ``gated`` says that its owner wants to be asked first.
    """

    name: str
    repository: str
    family: str
    model_types: tuple[str, ...]
    licence: str
    files: tuple[str, ...] = ()
    gated: bool = False


HUB_MODELS = {
    model.name: model
    for model in (
        HubModel(
            "mm-groundingdino",
            "openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
            "openmmlab-community/mm_grounding_dino_",
            ("mm-grounding-dino",),
            "Apache-2.0",
        ),
        HubModel(
            "llmdet", "iSEE-Laboratory/llmdet_tiny", "iSEE-Laboratory/llmdet_", ("mm-grounding-dino",), "Apache-2.0"
        ),
        HubModel("dinov2", "facebook/dinov2-small", "facebook/dinov2-", ("dinov2",), "Apache-2.0"),
        HubModel(
            "sam3",
            "facebook/sam3",
            "facebook/sam3",
            ("sam3", "sam3_video"),
            "SAM License",
            files=("vocab.json", "merges.txt"),
            gated=True,
        ),
    )
}


def find_hub_model(name: str) -> Path:
    """Return the folder of the model ``name``. Nothing is downloaded.

    Raises WeightsError, which says how to get it, where there is none, and KeyError for a name that is not in
    :data:`HUB_MODELS`.
    """
    model = HUB_MODELS[name]
    wrong: list[str] = []
    for folder in _places(model):
        trouble = _problem(folder, model)
        if trouble is None:
            return folder
        wrong.append(f"{folder} {trouble}")
    place = models_folder() / name
    said = "; ".join(wrong) if wrong else f"{name} is not in {place}"
    asked = "ask its owner for access on the hub's page and log in, then " if model.gated else ""
    raise WeightsError(
        f"{said}: {asked}get it with `hf download {model.repository} --local-dir {place}` ({model.licence}; "
        "huggingface-cli in place of hf before huggingface_hub 0.34), or copy the folder there."
    )


def _places(model: HubModel) -> Iterator[Path]:
    """Yield where it may lie: our own folder first, then the newest in the hub's cache."""
    own = models_folder() / model.name
    if own.is_dir():
        yield own
    owner, _, start = model.family.partition("/")
    cached = hub_cache().glob(f"models--{owner}--{start}*/snapshots/*/config.json")
    yield from sorted((config.parent for config in cached), key=_changed, reverse=True)


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _problem(folder: Path, model: HubModel) -> str | None:
    """Return what is wrong with a folder, as the end of a sentence; None for nothing that can be seen from outside."""
    try:
        kind = json.loads((folder / "config.json").read_bytes())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return "has no config.json that names a model"
    if kind not in model.model_types:
        return f"holds a model of the kind {kind!r}, not {model.model_types[0]!r}"
    if not any((folder / name).is_file() for name in WEIGHTS):
        return f"has no {WEIGHTS[0]}"
    lacking = [name for name in model.files if not (folder / name).is_file()]
    return f"has no {' and no '.join(lacking)}" if lacking else None
