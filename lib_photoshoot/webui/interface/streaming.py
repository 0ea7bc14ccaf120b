"""Events of the page that show something before they are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lib_photoshoot.webui.hosts.a1111.page import has_queue

Steps = Callable[..., Iterator[Any]]


def streamed(generate: Steps) -> Callable[..., Any]:
    """Return a generator as an event of the page; where gradio has no queue (``--no-gradio-queue``), its last updates
    only.
    """
    if has_queue():
        return generate

    def last(*values: Any) -> Any:
        return list(generate(*values))[-1]

    return last
