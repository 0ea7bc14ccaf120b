"""A finished picture's record and files replaced by others: wholly, or not at all.

The new files have names of their own, so until the ledger has the new record nobody looks at them, and from then on
nobody looks at the old ones. Before the first of them is moved in place, a note beside the ledger says which they are:
after a kill whoever opens the run next removes those that belong to no record.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from lib_photoshoot.catalog.inputs import RUN_LEDGER, is_output
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.journal import Journal, reopened
from lib_photoshoot.locks import hold, is_held

PENDING = ".pending-correction.json"
SCRATCH = ".correction-"
"""How the folder begins in which new files are made."""
_LOCK = ".lock"
_UNLOCKED_S = 60
"""A folder is locked in a moment: an older one without a lock was left behind by a kill."""
BY_HAND = "-by-hand-"
"""What the names of a corrected picture's files have behind the picture's own, before a number."""


@contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """Make a folder beside the run's own in which files are written before they are moved in place; it is gone then.

    A lock in it, which a kill gives back, says that somebody works there. Raises OSError as it comes.
    """
    scratch = out / f"{SCRATCH}{uuid.uuid4().hex}"
    scratch.mkdir()
    try:
        with hold(scratch / _LOCK) or nullcontext():
            yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def clear_left(out: Path) -> None:
    """Remove the folders in which killed corrections were making files. Raises OSError as it comes."""
    for folder in out.glob(f"{SCRATCH}*"):
        with suppress(FileNotFoundError):  # whoever works there has ended meanwhile
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether nobody works in such a folder any more: it may also be only just made, and not locked yet."""
    if folder.is_symlink() or is_held(folder / _LOCK):
        return False
    return (folder / _LOCK).exists() or time.time() - folder.stat().st_mtime > _UNLOCKED_S


def open_run(out: Path) -> Journal:
    """Open the ledger of a run, which is locked then. Raises CatalogError while a run writes to it, and OSError as it
    comes.
    """
    ledger = inside(out, RUN_LEDGER)
    try:
        return reopened(ledger)
    except FileNotFoundError as error:
        raise CatalogError(f"{shown(out)} holds no run any more ({ledger.name} is missing).") from error
    except BlockingIOError as error:
        raise CatalogError(
            f"A run is writing to {shown(out)}; save the correction when it has ended, or has gone on."
        ) from error


def replace_files(
    out: Path, journal: Journal, line: bytes, scratch: Path, new: Iterable[str], old: Iterable[str]
) -> None:
    """Move the files ``new`` from ``scratch`` in place, append the record's line, and remove the files ``old``.

    Names are relative to ``out``. Raises OSError as it comes; then all is as it was.
    """
    new, old = list(new), list(old)
    place = os.path.getsize(journal.path)
    note = {"place": place, "length": len(line), "digest": hashlib.sha256(line).hexdigest(), "new": new, "old": old}
    pending = out / PENDING
    write_atomic(pending, json.dumps(note).encode("ascii"))
    try:
        for name in new:
            target = inside(out, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(scratch / name, target)
        journal.append(line)
    except BaseException:
        remove(out, new)
        pending.unlink(missing_ok=True)
        raise
    remove(out, old)
    with suppress(OSError):
        pending.unlink()


def remove(out: Path, names: Iterable[str]) -> None:
    """Remove outputs; what is gone, or a link leads elsewhere, stays."""
    for name in names:
        with suppress(OSError, CatalogError):
            os.unlink(inside(out, name))


def recover(out: Path, owned: Callable[[], Container[str]]) -> None:
    """After a kill between two steps of :func:`replace_files`: remove the files that belong to no record.

    ``owned`` finds the outputs that the current records name. To be called while nobody else replaces anything: the
    ledger is locked. Only outputs are removed, whatever a note from elsewhere says. Raises OSError as it comes.
    """
    clear_left(out)
    note = _pending(out)
    if note is None:
        return
    names = note["old"] if _is_written(out / RUN_LEDGER, note) else note["new"]
    held = owned()
    remove(out, (name for name in names if is_output(name) and name not in held))
    (out / PENDING).unlink(missing_ok=True)


def _pending(out: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(inside(out, PENDING).read_bytes())
        place, length = int(note["place"]), int(note["length"])
        names = [[str(name) for name in note[kind]] for kind in ("new", "old")]
        return {"place": place, "length": length, "digest": str(note["digest"]), "new": names[0], "old": names[1]}
    except FileNotFoundError:
        return None
    except (OSError, CatalogError, ValueError, KeyError, TypeError):
        return {"place": 0, "length": 0, "digest": "", "new": [], "old": []}


def _is_written(ledger: Path, note: dict[str, Any]) -> bool:
    with open(ledger, "rb") as file:
        file.seek(note["place"])
        return hashlib.sha256(file.read(note["length"])).hexdigest() == note["digest"]
