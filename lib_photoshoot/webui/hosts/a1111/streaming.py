"""Events of the page that show something before they are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Steps = Callable[..., Iterator[Any]]


def streamed(generate: Steps) -> Callable[..., Any]:
    """Return a generator as an event of the page; where gradio has no queue (``--no-gradio-queue``), its last updates
    only.
    """
    from modules import shared

    if not getattr(shared.cmd_opts, "no_gradio_queue", False):
        return generate

    def last(*values: Any) -> Any:
        return list(generate(*values))[-1]

    return last
