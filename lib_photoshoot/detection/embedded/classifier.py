"""EfficientNet-Lite2 on ImageNet-1k (Tan & Le 2019, https://arxiv.org/abs/1905.11946), for cells and for cut-outs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from lib_photoshoot.detection.embedded.efficientnet_lite import EfficientNetLite2
from lib_photoshoot.detection.embedded.joining import against_rivals
from lib_photoshoot.detection.embedded.taught import TaughtHeads, load_taught
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.fusing import fold_batch_norms
from lib_photoshoot.masks.morphology import Rect, bounding_rect
from lib_photoshoot.typed import typed_command
from lib_photoshoot.weights.load import load_state_dict

CUTOUT_SIDE = 260
# Larger batches leave the caches, and their arrays come fresh from the system each time.
CUTOUTS_A_CALL = 3
# Stride 32: 13 x 13 cells on a square picture, at under 0.1 s on two cores.
MAP_SIDE = 416
VIEW_MARGINS = (0.02, 0.08, 0.2)


class ImageNetClassifier:
    """Probabilities of the 1000 ImageNet classes and, after them, of the taught words, for cells or for cut-outs.

    The first 1000 sum to 1; each taught word's is apart from all others.
    """

    def __init__(self, model: EfficientNetLite2, taught: TaughtHeads | None = None) -> None:
        self._taught = load_taught() if taught is None else taught
        self._model = model.eval()
        fold_batch_norms(self._model)
        self._model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_file(cls, path: Path, taught: TaughtHeads | None = None) -> ImageNetClassifier:
        """Load the published EfficientNet-Lite2 file, with the packaged heads or others. Raises WeightsError."""
        model = EfficientNetLite2()
        try:
            model.load_state_dict(load_state_dict(path))
        except RuntimeError as error:
            raise WeightsError(
                f"{path} is not the EfficientNet-Lite2 file: get it again with "
                f"'{typed_command('models get efficientnet-lite2')}'."
            ) from error
        return cls(model, taught)

    def class_map(self, image: np.ndarray, side: int = MAP_SIDE) -> np.ndarray:
        """Classify every cell of the picture at once.

        ``image`` is uint8 RGB; its longest side becomes ``side`` pixels. Returns float32 probabilities (1000 + words,
        rows, columns), a cell every 32 of these pixels.
        """
        with torch.inference_mode():
            cells = self._probabilities(self.cell_features(image, side).movedim(0, -1), cells=True)
            return cells.movedim(-1, 0).contiguous().numpy()

    def cell_features(self, image: np.ndarray, side: int = MAP_SIDE) -> torch.Tensor:
        """Return the network's features of every cell, float32 (1280, rows, columns); see :meth:`class_map`."""
        height, width = image.shape[:2]
        scale = side / max(height, width)
        size = (max(32, round(width * scale)), max(32, round(height * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        with torch.inference_mode():
            return self._model.features(_normalised([small]))[0]

    def textures(self, image: np.ndarray) -> np.ndarray:
        """Return what the first stages say of each pixel of ``image`` (uint8 RGB), float32 (height, width, 48).

        Each channel has mean 0 and deviation 1 in the picture.
        """
        with torch.inference_mode():
            early = self._model.first_stages(_normalised([image]))
            whole = F.interpolate(early, image.shape[:2], mode="bilinear", align_corners=False)
            whole = (whole - whole.mean((2, 3), keepdim=True)) / (whole.std((2, 3), keepdim=True) + 1e-6)
            return whole[0].permute(1, 2, 0).contiguous().numpy()

    def classify(self, cutouts: Sequence[np.ndarray]) -> np.ndarray:
        """Return float32 probabilities (n, 1000 + words) of square uint8 RGB pictures, :data:`CUTOUT_SIDE` pixels."""
        with torch.inference_mode():
            return self._probabilities(self.cutout_features(cutouts)).numpy()

    def cutout_features(self, cutouts: Sequence[np.ndarray]) -> torch.Tensor:
        """Return the network's mean features, float32 (n, 1280), of square cut-outs; see :meth:`classify`."""
        batches = [cutouts[start : start + CUTOUTS_A_CALL] for start in range(0, len(cutouts), CUTOUTS_A_CALL)]
        with torch.inference_mode():
            return torch.cat([self._model.features(_normalised(batch)).mean((2, 3)) for batch in batches])

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits (..., 1000) of the ImageNet classes for features (..., 1280)."""
        return self._model.logits(features)

    def _probabilities(self, features: torch.Tensor, *, cells: bool = False) -> torch.Tensor:
        """Return probabilities (..., 1000 + words) for features (..., 1280)."""
        logits = self.logits(features)
        return torch.cat([logits.softmax(-1), self._taught.probabilities(features, logits, cells=cells)], -1)

    def evidence(
        self, image: np.ndarray, masks: Sequence[np.ndarray], indices: list[int], rivals: Sequence[int] = ()
    ) -> list[float]:
        """Return how much each mask (bool, height, width) of ``image`` shows the classes ``indices``, in [0, 1].

        The mean of three views: its box as it is, and the masked pixels alone on white and on grey. A part of a
        product, or the background around it, looks like the product in its box only; and a part often looks like one of
        the ``rivals``, the classes of look-alikes: a watch without its strap is a clock.
        """
        views = [view for mask in masks for view in _evidence_views(image, mask)]
        if not views:
            return []
        told = self.classify(views)
        means = told.reshape(len(masks), -1, told.shape[1]).mean(1)
        return [against_rivals(mean, indices, rivals) for mean in means]

    def consistent(self, image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
        """Return float32 mean probabilities (1000 + words,) over several views of a cut-out.

        The best of several candidates is also the luckiest: a product stays itself in a mirror and with more or less
        of its surroundings, a chance likeness does not.
        """
        views = [square_cutout(image, box, margin) for margin in VIEW_MARGINS]
        views += [np.ascontiguousarray(view[:, ::-1]) for view in views]
        mean: np.ndarray = self.classify(views).mean(0)
        return mean


def _normalised(images: Sequence[np.ndarray]) -> torch.Tensor:
    """uint8 RGB pictures of one size to (n, 3, h, w) in [-1, 1], as the TensorFlow weights were trained."""
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return (batch.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def _evidence_views(image: np.ndarray, mask: np.ndarray) -> Iterator[np.ndarray]:
    rect = bounding_rect(mask) or Rect(0, 0, 1, 1)
    crop, inside = image[rect.slices], mask[rect.slices]
    box = (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0]))
    yield square_cutout(image, (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1)))
    for background in (255, 128):
        yield square_cutout(np.where(inside[..., None], crop, np.uint8(background)), box)


def square_cutout(image: np.ndarray, box: tuple[float, float, float, float], margin: float = 0.08) -> np.ndarray:
    """Cut the box grown by ``margin`` of its sides, padded to a square with its border's median colour, resized."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    dx, dy = (x1 - x0) * margin, (y1 - y0) * margin
    left, top = max(0, int(x0 - dx)), max(0, int(y0 - dy))
    right, bottom = min(width, max(left + 1, round(x1 + dx))), min(height, max(top + 1, round(y1 + dy)))
    crop = image[top:bottom, left:right]
    scale = CUTOUT_SIDE / max(crop.shape[:2])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    border = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    square = np.empty((CUTOUT_SIDE, CUTOUT_SIDE, 3), np.uint8)
    square[:] = np.median(border, axis=0)
    y, x = (CUTOUT_SIDE - crop.shape[0]) // 2, (CUTOUT_SIDE - crop.shape[1]) // 2
    square[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return square
