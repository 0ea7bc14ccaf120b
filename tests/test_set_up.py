"""``photoshoot.py`` in a folder of its own, with an environment whose Python is this one and whose pip is scripted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_catalog import paint

ROOT = Path(__file__).parents[1]
# Notes what it is called with; pip and missing modules are scripted through files beside the environment.
PYTHON = """#!/bin/sh
echo "$@" >> "{folder}/calls"
case "$*" in
  "-c import typer"*) test ! -e "{folder}/bare" ;;
  "-c import torch"*) exit 1 ;;
  "-m pip --version") exit 0 ;;
  "-m pip install"*) rm -f "{folder}/bare"; cat "{folder}/pip" 2>/dev/null && exit 1; exit 0 ;;
  "-m lib_photoshoot models verify embedded" | "-m lib_photoshoot models get"*) exit 0 ;;
  "-m lib_photoshoot filter"*) cat "{folder}/code" 2>/dev/null && exit "$(cat "{folder}/code")"; exec "{python}" "$@" ;;
  *) exec "{python}" "$@" ;;
esac
"""


class Clone:
    """A fresh clone: the program, its requirements and its package, and nothing installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "photoshoot.py", folder)
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        (folder / "lib_photoshoot").symlink_to(ROOT / "lib_photoshoot")
        paint(folder / "samples" / "lit.png", (5, 5, 30, 30))
        python = folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON.format(folder=folder, python=sys.executable))
        python.chmod(0o755)
        self.python(*sys.version_info[:2])
        (folder / "bare").touch()

    def python(self, major: int, minor: int) -> None:
        (self.folder / ".venv" / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {major}.{minor}.1\n")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PHOTOSHOOT_COMMAND"}
        command = [sys.executable, "photoshoot.py", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60)

    @property
    def installed(self) -> list[str]:
        """What pip was asked to install."""
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [line for line in lines if line.startswith("-m pip install")]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--help",), 0, "--products WORDS"),
        (("demo", "--help"), 0, "--out"),
        (("test", "-h"), 0, "[INPUT ...] [-- PYTEST OPTIONS]"),
        ((), 2, "photoshoot.py setup"),
        (("filtr", "x"), 2, "did you mean filter?"),
        (("demo", "--product-s", "cup"), 2, "unrecognized arguments"),
        (("demo", "gone"), 2, "gone does not exist"),
        (("setup", "now"), 2, "unrecognized arguments"),
    ],
)
def test_help_and_typing_errors_install_nothing(clone: Clone, arguments, code: int, said: str) -> None:
    result = clone(*arguments)
    assert result.returncode == code and said in result.stdout + result.stderr
    assert not clone.installed and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("filter", "--help"), 0, "--thorough"),
        (("train", "start", "--help"), 0, "--checkpoint"),
        (("filter", "samples", "--prodcts", "cup"), 2, "No such option"),
        (("models", "gte"), 2, "No such command"),
        (("detect", "samples"), 2, "Missing option"),
    ],
)
def test_the_packages_own_help_and_wrong_arguments_need_no_torch(clone: Clone, arguments, code: int, said: str) -> None:
    result = clone(*arguments)
    assert result.returncode == code and said in result.stdout + result.stderr, result
    assert len(clone.installed) == 1 and "torch" not in clone.installed[0]


@pytest.mark.parametrize("command", ["demo", "test", "setup"])
def test_every_option_of_the_set_ups_commands_is_explained(clone: Clone, command: str) -> None:
    told = clone(command, "--help").stdout
    _, *options = re.split(r"\n  (?=-)", told)
    assert len(options) > 1 and all(len(re.sub(r"^.*?(  |\n)", "", option)) > 15 for option in options), options
    assert ("photoshoot-report)" in told) == (command == "demo")


def test_the_known_commands_are_the_packages() -> None:
    import typer

    import photoshoot
    from lib_photoshoot.cli.main import app

    assert set(photoshoot.PASSED_ON) == set(typer.main.get_command(app).commands)


def test_without_a_network_it_is_one_sentence_and_exit_code_4(clone: Clone) -> None:
    (clone.folder / "pip").write_text(
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': /simple/typer/\n"
        "ERROR: No matching distribution found for typer\n"
    )
    for arguments in (("demo",), ("filter", "samples", "--products", "cup", "--out", "o"), ("setup",)):
        result = clone(*arguments)
        told = [line for line in result.stderr.splitlines() if not line.startswith("photoshoot: ")]
        assert result.returncode == 4 and len(told) == 1 and "cannot be reached" in told[0], result.stderr
        (clone.folder / "bare").touch()


def test_what_else_pip_says_is_in_the_sentence(clone: Clone) -> None:
    (clone.folder / "pip").write_text("ERROR: Could not install packages: No space left on device\nmore\n")
    result = clone("setup")
    assert result.returncode == 4 and "No space left on device" in result.stderr.splitlines()[-1]


def test_the_demo_keeps_what_is_there(clone: Clone) -> None:
    kept = clone.folder / "photoshoot-report" / "report.json"
    kept.parent.mkdir()
    kept.write_text("mine")
    result = clone("demo")
    assert kept.read_text() == "mine" and result.returncode == 2 and "not empty" in result.stderr, result.stderr
    assert clone("demo", "--nonsense").returncode == 2 and kept.read_text() == "mine"


def test_the_demo_goes_on_by_itself_and_gets_missing_weights(clone: Clone) -> None:
    (clone.folder / "code").write_text("0")
    for arguments in ((), ("--resume",)):
        assert clone("demo", *arguments).returncode == 0
    calls = (clone.folder / "calls").read_text().splitlines()
    runs = [place for place, call in enumerate(calls) if call.startswith("-m lib_photoshoot filter")]
    assert len(runs) == 2 and all("--resume" in calls[place] for place in runs)
    # Also by the second, which finds the set-up complete.
    assert all("-m lib_photoshoot models verify embedded" in calls[place - 1] for place in runs)


def test_test_tools_come_with_the_tests_alone(clone: Clone) -> None:
    (clone.folder / "code").write_text("0")
    assert clone("demo").returncode == 0
    test_tools = str(clone.folder / "requirements" / "test.txt")
    assert clone.installed and not any(test_tools in line for line in clone.installed)
    before = len(clone.installed)
    for _ in range(2):
        assert clone("setup", "--tests").returncode == 0
    (line,) = clone.installed[before:]
    assert test_tools in line
    assert clone("demo").returncode == 0 and len(clone.installed) == before + 1


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
def test_a_python_without_builds_is_one_sentence(clone: Clone, version) -> None:
    clone.python(*version)
    result = clone("demo")
    assert result.returncode == 2 and not clone.installed
    assert len(result.stderr.splitlines()) == 1 and "3.10 to 3.13" in result.stderr


def test_hints_name_what_was_typed(clone: Clone) -> None:
    result = clone("models", "verify", "nothing-like-it")
    name = Path(sys.executable).name
    python = name if shutil.which(name) else sys.executable  # what a launcher made of the name is not told
    assert result.returncode == 2 and f"({python} photoshoot.py models list)" in result.stderr
    # Usage is wrapped at 80 columns, after a long path of Python also before its options.
    assert "photoshoot.py rank [OPTIONS]" in " ".join(clone("rank", "--help").stdout.split())
