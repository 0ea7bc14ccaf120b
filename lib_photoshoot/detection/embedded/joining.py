"""One score out of what the classifier and a small detector say of a place, look-alikes considered."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

OWN_SHARE = 0.2
"""A watch's dial is a clock to the network: a class that a look-alike has too counts as far as the product's own
classes reach this share of it. Real watches have .18 and more of it, clocks and compasses at most .02."""

LEAST_SHOWN, LEAST_SEEN = 0.004, 0.02
"""Added to what either network says, so that one that sees nothing casts doubt and no veto."""
FAR, CLOSE = (-1.7, 0.05), (0.0, 1.0)
"""Offset of the odds, and weight of the classifier's. In scenes the detector tells nearly all, and from about .57 on is
right; of what fills the picture the classifier tells, and the detector takes a garment for an umbrella. Chosen on
COCO-MINI's train2017 and on every other one of ImageNet's samples (benchmarks/recall.py)."""
FAR_SHARE, CLOSE_SHARE = 0.4, 0.6
"""A place of less of the picture than the first is far, of more than the second close."""
FROM, UNSEEN = 0.1, 0.4
"""A detector that sees less than the first says nothing: it knows products from scenes, and often not from close by.
Of a small place the classifier alone has to be surer then."""
SMALL, LARGE = 0.06, 0.1
"""A place of less of the picture than the first is small in that sense, of more than the second it is not."""
BELIEVED = (0.6, 0.95)
"""So sure, far and close, a detector is believed alone where the classifier cannot tell; that scores BELIEVED_AS."""
BELIEVED_AS = 0.18
OTHER = 0.5
"""From this on a detector that sees another thing in a place, and nothing of the product, speaks against it."""


def joined(shown: float, seen: float | None, share: float = 0.0, enough: bool = False, other: float = 0.0) -> float:
    """Return the score in [0, 1] of a product of which the classifier is sure by ``shown`` and a detector by ``seen``.

    Both in [0, 1], as is ``share``, how much of the picture the place is. ``seen`` is None where no detector knows the
    product, and ``shown`` is the score then. ``enough`` says that the detector's word alone may do; by ``other`` it is
    sure of another thing in that place.

    >>> joined(0.4, None), round(joined(0.4, 0.05), 2), joined(0.4, 0.05, share=0.5)
    (0.4, 0.16, 0.4)
    >>> joined(0.1, 0.9) > 0.5
    True
    """
    if seen is None:
        return shown
    closeness = _between(share, FAR_SHARE, CLOSE_SHARE)
    if enough:
        limit = BELIEVED[0] + (BELIEVED[1] - BELIEVED[0]) * closeness
        return max(
            joined(shown, seen, share, other=other), _expit(_log_odds(seen) - _log_odds(limit) + _log_odds(BELIEVED_AS))
        )
    size = 0.0 if other >= OTHER and seen <= FROM else _between(share, SMALL, LARGE)
    alone = shown * (UNSEEN + (1 - UNSEEN) * size)
    if seen <= FROM:
        return alone
    offset, weight = (far + (close - far) * closeness for far, close in zip(FAR, CLOSE, strict=True))
    odds = offset + weight * _log_odds(shown + LEAST_SHOWN) + _log_odds(seen + LEAST_SEEN)
    return max(alone, _expit(odds))


def _between(value: float, low: float, high: float) -> float:
    """Return how far a value is from ``low`` to ``high``, in [0, 1]."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _expit(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def against_rivals(probabilities: np.ndarray, classes: Sequence[int], rivals: Sequence[int]) -> float:
    """Return the probability in [0, 1] of ``classes``, less where ``rivals``, the look-alikes', are likelier.

    ``probabilities`` is float32 (1000,). A class may be among both.
    """
    shown = float(probabilities[list(classes)].sum())
    only_rivals = float(probabilities[[index for index in rivals if index not in classes]].sum())
    standing = min(1.0, shown / max(only_rivals, 1e-6))
    if shared := [index for index in classes if index in rivals]:
        both = float(probabilities[shared].sum())
        standing = min(standing, (shown - both) / max(OWN_SHARE * (both + only_rivals), 1e-6))
    return min(1.0, shown) * standing
