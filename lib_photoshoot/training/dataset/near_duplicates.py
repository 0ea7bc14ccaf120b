"""Training pictures that look the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lib_photoshoot.files import shown
from lib_photoshoot.perceptual_hash import NEAR_DUPLICATE
from lib_photoshoot.training.dataset.dataset import TrainingImage
from lib_photoshoot.training.dataset.findings import Finding, FindingKind, note

_ROWS = 256
"""Pictures that are compared with all others at once; 10,000 take 10 MB then."""


def duplicates(images: Sequence[TrainingImage]) -> list[Finding]:
    """Return a note for every image that looks like an earlier one, about the most similar of them."""
    findings = []
    for image, earlier in _alike(images):
        sentence = f"{shown(image.name)} looks the same as {shown(earlier.name)}; leave one out, or it counts twice."
        findings.append(note(FindingKind.DUPLICATE, image.path, sentence))
    return findings


def groups(images: Sequence[TrainingImage]) -> list[list[TrainingImage]]:
    """Return the images that look the same, two or more in a group, in their order."""
    found: dict[str, list[TrainingImage]] = {}
    for image, earlier in _alike(images):
        group = found.setdefault(earlier.name, [earlier])
        group.append(image)
        found[image.name] = group
    return list({id(group): group for group in found.values()}.values())


def _alike(images: Sequence[TrainingImage]) -> Iterator[tuple[TrainingImage, TrainingImage]]:
    """Yield each image that looks like an earlier one, with the most similar of those."""
    import numpy as np

    words = np.array([image.hash for image in images], np.uint64).view(np.uint8).reshape(-1, 8)
    bits = np.unpackbits(words, axis=1).astype(np.float32)
    ones = bits.sum(axis=1)
    for start in range(0, len(images), _ROWS):
        rows = bits[start : start + _ROWS]
        apart = ones[start : start + _ROWS, None] + ones[None] - 2 * rows @ bits.T  # how many of the 64 bits differ
        for number, distances in enumerate(apart, start):
            nearest = int(distances[:number].argmin()) if number else 0
            if number and distances[nearest] <= NEAR_DUPLICATE:
                yield images[number], images[nearest]
