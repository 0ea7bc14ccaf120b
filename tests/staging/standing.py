"""A picture with a bottle and a cup on it, for tests of scenes."""

from __future__ import annotations

import numpy as np

from lib_photoshoot.masks.morphology import feather, mask_box
from lib_photoshoot.results import ProductRegion

WIDTH, HEIGHT = 400, 300


def photo(dtype: type = np.uint8, seed: int = 1) -> np.ndarray:
    """A picture of noise, so that no two pixels are alike."""
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return pixels if dtype == np.uint8 else pixels.astype(np.uint16) * np.uint16(257) + np.uint16(3)


def region(x0: int, y0: int, x1: int, y1: int, name: str = "bottle") -> ProductRegion:
    """A product that fills a rectangle, with a soft edge."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    alpha = np.rint(feather(mask, 1.5) * 255).astype(np.uint8)
    return ProductRegion(name, mask_box(mask) or (0, 0, 1, 1), 0.9, mask, 0.9, alpha=alpha)


BOTTLE = region(100, 50, 180, 200)
CUP = region(250, 120, 310, 200, "cup")
