"""Make the environment of the stand-in host, where it is not there, and run the host's tests in it.

    .venv/bin/python -m tests.webui.standin [PYTEST OPTIONS]

The environment, ``.venv-host``, sees the packages of the interpreter that starts this, and has before them those that
the host pins otherwise: older ones than the command line uses.
Coverage of the host's adapter and of what it shows is told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.beside import environment
from tests.conftest import ROOT

FOLDER = ROOT / ".venv-host"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ADAPTER = ("lib_photoshoot.webui.hosts", "lib_photoshoot.webui.interface")
LEAST = 80
"""Per cent of the adapter's lines that the tests must run."""
TESTS = (
    "tests/webui/hosts/a1111",
    "tests/webui/hosts/forge",
    "tests/webui/shoot/test_routes.py",
    "tests/webui/hosts/test_training_host.py",
    "tests/webui/train/test_routes.py",
)


def main(options: list[str]) -> int:
    """Returns pytest's exit code; with options that choose tests, coverage is shown and not asked for."""
    python = environment(FOLDER, REQUIREMENTS, "the environment of the stand-in host (about 50 MB)")
    chosen = [option for option in options if not option.startswith("-")]
    asked = [] if options else [f"--cov-fail-under={LEAST}"]
    covered = (*(f"--cov={part}" for part in ADAPTER), "--cov-report=term:skip-covered")
    command = [str(python), "-m", "pytest", *covered, *asked, *options]
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    return subprocess.run([*command, *([] if chosen else TESTS)], cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
