"""What the C library does with the memory that networks free: keep it between pictures, give it back afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP, _GIVE_BACK = 1 << 30, 1 << 20
_process = {"keeps": False}
"""glibc does not tell its settings, so that this process's is noted here."""


def keep_freed_memory() -> None:
    """Tell glibc not to give large arrays back to the system at once; does nothing where it is absent.

    Touching fresh pages costs a twentieth of a picture's time. It is a setting of the whole process, so only programs
    of our own call this, never the extension inside a WebUI.
    """
    with suppress(OSError, AttributeError):
        library = _glibc()
        library.mallopt(_M_MMAP_THRESHOLD, _KEEP)
        library.mallopt(_M_TRIM_THRESHOLD, _KEEP)
        _process["keeps"] = True


@contextmanager
def giving_back_freed_memory() -> Iterator[None]:
    """Give large arrays back at once for a while, whatever :func:`keep_freed_memory` said.

    For networks that need so much that kept arrays, which fit nothing else, would add a third to the process's peak.
    """
    give_back_freed_memory()
    if not _process["keeps"]:
        yield
        return
    library = _glibc()
    library.mallopt(_M_MMAP_THRESHOLD, _GIVE_BACK)
    library.mallopt(_M_TRIM_THRESHOLD, _GIVE_BACK)
    try:
        yield
    finally:
        keep_freed_memory()


def give_back_freed_memory() -> None:
    """Return memory that nothing uses any more to the system; does nothing where glibc is absent."""
    with suppress(OSError, AttributeError):
        _glibc().malloc_trim(0)


def _glibc() -> Any:
    """glibc, already loaded in this process. Raises OSError elsewhere than on Linux with glibc."""
    if not sys.platform.startswith("linux"):
        raise OSError("no glibc here")
    import ctypes

    return ctypes.CDLL("libc.so.6")
