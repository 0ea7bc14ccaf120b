"""Which object, how far it goes and how sure: with views that see drawn scenes in the ways that the real ones do."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection, Doubt, Outline, OutlineSource, ProductRegion, Reason, matte_of
from lib_photoshoot.segmentation.doubts import Likeness, OutlineMeasures, judge
from lib_photoshoot.segmentation.outlining import Outliner
from lib_photoshoot.segmentation.protocol import MaskCandidate, SoftCandidate
from lib_photoshoot.segmentation.views import Views, near, soft_iou, standing_out

SIDE = 200
BOTTLE = Product("bottle")


def rect(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y0:y1, x0:x1] = True
    return mask


LABEL, WHOLE = rect(70, 90, 130, 140), rect(60, 30, 140, 170)
HANDS = rect(20, 170, 180, 200)


def picture(*masks: np.ndarray) -> np.ndarray:
    """Each mask in a colour of its own, on grey."""
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    for number, mask in enumerate(masks):
        image[mask] = [(200, 60, 60), (60, 200, 60), (60, 60, 200)][number % 3]
    return image


class Sam:
    """Outlines what it is told is in a box: the known object whose box is nearest, or the box itself."""

    name = "sam"

    def __init__(self, *objects: np.ndarray, quality: float = 0.97) -> None:
        self.objects, self.quality = objects, quality
        self.asked: list[tuple[tuple[int, ...], bool]] = []

    def soft(self, image, box, shape, refine=False):
        self.asked.append((image.shape, refine))
        if image.shape[:2] != (SIDE, SIDE):
            whole = np.ones(shape[:2], np.float32)
            return [SoftCandidate(whole, self.quality)]
        x0, y0, x1, y1 = (round(side) for side in box)
        asked = rect(x0, y0, x1, y1)
        answer = max(self.objects, key=lambda o: mask_iou(box_of(o), asked), default=asked)
        return [SoftCandidate(answer.astype(np.float32), self.quality)]

    def segment(self, image, boxes):
        raise AssertionError("the outliner asks for soft masks")

    def without(self, image, box, background):
        return [MaskCandidate(np.zeros(image.shape[:2], bool), 0.0)]


def box_of(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    return rect(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


class Salient:
    """Sees one mask in the whole picture, and counts how often it is asked."""

    name = "salient"

    def __init__(self, mask: np.ndarray) -> None:
        self.mask, self.calls = mask, 0

    def map(self, image):
        self.calls += 1
        if image.shape[:2] == self.mask.shape:
            return self.mask.astype(np.float32)
        return np.ones(image.shape[:2], np.float32)


class Scores:
    """Class evidence by how much of a mask is product: 1 for it alone and whole, less for a part or with more."""

    def __init__(self, *scores: tuple[np.ndarray, float]) -> None:
        self.scores = scores

    def evidence(self, image, masks, product):
        return [max(self.scores, key=lambda s: mask_iou(s[0], mask))[1] for mask in masks]


def outlined(outliner: Outliner, image: np.ndarray, *seeds: np.ndarray):
    detections = []
    for seed in seeds:
        rows, columns = np.nonzero(seed)
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        detections.append(Detection("bottle", box, 0.9, seed, 0.95))
    return outliner.regions(image, detections, [BOTTLE])


def test_a_bottle_recognised_by_its_label_is_outlined_whole():
    scores = Scores((LABEL, 0.5), (WHOLE, 0.45))
    (region,), rejected = outlined(Outliner(Sam(WHOLE, LABEL), Salient(WHOLE), None, scores), picture(WHOLE), LABEL)
    assert mask_iou(region.mask, WHOLE) > 0.98 and not rejected
    assert region.box == pytest.approx((60, 30, 140, 170), abs=1)
    assert region.alpha is not None and mask_iou(region.alpha > 127, WHOLE) > 0.98
    assert region.outline is not None and region.outline.is_sure


def test_the_hands_that_hold_it_stay_out():
    both = WHOLE | HANDS
    scores = Scores((WHOLE, 0.5), (both, 0.15))
    (region,), _ = outlined(Outliner(Sam(WHOLE, both), Salient(both), None, scores), picture(WHOLE, HANDS), WHOLE)
    assert mask_iou(region.mask, WHOLE) > 0.95
    assert not region.mask[180:].any()


def test_the_pedestal_below_it_is_left_behind():
    pedestal = rect(30, 170, 170, 195)
    scores = Scores((WHOLE, 0.6), (WHOLE | pedestal, 0.5))
    outliner = Outliner(Sam(WHOLE), Salient(WHOLE), None, scores)
    (region,), _ = outlined(outliner, picture(WHOLE, pedestal), WHOLE | pedestal)
    assert mask_iou(region.mask, WHOLE) > 0.98


def test_two_bottles_that_stand_out_as_one_stay_two():
    left, right = rect(20, 40, 90, 160), rect(100, 40, 170, 160)
    scores = Scores((left, 0.8), (right, 0.8), (left | right, 0.7))
    regions, rejected = outlined(
        Outliner(Sam(left, right), Salient(left | right), None, scores), picture(left, right), left, right
    )
    assert [mask_iou(region.mask, side) > 0.95 for region, side in zip(regions, (left, right), strict=True)] == [
        True
    ] * 2
    assert not rejected
    assert all(Doubt.EVIDENCE_OUTSIDE not in region.outline.doubts for region in regions), "each holds the other's"


def test_a_second_detection_inside_the_first_outline_is_a_duplicate():
    cap = rect(80, 30, 120, 50)
    scores = Scores((LABEL, 0.5), (cap, 0.1), (WHOLE, 0.5))
    regions, rejected = outlined(Outliner(Sam(WHOLE), Salient(WHOLE), None, scores), picture(WHOLE), LABEL, cap)
    assert len(regions) == 1
    assert [(item.reason, item.score) for item in rejected] == [(Reason.DUPLICATE, 0.9)]


def test_another_product_inside_an_outline_is_its_own_region():
    """A spoon in a cup is a spoon; the same outline under two names is one thing."""
    spoon = rect(80, 60, 120, 120)
    products = [Product("cup"), Product("spoon")]

    def seen(second: np.ndarray):
        box = (80.0, 60.0, 120.0, 120.0)
        detections = [Detection("cup", box, 0.9, WHOLE, 0.95), Detection("spoon", box, 0.8, second, 0.95)]
        return Outliner(Sam(WHOLE, spoon)).regions(picture(WHOLE, spoon), detections, products)

    regions, rejected = seen(spoon)
    assert [region.product for region in regions] == ["cup", "spoon"] and not rejected
    regions, rejected = seen(WHOLE)
    assert [region.product for region in regions] == ["cup"] and rejected[0].reason is Reason.DUPLICATE


def test_the_dear_views_are_asked_only_where_the_cheap_ones_disagree():
    fine = Salient(WHOLE)
    scores = Scores((WHOLE, 0.5), (LABEL, 0.2))
    outlined(Outliner(Sam(WHOLE), Salient(WHOLE), fine, scores), picture(WHOLE), WHOLE)
    assert fine.calls == 0, "SAM and the quick network see the same"
    (region,), _ = outlined(Outliner(Sam(WHOLE), Salient(LABEL), fine, scores), picture(WHOLE), WHOLE)
    assert fine.calls == 1 and mask_iou(region.mask, WHOLE) > 0.95
    outlined(Outliner(Sam(WHOLE), Salient(WHOLE), fine, scores, thorough=True), picture(WHOLE), WHOLE)
    assert fine.calls == 2


def test_a_small_product_is_looked_at_again_with_the_crop_around_it():
    small = rect(90, 90, 120, 120)
    sam = Sam(small)
    outlined(Outliner(sam, Salient(small), None, Scores((small, 0.5))), picture(small), small)
    assert [refine for _, refine in sam.asked] == [False, True]
    assert max(sam.asked[1][0][:2]) < SIDE / 2


def test_nothing_is_looked_at_where_nothing_was_detected():
    quick = Salient(WHOLE)
    outliner = Outliner(Sam(), quick, None, Scores((WHOLE, 0.5)))
    assert outliner.look(outliner._subject(picture(WHOLE)), [], [BOTTLE]) == []


def test_without_networks_or_evidence_sams_own_outline_stands():
    (region,), _ = outlined(Outliner(Sam(WHOLE)), picture(WHOLE), WHOLE)
    assert mask_iou(region.mask, WHOLE) > 0.98


# The vote


def candidate(mask: np.ndarray, quality: float = 0.9) -> SoftCandidate:
    return SoftCandidate(mask.astype(np.float32), quality)


def test_the_candidate_nearest_to_the_others_is_picked_not_the_one_that_praises_itself():
    views = Views(WHOLE, [[candidate(LABEL, 0.99), candidate(WHOLE, 0.8)]], quick=WHOLE.astype(np.float32))
    assert np.array_equal(views.picks()[0] > 0.5, WHOLE)


def test_a_network_that_sees_another_thing_does_not_count():
    stranger = rect(150, 10, 190, 190).astype(np.float32)
    views = Views(WHOLE, [[candidate(WHOLE)]], quick=stranger)
    assert np.array_equal(views.vote() > 0.5, WHOLE)
    assert views.agreement() == pytest.approx(soft_iou(WHOLE, stranger))


def test_what_stands_out_is_the_pieces_that_hold_some_of_the_seed():
    other = rect(0, 0, 20, 20)
    assert np.array_equal(standing_out((WHOLE | other).astype(np.float32), LABEL), WHOLE)
    assert standing_out(other.astype(np.float32), LABEL) is None
    assert np.count_nonzero(near(LABEL, (70, 90, 130, 140))) > np.count_nonzero(LABEL)


# Doubts


def measured(**changes) -> OutlineMeasures:
    sure = {"agreement": 0.97, "frame": 0.0, "raggedness": 1.02, "blur": 1.5, "pieces": 1, "cut": 0.0, "faint": 0.0}
    return OutlineMeasures(**{**sure, "likeness": Likeness(None, None), **changes})


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"agreement": 0.8}, Doubt.VIEWS_DISAGREE),
        ({"frame": 0.1}, Doubt.TOUCHES_FRAME),
        ({"raggedness": 2.0}, Doubt.RAGGED),
        ({"blur": 12.0}, Doubt.RAGGED),
        ({"pieces": 3}, Doubt.SEVERAL_OBJECTS),
        ({"faint": 0.2}, Doubt.FAINT_EDGE),
        ({"cut": 0.3}, Doubt.EVIDENCE_OUTSIDE),
        ({"likeness": Likeness(0.4, 0.5)}, Doubt.EVIDENCE_OUTSIDE),
        ({"likeness": Likeness(0.02, 0.0)}, Doubt.TOO_SMALL_FOR_EVIDENCE),
    ],
)
def test_each_thing_that_speaks_against_an_outline_is_a_doubt(changes, doubt):
    outline = judge(measured(**changes))
    assert outline.doubts == (doubt,) and not outline.is_sure
    assert outline.quality < judge(measured()).quality


def test_an_outline_against_which_nothing_speaks_is_sure():
    assert judge(measured()) == Outline(0.97, (), OutlineSource.MODEL)
    assert judge(measured(likeness=Likeness(0.5, 0.1))).is_sure, "hands around a bag are no bag"


def test_a_product_cut_by_the_frame_and_things_that_hang_on_by_a_thread_are_doubted():
    cut = rect(60, 100, 140, 200)
    (region,), _ = outlined(Outliner(Sam(cut), Salient(cut), None, Scores((cut, 0.5))), picture(cut), cut)
    assert region.outline.doubts == (Doubt.TOUCHES_FRAME,)
    jar = rect(60, 10, 140, 90) | rect(98, 90, 102, 110) | rect(60, 110, 140, 190)
    upper = rect(60, 10, 140, 90)
    (region,), _ = outlined(
        Outliner(Sam(jar), Salient(jar), None, Scores((upper, 0.5), (jar, 0.5))), picture(jar), upper
    )
    assert Doubt.SEVERAL_OBJECTS in region.outline.doubts


def test_a_product_whose_colour_the_background_has_along_one_side_is_doubted():
    for background, doubts in ((rect(150, 0, 200, 200), ()), (rect(140, 0, 200, 200), (Doubt.FAINT_EDGE,))):
        image = picture(WHOLE | background)
        (region,), _ = outlined(Outliner(Sam(WHOLE), Salient(WHOLE), None, Scores((WHOLE, 0.5))), image, WHOLE)
        assert region.outline.doubts == doubts


def test_alphas_go_together_only_where_every_region_has_one():
    one = ProductRegion("a", (0, 0, 1, 1), 1.0, LABEL, 1.0, alpha=LABEL.astype(np.uint8) * 255)
    other = ProductRegion("b", (0, 0, 1, 1), 1.0, HANDS, 1.0, alpha=HANDS.astype(np.uint8) * 100)
    assert np.array_equal(matte_of([one, other]), np.where(LABEL, 255, np.where(HANDS, 100, 0)))
    assert matte_of([one, ProductRegion("c", (0, 0, 1, 1), 1.0, HANDS, 1.0)]) is None and matte_of([]) is None


def test_what_a_detector_doubts_stands_before_the_doubts_about_the_outline():
    detection = Detection("bottle", (60.0, 30.0, 140.0, 170.0), 0.9, WHOLE, 0.95, doubt=Doubt.PERHAPS_ANOTHER)
    (region,), _ = Outliner(Sam(WHOLE), Salient(WHOLE)).regions(picture(WHOLE), [detection], [BOTTLE])
    assert region.outline is not None and region.outline.doubts == (Doubt.PERHAPS_ANOTHER,)
