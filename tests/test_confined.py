"""Folders from somebody else: whatever their files name, nothing outside is deleted, read, written or served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.catalog.ledger import read_records
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.ranking.run_folder import measure, read_candidates
from lib_photoshoot.training.run.folder import RunFolder
from tests.test_catalog import paint, run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    paint(tmp_path / "photos" / "one.png", (5, 5, 25, 25))
    return tmp_path / "photos"


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    run(photos, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim.jpg"
    path.write_bytes(b"a secret of the user")
    return path


def rewrite(out: Path, **changes: Any) -> None:
    """Give the only record other values."""
    header, line = (out / "ledger.jsonl").read_text().splitlines()
    (out / "ledger.jsonl").write_text(header + "\n" + json.dumps(json.loads(line) | changes) + "\n")


@pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "a//b", "a/./b", "../b", "/etc/passwd", "a\0b", None, 7])
def test_names_that_are_no_plain_paths_down(tmp_path: Path, name: object) -> None:
    with pytest.raises(CatalogError, match="leads out of that folder"):
        inside(tmp_path, name)


def test_links_are_followed_before_it_is_said_where_a_name_leads(tmp_path: Path) -> None:
    (tmp_path / "run" / "masks").mkdir(parents=True)
    (tmp_path / "run" / "own").symlink_to("masks")
    (tmp_path / "run" / "out").symlink_to("..")
    (tmp_path / "running").mkdir()
    (tmp_path / "run" / "like").symlink_to(tmp_path / "running")
    assert inside(tmp_path / "run", "own/a.png") == tmp_path / "run" / "own" / "a.png"
    (tmp_path / "linked").symlink_to("run")
    assert inside(tmp_path / "linked", "masks/a.png").name == "a.png"
    for name in ("out/a.png", "like/a.png", "out"):
        with pytest.raises(ImageError):
            inside(tmp_path / "run", name, ImageError)


@pytest.mark.parametrize("name", ["../victim.jpg", "masks/../../victim.jpg", "{victim}", "ledger.jsonl", "mine.txt"])
def test_resume_deletes_only_what_a_run_wrote(photos: Path, out: Path, victim: Path, name: str) -> None:
    (out / "mine.txt").write_text("of the user")
    rewrite(out, outputs=[name.format(victim=victim)], size=1)
    summary = run(photos, out, resume=True)
    assert (summary.matched, summary.resumed) == (1, 0)
    assert victim.exists() and (out / "mine.txt").exists() and (out / "ledger.jsonl").exists()


def test_resume_deletes_nothing_through_a_link(photos: Path, out: Path, victim: Path) -> None:
    (out / "masks" / "gone").symlink_to(victim.parent, target_is_directory=True)
    rewrite(out, outputs=["masks/gone/victim.jpg"], size=1)
    run(photos, out, resume=True)
    assert victim.exists()


def test_resume_writes_nothing_through_a_link(photos: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (out / "enhanced" / "one.png").unlink()
    (out / "enhanced").rmdir()
    (out / "enhanced").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(CatalogError, match="leads out of that folder"):
        run(photos, out, resume=True)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_ledger_that_is_a_link_is_not_written_to(photos: Path, out: Path, tmp_path: Path) -> None:
    (out / "ledger.jsonl").rename(tmp_path / "elsewhere.jsonl")
    (out / "ledger.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(CatalogError, match=r"its ledger\.jsonl is a link"):
        run(photos, out, resume=True)


def test_no_file_from_elsewhere_gets_into_the_report(photos: Path, out: Path, victim: Path) -> None:
    import base64

    thumbnail = out / "thumbnails" / "before" / "one.jpg"
    thumbnail.unlink()
    thumbnail.symlink_to(victim)
    run(photos, out, resume=True)
    assert base64.b64encode(victim.read_bytes()).decode() not in (out / "report.html").read_text()


def test_a_spoiled_line_is_passed_over_as_resuming_does(out: Path) -> None:
    ledger = out / "ledger.jsonl"
    ledger.write_text(ledger.read_text() + "{\n" + "[" * 100_000 + "\n[]\n" + json.dumps({"file": "x"}) + "\n")
    assert [Path(record.file).name for record in read_records(ledger)] == ["one.png"]


@pytest.mark.parametrize("box", [None, [1, 2, 3], ["left", 0, 1, 1]])
def test_a_record_with_a_wrong_box_counts_as_spoiled(out: Path, photos: Path, box: object) -> None:
    header, line = (out / "ledger.jsonl").read_text().splitlines()
    record = json.loads(line)
    record["entry"]["regions"][0]["box"] = box
    (out / "ledger.jsonl").write_text(f"{header}\n{json.dumps(record)}\n")
    assert list(read_records(out / "ledger.jsonl")) == []
    assert run(photos, out, resume=True).resumed == 0, "it is done again"


def test_rank_reads_no_mask_from_elsewhere(out: Path, victim: Path) -> None:
    report = json.loads((out / "report.json").read_text())
    (candidate,) = read_candidates(out)
    (out / candidate.masks[0]).unlink()
    (out / candidate.masks[0]).symlink_to(victim)
    with pytest.raises(ImageError, match="leads out of that folder"):
        measure(out, candidate)
    report["images"][0]["regions"][0]["mask"] = "masks/../../victim.jpg"
    (out / "report.json").write_text(json.dumps(report))
    with pytest.raises(CatalogError, match="is no report of this program"):
        read_candidates(out)


def test_a_training_run_shows_and_resumes_from_nothing_elsewhere(tmp_path: Path) -> None:
    run_folder = RunFolder(tmp_path / "run")
    (tmp_path / "elsewhere" / "step-00000007").mkdir(parents=True)
    (tmp_path / "elsewhere" / "step-00000007" / "position.json").write_text('{"step": 7, "files": {}}')
    (tmp_path / "steps.jsonl").write_text('{"step": 1}\n')
    run_folder.states.mkdir(parents=True)
    spec = {"name": "a", "tag": "a", "folder": "", "checkpoint": "", "images": 1, "epochs": 1, "steps_per_epoch": 1}
    (run_folder.path / "run.json").write_text(json.dumps(spec | {"command": []}))
    state = run_folder.states / "step-00000007"
    state.symlink_to(tmp_path / "elsewhere" / "step-00000007", target_is_directory=True)
    run_folder.history_file.symlink_to(tmp_path / "steps.jsonl")
    assert run_folder.resume_point() is None and list(run_folder.history()) == []
