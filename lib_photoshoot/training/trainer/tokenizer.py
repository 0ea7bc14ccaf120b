"""The tokenizer that sd-scripts takes from the hub: whether a training will have it, asked before the start."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown
from lib_photoshoot.paths import hub_cache
from lib_photoshoot.training.trainer.environment import (
    TOKENIZER_FILES,
    TOKENIZER_FOLDER,
    TrainerEnvironment,
    has_tokenizer,
)

_HUB = "https://huggingface.co"
_NAME = "openai/clip-vit-large-patch14"
_LIMIT_S = 10
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def check_tokenizer(environment: TrainerEnvironment, environ: Mapping[str, str] = os.environ) -> None:
    """Check the tokenizer. Raises TrainingError where the trainer would find the tokenizer neither on this machine nor
    on the hub.
    """
    if environment.tokenizer is not None and has_tokenizer(environment.tokenizer):
        return
    if _in_the_hubs_cache(environ):
        return
    hub = environ.get("HF_ENDPOINT") or _HUB
    switched_off = next((name for name in _OFFLINE if environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")), "")
    if switched_off or not _answers(f"{hub.rstrip('/')}/{_NAME}/resolve/main/tokenizer_config.json"):
        why = f"{switched_off} is set" if switched_off else f"{hub} does not answer"
        where = shown(environment.tokenizer) if environment.tokenizer else "the folder tokenizers, beside runs"
        raise TrainingError(
            f"The trainer's tokenizer is not on this machine, and {why}; connect to the internet once, or put the "
            f"folder {TOKENIZER_FOLDER} into {where} (with {', '.join(TOKENIZER_FILES)})."
        )


def _in_the_hubs_cache(environ: Mapping[str, str]) -> bool:
    snapshots = hub_cache(environ) / f"models--{_NAME.replace('/', '--')}" / "snapshots"
    return any((folder / "vocab.json").is_file() for folder in snapshots.glob("*"))


def _answers(address: str) -> bool:
    request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "product-photoshoot"})
    try:
        with urllib.request.urlopen(request, timeout=_LIMIT_S):
            return True
    except urllib.error.HTTPError as error:  # it is there, and may want what only its own client sends
        return error.code < 500
    except (OSError, ValueError):
        return False
