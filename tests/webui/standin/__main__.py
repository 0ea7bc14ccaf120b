"""Make the environment of the stand-in host, where it is not there, and run the host's tests in it.

    .venv/bin/python -m tests.webui.standin [--gradio 4] [PYTEST OPTIONS]

The environment, ``.venv-host``, sees the packages of the interpreter that starts this, and has before them those that
the host pins otherwise: older ones than the command line uses. With ``--gradio 4`` it is ``.venv-host4``, with the pins
of Forge, and the tests are those of what the page shows.
Without that, coverage of the host's adapter and of what it shows is told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.beside import environment
from tests.conftest import ROOT

HERE = Path(__file__).parent
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
OF_THE_PAGE = tuple(
    f"tests/webui/hosts/a1111/test_{name}.py" for name in ("panel", "tab", "results", "teach", "reached", "pages")
)
"""What gradio has a part in."""


def main(options: list[str]) -> int:
    """Returns pytest's exit code; with options that choose tests, coverage is shown and not asked for."""
    if options[:2] == ["--gradio", "4"]:
        return _run(".venv-host4", "requirements-gradio4.txt", "250", OF_THE_PAGE, options[2:], 0)
    return _run(".venv-host", "requirements.txt", "50", TESTS, options, LEAST)


def _run(folder: str, requirements: str, megabytes: str, tests: tuple[str, ...], options: list[str], least: int) -> int:
    what = f"an environment of the stand-in host (about {megabytes} MB)"
    python = environment(ROOT / folder, HERE / requirements, what)
    chosen = [option for option in options if not option.startswith("-")]
    asked = [] if options else [f"--cov-fail-under={least}"]
    covered = [*(f"--cov={part}" for part in ADAPTER), "--cov-report=term:skip-covered", *asked] if least else []
    command = [str(python), "-m", "pytest", *covered, *options]
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    return subprocess.run([*command, *([] if chosen else tests)], cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
