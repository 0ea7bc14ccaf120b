"""Routes whose application is made when it is first asked for, so that the host's start pays nothing for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Match

from lib_photoshoot.webui.http.login import Login


class LateRoutes(BaseRoute):
    """Everything below a prefix; what answers there is imported and built by ``build`` at the first request."""

    def __init__(self, prefix: str, build: Callable[[Login], Any], login: Login) -> None:
        self._prefix, self._build, self._login = prefix, build, login
        self._lock = threading.Lock()
        self._answers: Any = None

    def matches(self, scope: Any) -> tuple[Match, dict[str, Any]]:
        """Whether a request is for these routes."""
        if scope["type"] != "http":
            return Match.NONE, {}
        # Newer servers leave the place under which the host itself is reached in the path.
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        inside = path == self._prefix or path.startswith(f"{self._prefix}/")
        return (Match.FULL if inside else Match.NONE), {}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if self._answers is None:
            await run_in_threadpool(self._make)
        await self._answers(scope, receive, send)

    def _make(self) -> None:
        with self._lock:
            if self._answers is None:
                self._answers = self._build(self._login)
