"""The accepted pictures of one product, best first, with near-duplicates behind the best of their kind."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from lib_photoshoot.ranking.qualities import Quality
from lib_photoshoot.training.dataset import NEAR_DUPLICATE

_WEIGHTS = Path(__file__).parent / "weights.toml"


@dataclass(frozen=True)
class Measured:
    """One picture of a product: its qualities, and its perceptual hash (``training.dataset.difference_hash``)."""

    file: str
    product: str
    qualities: tuple[Quality, ...]
    hash: int


@dataclass(frozen=True)
class Ranked:
    """A picture in its place; ``total`` is the weighted mean of its qualities, in [0, 1]. ``duplicates`` look the same
    and were measured no better."""

    measured: Measured
    total: float
    duplicates: tuple[Ranked, ...] = ()


@lru_cache(maxsize=1)
def default_weights() -> Mapping[str, float]:
    """The shipped weights by quality."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return MappingProxyType(tomllib.loads(_WEIGHTS.read_text("utf-8")))


def total_of(qualities: Sequence[Quality], weights: Mapping[str, float] | None = None) -> float:
    """Weighted mean of the scores, in [0, 1]; KeyError for a quality without a weight."""
    weights = default_weights() if weights is None else weights
    whole = sum(weights[quality.name] for quality in qualities)
    return sum(weights[quality.name] * quality.score for quality in qualities) / whole if whole else 0.0


def rank(
    pictures: Sequence[Measured], weights: Mapping[str, float] | None = None, near: int = NEAR_DUPLICATE
) -> tuple[Ranked, ...]:
    """Order the pictures of one product by their totals; equals by file name, so that the input's order is no matter.

    A picture whose hash differs in at most ``near`` of 64 bits from a better one's joins that one as its duplicate.
    """
    # Best first, each joining the best that it resembles: no chain of small steps can make everything one group.
    in_order = sorted(pictures, key=lambda item: (-total_of(item.qualities, weights), item.file))
    groups: list[tuple[Measured, list[Measured]]] = []
    for picture in in_order:
        group = next((others for best, others in groups if (best.hash ^ picture.hash).bit_count() <= near), None)
        if group is None:
            groups.append((picture, []))
        else:
            group.append(picture)
    return tuple(
        Ranked(
            best, total_of(best.qualities, weights), tuple(Ranked(o, total_of(o.qualities, weights)) for o in others)
        )
        for best, others in groups
    )
