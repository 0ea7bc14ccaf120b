"""Long work told in lines, where no terminal shows a bar."""

from __future__ import annotations

import time

import pytest

from lib_photoshoot.cli.told import ToldInLines


def test_long_work_is_told_also_while_nothing_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    with ToldInLines("starting", every=0.02) as lines:
        lines.tell_now("8% Installing")
        lines.tell_now("8% Installing")
        lines.tell("Collecting torch")
        time.sleep(0.1)
    out, err = capsys.readouterr()
    assert not out and err.splitlines()[0] == "8% Installing"
    assert err.count("Collecting torch (0 s)") >= 2 and err.count("Installing") == 1


def test_short_work_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    with ToldInLines("looking") as lines:
        lines.tell("looking: 1 of 2")
    assert capsys.readouterr().err == ""
