"""Hints name the command that was typed."""

from __future__ import annotations

import sys

import pytest

from lib_photoshoot.typed import typed_command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            [".venv/bin/python", "-X", "utf8", "-m", "lib_photoshoot", "detect"],
            ".venv/bin/python -X utf8 -m lib_photoshoot",
        ),
        (["/a b/python3", "-m", "lib_photoshoot"], "'/a b/python3' -m lib_photoshoot"),
        (["python3", "/webui/launch.py"], "python -m lib_photoshoot"),
        (["python3", "-m"], "python -m lib_photoshoot"),
    ],
)
def test_the_interpreters_own_words(monkeypatch, words: list[str], said: str) -> None:
    monkeypatch.delenv("PHOTOSHOOT_COMMAND", raising=False)
    monkeypatch.setattr(sys, "orig_argv", words)
    assert typed_command("models get x") == f"{said} models get x" and typed_command() == said


def test_the_set_up_says_how_it_was_typed(monkeypatch) -> None:
    monkeypatch.setenv("PHOTOSHOOT_COMMAND", "python3 photoshoot.py")
    assert typed_command("train install") == "python3 photoshoot.py train install"
