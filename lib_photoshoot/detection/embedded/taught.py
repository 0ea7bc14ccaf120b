"""Words that ImageNet does not have, such as dress and headphones: a linear head each, on the network's own features.

``taught.npz`` holds the heads, ``taught.json`` which words they are, from which pictures they were learned, and what
was measured. ``teaching.py`` beside this makes both.
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


@dataclass(frozen=True)
class TaughtHeads:
    """One more row of the network's last layer for each word: ``weight`` (words, 1280), ``bias`` (words), float32."""

    words: tuple[str, ...]
    weight: Tensor
    bias: Tensor

    def __post_init__(self) -> None:
        """Raise ValueError unless there is a row and a bias for each word."""
        if self.weight.ndim != 2 or not len(self.words) == len(self.weight) == len(self.bias):
            raise ValueError(
                f"taught words: {len(self.words)} words, weight {tuple(self.weight.shape)}, "
                f"bias {tuple(self.bias.shape)}"
            )

    def probabilities(self, features: Tensor, logits: Tensor) -> Tensor:
        """Return how likely each word is, (..., words) in [0, 1].

        ``features`` are the network's (..., 1280), ``logits`` those of the 1000 ImageNet classes for them. A word's
        own logit competes with all of these together, as in a softmax over 1001: what the network knows for sure is
        some animal is no dress, though no picture of it was among those that the dress was learned from.
        """
        return torch.sigmoid(features @ self.weight.T + self.bias - logits.logsumexp(-1, keepdim=True))


@lru_cache(maxsize=1)
def load_taught() -> TaughtHeads:
    """Return the packaged heads, read once."""
    folder = resources.files(__package__)
    with folder.joinpath("taught.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        weight, bias = arrays["weight"].astype(np.float32), arrays["bias"].astype(np.float32)
    return TaughtHeads(tuple(taught_words()), torch.from_numpy(weight), torch.from_numpy(bias))


@lru_cache(maxsize=1)
def taught_words() -> Mapping[str, Mapping[str, Any]]:
    """Return what is told of each taught word, in the order of their heads; needs no torch."""
    text = resources.files(__package__).joinpath("taught.json").read_text(encoding="utf-8")
    words: dict[str, Mapping[str, Any]] = json.loads(text)["words"]
    return words
