"""Where what this program fetches and keeps lies: in a clone beside the code, for an installed package elsewhere."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds the package: the clone, the WebUI's extension, or an environment's ``site-packages``."""


def home() -> Path:
    """The folder of models, presets and trainings; it need not be there.

    In a clone, which is also what the WebUI has, the clone itself. A package that pip installed is read only, shared,
    and gone with its environment: what is fetched for it lies in the user's own data folder.
    """
    if (ROOT / "photoshoot.py").is_file():
        return ROOT
    from platformdirs import user_data_path

    return user_data_path("product-photoshoot", appauthor=False)
