"""The filter that stands in for the models in tests and benchmarks."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.results import Decision, FilterResult, ProductRegion, Reason, Rejection


class BrightSquares:
    """Finds the connected bright areas of a picture and darkens them: quick, exact, and a real filter all the same."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, image: np.ndarray, products) -> FilterResult:
        bright = (image.min(axis=2) > 200).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
        regions, rejected = [], []
        for index in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[index])
            box = (float(x), float(y), float(x + width), float(y + height))
            if area < 16:
                rejected.append(Rejection(products[0].name, box, 0.2, Reason.TOO_SMALL))
            else:
                regions.append(ProductRegion(products[0].name, box, 0.9, labels == index, 0.95))
        decision, reason = (Decision.MATCH, None) if regions else (Decision.SKIP, Reason.NOTHING_FOUND)
        height, width = image.shape[:2]
        return FilterResult(
            width, height, decision, reason, tuple(regions), tuple(rejected), image, 0, {"detect": 0.001}
        )

    def run(self, image: np.ndarray, products, space=None) -> FilterResult:
        self.calls += 1
        found = self.detect(image, products)
        if found.decision is Decision.SKIP:
            return found
        changed = image.copy()
        for region in found.regions:
            changed[region.mask] -= 50
        return FilterResult(
            found.width, found.height, found.decision, None, found.regions, found.rejected, changed, 0, found.seconds
        )
