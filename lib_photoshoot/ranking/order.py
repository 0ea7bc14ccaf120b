"""The accepted pictures of one product, best first, with near-duplicates behind the best of their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lib_photoshoot.colour.comparison import ColourCheck
from lib_photoshoot.colour.comparison import to_json as colour_json
from lib_photoshoot.consistency.traits import Traits
from lib_photoshoot.perceptual_hash import NEAR_DUPLICATE
from lib_photoshoot.ranking.alike import compare_measured, set_qualities
from lib_photoshoot.ranking.colours import same_colours
from lib_photoshoot.ranking.qualities import Quality
from lib_photoshoot.results import Reason
from lib_photoshoot.toml_text import parse_toml

_WEIGHTS = Path(__file__).parent / "weights.toml"
_HEADS, _CELLS = 256, 1 << 24
"""Hashes that are compared with all others at once, and the most pairs of them, for the memory's sake."""


@dataclass(frozen=True)
class MeasuredPicture:
    """One picture of a product: its qualities, its perceptual hash (``perceptual_hash.difference_hash``), the
    codes of what speaks against its outline, and the product's colours (``ranking.colours.colours``), where they were
    measured.
    """

    file: str
    product: str
    qualities: tuple[Quality, ...]
    hash: int
    doubts: tuple[str, ...] = ()
    colours: np.ndarray | None = field(default=None, compare=False)
    colour_check: ColourCheck | None = field(default=None, compare=False)
    """The product against its colour reference, where it has one."""
    accepted_by_hand: bool = False
    traits: Traits | None = field(default=None, compare=False)
    """What it is compared by with the others of its product; None where that was not measured."""
    other_product: bool = False
    """Whether it shows another product than the photos that it was compared with."""

    @property
    def colour_off(self) -> bool:
        """Whether it is not of its product's colour."""
        return self.colour_check is not None and self.colour_check.is_off


@dataclass(frozen=True)
class Ranked:
    """A picture in its place; ``total`` is the weighted mean of its qualities, in [0, 1]. ``duplicates`` look the same
    and were measured no better."""

    measured: MeasuredPicture
    total: float
    duplicates: tuple[Ranked, ...] = ()


@lru_cache(maxsize=1)
def default_weights() -> Mapping[str, float]:
    """Return the shipped weights by quality. Raises ExportError where this Python has no TOML reader."""
    return MappingProxyType(parse_toml(_WEIGHTS.read_text("utf-8")))


def total_of(qualities: Sequence[Quality], weights: Mapping[str, float] | None = None) -> float:
    """Weighted mean of the scores, in [0, 1]; KeyError for a quality without a weight."""
    weights = default_weights() if weights is None else weights
    whole = sum(weights[quality.name] for quality in qualities)
    return sum(weights[quality.name] * quality.score for quality in qualities) / whole if whole else 0.0


def rank(
    pictures: Sequence[MeasuredPicture], weights: Mapping[str, float] | None = None, near: int = NEAR_DUPLICATE
) -> tuple[Ranked, ...]:
    """Order the pictures of one product by their totals; equals by file name, so that the input's order is no matter.

    To each one's qualities come those that only a set has: how far it is like the others
    (:func:`~lib_photoshoot.ranking.alike.set_qualities`).
    Those that a person accepted come before all others. One whose outline is doubtful comes after all that are sure:
    however sharp, it may be half a product. One of another colour than its reference, and one that is another product
    than the photos show, come last.
    A picture whose hash differs in at most ``near`` of 64 bits from a better one's, and its product's colours nowhere,
    joins that one as its duplicate: of one shape, another colour or print is another product.
    """
    pictures = _with_set(pictures)
    totals = {id(item): total_of(item.qualities, weights) for item in pictures}
    in_order = sorted(
        pictures,
        key=lambda item: (
            not item.accepted_by_hand, item.other_product, item.colour_off, bool(item.doubts), -totals[id(item)],
            item.file
        ),
    )  # fmt: skip
    groups: dict[int, list[Ranked]] = {}
    found = leaders([item.hash for item in in_order], near, [item.colours for item in in_order])
    for picture, leader in zip(in_order, found, strict=True):
        groups.setdefault(leader, []).append(Ranked(picture, totals[id(picture)]))
    return tuple(replace(best, duplicates=tuple(others)) for best, *others in groups.values())


def _with_set(pictures: Sequence[MeasuredPicture]) -> list[MeasuredPicture]:
    alike = compare_measured((item.file, item.traits) for item in pictures)
    found = [(item, tuple(set_qualities(item.traits, alike))) for item in pictures]
    return [replace(item, qualities=(*item.qualities, *own)) if own else item for item, own in found]


def leaders(hashes: Sequence[int], near: int, colours: Sequence[np.ndarray | None] | None = None) -> list[int]:
    """For each 64-bit hash the index of its group's first one: the first leader that differs in at most ``near`` bits.

    Where both have ``colours``, these have to be the same too.

    Whatever resembles no leader before it is one itself. So each joins the best that it resembles, and no chain of
    small steps can make everything one group.
    """
    # As rows of 64 signs, the product of two hashes is 64 less twice the bits in which they differ: small whole
    # numbers, exact in float32, and a matrix product gives them for many pairs at once.
    bits = np.unpackbits(np.array(hashes, ">u8").view(np.uint8).reshape(-1, 8), axis=1)
    signs = bits.astype(np.float32) * 2 - 1
    leader = np.full(len(hashes), -1)
    left = np.arange(len(hashes))
    while left.size:
        heads = left[: max(1, min(_HEADS, _CELLS // left.size))]
        close = signs[heads] @ signs[left].T >= 64 - 2 * near
        for head, row in zip(heads, close, strict=True):
            if leader[head] < 0:
                mine = left[row]
                mine = mine[leader[mine] < 0]
                if colours is not None:
                    mine = mine[[same_colours(colours[head], colours[other]) for other in mine]]
                leader[mine] = head
                leader[head] = head
        left = left[leader[left] < 0]
    return leader.tolist()


def to_json(item: Ranked) -> dict[str, Any]:
    """Return a picture with its qualities, reasons and duplicates as JSON values."""
    qualities = {q.name: {"score": round(q.score, 4), "reason": q.reason} for q in item.measured.qualities}
    return {
        "file": item.measured.file,
        "total": round(item.total, 4),
        "qualities": qualities,
        "doubts": list(item.measured.doubts),
        **({"by_hand": "accepted"} if item.measured.accepted_by_hand else {}),
        **({"reason": Reason.OTHER_PRODUCT.value} if item.measured.other_product else {}),
        **({} if item.measured.colour_check is None else {"colour_check": colour_json(item.measured.colour_check)}),
        "duplicates": [{"file": other.measured.file, "total": round(other.total, 4)} for other in item.duplicates],
    }
