"""Work in the background: threads that end with the process, and whose errors are told as sentences."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.sentences import sentence


def in_background(kind: str, work: Callable[[], None], failed: Callable[[str], None]) -> threading.Thread:
    """Begin ``work``, which ends with the process at the latest; ``failed`` hears of whatever it raises, in a sentence.

    ``kind`` is its name in sentences: "captioning".
    """

    def run() -> None:
        try:
            work()
        except PhotoshootError as error:
            failed(sentence(error))
        except Exception as error:  # whatever it is, the one who asks for the progress must hear of it
            failed(f"The {kind} failed ({type(error).__name__}: {error}).")

    thread = threading.Thread(target=run, name=f"photoshoot {kind}", daemon=True)
    thread.start()
    return thread


@dataclass
class JobState:
    """One piece of work: ``done`` of ``of``, or a ``share`` from 0 to 1 where that is known, and what it does now.

    ``about`` is what it works on. ``error`` is a sentence once it has failed, ``result`` what it returned.
    """

    about: str = ""
    busy: bool = False
    done: int = 0
    of: int = 0
    share: float | None = None
    doing: str = ""
    error: str | None = None
    result: Any = None
    stopped: bool = False

    def count(self, done: int, of: int) -> None:
        """Note the progress; ends the work where that was asked for."""
        self.done, self.of = done, of
        self._end_if_stopped()

    def tell(self, doing: str, share: float | None) -> None:
        """Note what is done now; without a share the last one stays. Ends the work where that was asked for."""
        self.doing = doing
        self.share = self.share if share is None else share
        self._end_if_stopped()

    def _end_if_stopped(self) -> None:
        if self.stopped:
            raise Stopped


class Stopped(Exception):
    """The user has stopped the work."""


class Later:
    """Does ``work`` about something once nothing more was asked about it for so many seconds.

    Safe to call from several threads. ``work`` tells its errors itself.
    """

    def __init__(self, seconds: float, work: Callable[[str], None]) -> None:
        self._seconds, self._work = seconds, work
        self._lock = threading.Lock()
        self._timers: dict[str, threading.Timer] = {}

    def ask(self, about: str) -> None:
        """Do it in a while; what was asked about the same thing before is put off."""
        with self._lock:
            if (waiting := self._timers.pop(about, None)) is not None:
                waiting.cancel()
            timer = self._timers[about] = threading.Timer(self._seconds, self._work, (about,))
        timer.daemon = True
        timer.start()


class BackgroundJob:
    """One kind of work. ``kind`` is its name in sentences: "captioning". Safe to call from several threads."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._state = JobState()

    @property
    def state(self) -> JobState:
        """The work under way, or else the last one."""
        return self._state

    def start(self, about: str, work: Callable[[JobState], Any]) -> None:
        """Begin; what ``work`` returns is the result. Raises RequestError 409 while there is work under way."""
        with self._lock:
            if self._state.busy:
                subject = f" of {self._state.about}" if self._state.about else ""
                raise RequestError(f"The {self._kind}{subject} is under way; wait for it, or stop it.", 409)
            state = self._state = JobState(about, busy=True)

        def run() -> None:
            try:
                state.result = work(state)
            except Stopped:
                state.error = f"The {self._kind} was stopped."
            finally:
                state.busy = False

        def fail(text: str) -> None:
            state.error = text

        in_background(self._kind, run, fail)

    def stop(self) -> None:
        """Ask the work to end; what is finished stays."""
        self._state.stopped = True
