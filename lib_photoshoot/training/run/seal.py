"""A seal on what a training run was asked for: its ``run.json`` holds the command that a resume starts.

A run folder from somebody else would be a program of theirs. So what it says is sealed with a key that each
installation keeps beside its runs (HMAC-SHA256, RFC 2104), and nothing is started without the seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

KEY_NAME = ".seal-key"
_KEY_BYTES = 32


def seal_of(values: Mapping[str, Any], runs_folder: Path) -> str:
    """Return the seal of JSON values by this installation, 64 hexadecimal digits; makes a key where there is none.
    OSError.
    """
    return _digest(_key(runs_folder / KEY_NAME), values)


def is_sealed(values: Mapping[str, Any], runs_folder: Path) -> bool:
    """Whether the ``seal`` among the values is that of the others by this installation; makes no key."""
    try:
        key = (runs_folder / KEY_NAME).read_bytes()
    except OSError:
        return False
    others = {name: value for name, value in values.items() if name != "seal"}
    expected, seal = _digest(key, others), str(values.get("seal"))
    return len(key) == _KEY_BYTES and hmac.compare_digest(expected.encode(), seal.encode("utf-8", "replace"))


def _digest(key: bytes, values: Mapping[str, Any]) -> str:
    return hmac.new(key, json.dumps(values, sort_keys=True).encode("ascii"), hashlib.sha256).hexdigest()


def _key(path: Path) -> bytes:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with suppress(FileExistsError), os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()
