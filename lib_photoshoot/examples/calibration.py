"""What the parts of the evidence weigh, as logistic regressions.

Fitted on photos of training and validation splits, so that :data:`THRESHOLD` lets through about one in a hundred
pictures of other products; what was measured on other pictures stands in ``docs/examples.md``. The weight of missing
colours of plain things is set by hand: in photos of kinds colours vary, in those of one product they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLD = 0.5
"""The score from which a picture shows *this product*."""
KIND_LOOK = 0.4
"""Likeness to the network from which something is at least of the product's kind."""
LEAD = 0.04
"""How much more like the examples than they are like each other something without a print must be to be *this product*:
of photos of others of its family about one in fifty is."""
TRACE_LOOK = 0.26
"""Likeness of a window from which a picture is looked at more closely."""
TRACE_PRINT = -3.0
"""Log odds of a print's place from which it is."""
NO_PRINT = -9.0
"""Log odds of a print that was found nowhere."""


@dataclass(frozen=True)
class Weights:
    """A logistic regression: log odds are ``bias`` and the evidence times ``factors``."""

    factors: tuple[float, ...]
    bias: float

    def log_odds(self, evidence: Sequence[float] | np.ndarray) -> float:
        """Return the log odds of evidence in the order of the factors."""
        return float(np.dot(evidence, self.factors) + self.bias)


PRINT = Weights((-0.687, 1.318, 6.813, 3.333, -0.687, -2.195, 1.899), -2.273)
"""That a place shows the example's print; see :func:`lib_photoshoot.examples.prints.evidence`."""
PRINTED = Weights((1.0, 0.0, -14.4), 1.1)
"""That a candidate is a product known by its print: the print's log odds, look, missing colours."""
PLAIN = Weights((21.65, -4.47, -6.0), -3.8)
"""That a candidate is a product known by its look and colours: look, the examples' own cohesion, missing colours."""


def probability(log_odds: float) -> float:
    """Return log odds as a probability in [0, 1]."""
    return float(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))
