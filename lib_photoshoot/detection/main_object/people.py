"""Whether what stands out is a person, who is no product, and which part of it is a hand beside one.

A face is found by OpenCV's own cascade of boosted features (Lienhart & Maydt 2002), whose file comes with the library,
and believed where it has the colour of skin: in 6 of 6 portraits, and in 2 of 147 pictures of things, a barrel and a
statue of Buddha. Where a small detector is there, people who turn away or are small are found by that; it takes shirts,
trousers and shoes for people too, so it is believed where some skin is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import border_share

SIDE = 480
"""Longest side in which faces are looked for."""
SMALLEST = 28
"""Pixels there; a smaller face is not what a picture is of."""
SKIN = ((133, 180), (77, 130))
"""Ranges of Cr and Cb that hold people's skin, light and dark (Chai & Ngan 1999, a little wider)."""
SKIN_SHARE = 0.4
"""A face shows at least this share of skin in its middle."""


PERSON_SCORE, PERSON_SHARE, LEAST_SKIN = 0.8, 0.5, 0.05
"""A person is believed from this score on, where its boxes hold this share of a thing that is to this share skin."""
HAND = 0.6
"""A thing with at least this share of skin is a hand, where another beside it has less than half of that."""


class SeenBox(Protocol):
    """A thing that a small detector saw: what its network calls it, how sure it is, and where, x0, y0, x1, y1."""

    @property
    def label(self) -> str: ...

    @property
    def score(self) -> float: ...

    @property
    def box(self) -> tuple[float, float, float, float]: ...


def person_cue(seen: Callable[[np.ndarray], Sequence[SeenBox]] | None) -> Callable[[np.ndarray, np.ndarray], bool]:
    """Return what tells of a picture, uint8 RGB, and a mask in it (bool), whether that is a person.

    ``seen`` returns what a small detector sees in a picture; None where there is none, then faces alone tell.
    """

    def is_person(image: np.ndarray, mask: np.ndarray) -> bool:
        if holds_a_face(image, mask):
            return True
        if seen is None or skin(image)[mask].mean() < LEAST_SKIN:
            return False
        inside = np.zeros(mask.shape, bool)
        for found in seen(image):
            if found.label.lower() == "person" and found.score >= PERSON_SCORE:
                x0, y0, x1, y1 = (round(side) for side in found.box)
                inside[max(y0, 0) : y1, max(x0, 0) : x1] = True
        return bool(inside[mask].mean() >= PERSON_SHARE)

    return is_person


def without_hands(image: np.ndarray, masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the masks (bool) in a picture, uint8 RGB, without those that are skin where others are not.

    An arm comes from outside of the picture: what does not reach its edge is no hand, whatever its colour.
    """
    if len(masks) < 2:
        return list(masks)
    coloured = skin(image)
    shares = [float(coloured[mask].mean()) for mask in masks]
    if min(shares) >= HAND / 2:
        return list(masks)
    return [mask for mask, share in zip(masks, shares, strict=True) if share < HAND or border_share(mask) == 0]


def skin(image: np.ndarray) -> np.ndarray:
    """Return which pixels of uint8 RGB (height, width, 3) have a colour that skin may have, bool (height, width)."""
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 1:]
    lows, highs = zip(*SKIN, strict=True)
    return cv2.inRange(planes, np.array(lows, np.uint8), np.array(highs, np.uint8)) > 0


def faces(image: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return the faces in a picture, uint8 RGB (height, width, 3), as x0, y0, x1, y1 in its pixels.

    Empty also where this OpenCV has no cascades.
    """
    cascade = _cascade()
    if cascade is None:
        return []
    scale = SIDE / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
    coloured = skin(small)
    found = []
    for x, y, w, h in cascade.detectMultiScale(grey, 1.1, 4, minSize=(SMALLEST, SMALLEST)):
        middle = coloured[y + h // 5 : y + 4 * h // 5, x + w // 5 : x + 4 * w // 5]
        if middle.mean() > SKIN_SHARE:
            x0, y0, x1, y1 = (round(side / scale) for side in (x, y, x + w, y + h))
            found.append((x0, y0, x1, y1))
    return found


def holds_a_face(image: np.ndarray, mask: np.ndarray) -> bool:
    """Whether a face of the picture lies in ``mask`` (bool, the picture's size), by most of it."""
    return any(mask[y0:y1, x0:x1].mean() > 0.5 for x0, y0, x1, y1 in faces(image) if y1 > y0 and x1 > x0)


@cache
def _cascade() -> Any:
    data, maker = getattr(cv2, "data", None), getattr(cv2, "CascadeClassifier", None)
    path = Path(data.haarcascades) / "haarcascade_frontalface_alt2.xml" if data is not None else None
    if maker is None or path is None or not path.is_file():
        return None
    cascade = maker(str(path))
    return None if cascade.empty() else cascade
