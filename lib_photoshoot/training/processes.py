"""The trainer's processes: which are alive, and how to end, halt and wake all of them.

A process is known by its number and the moment of its start, since numbers are used again. Its family are its
descendants and whoever else is in its process group: a launcher that dies leaves its children without a parent, but in
the group.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

_PATIENCE_S = 1.0
"""How long a family may take to end by itself before it is killed; all is over well within 5 s. No handler of sd-scripts saves anything on a signal."""


@dataclass(frozen=True)
class ProcessId:
    """A process: its number, and the moment of its start in seconds since the epoch."""

    pid: int
    created: float

    @property
    def alive(self) -> bool:
        """Whether it still runs. One that has ended and was not waited for does not."""
        return self.find() is not None

    def find(self) -> psutil.Process | None:
        """The process, None when it has ended."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def identify(pid: int) -> ProcessId:
    """The process that has this number now. Raises psutil.NoSuchProcess."""
    return ProcessId(pid, psutil.Process(pid).create_time())


def family(leader: ProcessId, known: frozenset[ProcessId] = frozenset()) -> frozenset[ProcessId]:
    """The leader, its descendants, its process group and what is still alive of ``known`` with their descendants.

    ``known`` is an earlier answer: it keeps hold of children that lost their parent and went to another group.
    """
    found: set[ProcessId] = set()
    for member in {leader, *known}:
        process = member.find()
        if process is None:
            continue
        found.add(member)
        with suppress(psutil.Error):
            found.update(_id(child) for child in process.children(recursive=True))
    if os.name != "nt":
        found.update(_group(leader.pid))
    return frozenset(member for member in found if member.alive)


def end_family(leader: ProcessId, known: frozenset[ProcessId] = frozenset()) -> frozenset[ProcessId]:
    """End all of a family, first politely; returns those that could not be ended."""
    members = family(leader, known)
    _each(members, psutil.Process.resume)  # a halted process does not hear that it should end
    _each(members, psutil.Process.terminate)
    _wait(members)
    members = family(leader, members)
    _each(members, psutil.Process.kill)
    _wait(members)
    return family(leader, members)


def halt_family(leader: ProcessId) -> None:
    """Halt all of a family where it stands; its memory stays taken."""
    _each(family(leader), psutil.Process.suspend)


def wake_family(leader: ProcessId) -> None:
    """Let a halted family go on."""
    _each(family(leader), psutil.Process.resume)


def _id(process: psutil.Process) -> ProcessId:
    return ProcessId(process.pid, process.create_time())


def _group(leader: int) -> list[ProcessId]:
    """Members of the process group that a leader founded, whether it still lives or not."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == leader:
                found.append(_id(process))
    return found


def _each(members: frozenset[ProcessId], act: Callable[[psutil.Process], object]) -> None:
    for member in members:
        process = member.find()
        if process is not None:
            with suppress(psutil.Error, OSError):
                act(process)


def _wait(members: frozenset[ProcessId]) -> None:
    psutil.wait_procs([process for member in members if (process := member.find())], timeout=_PATIENCE_S)
