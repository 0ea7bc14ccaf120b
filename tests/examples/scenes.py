"""Drawn products: shirts that differ in their print only, mugs that differ in their colour only."""

from __future__ import annotations

import cv2
import numpy as np

COLOURS = {
    "red": (200, 40, 45),
    "green": (40, 140, 60),
    "blue": (45, 70, 180),
    "yellow": (225, 190, 40),
    "black": (35, 35, 38),
    "violet": (130, 60, 150),
}


def shirt(print_seed: int, side: int = 420) -> tuple[np.ndarray, np.ndarray]:
    """A white shirt with a picture of coloured shapes on its chest, uint8 RGB, and its mask (bool)."""
    mask = np.zeros((side, side), np.uint8)
    outline = np.array([[.3, .1], [.7, .1], [.97, .3], [.85, .45], [.75, .38], [.75, .95], [.25, .95], [.25, .38],
                        [.15, .45], [.03, .3]])  # fmt: skip
    cv2.fillPoly(mask, [np.round(outline * side).astype(np.int32)], 1)
    image = np.full((side, side, 3), 236, np.uint8)
    image[mask > 0] = (205, 205, 200)
    rng = np.random.default_rng(print_seed)
    for _ in range(60):
        centre = tuple(int(v) for v in rng.uniform((0.34, 0.36), (0.66, 0.8)) * side)
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        size = int(rng.integers(5, 24))
        if rng.random() < 0.5:
            cv2.circle(image, centre, size, colour, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(image, centre, (centre[0] + size, centre[1] + size // 2 + 3), colour, -1)
    return image, mask > 0


def mug(colour: str, side: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A mug of one colour in front of grey, uint8 RGB, and its mask (bool)."""
    mask = np.zeros((side, side), np.uint8)
    cv2.rectangle(mask, (int(0.2 * side), int(0.2 * side)), (int(0.65 * side), int(0.85 * side)), 1, -1)
    cv2.ellipse(mask, (int(0.68 * side), int(0.5 * side)), (side // 8, side // 5), 0, -90, 90, 1, side // 18)
    shade = np.linspace(0.75, 1.15, side)[None, :, None]
    image = np.full((side, side, 3), 215, np.uint8)
    painted = np.clip(np.array(COLOURS[colour])[None, None] * shade, 0, 255) * np.ones((side, 1, 1))
    image[mask > 0] = painted.astype(np.uint8)[mask > 0]
    return image, mask > 0


def photographed(image: np.ndarray, seed: int, scale: float = 0.8, angle: float = 8.0) -> np.ndarray:
    """The picture again: smaller, turned, in other light, with noise, before another wall."""
    rng = np.random.default_rng(seed)
    side = image.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, scale)
    wall = np.full_like(image, 170)
    drawn = cv2.warpAffine(image, turn, (side, side), dst=wall, borderMode=cv2.BORDER_TRANSPARENT)
    light = drawn.astype(np.float32) * rng.uniform(0.85, 1.1)
    return np.clip(light + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
