"""Lines around a part and along one: what they take, and what else they may mean."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lib_photoshoot.correction.alternatives import MOST, Alternative, Answers, differing
from lib_photoshoot.correction.changes import joined
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.drawn import lined, looped
from lib_photoshoot.correction.gaps import like_ground
from lib_photoshoot.correction.prompting import spread
from lib_photoshoot.correction.snapping import along_line, colour_patches, ground_within, line_of, loop_inside, snapped
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.pages.fixing import Step, StepKind
from lib_photoshoot.segmentation.protocol import SoftCandidate
from tests.correction.test_clicks import BLUE, RED, click, outliner, picture

__all__ = ["outliner", "picture"]

SHAPE = (240, 320)


def around(x: float, y: float, radius: float, off: float = 4.0) -> list[tuple[float, float]]:
    """A circle as a hand draws it: each place off by some pixels."""
    rng = np.random.default_rng(3)
    return [
        (float(x + (radius + d) * np.cos(at)), float(y + (radius + d) * np.sin(at)))
        for at, d in zip(np.linspace(0, 6.2, 25), rng.uniform(-off, off, 25), strict=True)
    ]


def loop(path: list[tuple[float, float]], inside: bool = True, choice: int | None = None) -> Step:
    return Step(StepKind.LOOP, inside, tuple(path), 6.0, choice)


def stool() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture of a dark stool on light noise, its true mask, and the patch between its legs."""
    solid = np.zeros(SHAPE, np.uint8)
    cv2.rectangle(solid, (100, 60), (220, 84), (1,), cv2.FILLED)
    for left in (104, 208):
        cv2.rectangle(solid, (left, 84), (left + 8, 200), (1,), cv2.FILLED)
    cv2.rectangle(solid, (104, 150), (216, 158), (1,), cv2.FILLED)
    between = np.zeros(SHAPE, bool)
    between[85:150, 113:208] = True
    mask = solid > 0
    pixels = np.full((*SHAPE, 3), 205, np.int16)
    pixels[mask] = (60, 45, 40)
    pixels += np.random.default_rng(1).integers(-5, 6, pixels.shape, np.int16)
    return pixels.astype(np.uint8), mask, between


def test_a_loop_holds_its_inside_and_a_line_its_way() -> None:
    square = loop_inside([(10, 10), (30, 10), (30, 20), (10, 20)], (40, 50))
    assert square[10:20, 10:30].all() and square.sum() <= 21 * 11
    line = line_of([(5, 5), (45, 5)], (40, 50), 3)
    assert line[4:7, 6:44].all() and not line[9:].any() and not line[:2].any()


def test_places_are_spread_evenly_along_a_path() -> None:
    assert spread([(0, 0), (4, 0), (4, 4)], 2) == [(2, 0), (4, 2)]
    assert spread([(3, 1)], 4) == [(3, 1)] and spread([(3, 1), (3, 1)], 1) == [(3, 1)]


def test_a_rough_loop_goes_to_the_edges(picture: np.ndarray) -> None:
    rough = loop_inside(around(90, 120, 50), SHAPE)
    assert mask_iou(rough, RED) < 0.95 < 0.98 < mask_iou(snapped(picture, rough, 8.0), RED)


def test_nothing_is_made_of_nothing_and_an_even_picture_is_cut_as_drawn() -> None:
    even = np.full((*SHAPE, 3), 90, np.uint8)
    rough = loop_inside(around(90, 120, 50), SHAPE)
    assert not snapped(even, np.zeros(SHAPE, bool), 6.0).any()
    assert mask_iou(snapped(even, rough, 6.0), rough) > 0.8
    assert along_line(even, [(10, 10), (60, 10)], np.zeros(SHAPE, bool), 4.0).sum() == 0
    assert colour_patches(even, (5, 5), np.zeros(SHAPE, bool)) == []


def test_a_hollow_product_is_left_open_where_its_ground_shows() -> None:
    pixels, mask, between = stool()
    outer = [(94.0, 54.0), (226.0, 54.0), (226.0, 206.0), (94.0, 206.0)]
    hollow = snapped(pixels, loop_inside(outer, SHAPE), 8.0, hollow=True)
    assert mask_iou(hollow, mask) > 0.97 and hollow[between].mean() < 0.01


def test_a_patch_of_one_colour_ends_at_the_products_edges() -> None:
    pixels, mask, between = stool()
    patches = colour_patches(pixels, (160, 110), ~mask | between)
    assert patches and max(mask_iou(patch & ~mask, between) for patch in patches) > 0.9
    sizes = [int(patch.sum()) for patch in patches]
    assert sizes == sorted(sizes)


def test_what_is_like_a_line_and_near_it_is_taken() -> None:
    pixels, mask, _ = stool()
    leg = np.zeros(SHAPE, bool)
    leg[86:148, 104:113] = True
    found = along_line(pixels, [(107, 90), (110, 120), (107, 145)], ~mask | leg, 5.0)
    assert mask_iou(found, leg) > 0.75


def test_drawing_around_a_part_adds_it_or_takes_it_away(outliner: ClickOutliner, picture: np.ndarray) -> None:
    added = outliner.outline(picture, RED, [loop(around(230, 120, 50))])
    assert mask_iou(added, RED | BLUE) > 0.97
    taken = outliner.outline(picture, RED | BLUE, [loop(around(230, 120, 52), inside=False)])
    assert mask_iou(taken, RED) > 0.97
    new = outliner.outline(picture, None, [loop(around(230, 120, 50))])
    assert mask_iou(new, BLUE) > 0.97


def test_around_the_whole_product_means_nothing_but_it(outliner: ClickOutliner, picture: np.ndarray) -> None:
    poor = RED.copy()
    poor[:, :70] = False
    poor[165:190, 60:150] = True
    answers = outliner.answers(picture, poor, [loop(around(90, 120, 50))])
    assert mask_iou(answers.mask(None), RED) > 0.97 and "Added as well" in answers.names
    both = outliner.answers(picture, RED | BLUE, [loop(around(90, 120, 50))])
    assert mask_iou(both.mask(None), RED) > 0.97


def test_drawing_along_a_part(outliner: ClickOutliner) -> None:
    pixels, mask, _ = stool()
    start = mask.copy()
    start[86:148, 104:113] = start[159:201, 104:113] = False
    along = Step(StepKind.LINE, True, ((107, 90), (109, 130), (107, 195)), 4.0)
    answers = outliner.answers(pixels, start, [along])
    assert max(mask_iou(one.mask, mask) for one in answers.all) > 0.95
    assert all((one.mask | ~start).all() for one in answers.all), "a line that adds takes nothing away"


def test_a_chosen_answer_is_where_the_next_step_goes_on(outliner: ClickOutliner) -> None:
    pixels, mask, between = stool()
    filled = mask | between
    answers = outliner.answers(pixels, filled, [click(160, 110, inside=False)])
    assert 1 < len(answers.names) <= MOST and len(set(answers.names)) == len(answers.names)
    best = int(np.argmax([mask_iou(one.mask, mask) for one in answers.all]))
    assert mask_iou(answers.mask(best), mask) > 0.97
    after = outliner.outline(pixels, filled, [click(160, 110, False, best), click(160, 70)])
    assert mask_iou(after, mask) > 0.97
    sizes = [int((one.mask ^ filled).sum()) for one in answers.all]
    assert sizes == sorted(sizes), "from small to large"


@pytest.mark.parametrize("choice", [None, 0, 99])
def test_answers_that_nobody_could_tell_apart_are_one(choice: int | None) -> None:
    before, one, other = (np.zeros((20, 20), bool) for _ in range(3))
    one[5:15, 5:15], other[2:4, 2:4] = True, True
    nearly = one.copy()
    nearly[5, 5] = False
    found = differing(
        before, [Alternative("a", one), Alternative("a", other), Alternative("b", nearly), Alternative("c", before)]
    )
    answers = Answers.ordered(before, list(found))
    assert answers.names == ("a, small", "a, large") and answers.likely == 1
    assert (answers.mask(choice) == (other if choice == 0 else one)).all()


class _Blind:
    """A segmenter that sees nothing: what is drawn stands alone."""

    def prompted(self, *asked: object) -> list[SoftCandidate]:
        return [SoftCandidate(np.zeros(SHAPE, np.float32), 0.0)]

    def embed_ahead(self, image: np.ndarray) -> None:
        pass


class _Bodies:
    """Sees the body of a product alone."""

    def __init__(self, body: np.ndarray) -> None:
        self._body = body.astype(np.float32)

    def prompted(self, image: np.ndarray, box: object, points: object, shape: tuple[int, ...], prior: object = None):
        return [SoftCandidate(cv2.resize(self._body, shape[::-1]), 0.9)]

    def embed_ahead(self, image: np.ndarray) -> None:
        pass


@pytest.mark.parametrize("reach", [6.0, 10.0, 14.0])
def test_a_pointed_part_that_was_drawn_and_that_colours_show_is_whole_though_sam_misses_it(reach: float) -> None:
    body, whole = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    for mask in (body, whole):
        cv2.circle(mask, (90, 120), 50, (1,), cv2.FILLED)
    beak = np.array([(135, 114), (135, 126), (250, 120)], np.int32)
    cv2.fillPoly(whole, [beak], (1,))
    pixels = np.full((*SHAPE, 3), 205, np.int16)
    pixels[whole > 0] = (60, 45, 40)
    pixels += np.random.default_rng(1).integers(-5, 6, pixels.shape, np.int16)
    (contour,) = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    path = tuple((float(x), float(y)) for x, y in contour[:, 0])
    step = Step(StepKind.LOOP, True, path, reach)
    first = next(looped(_Bodies(body), pixels.astype(np.uint8), np.zeros(SHAPE, bool), step))
    missing = (whole > 0) & ~first.mask
    assert first.name == "Nearest edges" and missing.sum() < 20 and not (first.mask & (whole == 0)).any()


def test_a_way_along_a_handle_that_ends_near_its_beginning_may_mean_the_handle_alone() -> None:
    pixels = np.full((*SHAPE, 3), 205, np.int16)
    handle = np.zeros(SHAPE, np.uint8)
    cv2.ellipse(handle, (160, 120), (60, 60), 0, 20, 340, (1,), 8)
    pixels[handle > 0] = (60, 45, 40)
    pixels += np.random.default_rng(1).integers(-5, 6, pixels.shape, np.int16)
    way = [(160 + 60 * np.cos(at), 120 + 60 * np.sin(at)) for at in np.linspace(0.36, 5.92, 40)]
    photo, nothing = pixels.astype(np.uint8), np.zeros(SHAPE, bool)
    answers = {one.name: one.mask for one in looped(_Blind(), photo, nothing, loop(way))}
    assert answers["As drawn"][120, 160] and mask_iou(answers["Colour of the line"], handle > 0) > 0.9
    assert not answers["Line as drawn"][120, 160]
    closed = [one.name for one in looped(_Blind(), photo, nothing, loop([*way, way[0]]))]
    assert "Line as drawn" not in closed and "Colour of the line" not in closed


def test_what_is_taken_away_leaves_no_rim_of_crumbs() -> None:
    mask = np.zeros(SHAPE, np.uint8)
    cv2.rectangle(mask, (20, 20), (100, 200), (1,), cv2.FILLED)
    body = mask > 0
    for at in np.linspace(0, 6, 9):
        tip = (round(200 + 46 * np.cos(at)), round(120 + 46 * np.sin(at)))
        cv2.line(mask, (200, 120), tip, (1,), 1)
    cv2.circle(mask, (200, 120), 36, (1,), cv2.FILLED)
    step = loop(around(200, 120, 40, off=0.5), inside=False)
    taken = {one.name: one.mask for one in looped(_Blind(), np.full((*SHAPE, 3), 128, np.uint8), mask > 0, step)}
    assert (taken["As drawn"] == body).all()


def test_around_a_whole_stool_its_gaps_may_be_left_out_with_the_edges_where_they_are() -> None:
    photo, stool_mask, between = stool()
    path = [(92.0, 52.0), (228.0, 52.0), (228.0, 208.0), (92.0, 208.0)]
    answers = {one.name: one.mask for one in looped(_Bodies(stool_mask), photo, np.zeros(SHAPE, bool), loop(path))}
    edges, open_ = answers["Nearest edges"], answers["Without its gaps"]
    assert edges[between].mean() > 0.9 and open_[between].mean() < 0.1
    assert (open_ & ~edges).sum() == 0 and mask_iou(open_, stool_mask) > 0.9


@pytest.mark.parametrize("is_open", [True, False])
def test_what_was_drawn_around_with_its_gap_is_taken_without_it_where_the_ground_shows(is_open: bool) -> None:
    legs, whole = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    for mask in (legs, whole):
        cv2.rectangle(mask, (80, 60), (240, 110), (1,), cv2.FILLED)
        cv2.rectangle(mask, (80, 110), (120, 200), (1,), cv2.FILLED)
        cv2.rectangle(mask, (200, 110), (240, 200), (1,), cv2.FILLED)
    cv2.rectangle(whole, (80, 60), (240, 200), (1,), cv2.FILLED)
    pixels = np.full((*SHAPE, 3), 205, np.int16)
    pixels[(legs if is_open else whole) > 0] = (60, 45, 40)
    pixels += np.random.default_rng(1).integers(-5, 6, pixels.shape, np.int16)
    path = [(78.0, 58.0), (243.0, 58.0), (243.0, 203.0), (78.0, 203.0)]
    answers = list(looped(_Bodies(legs), pixels.astype(np.uint8), np.zeros(SHAPE, bool), loop(path)))
    assert answers[0].name == ("Without its gaps" if is_open else "Nearest edges")
    assert mask_iou(answers[0].mask, (legs if is_open else whole) > 0) > 0.96
    assert mask_iou(next(one.mask for one in answers if one.name == "Nearest edges"), whole > 0) > 0.95


def test_around_several_gaps_at_once_they_may_be_taken_away_alone() -> None:
    rack, whole = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, bool)
    whole[60:200, 60:260] = True
    rack[whole] = 1
    for left in (76, 122, 168):
        rack[90:180, left : left + 36] = 0
    pixels = np.full((*SHAPE, 3), 205, np.int16)
    pixels[rack > 0] = (60, 45, 40)
    pixels += np.random.default_rng(1).integers(-5, 6, pixels.shape, np.int16)
    way = ((70.0, 84.0), (212.0, 84.0), (212.0, 186.0), (70.0, 186.0))
    answers = {
        one.name: one.mask for one in looped(_Blind(), pixels.astype(np.uint8), whole, loop([*way], inside=False))
    }
    assert mask_iou(answers["Gaps inside"], rack > 0) > 0.99
    assert answers["Gaps inside"][100, 116] and not answers["Nearest edges"][100, 116]  # a bar between two of them
    # Nothing outside the loop is taken, and where no ground is to be compared with, nothing at all.
    full = np.ones(SHAPE, bool)
    assert not ground_within(pixels.astype(np.uint8), full, loop_inside(way, SHAPE), 6.0).any()


def test_a_small_opening_that_somebody_drew_around_is_no_crumb() -> None:
    body = np.zeros(SHAPE, bool)
    body[20:220, 20:300] = True
    pixels = np.full((*SHAPE, 3), 60, np.uint8)
    pixels[100:108, 100:108] = 230  # a pocket of the reins: a thousandth of the horse
    step = Step(StepKind.LOOP, False, ((98.0, 98.0), (110.0, 98.0), (110.0, 110.0), (98.0, 110.0)), 3.0)
    along = Step(StepKind.LINE, False, ((101.0, 104.0), (107.0, 104.0)), 3.0)
    for taken in (next(looped(_Blind(), pixels, body, step)).mask, next(lined(_Blind(), pixels, body, [along])).mask):
        assert not taken[102:106, 102:106].any() and (body & ~taken).sum() < 200


def test_around_a_small_part_within_the_outline_it_is_added_and_nothing_is_thrown_away() -> None:
    body = np.zeros(SHAPE, bool)
    body[60:200, 20:240] = True
    even = np.full((*SHAPE, 3), 128, np.uint8)
    # Streamers at a car's tail: hardly more than the outline holds already.
    answers = list(looped(_Blind(), even, body, loop(around(212, 120, 30, off=0.5))))
    assert (answers[0].name, answers[-1].name) == ("Added as well", "Only this")
    assert answers[0].mask[body].all() and answers[0].mask[120, 241] and not answers[-1].mask[120, 60]
    # Around most of it, where the rest was too much, it is the whole product anew.
    whole = list(looped(_Blind(), even, body, loop([(60.0, 62.0), (238.0, 62.0), (238.0, 198.0), (60.0, 198.0)])))
    assert not whole[0].mask[120, 30] and whole[-1].name == "Added as well"


def test_the_seam_of_what_is_added_has_no_gaps_and_real_openings_stay() -> None:
    body, part, drawn = (np.zeros(SHAPE, bool) for _ in range(3))
    body[60:200, 20:150] = True
    part[80:180, 152:220] = True  # a gap of two pixels all along
    body[100:104, 147:150] = body[150:180, 130:149] = False  # a speck at the seam, an opening beside it
    body[90:92, 60:62] = part[120:122, 190:192] = False  # of either alone
    drawn[70:170, 140:230] = True
    result = joined(body, part, drawn)
    assert result[82:150, 146:156].all()
    assert not result[172:180, 150:152].any(), "nobody drew there"
    assert not result[155:175, 132:146].any() and not result[90:92, 60:62].any() and not result[120:122, 190:192].any()
    assert (result | ~(body | part)).all()


def test_no_answer_to_a_loop_or_a_line_leaves_a_gap_at_the_seam(outliner: ClickOutliner) -> None:
    body, part = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    body[60:200, 20:150] = True
    part[80:180, 152:220] = True
    pixels = np.full((*SHAPE, 3), 40, np.int16)
    pixels[body | part] = 200
    pixels += np.random.default_rng(2).integers(-4, 5, pixels.shape, np.int16)
    photo = pixels.astype(np.uint8)
    wide = loop([(144.0, 74.0), (226.0, 74.0), (226.0, 186.0), (144.0, 186.0)])
    along = Step(StepKind.LINE, True, tuple((155.0, float(y)) for y in range(90, 172, 4)), 12.0)
    for step in (wide, along):
        for one in outliner.answers(photo, body, [step]).all:
            added = one.mask & part & ~body
            if added[90:170, 152].all() and one.name != "Only this":
                assert one.mask[92:168, 150:152].all(), (step.kind, one.name)
        assert added.any()


def test_a_line_that_runs_beside_the_edges_is_taken_as_exactly_and_a_rough_one_is_not() -> None:
    """A notch that SAM and the colours fill, as between petals, stays open where the rest of the line was exact."""
    disc, notch = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    cv2.circle(disc, (160, 120), 80, (1,), cv2.FILLED)
    cv2.fillPoly(notch, [np.array([(152, 30), (168, 30), (160, 110)], np.int32)], (1,))
    pixels = np.full((*SHAPE, 3), 205, np.int16)
    pixels[disc > 0] = (60, 45, 40)
    pixels += np.random.default_rng(1).integers(-5, 6, pixels.shape, np.int16)
    traced = (disc > 0) & (notch == 0)
    (contour,) = cv2.findContours(traced.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    exact = tuple((float(x), float(y)) for x, y in contour[:, 0])
    off = np.random.default_rng(2).normal(0, 5, (len(exact) // 12 + 1, 2)).repeat(12, axis=0)
    rough = tuple((x + dx, y + dy) for (x, y), (dx, dy) in zip(exact, off, strict=False))
    kept = {}
    for name, path in (("exact", exact), ("rough", rough)):
        step = Step(StepKind.LOOP, True, path, 10.0)
        answers = list(looped(_Bodies(disc), pixels.astype(np.uint8), np.zeros(SHAPE, bool), step))
        kept[name] = np.count_nonzero(answers[0].mask & (notch > 0) & (disc > 0)) / np.count_nonzero(
            (notch > 0) & (disc > 0)
        )
        assert mask_iou(answers[0].mask, disc > 0) > 0.93
    assert kept["exact"] < 0.4 < kept["rough"], kept


def test_a_gap_of_few_pixels_in_a_large_picture_is_looked_at_too() -> None:
    image, drawn, gaps = np.zeros((2400, 2400, 3), np.uint8), np.zeros((2400, 2400), bool), np.zeros((2400, 2400), bool)
    drawn[600:1800, 600:1800] = True
    gaps[901:903, 901:903] = gaps[1101:1103, 1101:1103] = True
    image[drawn] = 200
    image[901:903, 901:903] = 0  # the ground's colour; the other gap has the part's
    wanted = gaps.copy()
    wanted[1000:] = False
    np.testing.assert_array_equal(like_ground(image, gaps, drawn, drawn, reach=5.0), wanted)
