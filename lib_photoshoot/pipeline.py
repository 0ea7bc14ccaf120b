"""The one path every picture takes: detect, verify, segment, decide, enhance, compose, re-check.

Every surface (command line, panel, tab, HTTP API, distributed runner) calls :meth:`ProductFilter.run`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np

from lib_photoshoot.colour.difference import COMPARED, Difference, difference
from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.compose import changed_outside, compose
from lib_photoshoot.detection.protocol import Detector
from lib_photoshoot.detection.verification import iou, reject, verify, without_cards
from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped, Enhancer
from lib_photoshoot.masks.morphology import clean, merge
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Decision, Detection, FilterResult, ProductRegion, Reason, Rejection, matte_of
from lib_photoshoot.segmentation.openings import find_openings
from lib_photoshoot.segmentation.outlining import Outliner
from lib_photoshoot.segmentation.protocol import Segmenter
from lib_photoshoot.transparency import on_neutral_ground, split, within

# After an enhancement a known product must keep this share of its confirmation score.
KEPT_SHARE = 0.5
# A second opinion under this probability overrules a detector: measured, real products score far above it.
DOUBTFUL = 0.02
# An enhancement may move a product's outline a little, not the product.
FOUND_AGAIN_IOU = 0.5


class Confirmer(Protocol):
    """A second opinion on a cut-out, for one or more states of a picture; None where it has none."""

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None: ...


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
    ) -> None:
        """``threshold`` in [0, 1] replaces the detector's own for products that set none.

        ``outliner`` finds out how far each product goes; without one the segmenter's best mask is taken as it is.
        ``second_opinion`` lets ``confirmer`` overrule the detector, ``recheck`` undoes an enhancement that spoils a
        product.
        """
        self.detector = detector
        self.segmenter = segmenter
        self.enhancer = enhancer
        self.confirmer = confirmer
        self.outliner = outliner
        self.second_opinion = second_opinion
        self.require_all = require_all
        self.recheck = recheck
        self.threshold = detector.default_threshold if threshold is None else threshold

    def detect(self, image: np.ndarray, products: Sequence[Product], space: ColourSpace = SRGB) -> FilterResult:
        """Decide and segment, without enhancing: the result's ``image`` is the picture itself.

        ``image`` is uint8 or uint16 in ``space``, RGB (height, width, 3), or RGBA (height, width, 4): then nothing is
        looked for where it is transparent, no region is more opaque than it, and the result's ``image`` is RGB all the
        same. Raises ProductsError for an unusable product word.
        """
        return self._filter(image, products, None, space)

    def run(
        self,
        image: np.ndarray,
        products: Sequence[Product],
        space: ColourSpace = SRGB,
        cards: Sequence[Box] = (),
    ) -> FilterResult:
        """Decide, segment and enhance. On a skip, and when the enhancement loses the product, the picture stays.

        ``cards`` are boxes of colour cards, which are no products.
        """
        return self._filter(image, products, self.enhancer, space, cards)

    def _filter(
        self,
        image: np.ndarray,
        products: Sequence[Product],
        enhancer: Enhancer | None,
        space: ColourSpace,
        cards: Sequence[Box] = (),
    ) -> FilterResult:
        if image.dtype not in (np.uint8, np.uint16) or image.ndim != 3 or image.shape[2] not in (3, 4):
            raise ValueError(f"image must be uint8 or uint16 (height, width, 3 or 4), not {image.dtype} {image.shape}")
        height, width = image.shape[:2]
        pixels, opacity = split(image)
        # What the models look at; what is changed are the picture's own values.
        seen = on_neutral_ground(space.to_srgb(pixels), opacity)
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
                    regions, off = self._of_its_colour(pixels, space, regions, products)
                    rejected += off
        reason = self._skip_reason(regions, rejected, products)
        result, changed, note = image[:, :, :3] if opacity is not None else image, 0, None
        if reason is None and enhancer is not None:
            try:
                with _timed(seconds, "enhance"):
                    enhanced = self._enhance(pixels, opacity, space, regions, products, enhancer, rejected)
                    if enhanced is not None:
                        result, changed = enhanced
                        regions = with_colours(regions, pixels, result, space)
                        regions = _measured(result, space, regions, products)
            except EnhancementError as error:
                failure = Reason.INTERRUPTED if isinstance(error, EnhancementStopped) else Reason.NOT_ENHANCED
                rejected += [Rejection(r.product, r.box, r.score, failure) for r in regions]
                note = str(error)
        decision = Decision.MATCH if reason is None else Decision.SKIP
        return FilterResult(
            width, height, decision, reason, tuple(regions), tuple(rejected), result, changed, seconds, note
        )

    def _verify(
        self, image: np.ndarray, candidates: Sequence[Detection], products: Sequence[Product]
    ) -> tuple[list[Detection], list[Rejection]]:
        thresholds = {p.name: self.threshold if p.threshold is None else p.threshold for p in products}
        kept, rejected = verify(candidates, thresholds, image.shape[1], image.shape[0])
        if self.confirmer is None or not self.second_opinion:
            return kept, rejected
        confirmed = []
        by_name = {product.name: product for product in products}
        for detection in kept:
            scores = self.confirmer.scores([image], detection.box, by_name[detection.product])
            if scores is not None and scores[0] < DOUBTFUL:
                rejected.append(reject(detection, Reason.NOT_CONFIRMED))
            else:
                confirmed.append(detection)
        return confirmed, rejected

    def _segment(
        self, image: np.ndarray, detections: Sequence[Detection], products: Sequence[Product]
    ) -> tuple[list[ProductRegion], list[Rejection]]:
        if self.outliner is not None:
            return self.outliner.regions(image, detections, products)
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
                regions.append(ProductRegion(*found, mask, quality, openings))
            else:
                rejected.append(reject(detection, Reason.EMPTY_MASK))
        return regions, rejected

    def _of_its_colour(
        self, image: np.ndarray, space: ColourSpace, regions: Sequence[ProductRegion], products: Sequence[Product]
    ) -> tuple[list[ProductRegion], list[Rejection]]:
        """Part the regions into those of their reference's colour, or without a reference, and all others."""
        kept, off = [], []
        for region in _measured(image, space, regions, products):
            if region.colour_check is not None and region.colour_check.is_off:
                off.append(_colour_off(region))
            else:
                kept.append(region)
        return kept, off

    def _skip_reason(
        self, regions: Sequence[ProductRegion], rejected: Sequence[Rejection], products: Sequence[Product]
    ) -> Reason | None:
        if regions:
            found = {region.product for region in regions}
            missing = {product.name for product in products} - found if self.require_all else set()
            if any(item.reason is Reason.COLOUR_OFF and item.product in missing for item in rejected):
                return Reason.COLOUR_OFF
            return Reason.MISSING_PRODUCT if missing else None
        # The product itself, unlike all other candidates.
        if any(item.reason is Reason.COLOUR_OFF for item in rejected):
            return Reason.COLOUR_OFF
        # The best candidate's reason explains the skip better than "nothing found" would.
        return max(rejected, key=lambda r: r.score).reason if rejected else Reason.NOTHING_FOUND

    def _enhance(
        self,
        image: np.ndarray,
        opacity: np.ndarray | None,
        space: ColourSpace,
        regions: Sequence[ProductRegion],
        products: Sequence[Product],
        enhancer: Enhancer,
        rejected: list[Rejection],
    ) -> tuple[np.ndarray, int] | None:
        """The enhanced picture and the pixels changed outside; None where the original stays."""
        enhanced = enhanced_by(enhancer, image, regions, space)
        refused = refused_by(enhancer)
        rejected += refused
        kept = without(regions, refused)
        while kept:
            alpha = weight(enhancer, kept, image.shape[:2])
            result = compose(image, enhanced, alpha)
            lost = []
            if self.recheck:
                before, after = (on_neutral_ground(space.to_srgb(one), opacity) for one in (image, result))
                lost = self._lost(before, after, kept, products)
            lost += self._of_its_colour(result, space, without(kept, lost), products)[1]
            if not lost:
                return result, changed_outside(image, result, alpha)
            # Only the products that the enhancement spoiled go back to the original.
            rejected += lost
            kept = without(kept, lost)
        return None

    def _lost(
        self, image: np.ndarray, result: np.ndarray, regions: Sequence[ProductRegion], products: Sequence[Product]
    ) -> list[Rejection]:
        """Return the products that a second look no longer recognises after the enhancement."""
        by_name = {product.name: product for product in products}
        lost = []
        unknown: list[ProductRegion] = []
        for region in regions:
            scores = self.confirmer and self.confirmer.scores([image, result], region.box, by_name[region.product])
            if not scores:
                unknown.append(region)
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


def enhanced_by(
    enhancer: Enhancer, image: np.ndarray, regions: Sequence[ProductRegion], space: ColourSpace
) -> np.ndarray:
    """What an enhancer makes of a picture in any space; one that knows sRGB alone is given that.

    ``image`` is uint8 or uint16 RGB (height, width, 3) in ``space``, and so is the result. Raises EnhancementError.
    """
    if getattr(enhancer, "any_space", False):
        return enhancer.enhance(image, regions, space)  # type: ignore[call-arg]
    return space.from_srgb(enhancer.enhance(space.to_srgb(image), regions), image.dtype)


def with_colours(
    regions: Sequence[ProductRegion], before: np.ndarray, after: np.ndarray, space: ColourSpace
) -> list[ProductRegion]:
    """The regions, each with the difference that an enhancement made to its colours."""
    return [replace(region, colour=_difference(region.solid, before, after, space)) for region in regions]


def _difference(mask: np.ndarray, before: np.ndarray, after: np.ndarray, space: ColourSpace) -> Difference | None:
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    step = -(-len(rows) // COMPARED)
    at = rows[::step], columns[::step]
    one, other = (space.to_lab(pixels[at][None])[0] for pixels in (before, after))
    return difference(one, other)


def refused_by(enhancer: Enhancer) -> list[Rejection]:
    """The products that the enhancer itself would have left as they were; see ``Enhancer``."""
    return list(getattr(enhancer, "refused", ()))


def without(regions: Sequence[ProductRegion], lost: Sequence[Rejection]) -> list[ProductRegion]:
    """The regions that were not rejected."""
    gone = {(item.product, item.box) for item in lost}
    return [region for region in regions if (region.product, region.box) not in gone]


def _measured(
    image: np.ndarray, space: ColourSpace, regions: Sequence[ProductRegion], products: Sequence[Product]
) -> list[ProductRegion]:
    """The regions with their colours as ``image`` in ``space`` shows them, where their products have a reference."""
    references = {product.name: product.colour for product in products}
    if not any(references.get(region.product) for region in regions):
        return list(regions)
    from lib_photoshoot.colour.comparison import measure_colour

    srgb = space.to_srgb(image)
    found = []
    for region in regions:
        reference = references.get(region.product)
        check = None if reference is None else measure_colour(srgb, region.solid, reference)
        found.append(replace(region, colour_check=check))
    return found


def _colour_off(region: ProductRegion) -> Rejection:
    return Rejection(region.product, region.box, region.score, Reason.COLOUR_OFF, region.colour_check)


def weight(enhancer: Enhancer, regions: Sequence[ProductRegion], shape: tuple[int, ...]) -> np.ndarray:
    """Return how much of the enhanced picture counts, float32 (height, width) in [0, 1].

    An enhancer that leaves shapes as they are counts as much as each pixel is product; others have a soft edge of their
    own.
    """
    alpha = enhancer.alpha(merge([region.solid for region in regions], shape))
    matte = matte_of(regions)
    if matte is None or not getattr(enhancer, "keeps_shape", False):
        return alpha
    # Where the enhancer has not worked nothing counts.
    return np.where(alpha > 0, matte.astype(np.float32) / 255, np.float32(0))


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - start, 4)
