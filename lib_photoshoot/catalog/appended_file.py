"""A file of lines that is only ever appended to, by one process at a time, for ledgers."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from lib_photoshoot.files import PART_SUFFIX

_PART_NAME = re.compile(r"\.[0-9a-f]{32}" + re.escape(PART_SUFFIX))


class AppendedFile:
    """Open and locked until :meth:`close`, where the system has advisory locks. Methods raise OSError as it comes."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises BlockingIOError while another process has it."""
        if path.is_symlink():
            # In a folder from somebody else it would have us lock and lengthen a file anywhere.
            raise OSError(errno.ELOOP, f"its {path.name} is a link", str(path))
        self._path = path
        self._end = 0
        self._file = open(path, "r+b" if path.exists() else "x+b")  # noqa: SIM115 (closed by close)
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise

    def read(self) -> bytes:
        """All of it."""
        return self._file.read()

    def keep(self, end: int) -> None:
        """Cut off what follows the first ``end`` bytes, and append there."""
        self._file.truncate(end)
        self._file.seek(end)
        self._end = end

    def append(self, line: bytes) -> None:
        """Append a line and sync it; leaves no part of it behind when the disk is full."""
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            # What did not reach the disk stays in Python's buffer and would be written again by close().
            self._abandon()
            raise
        self._end += len(line)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _abandon(self) -> None:
        os.truncate(self._path, self._end)
        try:
            self._file.close()
        except OSError:
            os.truncate(self._path, self._end)


def whole_lines(data: bytes, header: bytes) -> tuple[list[bytes], int] | None:
    """The lines after the header, and the number of leading bytes that are whole lines; a torn last one is left out.

    None for a file that begins otherwise. A header that was itself torn counts as an empty file.
    """
    if header.startswith(data):
        return [], len(data) if data == header else 0
    if not data.startswith(header):
        return None
    end = data.rfind(b"\n") + 1
    return data[len(header) : end].split(b"\n")[:-1], end


def remove_parts(out: Path, others: str = "") -> None:
    """Remove the half-written files that a killed run left below ``out``. Raises OSError as it comes.

    In the subfolder ``others`` another program may be writing at the moment.
    """
    for folder, subfolders, names in os.walk(out):
        if folder == os.fspath(out):
            subfolders[:] = [name for name in subfolders if name != others]
        for name in names:
            if _PART_NAME.fullmatch(name):
                os.unlink(os.path.join(folder, name))
