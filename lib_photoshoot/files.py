"""Files are written whole or not at all, and shown in messages as one printable line."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PART_SUFFIX = ".part"
_PART_NAME = re.compile(r"\.[0-9a-f]{32}" + re.escape(PART_SUFFIX))


def shown(path: str | os.PathLike[str]) -> str:
    """Return the path as one printable line: a newline or an undecodable byte in a name must not break a message.

    >>> shown("two\\nlines.png")
    'two\\\\nlines.png'
    """
    text = os.fspath(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def writing_failed(where: Path, error: OSError, again: str) -> str:
    """Return the sentence for a folder that could not be written to; ``again`` is what to do once that is mended."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {shown(where)} is full; make room and {again}."
    return f"Writing to {shown(where)} failed ({error.strerror or error}); correct it and {again}."


def write_atomic(path: Path, content: bytes | Iterable[bytes] | Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all: a temporary file beside it, synced, then moved in place.

    ``content`` may come in pieces, or be written by a function. Raises ``OSError`` as it comes; nothing is left behind
    then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not derived from the name: that may already have the longest length the file system allows.
    part = path.parent / f".{uuid.uuid4().hex}{PART_SUFFIX}"
    try:
        with open(part, "xb") as file:
            if callable(content):
                content(file)
            else:
                file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def stamp_of(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """Return what changes whenever a file was appended to or replaced; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal digits. Raises OSError as it comes."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            sha.update(data)
    return sha.hexdigest()


def remove_parts(out: Path, others: str = "") -> None:
    """Remove the half-written files that a killed run left below ``out``. Raises OSError as it comes.

    In the subfolder ``others`` another program may be writing at the moment.
    """
    for folder, subfolders, names in os.walk(out):
        if folder == os.fspath(out):
            subfolders[:] = [name for name in subfolders if name != others]
        for name in names:
            # It may be whole, under its own name, by now: a thread that was interrupted writes what it has begun.
            if _PART_NAME.fullmatch(name):
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, name))
