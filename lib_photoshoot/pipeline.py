"""The one path every picture takes: detect, verify, segment, decide, enhance, compose, re-check.

Every surface (command line, panel, tab, HTTP API, distributed runner) calls :meth:`ProductFilter.run`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from lib_photoshoot.compose import changed_outside, compose
from lib_photoshoot.detection.protocol import Detector
from lib_photoshoot.detection.verification import reject, verify
from lib_photoshoot.enhancement.protocol import Enhancer
from lib_photoshoot.masks.morphology import clean, feather, merge
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Decision, Detection, FilterResult, ProductRegion, Reason, Rejection
from lib_photoshoot.segmentation.protocol import Segmenter

FEATHER_RADIUS = 4.0
# After an enhancement a known product must keep this share of its confirmation score.
KEPT_SHARE = 0.5
# A second opinion under this probability overrules a detector: measured, real products score far above it.
DOUBTFUL = 0.02


class Confirmer(Protocol):
    """A second opinion on a cut-out; None where it has none."""

    def score(self, image: np.ndarray, box: Box, product: Product) -> float | None: ...


class ProductFilter:
    """Finds the named products of a picture and enhances them; holds the loaded models, so build it once."""

    def __init__(
        self,
        detector: Detector,
        segmenter: Segmenter,
        enhancer: Enhancer | None = None,
        confirmer: Confirmer | None = None,
        second_opinion: bool = False,
        require_all: bool = False,
    ) -> None:
        self.detector = detector
        self.segmenter = segmenter
        self.enhancer = enhancer
        self.confirmer = confirmer
        self.second_opinion = second_opinion
        self.require_all = require_all

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> FilterResult:
        """Decide and segment, without enhancing: the result's ``image`` is the picture itself.

        ``image`` is uint8 RGB (height, width, 3). Raises ProductsError for an unusable product word.
        """
        return self._filter(image, products, None)

    def run(self, image: np.ndarray, products: Sequence[Product]) -> FilterResult:
        """Decide, segment and enhance. On a skip, and when the enhancement loses the product, the picture stays."""
        return self._filter(image, products, self.enhancer)

    def _filter(self, image: np.ndarray, products: Sequence[Product], enhancer: Enhancer | None) -> FilterResult:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"image must be uint8 (height, width, 3), not {image.dtype} {image.shape}")
        height, width = image.shape[:2]
        seconds: dict[str, float] = {}
        with _timed(seconds, "detect"):
            candidates = self.detector.detect(image, products)
        with _timed(seconds, "verify"):
            kept, rejected = self._verify(image, candidates, products)
        regions: list[ProductRegion] = []
        if kept:
            with _timed(seconds, "segment"):
                regions, empty = self._segment(image, kept)
                rejected += empty
        reason = self._skip_reason(regions, rejected, products)
        result, changed = image, 0
        if reason is None and enhancer is not None:
            with _timed(seconds, "enhance"):
                result, changed = self._enhance(image, regions, products, enhancer, rejected)
        decision = Decision.MATCH if reason is None else Decision.SKIP
        return FilterResult(width, height, decision, reason, tuple(regions), tuple(rejected), result, changed, seconds)

    def _verify(
        self, image: np.ndarray, candidates: Sequence[Detection], products: Sequence[Product]
    ) -> tuple[list[Detection], list[Rejection]]:
        default = self.detector.default_threshold
        thresholds = {p.name: default if p.threshold is None else p.threshold for p in products}
        kept, rejected = verify(candidates, thresholds, image.shape[1], image.shape[0])
        if self.confirmer is None or not self.second_opinion:
            return kept, rejected
        confirmed = []
        by_name = {product.name: product for product in products}
        for detection in kept:
            score = self.confirmer.score(image, detection.box, by_name[detection.product])
            if score is not None and score < DOUBTFUL:
                rejected.append(reject(detection, Reason.NOT_CONFIRMED))
            else:
                confirmed.append(detection)
        return confirmed, rejected

    def _segment(
        self, image: np.ndarray, detections: Sequence[Detection]
    ) -> tuple[list[ProductRegion], list[Rejection]]:
        regions, rejected = [], []
        masks = self.segmenter.segment(image, [detection.box for detection in detections])
        for detection, candidate in zip(detections, masks, strict=True):
            mask = clean(candidate.mask)
            if mask.any():
                regions.append(
                    ProductRegion(detection.product, detection.box, detection.score, mask, candidate.quality)
                )
            else:
                rejected.append(reject(detection, Reason.EMPTY_MASK))
        return regions, rejected

    def _skip_reason(
        self, regions: Sequence[ProductRegion], rejected: Sequence[Rejection], products: Sequence[Product]
    ) -> Reason | None:
        if regions:
            found = {region.product for region in regions}
            missing = self.require_all and any(product.name not in found for product in products)
            return Reason.MISSING_PRODUCT if missing else None
        # The best candidate's reason explains the skip better than "nothing found" would.
        return max(rejected, key=lambda r: r.score).reason if rejected else Reason.NOTHING_FOUND

    def _enhance(
        self,
        image: np.ndarray,
        regions: Sequence[ProductRegion],
        products: Sequence[Product],
        enhancer: Enhancer,
        rejected: list[Rejection],
    ) -> tuple[np.ndarray, int]:
        alpha = feather(merge([region.mask for region in regions], image.shape[:2]), FEATHER_RADIUS)
        result = compose(image, enhancer.enhance(image, regions), alpha)
        changed = changed_outside(image, result, alpha)
        lost = self._lost(image, result, regions, products)
        if lost:
            rejected += lost
            return image, 0
        return result, changed

    def _lost(
        self, image: np.ndarray, result: np.ndarray, regions: Sequence[ProductRegion], products: Sequence[Product]
    ) -> list[Rejection]:
        """Return the products that a second look no longer recognises after the enhancement."""
        if self.confirmer is None:
            return []
        by_name = {product.name: product for product in products}
        lost = []
        for region in regions:
            product = by_name[region.product]
            before = self.confirmer.score(image, region.box, product)
            after = self.confirmer.score(result, region.box, product)
            if before is not None and after is not None and after < KEPT_SHARE * before:
                lost.append(Rejection(region.product, region.box, after, Reason.LOST_IN_ENHANCEMENT))
        return lost


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - start, 4)


def build_filter(detector: str = "embedded", require_all: bool = False) -> ProductFilter:
    """Load the models of ``detector`` (``embedded`` or ``groundingdino``) with retouching as the enhancer.

    Raises WeightsError with the command that gets a missing file.
    """
    # The models' libraries take seconds to import: only a run pays for them, not --help.
    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
    from lib_photoshoot.detection.embedded.confirmation import CutoutConfirmer
    from lib_photoshoot.detection.embedded.detector import EmbeddedDetector
    from lib_photoshoot.enhancement.retouch import Retouch
    from lib_photoshoot.segmentation.sam import SamSegmenter
    from lib_photoshoot.weights.store import find

    classifier = ImageNetClassifier.from_file(find("efficientnet-lite2"))
    segmenter = SamSegmenter.from_file(find("mobile-sam"), "mobile-sam")
    chosen: Detector
    if detector == "embedded":
        chosen = EmbeddedDetector(classifier, segmenter)
    elif detector == "groundingdino":
        from lib_photoshoot.detection.grounding_dino.detector import GroundingDinoDetector

        chosen = GroundingDinoDetector.load(find("groundingdino-swint"), find("bert-vocab"))
    else:
        raise ValueError(f"unknown detector {detector!r}: choose embedded or groundingdino")
    # The embedded detector has classified each cut-out already; a second time would say the same.
    second_opinion = detector != "embedded"
    return ProductFilter(chosen, segmenter, Retouch(), CutoutConfirmer(classifier), second_opinion, require_all)
