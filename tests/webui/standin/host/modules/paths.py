"""Where the host's files lie. The tests give each host a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

script_path = str(Path(__file__).resolve().parents[1])
data_path = script_path
models_path = os.path.join(data_path, "models")
extensions_dir = os.path.join(data_path, "extensions")
paths: dict[str, str] = {}
"""Folders of repositories by name; ``BLIP`` where it is installed."""
