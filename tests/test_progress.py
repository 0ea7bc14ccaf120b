"""Long work is told where there is no terminal."""

from __future__ import annotations

import time

from lib_photoshoot.cli import progress


def test_lines_come_without_a_call_and_say_the_last_state(monkeypatch, capsys) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.02)
    with progress.telling("loading the models", 3) as tell:
        time.sleep(0.1)
        tell(2, "[red] shoe.png")
        time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "0 of 3, 0 s: loading the models" and lines[-1] == "2 of 3, 0 s: [red] shoe.png"
    time.sleep(0.05)
    assert capsys.readouterr().err == ""


def test_quick_work_says_nothing(capsys) -> None:
    with progress.telling("x", None) as tell:
        tell(1)
    assert capsys.readouterr().err == ""
