"""New light for a scene: what of it takes that light, to the pixel, and that no detail comes from the relit picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lib_photoshoot.staging.light import Light, taking, with_light
from lib_photoshoot.staging.plan import Staged, StagePlan
from lib_photoshoot.staging.shadow import contact_shadows
from lib_photoshoot.staging.stage import stage
from tests.staging.standing import BOTTLE, CUP, photo


def staged(dtype: type = np.uint8, **plan: object) -> Staged:
    return stage(photo(dtype), [BOTTLE, CUP], StagePlan(backdrop="#707070", **plan))  # type: ignore[arg-type]


def brighter(picture: np.ndarray) -> np.ndarray:
    """The picture in the light of a warm lamp, and every fine detail of it another."""
    noise = np.random.default_rng(9).integers(-30, 31, picture.shape)
    return np.clip(picture.astype(int) // 2 + (110, 90, 60) + noise, 0, 255).astype(np.uint8)


class Lamp:
    """See ``LightPainter``."""

    name = "lamp"

    def relit(self, picture: np.ndarray, staged: Staged) -> np.ndarray:
        return brighter(picture)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_edges_and_shaded_ground_take_it_and_every_other_pixel_stays(dtype: type) -> None:
    scene = staged(dtype, shadow=0.5)
    after = Light(Lamp()).on(scene.image, scene)
    changed = (after != scene.image).any(axis=2)
    edge = (scene.alpha > 0) & (scene.alpha < 255)
    ground = contact_shadows(scene.regions, scene.alpha.shape, 1.0) > 0
    assert after.dtype == dtype and not changed[scene.alpha == 255].any()
    assert not changed[~edge & ~ground].any(), "the scene beyond them is as it was painted"
    assert (
        changed[edge].mean() > 0.8
        and changed[(contact_shadows(scene.regions, scene.alpha.shape, 1.0) > 0.2) & (scene.alpha == 0)].mean() > 0.9
    )


def test_the_shaded_ground_takes_it_though_no_shadow_was_asked_for() -> None:
    scene = staged()
    below = np.s_[202:204, 115:165]
    assert (taking(scene)[below] > 0.1).all() and taking(scene)[20:40].max() == 0


def test_the_products_take_it_when_asked_and_keep_their_details() -> None:
    scene = staged()
    after = Light(Lamp(), product=True).on(scene.image, scene)
    inside = cv2.erode(BOTTLE.mask.astype(np.uint8), np.ones((25, 25))) > 0
    assert (after[inside] != scene.image[inside]).any(axis=1).mean() > 0.9
    fine = [
        picture - cv2.GaussianBlur(picture, (0, 0), 4)
        for picture in (
            scene.image.astype(np.float32),
            after.astype(np.float32),
            brighter(scene.image).astype(np.float32),
        )
    ]
    own, kept, relit = (one[inside].ravel() for one in fine)
    # Noise of all levels is cut off at white and black, so not all of it can stay.
    assert np.corrcoef(own, kept)[0, 1] > 0.95 > np.corrcoef(own, relit)[0, 1]
    assert not (after != scene.image).any(axis=2)[:40].any(), "the scene stays"


def test_a_product_is_not_lit_by_what_is_behind_it() -> None:
    scene = staged()
    glowing = scene.image.copy()
    glowing[scene.alpha < 128] = 255
    after = with_light(scene.image, glowing, scene, product=True)
    inside = cv2.erode(BOTTLE.mask.astype(np.uint8), np.ones((7, 7))) > 0
    assert np.abs(after[inside].astype(int) - scene.image[inside]).max() <= 3, "of 140 levels, by the soft edge alone"


def test_the_strength_is_a_share_of_it_and_none_is_none() -> None:
    scene = staged()
    relit = brighter(scene.image)
    none, half, whole = (with_light(scene.image, relit, scene, True, strength) for strength in (0.0, 0.5, 1.0))
    assert (none == scene.image).all()
    there = (cv2.erode(CUP.mask.astype(np.uint8), np.ones((9, 9))) > 0) & ((whole > 0) & (whole < 255)).all(axis=2)
    change = [picture[there].astype(int) - scene.image[there] for picture in (half, whole)]
    assert np.abs(2 * change[0] - change[1]).max() <= 2


def test_a_picture_of_another_size_is_refused() -> None:
    scene = staged()
    with pytest.raises(ValueError, match="uint8 of one shape"):
        with_light(scene.image, scene.image[:-1], scene)
