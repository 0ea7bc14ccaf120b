"""MM-Grounding-DINO and LLMDet, GroundingDINO's successors, by the library transformers: products in, boxes out.

MM-Grounding-DINO: Zhao et al. 2024, https://arxiv.org/abs/2401.02361. LLMDet: Fu et al. 2025,
https://arxiv.org/abs/2501.18954, the same network trained with a language model beside it. Captions, input and the
scores of words are GroundingDINO's (:mod:`lib_photoshoot.detection.grounding_dino`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.detection.grounding_dino.caption import Caption, Words, WordTokenizer, build_captions
from lib_photoshoot.detection.grounding_dino.detector import SMALLEST_SIDE, candidates, normalised
from lib_photoshoot.detection.transformers_models import load_model, transformers_is
from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection
from lib_photoshoot.segmentation.working_copy import picture_digest

if TYPE_CHECKING:
    from lib_photoshoot.detection.protocol import Given

BF16 = (5, 0)
"""The first release of transformers in which it computes in bfloat16; before, a wish for that is passed over."""
FLOOR = 0.1
"""Candidates that score less are not reported."""

Answer = tuple[Caption, np.ndarray, np.ndarray]
"""A caption, its token probabilities (queries, tokens) and its boxes (queries, 4; cx, cy, w, h in [0, 1])."""


def input_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of the network's input: 800 pixels on the short side, or 1333 on the long one.

    GroundingDINO's own rule differs from this one by a few pixels in long pictures.
    """
    scale = min(800 / min(width, height), 1333 / max(width, height))
    # A whole pixel that a float's last digit would take away.
    sides = [math.floor(round(side * scale, 6)) for side in (width, height)]
    shorter = 0 if width < height else 1
    sides[shorter] = max(SMALLEST_SIDE, round(min(width, height) * scale))
    return sides[0], sides[1]


class MmGroundingDinoDetector:
    """Finds any product that can be named in English."""

    # The demo of the authors' library, whose scores are means over a word's tokens, as ours.
    default_threshold = 0.3

    def __init__(self, model: Any, words: WordTokenizer, name: str) -> None:
        """Take a loaded ``MMGroundingDinoForObjectDetection`` and BERT's words."""
        self.name = name
        self._model = model
        self._words = words
        self._last: tuple[object, list[Answer]] | None = None

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Words]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`; best first. The answer for the last picture and
        words is kept. Raises ProductsError for words that mean nothing to the model.
        """
        captions = build_captions(products, self._words)
        if not captions:
            return []
        height, width = image.shape[:2]
        return candidates(self._answers(image, captions), products, width, height, FLOOR)

    def _answers(self, image: np.ndarray, captions: Sequence[Caption]) -> list[Answer]:
        image = np.ascontiguousarray(image)
        key = (picture_digest(image), tuple(caption.input_ids for caption in captions))
        if self._last is None or self._last[0] != key:
            pixels = normalised(image, input_size(width=image.shape[1], height=image.shape[0]))
            self._last = (key, [(caption, *self._ask(pixels, caption)) for caption in captions])
        return self._last[1]

    def _ask(self, pixels: np.ndarray, caption: Caption) -> tuple[np.ndarray, np.ndarray]:
        import torch

        model = self._model
        with torch.inference_mode():
            answer = model(
                pixel_values=torch.from_numpy(pixels).to(model.device, model.dtype),
                input_ids=torch.tensor([caption.input_ids]).to(model.device),
            )
        return answer.logits[0].float().sigmoid().cpu().numpy(), answer.pred_boxes[0].float().cpu().numpy()


def _load(given: Given, name: str) -> MmGroundingDinoDetector:
    (vocabulary,) = given.weights
    from lib_photoshoot.detection.grounding_dino.text import BertWords

    if given.folder is None:
        raise ValueError(f"{name} is made of a folder")
    bf16 = given.bf16 and transformers_is(BF16)
    model = load_model(Path(given.folder), "MMGroundingDinoForObjectDetection", given.device, bf16)
    return MmGroundingDinoDetector(model, BertWords(vocabulary), name)


def load_mm_grounding_dino(given: Given) -> MmGroundingDinoDetector:
    """Load the user's MM-Grounding-DINO; see ``model_names.DETECTORS``. Raises WeightsError."""
    return _load(given, "mm-groundingdino")


def load_llmdet(given: Given) -> MmGroundingDinoDetector:
    """Load the user's LLMDet; see ``model_names.DETECTORS``. Raises WeightsError."""
    return _load(given, "llmdet")
