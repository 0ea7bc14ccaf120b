"""One step's answers, worked out as they are wanted: the likely one at once, the others as long as somebody waits."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lib_photoshoot.correction.alternatives import Alternative, Answers, differing

FINISHED_KEPT = 32
"""The last step of several asks again about the others: their answers are known, 4 MB each at most."""
BEGUN_KEPT = 3
"""Those of which only the likely answer was wanted so far: each holds whole masks."""

Wanted = Callable[[], bool]


def always() -> bool:
    """Answers are wanted until they are there."""
    return True


class OvertakenError(Exception):
    """A newer step is to be answered first: what was worked out so far is kept for whoever asks again."""


class Overtaking:
    """Which work a newer question makes stale. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = 0

    def overtake(self) -> None:
        """Let all that is being worked out for chips, or waits for its turn, give way."""
        with self._lock:
            self._newest += 1

    def wanted(self) -> Wanted:
        """Return what tells whether nothing has been asked since now."""
        now = self._newest
        return lambda: self._newest == now


class Answering:
    """The answers to one step about the outline ``before``, bool (height, width), of which ``found`` yields the likely
    one first.
    """

    def __init__(self, before: np.ndarray, found: Iterator[Alternative]) -> None:
        self._before = before
        self._found = differing(before, found)
        self._kept = [next(self._found)]
        self._answers: Answers | None = None
        self.is_broken = False
        """Whether something failed halfway: what there is would be taken for all."""

    @property
    def is_finished(self) -> bool:
        """Whether all answers are known."""
        return self._answers is not None

    def chosen(self, choice: int | None) -> Alternative:
        """Return the answer of this number, or the likely one, which is known already."""
        if self._answers is None and choice is None:
            return self._kept[0]
        return self.all().one(choice)

    def all(self, wanted: Wanted = always) -> Answers:
        """Return all answers. Raises OvertakenError as soon as they are no longer ``wanted``."""
        while self._answers is None:
            if not wanted():
                raise OvertakenError
            try:
                more = next(self._found, None)
            except Exception:
                self.is_broken = True
                raise
            if more is None:
                self._answers = Answers.ordered(self._before, self._kept)
                self._kept.clear()
            else:
                self._kept.append(more)
        return self._answers


class Remembered:
    """The answerings of the last steps, by what they are about."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], Answering] = OrderedDict()

    def once(self, key: tuple[Any, ...], begin: Callable[[], Answering]) -> Answering:
        """Return the answering of a key, begun where it is not known."""
        if key not in self._known or self._known[key].is_broken:
            self._known[key] = begin()
        self._known.move_to_end(key)
        for finished, most in ((True, FINISHED_KEPT), (False, BEGUN_KEPT)):
            same = [one for one, answering in self._known.items() if answering.is_finished is finished]
            for one in same[:-most]:
                del self._known[one]
        return self._known[key]
