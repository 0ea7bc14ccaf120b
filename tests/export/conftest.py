"""Cut-outs drawn in memory, and exiftool, which reads metadata independently of the code under test."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

INFOTEXT = "a red shoe\nNegative prompt: text\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512"


def cutout(width: int = 300, height: int = 200, margin: int = 20) -> np.ndarray:
    """A textured ellipse with a soft edge in a transparent frame: uint8 RGBA."""
    shape = (height + 2 * margin, width + 2 * margin)
    alpha = np.zeros(shape, np.uint8)
    centre = (margin + width // 2, margin + height // 2)
    cv2.ellipse(alpha, centre, (width // 2, height // 2), 0, 0, 360, 255, -1, cv2.LINE_AA)
    pixels = np.random.default_rng(1).integers(30, 140, (*shape, 3), dtype=np.uint8)
    return np.dstack([cv2.GaussianBlur(pixels, (0, 0), 2), alpha])


def save_cutout(path: Path, rgba: np.ndarray | None = None, infotext: str | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    chunks = PngImagePlugin.PngInfo()
    if infotext is not None:
        chunks.add_text("parameters", infotext)
    Image.fromarray(cutout() if rgba is None else rgba).save(path, pnginfo=chunks, **options)
    return path


@pytest.fixture
def exiftool() -> Callable[[Path], dict[str, Any]]:
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool (Debian: libimage-exiftool-perl) is not installed, and nothing else reads independently")

    def read(path: Path) -> dict[str, Any]:
        command = [program, "-json", "-G1", "-n", str(path)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)[0]

    return read
