"""Products go to what can find them, and only that is made ready."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lib_photoshoot.detection.protocol import Finder
from lib_photoshoot.detection.routing import RoutedConfirmer, RoutedDetector
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.products import Product, Way, parse_products
from lib_photoshoot.results import Box, Detection
from lib_photoshoot.segmentation.protocol import MaskCandidate

PICTURE = np.zeros((40, 40, 3), np.uint8)
BOX = (4.0, 4.0, 30.0, 30.0)


class _Way:
    """Finds all it is asked for, and remembers what that was."""

    def __init__(self, name: str, threshold: float, score: float = 0.5, likeness: float = 0.9) -> None:
        self.name, self.default_threshold, self.score, self.likeness = name, threshold, score, likeness
        self.asked: list[str] = []

    def threshold_for(self, product: Product) -> float:
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        self.asked += [product.name for product in products]
        x = 0.0 if self.name == "words" else 20.0
        return [Detection(p.name, (x, 4.0, x + 18.0, 30.0), self.score) for p in products]

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        return [self.likeness] * len(images)


class _BoxFiller:
    def segment(self, image: np.ndarray, boxes: Sequence[Box]) -> list[MaskCandidate]:
        masks = [np.zeros(image.shape[:2], bool) for _ in boxes]
        for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
            mask[int(y0) : int(y1), int(x0) : int(x1)] = True
        return [MaskCandidate(mask, 0.9) for mask in masks]

    def candidates(
        self, image: np.ndarray, boxes: Sequence[Box | None], points: Sequence[tuple[float, float] | None]
    ) -> list[list[MaskCandidate]]:
        return [self.segment(image, [BOX]) for _ in boxes]


def test_each_product_goes_its_way_and_no_other_is_made_ready() -> None:
    words, examples = _Way("words", 0.2), _Way("ex", 0.6)
    made: list[str] = []

    def make() -> Finder:
        made.append("examples")
        return examples

    def never() -> Finder:
        raise AssertionError("nobody asked for the main object")

    detector = RoutedDetector(words, {Way.EXAMPLES: make, Way.MAIN_OBJECT: never})
    assert detector.detect(PICTURE, parse_products("cup")) and not made
    found = detector.detect(PICTURE, parse_products("ring = @r, cup, band = @b"))
    assert [item.product for item in found] == ["cup", "ring", "band"]
    assert (words.asked, examples.asked, made) == (["cup", "cup"], ["ring", "band"], ["examples"])


def test_each_way_has_its_threshold_and_the_runs_own_is_for_words() -> None:
    words, examples = _Way("words", 0.2, score=0.3), _Way("ex", 0.45, score=0.5)
    detector = RoutedDetector(words, {Way.EXAMPLES: lambda: examples})
    products = parse_products("cup, ring = @r")

    def found(threshold: float | None, text: str = "cup, ring = @r") -> list[str]:
        product_filter = ProductFilter(detector, _BoxFiller(), threshold=threshold)
        return [region.product for region in product_filter.detect(PICTURE, parse_products(text)).regions]

    assert [detector.threshold_for(product) for product in products] == [0.2, 0.45]
    assert found(None) == ["ring", "cup"]
    assert found(0.9) == ["ring"]
    assert found(None, "cup, ring = @r [threshold=0.6]") == ["cup"]


@pytest.mark.parametrize(("text", "kept"), [("cup", 0), ("ring = @r", 1)])
def test_words_overrule_only_what_words_have_found(text: str, kept: int) -> None:
    """A classifier that knows "ring" as a wedding ring must not refuse the ring that its owner showed."""
    # Both would refuse what they are shown again, and only words are asked.
    words, examples = _Way("words", 0.2, likeness=0.0), _Way("ex", 0.2, likeness=0.0)
    detector = RoutedDetector(words, {Way.EXAMPLES: lambda: examples})
    confirmer = RoutedConfirmer(words, detector)
    product_filter = ProductFilter(detector, _BoxFiller(), confirmer=confirmer, second_opinion=True)
    assert len(product_filter.detect(PICTURE, parse_products(text)).regions) == kept


def test_what_found_a_product_recognises_it_again() -> None:
    words, examples = _Way("words", 0.2, likeness=0.1), _Way("ex", 0.2, likeness=0.8)
    detector = RoutedDetector(words, {Way.EXAMPLES: lambda: examples})
    confirmer = RoutedConfirmer(words, detector)
    cup, ring = parse_products("cup, ring = @r")
    assert confirmer.scores([PICTURE], BOX, cup) == [0.1]
    assert confirmer.scores([PICTURE], BOX, ring) == [0.8]
