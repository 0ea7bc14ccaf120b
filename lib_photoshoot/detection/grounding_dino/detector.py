"""The GroundingDINO detector: products and a picture in, scored boxes out.

The heavy modules are imported by ``GroundingDinoDetector.load`` on first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lib_photoshoot.detection.asked_words import asked_words
from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection
from lib_photoshoot.segmentation.working_copy import picture_digest

from .caption import Caption, Words, build_captions, class_scores, normalize

if TYPE_CHECKING:
    import torch

    from lib_photoshoot.detection.protocol import Given

    from .model import GroundingDino

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
"""ImageNet's channel means and deviations of values in [0, 1]."""

NMS_IOU = 0.7
"""Boxes of one product that overlap more than this are one detection."""

BOX_THRESHOLD, TEXT_THRESHOLD = 0.35, 0.25
"""What the official demo asks of a box's best token, and of the other tokens of its phrase."""

SMALLEST_SIDE = 32
"""Pixels; the network needs at least one cell a level. Only pictures longer than 1:41 are affected."""


def target_size(width: int, height: int, short_side: int = 800, long_side: int = 1333) -> tuple[int, int]:
    """Return the official resizing: the short side to ``short_side``, less where the long side would exceed
    ``long_side``.

    Returns (width, height) in pixels.
    """
    low, high = min(width, height), max(width, height)
    side = short_side
    if high / low * side > long_side:
        side = round(long_side * low / high)
    long = int(side * high / low)
    size = (side, long) if width < height else (long, side)
    return max(size[0], SMALLEST_SIDE), max(size[1], SMALLEST_SIDE)


def preprocess(image: np.ndarray, short_side: int = 800, long_side: int = 1333) -> np.ndarray:
    """Return a uint8 RGB picture (height, width, 3) as the network's input: float32 (1, 3, height, width),
    normalized.
    """
    return normalised(image, target_size(image.shape[1], image.shape[0], short_side, long_side))


def normalised(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a uint8 RGB picture in another ``size`` (width, height), float32 (1, 3, height, width), normalized."""
    from PIL import Image

    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR), np.float32) / 255
    return np.ascontiguousarray(((resized - MEAN) / STD).transpose(2, 0, 1)[None])


def pixel_boxes(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Boxes (n, 4) as centre and size in [0, 1] to float32 x0, y0, x1, y1 in pixels, clipped to the picture."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    corners = np.concatenate([centre - half, centre + half], axis=1)
    scale = np.array([width, height, width, height], np.float32)
    return (corners.clip(0, 1) * scale).astype(np.float32)


def nms(boxes: np.ndarray, scores: np.ndarray, iou: float = NMS_IOU) -> np.ndarray:
    """Return the indices of the boxes (n, 4; x0, y0, x1, y1) to keep, best score first.

    A box goes if it overlaps a better, kept one with an intersection over union above ``iou``.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    while order.size:
        best, order = order[0], order[1:]
        keep.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (high - low).clip(0).prod(axis=1)
        order = order[shared <= iou * (area[best] + area[order] - shared)]
    return np.array(keep, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class _Raw:
    """One caption's answer: token probabilities (queries, tokens) and boxes (queries, 4; cx, cy, w, h in [0, 1])."""

    probabilities: np.ndarray
    boxes: np.ndarray


@dataclass(frozen=True, eq=False)
class _LastPicture:
    key: tuple[object, ...]
    answers: tuple[_Raw, ...]


def candidates(
    answers: Sequence[tuple[Caption, np.ndarray, np.ndarray]],
    products: Sequence[Words],
    width: int,
    height: int,
    floor: float,
    iou: float = NMS_IOU,
) -> list[Detection]:
    """Return detections, best first, of each caption's probabilities (queries, tokens) and relative boxes (queries, 4).

    A box goes to its best product, the first on a tie, if that score is at least ``floor``; then NMS per product.
    """
    found: list[Detection] = []
    boxes_of: list[list[np.ndarray]] = [[] for _ in products]
    scores_of: list[list[np.ndarray]] = [[] for _ in products]
    for caption, probabilities, relative in answers:
        scores = class_scores(probabilities, caption, len(products))
        best = scores.argmax(axis=1)
        top = scores.max(axis=1)
        boxes = pixel_boxes(relative, width, height)
        good = (top >= floor) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        for number in {span.product for span in caption.spans}:
            mine = good & (best == number)
            boxes_of[number].append(boxes[mine])
            scores_of[number].append(top[mine])
    for product, box_parts, score_parts in zip(products, boxes_of, scores_of, strict=True):
        if not box_parts:
            continue
        boxes, scores = np.concatenate(box_parts), np.concatenate(score_parts)
        for i in nms(boxes, scores, iou):
            x0, y0, x1, y1 = (float(v) for v in boxes[i])
            found.append(Detection(product.name, (x0, y0, x1, y1), float(scores[i])))
    return sorted(found, key=lambda d: -d.score)


class GroundingDinoDetector:
    """Finds any product that can be named, with GroundingDINO."""

    name = "groundingdino"
    default_threshold = BOX_THRESHOLD

    def __init__(self, model: GroundingDino, floor: float = 0.1) -> None:
        """``floor`` in [0, 1]: candidates that score less are not reported."""
        self.model = model
        self.floor = floor
        self._last: _LastPicture | None = None

    @classmethod
    def load(
        cls,
        path: Path | str,
        vocab: Path | str,
        variant: str = "swint",
        device: str | torch.device = "cpu",
        bf16: bool = False,
        floor: float = 0.1,
    ) -> GroundingDinoDetector:
        """Read a checkpoint; ``bf16`` computes in bfloat16, faster and less exact. Raises WeightsError."""
        import torch

        from .model import load

        return cls(load(path, variant, vocab, device, torch.bfloat16 if bf16 else torch.float32), floor)

    def threshold_for(self, product: Product) -> float:
        """Return the score from which a box counts in the authors' demo, for a product's words.

        There the best token has to reach :data:`BOX_THRESHOLD`, and every other of a phrase :data:`TEXT_THRESHOLD`. Our
        score is the mean over a word's tokens, so a word of several may have less. The strictest of the words holds.
        """
        fewest = min(
            len(self.model.words.encode(normalize(word))) for typed in product.words for word in asked_words(typed)
        )
        return (BOX_THRESHOLD + (max(fewest, 1) - 1) * TEXT_THRESHOLD) / max(fewest, 1)

    def detect(self, image: np.ndarray, products: Sequence[Words], floor: float | None = None) -> list[Detection]:
        """Candidates for the products in a uint8 RGB picture (height, width, 3), best first.

        Scores are in [0, 1] and at least ``floor``. The network's answer for the last picture and words is kept: asking
        again with another floor costs next to nothing. Raises ProductsError for words that mean nothing to the model.
        """
        captions = build_captions(products, self.model.words)
        answers = self._answers(image, captions)
        height, width = image.shape[:2]
        return candidates(
            [(c, a.probabilities, a.boxes) for c, a in zip(captions, answers, strict=True)],
            products,
            width,
            height,
            self.floor if floor is None else floor,
        )

    def _answers(self, image: np.ndarray, captions: tuple[Caption, ...]) -> tuple[_Raw, ...]:
        if not captions:
            return ()
        image = np.ascontiguousarray(image)
        key = (picture_digest(image), tuple(c.input_ids for c in captions))
        last = self._last
        if last is None or last.key != key:
            import torch

            variant = self.model.variant
            pixels = torch.from_numpy(preprocess(image, variant.short_side, variant.long_side))
            features = self.model.encode_image(pixels)
            outputs = [self.model.detect(features, caption) for caption in captions]
            last = _LastPicture(key, tuple(_Raw(o.logits.sigmoid().numpy(), o.boxes.numpy()) for o in outputs))
            self._last = last
        return last.answers

    def forget(self) -> None:
        """Drop what is kept of the last picture."""
        self._last = None


def load_swin_t(given: Given) -> GroundingDinoDetector:
    """Load the network with the Swin-T backbone; see ``model_names.DETECTORS``. Raises WeightsError."""
    checkpoint, vocabulary = given.weights
    return GroundingDinoDetector.load(checkpoint, vocabulary, "swint", given.device, given.bf16)


def load_swin_b(given: Given) -> GroundingDinoDetector:
    """Load the network with the Swin-B backbone; see ``model_names.DETECTORS``. Raises WeightsError."""
    checkpoint, vocabulary = given.weights
    return GroundingDinoDetector.load(checkpoint, vocabulary, "swinb", given.device, given.bf16)
