"""What the host's console, and its progress bar, are told."""

from __future__ import annotations


def report(text: str) -> None:
    """Write what went wrong to the console, with the traceback of the exception at hand."""
    from modules import errors

    errors.report(f"Product Photoshoot: {text}", exc_info=True)


def show_step(text: str | None) -> None:
    """Show below the progress bar what is done now; None for the host's own words."""
    from modules import shared

    shared.state.textinfo = text
