"""Begin, resume, pause, stop and cancel a run, from any process, by its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.paths import ROOT
from lib_photoshoot.training.run.changes import changed
from lib_photoshoot.training.run.folder import RunFolder, Status, TrainingState, Wish
from lib_photoshoot.training.run.processes import detached, end_processes

_START_S = 20.0
_CANCEL_S = 8.0
_OBEY_S = 3.0
"""The supervisor looks a few times a second what is wanted."""
_POLL_S = 0.05


def start(run: RunFolder) -> Status:
    """Begin a prepared run, in the background; returns once its supervisor is at work. Raises TrainingError."""
    state = run.status().state
    if state is not TrainingState.PREPARED:
        raise TrainingError(f"The run {run.path.name} is {state.value} already; resume it, or prepare a new one.")
    run.check_seal()
    return _supervise(run)


@contextmanager
def removed_unless_begun(run: RunFolder) -> Iterator[None]:
    """Remove a new run that could not begin, or was not let: it is none, and would be taken for one."""
    try:
        yield
    except BaseException:
        if not run.supervised:
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def resume(run: RunFolder, changes: Mapping[str, Any] | None = None) -> Status:
    """Go on from the newest state, or begin anew where there is none. Raises TrainingError.

    ``changes`` are values of the recipe, by name, that the run has from now on.
    What an earlier attempt left alive is ended first: two trainers would write into one folder.
    """
    status, spec = run.status(), run.spec()
    if not status.state.resumable:
        raise TrainingError(f"The run {run.path.name} is {status.state.value}; only one that has ended early resumes.")
    run.check_seal()
    if spec.machine_commands:
        raise TrainingError(
            f"The run {run.path.name} is of several machines; start each of their commands again with --resume and the "
            f"newest folder in {run.states}, copied to all."
        )
    after = changed(spec, changes or {})
    _end_all(run)
    if after != spec:
        run.write_spec(after)
    return _supervise(run, "--resume")


def stop(run: RunFolder) -> None:
    """Let the step at hand finish, save the state and end; see ``wait`` for the end. Raises TrainingError."""
    _wish(run, Wish.STOP)


def pause(run: RunFolder) -> Status:
    """Halt the trainer where it is; its memory stays taken. Returns the status then. Raises TrainingError."""
    _wish(run, Wish.PAUSE)
    return _once(run, lambda state: state is not TrainingState.PAUSED)


def unpause(run: RunFolder) -> Status:
    """Let a halted trainer go on; returns the status then. Raises TrainingError."""
    _needs_active(run)
    run.unwish(Wish.PAUSE)
    return _once(run, lambda state: state is TrainingState.PAUSED)


def cancel(run: RunFolder) -> Status:
    """End the trainer with all its processes, at once; finished epochs stay. Raises TrainingError.

    Works without a supervisor too: then whatever is left of the trainer is ended from here.
    """
    if run.status().state.active:
        with suppress(OSError):  # a folder that may not be written: ended from here all the same
            run.wish(Wish.CANCEL)
            wait(run, _CANCEL_S)
    _end_all(run)
    return run.status()


def wait(run: RunFolder, seconds: float) -> Status:
    """Return the status once the run is no longer at work, or after so many seconds."""
    return _while(run, lambda state: state.active, seconds)


def _once(run: RunFolder, waits: Callable[[TrainingState], bool]) -> Status:
    """Return the status once the supervisor has done what it was told, or after a moment."""
    return _while(run, lambda state: state.active and waits(state), _OBEY_S)


def _while(run: RunFolder, waits: Callable[[TrainingState], bool], seconds: float) -> Status:
    end = time.monotonic() + seconds
    while waits((status := run.status()).state) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return status


def _wish(run: RunFolder, wish: Wish) -> None:
    _needs_active(run)
    try:
        run.wish(wish)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TrainingError(f"The folder {run.path} cannot be written ({reason}); cancel the run instead.") from error


def _end_all(run: RunFolder) -> None:
    left = end_processes(run.path)
    if left:
        numbers = ", ".join(map(str, left))
        raise TrainingError(f"Processes of {run.path.name} cannot be ended ({numbers}); end them by hand.")


def _needs_active(run: RunFolder) -> None:
    state = run.status().state
    if not state.active:
        raise TrainingError(f"The run {run.path.name} is not at work: it is {state.value}.")


def _supervise(run: RunFolder, *arguments: str) -> Status:
    before = run.status().attempts
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "lib_photoshoot.training.run.supervisor", str(run.path), *arguments]
    try:
        with open(run.supervisor_log, "ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                **detached(),  # type: ignore[call-overload]
            )
    except OSError as error:
        raise TrainingError(f"The run {run.path.name} cannot be started ({error.strerror or error}).") from error
    end = time.monotonic() + _START_S
    try:
        while time.monotonic() < end:
            status = run.status()
            if status.attempts > before:
                return status
            if process.poll() is not None:
                break
            time.sleep(_POLL_S)
        raise TrainingError(f"The run {run.path.name} did not start: {_last_words(run.supervisor_log)}")
    except BaseException:
        # Told as not started, it must not start in a while.
        process.kill()
        process.wait()
        _end_all(run)
        raise


def _last_words(log: Path) -> str:
    try:
        words = log.read_text(encoding="utf-8", errors="replace").strip().split("\n")[-1]
    except OSError:
        words = ""
    return words or f"it said nothing within {_START_S:.0f} s; try again when the machine is less busy."
