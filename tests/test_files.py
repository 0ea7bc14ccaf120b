"""Files are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_photoshoot.files import remove_parts, stamp_of, write_atomic


def _cut_short() -> Iterator[bytes]:
    yield b"half"
    raise KeyboardInterrupt


def test_bytes_pieces_and_what_a_function_writes_become_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in (b"whole", (part for part in (b"wh", b"ole")), lambda file: file.write(b"whole")):
        write_atomic(path, content)
        assert path.read_bytes() == b"whole" and [child.name for child in path.parent.iterdir()] == ["file"]
        path.write_bytes(b"before")


def test_what_is_cut_short_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, _cut_short())
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_parts_of_a_killed_run_are_removed_but_for_another_programs(tmp_path: Path) -> None:
    part = f".{'0a' * 16}.part"
    (tmp_path / "masks").mkdir()
    (tmp_path / "others").mkdir()
    for folder in (tmp_path, tmp_path / "masks", tmp_path / "others"):
        (folder / part).touch()
    (tmp_path / "mine.part").touch()
    remove_parts(tmp_path, "others")
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["mine.part", f"others/{part}"]


def test_a_stamp_changes_with_every_line_and_every_replacement(tmp_path: Path) -> None:
    path = tmp_path / "file"
    stamps = [stamp_of(path)]
    for content in (b"one", b"two"):
        write_atomic(path, content)
        stamps.append(stamp_of(path))
    with open(path, "ab") as file:
        file.write(b"more")
    stamps.append(stamp_of(path))
    assert stamps[0] is None and len(set(stamps)) == 4 and stamp_of(path) == stamps[-1]


def test_a_part_that_is_whole_meanwhile_is_nobody_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = tmp_path / f".{'0' * 32}.part"
    part.write_bytes(b"x")
    unlink = os.unlink

    def finished_first(path: str) -> None:
        part.rename(tmp_path / "whole.png")
        unlink(path)

    monkeypatch.setattr(os, "unlink", finished_first)
    remove_parts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.png"]
