"""Which small detector a machine has, and what it tells apart; loads nothing."""

from __future__ import annotations

from collections.abc import Mapping

from lib_photoshoot.detection.small.labels import COCO, OBJECTS365
from lib_photoshoot.weights.store import missing

LABELS: Mapping[str, tuple[str, ...]] = {
    "dfine-m": OBJECTS365,
    "dfine-s": OBJECTS365,
    "yolox-s": COCO,
    "yolox-tiny": COCO,
    "picodet-s": COCO,
    "yolox-nano": COCO,
    "ssdlite-coco": COCO,
}
"""The labels of each detector, by its file's name in the weights manifest, best first."""


def name_at_hand() -> str | None:
    """Return the best detector whose file is there; None without any, which is no error."""
    return next((name for name in LABELS if not missing(name)), None)


def labels_at_hand() -> tuple[str, ...]:
    """Return the labels of the best detector whose file is there; none without any."""
    name = name_at_hand()
    return () if name is None else LABELS[name]
