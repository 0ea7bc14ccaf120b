"""Make an environment with a newer transformers, where it is not there, and run the tests in it that want one.

    .venv/bin/python -m tests.newer_transformers [PYTEST OPTIONS]

The environment, ``.venv-transformers``, has all other packages from the interpreter that starts this. SAM 3 wants a
newer torch than that has: its tests run in an environment of transformers 5 that somebody made by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.beside import environment
from tests.conftest import ROOT

TESTS = ("tests/test_grounding_dino.py", "tests/test_mm_grounding_dino.py", "tests/examples/test_second.py")


def main(options: list[str]) -> int:
    """Returns pytest's exit code."""
    requirements = Path(__file__).with_name("requirements.txt")
    python = environment(ROOT / ".venv-transformers", requirements, "which has a newer transformers (about 60 MB)")
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    return subprocess.run([str(python), "-m", "pytest", *options, *TESTS], cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
