"""The names of models and ways that users choose among; the WebUI reads them at its start, and nothing else of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class DetectorName(str, Enum):
    """The detectors that can be chosen."""

    EMBEDDED = "embedded"
    GROUNDINGDINO = "groundingdino"
    """Swin-T, the usual choice."""
    GROUNDINGDINO_B = "groundingdino-b"
    """Swin-B: larger and slower."""
    MM_GROUNDINGDINO = "mm-groundingdino"
    """Its successor of the same build, in any size that the user has."""
    LLMDET = "llmdet"
    """The same network, trained with a language model beside it."""
    SAM3 = "sam3"
    """Outlines for words, for those to whom Meta gives the weights."""


@dataclass(frozen=True)
class DetectorEntry:
    """What is to be known of a detector before it is loaded.

    ``loader`` and ``check`` are the places of functions, as ``module:function``. The first makes the detector out of a
    :class:`~lib_photoshoot.detection.protocol.Given`; the second says which products can be looked for and how, as
    :class:`~lib_photoshoot.detection.checked.CheckedWords`; without one it takes any word, in English. ``weights`` are
    the files that it reads, by their names in the weights manifest. ``says`` stands in the command line's help. One
    that ``classifies_cutouts`` itself gets no second opinion. ``packages`` says whether it needs packages beyond those
    of the embedded one. ``snapshot`` is the folder that the user brings, by its name in ``weights.hub_models``, and
    ``transformers`` the first release of that library (major, minor) that has the network.
    """

    says: str
    loader: str
    weights: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    check: str | None = None
    classifies_cutouts: bool = False
    packages: bool = False
    snapshot: str | None = None
    transformers: tuple[int, int] | None = None


DETECTORS = {
    DetectorName.EMBEDDED: DetectorEntry(
        "small models, known words",
        "lib_photoshoot.detection.embedded.detector:load",
        check="lib_photoshoot.detection.embedded.check:check_words",
        classifies_cutouts=True,
    ),
    DetectorName.GROUNDINGDINO: DetectorEntry(
        "Swin-T, any words",
        "lib_photoshoot.detection.grounding_dino.detector:load_swin_t",
        weights=("groundingdino-swint", "bert-vocab"),
        aliases=("groundingdino-swint", "groundingdino_swint_ogc"),
        packages=True,
    ),
    DetectorName.GROUNDINGDINO_B: DetectorEntry(
        "Swin-B, any words",
        "lib_photoshoot.detection.grounding_dino.detector:load_swin_b",
        weights=("groundingdino-swinb", "bert-vocab"),
        aliases=("groundingdino-swinb", "groundingdino_swinb_cogcoor"),
        packages=True,
    ),
    DetectorName.MM_GROUNDINGDINO: DetectorEntry(
        "any words, your own folder of weights",
        "lib_photoshoot.detection.mm_grounding_dino:load_mm_grounding_dino",
        weights=("bert-vocab",),
        snapshot="mm-groundingdino",
        transformers=(4, 55),
    ),
    DetectorName.LLMDET: DetectorEntry(
        "any words, your own folder of weights",
        "lib_photoshoot.detection.mm_grounding_dino:load_llmdet",
        weights=("bert-vocab",),
        snapshot="llmdet",
        transformers=(4, 55),
    ),
    DetectorName.SAM3: DetectorEntry(
        "any nouns, your own folder of weights, under Meta's licence",
        "lib_photoshoot.detection.sam3:load",
        snapshot="sam3",
        transformers=(5, 0),
    ),
}
"""The registry of detectors: one more needs an entry here, a folder in ``detection/`` and its files in the manifest."""

DETECTOR_ALIASES = {alias: name.value for name, entry in DETECTORS.items() for alias in entry.aliases}
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
