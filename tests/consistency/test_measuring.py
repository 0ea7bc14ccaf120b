"""What is measured of one picture, on renders of which light, camera and place are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from lib_photoshoot.consistency.measuring import measure_traits
from lib_photoshoot.consistency.sets import SURE
from lib_photoshoot.consistency.traits import Measured, Trait
from tests.consistency.renders import Scene, render

LEFT, RIGHT, ABOVE = (-0.8, 0.5, 0.4), (0.8, 0.5, 0.4), (0.1, 0.9, 0.4)


def apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


@pytest.mark.parametrize("light", [LEFT, RIGHT, ABOVE])
@pytest.mark.parametrize("printed", [0.0, 0.5])
def test_a_balls_shading_tells_the_light(light: tuple[float, float, float], printed: float) -> None:
    scene = render(Scene("ball", light, print_=printed))
    found = measure_traits(scene.picture, scene.mask)[Trait.LIGHT]
    assert found.confidence >= SURE and apart(found.values[0], scene.light) < 15


def test_the_light_turns_round_in_the_mirror() -> None:
    scene = render(Scene("can", LEFT, print_=0.3))
    seen = measure_traits(scene.picture, scene.mask)
    mirrored = measure_traits(np.ascontiguousarray(scene.picture[:, ::-1]), np.ascontiguousarray(scene.mask[:, ::-1]))
    for trait in (Trait.LIGHT, Trait.SHADOW):
        assert apart(180 - seen[trait].values[0], mirrored[trait].values[0]) < 3


def test_a_flat_picture_tells_no_light() -> None:
    mask = np.zeros((200, 200), bool)
    mask[40:160, 50:150] = True
    flat = np.full((200, 200, 3), 240, np.uint8)
    flat[mask] = (90, 120, 160)
    found = measure_traits(flat, mask)
    assert Trait.SHADOW not in found
    assert Trait.LIGHT not in found or found[Trait.LIGHT].confidence < SURE


@pytest.mark.parametrize("kind", ["ball", "can", "box"])
@pytest.mark.parametrize("light", [LEFT, RIGHT])
def test_the_shadow_tells_the_side(kind: str, light: tuple[float, float, float]) -> None:
    scene = render(Scene(kind, light))
    found = measure_traits(scene.picture, scene.mask)[Trait.SHADOW]
    assert found.confidence >= SURE and apart(found.values[0], scene.shadow) < 35


def test_on_a_busy_ground_no_shadow_is_believed() -> None:
    scene = render(Scene("box", LEFT))
    noise = np.random.default_rng(1).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    busy = cv2.resize(noise, scene.picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    busy[scene.mask] = scene.picture[scene.mask]
    assert Trait.SHADOW not in measure_traits(busy, scene.mask)


@pytest.mark.parametrize("elevation", [10.0, 25.0])
def test_a_round_base_tells_how_high_the_camera_is(elevation: float) -> None:
    scene = render(Scene("can", RIGHT, elevation, size=(480, 480)))
    found = measure_traits(scene.picture, scene.mask)[Trait.ELEVATION]
    assert abs(found.values[0] - scene.elevation) < 6


@pytest.mark.parametrize("kind", ["ball", "box"])
def test_no_camera_height_without_a_round_base(kind: str) -> None:
    scene = render(Scene(kind, RIGHT, 25.0, size=(480, 480)))
    found = measure_traits(scene.picture, scene.mask)
    assert Trait.ELEVATION not in found or found[Trait.ELEVATION].confidence < SURE


@pytest.mark.parametrize("degrees", [-6.0, 0.0, 4.0])
def test_a_leaning_can(degrees: float) -> None:
    mask = np.zeros((400, 400), np.uint8)
    cv2.rectangle(mask, (140, 90), (260, 330), 255, cv2.FILLED)
    turned = cv2.warpAffine(mask, cv2.getRotationMatrix2D((200, 200), -degrees, 1), (400, 400)) > 127
    found = measure_traits(np.zeros((400, 400, 3), np.uint8), turned)[Trait.LEAN]
    assert found.confidence >= SURE and abs(found.values[0] - degrees) < 0.7


def test_the_white_point_moves_as_the_light_does() -> None:
    grey = render(Scene("ball", ABOVE, ground=(0.75, 0.75, 0.75)))
    warm = render(Scene("ball", ABOVE, ground=(0.78, 0.75, 0.66)))
    before, after = (measure_traits(one.picture, one.mask)[Trait.WHITE] for one in (grey, warm))
    assert before.confidence >= SURE and math.hypot(*before.values) < 1
    assert after.confidence >= SURE and after.values[1] - before.values[1] > 4


def test_what_is_hidden_is_no_white() -> None:
    scene = render(Scene("ball", ABOVE, colour=(0.3, 0.1, 0.05)))
    alpha = np.where(scene.mask, 255, 0).astype(np.uint8)
    found = measure_traits(scene.picture, scene.mask, alpha=alpha)
    assert Trait.SHADOW not in found
    assert Trait.WHITE not in found or found[Trait.WHITE].confidence < SURE


def test_size_and_ground_line() -> None:
    scene = render(Scene("box", RIGHT, size=(240, 320)))
    rows, columns = np.nonzero(scene.mask)
    found = measure_traits(scene.picture, scene.mask)
    assert found[Trait.SIZE].values[0] == pytest.approx(max(np.ptp(columns) + 1, 0.75 * (np.ptp(rows) + 1)) / 240)
    assert found[Trait.GROUND].values[0] == pytest.approx((rows.max() + 1) / 320, abs=0.01)
    assert found[Trait.GROUND].values[1] == pytest.approx((rows.min() + rows.max() + 1) / 640, abs=0.01)


def test_what_the_frame_cuts_off_has_no_ground_line() -> None:
    mask = np.zeros((100, 100), bool)
    mask[60:, 20:60] = True
    found = measure_traits(np.full((100, 100, 3), 128, np.uint8), mask)
    assert Trait.GROUND not in found and found[Trait.SIZE].confidence < SURE


def test_what_fills_the_frame_has_its_size() -> None:
    mask = np.zeros((100, 100), bool)
    mask[:, 20:60] = True
    assert measure_traits(np.full((100, 100, 3), 128, np.uint8), mask)[Trait.SIZE] == Measured((1.0,), 1.0)


def test_sixteen_bits_say_the_same() -> None:
    scene = render(Scene("can", LEFT))
    eight = measure_traits(scene.picture, scene.mask)
    deep = measure_traits(scene.picture.astype(np.uint16) * 257, scene.mask)
    assert eight.keys() == deep.keys()
    for trait, one in eight.items():
        assert deep[trait].values == pytest.approx(one.values, abs=0.5)


def test_nothing_is_measured_of_nothing() -> None:
    assert measure_traits(np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), bool)) == {}


def test_one_pixel_is_a_product_too() -> None:
    mask = np.zeros((50, 50), bool)
    mask[20, 20] = True
    assert Trait.LIGHT not in measure_traits(np.zeros((50, 50, 3), np.uint8), mask)
