"""The schedule types' names; nothing here has steps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Scheduler:
    """One schedule type."""

    name: str
    label: str


schedulers = [Scheduler("automatic", "Automatic"), Scheduler("uniform", "Uniform"), Scheduler("karras", "Karras")]
schedulers_map = {name: scheduler for scheduler in schedulers for name in (scheduler.name, scheduler.label)}
