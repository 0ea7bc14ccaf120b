"""What a person decided about the photos of a folder: a journal where its captions are kept, apart from the folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.journal import SPOILED, ForeignError, Journal, json_line, read_lines
from lib_photoshoot.locks import hold
from lib_photoshoot.pages.hands import Hand, hand_of

if TYPE_CHECKING:
    from lib_photoshoot.catalog.decisions import ChosenPicture

_HEADER = json_line({"program": "product-photoshoot photos", "version": 1})
_LOCK_NAME = ".lock"
_PATIENCE_S = 10.0


def read_decisions(path: Path) -> Mapping[str, Hand]:
    """Return the decisions that hold, by the files' names; none without a journal. Raises TrainingError."""
    hands: dict[str, Hand] = {}
    try:
        for _, line in read_lines(path, _HEADER):
            with suppress(*SPOILED, TrainingError):
                values = json.loads(line)["hand"]
                name, hand = str(values["file"]), hand_of(values, TrainingError)
                hands.pop(name, None)
                if hand is not None:
                    hands[name] = hand
    except FileNotFoundError:
        return {}
    except ForeignError as error:
        raise TrainingError(f"{shown(path)} holds no decisions about photos; move it away.") from error
    except OSError as error:
        raise TrainingError(
            f"{shown(path)}, which says what photos are left out, cannot be read ({error.strerror}); give yourself "
            "read permission on it."
        ) from error
    return hands


def append_decisions(path: Path, chosen: Sequence[ChosenPicture]) -> None:
    """Append decisions, all or none, synced to the disk. Raises TrainingError."""
    hands = ((one.file, one.hand.to_json() if one.hand else {"decision": None}) for one in chosen)
    lines = b"".join(json_line({"hand": {"file": name, **hand}}) for name, hand in hands)
    try:
        with Journal(path, _HEADER) as journal:
            journal.append(lines)
    except ForeignError as error:
        raise TrainingError(f"{shown(path)} holds no decisions about photos; move it away.") from error
    except OSError as error:
        raise TrainingError(writing_failed(path.parent, error, "decide again")) from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep others out of the captions and decisions in a folder meanwhile: a page, a terminal and a WebUI may all edit.

    Raises TrainingError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = hold(folder / _LOCK_NAME, _PATIENCE_S)
    except OSError as error:
        raise TrainingError(writing_failed(folder, error, "do it again")) from error
    if stream is None:
        raise TrainingError(f"Another program is writing captions into {shown(folder)}; do it again in a moment.")
    with stream:
        yield
