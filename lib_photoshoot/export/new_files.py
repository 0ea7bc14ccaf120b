"""Files that are written where there is none yet, whole or not at all, and never over another."""

from __future__ import annotations

import filecmp
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from lib_photoshoot.errors import ExportError
from lib_photoshoot.files import PART_SUFFIX, shown, write_atomic


def write_new(path: Path, content: bytes | Callable[[BinaryIO], object]) -> bool:
    """Write a file, or have a function write it; return False where the same one lies there.

    Raises ExportError where another one has its name, or it cannot be written; nothing is left behind then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            return _write_bytes(path, content)
        return _write_streamed(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(
            f"{shown(path)} cannot be written ({reason}); check the folder's space and permissions."
        ) from error


def _write_bytes(path: Path, data: bytes) -> bool:
    if not _reserved(path):
        with suppress(OSError):
            if path.read_bytes() == data:
                return False
        raise _is_another(path)
    try:
        write_atomic(path, data)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    return True


def _write_streamed(path: Path, write: Callable[[BinaryIO], object]) -> bool:
    part = path.with_name(f".{uuid.uuid4().hex}{PART_SUFFIX}")
    try:
        write_atomic(part, write)
        if _reserved(path):
            try:
                os.replace(part, path)
            except OSError:
                os.unlink(path)
                raise
            return True
        with suppress(OSError):
            if filecmp.cmp(part, path, shallow=False):
                return False
        raise _is_another(path)
    finally:
        with suppress(OSError):
            part.unlink()


def _reserved(path: Path) -> bool:
    """Create an empty file of that name: of two that want it, one is refused, and none is overwritten."""
    try:
        path.open("xb").close()
    except FileExistsError:
        return False
    return True


def _is_another(path: Path) -> ExportError:
    return ExportError(
        f"{shown(path)} exists already, differs from what would be made now, and is kept; choose another --out, or "
        "remove it."
    )
