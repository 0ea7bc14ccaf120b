"""The names of models and ways that users choose among; the WebUI reads them at its start, and nothing else of them."""

from __future__ import annotations

from enum import Enum


class DetectorName(str, Enum):
    """The detectors that can be chosen."""

    EMBEDDED = "embedded"
    GROUNDINGDINO = "groundingdino"
    """Swin-T, the usual choice."""
    GROUNDINGDINO_B = "groundingdino-b"
    """Swin-B: larger and slower."""


DETECTOR_ALIASES = {
    "groundingdino-swint": DetectorName.GROUNDINGDINO.value,
    "groundingdino_swint_ogc": DetectorName.GROUNDINGDINO.value,
    "groundingdino-swinb": DetectorName.GROUNDINGDINO_B.value,
    "groundingdino_swinb_cogcoor": DetectorName.GROUNDINGDINO_B.value,
}
"""What the weights manifest and the official checkpoints call them, which is taken for the name of the detector."""


class SegmenterName(str, Enum):
    """The segmenters that can be chosen; the values are the names in the weights manifest."""

    MOBILE_SAM = "mobile-sam"
    VIT_B = "sam-vit-b"
    VIT_L = "sam-vit-l"
    VIT_H = "sam-vit-h"
    HQ_VIT_H = "sam-hq-vit-h"
    """SAM-HQ: finer edges and thin parts."""


class RetouchName(str, Enum):
    """How the article is retouched without a diffusion model."""

    OFF = "off"
    FAITHFUL = "faithful"
    """Sharpness and local contrast within a limit that one hardly sees; hue and chroma stay."""
    LIVELY = "lively"
    """Lighter where dull, and a little more colourful too."""
