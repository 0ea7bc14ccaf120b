"""A shoot that runs in a thread of its own, and what can be seen of it meanwhile and afterwards."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lib_photoshoot.shoot.review.folder import ChosenShot
from lib_photoshoot.shoot.run.runner import ShootProgress, ShootRun, ShootSummary
from lib_photoshoot.webui.http.background import in_background
from lib_photoshoot.wording import counted

_MOST_NOTES = 20


class WatchedRun:
    """One run of the shoot ``name``. Safe to call from several threads once it was started."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._notes: deque[str] = deque(maxlen=_MOST_NOTES)
        self._message = ""
        self._state = "running"
        self._began = time.monotonic()
        self._seconds: float | None = None

    def start(self, make: Callable[[Callable[[ShootProgress], None]], ShootRun]) -> None:
        """Make the run, and begin it; what ``make`` raises comes through, and nothing has begun."""
        self._run = make(self._tell)
        self._thread = in_background("shoot", self._work, partial(self._end, "failed"))

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._state in ("running", "stopping")

    def stop(self) -> None:
        """End after the pictures at hand."""
        if self._state == "running":
            self._state = "stopping"
        self._run.stop()

    def describe(self) -> dict[str, Any]:
        """State, message, notes and seconds, as the page's detail has them."""
        seconds = time.monotonic() - self._began if self._seconds is None else self._seconds
        return {
            "state": self._state,
            "message": self._message,
            "notes": list(self._notes),
            "seconds": round(seconds, 1),
        }

    def view(self, after: int) -> dict[str, Any]:
        """Return the shoot's view, with the reasons why products were set aside."""
        view = self._run.desk.view(after)
        asides = self.asides()
        view["products"] = [product | {"aside": asides.get(product["name"], "")} for product in view["products"]]
        return view

    def asides(self) -> dict[str, str]:
        """Why products were set aside, by their names."""
        return self._run.desk.asides()

    def decide(self, chosen: Sequence[ChosenShot]) -> list[ChosenShot]:
        """Write a person's decisions while it runs; those that came after its end are given back, to be written then.

        Raises ShootError, or OSError as it comes.
        """
        for index, one in enumerate(chosen):
            if not self._run.desk.decide(one.product, one.number, one.hand):
                # It gives its folder back in a moment.
                self._thread.join()
                return list(chosen[index:])
        return []

    def _work(self) -> None:
        with self._run:
            summary = self._run.run()
        self._end(*_outcome(summary))

    def _tell(self, progress: ShootProgress) -> None:
        if progress.note:
            self._notes.append(progress.note)

    def _end(self, state: str, message: str) -> None:
        self._seconds = time.monotonic() - self._began
        self._message = message
        self._state = state


def _outcome(summary: ShootSummary) -> tuple[str, str]:
    wanted, tries = counted(summary.wanted, "picture"), counted(summary.tries, "try", "tries")
    made = f"{summary.accepted} of {wanted} accepted after {tries}."
    if not summary.short:
        return "done", made
    reasons = " ".join(summary.short[:3]) + (f" And {len(summary.short) - 3} more." if len(summary.short) > 3 else "")
    return ("stopped", made) if summary.stopped else ("short", f"{made} {reasons}")
