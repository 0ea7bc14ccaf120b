"""Names that are made from others' names, no longer than file systems take them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_photoshoot.catalog.ledger import _free
from lib_photoshoot.file_names import LONGEST, with_ending
from lib_photoshoot.shoot.finish.exports import free_name as free_export
from lib_photoshoot.webui.hosts.a1111.extras import free_name as free_picture


def test_an_ending_shortens_only_a_name_that_leaves_no_room(tmp_path: Path) -> None:
    assert with_ending(tmp_path / "a.b.png", "-2") == tmp_path / "a.b-2.png"
    assert with_ending(tmp_path / "a", " (2)") == tmp_path / "a (2)"
    longest, other = ("x" * (LONGEST - 5) + last + ".png" for last in "yz")
    names = [with_ending(tmp_path / name, "-2").name for name in (longest, other)]
    assert all(name.endswith("-2.png") and len(name) <= LONGEST for name in names)
    assert names[0] != names[1], "two names stay two"


@pytest.mark.parametrize("stem", ["x" * 251, "製" * 83 + "ab"])
def test_a_taken_name_as_long_as_the_system_allows_gets_a_number(tmp_path: Path, stem: str) -> None:
    taken, other = tmp_path / f"{stem}.png", tmp_path / "other"
    assert len(os.fsencode(taken.name)) == LONGEST
    other.write_text("another")
    for find in (free_picture, lambda path: free_export(path, other), _free):
        assert find(taken) == taken
        taken.write_text("first")
        second = find(taken)
        second.write_text("second")
        third = find(taken)
        third.write_text("third")
        assert len({taken, second, third}) == 3 and "2" in second.stem[-2:] and "3" in third.stem[-2:]
        for path in (taken, second, third):
            path.unlink()
