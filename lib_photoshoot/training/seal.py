"""A seal on what a training run was asked for: its ``run.json`` holds the command that a resume starts.

A run folder from somebody else would be a program of theirs. So the file is sealed with a key that each installation
keeps beside its runs (HMAC-SHA256, RFC 2104), and nothing is started without the seal.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_NAME = ".seal-key"
_KEY_BYTES = 32


def seal_of(data: bytes, runs_folder: Path) -> str:
    """The seal of ``data`` by this installation, 64 hexadecimal digits; makes the key where there is none. OSError."""
    return hmac.new(_key(runs_folder / KEY_NAME), data, hashlib.sha256).hexdigest()


def is_sealed(data: bytes, seal: str, runs_folder: Path) -> bool:
    """Whether ``seal`` is that of ``data`` by this installation; makes no key."""
    try:
        key = (runs_folder / KEY_NAME).read_bytes()
    except OSError:
        return False
    expected = hmac.new(key, data, hashlib.sha256).hexdigest()
    return len(key) == _KEY_BYTES and hmac.compare_digest(expected.encode(), seal.encode())


def _key(path: Path) -> bytes:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with suppress(FileExistsError), os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()
