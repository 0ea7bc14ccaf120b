"""Logistic regression on the network's features: what was seen becomes a head for each word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from lib_photoshoot.detection.embedded.taught import TaughtHeads
from lib_photoshoot.detection.embedded.teaching.lessons import Label, Lesson
from lib_photoshoot.detection.embedded.teaching.looking import CELL

PENALTY = 1e-4
"""On the squared weights, of features scaled to their spread."""
SHOWN_SHARE = 0.3
"""Weight of the pictures that show a word, all together, where that of all others is 1."""
CELLS_COUNT = 3.0
"""How much more cells weigh than whole views among the others: a picture has 169, and one that errs is a peak."""
STEPS = 60


@dataclass(frozen=True)
class Seen:
    """Views of many pictures: features float32 (n, 1280), their kinds, pictures (any key) and labels, each (n)."""

    features: np.ndarray
    kinds: np.ndarray
    pictures: Sequence[str]
    labels: Sequence[Label]


def truth_of(words: Sequence[Lesson], labels: Sequence[Label]) -> np.ndarray:
    """Return float32 (labels, words): 1 where the label shows the word, -1 where that is unclear, else 0."""
    column = {label: _row(words, label) for label in set(labels)}
    return np.stack([column[label] for label in labels])


def _row(words: Sequence[Lesson], label: Label) -> np.ndarray:
    row = [1 if label in lesson.shows else -1 if label in lesson.unclear else 0 for lesson in words]
    return np.array(row, np.float32)


def fit(words: Sequence[Lesson], seen: Seen, others: Tensor, *, bias: float = 0.0) -> TaughtHeads:
    """Return heads for ``words``, in their order.

    ``others`` (n) is what a word competes with in each view: log-sum-exp of the 1000 ImageNet logits (see
    :meth:`TaughtHeads.probabilities`). A picture counts once for each kind of its views, however many there are.
    ``bias`` is added to every head's in the end: below 0, fewer views pass.
    """
    truth = torch.from_numpy(truth_of(words, seen.labels))
    counts = Counter(zip(seen.pictures, seen.kinds.tolist(), strict=True))
    each = [1 / counts[key] for key in zip(seen.pictures, seen.kinds.tolist(), strict=True)]
    weight = torch.tensor(each, dtype=torch.float32)[:, None]
    more = torch.from_numpy(np.where(seen.kinds == CELL, CELLS_COUNT, 1.0).astype(np.float32))[:, None]
    shown, absent = (truth == 1) * weight, (truth == 0) * weight * more
    shown, absent = SHOWN_SHARE * shown / shown.sum(0), absent / absent.sum(0)

    features = torch.from_numpy(seen.features)
    mean, spread = features.mean(0), features.std(0) + 0.05
    scaled = (features - mean) / spread
    rows = torch.zeros(len(words), features.shape[1], requires_grad=True)
    start = torch.full((len(words),), float(others.mean()) - 3, requires_grad=True)
    optimizer = torch.optim.LBFGS([rows, start], max_iter=STEPS, history_size=8, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = scaled @ rows.T + start - others[:, None]
        total = (softplus(-logits) * shown).sum() + (softplus(logits) * absent).sum() + PENALTY * rows.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[arg-type, no-untyped-call]
    unscaled = rows.detach() / spread
    return TaughtHeads(tuple(lesson.word for lesson in words), unscaled, start.detach() - unscaled @ mean + bias)
