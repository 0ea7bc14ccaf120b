"""A zip of finished pictures: the same bytes for the same pictures, whenever and wherever it is made."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import BinaryIO

from lib_photoshoot.export.new_files import write_new

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell."""
_UNIX, _READABLE = 3, 0o100644 << 16
PLAIN_LIMIT = (1 << 32) - 1, (1 << 16) - 1
"""Bytes and files from which on an archive is ZIP64, which some programs and shops do not read."""


def write_zip(path: Path, files: Iterable[tuple[PurePath, Path]]) -> bool:
    """Write an archive of files, each with its name in it, sorted, one after the other; False where it is there.

    Pictures are stored as they are: they are compressed already. Raises ExportError as :func:`write_new` does.
    """
    entries = sorted((name.as_posix(), source) for name, source in files)

    def write(target: BinaryIO) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name, source in entries:
                _add(archive, name, source)

    return write_new(path, write)


def is_large(path: Path, count: int) -> bool:
    """Whether an archive is of the kind that not everybody reads."""
    return path.stat().st_size > PLAIN_LIMIT[0] or count > PLAIN_LIMIT[1]


def _add(archive: zipfile.ZipFile, name: str, source: Path) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr = _UNIX, _READABLE
    info.file_size = source.stat().st_size
    with archive.open(info, "w") as target, open(source, "rb") as file:
        shutil.copyfileobj(file, target, 1 << 20)
