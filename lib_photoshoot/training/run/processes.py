"""The processes of a run: who they are, and how to end, halt and wake all of them.

They carry a mark in their environment, which children inherit. Process numbers and groups tell less: numbers are used
again, launchers that die leave their children without a parent, and children may leave the group.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "PHOTOSHOOT_RUN"
"""The environment variable that holds the run's folder."""

_PATIENCE_S = 1.0
"""How long processes may take to end by themselves before they are killed; no handler of sd-scripts saves anything."""


def marked(run: Path) -> dict[str, str]:
    """Return the environment variable for the run's processes."""
    return {MARK: str(run)}


def processes_of(run: Path) -> list[psutil.Process]:
    """All living processes of a run, of this user."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == str(run):
                for member in (process, *process.children(recursive=True)):
                    found[member.pid] = member
    return [process for process in found.values() if _alive(process)]


def end_processes(run: Path) -> list[int]:
    """End all of them, first politely; returns the numbers of those that could not be ended."""
    for act in (psutil.Process.terminate, psutil.Process.kill):
        processes = processes_of(run)
        if not processes:
            break
        _each(processes, act)
        _each(processes, psutil.Process.resume)  # a halted process does not hear that it should end
        psutil.wait_procs(processes, timeout=_PATIENCE_S)
    return [process.pid for process in processes_of(run)]


def halt_processes(run: Path) -> None:
    """Halt all of them where they stand; their memory stays taken."""
    _each(processes_of(run), psutil.Process.suspend)


def wake_processes(run: Path) -> None:
    """Let halted ones go on."""
    _each(processes_of(run), psutil.Process.resume)


def detached() -> dict[str, int | bool]:
    """Arguments of ``subprocess.Popen`` for a process that outlives this one, its terminal, and Ctrl-C there."""
    if os.name == "nt":
        # CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW, which subprocess only names on Windows.
        return {"creationflags": 0x00000200 | 0x08000000}
    return {"start_new_session": True}


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _each(processes: Sequence[psutil.Process], act: Callable[[psutil.Process], object]) -> None:
    for process in processes:
        with suppress(psutil.Error, OSError):
            act(process)
