"""Let the C library keep the memory that networks free and ask for again with every picture."""

from __future__ import annotations

import sys
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP = 1 << 30


def keep_freed_memory() -> None:
    """Tell glibc not to give large arrays back to the system at once; does nothing elsewhere.

    Touching fresh pages costs a twentieth of a picture's time. It is a setting of the whole process, so only programs
    of our own call this, never the extension inside a WebUI.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(_M_MMAP_THRESHOLD, _KEEP)
        library.mallopt(_M_TRIM_THRESHOLD, _KEEP)
