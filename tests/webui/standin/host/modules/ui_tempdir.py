"""Which files the page may show."""

from __future__ import annotations

import os
from typing import Any


def register_tmp_file(gradio: Any, filename: str) -> None:
    """Let the page have a file; ``gradio`` is the page."""
    gradio.temp_file_sets[0] = gradio.temp_file_sets[0] | {os.path.abspath(filename)}


def check_tmp_file(gradio: Any, filename: str) -> bool:
    """Whether the page may have a file."""
    return any(filename in files for files in gradio.temp_file_sets)
