"""How far long work is: a bar on a terminal, and without one (a log, a pipe) a line every few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from lib_photoshoot.cli.told import ToldInLines


class Tell(Protocol):
    """Called with what is done so far; ``text`` says what is begun, ``total`` corrects how much there is."""

    def __call__(self, done: float, text: str | None = None, total: float | None = None) -> None: ...


@contextmanager
def telling(
    text: str,
    total: float | None,
    columns: Sequence[ProgressColumn] = (MofNCompleteColumn(), TimeRemainingColumn()),
    shown: Callable[[int], str] = str,
    transient: bool = False,
) -> Iterator[Tell]:
    """Tell on standard error how far the work inside is; ``shown`` writes an amount where there is no bar.

    A ``transient`` bar is gone when the work is done.

    Work that calls back seldom, or not at all, is seen to go on too.
    """
    console = Console(stderr=True, soft_wrap=True)
    if console.is_terminal:
        shape = (TextColumn("{task.description}"), BarColumn(), *columns)
        with Progress(*shape, console=console, transient=transient) as bar:
            task = bar.add_task(escape(text), total=total)

            def advance(done: float, text: str | None = None, total: float | None = None) -> None:
                bar.update(task, completed=done, total=total, description=None if text is None else escape(text))

            yield advance
        return
    name, whole = text, total
    with ToldInLines(text) as lines:

        def say_far(done: float, text: str | None = None, total: float | None = None) -> None:
            nonlocal whole, name
            whole = whole if total is None else total
            name = name if text is None else text
            lines.tell(f"{name}: {shown(int(done))} of {shown(int(whole))}" if whole else name)

        yield say_far
