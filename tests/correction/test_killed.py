"""A correction is there or it is not: killed before each single step, and with a disk that is full at each of them."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.catalog.page import REPORTS
from lib_photoshoot.catalog.replacement import PENDING, SCRATCH
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.correction.fixer import Fixer
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.pages.fixing import RegionChange, save_request
from tests.correction.test_fixing import go, number, out, photos, png, record_of, small_outliner, square
from tests.test_catalog import files_of

__all__ = ["out", "photos"]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
_WRITES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.copyfile")
DONE, REFUSED = 0, 3


def changes() -> list[RegionChange]:
    first = {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))}
    new = {"region": None, "product": "cup", "mask": png(square(30, 52, 50, 58))}
    return save_request({"id": 0, "regions": [first, new]})[1]


def saved(out: Path, photos: Path, step: int, then: Callable[[], Any]) -> int:
    """Save in a process of its own, ``then`` before one of its steps; how it ended, or minus the signal."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _save(out, photos, step, then)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _save(out: Path, photos: Path, step: int, then: Callable[[], Any]) -> int:
    run, steps = ReviewedRun(out), []
    fixer = Fixer(run, small_outliner)

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in _WRITES) and str(out) in str(arguments[0]):
            steps.append(f"{event} {arguments[0]}")
            if len(steps) == step:
                then()

    sys.addaudithook(heard)
    try:
        fixer.save(number(photos / "two.png"), changes())
    except PhotoshootError as error:
        return REFUSED if str(error).endswith(".") else 1
    (out.parent / "steps").write_text("\n".join(steps))
    return DONE


def steps_of(out: Path, photos: Path) -> list[str]:
    """What a whole correction does to the disk; of a copy, so that all is as it was."""
    copies = [out.with_name(f"{number} of {out.name}") for number in range(2)]
    for copy in copies:
        shutil.copytree(out, copy)
    Fixer(ReviewedRun(copies[0]), small_outliner).save(
        number(photos / "two.png"), changes()
    )  # imports, for all children
    assert saved(copies[1], photos, 0, kill) == DONE
    return (out.parent / "steps").read_text().splitlines()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def whole(out: Path, before: Record, photos: Path) -> int:
    """How often the picture is corrected now; all that its record names is there and fits together."""
    record = record_of(out, photos / "two.png")
    assert all((out / name).stat().st_size for name in record.outputs)
    assert record == before or [region["product"] for region in record.entry["regions"]] == ["lamp", "lamp", "cup"]
    return record.corrected


def belongs(out: Path) -> set[str]:
    """The files that a run's records name, and its own."""
    return {LEDGER_NAME, "report.html", *REPORTS}.union(*(one.outputs for one in current_records(out / LEDGER_NAME)))


def test_killed_before_any_step_the_old_or_the_new_state_is_whole(out: Path, photos: Path) -> None:
    before, steps = record_of(out, photos / "two.png"), steps_of(out, photos)
    # Until then only a folder of its own is written to: one of those steps stands for all.
    moving = next(number for number, step in enumerate(steps, 1) if PENDING in step or "/.correction-" not in step)
    seen, step = [], moving - 1
    while not seen or not seen[-1]:
        assert saved(out, photos, step, kill) == -signal.SIGKILL
        seen.append(whole(out, before, photos))
        step += 1 if step < moving + 3 or step > len(steps) - 8 else 4  # of the files that are moved some stand for all
    assert len(seen) > 8 and (out / PENDING).exists()
    assert [name for name in before.outputs if (out / name).exists()], "killed before the old files were removed"
    go(photos, out)
    assert {name for name in files_of(out) if not name.startswith(SCRATCH)} == belongs(out)


def test_killed_while_files_are_moved_nothing_is_left_of_them(out: Path, photos: Path) -> None:
    steps = steps_of(out, photos)
    last = max(number for number, step in enumerate(steps, 1) if step.startswith("os.rename"))
    assert saved(out, photos, last, kill) == -signal.SIGKILL and len(files_of(out) - belongs(out)) > 5
    go(photos, out)
    assert {name for name in files_of(out) if not name.startswith(SCRATCH)} == belongs(out)
    assert record_of(out, photos / "two.png").corrected == 0


def test_a_disk_that_is_full_at_any_step_changes_nothing_and_is_said(out: Path, photos: Path) -> None:
    before, files, steps = record_of(out, photos / "two.png"), files_of(out), steps_of(out, photos)
    written = max(number for number, step in enumerate(steps, 1) if step.startswith("os.rename"))
    places = [number for number, step in enumerate(steps[:written], 1) if step.startswith(("open", "os.rename"))]
    for step in [*places[::6], written]:
        assert saved(out, photos, step, fail) == REFUSED, steps[step - 1]
        assert whole(out, before, photos) == 0 and files_of(out) == files


def test_masks_come_back_as_they_were_drawn(out: Path, photos: Path) -> None:
    assert saved(out, photos, 0, kill) == DONE
    record = record_of(out, photos / "two.png")
    from PIL import Image

    drawn = np.asarray(Image.open(out / record.entry["regions"][2]["correction"])) > 127
    assert np.array_equal(drawn, square(30, 52, 50, 58))
