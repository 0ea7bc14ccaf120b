"""Finds the exceptions in what a trainer prints, however its tracebacks are dressed.

They come plain, in a frame of box-drawing characters (rich), behind a prefix on every line (a rank, a container's name,
a logger's time) or on the first one alone (a shell's). Launchers (accelerate, torchrun) add a traceback of their own
below the trainer's, which says "returned non-zero exit status 1" and nothing else; it is passed over.
"""

from __future__ import annotations

import re

from lib_photoshoot.training.trainer.causes import is_known, sentence_for

_HEAD = "Traceback (most recent call last)"
_LAUNCHER = ("subprocess.CalledProcessError", "torch.distributed.elastic", "torch.multiprocessing.spawn")
_RANK = re.compile(r"^\[rank\d+\]:\s?")
_USAGE = re.compile(r"^[\w./-]+\.py: error: ")
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:(?P<colon>:)(?:\s+(?P<text>.*))?)?$")
# What ends a process without any traceback.
_BARE = re.compile(r"^MemoryError$|std::bad_alloc|^Bus error|insufficient shared memory")
_CODE_INDENT = 4
"""Spaces before the lines of code in a traceback."""


class TracebackReader:
    """Follows the lines of an output and keeps the exceptions that end its tracebacks."""

    def __init__(self) -> None:
        self._open = False
        self._goes_on = False
        self._prefix = ""
        self._found: list[str] = []

    def line(self, line: str) -> None:
        """One more line, without its end."""
        line = _RANK.sub("", line)
        before, head, _ = line.partition(_HEAD)
        if head:
            self._open, self._goes_on, self._prefix = True, False, before
            return
        line = self._without_prefix(line)
        if self._goes_on:
            self._go_on(line)
        elif self._open and (exception := _EXCEPTION.match(line)):
            self._open = False
            self._goes_on = bool(exception["colon"]) and not exception["text"]
            self._found.append(line)
        elif _USAGE.match(line) or _BARE.search(line):
            self._found.append(line)

    def _go_on(self, line: str) -> None:
        """Go on, as some libraries begin their message on a line of its own."""
        if line.strip():
            self._found[-1] += f" {line.strip()}"
            self._goes_on = False

    def _without_prefix(self, line: str) -> str:
        """Return the line without what stood before the traceback's head, whose digits may differ, or as much room."""
        begin = line[: len(self._prefix)]
        room = len(self._prefix) > _CODE_INDENT and begin.isspace() and len(begin) == len(self._prefix)
        return line[len(begin) :] if room or _shape(begin) == _shape(self._prefix) else line

    def cause(self) -> str | None:
        """Return the sentence for the real cause, None while nothing failed.

        Of several exceptions the first with a known sentence wins; otherwise the last that is no launcher's, since a
        chain of exceptions ends with the most telling one.
        """
        own = [line for line in self._found if not line.startswith(_LAUNCHER)]
        for line in own or self._found:
            if is_known(line):
                return sentence_for(line)
        return sentence_for((own or self._found)[-1]) if self._found else None


def _shape(text: str) -> str:
    return re.sub(r"\d", "0", text)
