"""Environments beside ``.venv`` that have before its packages some of their own, in other releases than it has."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


def environment(folder: Path, requirements: Path, what: str) -> Path:
    """Return the interpreter of the environment in ``folder``, which sees the packages of this interpreter.

    It is made anew where the requirements or this interpreter have changed; ``what`` says then what it is.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    beside = sysconfig.get_path("purelib")
    stamp, wanted = folder / ".beside", hashlib.sha256(requirements.read_bytes() + beside.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"Making {folder}, {what}", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, with_pip=True)
    own = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    Path(own, "beside.pth").write_text(f"{beside}\n")
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-warn-conflicts"]
    subprocess.run([*pip, "-r", str(requirements)], check=True)
    stamp.write_text(wanted)
    return python
