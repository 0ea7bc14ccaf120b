"""IPTC's terms for where a picture comes from (http://cv.iptc.org/newscodes/digitalsourcetype/), and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class DigitalSource(str, Enum):
    """How a picture came to be; the one that says the most stands first."""

    GENERATED = "generated"
    """Every pixel by a trained model."""
    EDITED = "edited"
    """Parts of it by a trained model."""
    SYNTHETIC = "synthetic"
    """Drawn, rendered or computed, by no trained model."""
    RETOUCHED = "retouched"
    """A photo, retouched without any generative model."""
    PHOTO = "photo"


TERM_OF = {
    DigitalSource.GENERATED: "trainedAlgorithmicMedia",
    DigitalSource.EDITED: "compositeWithTrainedAlgorithmicMedia",
}
"""The terms that we write."""

COMPOSITE = "composite"
"""Written besides where a photo that has a term stands in another scene: it is no longer as it was captured."""

SOURCE_OF = {
    "trainedAlgorithmicMedia": DigitalSource.GENERATED,
    "compositeWithTrainedAlgorithmicMedia": DigitalSource.EDITED,
    "compositeSynthetic": DigitalSource.EDITED,
    "algorithmicMedia": DigitalSource.SYNTHETIC,
    "dataDrivenMedia": DigitalSource.SYNTHETIC,
    "digitalCreation": DigitalSource.SYNTHETIC,
    "screenCapture": DigitalSource.SYNTHETIC,
    "virtualRecording": DigitalSource.SYNTHETIC,
    "algorithmicallyEnhanced": DigitalSource.RETOUCHED,
    "humanEdits": DigitalSource.RETOUCHED,
    "composite": DigitalSource.PHOTO,
    "compositeCapture": DigitalSource.PHOTO,
    "computationalCapture": DigitalSource.PHOTO,
    "digitalCapture": DigitalSource.PHOTO,
    "negativeFilm": DigitalSource.PHOTO,
    "positiveFilm": DigitalSource.PHOTO,
    "print": DigitalSource.PHOTO,
    # Retired, and in files that were written before.
    "digitalArt": DigitalSource.SYNTHETIC,
    "softwareImage": DigitalSource.SYNTHETIC,
    "minorHumanEdits": DigitalSource.RETOUCHED,
}
"""All terms, with what each says."""

_BY_NAME = {term.lower(): term for term in SOURCE_OF}


def term_named(value: str) -> str | None:
    """Return the term in a value: the address, with ``http`` or ``https``, ``digsrctype:…``, or the bare or spaced
    name.
    """
    last = re.split("[/:#]", value.strip().rstrip("/"))[-1]
    return _BY_NAME.get(re.sub(r"[\s_-]", "", last).lower())


def strongest_term(terms: Iterable[str]) -> str | None:
    """Of several terms the one that says the most; None without any."""
    order = list(DigitalSource)
    return min(terms, key=lambda term: order.index(SOURCE_OF[term]), default=None)
