"""D-FINE on Objects365 (Peng et al. 2024, https://arxiv.org/abs/2410.13842), as a published ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.detection.small.labels import OBJECTS365
from lib_photoshoot.detection.small.protocol import SmallBox, best_boxes
from lib_photoshoot.onnx_session import open_session

SIDE = 640


class DFine:
    """Reads the file at the first picture."""

    labels = OBJECTS365

    def __init__(self, path: Path, name: str) -> None:
        """``name`` is the file's in the weights manifest, ``dfine-s`` or ``dfine-m``."""
        self.name = name
        self._path = path
        self._session: Any = None

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        """See :class:`~lib_photoshoot.detection.small.protocol.SmallDetector`."""
        session = self._session = self._session or open_session(self._path)
        logits, boxes = session.run(["logits", "pred_boxes"], {"pixel_values": prepared(image)})
        corners, scores = decoded(logits[0], boxes[0])
        return best_boxes(corners, scores, self.labels, image.shape[1], image.shape[0])


def prepared(image: np.ndarray) -> np.ndarray:
    """Return ``image``, uint8 RGB, as float32 (1, 3, 640, 640) in [0, 1], stretched to the square."""
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None].astype(np.float32) / 255)


def decoded(logits: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn ``logits`` (queries, labels) and ``boxes`` (queries, 4), centre, width and height as shares of the picture,
    into corners (queries, 4) and scores (queries, labels)."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    scores = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return np.concatenate([centre - half, centre + half], 1), scores
