"""Photos of the tests, and what a WebUI that paints scenes answers for them: the photo's square, put back exactly."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SQUARE = (24, 20, 40, 44)
"""Where a photo shows its product: x0, y0, x1, y1."""
SHIFT = 4
"""How much further right and down it stands in the scene."""
COLOURS = {"cup": (200, 40, 40), "shoe": (40, 200, 40), "watch": (40, 40, 200)}


def photo(path: Path, colour: tuple[int, int, int] | None = (200, 40, 40), side: int = 64) -> Path:
    """Write a grey picture with a square of a colour, or without."""
    pixels = np.full((side, side, 3), 90, np.uint8)
    if colour is not None:
        x0, y0, x1, y1 = SQUARE
        pixels[y0:y1, x0:x1] = colour
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def place_in_scene() -> tuple[slice, slice]:
    """Rows and columns of the product in a scene."""
    x0, y0, x1, y1 = (value + SHIFT for value in SQUARE)
    return slice(y0, y1), slice(x0, x1)


def scene_answer(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The answer of a WebUI that works: a canvas whose colours depend on the whole request, the product in it.

    ``more`` goes above it; ``grown`` says that in every try the product grew.
    """
    data = base64.b64decode(body["image"])
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    x0, y0, x1, y1 = SQUARE
    word = body["settings"]["products"].partition("=")[0].strip()
    box = [float(value) for value in SQUARE]
    answer: dict[str, Any] = {
        "file": "image", "width": pixels.shape[1], "height": pixels.shape[0], "decision": "match", "reason": None,
        "regions": [{"product": word, "score": 0.83, "box": box, "mask": None}], "rejected": [], "seconds": {},
        "changed_outside": 0, "seed": body["job"]["seed"], "colour_hold": [], "note": None, "identity": [],
    }  # fmt: skip
    product = pixels[y0:y1, x0:x1]
    if (product == 90).all():
        return answer | {"decision": "skip", "reason": "nothing_found", "regions": [], "image": None} | more
    if more.pop("grown", False):
        note = "In 3 tries more of the product was painted than there is, 5.0% of its area at the least."
        return answer | {"rejected": [{**answer["regions"][0], "reason": "product_grew"}], "image": None, "note": note}
    width, height = map(int, body["settings"]["canvas"].split("x"))
    seed = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    scene = np.random.default_rng(list(seed)).integers(0, 256, (height, width, 3), np.uint8)
    scene[place_in_scene()] = product
    buffer = io.BytesIO()
    Image.fromarray(scene).save(buffer, "PNG")
    kept = product.shape[0] * product.shape[1]
    scene_said = {
        "painter": "inpaint", "width": width, "height": height, "scale": 1.0, "kept_pixels": kept,
        "changed_product_pixels": 0, "boxes": [[value + SHIFT for value in box]], "doubts": [], "notes": [],
        "generated": True, "tries": 1, "grown": 0.004, "hidden": 0.0,
    }  # fmt: skip
    same = [{"product": word, "same": True, "says": "the same product 0.97: look 0.80; its colours fit"}]
    image = base64.b64encode(buffer.getvalue()).decode()
    return answer | {"image": image, "scene": scene_said, "identity": same} | more
