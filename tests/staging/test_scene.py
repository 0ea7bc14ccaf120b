"""A scene is painted, looked at, tried again, and given up: with a painter whose paintings are known."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from lib_photoshoot.results import Doubt, ProductRegion, Reason
from lib_photoshoot.staging.plan import Staged, StagePlan
from lib_photoshoot.staging.protocol import Attempt
from lib_photoshoot.staging.scene import SceneLimits, paint_scene
from lib_photoshoot.staging.stage import stage
from tests.staging.standing import BOTTLE, CUP, photo

GREEN, RED = (40, 160, 60), (200, 30, 30)


class RedBottlesPainter:
    """Paints a green scene, with something red where it is told: one list of boxes for each try."""

    name = "red bottles"
    can_grow = True

    def __init__(self, *tries: Sequence[tuple[int, int, int, int]]) -> None:
        self.tries = tries
        self.attempts: list[Attempt] = []

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        self.attempts.append(attempt)
        scene = np.full_like(staged.image, GREEN)
        for x0, y0, x1, y1 in self.tries[attempt.number]:
            scene[y0:y1, x0:x1] = RED
        return scene


def red_photo() -> np.ndarray:
    image = photo()
    for product in (BOTTLE, CUP):
        image[product.mask] = RED
    return image


def look(image: np.ndarray, regions: Sequence[ProductRegion]) -> list[np.ndarray]:
    """What is red is product, as far as it hangs together with the region."""
    red = (np.abs(image.astype(int) - RED).sum(axis=2) < 60).astype(np.uint8)
    _, labels = cv2.connectedComponents(red)
    return [np.isin(labels, np.unique(labels[region.mask & (red > 0)])) for region in regions]


NECK = (130, 10, 150, 55)
FAR = (330, 10, 390, 60)


def staged(**more: object) -> Staged:
    return stage(red_photo(), [BOTTLE, CUP], StagePlan(backdrop="#c0c0c0", **more))  # type: ignore[arg-type]


def test_a_scene_in_which_nothing_grew_is_taken_at_once() -> None:
    painter = RedBottlesPainter([FAR])
    scene = paint_scene(staged(), painter, look)
    assert scene.image is not None and scene.reason is None and scene.changed == 0
    assert [attempt.number for attempt in painter.attempts] == [0]
    assert scene.tries[0].gained < 0.005 and not scene.doubts
    assert (scene.image[20, 350] == RED).all(), "something else that is red is no growth"


def test_a_second_neck_is_painted_again_further_away() -> None:
    painter = RedBottlesPainter([NECK], [])
    scene = paint_scene(staged(), painter, look, SceneLimits(keep_out=2))
    assert scene.image is not None and (scene.image[20, 140] == GREEN).all()
    assert [(attempt.number, attempt.keep_out) for attempt in painter.attempts] == [(0, 2), (1, 4)]
    assert scene.tries[0].gained == pytest.approx(20 * 40 / (80 * 150), rel=0.2)
    assert scene.tries[0].growths[1].gained < 0.005, "the cup has not grown"


def test_after_the_last_try_the_original_stays_and_says_why() -> None:
    painter = RedBottlesPainter([NECK], [NECK], [NECK], [])
    scene = paint_scene(staged(), painter, look, SceneLimits(tries=3))
    assert scene.image is None and scene.reason is Reason.PRODUCT_GREW and len(scene.tries) == 3


def test_the_limit_is_the_users() -> None:
    scene = paint_scene(staged(), RedBottlesPainter([NECK]), look, SceneLimits(growth=0.2))
    assert scene.image is not None and len(scene.tries) == 1


def test_what_cannot_grow_is_not_looked_at() -> None:
    painter = RedBottlesPainter([NECK])
    painter.can_grow = False

    def forbidden(image: np.ndarray, regions: Sequence[ProductRegion]) -> list[np.ndarray]:
        raise AssertionError("nobody needs to look")

    scene = paint_scene(staged(), painter, forbidden)
    assert scene.image is not None and scene.tries == () and scene.changed == 0


def test_what_is_no_longer_seen_is_a_doubt() -> None:
    def half(image: np.ndarray, regions: Sequence[ProductRegion]) -> list[np.ndarray]:
        seen = look(image, regions)
        if (image[0, 0] == GREEN).all():
            for mask in seen:
                mask[:130] = False
        return seen

    scene = paint_scene(staged(), RedBottlesPainter([]), half)
    assert scene.image is not None and Doubt.PRODUCT_HIDDEN in scene.doubts


def test_a_product_that_touches_nothing_floats_where_a_ground_was_asked_for() -> None:
    assert Doubt.FLOATING in paint_scene(staged(ground=0.8), RedBottlesPainter([]), look).doubts
    assert Doubt.FLOATING not in paint_scene(staged(), RedBottlesPainter([]), look).doubts

    class Shaded(RedBottlesPainter):
        def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
            return staged.surface.copy()

    shaded = staged(ground=0.8, shadow=0.5)
    assert Doubt.FLOATING not in paint_scene(shaded, Shaded([]), look).doubts
