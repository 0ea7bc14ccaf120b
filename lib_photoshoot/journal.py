"""Append-only files of JSON lines, written by one process at a time: the form of all ledgers.

The first line, the header, says whose file it is; each further line is one JSON value, and on the disk before anything
else happens. A kill or a power cut leaves at most a torn last line, which counts for nothing and is cut off by the next
writer. A line that a crash of the file system has spoiled is passed over: what it told is found out again.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from lib_photoshoot.locks import lock

Own = TypeVar("Own", bound="Journal")
SPOILED = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)
"""What reading a spoiled line raises; OverflowError where it has a number that no computer's holds."""
_LOCKED = 0x7FFF_FFFE
"""The byte that is locked on Windows: beyond the lines, so that others may read them."""
_BLOCK, _LONGEST_HEADER, LONGEST_LINE = 1 << 16, 1 << 20, 1 << 26
"""Bytes. A longer line is spoiled, and never in memory as a whole: none of ours comes near it."""


class ForeignError(Exception):
    """A file does not begin with the header; ``first`` is its first line."""

    def __init__(self, first: bytes) -> None:
        super().__init__(first)
        self.first = first


def json_line(value: Any, sort_keys: bool = False) -> bytes:
    """Return a value as one line of JSON; ASCII only, so that any text survives."""
    return json.dumps(value, separators=(",", ":"), sort_keys=sort_keys).encode("ascii") + b"\n"


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the JSON object in a file's first line; empty where there is none. Raises OSError as it comes."""
    with open(path, "rb") as file:
        line = file.readline(_LONGEST_HEADER)
    with suppress(ValueError, RecursionError):
        header = json.loads(line)
        return header if isinstance(header, dict) else {}
    return {}


def is_begun(path: Path, header: bytes) -> bool:
    """Whether a file holds its header; a torn one counts as none. Raises ForeignError, and OSError as it comes."""
    with open(path, "rb") as file:
        return _has_header(file, header)


def read_lines(path: Path, header: bytes | None = None, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield the whole lines behind the header, each with the place where it begins; also while another process writes.

    Without a ``header`` the first line may be any; a ``start``, where a line begins, leaves out those before it. Raises
    as :func:`is_begun`.
    """
    with open(path, "rb") as file:
        if header is None:
            file.readline()
        else:
            _has_header(file, header)
        if start:
            file.seek(start)
        yield from _whole_lines(file, file.tell())


def _has_header(file: BinaryIO, header: bytes) -> bool:
    first = file.readline(_LONGEST_HEADER)
    if first != header and not header.startswith(first):
        raise ForeignError(first)
    return first == header


def _whole_lines(file: BinaryIO, place: int) -> Iterator[tuple[int, bytes]]:
    while line := file.readline(LONGEST_LINE):
        length, is_whole = len(line), line.endswith(b"\n")
        if is_whole:
            yield place, line
        while line and not line.endswith(b"\n"):
            line = file.readline(_BLOCK)
            length += len(line)
        place += length


def _end_of_lines(path: Path, header: bytes) -> int:
    """Where the last whole line ends, 0 where there is no header; raises as :func:`is_begun`."""
    with open(path, "rb") as file:
        start = file.seek(0, os.SEEK_END) if _has_header(file, header) else 0
        while start:
            end, start = start, max(0, start - _BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
    return 0


class Journal:
    """An open journal, locked until :meth:`close`; a context manager too. Not for several threads at once."""

    def __init__(self, path: Path, header: bytes) -> None:
        """Open or create the file.

        Raises BlockingIOError while another process has it, ForeignError for a file that begins otherwise, which stays
        as it is, and OSError as it comes.
        """
        if path.is_symlink():
            # In a folder from somebody else it would have us lock and lengthen a file anywhere.
            raise OSError(errno.ELOOP, f"its {path.name} is a link", str(path))
        self.path, self._header = path, header
        # Without a buffer: what did not reach a full disk would be written again when it is closed.
        self._file = open(path, "r+b" if path.exists() else "x+b", buffering=0)  # noqa: SIM115 (closed by close)
        try:
            if not lock(self._file.fileno(), place=_LOCKED):
                raise BlockingIOError(errno.EAGAIN, "another process writes to it", str(path))
            self._end = _end_of_lines(path, header)
            self._file.truncate(self._end)
            if not self._end:
                self.append(header)
            self._reader = open(path, "rb")  # noqa: SIM115 (closed by close)
        except BaseException:
            self._file.close()
            raise

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Return the lines behind the header, each with the place where it begins."""
        self._reader.seek(len(self._header))
        return _whole_lines(self._reader, len(self._header))

    def line_at(self, place: int) -> bytes:
        """Return the line that begins there."""
        self._reader.seek(place)
        return self._reader.readline()

    def append(self, line: bytes) -> int:
        """Append a line, sync it, and return the place where it begins.

        Raises OSError as it comes, and leaves no part of the line behind then, as on a full disk.
        """
        place = self._file.seek(self._end)
        try:
            left = memoryview(line)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except BaseException:
            self._file.truncate(place)
            raise
        self._end += len(line)
        return place

    def close(self) -> None:
        """Give the file back."""
        self._reader.close()
        self._file.close()

    def __enter__(self: Own) -> Own:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reopened(path: Path) -> Journal:
    """Open a journal that is there, whatever its header. Raises FileNotFoundError, and as :class:`Journal` does."""
    with open(path, "rb") as file:
        header = file.readline()
    return Journal(path, header)


def is_another(now: Any, before: Any, end: int) -> bool:
    """Whether a file with the stamp ``now`` is not the one that was read up to ``end``, with the stamp ``before``.

    Stamps are those of :func:`lib_photoshoot.files.stamp_of`. A shortened file is another; of none nothing was read.
    """
    return bool(before) and (not now or now[0] != before[0] or now[1] < end)


def append_when_free(path: Path, header: bytes, lines: Callable[[], list[bytes]], patience: float = 3.0) -> None:
    """Append lines, all or none, as soon as no other process has the journal, for which ``patience`` seconds are had.

    ``lines`` are made when nobody else can write any more. Raises as :class:`Journal` does.
    """
    end = time.monotonic() + patience
    while True:
        try:
            with Journal(path, header) as journal:
                if new := b"".join(lines()):
                    journal.append(new)
                return
        except (BlockingIOError, FileExistsError):
            if time.monotonic() > end:
                raise
        time.sleep(0.005)
