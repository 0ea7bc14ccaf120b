"""A scene is painted, looked at, tried again, and given up: with a painter whose paintings are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from lib_photoshoot.results import Doubt, Reason
from lib_photoshoot.staging.plan import Staged, StagePlan
from lib_photoshoot.staging.protocol import Attempt, SceneLook
from lib_photoshoot.staging.scene import SceneLimits, paint_scene
from lib_photoshoot.staging.stage import stage
from tests.staging.standing import BOTTLE, CUP, HEIGHT, photo

GREEN, RED = (40, 160, 60), (200, 30, 30)


class RedBottlesPainter:
    """Paints a green scene, with something red where it is told: one list of boxes for each try."""

    name = "red bottles"
    can_grow = True

    def __init__(self, *tries: Sequence[tuple[int, int, int, int]], red: tuple[int, int, int] = RED) -> None:
        self.tries = tries
        self.red = red
        self.attempts: list[Attempt] = []

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        self.attempts.append(attempt)
        scene = np.full_like(staged.image, GREEN)
        for x0, y0, x1, y1 in self.tries[attempt.number]:
            scene[y0:y1, x0:x1] = self.red
        return scene


def red_photo() -> np.ndarray:
    image = photo()
    for product in (BOTTLE, CUP):
        image[product.mask] = RED
    return image


@dataclass(frozen=True, eq=False)
class Seen:
    """See ``SeenThere``."""

    probability: np.ndarray
    quality: float = 0.95


class SameColourLooker:
    """What lies at a place is what is of its colour and hangs together; places that are none of it end it at the
    products' own edges, as a segmenter does.
    """

    def prompted(
        self,
        image: np.ndarray,
        box: tuple[float, float, float, float] | None,
        points: Sequence[tuple[float, float, bool]],
        shape: tuple[int, ...],
    ) -> list[Seen]:
        small = cv2.resize(image, shape[1::-1], interpolation=cv2.INTER_AREA).astype(int)
        scale = image.shape[1] / shape[1]
        (x, y), *_ = [(x, y) for x, y, is_it in points if is_it]
        colour = small[int(y / scale), int(x / scale)]
        alike = np.abs(small - colour).sum(axis=2) < 60
        if not all(is_it for *_, is_it in points):
            for product in (BOTTLE, CUP):
                alike &= cv2.resize(product.mask.astype(np.uint8), shape[1::-1], interpolation=cv2.INTER_AREA) == 0
        _, labels = cv2.connectedComponents(alike.astype(np.uint8))
        return [Seen((labels == labels[int(y / scale), int(x / scale)]).astype(np.float32))]


LOOKER = SceneLook(SameColourLooker())
NECK = (130, 10, 150, 55)
FAR = (330, 10, 390, 60)


def staged(**more: object) -> Staged:
    return stage(red_photo(), [BOTTLE, CUP], StagePlan(backdrop="#c0c0c0", **more))  # type: ignore[arg-type]


def test_a_scene_in_which_nothing_grew_is_taken_at_once() -> None:
    painter = RedBottlesPainter([FAR])
    scene = paint_scene(staged(), painter, LOOKER)
    assert scene.image is not None and scene.reason is None and scene.changed == 0
    assert [attempt.number for attempt in painter.attempts] == [0]
    assert scene.tries[0].gained < 0.005 and not scene.doubts
    assert (scene.image[20, 350] == RED).all(), "something else that is red is no growth"


def test_a_second_neck_is_painted_again_further_away() -> None:
    painter = RedBottlesPainter([NECK], [])
    scene = paint_scene(staged(), painter, LOOKER, SceneLimits(keep_out=2))
    assert scene.image is not None and (scene.image[20, 140] == GREEN).all()
    assert [(attempt.number, attempt.keep_out) for attempt in painter.attempts] == [(0, 2), (1, 4)]
    assert scene.tries[0].gained == pytest.approx(20 * 40 / (80 * 150), rel=0.2)
    assert scene.tries[0].growths[1].gained < 0.005, "the cup has not grown"


def test_growth_is_seen_without_anything_that_looks_and_what_is_hidden_is_not_told() -> None:
    scene = paint_scene(staged(), RedBottlesPainter([NECK], []))
    assert len(scene.tries) == 2 and scene.tries[0].gained > 0.02
    assert [growth.hidden for growth in scene.tries[1].growths] == [None, None]


def test_after_the_last_try_the_original_stays_and_says_why() -> None:
    painter = RedBottlesPainter([NECK], [NECK], [NECK], [])
    scene = paint_scene(staged(), painter, LOOKER, SceneLimits(tries=3))
    assert scene.image is None and scene.reason is Reason.PRODUCT_GREW and len(scene.tries) == 3


def test_the_limit_is_the_users() -> None:
    scene = paint_scene(staged(), RedBottlesPainter([NECK]), LOOKER, SceneLimits(growth=0.2))
    assert scene.image is not None and len(scene.tries) == 1


def test_what_cannot_grow_is_not_looked_at() -> None:
    painter = RedBottlesPainter([NECK])
    painter.can_grow = False

    class NobodyLooks(SameColourLooker):
        def prompted(self, *given: object) -> list[Seen]:  # type: ignore[override]
            raise AssertionError("nobody needs to look")

    scene = paint_scene(staged(), painter, SceneLook(NobodyLooks()))
    assert scene.image is not None and scene.tries == () and scene.changed == 0


def test_what_is_no_longer_seen_is_a_doubt() -> None:
    class HalfSeen(SameColourLooker):
        def prompted(
            self,
            image: np.ndarray,
            box: tuple[float, float, float, float] | None,
            points: Sequence[tuple[float, float, bool]],
            shape: tuple[int, ...],
        ) -> list[Seen]:
            answers = super().prompted(image, box, points, shape)
            if (image[0, 0] == GREEN).all():
                for answer in answers:
                    answer.probability[: shape[0] * 130 // HEIGHT] = 0
            return answers

    scene = paint_scene(staged(), RedBottlesPainter([]), SceneLook(HalfSeen()))
    assert scene.image is not None and Doubt.PRODUCT_HIDDEN in scene.doubts


def test_a_product_that_touches_nothing_floats_where_a_ground_was_asked_for() -> None:
    assert Doubt.FLOATING in paint_scene(staged(ground=0.8), RedBottlesPainter([]), LOOKER).doubts
    assert Doubt.FLOATING not in paint_scene(staged(), RedBottlesPainter([]), LOOKER).doubts

    class Shaded(RedBottlesPainter):
        def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
            return staged.surface.copy()

    shaded = staged(ground=0.8, shadow=0.5)
    assert Doubt.FLOATING not in paint_scene(shaded, Shaded([]), LOOKER).doubts


OPENING = (120, 90, 150, 130)


def test_what_shows_through_an_opening_is_no_growth() -> None:
    opened = BOTTLE.alpha.copy() if BOTTLE.alpha is not None else np.zeros((HEIGHT, 1), np.uint8)
    opened[90:130, 120:150] = 0
    bottle = replace(BOTTLE, alpha=opened)
    start = stage(red_photo(), [bottle, CUP], StagePlan(backdrop="#c0c0c0"))
    scene = paint_scene(start, RedBottlesPainter([OPENING]), LOOKER)
    assert scene.image is not None and scene.tries[0].gained < 0.005


def test_a_red_wall_that_goes_on_is_no_growth() -> None:
    painter = RedBottlesPainter([(0, 0, 400, 260)], red=(180, 52, 56))
    scene = paint_scene(staged(), painter, LOOKER)
    assert scene.image is not None and len(scene.tries) == 1
