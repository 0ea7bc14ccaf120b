"""A second network's look at what has no print: DINOv2 (Oquab et al. 2023, https://arxiv.org/abs/2304.07193), learned
without names, and so better at telling one article from another of its kind.

It is optional, and never finds anything: where the first network takes something for *this product*, the second has to
see it as like the examples as the least alike of them is to the others. So it takes no threshold of its own, which
nobody could have measured where the weights cannot be had. They are read as ONNX, or by transformers from a folder that
the user brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.examples.features import Features, unit

SIDE = 224
"""Pixels of the network's square input; a token stands for 14 x 14 of them."""
TOKENS = 16
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, as the network was trained."""
A_CALL = 4
FILE, FOLDER = "dinov2-small", "dinov2"
"""Their names in the weights manifest and among the models that users bring."""
TRANSFORMERS = (4, 31)
"""The first release of transformers that has the network."""


class DinoV2Features:
    """See :class:`~lib_photoshoot.examples.features.Features`: the mean of a picture's tokens, less the first, which
    stands for no place.
    """

    def __init__(self, run: Callable[[np.ndarray], np.ndarray], name: str) -> None:
        """``run`` takes pictures, float32 (n, 3, 224, 224), to the last hidden state, float32 (n, 1 + 256, d)."""
        self._run = run
        self.name = f"{name}/1"

    @classmethod
    def from_onnx(cls, path: Path) -> DinoV2Features:
        """Read the published ONNX file. Raises WeightsError."""
        from lib_photoshoot.onnx_session import open_session

        session = open_session(path)
        given = session.get_inputs()[0].name

        def run(pixels: np.ndarray) -> np.ndarray:
            answer: np.ndarray = session.run(["last_hidden_state"], {given: pixels})[0]
            return answer

        return cls(run, FILE)

    @classmethod
    def from_folder(cls, folder: Path) -> DinoV2Features:
        """Read a folder of the hub's layout, of any size of the network, by transformers. Raises WeightsError."""
        import torch

        from lib_photoshoot.detection.transformers_models import load_model

        model: Any = load_model(folder, "Dinov2Model", "cpu")

        def run(pixels: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                answer: np.ndarray = model(pixel_values=torch.from_numpy(pixels)).last_hidden_state.numpy()
            return answer

        # Signatures made with one size of it are none for another.
        return cls(run, f"{FOLDER}-{model.config.hidden_size}x{model.config.num_hidden_layers}")

    def cutouts(self, cutouts: Sequence[np.ndarray]) -> np.ndarray:
        """See :class:`~lib_photoshoot.examples.features.Features`."""
        batches = [cutouts[start : start + A_CALL] for start in range(0, len(cutouts), A_CALL)]
        return unit(np.concatenate([self._tokens(batch).mean(1) for batch in batches]))

    def cells(self, image: np.ndarray) -> np.ndarray:
        """See :class:`~lib_photoshoot.examples.features.Features`; 16 x 16 of the picture made square."""
        tokens = self._tokens([image])[0]
        return tokens.reshape(TOKENS, TOKENS, -1)

    def _tokens(self, images: Sequence[np.ndarray]) -> np.ndarray:
        return self._run(np.stack([_prepared(image) for image in images]))[:, 1:].astype(np.float32)


def second_features() -> Features | None:
    """Return the second network: the manifest's file where it is, else the user's folder; None without either.

    A folder is left alone where transformers is too old for it, as a WebUI's often is. Raises WeightsError for a folder
    or file that cannot be read.
    """
    from lib_photoshoot.detection.transformers_models import transformers_is
    from lib_photoshoot.paths import models_folder
    from lib_photoshoot.weights.hub_models import find_hub_model
    from lib_photoshoot.weights.store import find, missing

    if not missing(FILE):
        return DinoV2Features.from_onnx(find(FILE))
    # Not out of the hub's cache: what lies there for another program's sake must not change what is decided here.
    if not ((models_folder() / FOLDER).is_dir() and transformers_is(TRANSFORMERS)):
        return None
    return DinoV2Features.from_folder(find_hub_model(FOLDER))


def _prepared(image: np.ndarray) -> np.ndarray:
    """Return uint8 RGB as the network wants it: float32 (3, 224, 224)."""
    shrinks = max(image.shape[:2]) > SIDE
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    scaled = (small.astype(np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
