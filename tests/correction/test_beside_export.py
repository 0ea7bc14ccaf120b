"""An export beside a correction: what a kill leaves and what a walk sees in between is never exported, or lost."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lib_photoshoot.catalog import inputs
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from lib_photoshoot.catalog.outputs import cutout_name
from lib_photoshoot.catalog.replacement import PENDING, SCRATCH
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.cli.main import app
from lib_photoshoot.correction.fixer import Fixer
from lib_photoshoot.export.cutouts import sources_of, with_current
from lib_photoshoot.journal import Journal
from tests.correction.test_fixing import number, out, photos, small_outliner
from tests.correction.test_killed import changes, kill

__all__ = ["out", "photos"]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


def save(run: Path, photos: Path) -> None:
    Fixer(ReviewedRun(run), small_outliner).save(number(photos / "two.png"), changes())


def killed_before_the_line(run: Path, photos: Path) -> None:
    """Correct a picture in a process of its own, which dies when the files are in place and the ledger is to say so."""
    child = os.fork()
    if child == 0:
        append = Journal.append
        Journal.append = lambda self, line: kill() if b'"corrected":1' in line else append(self, line)  # type: ignore
        try:
            save(run, photos)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def known(run: Path) -> set[str]:
    records = current_records(run / LEDGER_NAME)
    return {cutout_name(region["mask"]) for one in records for region in one.entry["regions"] if region["mask"]}


def exported(run: Path) -> set[str]:
    """The files that an export of the run takes."""
    sources = sources_of(with_current(collect_inputs([run], cutouts=True), [str(run)]))
    return {Path(file.name).relative_to(run).as_posix() for file in sources.current}


def test_what_a_killed_correction_left_is_not_exported(out: Path, photos: Path, tmp_path: Path) -> None:
    before = known(out)
    killed_before_the_line(out, photos)
    assert (out / PENDING).is_file() and {path.name for path in (out / "cutouts").iterdir()} > {
        Path(one).name for one in before
    }
    assert exported(out) == before == known(out)
    result = CliRunner().invoke(app, ["export", str(out), "--profile", "ebay", "--out", str(tmp_path / "shop")])
    assert len([*(tmp_path / "shop").rglob("*.jpg")]) == len(before), result.output


def test_a_correction_after_the_walk_is_exported_and_nothing_else(
    out: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = known(out), inputs.collect_inputs

    def walked(*given: Any, **more: Any) -> Any:
        found = real(*given, **more)
        if known(out) == before:
            save(out, photos)
        return found

    monkeypatch.setattr(inputs, "collect_inputs", walked)
    result = CliRunner().invoke(app, ["export", str(out), "--profile", "ebay", "--out", str(tmp_path / "shop")])
    made = sorted(path.name for path in (tmp_path / "shop").rglob("*.jpg"))
    assert len(made) == len(known(out)) == 3, result.output
    assert "does not know any more" not in result.output and not before & known(out)


def test_one_file_that_is_named_stays_one(out: Path) -> None:
    (one, _) = sorted(known(out))
    found = with_current(collect_inputs([out / one], cutouts=True), [str(out / one)])
    assert [file.name for file in found] == [str(out / one)]


def test_the_next_who_opens_the_run_clears_what_a_killed_correction_was_making(out: Path, photos: Path) -> None:
    child = os.fork()
    if child == 0:
        sys.addaudithook(
            lambda event, given: (
                kill() if event == "open" and "masks/two" in str(given[0]) and SCRATCH in str(given[0]) else None
            )
        )
        try:
            save(out, photos)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert len([*out.glob(f"{SCRATCH}*")]) == 1
    ReviewedRun(out)
    assert not [*out.glob(f"{SCRATCH}*")] and known(out)


def test_a_folder_in_which_somebody_works_stays(out: Path, photos: Path) -> None:
    from lib_photoshoot.catalog.replacement import scratch_folder

    with scratch_folder(out) as busy:
        save(out, photos)
        assert busy.is_dir()
        bare = out / f"{SCRATCH}made-just-now"
        bare.mkdir()
        save(out, photos)
        assert bare.is_dir()
        os.utime(bare, (1, 1))
        save(out, photos)
        assert not bare.exists() and busy.is_dir()
    assert not busy.exists()
