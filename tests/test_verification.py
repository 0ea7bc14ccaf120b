"""Candidates are believed or refused, each refusal with its reason."""

from lib_photoshoot.detection.verification import iou, verify
from lib_photoshoot.results import Detection, Reason

THRESHOLDS = {"bag": 0.3, "shoe": 0.5}


def _verify(*detections: Detection):
    return verify(detections, THRESHOLDS, 100, 100)


def test_each_product_has_its_own_threshold():
    kept, rejected = _verify(Detection("bag", (0, 0, 40, 40), 0.4), Detection("shoe", (50, 50, 90, 90), 0.4))
    assert [d.product for d in kept] == ["bag"]
    assert [(r.product, r.reason) for r in rejected] == [("shoe", Reason.BELOW_THRESHOLD)]


def test_a_weak_box_around_everything_is_refused_and_a_strong_one_kept():
    assert _verify(Detection("bag", (0, 0, 100, 99), 0.4))[1][0].reason is Reason.WHOLE_IMAGE
    assert _verify(Detection("bag", (0, 0, 100, 99), 0.9))[0]


def test_the_better_product_wins_one_place():
    kept, rejected = _verify(Detection("bag", (10, 10, 50, 50), 0.6), Detection("shoe", (10, 10, 50, 52), 0.8))
    assert [d.product for d in kept] == ["shoe"]
    assert rejected[0].reason is Reason.DUPLICATE


def test_a_part_of_a_product_is_no_second_one_but_another_product_inside_is():
    whole, part = Detection("bag", (0, 0, 80, 80), 0.9), (10, 10, 30, 30)
    assert _verify(whole, Detection("bag", part, 0.6))[1][0].reason is Reason.DUPLICATE
    assert len(_verify(whole, Detection("shoe", part, 0.6))[0]) == 2


def test_specks_are_refused():
    assert _verify(Detection("bag", (0, 0, 5, 50), 0.9))[1][0].reason is Reason.TOO_SMALL


def test_iou_of_empty_boxes_is_zero():
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0
