"""The picture page served to this machine."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import uvicorn

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.pages.application import PAGE_NAME, Reviewed, build_application

HOST = "127.0.0.1"
_CLOSING_S = 2
"""A browser's open connection does not keep the server from ending."""
_USUAL_PORTS = range(20_000, 30_000)
"""Below those that systems give to outgoing connections."""


def usual_port(folder: Path) -> int:
    """Return a folder's own port.

    Browsers keep by host and port what a page could not save: only at the same ones is it found again.
    """
    return _USUAL_PORTS[zlib.crc32(os.fsencode(os.path.realpath(folder))) % len(_USUAL_PORTS)]


class PageServer:
    """Serves one page; use it as a context manager around :meth:`serve_forever`."""

    def __init__(self, reviewed: Reviewed, port: int = 0, usual: int = 0) -> None:
        """Take the port, 0 for the ``usual`` one if it is free, else for any. Raises PhotoshootError."""
        self.reviewed = reviewed
        self.token = secrets.token_urlsafe(24)
        try:
            self._socket = _listening(port, usual)
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise PhotoshootError(
                f"Port {port} {why}; give another --port, or leave it out for any free one."
            ) from error
        self.port: int = self._socket.getsockname()[1]
        application = build_application(reviewed, self.token, [f"{name}:{self.port}" for name in (HOST, "localhost")])
        config = uvicorn.Config(
            application, http="h11", ws="none", loop="asyncio", lifespan="off", log_config=None, log_level="critical",
            access_log=False, server_header=False, timeout_graceful_shutdown=_CLOSING_S,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._idle = threading.Event()
        self._idle.set()

    @property
    def address(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.port}/{self.token}/{PAGE_NAME}"

    def serve_forever(self) -> None:
        """Answer until :meth:`shutdown`, or an interrupt, which newer servers hand on as KeyboardInterrupt."""
        self._idle.clear()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._idle.set()

    def shutdown(self) -> None:
        """From another thread: end :meth:`serve_forever`, and wait until it has ended."""
        self._server.should_exit = True
        self._idle.wait(2 * _CLOSING_S)

    def finish(self) -> None:
        """After the last request: write the page's file anew if anything was changed. Raises PhotoshootError."""
        self.reviewed.end()
        if self.reviewed.decided or self.reviewed.corrected:
            self.reviewed.write_report()

    def __enter__(self) -> PageServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()


def _listening(port: int, usual: int) -> socket.socket:
    if not port and usual:
        with suppress(OSError):
            return socket.create_server((HOST, usual))
    return socket.create_server((HOST, port))
