"""Names of files that are made from others' names, no longer than file systems take them."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path

LONGEST = 255
"""Bytes in one name, on the file systems in use."""
FORBIDDEN = frozenset('<>:"/\\|?*')
"""What no name may hold on Windows, or on any system; nor may it hold what cannot be printed."""
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=$|[. ])", re.IGNORECASE)
"""Names that mean a device on Windows, whatever their suffix."""


def shortened(name: str, most: int) -> str:
    """Return the name where it has no more than ``most`` bytes; else its beginning, and eight digits that tell it from
    others.

    It is cut between characters. ``most`` is at least 20.

    >>> shortened("a cup.jpg", 20), shortened("a cup of coffee on a table.jpg", 20)
    ('a cup.jpg', 'a cup of co-c8137aef')
    """
    data = os.fsencode(name)
    if len(data) <= most:
        return name
    mark = f"-{hashlib.sha256(data).hexdigest()[:8]}"
    return beginning(name, most - len(mark)).rstrip(" .") + mark


def beginning(text: str, most: int) -> str:
    """Return the characters of a text that fit into ``most`` bytes.

    >>> beginning("Küche", 2), beginning("Küche", 3)
    ('K', 'Kü')
    """
    size = 0
    for index, character in enumerate(text):
        size += len(os.fsencode(character))
        if size > most:
            return text[:index]
    return text


def with_ending(path: Path, ending: str) -> Path:
    """Return the path with ``ending`` before its suffix; its own name is shortened where both together are too long.

    >>> with_ending(Path("cup.png"), " (2)").name
    'cup (2).png'
    """
    room = LONGEST - len(os.fsencode(ending + path.suffix))
    return path.with_name(f"{shortened(path.stem, max(20, room))}{ending}{path.suffix}")


def portable(text: str) -> str:
    """Return a part of a file's name made of others' text: letters and digits of any script, ``.``, ``_``, ``+`` and
    ``-``; all else becomes ``-``. It begins and ends with none of these signs, and may be empty.

    No shop changes such a name when the file is uploaded, and no address has to escape it but for its letters.
    """
    return re.sub(r"[^\w.+-]+", "-", unicodedata.normalize("NFC", text)).strip("-._+")


def no_device(stem: str) -> str:
    """Return the name, with an underscore before it where Windows would take it for one of its devices."""
    return f"_{stem}" if _DEVICES.match(stem) else stem


def same_name(name: str) -> str:
    """Return what is equal for names that some file system takes for one: by case, or by how an accent is written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
