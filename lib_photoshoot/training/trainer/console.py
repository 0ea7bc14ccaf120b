"""Reads what sd-scripts prints: tqdm's bars, its own lines, tracebacks, and the lines of our hook among them.

Written against sd-scripts v0.10.1; the bars of v0.6.5 and of notebooks are read too. What is printed is no contract, so
every rule here stands on a recorded log in the tests.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_photoshoot.training.trainer.causes import sentence_for
from lib_photoshoot.training.trainer.events import Event, EventKind
from lib_photoshoot.training.trainer.tracebacks import TracebackReader

HOOK_MARK = "@photoshoot "
"""Begins the lines that ``hook/entry.py`` prints: JSON objects."""

_BAR = re.compile(
    r"steps:\s+\d+%\|?.*?\|?\s*(?P<step>\d+)/(?P<total>\d+) "
    r"\[(?P<spent>[\d:]+)<(?P<left>[\d:?]+),\s*[\d.?]+\s*(?:s/it|it/s)(?:, (?P<postfix>.*?))?\]"
)
_LOSS = re.compile(r"(?:avr_)?loss=([^,\s]+)")
_EPOCH = re.compile(r"epoch (\d+)/(\d+)$")
_COUNTS = (
    ("images", re.compile(r"num train images \* repeats[^:]*: (\d+)$")),
    ("batches", re.compile(r"num batches per epoch[^:]*: (\d+)$")),
    ("total", re.compile(r"total optimization steps[^:]*: (\d+)$")),
)
_SAVING = re.compile(r"saving checkpoint: (.+)$")
_LOG_PREFIX = re.compile(r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)?\s+(?:INFO|WARNING|ERROR)\s+")
_CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_PHASES = (
    ("prepare images", "reading the pictures"),
    ("make buckets", "sorting the pictures by shape"),
    ("loading model for process", "loading the checkpoint"),
    ("load StableDiffusion checkpoint", "loading the checkpoint"),
    ("caching latents", "encoding the pictures"),
    ("create LoRA network", "making the LoRA"),
    ("running training", "starting"),
    ("generating sample images", "making sample pictures"),
    ("saving checkpoint", "saving"),
)
_AFTER_SAVING = ("saving", "removing old checkpoint", "generating sample images", "model saved", "epoch ")
_NO_DATA = "No data found. Please verify arguments"


class ConsoleParser:
    """Turns the bytes of one trainer's output into events, in order.

    tqdm puts ``\\r`` before each update, so the newest line is never terminated; it is looked at all the same. Once our
    hook speaks, its steps count, and the bars, which begin anew after a resume, do not.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._tail = ""
        self._traceback = TracebackReader()
        self._hook = False
        self._epoch: int | None = None
        self._epochs: int | None = None
        self._shown: Event | None = None
        self._told_step = 0
        self._saving: str | None = None
        self._phase: str | None = None
        self._failed = False
        self._not_a_number = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes complete."""
        *lines, self._tail = re.split(r"[\r\n]", self._tail + self._decode(data))
        events = [event for line in lines for event in self._line(line)]
        if _BAR.fullmatch(self._tail.rstrip()):
            events += self._line(self._tail)
            self._tail = ""
        return events

    def close(self) -> list[Event]:
        """Return the events that the end of the output completes: the last step, and why it failed."""
        events = [*self._line(self._tail + self._decode(b"", True)), *self._step_shown()]
        self._tail = ""
        cause = self._traceback.cause()
        if cause and not self._failed:
            events.append(Event(EventKind.ERROR, cause=cause))
        return events

    def _line(self, line: str) -> Iterator[Event]:
        line = _CURSOR.sub("", line).rstrip()
        if line.startswith(HOOK_MARK):
            yield from self._hook_line(line[len(HOOK_MARK) :])
            return
        bar = _BAR.match(line)
        if bar:
            yield from self._bar(bar)
            # The bar ends no line: what is printed next, such as a traceback, begins on it.
            line = line[bar.end() :].lstrip()
            if not line:
                return
        self._traceback.line(line)
        text = _LOG_PREFIX.sub("", line).strip()
        if not text:
            return
        yield from self._saved(text)
        epoch = _EPOCH.match(text)
        if epoch:
            yield from self._step_shown()
            self._epoch, self._epochs = int(epoch[1]), int(epoch[2])
            if not self._hook:
                yield Event(EventKind.EPOCH, epoch=self._epoch, epochs=self._epochs)
        saving = _SAVING.match(text)
        if saving:
            self._saving = saving[1]
        if text.startswith(_NO_DATA):
            self._failed = True
            yield Event(EventKind.ERROR, cause=sentence_for(text))
        yield from _counted(text)
        yield from self._phase_of(text)

    def _bar(self, bar: re.Match[str]) -> Iterator[Event]:
        """Yield the step: of up to three showings only the last before the next step has the step's own loss."""
        if self._hook:
            return
        step = int(bar["step"])
        if self._shown is not None and self._shown.step != step:
            yield from self._step_shown()
        if self._saving and step > self._told_step:
            yield from self._saved("epoch ")
        if step <= self._told_step:
            return
        second = self._shown is not None
        self._shown = Event(
            EventKind.STEP,
            step=step,
            total=int(bar["total"]),
            epoch=self._epoch,
            epochs=self._epochs,
            loss=_loss(bar["postfix"]),
            averaged=True,
            seconds_left=_seconds(bar["left"]),
        )
        if second:
            yield from self._step_shown()

    def _step_shown(self) -> Iterator[Event]:
        if self._shown is None:
            return
        event, self._shown = self._shown, None
        self._told_step = event.step or 0
        if event.loss is None or math.isfinite(event.loss):
            yield event
            return
        yield replace(event, loss=None)  # JSON has no such number
        if not self._not_a_number:
            self._not_a_number = True
            yield Event(EventKind.NOT_A_NUMBER, step=event.step)

    def _saved(self, text: str) -> Iterator[Event]:
        """Wait, as ``saving checkpoint`` is printed before the file is written; what follows it tells that it was."""
        if self._saving and text.startswith(_AFTER_SAVING):
            file, self._saving = self._saving, None
            yield Event(EventKind.SAVED, file=file)
        elif text.startswith("Traceback"):
            self._saving = None

    def _phase_of(self, text: str) -> Iterator[Event]:
        for mark, phase in _PHASES:
            if text.startswith(mark) and phase != self._phase:
                self._phase = phase
                yield Event(EventKind.PHASE, text=phase)
                return

    def _hook_line(self, text: str) -> Iterator[Event]:
        try:
            values = json.loads(text)
            event = Event(EventKind(values.pop("event")), **values)
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # cut short by a kill
        self._hook = True
        if event.event is EventKind.EPOCH:
            self._epoch, self._epochs = event.epoch, event.epochs
        yield event


def _counted(text: str) -> Iterator[Event]:
    for name, pattern in _COUNTS:
        found = pattern.match(text)
        if found:
            known: dict[str, Any] = {name: int(found[1])}
            yield Event(EventKind.COUNTED, **known)


def read_log(path: Path) -> Iterator[Event]:
    """Yield the events of a whole log file. Raises OSError as it comes."""
    parser = ConsoleParser()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 16):
            yield from parser.feed(chunk)
    yield from parser.close()


def _loss(postfix: str | None) -> float | None:
    """Return the loss in a bar's postfix, which may be not a number; None where it shows none."""
    found = _LOSS.search(postfix or "")
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _seconds(text: str) -> float | None:
    if "?" in text:
        return None
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds)
