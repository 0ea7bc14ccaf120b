"""The figures of a run's steps: one JSON line each in ``history.jsonl``, for charts."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from lib_photoshoot.training.run.folder import RunFolder
from lib_photoshoot.training.trainer.console import read_log
from lib_photoshoot.training.trainer.events import Event, EventKind


class History:
    """The steps' figures, on disk and as the mean that is shown.

    ``earlier`` are the events of earlier attempts, ``first_step`` the step from which this one goes on: what was
    trained beyond it is trained anew.
    """

    def __init__(self, run: RunFolder, epoch_steps: int, first_step: int, earlier: Iterable[Event]) -> None:
        self._losses: deque[float] = deque(maxlen=max(1, epoch_steps))
        self._open: dict[str, Any] | None = None
        self._file = open(run.history_file, "w", encoding="utf-8")  # noqa: SIM115 (closed by close)
        for event in _newest(earlier, first_step):
            if event.event is EventKind.STEP:
                self.step(event)
            else:
                self.rates(event)

    def step(self, event: Event) -> float | None:
        """Take a step in; returns the mean over the last epoch's worth of steps."""
        self._finish()
        if event.averaged or event.loss is None:
            average = event.loss
        else:
            self._losses.append(event.loss)
            average = sum(self._losses) / len(self._losses)
        self._open = {"step": event.step, "epoch": event.epoch, "loss": event.loss, "average": average}
        return average

    def rates(self, event: Event) -> None:
        """Take in the learning rates of the step just taken in."""
        if self._open is not None and self._open["step"] == event.step:
            self._open |= {"unet_lr": event.unet_lr, "text_encoder_lr": event.text_encoder_lr}

    def flush(self) -> None:
        """Let others read what is known so far."""
        with suppress(OSError):  # a full disk must not end a training that may need no more of it
            self._file.flush()

    def close(self) -> None:
        """Write the rest."""
        self._finish()
        with suppress(OSError):
            self._file.close()

    def _finish(self) -> None:
        if self._open is not None:
            with suppress(OSError):
                self._file.write(json.dumps(self._open) + "\n")
            self._open = None


def _newest(events: Iterable[Event], last_step: int) -> list[Event]:
    """Return the steps up to ``last_step`` and their rates, in order; of a step that was trained twice the later
    one.
    """
    kept = [event for event in events if event.event in (EventKind.STEP, EventKind.RATE)]
    by_step = {(event.step or 0, event.event is EventKind.RATE): event for event in kept}
    return [event for (step, _), event in sorted(by_step.items()) if 0 < step <= last_step]


def earlier_events(run: RunFolder, hook: bool) -> list[Event]:
    """Return the steps of earlier attempts. What the hook printed is the whole story, as a supervisor may have ended
    before its trainer; the bars count anew in each attempt, so without the hook it is what was kept.
    """
    if hook:
        return list(read_log(run.console_log))
    return [
        Event(EventKind.STEP, step=line["step"], epoch=line.get("epoch"), loss=line.get("loss"), averaged=True)
        for line in run.history()
        if "step" in line
    ]
