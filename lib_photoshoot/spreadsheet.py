"""Cells of a CSV file that a spreadsheet opens: text in them must not become a formula."""

from __future__ import annotations

import re

_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


def formula_safe(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_SIGNS) and not _NUMBER.fullmatch(text) else text


def formula_undone(text: str) -> str:
    """What :func:`formula_safe` was given."""
    return text[1:] if text.startswith("'") and formula_safe(text[1:]) == text else text
