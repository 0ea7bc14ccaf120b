"""Networks that see what stands out in a picture, and know no word: where a product's edge is, not which one it is.

U2-Net (Qin et al. 2020, https://arxiv.org/abs/2005.09007) in its small form, IS-Net (Qin et al. 2022,
https://arxiv.org/abs/2203.03041) and BiRefNet (Zheng et al. 2024, https://arxiv.org/abs/2401.03407), as published ONNX
files, run by ONNX Runtime on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from lib_photoshoot.allocator import giving_back_freed_memory
from lib_photoshoot.onnx_session import open_session
from lib_photoshoot.segmentation.working_copy import picture_digest

LARGE_SIDE = 1024
KEPT = 2
"""Answers that are kept: those for a picture and for its mirror image, which the main object is found by."""


class Salience(Protocol):
    """Shows how much each pixel belongs to what stands out."""

    name: str

    def map(self, image: np.ndarray) -> np.ndarray:
        """Return float32 (height, width) in [0, 1] for ``image``, uint8 RGB (height, width, 3)."""
        ...


@dataclass(frozen=True)
class _Network:
    """How a published file is fed: side of its square input, and the numbers it was trained on."""

    side: int
    prepare: Callable[[np.ndarray], np.ndarray]
    finish: Callable[[np.ndarray], np.ndarray]
    """Brings its answer into [0, 1], as its authors do."""


def _as_imagenet(pixels: np.ndarray) -> np.ndarray:
    scaled = pixels / max(float(pixels.max()), 1e-6)
    return (scaled - np.array((0.485, 0.456, 0.406), np.float32)) / np.array((0.229, 0.224, 0.225), np.float32)


def _as_isnet(pixels: np.ndarray) -> np.ndarray:
    return (pixels - 128) / 256


def _stretched(answer: np.ndarray) -> np.ndarray:
    low, high = float(answer.min()), float(answer.max())
    return (answer - low) / max(high - low, 1e-6)


def _as_it_is(answer: np.ndarray) -> np.ndarray:
    return answer


def _sigmoid(answer: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(answer, -30, 30)))


U2NETP = _Network(320, _as_imagenet, _stretched)
ISNET = _Network(1024, _as_isnet, _as_it_is)
BIREFNET = _Network(1024, _as_imagenet, _sigmoid)
NETWORKS = {
    "u2netp": U2NETP,
    "isnet": ISNET,
    "isnet-fp16": ISNET,
    "birefnet": BIREFNET,
    "birefnet-tiny": BIREFNET,
}
"""By the names of the weights manifest."""


class OnnxSalience:
    """A salient-object network in an ONNX file; the file is read at the first picture."""

    def __init__(self, path: Path, name: str, network: _Network) -> None:
        self.name = name
        self._path = path
        self._network = network
        self._session: Any = None
        self._last: dict[object, tuple[np.ndarray, float]] = {}

    def map(self, image: np.ndarray) -> np.ndarray:
        """See :class:`Salience`. Raises WeightsError when ONNX Runtime cannot read the file."""
        return self.look(image)[0]

    def look(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the map of ``image`` as :meth:`map` does, and the network's highest answer before it is stretched.

        That is near 1 where anything stands out, and near 0 in a blank picture, whose map is stretched noise. The
        answers for the last pictures are kept.
        """
        key = picture_digest(image)
        if key not in self._last:
            # A large one needs two thirds of a gigabyte for itself.
            with giving_back_freed_memory() if self._network.side >= LARGE_SIDE else nullcontext():
                self._last = dict([*self._last.items(), (key, self._look(image))][-KEPT:])
        return self._last[key]

    def _look(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        session = self._session = self._session or open_session(self._path)
        side = self._network.side
        # A stretched picture is what both were trained on.
        shrinks = max(image.shape[:2]) > side
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        pixels = self._network.prepare(small.astype(np.float32)).transpose(2, 0, 1)[None]
        first = session.get_outputs()[0].name
        (answer,) = session.run([first], {session.get_inputs()[0].name: np.ascontiguousarray(pixels, np.float32)})
        raw = answer[0, 0].astype(np.float32)
        seen = cv2.resize(np.clip(self._network.finish(raw), 0, 1), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        seen.flags.writeable = False  # it is handed out again
        return seen, float(raw.max())
