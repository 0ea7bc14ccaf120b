"""What is found about the files of a folder of training pictures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Severity(str, Enum):
    """How much a finding matters."""

    PROBLEM = "problem"
    """The picture is left out, or the training would be wrong or end."""
    NOTE = "note"
    """Worth knowing; the training runs as it should."""


class FindingKind(str, Enum):
    """What a finding is about; the values are stable codes for pages and APIs."""

    UNREADABLE = "unreadable"
    TOO_SMALL = "too_small"
    """Left out."""
    OTHER_FORMAT = "other_format"
    """A picture of a kind that the trainer does not read: it enters the run as PNG."""
    ENLARGED = "enlarged"
    CROPPED = "cropped"
    ROTATED = "rotated"
    TRANSPARENT = "transparent"
    SHRUNK = "shrunk"
    """Larger than the trainer opens."""
    MASK = "mask"
    """A picture that belongs to another and is no photo."""
    DUPLICATE = "duplicate"
    SAME_STEM = "same_stem"
    """Two pictures would share one caption file."""
    CAPTION_MISSING = "caption_missing"
    CAPTION_EMPTY = "caption_empty"
    CAPTION_UNREADABLE = "caption_unreadable"
    CAPTION_ENCODING = "caption_encoding"
    CAPTION_LINES = "caption_lines"
    CAPTION_TWO_FILES = "caption_two_files"
    CAPTION_LONG = "caption_long"
    """Perhaps beyond what the text encoder is given."""
    CAPTION_CONFLICT = "caption_conflict"
    """Edited here, and changed beside the picture since."""
    REPEATS = "repeats"
    """A folder whose name says how often its pictures count."""
    METADATA = "metadata"
    METADATA_UNREADABLE = "metadata_unreadable"
    TAG_MISSING = "tag_missing"
    TAG_NOT_FIRST = "tag_not_first"
    TAG_TWICE = "tag_twice"
    TEXT_WITHOUT_IMAGE = "text_without_image"


ABOUT_CAPTIONS = frozenset(kind for kind in FindingKind if kind.value.startswith(("caption_", "tag_")))


@dataclass(frozen=True)
class Finding:
    """One thing about one file: ``file`` is its name, ``text`` one sentence for the user."""

    kind: FindingKind
    severity: Severity
    file: str
    text: str

    def to_dict(self) -> dict[str, str]:
        """Ready for JSON."""
        return {"kind": self.kind.value, "file": self.file, "text": self.text, "severity": self.severity.value}


def problem(kind: FindingKind, path: Path, text: str) -> Finding:
    """Say what should be dealt with."""
    return Finding(kind, Severity.PROBLEM, path.name, text)


def note(kind: FindingKind, path: Path, text: str) -> Finding:
    """Say what is only worth knowing."""
    return Finding(kind, Severity.NOTE, path.name, text)
