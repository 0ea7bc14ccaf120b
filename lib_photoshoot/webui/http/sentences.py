"""Sentences for the page."""

from __future__ import annotations

from html import escape

from lib_photoshoot.errors import MissingWeightsError


def note(text: str, wrong: bool = False) -> str:
    """One sentence as HTML; nothing for an empty one."""
    return f'<p class="photoshoot-note{" photoshoot-wrong" if wrong else ""}">{escape(text)}</p>' if text else ""


def sentence(error: Exception) -> str:
    """Return an error as those read it who have the page before them: its buttons are named, no command of a shell."""
    return error.on_page() if isinstance(error, MissingWeightsError) else str(error)
