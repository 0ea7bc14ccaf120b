"""SAM 3 (Carion et al. 2025, https://arxiv.org/abs/2511.16719) by the library transformers: a word in, outlines out.

The weights are Meta's, under the SAM License, and are given to whom the hub knows and Meta grants access. A word's
score is that of an outline times that of the word being in the picture at all, the model's own answer to "nothing
here".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from lib_photoshoot.detection.asked_words import asked_words
from lib_photoshoot.detection.grounding_dino.caption import Words
from lib_photoshoot.detection.grounding_dino.detector import nms
from lib_photoshoot.detection.transformers_models import load_model
from lib_photoshoot.errors import ProductsError
from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection

if TYPE_CHECKING:
    import torch

    from lib_photoshoot.detection.protocol import Given

FLOOR = 0.1
"""Candidates that score less are not reported."""
TOKENS = 32
"""What a word may take, its start and end included."""


class Sam3Detector:
    """Finds and outlines any product that can be named by a noun in English."""

    name = "sam3"
    # The authors' own confidence threshold.
    default_threshold = 0.5

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Take a loaded ``Sam3Model`` and CLIP's tokenizer."""
        self._model = model
        self._tokenizer = tokenizer

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Words]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`. Raises ProductsError for a word that is too long.

        Each detection lends its mask.
        """
        import torch

        asked = [
            [self._tokens(word, product) for typed in product.words for word in asked_words(typed)]
            for product in products
        ]
        found: list[Detection] = []
        with torch.inference_mode():
            seen = self._model.get_vision_features(self._pixels(image))
            for product, words in zip(products, asked, strict=True):
                answers = [self._model(vision_embeds=seen, **tokens) for tokens in words]
                found += _detections(product.name, answers, (image.shape[0], image.shape[1]))
        return sorted(found, key=lambda detection: -detection.score)

    def _tokens(self, word: str, product: Words) -> dict[str, torch.Tensor]:
        encoded = self._tokenizer(word, padding="max_length", max_length=TOKENS, return_tensors="pt")
        if encoded["input_ids"].shape[1] > TOKENS:
            raise ProductsError(
                f"The word {product.as_typed(word)!r} of the product {product.as_typed(product.name)!r} is too long: "
                f"SAM 3 takes {TOKENS - 2} tokens; shorten it."
            )
        return {name: encoded[name].to(self._model.device) for name in ("input_ids", "attention_mask")}

    def _pixels(self, image: np.ndarray) -> torch.Tensor:
        """Return the picture squashed to the model's square, values in [-1, 1], as it was trained."""
        import torch

        side = int(self._model.config.vision_config.image_size)
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
        square = torch.nn.functional.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
        return (square / 127.5 - 1).to(self._model.device, self._model.dtype)


def _detections(name: str, answers: Sequence[Any], shape: tuple[int, int]) -> list[Detection]:
    """Return a product's outlines; ``answers`` has the model's answer to each of its words."""
    scores, boxes, masks = [], [], []
    for answer in answers:
        score = answer.pred_logits[0].float().sigmoid() * answer.presence_logits[0].float().sigmoid()
        good = (score >= FLOOR).nonzero()[:, 0]
        scores.append(score[good].cpu().numpy())
        boxes.append(answer.pred_boxes[0][good].float().clamp(0, 1).cpu().numpy())
        masks += [mask.float().sigmoid().cpu().numpy() for mask in answer.pred_masks[0][good]]
    every, corners = np.concatenate(scores), np.concatenate(boxes) * np.tile(shape[::-1], 2).astype(np.float32)
    return [_detection(name, corners[i], float(every[i]), masks[i], shape) for i in nms(corners, every)]


def _detection(name: str, box: np.ndarray, score: float, mask: np.ndarray, shape: tuple[int, int]) -> Detection:
    whole = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    x0, y0, x1, y1 = (float(side) for side in box)
    return Detection(name, (x0, y0, x1, y1), score, whole if whole.any() else None)


def load(given: Given) -> Sam3Detector:
    """Load the user's SAM 3; see ``model_names.DETECTORS``. Raises WeightsError."""
    import transformers

    if given.folder is None:
        raise ValueError("sam3 is made of a folder")
    folder = Path(given.folder)
    model = load_model(folder, "Sam3Model", given.device, given.bf16)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    return Sam3Detector(model, tokenizer)
