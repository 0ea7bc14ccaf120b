"""The small detector that a machine has, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lib_photoshoot.detection.small.at_hand import name_at_hand
from lib_photoshoot.detection.small.dfine import DFine
from lib_photoshoot.detection.small.picodet import PicoDet
from lib_photoshoot.detection.small.protocol import SmallDetector
from lib_photoshoot.detection.small.ssdlite import SsdLite
from lib_photoshoot.detection.small.yolox import Yolox
from lib_photoshoot.weights.store import find

SMALL_DETECTORS: dict[str, Callable[[Path, str], SmallDetector]] = {
    "dfine-m": DFine,
    "dfine-s": DFine,
    "yolox-s": Yolox,
    "yolox-tiny": Yolox,
    "picodet-s": lambda path, name: PicoDet(path),
    "yolox-nano": Yolox,
    "ssdlite-coco": lambda path, name: SsdLite(path),
}
"""By their files' names in the weights manifest."""


def small_detector() -> SmallDetector | None:
    """Return the best detector whose file is there; None without any, which is no error."""
    name = name_at_hand()
    return None if name is None else SMALL_DETECTORS[name](find(name), name)
