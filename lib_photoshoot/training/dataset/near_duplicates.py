"""Training pictures that look the same."""

from __future__ import annotations

from collections.abc import Sequence

from lib_photoshoot.files import shown
from lib_photoshoot.perceptual_hash import NEAR_DUPLICATE
from lib_photoshoot.training.dataset.dataset import TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, note


def duplicates(images: Sequence[TrainingImage]) -> list[Finding]:
    """Return a note for every image that looks like an earlier one, about the most similar of them."""
    findings = []
    for number, image in enumerate(images):
        distances = [(_distance(image, earlier), earlier.name) for earlier in images[:number]]
        distance, name = min(distances, default=(64, ""))
        if distance <= NEAR_DUPLICATE:
            sentence = f"{shown(image.name)} looks the same as {shown(name)}; leave one out, or it counts twice."
            findings.append(note(FindingKind.DUPLICATE, image.path, sentence))
    return findings


def _distance(one: TrainingImage, other: TrainingImage) -> int:
    """How many of the 64 bits differ."""
    return (one.hash ^ other.hash).bit_count()
