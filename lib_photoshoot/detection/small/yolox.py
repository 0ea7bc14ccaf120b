"""YOLOX on COCO (Ge et al. 2021, https://arxiv.org/abs/2107.08430), as the authors' ONNX files of release 0.1.1rc0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.detection.small.labels import COCO
from lib_photoshoot.detection.small.protocol import SmallBox, best_boxes
from lib_photoshoot.onnx_session import open_session

SIDES = {"yolox-nano": 416, "yolox-tiny": 416, "yolox-s": 640}
"""Side of the square input in pixels, by the names of the weights manifest."""
STRIDES = (8, 16, 32)
PADDING = 114


class Yolox:
    """Reads the file at the first picture."""

    labels = COCO

    def __init__(self, path: Path, name: str) -> None:
        """``name`` is one of :data:`SIDES`."""
        self.name = name
        self._side = SIDES[name]
        self._path = path
        self._session: Any = None

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        """See :class:`~lib_photoshoot.detection.small.protocol.SmallDetector`."""
        session = self._session = self._session or open_session(self._path)
        pixels, scale = prepared(image, self._side)
        (output,) = session.run(None, {session.get_inputs()[0].name: pixels})
        corners, scores = decoded(output[0], self._side)
        height, width = image.shape[:2]
        corners /= np.array((width, height, width, height), np.float32) * scale
        return best_boxes(corners, scores, self.labels, width, height)


def prepared(image: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Return ``image``, uint8 RGB, as float32 (1, 3, side, side), and the scale that was applied to it.

    As the authors feed it since that release: blue first, 0 to 255, at the top left of a square of grey.
    """
    scale = side / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.full((side, side, 3), PADDING, np.uint8)
    square[: size[1], : size[0]] = small
    return np.ascontiguousarray(square[:, :, ::-1].transpose(2, 0, 1)[None], np.float32), scale


def decoded(output: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn a row a cell, float32 (cells, 5 + labels), into corners (cells, 4) in pixels of the square, and scores.

    A row holds the centre from the cell's corner and the logarithms of width and height, in strides; then how surely
    there is anything, and of which label it is, both as probabilities.
    """
    corner, strides = [], []
    for stride in STRIDES:
        cells = side // stride
        rows, columns = np.divmod(np.arange(cells * cells), cells)
        corner.append(np.stack([columns, rows], 1))
        strides.append(np.full((cells * cells, 1), stride))
    step = np.concatenate(strides).astype(np.float32)
    centre = (output[:, :2] + np.concatenate(corner)) * step
    half = np.exp(output[:, 2:4]) * step / 2
    return np.concatenate([centre - half, centre + half], 1), output[:, 4:5] * output[:, 5:]
