"""PP-PicoDet-S at 416 pixels on COCO (Yu et al. 2021, https://arxiv.org/abs/2111.00902), as a published ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.detection.small.labels import COCO
from lib_photoshoot.detection.small.protocol import SmallBox, best_boxes
from lib_photoshoot.onnx_session import open_session

SIDE = 416
STRIDES = (8, 16, 32, 64)
DISTANCES = 8
"""Logits a side; the expectation of their softmax is a distance in strides (Li et al. 2020, arXiv 2006.04388)."""
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_STD = np.array((0.229, 0.224, 0.225), np.float32)


class PicoDet:
    """Reads the file at the first picture."""

    name = "picodet-s"
    labels = COCO

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: Any = None

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        """See :class:`~lib_photoshoot.detection.small.protocol.SmallDetector`."""
        session = self._session = self._session or open_session(self._path)
        outputs = session.run(None, {session.get_inputs()[0].name: prepared(image)})
        scores = np.concatenate([output[0] for output in outputs[: len(STRIDES)]])
        corners = np.concatenate(
            [decoded(output[0], stride) for output, stride in zip(outputs[len(STRIDES) :], STRIDES, strict=True)]
        )
        return best_boxes(corners / SIDE, scores, self.labels, image.shape[1], image.shape[0])


def prepared(image: np.ndarray) -> np.ndarray:
    """Return ``image``, uint8 RGB, as float32 (1, 3, 416, 416): stretched to the square, as the network was trained."""
    shrinks = max(image.shape[:2]) > SIDE
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    pixels = (small.astype(np.float32) / 255 - _MEAN) / _STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def decoded(logits: np.ndarray, stride: int) -> np.ndarray:
    """Turn the distances of every cell, float32 (cells, 32), into corners (cells, 4) in pixels of the square."""
    cells = -(-SIDE // stride)
    spread = logits.reshape(-1, 4, DISTANCES)
    weights = np.exp(spread - spread.max(2, keepdims=True))
    weights /= weights.sum(2, keepdims=True)
    left, top, right, bottom = ((weights * np.arange(DISTANCES)).sum(2) * stride).T
    rows, columns = np.divmod(np.arange(cells * cells), cells)
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    return np.stack([x - left, y - top, x + right, y + bottom], 1).astype(np.float32)
