"""The raw rows of a shot list, whatever kind of file they come from, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_photoshoot.shoot.shot_list.fields import FIELDS


@dataclass(frozen=True)
class Row:
    """The raw values of one product, the line where it begins, and the lines of its fields where they differ."""

    values: Mapping[str, Any]
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        """Where a field stands."""
        return self.lines.get(name, self.line)


class RowError(Exception):
    """What is wrong with a row: its line, the field where one can be named, and a sentence without file and line."""

    def __init__(self, line: int, text: str, field: str = "") -> None:
        super().__init__(text)
        self.line, self.text, self.field = line, text, field


def check_names(names: Iterator[tuple[str, int]]) -> None:
    """Raise RowError for an unknown field or one that is there twice; ``names`` come with their lines."""
    seen = set()
    for name, line in names:
        if name not in FIELDS:
            raise RowError(line, f"there is no field called {name!r}; known are: {', '.join(FIELDS)}.")
        if name in seen:
            raise RowError(line, f"the field {name} is there twice; keep one of them.")
        seen.add(name)
