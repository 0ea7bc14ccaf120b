"""Where everything lies that this program finds, fetches and keeps: the one place that knows.

In a clone, which is also what the WebUI has, that is beside the code. A package that pip installed is read only,
shared, and gone with its environment: what is fetched for it lies in the user's own data folder. None needs to exist.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds the package: the clone, the WebUI's extension, or an environment's ``site-packages``."""


def _home() -> Path:
    if (ROOT / "photoshoot.py").is_file():
        return ROOT
    from platformdirs import user_data_path

    return user_data_path("product-photoshoot", appauthor=False)


def models_folder() -> Path:
    """Our own model files: PHOTOSHOOT_MODELS where that is set."""
    chosen = os.environ.get("PHOTOSHOOT_MODELS")
    return Path(chosen).expanduser().absolute() if chosen else _home() / "models"


def presets_folder() -> Path:
    """Return the user's presets of the product filter."""
    return _home() / "presets"


def examples_folder() -> Path:
    """Return the pictures of the products that were taught by example, a folder for each."""
    return _home() / "examples"


def signatures_folder() -> Path:
    """Return what was learned of products by their examples: PHOTOSHOOT_SIGNATURES where that is set."""
    chosen = os.environ.get("PHOTOSHOOT_SIGNATURES")
    return Path(chosen).expanduser().absolute() if chosen else _home() / "signatures"


def training_folder() -> Path:
    """Return the trainer, the runs and the edited captions, unless another folder is named."""
    return _home() / "training"


def runs_folder(training: Path) -> Path:
    """Return the runs in such a folder."""
    return training / "runs"


def webui_root() -> Path | None:
    """Return the WebUI that this project is an extension of: PHOTOSHOOT_WEBUI_ROOT, or the folder of our
    ``extensions``.
    """
    chosen = os.environ.get("PHOTOSHOOT_WEBUI_ROOT")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return ROOT.parent.parent if ROOT.parent.name == "extensions" else None


def hub_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache of the Hugging Face hub, as ``huggingface_hub`` finds it."""
    home = environ.get("HF_HOME") or Path(environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    cache = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE") or Path(home, "hub")
    return Path(cache).expanduser()


def scratch_of(out: Path) -> str:
    """Where this machine's workers encode files for ``out``: always the same, so that a later run finds it again."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(out))).hexdigest()
    return os.path.join(tempfile.gettempdir(), f"photoshoot-{digest[:16]}")
