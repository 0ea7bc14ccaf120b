"""Sentences for the page."""

from __future__ import annotations

from html import escape


def note(text: str, wrong: bool = False) -> str:
    """One sentence as HTML; nothing for an empty one."""
    return f'<p class="photoshoot-note{" photoshoot-wrong" if wrong else ""}">{escape(text)}</p>' if text else ""
