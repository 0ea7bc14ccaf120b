"""The one path every picture takes: detect, verify, segment, decide, enhance, compose, re-check; or a new scene.

Every surface (command line, panel, tab, HTTP API, distributed runner) calls :meth:`ProductFilter.run`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np

from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.detection.protocol import Confirmer, Detector
from lib_photoshoot.detection.verification import (
    UNRELATED,
    Kinship,
    iou,
    reject,
    verify,
    with_kin,
    without_cards,
)
from lib_photoshoot.enhancement.applying import Lost, colour_off, with_checks, without
from lib_photoshoot.enhancement.protocol import Enhancer
from lib_photoshoot.examples.identity import still_same
from lib_photoshoot.masks.morphology import clean
from lib_photoshoot.new_scene import NOT_MADE, Checks, failure_of, make_picture
from lib_photoshoot.products import Product, Way
from lib_photoshoot.results import Box, Decision, Detection, FilterResult, Outline, ProductRegion, Reason, Rejection
from lib_photoshoot.segmentation.openings import find_openings
from lib_photoshoot.segmentation.outlining import Outliner
from lib_photoshoot.segmentation.protocol import Segmenter
from lib_photoshoot.staging.protocol import PlaceLooker, SceneLook, Textures
from lib_photoshoot.staging.scenery import Scenery
from lib_photoshoot.transparency import on_neutral_ground, split, within

# After an enhancement a known product must keep this share of its confirmation score.
KEPT_SHARE = 0.5
# A second opinion under this probability overrules a detector: measured, real products score far above it.
DOUBTFUL = 0.02
# An enhancement may move a product's outline a little, not the product.
FOUND_AGAIN_IOU = 0.5


class ProductFilter:
    """Finds the named products of a picture and enhances them; holds the loaded models, so build it once."""

    def __init__(
        self,
        detector: Detector,
        segmenter: Segmenter,
        enhancer: Enhancer | None = None,
        confirmer: Confirmer | None = None,
        outliner: Outliner | None = None,
        second_opinion: bool = False,
        require_all: bool = False,
        threshold: float | None = None,
        recheck: bool = True,
        kinship: Callable[[Sequence[Product]], Kinship] = lambda _: UNRELATED,
        scenery: Scenery | None = None,
        textures: Textures | None = None,
    ) -> None:
        """``threshold`` in [0, 1] replaces the detector's own for products looked for by words that set none.

        ``kinship`` says which products may be one and the same thing.
        ``outliner`` finds out how far each product goes; without one the segmenter's best mask is taken as it is.
        ``second_opinion`` lets ``confirmer`` overrule the detector, ``recheck`` undoes an enhancement that spoils a
        product. ``scenery`` puts the products into a new scene; an ``enhancer`` then works in it, or before it on the
        photo where it keeps shapes. ``textures`` tells what is more of a product there: see ``SceneLook``.
        """
        self.detector = detector
        self.segmenter = segmenter
        self.enhancer = enhancer
        self.confirmer = confirmer
        self.outliner = outliner
        self.second_opinion = second_opinion
        self.require_all = require_all
        self.recheck = recheck
        self.kinship = kinship
        self.threshold = threshold
        self.scenery = scenery
        places = segmenter if isinstance(segmenter, PlaceLooker) else None
        self.look = SceneLook(places, textures)

    def detect(self, image: np.ndarray, products: Sequence[Product], space: ColourSpace = SRGB) -> FilterResult:
        """Decide and segment, without enhancing: the result's ``image`` is the picture itself.

        ``image`` is uint8 or uint16 in ``space``, RGB (height, width, 3), or RGBA (height, width, 4): then nothing is
        looked for where it is transparent, no region is more opaque than it, and the result's ``image`` is RGB all the
        same. Raises ProductsError for an unusable product word.
        """
        return self._filter(image, products, None, None, space)

    def run(
        self,
        image: np.ndarray,
        products: Sequence[Product],
        space: ColourSpace = SRGB,
        cards: Sequence[Box] = (),
    ) -> FilterResult:
        """Decide, segment and enhance, and make the new scene. On a skip, and when the product is lost, the picture
        stays.

        ``cards`` are boxes of colour cards, which are no products.
        """
        return self._filter(image, products, self.enhancer, self.scenery, space, cards)

    def _filter(
        self,
        image: np.ndarray,
        products: Sequence[Product],
        enhancer: Enhancer | None,
        scenery: Scenery | None,
        space: ColourSpace,
        cards: Sequence[Box] = (),
    ) -> FilterResult:
        if image.dtype not in (np.uint8, np.uint16) or image.ndim != 3 or image.shape[2] not in (3, 4):
            raise ValueError(f"image must be uint8 or uint16 (height, width, 3 or 4), not {image.dtype} {image.shape}")
        height, width = image.shape[:2]
        pixels, opacity = split(image)
        # What the models look at; what is changed are the picture's own values.
        srgb = space.to_srgb(pixels)
        seen = on_neutral_ground(srgb, opacity)
        seconds: dict[str, float] = {}
        with _timed(seconds, "detect"):
            candidates = self.detector.detect(seen, products)
        with _timed(seconds, "verify"):
            candidates, refused = without_cards(candidates, cards)
            kept, rejected = self._verify(seen, candidates, products)
            rejected += refused
        regions: list[ProductRegion] = []
        if kept:
            with _timed(seconds, "segment"):
                regions, empty = self._segment(seen, kept, products)
                rejected += empty
                if opacity is not None:
                    regions, unseen = within(regions, opacity)
                    rejected += [Rejection(r.product, r.box, r.score, Reason.EMPTY_MASK) for r in unseen]
            if any(product.colour is not None for product in products):
                with _timed(seconds, "colour"):
                    regions = with_checks(srgb, regions, products)
                    off = colour_off(regions)
                    regions = without(regions, off)
                    rejected += off
        reason = self._skip_reason(regions, rejected, products)
        result, changed, note, scene = image[:, :, :3] if opacity is not None else image, 0, None, None
        if reason is None and (enhancer is not None or scenery is not None):
            lost = partial(self._losing, products) if self.recheck else None
            checks = Checks(lost, seen, self.look)
            try:
                with _timed(seconds, "enhance" if scenery is None else "scene"):
                    done, scene = make_picture(pixels, opacity, space, regions, products, enhancer, scenery, checks)
                regions, changed = done.regions, done.changed
                rejected += done.rejected
                if done.image is not pixels:
                    result = done.image
            except NOT_MADE as error:
                rejected += [Rejection(r.product, r.box, r.score, failure_of(error)) for r in regions]
                note = str(error)
        decision = Decision.MATCH if reason is None else Decision.SKIP
        return FilterResult(
            width, height, decision, reason, tuple(regions), tuple(rejected), result, changed, seconds, note, scene
        )

    def _verify(
        self, image: np.ndarray, candidates: Sequence[Detection], products: Sequence[Product]
    ) -> tuple[list[Detection], list[Rejection]]:
        thresholds = {product.name: self._threshold(product) for product in products}
        kept, rejected = verify(candidates, thresholds, image.shape[1], image.shape[0], self.kinship(products))
        if self.confirmer is None or not self.second_opinion:
            return kept, rejected
        confirmed = []
        by_name = {product.name: product for product in products}
        for detection in kept:
            product = by_name[detection.product]
            # What found a product otherwise has recognised it already.
            by_words = product.way is Way.WORDS
            scores = self.confirmer.scores([image], detection.box, product) if by_words else None
            if scores is not None and scores[0] < DOUBTFUL:
                rejected.append(reject(detection, Reason.NOT_CONFIRMED))
            else:
                confirmed.append(detection)
        return confirmed, rejected

    def _threshold(self, product: Product) -> float:
        """Return the score from which a detection of ``product`` counts: its own, the run's for words, the usual."""
        if product.threshold is not None:
            return product.threshold
        if self.threshold is not None and product.way is Way.WORDS:
            return self.threshold
        return self.detector.threshold_for(product)

    def _segment(
        self, image: np.ndarray, detections: Sequence[Detection], products: Sequence[Product]
    ) -> tuple[list[ProductRegion], list[Rejection]]:
        if self.outliner is not None:
            return with_kin(*self.outliner.regions(image, detections, products), self.kinship(products))
        regions, rejected = [], []
        bare = [detection for detection in detections if detection.mask is None]
        masks = iter(self.segmenter.segment(image, [detection.box for detection in bare]) if bare else ())
        for detection in detections:
            outlined, quality = detection.mask, detection.quality or 0.0
            if outlined is None:
                candidate = next(masks)
                outlined, quality = candidate.mask, candidate.quality
            mask = clean(outlined)
            if mask.any():
                openings = find_openings(image, detection.box, outlined, self.segmenter)
                found = (detection.product, detection.box, detection.score)
                outline = None if detection.doubt is None else Outline(quality, (detection.doubt,))
                regions.append(ProductRegion(*found, mask, quality, openings, outline=outline, also=detection.also))
            else:
                rejected.append(reject(detection, Reason.EMPTY_MASK))
        return regions, rejected

    def _skip_reason(
        self, regions: Sequence[ProductRegion], rejected: Sequence[Rejection], products: Sequence[Product]
    ) -> Reason | None:
        if regions:
            found = {name for region in regions for name in region.products}
            missing = {product.name for product in products} - found if self.require_all else set()
            if any(item.reason is Reason.COLOUR_OFF and item.product in missing for item in rejected):
                return Reason.COLOUR_OFF
            return Reason.MISSING_PRODUCT if missing else None
        # The product itself, unlike all other candidates.
        if any(item.reason is Reason.COLOUR_OFF for item in rejected):
            return Reason.COLOUR_OFF
        # The best candidate's reason explains the skip better than "nothing found" would.
        return max(rejected, key=lambda r: r.score).reason if rejected else Reason.NOTHING_FOUND

    def _losing(self, products: Sequence[Product], before: np.ndarray, opacity: np.ndarray | None) -> Lost:
        return partial(self._lost, before, opacity, products)

    def _lost(
        self,
        image: np.ndarray,
        opacity: np.ndarray | None,
        products: Sequence[Product],
        result: np.ndarray,
        regions: Sequence[ProductRegion],
    ) -> list[Rejection]:
        """Return the products that a second look no longer recognises after the enhancement, or takes for another one.

        ``image`` is what the models looked at, ``result`` the enhanced picture in sRGB.
        """
        result = on_neutral_ground(result, opacity)
        by_name = {product.name: product for product in products}
        lost = []
        unknown: list[ProductRegion] = []
        for region in regions:
            product = by_name[region.product]
            scores = self.confirmer and self.confirmer.scores([image, result], region.box, product)
            if not scores:
                unknown.append(region)
            elif product.way is Way.EXAMPLES:
                if not still_same(*scores):
                    lost.append(Rejection(region.product, region.box, scores[1], Reason.OTHER_PRODUCT))
            elif scores[1] < KEPT_SHARE * scores[0]:
                lost.append(Rejection(region.product, region.box, scores[1], Reason.LOST_IN_ENHANCEMENT))
        return lost + self._not_found_again(result, unknown, by_name)

    def _not_found_again(
        self, result: np.ndarray, regions: Sequence[ProductRegion], by_name: Mapping[str, Product]
    ) -> list[Rejection]:
        """Ask the detector once more about products for which there is no second opinion."""
        if not regions:
            return []
        names = dict.fromkeys(region.product for region in regions)
        found = self.detector.detect(result, [by_name[name] for name in names])
        lost = []
        for region in regions:
            same = [d for d in found if d.product == region.product]
            score = max((d.score for d in same if iou(d.box, region.box) >= FOUND_AGAIN_IOU), default=0.0)
            if score < KEPT_SHARE * region.score:
                lost.append(Rejection(region.product, region.box, score, Reason.LOST_IN_ENHANCEMENT))
        return lost


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - start, 4)
