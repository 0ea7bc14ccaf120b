"""Steps to outlines, with the embedded SAM: what a person adds, takes away and draws around."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.fixer import click_outliner
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.pages.fixing import Step, StepKind
from lib_photoshoot.segmentation.protocol import SoftCandidate
from lib_photoshoot.segmentation.sam import SamSegmenter


@pytest.fixture(scope="module")
def outliner() -> ClickOutliner:
    try:
        return click_outliner()
    except WeightsError as error:
        pytest.skip(f"embedded weights absent: {error}")


def click(x: float, y: float, inside: bool = True, choice: int | None = None) -> Step:
    return Step(StepKind.CLICK, inside, ((x, y),), 3.0, choice)


def box(x0: float, y0: float, x1: float, y1: float) -> Step:
    return Step(StepKind.BOX, True, ((x0, y0), (x1, y1)))


def disc(x: int, y: int, radius: int) -> np.ndarray:
    mask = np.zeros((240, 320), np.uint8)
    cv2.circle(mask, (x, y), radius, (1,), cv2.FILLED)
    return mask > 0


RED, BLUE = disc(90, 120, 50), disc(230, 120, 50)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A red and a blue disc on a grey ground with some noise."""
    pixels = np.full((240, 320, 3), (150, 150, 145), np.int16)
    pixels[RED], pixels[BLUE] = (190, 40, 40), (40, 60, 190)
    noise = np.random.default_rng(0).integers(-6, 7, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def test_a_click_or_a_box_outlines_what_is_there(outliner: ClickOutliner, picture: np.ndarray) -> None:
    for step in (click(90, 120), box(38, 71, 142, 172)):
        assert mask_iou(outliner.outline(picture, None, [step]), RED) > 0.95


def test_a_click_adds_and_another_takes_away_again(outliner: ClickOutliner, picture: np.ndarray) -> None:
    both = outliner.outline(picture, RED, [click(230, 120)])
    assert mask_iou(both, RED | BLUE) > 0.95 and np.array_equal(both & ~BLUE & RED, RED), "what was right stays"
    less = outliner.outline(picture, RED | BLUE, [click(230, 120, False)])
    assert mask_iou(less, RED) > 0.95
    again = outliner.outline(picture, RED, [click(230, 120), click(230, 120, False)])
    assert mask_iou(again, RED) > 0.95


def test_every_click_is_obeyed_even_where_there_is_nothing(outliner: ClickOutliner, picture: np.ndarray) -> None:
    for x, y, inside in ((160.0, 20.0, True), (90.0, 120.0, False)):
        assert outliner.outline(picture, RED, [click(x, y, inside)])[int(y), int(x)] == inside


def test_nothing_asked_is_nothing_changed(outliner: ClickOutliner, picture: np.ndarray) -> None:
    assert np.array_equal(outliner.outline(picture, RED, []), RED)
    assert not outliner.outline(picture, None, []).any()


def test_the_picture_is_encoded_once_and_ahead_and_known_answers_are_not_asked_again(
    outliner: ClickOutliner, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = np.ascontiguousarray(picture[:, ::-1])
    outliner.prepare(other)
    monkeypatch.setattr(SamSegmenter, "_keep", lambda *_: pytest.fail("encoded again"))
    clicks = [click(90, 120), click(60, 120)]
    first = outliner.outline(other, BLUE, clicks)
    asked: list[float] = []
    monkeypatch.setattr(SamSegmenter, "prompted", lambda *_: asked.append(time.time()))
    assert np.array_equal(outliner.outline(other, BLUE, clicks), first) and not asked


class Crumbling:
    """Answers with a disc, an island that nobody meant, and a hole."""

    def prompted(self, image, box, points, shape, prior=None) -> list[SoftCandidate]:
        answer = (RED | disc(250, 60, 2)) & ~disc(90, 120, 1)
        return [SoftCandidate(answer.astype(np.float32), 0.9)]


def test_crumbs_of_an_answer_are_not_shown_and_those_of_a_person_stay(picture: np.ndarray) -> None:
    outliner = ClickOutliner(Crumbling())  # type: ignore[arg-type]
    assert (outliner.outline(picture, None, [box(38, 71, 142, 172)]) == RED).all()
    mine = disc(200, 200, 2)
    painted = (RED | mine) & ~disc(60, 120, 2)
    after = outliner.outline(picture, painted, [click(250, 60)])
    assert after[200, 200] and not after[120, 60] and after[60, 250]


class Unmoved:
    """Sees nothing to change of an outline, whatever is clicked, and ``here`` where it is asked about a place alone."""

    def __init__(self, here: np.ndarray) -> None:
        self.here = here

    def prompted(self, image, box, points, shape, prior=None) -> list[SoftCandidate]:
        alone = box is None and prior is None and points
        answer = self.here if alone else np.ones_like(self.here)
        return [SoftCandidate(answer.astype(np.float32), 0.9)]


def test_where_nothing_is_seen_to_change_what_is_closed_at_the_click_goes_and_no_disc(picture: np.ndarray) -> None:
    legs = np.zeros((240, 320), np.uint8)
    cv2.rectangle(legs, (40, 40), (280, 200), (1,), cv2.FILLED)
    gap = np.zeros((240, 320), bool)
    gap[60:180, 148:172] = True  # a disc at the click would be wider
    outline, pixels = legs > 0, np.full((240, 320, 3), 60, np.int16)
    pixels[:, 60:260:6], pixels[gap] = 130, 210  # no patch of one colour is all of the product
    pixels += np.random.default_rng(0).integers(-4, 5, pixels.shape, np.int16)
    photo = pixels.astype(np.uint8)
    for here in (gap, outline):  # as a thing too, or by its colour alone
        answers = ClickOutliner(Unmoved(here)).answers(photo, outline, [click(160, 120, False)])  # type: ignore[arg-type]
        assert mask_iou(answers.mask(None), outline & ~gap) > 0.99
        assert mask_iou(outline & ~answers.mask(None), gap) > 0.9
        assert "Round spot" in answers.names
    even = np.full_like(photo, 60)
    spot = ClickOutliner(Unmoved(outline)).answers(even, outline, [click(160, 120, False)])  # type: ignore[arg-type]
    taken = outline & ~spot.mask(None)
    assert taken[120, 160] and 0 < taken.sum() < 0.05 * outline.sum(), "nothing else lies there"
