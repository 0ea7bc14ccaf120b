"""Growth looked for by the real segmenter, around a product outlined in a real photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Reason
from lib_photoshoot.staging.plan import Staged, StagePlan
from lib_photoshoot.staging.protocol import Attempt
from lib_photoshoot.staging.scene import SceneLimits, paint_scene
from lib_photoshoot.staging.stage import stage
from tests.conftest import ROOT


class Painter:
    """Paints a floor and a wall, and where it is told a second copy of the product behind it, turned."""

    name = "turned"
    can_grow = True

    def __init__(self, angle: float | None) -> None:
        self.angle = angle

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        height, width = staged.alpha.shape
        scene = np.full_like(staged.image, (206, 214, 198))
        scene[height * 2 // 3 :] = (120, 96, 70)
        if self.angle is not None:
            x0, y0, x1, y1 = staged.regions[0].box
            turn = cv2.getRotationMatrix2D(((x0 + x1) / 2, (y0 + y1) / 2), self.angle, 1.0)
            turn[:, 2] += (0.12 * (x1 - x0), -0.3 * (y1 - y0))
            share = cv2.warpAffine(staged.alpha, turn, (width, height))[..., None] / 255
            copy = cv2.warpAffine(staged.article, turn, (width, height))
            scene = np.rint(scene * (1 - share) + copy * share).astype(np.uint8)
        return scene


@pytest.fixture(scope="module")
def staged(product_filter) -> Staged:
    photo = np.array(Image.open(ROOT / "samples" / "coffee.jpg").convert("RGB"))
    found = product_filter.detect(photo, parse_products("cup"))
    return stage(photo, found.regions, StagePlan((640, 640), share=0.5, ground=0.85, backdrop="#e8e8e8", shadow=0.5))


def test_a_second_cup_behind_the_cup_is_seen(product_filter, staged) -> None:
    scene = paint_scene(staged, Painter(25.0), product_filter.look, SceneLimits(tries=1))
    assert scene.reason is Reason.PRODUCT_GREW and 0.05 < scene.tries[0].gained < 1.0


def test_a_filter_looks_at_textures_of_every_pixel(product_filter, staged) -> None:
    textures = product_filter.look.textures(staged.image[:123, :77])
    assert textures.shape[:2] == (123, 77) and textures.dtype == np.float32
    flat = textures.reshape(-1, textures.shape[2])
    assert np.abs(flat.mean(0)).max() < 1e-3 and np.abs(flat.std(0) - 1).max() < 0.01


def test_a_floor_and_a_wall_are_none_of_the_cup(product_filter, staged) -> None:
    scene = paint_scene(staged, Painter(None), product_filter.look)
    assert scene.image is not None and scene.tries[0].gained <= 0.02 and len(scene.tries) == 1
    assert scene.changed == 0 and scene.tries[0].growths[0].hidden < 0.1
