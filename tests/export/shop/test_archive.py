"""A zip that is the same for the same pictures, holds them as they are, and is never written over another."""

from __future__ import annotations

import os
import tracemalloc
import zipfile
from pathlib import Path, PurePath

import pytest

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.shop import archive
from lib_photoshoot.export.shop.archive import is_large, write_zip


def entries(folder: Path, **files: bytes) -> list[tuple[PurePath, Path]]:
    folder.mkdir(exist_ok=True)
    found = []
    for name, data in files.items():
        path = folder / f"{name}.jpg"
        path.write_bytes(data)
        found.append((PurePath("deep") / path.name, path))
    return found


def test_the_same_bytes_whenever_it_is_made(tmp_path: Path) -> None:
    files = entries(tmp_path / "a", b=b"second", カップ=b"\xff" * 5000, a=b"first")
    assert write_zip(tmp_path / "1.zip", files)
    for _, path in files:
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert write_zip(tmp_path / "2.zip", files[::-1])
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as made:
        assert made.namelist() == ["deep/a.jpg", "deep/b.jpg", "deep/カップ.jpg"] and made.testzip() is None
        assert made.read("deep/カップ.jpg") == b"\xff" * 5000
        assert {(item.compress_type, item.date_time) for item in made.infolist()} == {(0, (1980, 1, 1, 0, 0, 0))}


def test_never_over_another_and_nothing_half_written(tmp_path: Path) -> None:
    files = entries(tmp_path / "a", a=b"first")
    path = tmp_path / "out" / "x.zip"
    assert write_zip(path, files) and not write_zip(path, files)
    before = path.read_bytes()
    with pytest.raises(ExportError, match="exists already, differs"):
        write_zip(path, entries(tmp_path / "a", a=b"other"))
    assert path.read_bytes() == before
    with pytest.raises(ExportError, match="cannot be written"):
        write_zip(tmp_path / "out" / "y.zip", [(PurePath("gone.jpg"), tmp_path / "gone.jpg")])
    assert [item.name for item in path.parent.iterdir()] == ["x.zip"]


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    files = entries(tmp_path / "a", **{f"p{number}": bytes(2 << 20) for number in range(8)})
    tracemalloc.start()
    write_zip(tmp_path / "x.zip", files)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20 < (tmp_path / "x.zip").stat().st_size


def test_a_large_one_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_zip(tmp_path / "x.zip", entries(tmp_path / "a", a=b"first"))
    assert not is_large(tmp_path / "x.zip", 65_535) and is_large(tmp_path / "x.zip", 65_536)
    monkeypatch.setattr(archive, "PLAIN_LIMIT", (10, 10))
    assert is_large(tmp_path / "x.zip", 1)
