"""Which words of a list may be one thing, and what becomes of it then."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lib_photoshoot.catalog.coco import annotation, coco_document
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.outputs import report_entry
from lib_photoshoot.detection.embedded.kinship import kinship_of
from lib_photoshoot.detection.small.labels import COCO
from lib_photoshoot.detection.verification import Kinship, verify, with_kin
from lib_photoshoot.enhancement.protocol import Enhancer
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.results import Box, Decision, Detection, ProductRegion, Reason, Rejection
from lib_photoshoot.segmentation.protocol import MaskCandidate
from lib_photoshoot.verdict import Done, Verdict, found_products

BOX = (10.0, 10.0, 50.0, 50.0)
BOTH = Kinship(frozenset({frozenset({"bottle", "perfume"})}))


@pytest.mark.parametrize(
    ("products", "pairs"),
    [
        ("bottle, perfume", {"bottle perfume"}),
        ("cup, mug, vase", {"cup mug"}),
        ("Tasse, cup", {"cup tasse"}),
        ("red shoe, sneaker", {"red shoe sneaker"}),
        ("handbag, backpack", set()),  # look-alikes
        ("watch, wall clock", set()),
        ("car, wheel", set()),
        ("chair, sofa", set()),
        ("armchair, chair", set()),  # a wider kind stands in
        ("bottle [denoise=0.3], perfume [denoise=0.5]", set()),  # one thing is worked on in one way
        ("cup, ring = @photos/ring", {"cup ring"}),
    ],
)
def test_a_kind_of_a_thing_is_that_thing_and_a_look_alike_is_not(products: str, pairs: set[str]) -> None:
    assert {" ".join(sorted(pair)) for pair in kinship_of(parse_products(products)).pairs} == pairs


def test_what_a_small_detector_alone_knows_is_one_thing_with_its_own_synonyms_only() -> None:
    pairs = kinship_of(parse_products("suitcase, luggage, fork, bag"), labels=COCO).pairs
    assert pairs == {frozenset({"suitcase", "luggage"})}


def test_what_is_looked_for_by_a_wider_kind_stands_in_for_the_embedded_detector_only() -> None:
    products = parse_products("armchair, chair")
    assert kinship_of(products).stand_ins == {"armchair"}
    assert not kinship_of(products, guesses=False).stand_ins


def found(product: str, score: float, box: Box = BOX) -> Detection:
    return Detection(product, box, score)


def verified(kinship: Kinship, *detections: Detection) -> tuple[list[Detection], list[Rejection]]:
    return verify(detections, {detection.product: 0.3 for detection in detections}, 100, 100, kinship)


def test_a_bottle_that_is_also_perfume_keeps_both_words() -> None:
    kept, rejected = verified(BOTH, found("bottle", 0.8), found("perfume", 0.6), found("vase", 0.4))
    assert [(one.product, one.also) for one in kept] == [("bottle", ("perfume",))]
    assert [(one.product, one.reason) for one in rejected] == [("vase", Reason.DUPLICATE)]


def test_words_below_their_threshold_or_elsewhere_are_not_kept() -> None:
    kept, _ = verified(BOTH, found("bottle", 0.8), found("perfume", 0.2), found("perfume", 0.5, (60, 60, 90, 90)))
    assert [(one.product, one.also) for one in kept] == [("bottle", ()), ("perfume", ())]


def test_a_place_belongs_to_the_product_whose_own_word_names_it() -> None:
    kinship = Kinship(stand_ins=frozenset({"armchair"}))
    kept, rejected = verified(kinship, found("armchair", 0.9), found("chair", 0.9))
    assert [one.product for one in kept] == ["chair"] and [one.product for one in rejected] == ["armchair"]
    assert [one.product for one in verified(kinship, found("armchair", 0.9))[0]] == ["armchair"]


def test_the_product_with_settings_of_its_own_leads() -> None:
    kinship = kinship_of(parse_products("bottle, perfume [denoise=0.3]"))
    kept, _ = verified(kinship, found("bottle", 0.8), found("perfume", 0.6))
    assert [(one.product, one.also) for one in kept] == [("perfume", ("bottle",))]


def test_outlines_that_turn_out_the_same_are_joined_too() -> None:
    region = ProductRegion("bottle", BOX, 0.8, np.ones((100, 100), bool), 1.0)
    refused = [Rejection(name, BOX, 0.5, Reason.DUPLICATE) for name in ("perfume", "vase")]
    (joined,), left = with_kin([region], refused, BOTH)
    assert joined.products == ("bottle", "perfume") and [one.product for one in left] == ["vase"]


class OneBottle:
    name, default_threshold = "one", 0.3

    def threshold_for(self, product: Product) -> float:
        return self.default_threshold

    def detect(self, image: np.ndarray, products: object) -> list[Detection]:
        mask = np.zeros(image.shape[:2], bool)
        mask[10:50, 10:50] = True
        return [Detection(name, BOX, score, mask, 0.9) for name, score in (("bottle", 0.8), ("perfume", 0.6))]

    def segment(self, image: np.ndarray, boxes: object) -> list[MaskCandidate]:
        raise AssertionError("the detector has outlined it")


class Counted:
    name = "counted"
    keeps_shape = True

    def __init__(self) -> None:
        self.regions: list[ProductRegion] = []

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        return mask.astype(np.float32)

    def enhance(self, image: np.ndarray, regions: list[ProductRegion]) -> np.ndarray:
        self.regions += regions
        return 255 - image


def filtered(require_all: bool = True) -> tuple[ProductFilter, Enhancer]:
    bottle, enhancer = OneBottle(), Counted()
    made = ProductFilter(
        bottle, bottle, enhancer, require_all=require_all, recheck=False, kinship=lambda _: BOTH
    )  # fmt: skip
    return made, enhancer


def test_it_is_enhanced_once_and_all_that_is_written_of_it_has_both_words() -> None:
    product_filter, enhancer = filtered()
    result = product_filter.run(np.full((100, 100, 3), 90, np.uint8), parse_products("bottle, perfume"))
    assert result.decision is Decision.MATCH and len(enhancer.regions) == 1
    (region,) = result.regions
    entry = report_entry("a.png", result)
    assert (entry["regions"][0]["product"], entry["regions"][0]["also"]) == ("bottle", ["perfume"])
    record = Record("a.png", "a", 1, 1, (), entry, (annotation(region),))
    document = coco_document(["bottle", "perfume"], [record])
    assert [one["category_id"] for one in document["annotations"]] == [1, 2]
    first, second = (
        {k: v for k, v in one.items() if k not in ("id", "category_id")} for one in document["annotations"]
    )
    assert first == second and "also" not in first
    verdict = Verdict(Done.ENHANCED, "found", Decision.MATCH, None, found_products(result.regions))
    assert Verdict.from_json(verdict.to_json()) == verdict and verdict.products[0].also == ("perfume",)


def test_what_was_written_before_and_of_one_word_has_no_further_ones() -> None:
    verdict = Verdict(Done.ENHANCED, "found", Decision.MATCH, None, found_products([
        ProductRegion("cup", BOX, 0.8, np.ones((100, 100), bool), 1.0)
    ]))  # fmt: skip
    assert "also" not in verdict.to_json()
    values = json.loads(verdict.to_json())
    values["products"][0]["also"] = [7]
    with pytest.raises(ValueError, match="also"):
        Verdict.from_json(json.dumps(values))
