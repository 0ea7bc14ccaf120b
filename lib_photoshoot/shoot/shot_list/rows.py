"""The raw rows of a shot list, whatever kind of file they come from, and what can be wrong with one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_photoshoot.shoot.shot_list.fields import FIELDS


@dataclass(frozen=True)
class Row:
    """The raw values of one product, the line where it begins, and the lines of its fields where they differ.

    ``fault`` is what keeps it from being split into fields; it has no values then.
    """

    values: Mapping[str, Any]
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)
    fault: RowError | None = None

    def line_of(self, name: str) -> int:
        """Where a field stands."""
        return self.lines.get(name, self.line)


class RowError(Exception):
    """What is wrong with a row: its line, the field where one can be named, and a sentence without file and line.

    ``more`` are the row's other mistakes.
    """

    def __init__(self, line: int, text: str, field: str = "", more: Sequence[RowError] = ()) -> None:
        super().__init__(text)
        self.line, self.text, self.field, self.more = line, text, field, tuple(more)

    def each(self) -> Iterator[RowError]:
        """Yield all mistakes of the row."""
        yield self
        yield from self.more


def raise_all(errors: Iterable[RowError]) -> None:
    """Raise the first of a row's mistakes, which holds the others; nothing where there is none."""
    found = [*errors]
    if found:
        raise RowError(found[0].line, found[0].text, found[0].field, found[1:])


def sound(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows. Raises RowError at the first that could not be split into fields."""
    for row in rows:
        if row.fault is not None:
            raise row.fault
        yield row


def wrong_names(names: Iterable[tuple[str, int]]) -> Iterator[RowError]:
    """Yield a mistake for each unknown field and each that is there twice; ``names`` come with their lines."""
    seen: Counter[str] = Counter()
    for name, line in names:
        seen[name] += 1
        if name not in FIELDS and seen[name] == 1:
            yield RowError(line, f"there is no field called {name!r}; known are: {', '.join(FIELDS)}.")
        elif name in FIELDS and seen[name] == 2:
            yield RowError(line, f"the field {name} is there twice; keep one of them.")
