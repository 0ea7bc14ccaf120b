"""The main object of a picture, without a word: what stands out twice, people and hands, and the path of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from lib_photoshoot.detection.main_object import people
from lib_photoshoot.detection.main_object.finder import MainObjectFinder, main_object_mask, sureness
from lib_photoshoot.detection.main_object.people import person_cue, skin, without_hands
from lib_photoshoot.detection.main_object.plain_ground import thing_on_plain_ground
from lib_photoshoot.detection.main_object.standing_out import look_twice
from lib_photoshoot.images import read_picture
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Decision, Reason

PRODUCT = parse_products("product")
SKIN, GREY = (224, 172, 138), (90, 90, 90)


def canvas(colour: tuple[int, int, int] = (235, 235, 235), side: int = 320) -> np.ndarray:
    return np.full((side, side, 3), colour, np.uint8)


def vase(picture: np.ndarray, x: int, y: int, size: int, colour: tuple[int, int, int]) -> np.ndarray:
    """Draw a vase with its neck, and return where it is."""
    drawn = np.zeros(picture.shape[:2], np.uint8)
    cv2.ellipse(drawn, (x, y), (size // 2, int(size * 0.7)), 0, 0, 360, 1, -1)
    cv2.rectangle(drawn, (x - size // 6, y - size), (x + size // 6, y), 1, -1)
    shade = np.linspace(0.55, 1.15, picture.shape[1])[None, :, None]
    picture[drawn > 0] = (np.array(colour) * np.broadcast_to(shade, picture.shape)).clip(0, 255)[drawn > 0]
    return drawn > 0


class Maps:
    """Says what it is told stands out, in the picture and in its mirror image."""

    def __init__(self, first: np.ndarray, second: np.ndarray | None = None, peak: float = 1.0) -> None:
        self.answers = [first, (first if second is None else second)[:, ::-1]]
        self.peak = peak

    def look(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        return self.answers.pop(0), self.peak


def disc(x: int, y: int, radius: int) -> np.ndarray:
    drawn = np.zeros((100, 100), np.uint8)
    cv2.circle(drawn, (x, y), radius, 1, -1)
    return drawn.astype(np.float32)


# What stands out


def test_a_thing_that_holds_in_the_mirror_is_agreed_about() -> None:
    standing = look_twice(Maps(disc(30, 50, 15)), canvas(side=100))
    (part,) = standing.parts
    assert part.agreement == pytest.approx(1) and standing.rest == pytest.approx(0, abs=1e-6)
    assert mask_iou(part.mask, disc(30, 50, 15) > 0) == 1


def test_what_one_look_alone_sees_is_the_rest() -> None:
    sure, chance = disc(30, 50, 15), disc(80, 50, 10)
    standing = look_twice(Maps(np.maximum(sure, chance), sure), canvas(side=100))
    (part,) = standing.parts
    assert part.agreement == pytest.approx(1)
    assert standing.rest == pytest.approx(chance.sum() / (chance.sum() + sure.sum()), abs=0.01)


def test_parts_are_the_large_ones_largest_first() -> None:
    seen = np.maximum.reduce([disc(20, 20, 15), disc(70, 70, 18), disc(80, 15, 4)])
    standing = look_twice(Maps(seen), canvas(side=100))
    assert [part.pixels for part in standing.parts] == [int(disc(70, 70, 18).sum()), int(disc(20, 20, 15).sum())]
    assert standing.rest > 0


def test_a_weak_answer_is_none_however_it_is_stretched() -> None:
    assert look_twice(Maps(disc(30, 50, 15), peak=0.1), canvas(side=100)).parts == ()


def test_sureness_grows_with_every_witness() -> None:
    assert sureness(1, 0, 1) == 1
    assert sureness(0.9, 0.1, 0.5) == pytest.approx(0.81)
    values = [sureness(0.6, 0.1, drawn) for drawn in (0.5, 0.85, 0.9, 0.99)]
    assert values == sorted(values) and values[-1] > 0.95
    assert sureness(0.6, 0.5, 0.9) < sureness(0.6, 0.1, 0.9) < sureness(0.9, 0.1, 0.9)


# A plain ground


def test_what_stands_alone_on_a_plain_ground_is_seen_by_its_colour() -> None:
    picture = canvas((250, 250, 250))
    truth = vase(picture, 150, 180, 90, (40, 90, 160))
    alone = thing_on_plain_ground(picture)
    assert alone is not None and mask_iou(alone, truth) > 0.97
    vase(picture, 260, 260, 30, (40, 90, 160))
    assert thing_on_plain_ground(picture) is None  # two
    assert thing_on_plain_ground(canvas()) is None
    picture[:, :160] = (90, 160, 90)
    assert thing_on_plain_ground(picture) is None  # no plain ground


def test_a_thing_that_the_looks_do_not_agree_about_is_taken_from_a_plain_ground(product_filter) -> None:
    picture = canvas((250, 250, 250))
    truth = vase(picture, 150, 180, 90, (40, 90, 160))
    flat = np.zeros(picture.shape[:2], np.float32)
    finder = MainObjectFinder(product_filter.segmenter, Maps(flat))
    (thing,) = finder.find(picture).objects
    assert mask_iou(thing.mask, truth) > 0.97 and thing.sureness > 0.75


# People and hands


@dataclass(frozen=True)
class Box:
    label: str
    score: float
    box: tuple[float, float, float, float]


@pytest.mark.parametrize(
    ("box", "colour", "person"),
    [
        (Box("person", 0.9, (20, 20, 80, 80)), SKIN, True),
        (Box("person", 0.9, (20, 20, 80, 80)), GREY, False),  # a shirt is taken for its wearer
        (Box("person", 0.5, (20, 20, 80, 80)), SKIN, False),
        (Box("person", 0.9, (70, 70, 99, 99)), SKIN, False),
        (Box("teddy bear", 0.9, (20, 20, 80, 80)), SKIN, False),
    ],
)
def test_a_person_is_believed_where_skin_is_seen(box: Box, colour: tuple[int, int, int], person: bool) -> None:
    picture = canvas(side=100)
    mask = disc(50, 50, 25) > 0
    picture[mask] = colour
    assert person_cue(lambda image: [box])(picture, mask) == person
    assert not person_cue(None)(picture, mask)


def test_a_hand_beside_a_product_is_left_out_and_a_leather_bag_stays() -> None:
    bag, hand = disc(30, 30, 20) > 0, disc(70, 88, 15) > 0
    picture = canvas(side=100)
    picture[bag], picture[hand] = (20, 90, 60), SKIN
    assert without_hands(picture, [bag, hand]) == [bag]
    inside = disc(70, 70, 15) > 0
    picture[inside] = SKIN
    assert len(without_hands(picture, [bag, inside])) == 2
    picture[bag] = SKIN
    assert without_hands(picture, [bag, hand]) == [bag, hand]
    assert without_hands(picture, [hand]) == [hand]


def test_skin_is_light_and_dark() -> None:
    tones = np.array([[SKIN, (141, 85, 54), (255, 219, 190), GREY, (30, 80, 200), (250, 250, 250)]], np.uint8)
    assert skin(tones).tolist() == [[True, True, True, False, False, False]]


def test_without_cascades_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    people._cascade.cache_clear()
    monkeypatch.delattr(cv2, "data")
    try:
        assert people.faces(canvas()) == []
    finally:
        people._cascade.cache_clear()


# With the real models


@pytest.fixture(scope="module")
def finder(product_filter) -> MainObjectFinder:
    return product_filter.detector.finder(PRODUCT[0])._finder


def decided(product_filter, picture: np.ndarray) -> tuple[Decision, Reason | None]:
    result = product_filter.detect(picture, PRODUCT)
    return result.decision, result.reason


def test_one_thing_on_a_plain_ground_is_the_product(product_filter, finder) -> None:
    picture = canvas()
    truth = vase(picture, 150, 180, 90, (40, 90, 160))
    result = product_filter.detect(picture, parse_products("*"))
    (region,) = result.regions
    assert result.decision is Decision.MATCH and region.product == "product" and region.score > 0.75
    assert mask_iou(region.mask, truth) > 0.93
    mask, sure = main_object_mask(picture, finder)
    assert mask.shape == picture.shape[:2] and mask_iou(mask, truth) > 0.9 and sure == region.score


def test_two_things_alike_are_two_regions(product_filter) -> None:
    picture = canvas()
    truths = [vase(picture, x, 180, 80, (170, 60, 50)) for x in (90, 235)]
    regions = product_filter.detect(picture, PRODUCT).regions
    assert len(regions) == 2
    assert all(max(mask_iou(region.mask, truth) for region in regions) > 0.9 for truth in truths)


@pytest.mark.parametrize("kind", ["grey", "noise", "gradient", "check", "stripes"])
def test_a_picture_of_nothing_has_none(product_filter, finder, kind: str) -> None:
    rows, columns = np.mgrid[:320, :320]
    plain = {
        "grey": np.full((320, 320), 128),
        "noise": np.random.default_rng(0).integers(0, 255, (320, 320)),
        "gradient": columns * 255 // 320,
        "check": (rows // 16 + columns // 16) % 2 * 255,
        "stripes": columns // 8 % 2 * 255,
    }[kind].astype(np.uint8)
    picture = np.repeat(plain[..., None], 3, axis=2)
    decision, reason = decided(product_filter, picture)
    assert decision is Decision.SKIP and reason in (Reason.NO_MAIN_OBJECT, Reason.UNSURE_MAIN_OBJECT)
    assert main_object_mask(picture, finder) is None


def test_a_threshold_of_the_products_own_counts(product_filter) -> None:
    picture = canvas()
    vase(picture, 150, 180, 90, (40, 90, 160))
    asked = parse_products("vase = product [threshold=1]")
    result = product_filter.detect(picture, asked)
    assert result.reason is Reason.UNSURE_MAIN_OBJECT
    assert [item.product for item in result.rejected] == ["vase"]


def test_its_name_says_nothing_of_its_kind(product_filter) -> None:
    picture = canvas()
    truth = vase(picture, 150, 180, 90, (40, 90, 160))
    (region,) = product_filter.detect(picture, parse_products("cup = product")).regions
    assert region.product == "cup" and mask_iou(region.mask, truth) > 0.93


def test_it_is_never_what_an_unknown_word_means(product_filter) -> None:
    picture = canvas()
    vase(picture, 150, 180, 90, (40, 90, 160))
    assert product_filter.detect(picture, parse_products("handbag")).decision is Decision.SKIP


def test_an_enhanced_product_is_recognised_again_and_a_spoilt_one_is_not(product_filter) -> None:
    picture = canvas()
    truth = vase(picture, 150, 180, 90, (40, 90, 160))
    (region,) = product_filter.detect(picture, PRODUCT).regions
    better, gone = picture.copy(), picture.copy()
    better[truth] = (better[truth] * 1.1).clip(0, 255)
    gone[truth] = (235, 235, 235)
    before, after, lost = product_filter.confirmer.scores([picture, better, gone], region.box, PRODUCT[0])
    assert before == region.score and after > 0.9 * before and lost == 0


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("product_photos/02.jpg", None),
        ("product_photos/14.jpg", None),
        ("product_photos/55.jpg", None),
        ("filter_inputs/unknown.png", Reason.UNSURE_MAIN_OBJECT),  # the moon
        ("product_photos/15.jpg", Reason.UNSURE_MAIN_OBJECT),  # a stool below a table
    ],
)
def test_real_pictures(product_filter, shared_data, file: str, reason: Reason | None) -> None:
    _, got = decided(product_filter, read_picture(shared_data / file).pixels)
    assert got is reason
