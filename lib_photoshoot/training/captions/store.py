"""The captions of a folder that are kept apart from it, and how they go together with the texts beside the pictures.

Kept with each caption is the text that stood beside the picture then, and what was made of it without the user's hand.
So it is known later which side has changed: a newer text wins, unless the caption was edited here; where both have
changed, the one that was edited here stays, and the conflict is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.training.captions.sheet import CaptionSheet, one_line, tags, with_tag


@dataclass(frozen=True)
class Stored:
    """By image name: the captions, the texts beside the pictures at that time, and what was made without the user."""

    captions: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """The captions that count, and the texts beside the pictures, by image name, that contradict edited ones."""

    captions: Mapping[str, str]
    conflicts: Mapping[str, str]


def load(path: Path) -> Stored:
    """Return what :func:`save` wrote, or an earlier version; empty without a file. Raises TrainingError."""
    if not path.is_file():
        return Stored()
    captions = CaptionSheet.load(path).captions
    values = json.loads(path.read_bytes())
    return Stored(captions, *(_texts(values.get(name)) for name in ("beside", "made")))


def save(path: Path, stored: Stored) -> None:
    """Whole or not at all. Raises TrainingError."""
    data = json.dumps(asdict(stored), indent=1).encode()
    try:
        write_atomic(path, data)
    except OSError as error:
        raise TrainingError(
            f"{shown(path)} cannot be written ({error.strerror}); check the folder's space and permissions."
        ) from error


def merged(stored: Stored, beside: Mapping[str, str], tag: str) -> Merged:
    """Return the captions of these pictures; ``beside`` are the texts beside them now, by image name, empty where none
    is.
    """
    captions, conflicts = {}, {}
    for name, text in beside.items():
        ours = stored.captions.get(name)
        if ours is None:
            captions[name] = text
            continue
        captions[name] = ours
        if not text.strip() or text == stored.beside.get(name) or _same(text, ours, tag):
            continue
        if name in stored.beside and stored.made.get(name) == ours:
            captions[name] = with_tag(text, tag) if tags(ours)[:1] == [tag] else text
        else:
            conflicts[name] = text
    return Merged(captions, conflicts)


def edited(stored: Stored) -> frozenset[str]:
    """Return the names of the images whose captions a user's hand has changed."""
    return frozenset(name for name, caption in stored.captions.items() if caption != stored.made.get(name))


def updated(stored: Stored, beside: Mapping[str, str], tag: str, captions: Mapping[str, str], made: bool) -> Stored:
    """Return what is to be kept once the captions are these; ``made`` tells that no user's hand has changed them."""
    before = merged(stored, beside, tag)
    new_beside, new_made = dict(stored.beside), dict(stored.made)
    for name, text in beside.items():
        was, now = before.captions[name], captions[name]
        edited = name in stored.captions and stored.captions[name] == was != stored.made.get(name)
        touched = now != was if not made else not _same(now, was, tag)
        if touched or name not in before.conflicts:
            new_beside[name] = text
        # The user's hand shows as a caption that differs from what was made: that stays until it is made anew.
        if made if touched else not edited:
            new_made[name] = now
        else:
            new_made.setdefault(name, text)
    return Stored({**captions}, new_beside, new_made)


def _same(one: str, other: str, tag: str) -> bool:
    """Whether two captions say the same but for the activation tag."""
    return with_tag(one_line(one), tag) == with_tag(one_line(other), tag) if tag else tags(one) == tags(other)


def _texts(values: object) -> dict[str, str]:
    if not isinstance(values, dict):
        return {}
    return {name: text for name, text in values.items() if isinstance(text, str)}
