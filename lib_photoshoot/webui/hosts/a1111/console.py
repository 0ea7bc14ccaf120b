"""What the host's console is told."""

from __future__ import annotations


def report(text: str) -> None:
    """Write what went wrong to the console, with the traceback of the exception at hand."""
    from modules import errors

    errors.report(f"Product Photoshoot: {text}", exc_info=True)
