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
TINY, LARGE = (0.003, -2.3), (0.1, -0.8)
"""Shares of the picture, each with the offset of the odds of a far place of that size: the less of the picture a place
is, the surer a detector has to be. This and what is below were chosen on every other one of 334 pictures of COCO's
val2017 (benchmarks/recall.py)."""
CLOSE_OFFSET = 0.0
FAR_WEIGHT, CLOSE_WEIGHT = 0.05, 1.0
"""Of the classifier's odds. In scenes the detector tells nearly all; of what fills the picture the classifier tells,
and the detector takes a garment for an umbrella."""
FAR_SHARE, CLOSE_SHARE = 0.4, 0.6
"""A place of less of the picture than the first is far, of more than the second close."""
FROM = 0.1
"""A detector that sees less says nothing: it knows products from scenes, and often not from close by."""
UNSEEN = (1.7, 1.5)
"""Offset, and weight of the detector's odds, of the doubt about a far place that the classifier alone knows: a
headboard as a sofa, a sheet as an umbrella. In those scenes no product was found that the detector saw not at all."""
SCENE = (0.4, 0.7)
"""A picture in which a detector is no surer of anything than the first is none of its scenes, and its silence says
nothing; from the second on it is one."""
SUREST = 0.97
"""The classifier is believed to be no surer, where it is in doubt."""
SMALL, SMALL_SHARES = 0.4, (0.06, 0.1)
"""The classifier's word on a place of less of the picture than the first share counts so much, of more than the second
whole."""
BELIEVED = (0.6, 0.95)
"""So sure, far and close, a detector is believed alone where the classifier cannot tell; that scores BELIEVED_AS."""
BELIEVED_AS = 0.18
OTHER = 0.5
"""From this on a detector that sees another thing in a place speaks against the product."""
AGAINST, AGAINST_UNSEEN = 1.0, 3.0
"""How much the odds fall by another thing surely seen, and where it is surer of that than twice of the product."""


def joined(
    shown: float,
    seen: float | None,
    share: float = 0.0,
    enough: bool = False,
    other: float = 0.0,
    scene: float = 1.0,
) -> float:
    """Return the score in [0, 1] of a product of which the classifier is sure by ``shown`` and a detector by ``seen``.

    Both in [0, 1], as is ``share``, how much of the picture the place is. ``seen`` is None where no detector knows the
    product, and ``shown`` is the score then. ``enough`` says that the detector's word alone may do; by ``other`` it is
    sure of another thing in that place, by ``scene`` of anything in the picture.

    >>> joined(0.4, None), joined(0.4, 0.05, share=0.7)
    (0.4, 0.4)
    >>> joined(0.4, 0.05, share=0.2) < 0.2 < 0.5 < joined(0.1, 0.9, share=0.2)
    True
    """
    if seen is None:
        return shown
    closeness = _between(share, FAR_SHARE, CLOSE_SHARE)
    against = other if other >= OTHER else 0.0
    doubt = min(0.0, UNSEEN[0] + UNSEEN[1] * _log_odds(seen + LEAST_SEEN)) * _between(scene, *SCENE)
    if seen < other / 2:
        doubt -= AGAINST_UNSEEN * against
    alone = _alone(shown, share, doubt * (1 - closeness))
    if enough:
        limit = BELIEVED[0] + (BELIEVED[1] - BELIEVED[0]) * closeness
        return max(alone, _expit(_log_odds(seen) - _log_odds(limit) + _log_odds(BELIEVED_AS)))
    if seen <= FROM:
        return alone
    size = _between(math.log(max(share, TINY[0])), math.log(TINY[0]), math.log(LARGE[0]))
    far = TINY[1] + (LARGE[1] - TINY[1]) * size - AGAINST * against
    offset = far + (CLOSE_OFFSET - far) * closeness
    weight = FAR_WEIGHT + (CLOSE_WEIGHT - FAR_WEIGHT) * closeness
    return max(alone, _expit(offset + weight * _log_odds(shown + LEAST_SHOWN) + _log_odds(seen + LEAST_SEEN)))


def _alone(shown: float, share: float, doubt: float) -> float:
    """Return what the classifier's word on a place is worth, its odds lowered by ``doubt``."""
    word = shown * (SMALL + (1 - SMALL) * _between(share, *SMALL_SHARES))
    return _expit(_log_odds(min(word, SUREST)) + doubt) if doubt else word


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
