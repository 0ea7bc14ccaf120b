"""How far long work is: a bar on a terminal, and without one (a log, a pipe) a line every few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from lib_photoshoot.cli.exits import say

EVERY_S = 10.0
"""Seconds between two lines where there is no terminal."""


class Tell(Protocol):
    """Called with what is done so far; ``text`` says what is begun, ``total`` corrects how much there is."""

    def __call__(self, done: float, text: str | None = None, total: float | None = None) -> None: ...


@contextmanager
def telling(
    text: str,
    total: float | None,
    columns: Sequence[ProgressColumn] = (MofNCompleteColumn(), TimeRemainingColumn()),
    shown: Callable[[int], str] = str,
) -> Iterator[Tell]:
    """Tell on standard error how far the work inside is; ``shown`` writes an amount where there is no bar.

    Lines come from a thread of their own: work that calls back seldom, or not at all, is seen to go on too.
    """
    console = Console(stderr=True, soft_wrap=True)
    if console.is_terminal:
        with Progress(TextColumn("{task.description}"), BarColumn(), *columns, console=console) as bar:
            task = bar.add_task(escape(text), total=total)

            def advance(done: float, text: str | None = None, total: float | None = None) -> None:
                bar.update(task, completed=done, total=total, description=None if text is None else escape(text))

            yield advance
        return
    lines = _Lines(text, total, shown)
    lines.start()
    try:
        yield lines.advance
    finally:
        lines.end()


class _Lines(threading.Thread):
    """Says the latest state from time to time."""

    def __init__(self, text: str, total: float | None, shown: Callable[[int], str]) -> None:
        super().__init__(daemon=True)
        self._state = (text, 0.0, total)
        self._shown = shown
        self._over = threading.Event()
        self._began = time.monotonic()

    def advance(self, done: float, text: str | None = None, total: float | None = None) -> None:
        before, _, whole = self._state
        self._state = (before if text is None else text, done, whole if total is None else total)

    def run(self) -> None:
        while not self._over.wait(EVERY_S):
            text, done, total = self._state
            far = f"{self._shown(int(done))} of {self._shown(int(total))}, " if total else ""
            say(f"{far}{time.monotonic() - self._began:.0f} s: {text}")

    def end(self) -> None:
        self._over.set()
        self.join()
