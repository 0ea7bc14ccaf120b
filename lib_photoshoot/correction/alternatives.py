"""The answers to one step of a correction that a person may choose among, and which of them are too alike to show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

MOST = 8
ALIKE = 0.97
"""Overlap of what two answers change from which a person would not tell them apart."""
AS_DRAWN = "As drawn"
"""What a person drew to the pixel is offered also where another answer is much like it: gaps may be what differs."""
_COMPARED_SIDE = 512


@dataclass(frozen=True, eq=False)
class Alternative:
    """One outline, and how it was found, for people."""

    name: str
    mask: np.ndarray
    """Bool (height, width)."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to a step, the one that changes least first, and the number of the one that is taken unless another is
    chosen.
    """

    names: tuple[str, ...]
    likely: int
    _bits: tuple[np.ndarray, ...]  # eight pixels in a byte: many steps are remembered
    _shape: tuple[int, ...]

    @classmethod
    def of(cls, answers: Sequence[Alternative], likely: int = 0) -> Answers:
        """Hold these answers, all of one size; there is one at least."""
        bits = tuple(np.packbits(one.mask) for one in answers)
        return cls(_numbered([one.name for one in answers]), likely, bits, answers[0].mask.shape)

    @classmethod
    def ordered(cls, before: np.ndarray, answers: Sequence[Alternative]) -> Answers:
        """Hold these answers to a step about the outline ``before``; the first one is the likely one."""
        order = sorted(range(len(answers)), key=lambda at: np.count_nonzero(answers[at].mask ^ before))
        return cls.of([answers[at] for at in order], order.index(0))

    @property
    def all(self) -> list[Alternative]:
        """All of them, with their outlines."""
        return [self.one(number) for number in range(len(self.names))]

    def one(self, choice: int | None) -> Alternative:
        """Return the answer of this number, or the likely one."""
        number = self.likely if choice is None or choice >= len(self._bits) else choice
        mask = np.unpackbits(self._bits[number], count=math.prod(self._shape)).view(bool).reshape(self._shape)
        return Alternative(self.names[number], mask)

    def mask(self, choice: int | None) -> np.ndarray:
        """Return the outline, bool (height, width), of the answer of this number, or of the likely one."""
        return self.one(choice).mask


def differing(before: np.ndarray, found: Iterable[Alternative]) -> Iterator[Alternative]:
    """Yield the answers that differ, at most :data:`MOST`, as they are found; of two that are alike the earlier one
    stays.

    ``before`` is the outline so far; the first answer is the likely one, whatever it changes.
    """
    kept: list[tuple[Alternative, np.ndarray]] = []
    for answer in found:
        change = _small(answer.mask ^ before)
        if kept and not (answer.mask ^ before).any():
            continue
        alike = [other for other, small in kept if _overlap(change, small) >= ALIKE]
        if not alike or (answer.name == AS_DRAWN and all((answer.mask ^ other.mask).any() for other in alike)):
            kept.append((answer, change))
            yield answer
        if len(kept) == MOST:
            return


def _numbered(names: list[str]) -> tuple[str, ...]:
    """Return names of which no two are the same: those of one name, the smallest first, say how large they are."""
    told = []
    for at, name in enumerate(names):
        which, count = names[:at].count(name), names.count(name)
        size = _SIZES.get(count, ())
        told.append(name if count == 1 else f"{name}, {size[which] if size else f'{which + 1} of {count}'}")
    return tuple(told)


_SIZES = {2: ("small", "large"), 3: ("small", "medium", "large")}


def _small(change: np.ndarray) -> np.ndarray:
    scale = min(1.0, _COMPARED_SIDE / max(change.shape))
    size = (max(1, round(change.shape[1] * scale)), max(1, round(change.shape[0] * scale)))
    return cv2.resize(change.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0
