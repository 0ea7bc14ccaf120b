"""What goes wrong in an extension: printed and remembered, and the host goes on."""

from __future__ import annotations

import sys
import traceback

exception_records: list[str] = []


def report(message: str, *, exc_info: bool = False) -> None:
    """Print a message, with the exception at hand."""
    text = f"{message}\n{traceback.format_exc()}" if exc_info else message
    exception_records.append(text)
    print("***", text, file=sys.stderr)
