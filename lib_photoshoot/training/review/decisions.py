"""What a person decided about the photos of a folder: a journal where its captions are kept, apart from the folder.

Its lines are those that the ledger of a filter's run has for decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lib_photoshoot.catalog.decisions import ChosenPicture, append_hands, read_hands
from lib_photoshoot.errors import CatalogError, TrainingError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.journal import Journal, json_line
from lib_photoshoot.locks import hold

PROGRAM = "product-photoshoot photos"
_LOCK_NAME = ".lock"
_PATIENCE_S = 10.0


def read_decisions(path: Path) -> Mapping[str, str]:
    """Return what was decided last, by the files' names; nothing without a journal. Raises TrainingError."""
    try:
        return read_hands(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TrainingError(
            f"{shown(path)} cannot be read ({error.strerror}); it says which photos are left out: give yourself read "
            "permission on it."
        ) from error


def append_decisions(path: Path, folder: Path, chosen: Sequence[ChosenPicture]) -> None:
    """Append decisions about the photos of ``folder``, all or none, synced to the disk. Raises TrainingError."""
    try:
        if not path.exists():
            Journal(path, json_line({"program": PROGRAM, "folder": str(folder.absolute())})).close()
        append_hands(path, chosen)
    except (CatalogError, BlockingIOError) as error:
        raise TrainingError(f"Another program writes to {shown(path)}; decide again in a moment.") from error
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
