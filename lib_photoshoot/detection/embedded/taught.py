"""Words that ImageNet does not have, such as dress and headphones: a linear head each, on the network's own features.

``taught.npz`` holds the heads, ``taught.json`` which words they are and from which pictures they were learned. The
modules of ``teaching`` beside this make both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor

FEATURES = 1280


@dataclass(frozen=True)
class TaughtHeads:
    """One more row of the network's last layer for each word: ``weight`` (words, 1280), ``bias`` (words), float32.

    ``cell_bias`` (words) stands for ``bias`` in single cells: of the many in a picture some always look like cloth.
    """

    words: tuple[str, ...]
    weight: Tensor
    bias: Tensor
    cell_bias: Tensor

    def __post_init__(self) -> None:
        """Raise ValueError unless there is a row and both biases for each word."""
        shapes = [tuple(values.shape) for values in (self.weight, self.bias, self.cell_bias)]
        if self.weight.ndim != 2 or {shape[0] for shape in shapes} != {len(self.words)}:
            raise ValueError(f"taught words: {len(self.words)} words, but arrays of {shapes}.")

    @classmethod
    def none(cls) -> TaughtHeads:
        """Return heads of no word, for what teaches the first."""
        return cls((), torch.zeros(0, FEATURES), torch.zeros(0), torch.zeros(0))

    def margins(self, features: Tensor, logits: Tensor, *, cells: bool = False) -> Tensor:
        """Return each word's logit (..., words), in which it competes with all 1000 ImageNet classes together.

        ``features`` are the network's (..., 1280), ``logits`` those of the ImageNet classes for them. As in a softmax
        over 1001: what the network knows for sure is some animal is no dress, though no picture of it was among those
        that the dress was learned from.
        """
        bias = self.cell_bias if cells else self.bias
        return features @ self.weight.T + bias - logits.logsumexp(-1, keepdim=True)

    def probabilities(self, features: Tensor, logits: Tensor, *, cells: bool = False) -> Tensor:
        """Return how likely each word is, (..., words) in [0, 1]; see :meth:`margins`."""
        return self.margins(features, logits, cells=cells).sigmoid()


@lru_cache(maxsize=1)
def load_taught() -> TaughtHeads:
    """Return the packaged heads, read once."""
    folder = resources.files(__package__)
    with folder.joinpath("taught.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        weight, bias, cell_bias = (
            torch.from_numpy(arrays[name].astype(np.float32)) for name in ("weight", "bias", "cell_bias")
        )
    return TaughtHeads(tuple(taught_words()), weight, bias, cell_bias)


@lru_cache(maxsize=1)
def taught_words() -> Mapping[str, Mapping[str, Any]]:
    """Return what is told of each taught word, in the order of their heads; needs no torch."""
    text = resources.files(__package__).joinpath("taught.json").read_text(encoding="utf-8")
    words: dict[str, Mapping[str, Any]] = json.loads(text)["words"]
    return words
