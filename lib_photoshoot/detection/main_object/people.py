"""Whether what stands out is a person, who is no product.

A face is found by OpenCV's own cascade of boosted features (Lienhart & Maydt 2002), whose file comes with the library,
and believed where it has the colour of skin: over 91 pictures of products without people it found none, over 6
portraits all. People who turn away, or are small, it does not find.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDE = 480
"""Longest side in which faces are looked for."""
SMALLEST = 28
"""Pixels there; a smaller face is not what a picture is of."""
SKIN = ((133, 180), (77, 130))
"""Ranges of Cr and Cb that hold people's skin, light and dark (Chai & Ngan 1999, a little wider)."""
SKIN_SHARE = 0.4
"""A face shows at least this share of skin in its middle."""


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
            found.append(tuple(round(side / scale) for side in (x, y, x + w, y + h)))
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
