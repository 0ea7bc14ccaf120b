"""Reads TOML on every Python that this project runs on.

Python has a reader from 3.11 on; on 3.10 the package ``tomli``, of which that reader is a copy, stands in for it. A
WebUI's environment may lack it: the sentence then says what to install, and names of profiles are known without it.
"""

from __future__ import annotations

import sys
from typing import Any

from lib_photoshoot.errors import ExportError


def parse_toml(text: str) -> dict[str, Any]:
    """Return the values of a TOML text. Raises ValueError for what is none, and ExportError where no reader is
    installed.

    >>> parse_toml("[canvas]\\nwidth = 1600")
    {'canvas': {'width': 1600}}
    """
    try:
        import tomllib
    except ModuleNotFoundError:
        try:
            import tomli as tomllib
        except ModuleNotFoundError as error:
            raise ExportError(
                "Export profiles and ranking weights are TOML, which this Python cannot read; install the package "
                f"tomli into it ({sys.executable} -m pip install tomli), or use Python 3.11 or later."
            ) from error
    return tomllib.loads(text)
