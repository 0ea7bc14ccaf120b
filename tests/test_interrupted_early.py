"""Ctrl-C while the modules of a command are imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# A finder that interrupts the import of one module, as Ctrl-C in that moment does.
INTERRUPT = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass

sys.modules.pop({name!r}, None)
sys.meta_path.insert(0, Finder())
sys.argv = {argv!r}
{run}
"""


@pytest.mark.parametrize(
    ("name", "argv", "run"),
    [
        ("typer", ["lib_photoshoot", "--version"], "runpy.run_module('lib_photoshoot', run_name='__main__')"),
        ("urllib.error", ["photoshoot.py", "--help"], "runpy.run_path('photoshoot.py', run_name='__main__')"),
    ],
)
def test_it_is_one_line_and_exit_code_130(name: str, argv: list[str], run: str) -> None:
    code = INTERRUPT.format(name=name, argv=argv, run=run)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 130 and not ended.stdout
    assert ended.stderr.startswith("Interrupted") and ended.stderr.count("\n") == 1, ended.stderr
