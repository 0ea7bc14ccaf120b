"""What is taught from which pictures: ``lessons.toml``, and the pictures that a machine has of its sources."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.toml_text import parse_toml

Label = tuple[str, str]
"""A source's name and what it calls a picture's content."""


class LessonError(PhotoshootError):
    """A source of pictures that is not where it was said to be, or not laid out as the lessons say."""


@dataclass(frozen=True)
class Lesson:
    """A word, the labels whose pictures show it, those that count neither way, and what is taken from its bias."""

    word: str
    shows: frozenset[Label]
    unclear: frozenset[Label]
    margin: float = 0.0


@dataclass(frozen=True)
class Shown:
    """A picture, what it shows, and whether it is kept for measuring; ``key`` is the same on every machine."""

    path: Path
    key: str
    label: Label
    held_back: bool


@dataclass(frozen=True)
class Lessons:
    """The sources by name, as ``lessons.toml`` tells of them, and the words to be taught."""

    sources: Mapping[str, Mapping[str, Any]]
    words: tuple[Lesson, ...]

    @classmethod
    def load(cls, text: str | None = None) -> Lessons:
        """Read the packaged lessons, or others."""
        if text is None:
            text = resources.files(__package__).joinpath("lessons.toml").read_text(encoding="utf-8")
        table = parse_toml(text)
        words = tuple(
            Lesson(word, _labels(row["shows"]), _labels(row.get("unclear", {})), row.get("margin", 0.0))
            for word, row in table["word"].items()
        )
        return cls(table["source"], words)

    def is_shown(self, label: Label) -> bool:
        """Return whether any word is taught from pictures of this label."""
        return any(label in lesson.shows for lesson in self.words)

    def pictures(self, source: str, folder: Path) -> tuple[Shown, ...]:
        """Return the pictures of a source: of each label no more than the lessons want, the same ones everywhere.

        Raises LessonError when the folder has none.
        """
        told = self.sources[source]
        found = list(_tabled(told, folder) if "table" in told else _in_folders(told, folder))
        if not found:
            raise LessonError(f"{folder} has no pictures laid out as those of {told['title']}: see lessons.toml.")
        chosen: list[Shown] = []
        taken: Counter[tuple[str, bool]] = Counter()
        for key, label, held_back in sorted(found, key=lambda item: number_of(item[0])):
            usual = told["most_shown" if self.is_shown((source, label)) else "most"]
            most = told.get("most_of", {}).get(label, usual)
            taken[label, held_back] += 1
            if taken[label, held_back] <= most:
                chosen.append(Shown(folder / key, f"{source}/{key}", (source, label), held_back))
        return tuple(chosen)


def number_of(text: str) -> int:
    """Return a number from 0 to 2**32 - 1 that looks random, and is the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _labels(table: Mapping[str, Sequence[str]]) -> frozenset[Label]:
    return frozenset((source, label) for source, labels in table.items() for label in labels)


def _tabled(told: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str, bool]]:
    table = told["table"]
    if not (folder / table["file"]).is_file():
        return
    with (folder / table["file"]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = table["picture"].format(**row)
            if row[table["label"]] not in told.get("without", ()) and (folder / key).is_file():
                # By people: two pictures of one person's shirt on one floor are hardly two pictures.
                yield key, row[table["label"]], number_of(f"s{row[table['sender']]}") % 4 == 0


def _in_folders(told: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str, bool]]:
    seen: Counter[str] = Counter()
    for path in sorted(folder.glob(told["pictures"])):
        key = path.relative_to(folder).as_posix()
        label = key.split("/")[told["label"]]
        seen[label] += 1
        second = told["held_back"] == "second"
        yield key, label, seen[label] % 2 == 0 if second else key.startswith(told["held_back"])
