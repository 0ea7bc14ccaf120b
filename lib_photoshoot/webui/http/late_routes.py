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
        path = _path_in(scope)
        inside = path == self._prefix or path.startswith(f"{self._prefix}/")
        return (Match.FULL if inside else Match.NONE), {}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if self._answers is None:
            await run_in_threadpool(self._make)
        # What answers may be of a version that looks for its routes in the whole path.
        await self._answers({**scope, "path": _path_in(scope)}, receive, send)

    def _make(self) -> None:
        with self._lock:
            if self._answers is None:
                self._answers = self._build(self._login)


def _path_in(scope: Any) -> str:
    """Return the path in the host: newer servers, and proxies that strip nothing, leave the place under which the host
    itself is reached (``--subpath``) before it.
    """
    root = scope.get("root_path", "").rstrip("/")
    path = str(scope["path"])
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path
