"""Logistic regression on the network's features: what was seen becomes a head for each word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from lib_photoshoot.detection.embedded.taught import TaughtHeads
from lib_photoshoot.detection.embedded.teaching.lessons import Label, Lesson, LessonError
from lib_photoshoot.detection.embedded.teaching.looking import CELL

PENALTY = 1e-4
"""On the squared weights, of features scaled to their spread."""
SHOWN_SHARE = 0.3
"""Weight of the pictures that show a word, all together, where that of all others is 1."""
CELLS_COUNT = 3.0
"""How much more cells weigh than whole views among the others: a picture has 169, and one that errs is a peak."""
STEPS = 40
MOST_PEAKS, PEAK = 0.04, 0.09
"""Share of pictures without a word in which some place may still look like it, and from which likelihood it does, the
detector's own; for ImageNet's classes 2 % do on average."""
MOST_MATCHES, SCORE = 0.006, 0.18
"""The same for whole pictures and the detector's threshold; a match needs both, and a mask that keeps its score."""
MARGIN = 0.7
"""What is taken from every bias besides, for things of which there was no picture: of the pictures that show a word it
costs one in thirty, and half of what passes of the others."""


@dataclass(frozen=True)
class LearnedViews:
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


def fit(words: Sequence[Lesson], seen: LearnedViews, others: Tensor) -> TaughtHeads:
    """Return heads for ``words``, in their order.

    ``others`` (n) is what a word competes with in each view: log-sum-exp of the 1000 ImageNet logits (see
    :meth:`TaughtHeads.margins`). A picture counts once for each kind of its views, however many there are.
    Raises LessonError for a word that none of the pictures shows.
    """
    truth = torch.from_numpy(truth_of(words, seen.labels))
    if missing := [lesson.word for lesson, shown in zip(words, (truth == 1).any(0), strict=True) if not shown]:
        raise LessonError(f"No picture that was looked at shows {', '.join(missing)}: look at more, or take it out.")
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
    bias = start.detach() - unscaled @ mean
    return TaughtHeads(tuple(lesson.word for lesson in words), unscaled, bias, bias.clone())


def calibrated(
    words: Sequence[Lesson], heads: TaughtHeads, cells: Sequence[np.ndarray], cutouts: np.ndarray
) -> TaughtHeads:
    """Return the heads with biases low enough that pictures without the words pass as seldom as for ImageNet's classes.

    ``cells`` are each picture's margins (rows, columns, words), ``cutouts`` those of the pictures whole (pictures,
    words), see :meth:`TaughtHeads.margins`. Each word's own margin (:class:`Lesson`) is taken off as well; nothing is
    made to pass that did not.
    """
    peaks = [_lowered(_peaks([margins[..., word] for margins in cells])) for word in range(len(heads.words))]
    wholes = [_lowered(cutouts[:, word], MOST_MATCHES, SCORE) for word in range(len(heads.words))]
    margin = MARGIN + torch.tensor([lesson.margin for lesson in words])
    cell_bias, bias = heads.cell_bias + torch.tensor(peaks) - MARGIN, heads.bias + torch.tensor(wholes) - margin
    return TaughtHeads(heads.words, heads.weight, bias, cell_bias)


def _peaks(cells: Sequence[np.ndarray]) -> np.ndarray:
    """Return the margin at which each picture's mean probability over 3 x 3 cells, at its highest, is."""
    probabilities = [1 / (1 + np.exp(-np.clip(margins, -30, 30))) for margins in cells]
    peaks = [cv2.blur(one.astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE).max() for one in probabilities]
    return _logit(np.array(peaks))


def _lowered(margins: np.ndarray, share: float = MOST_PEAKS, least: float = PEAK) -> float:
    """Return what must be added, 0 or less, that no more than this share of ``margins`` reach probability ``least``."""
    highest = np.quantile(margins, 1 - share, method="higher")
    return min(0.0, float(_logit(np.array(least)) - highest) - 1e-3)


def _logit(probability: np.ndarray) -> np.ndarray:
    safe = np.clip(probability.astype(np.float64), 1e-9, 1 - 1e-9)
    return np.log(safe / (1 - safe))
