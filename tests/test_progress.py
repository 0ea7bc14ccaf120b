"""How far long work is, where there is no terminal."""

from __future__ import annotations

import time

import pytest

from lib_photoshoot.cli import progress
from lib_photoshoot.cli.told import ToldInLines


@pytest.fixture
def often(monkeypatch) -> None:
    monkeypatch.setattr(progress, "ToldInLines", lambda text: ToldInLines(text, every=0.02))


def test_lines_say_the_last_state(often, capsys) -> None:
    with progress.telling("loading the models", None) as tell:
        time.sleep(0.1)
        tell(2, "[red] shoe.png", 3)
        time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "loading the models (0 s)" and lines[-1] == "[red] shoe.png: 2 of 3 (0 s)"


def test_amounts_are_written_as_asked(often, capsys) -> None:
    with progress.telling("weights", 4_000, shown=lambda count: f"{count / 1000:g} kB") as tell:
        tell(1_000)
        time.sleep(0.1)
    assert "weights: 1 kB of 4 kB (0 s)" in capsys.readouterr().err
