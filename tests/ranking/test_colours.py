"""Colour variants and prints are products of their own; a picture that was saved again is a repeat."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.perceptual_hash import NEAR_DUPLICATE, difference_hash
from lib_photoshoot.ranking.colours import colours, same_colours
from lib_photoshoot.ranking.order import MeasuredPicture, rank
from lib_photoshoot.ranking.qualities import Quality

SIDE = 480
# Brown and olive, the closest two, are what once "looked the same".
MUGS = {
    "brown": (120, 80, 50),
    "olive": (115, 110, 50),
    "navy": (40, 50, 110),
    "red": (190, 40, 40),
    "white": (235, 235, 230),
    "black": (35, 35, 38),
}
PRINTS = ("plain", "stripes", "dots", "heart")


def shaded(mask: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A picture of a product on a light ground, lighter on its left."""
    light = np.linspace(1.1, 0.75, SIDE)[None, :, None]
    picture = np.full((SIDE, SIDE, 3), 225.0)
    picture[mask] = (np.array(colour) * np.broadcast_to(light, (SIDE, SIDE, 1)))[mask]
    noise = np.random.default_rng(3).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def mug(colour: str) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(mask, (120, 120), (310, 380), 1, -1)
    cv2.ellipse(mask, (310, 250), (70, 80), 0, 0, 360, 1, 26)
    return shaded(mask.astype(bool), MUGS[colour]), mask.astype(bool)


def shirt(print_: str) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(
        mask, [np.array([(90, 110), (390, 110), (440, 210), (340, 220), (340, 420), (140, 420), (140, 220)])], 1
    )
    picture = shaded(mask.astype(bool), (210, 205, 200))
    ink = (60, 70, 120)
    if print_ == "stripes":
        for top in range(190, 360, 34):
            cv2.rectangle(picture, (150, top), (330, top + 10), ink, -1)
    elif print_ == "dots":
        for x, y in np.ndindex(4, 4):
            cv2.circle(picture, (180 + 40 * x, 210 + 40 * y), 9, ink, -1)
    elif print_ == "heart":
        cv2.circle(picture, (215, 240), 32, (170, 40, 60), -1)
        cv2.circle(picture, (265, 240), 32, (170, 40, 60), -1)
        cv2.fillPoly(picture, [np.array([(187, 258), (293, 258), (240, 330)])], (170, 40, 60))
    return picture, mask.astype(bool)


def repeats(picture: np.ndarray, mask: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=80)
    lighter = np.clip(picture.astype(float) * 1.05, 0, 255).astype(np.uint8)
    return {
        "jpeg": (np.asarray(Image.open(buffer)), mask),
        "shifted": (np.roll(picture, (2, 2), (0, 1)), np.roll(mask, (2, 2), (0, 1))),
        # As where the outline was drawn anew, and lies elsewhere in the product.
        "outlined anew": (picture, np.roll(mask, (2, 2), (0, 1))),
        "lighter": (lighter, mask),
    }


def measured(name: str, picture: np.ndarray, mask: np.ndarray, score: float) -> MeasuredPicture:
    qualities = (Quality("sharpness", score, ""),)
    return MeasuredPicture(name, "product", qualities, difference_hash(picture), colours=colours(picture, mask))


@pytest.mark.parametrize(("draw", "variants"), [(mug, tuple(MUGS)), (shirt, PRINTS)])
def test_repeats_are_grouped_and_variants_never(draw, variants) -> None:
    pictures = []
    for number, variant in enumerate(variants):
        original = draw(variant)
        pictures.append(measured(variant, *original, 0.9 - number / 100))
        pictures += [measured(f"{variant}, {how}", *again, 0.5) for how, again in repeats(*original).items()]
    ranked = rank(pictures, near=64)  # the shape alone would make one group of all
    assert {item.measured.file: {other.measured.file for other in item.duplicates} for item in ranked} == {
        variant: {f"{variant}, {how}" for how in ("jpeg", "shifted", "outlined anew", "lighter")}
        for variant in variants
    }
    by_default = {item.measured.file for item in rank(pictures)}
    assert set(variants) <= by_default


def test_the_shape_alone_does_not_tell_the_variants_apart() -> None:
    mugs = [difference_hash(mug(colour)[0]) for colour in MUGS if colour != "white"]
    shirts = [difference_hash(shirt(print_)[0]) for print_ in PRINTS]
    for hashes in (mugs, shirts):
        assert max((a ^ b).bit_count() for a in hashes for b in hashes) <= NEAR_DUPLICATE


def test_what_was_not_measured_says_nothing() -> None:
    picture, mask = mug("red")
    assert colours(picture, np.zeros_like(mask)) is None
    assert same_colours(None, colours(picture, mask)) and same_colours(None, None)
