"""How this program was started, so that every hint can be typed as it stands."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

_MODULE = __package__


def typed_command(arguments: str = "") -> str:
    """Return the command that the user has typed, up to its own arguments, followed by ``arguments``.

    ``photoshoot.py`` says it in PHOTOSHOOT_COMMAND. Where no command was typed, as in the WebUI, it is the one that
    works in any environment with this package.
    """
    return f"{os.environ.get('PHOTOSHOOT_COMMAND') or _own()} {arguments}".rstrip()


def _own() -> str:
    words = sys.orig_argv
    # An interpreter's own options may stand before -m.
    for place in range(1, len(words) - 1):
        if words[place : place + 2] == ["-m", _MODULE]:
            return shlex.join(words[: place + 2])
    program = Path(sys.argv[0]).name if sys.argv else ""
    return program if program in ("photoshoot", "product-photoshoot") else f"python -m {_MODULE}"
