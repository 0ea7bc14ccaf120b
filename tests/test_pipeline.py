"""The one path, with a detector and a segmenter that see bright squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib_photoshoot.colour.space import ColourSpace
from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.enhancement.retouch import Retouch
from lib_photoshoot.masks.morphology import feather
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.results import Decision, Detection, Reason
from lib_photoshoot.segmentation.protocol import MaskCandidate

BAG, SHOE = Product("bag"), Product("shoe")
BOX = (20.0, 30.0, 60.0, 70.0)


class BrightSquare:
    """Finds the one bright area, as a bag."""

    name = "bright"
    default_threshold = 0.5

    def threshold_for(self, product: Product) -> float:
        return self.default_threshold

    def detect(self, image, products):
        rows, columns = np.nonzero(image.min(2) > 150)
        if not len(rows):
            return []
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        return [Detection("bag", box, 0.9)]


class BoxSegmenter:
    """Answers with the box itself, and counts how often it is asked."""

    name = "box"

    def __init__(self, empty: bool = False):
        self.calls, self.empty = 0, empty

    def segment(self, image, boxes):
        self.calls += 1
        masks = []
        for x0, y0, x1, y1 in boxes:
            mask = np.zeros(image.shape[:2], bool)
            mask[int(y0) : int(y1), int(x0) : int(x1)] = not self.empty
            masks.append(MaskCandidate(mask, 0.95))
        return masks


class RingSegmenter(BoxSegmenter):
    """Leaves the middle of each box open, the whole of it when asked again."""

    opening = np.s_[40:60, 30:50]

    def segment(self, image, boxes):
        masks = super().segment(image, boxes)
        for candidate in masks:
            candidate.mask[45:55, 35:45] = False
        return masks

    def without(self, image, box, background):
        (candidate,) = super().segment(image, [box])
        candidate.mask[self.opening] = False
        return [candidate]


class Forgetful:
    """Confirms the original picture, and never an enhanced one."""

    def __init__(self, original):
        self.original = original

    def scores(self, images, box, product):
        return [0.9 if image is self.original else 0.1 for image in images]


class Inverting:
    """Changes every pixel of the picture, inside and outside."""

    name = "inverting"

    def alpha(self, mask):
        return feather(mask, 4)

    def enhance(self, image, regions):
        return 255 - image


@pytest.fixture
def picture():
    image = np.random.default_rng(1).integers(0, 90, (100, 120, 3), dtype=np.uint8)
    image[30:70, 20:60] = 200
    return image


def test_a_picture_without_the_product_is_the_same_object_and_is_never_segmented():
    dark = np.zeros((64, 64, 3), np.uint8)
    segmenter = BoxSegmenter()
    result = ProductFilter(BrightSquare(), segmenter, Inverting()).run(dark, [BAG])
    assert result.decision is Decision.SKIP and result.reason is Reason.NOTHING_FOUND
    assert result.image is dark and segmenter.calls == 0


def test_outside_the_feathered_mask_every_pixel_stays(picture):
    before = picture.copy()
    result = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting(), recheck=False).run(picture, [BAG])
    assert result.decision is Decision.MATCH and result.reason is None
    assert result.regions[0].box == BOX
    assert result.changed_outside == 0
    assert np.array_equal(picture, before), "the input array itself is never written to"
    changed = (result.image != picture).any(2)
    assert changed[45:55, 35:45].all()
    assert not changed[:25].any() and not changed[75:].any() and not changed[:, 65:].any()


@pytest.mark.parametrize("enhancer", [Inverting(), Retouch()], ids=["inverting", "retouch"])
def test_the_background_in_an_opening_stays_as_it_is(picture, enhancer):
    picture[RingSegmenter.opening] = 30
    result = ProductFilter(BrightSquare(), RingSegmenter(), enhancer, recheck=False).run(picture, [BAG])
    (region,) = result.regions
    assert region.mask[30:70, 20:60].all(), "the mask has no holes"
    assert region.openings is not None and region.openings[RingSegmenter.opening].all()
    changed = (result.image != picture).any(2)
    assert not changed[46:54, 36:44].any() and changed[30:70, 20:25].any() and result.changed_outside == 0


def test_detect_leaves_the_picture_alone_but_has_masks(picture):
    result = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting()).detect(picture, [BAG])
    assert result.image is picture and result.regions[0].mask.sum() == 1600


def test_an_enhancement_that_loses_the_product_is_undone(picture):
    result = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting(), Forgetful(picture)).run(picture, [BAG])
    assert result.image is picture
    assert [r.reason for r in result.rejected] == [Reason.LOST_IN_ENHANCEMENT]


class Scores:
    """Confirms a picture before and after with given scores."""

    def __init__(self, before, after):
        self.given = [before, after]

    def scores(self, images, box, product):
        return self.given


@pytest.mark.parametrize(
    ("before", "after", "undone"), [(0.9, 0.6, False), (0.9, 0.49, True), (0.3, 0.2, False), (0.3, 0.1, True)]
)
def test_an_enhancement_that_makes_another_product_of_one_by_example_is_undone(picture, before, after, undone):
    bag = replace(BAG, examples=("photos/bag",))
    result = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting(), Scores(before, after)).run(picture, [bag])
    assert [(r.product, r.reason, r.score) for r in result.rejected] == (
        [("bag", Reason.OTHER_PRODUCT, after)] if undone else []
    )
    assert (result.image is picture) is undone and result.decision is Decision.MATCH


class Darkening(Inverting):
    """Makes the right half of the picture black: what stands there is lost, what stands on the left is not."""

    def enhance(self, image, regions):
        result = image.copy()
        result[:, 60:] = 0
        result[:, :60] = np.minimum(image[:, :60], 230)
        return result


class TwoSquares(BrightSquare):
    """Finds a bag on the left and a shoe on the right."""

    def detect(self, image, products):
        halves = (("bag", image[:, :60], 0.0), ("shoe", image[:, 60:], 60.0))
        found = []
        for name, half, offset in halves:
            rows, columns = np.nonzero(half.min(2) > 150)
            if len(rows) and name in {product.name for product in products}:
                box = (columns.min() + offset, float(rows.min()), columns.max() + 1 + offset, float(rows.max() + 1))
                found.append(Detection(name, box, 0.9))
        return found


def test_without_a_second_opinion_the_detector_checks_and_only_what_is_lost_is_undone():
    picture = np.full((100, 120, 3), 40, np.uint8)
    picture[30:60, 10:40] = 240
    picture[30:60, 80:110] = 240
    filter_ = ProductFilter(TwoSquares(), BoxSegmenter(), Darkening())
    result = filter_.run(picture, [BAG, SHOE])
    assert [(r.product, r.reason) for r in result.rejected] == [("shoe", Reason.LOST_IN_ENHANCEMENT)]
    assert (result.image[:, 70:] == picture[:, 70:]).all() and (result.image[45, 25] == 230).all()
    assert result.changed_outside == 0
    unchecked = ProductFilter(TwoSquares(), BoxSegmenter(), Darkening(), recheck=False).run(picture, [BAG, SHOE])
    assert not unchecked.rejected and (unchecked.image[45, 95] == 0).all()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(EnhancementError("No model."), Reason.NOT_ENHANCED), (EnhancementStopped("Stopped."), Reason.INTERRUPTED)],
)
def test_a_failed_or_stopped_enhancement_leaves_the_original(picture, error, reason):
    class Failing(Inverting):
        def enhance(self, image, regions):
            raise error

    result = ProductFilter(BrightSquare(), BoxSegmenter(), Failing()).run(picture, [BAG])
    assert result.image is picture and result.decision is Decision.MATCH
    assert result.note == str(error) and [r.reason for r in result.rejected] == [reason]


def test_all_products_may_be_required(picture):
    result = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting(), require_all=True).run(picture, [BAG, SHOE])
    assert result.decision is Decision.SKIP and result.reason is Reason.MISSING_PRODUCT
    assert result.image is picture


def test_a_mask_that_the_detector_lends_is_not_made_again(picture):
    mask = np.zeros(picture.shape[:2], bool)
    mask[32:68, 22:58] = True

    class Outlining(BrightSquare):
        def detect(self, image, products):
            return [Detection("bag", BOX, 0.9, mask, 0.8), Detection("bag", (80.0, 10.0, 110.0, 40.0), 0.7)]

    segmenter = BoxSegmenter()
    result = ProductFilter(Outlining(), segmenter).detect(picture, [BAG])
    assert (result.regions[0].mask == mask).all() and result.regions[0].quality == 0.8
    assert segmenter.calls == 1 and result.regions[1].mask.sum() == 900


def test_an_empty_mask_is_a_reason(picture):
    result = ProductFilter(BrightSquare(), BoxSegmenter(empty=True), Inverting()).run(picture, [BAG])
    assert result.decision is Decision.SKIP and result.reason is Reason.EMPTY_MASK


def test_a_threshold_of_the_product_counts(picture):
    result = ProductFilter(BrightSquare(), BoxSegmenter()).run(picture, [Product("bag", threshold=0.95)])
    assert result.reason is Reason.BELOW_THRESHOLD


def test_retouch_runs_on_the_path(picture):
    result = ProductFilter(BrightSquare(), BoxSegmenter(), Retouch()).run(picture, [BAG])
    assert result.decision is Decision.MATCH and result.changed_outside == 0
    assert set(result.seconds) == {"detect", "verify", "segment", "enhance"}


def test_wrong_arrays_are_refused():
    with pytest.raises(ValueError, match="uint8"):
        ProductFilter(BrightSquare(), BoxSegmenter()).run(np.zeros((4, 4), np.float32), [BAG])


def test_an_article_of_another_colour_is_skipped_with_the_figure(picture):
    from lib_photoshoot.catalog.outputs import report_entry

    (grey,) = parse_products("bag [colour=#c8c8c8]")
    (dark,) = parse_products("bag [colour=#b0b0b0; tolerance=4]")
    found = ProductFilter(BrightSquare(), BoxSegmenter()).run(picture, [grey])
    assert found.decision is Decision.MATCH and found.regions[0].colour_check.delta_e < 0.1
    off = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting()).run(picture, [dark])
    assert off.reason is Reason.COLOUR_OFF and off.image is picture and not off.regions
    (entry,) = report_entry("a.png", off)["rejected"]
    assert entry["reason"] == "colour_off" and entry["colour_check"]["says"].endswith("too light")


def test_an_enhancement_that_takes_the_colour_away_is_undone(picture):
    product_filter = ProductFilter(BrightSquare(), BoxSegmenter(), Inverting(), recheck=False)
    result = product_filter.run(picture, parse_products("bag [colour=#c8c8c8]"))
    assert result.decision is Decision.MATCH and np.array_equal(result.image, picture)
    assert [item.reason for item in result.rejected] == [Reason.COLOUR_OFF]
    assert not result.regions[0].colour_check.is_off


class Counting(ColourSpace):
    """sRGB that counts how often pictures are converted."""

    def __init__(self):
        self.conversions = 0

    def to_srgb(self, pixels):
        self.conversions += 1
        return super().to_srgb(pixels)


def test_a_picture_and_what_was_made_of_it_are_each_converted_and_measured_once(picture, monkeypatch):
    from lib_photoshoot.colour import comparison

    measured = []
    real = comparison.measure_colour
    monkeypatch.setattr(comparison, "measure_colour", lambda *args: measured.append(args) or real(*args))
    darker = Inverting()
    darker.enhance = lambda image, regions: image - image // 10
    space, bag = Counting(), parse_products("bag [colour=#c8c8c8; tolerance=10]")
    result = ProductFilter(BrightSquare(), BoxSegmenter(), darker).run(picture, bag, space)
    assert (result.image[40:60, 30:50] == 180).all() and result.changed_outside == 0
    assert 4 < result.regions[0].colour_check.delta_e < 7 and 4 < result.regions[0].colour.mean < 7
    # The enhancer of this test knows sRGB alone, and is given that once more.
    assert (space.conversions, len(measured)) == (3, 2)


def test_a_colour_card_is_no_product() -> None:
    picture = np.full((100, 100, 3), 40, np.uint8)
    picture[30:70, 20:60] = 200
    product_filter = ProductFilter(BrightSquare(), BoxSegmenter())
    assert product_filter.run(picture, [BAG]).decision is Decision.MATCH
    result = product_filter.run(picture, [BAG], cards=[(15.0, 25.0, 65.0, 75.0)])
    assert (result.decision, result.reason) == (Decision.SKIP, Reason.COLOUR_CARD)
