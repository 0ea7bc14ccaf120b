"""The one place that confines a path read from data to the folder which the data describes.

Ledgers, reports, shot lists and decision files may come from somebody else: a name in them is deleted, read, written or
served only where it leads, after all links, to a place inside that folder.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from lib_photoshoot.errors import CatalogError, PhotoshootError
from lib_photoshoot.files import shown


def is_plain(name: object) -> bool:
    """Whether ``name`` is a relative path that goes nowhere but down, by its text alone: no disk is asked.

    >>> [is_plain(name) for name in ("masks/a.png", "../a.png", "/etc/passwd", "a//b", "")]
    [True, False, False, False, False]
    """
    if not isinstance(name, str) or not name or "\0" in name or os.path.splitdrive(name)[0]:
        return False
    parts = re.split(r"[/\\]", name) if os.name == "nt" else name.split("/")
    return all(part not in ("", ".", "..") for part in parts)


def inside(folder: Path, name: object, error: type[PhotoshootError] = CatalogError) -> Path:
    """Return the path of ``name``, which was read from data, below ``folder``, existing or not.

    Raises ``error`` for a full path, one that goes up, and one that a link leads out of ``folder``.

    >>> inside(Path("run"), "masks/a.png").as_posix()
    'run/masks/a.png'
    >>> inside(Path("run"), "../a.png")
    Traceback (most recent call last):
    lib_photoshoot.errors.CatalogError: run names '../a.png', which leads out of that folder, and is not followed; ...
    """
    # By the text first: on Windows a network path that is only looked at sends the user's credentials.
    if is_plain(name) and stays_inside(folder, path := folder / str(name)):
        return path
    raise error(
        f"{shown(folder)} names {shown(str(name))[:200]!r}, which leads out of that folder, and is not followed; use "
        "only folders that this program wrote, without links in them."
    )


def stays_inside(folder: Path, path: Path) -> bool:
    """Whether ``path`` lies, after its links, below ``folder``."""
    try:
        real, root = os.path.realpath(path), os.path.realpath(folder)
    except (OSError, ValueError):
        return False
    return os.path.normcase(real).startswith(os.path.normcase(root).rstrip(os.sep) + os.sep)
