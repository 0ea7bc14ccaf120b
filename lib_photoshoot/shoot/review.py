"""Deciding by hand about a shoot's pictures: the page served to the browser of this machine, and saved decisions.

Only this machine reaches the server, but any web page that its browser shows could try to. So the address holds a
random word, requests must name this host (a foreign name that was pointed here does not), and decisions come as JSON
from the page itself. Only pictures that the ledger names are served, and none that lies outside the shoot's folder.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.files import shown
from lib_photoshoot.pages.html import content_security_policy
from lib_photoshoot.shoot.errors import ShootError
from lib_photoshoot.shoot.folder import Chosen, ShootFolder, chosen_from
from lib_photoshoot.shoot.ledger import LEDGER_NAME, Decision, ShootLedger, ShootState
from lib_photoshoot.shoot.report import report_chunks, write_report
from lib_photoshoot.shoot.shot_list import REPORT_NAME
from lib_photoshoot.shoot.view import shoot_view

HOST = "127.0.0.1"
DECIDE = "decide"
"""Where the page sends decisions, beside its own address."""
LARGEST_BODY = 8 << 20
LARGEST_FILE = 64 << 20
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_JSON = "application/json"
_PATIENCE_S = 60
_HOLD_S = 1.0
"""For how long after a decision the ledger stays open, and no shoot can begin in its folder."""


class Reviewed:
    """A shoot's folder under review; methods may be called from several threads.

    Views and files come from what is in the folder at the moment: a shoot may be running in it.
    """

    def __init__(self, folder: ShootFolder) -> None:
        """Raises ShootError where its list or ledger cannot be read or names files outside the folder."""
        self.folder = folder
        self.decided = 0
        self._ended = False
        self._ledger: ShootLedger | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._names = folder.names()
        self._files: set[str] = set()
        self._stamp: object = None
        self._read()

    def view(self) -> dict[str, Any]:
        """As :meth:`ShootFolder.view`. Raises ShootError."""
        with self._lock:
            self._names = self.folder.names()  # a shoot that goes on may have a longer list
            return shoot_view(self._names, self._read())

    def decide(self, chosen: Sequence[Chosen]) -> dict[str, Any]:
        """Write decisions; the ``shots`` that this changed, and all ``products``.

        Raises ShootError: where a picture is not there, nothing is decided.
        """
        with self._lock:
            if self._ended:
                raise ShootError("This review has ended; start it again, and open the address that it prints.")
            if chosen and self._stamp_now() is None:
                raise self._lacks(chosen[0])  # opening the ledger would begin one
            try:
                ledger = self._taken()
                before = len(ledger.state.changes)
                self._decide(ledger, chosen)
            except OSError as error:
                self._give_back()
                raise ShootError(
                    f"The decision could not be kept in {shown(self.folder.path)} ({error.strerror}); "
                    "correct it and decide again."
                ) from error
            except BaseException:
                self._give_back()
                raise
            self._stamp = self._stamp_now()
            self.decided += len(chosen)
            view = shoot_view(self._names, ledger.state, before)
        return {"shots": view["shots"], "products": view["products"]}

    def _decide(self, ledger: ShootLedger, chosen: Sequence[Chosen]) -> None:
        for one in chosen:
            if ledger.state.find(one.product, one.number) is None:
                raise self._lacks(one)
        for one in chosen:
            before = ledger.state.find(one.product, one.number)
            after = ledger.decide(one.product, one.number, one.decision)
            if before is not None and before.file in self._files:
                self._files.remove(before.file)
                self._files.add(after.file)

    def _lacks(self, one: Chosen) -> ShootError:
        return ShootError(
            f"{shown(self.folder.path)} has no picture {one.number} of {one.product!r}; "
            "load the page again, or name the folder that the decisions are for."
        )

    def _taken(self) -> ShootLedger:
        """The ledger, read and locked; kept for a moment, since reading a long one for every key takes too long."""
        if self._timer is not None:
            self._timer.cancel()
        if self._ledger is None:
            self._read_if_changed()  # pictures may have been made or moved elsewhere meanwhile
            self._ledger = ShootLedger(self.folder.path, None, resume=True)
        self._timer = threading.Timer(_HOLD_S, self._release)
        self._timer.daemon = True
        self._timer.start()
        return self._ledger

    def _release(self) -> None:
        with self._lock:
            # A decision may have come between the timer's end and the lock: it has a timer of its own.
            if self._timer is None or threading.current_thread() is self._timer:
                self._give_back()

    def _give_back(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        ledger, self._timer, self._ledger = self._ledger, None, None
        if ledger is not None:
            ledger.close()

    def picture(self, name: str) -> Path | None:
        """The file of that name if it is a picture or thumbnail of the shoot, inside its folder; None otherwise."""
        with self._lock:
            if name not in self._files:
                self._read_if_changed()
            if name not in self._files:
                return None
        path = self.folder.path / name
        served = path.suffix in _TYPES and stays_inside(self.folder.path, path) and os.path.isfile(path)
        return path if served else None

    def end(self) -> None:
        """Take no more decisions: a browser's open connection outlives the server."""
        with self._lock:
            self._ended = True
            self._give_back()

    def write_report(self) -> None:
        """Write the file ``report.html`` anew. Raises ShootError."""
        view = self.view()
        try:
            write_report(self.folder.path, view)
        except OSError as error:
            raise ShootError(
                f"{shown(self.folder.path / REPORT_NAME)} cannot be written ({error.strerror}), though the decisions "
                "are kept; make room or correct it, and review the shoot again."
            ) from error

    def _read_if_changed(self) -> None:
        # Else every address that does not exist would cost reading the whole ledger.
        if self._stamp != self._stamp_now():
            self._read()

    def _read(self) -> ShootState:
        stamp = self._stamp_now()
        state = self.folder.state()
        view = shoot_view(self._names, state)
        self._files = {shot[kind] for shot in view["shots"] for kind in ("file", "thumbnail")}
        self._stamp = stamp
        return state

    def _stamp_now(self) -> object:
        try:
            status = os.stat(self.folder.path / LEDGER_NAME)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def apply_decisions(folder: ShootFolder, file: Path) -> Counter[str | None]:
    """Write the decisions of a file that the page saved into the shoot, and its report anew.

    How many were accepted, rejected and (None) withdrawn. Raises ShootError; then nothing was decided.
    """
    chosen = _read_decisions(file)
    reviewed = Reviewed(folder)
    if chosen:
        reviewed.decide(chosen)
    reviewed.end()
    reviewed.write_report()
    return Counter(one.decision for one in chosen)


class ReviewServer(ThreadingHTTPServer):
    """Serves one shoot's page to this machine; use it as a context manager around ``serve_forever``."""

    daemon_threads = True
    # On Windows it would let two programs have one port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, folder: ShootFolder, port: int = 0) -> None:
        """Take the port, 0 for any free one. Raises ShootError."""
        self.reviewed = Reviewed(folder)
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise ShootError(f"Port {port} {why}; give another --port, or leave it out for any free one.") from error
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    @property
    def address(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server_port}/{self.token}/{REPORT_NAME}"

    def finish(self) -> None:
        """After the last request: write the file ``report.html`` anew if anything was decided. Raises ShootError."""
        self.reviewed.end()
        if self.reviewed.decided:
            self.reviewed.write_report()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        try:
            name = self._name()
            if name == REPORT_NAME:
                self._page()
            elif (path := self.server.reviewed.picture(name)) is not None:
                self._send(HTTPStatus.OK, _TYPES[path.suffix], path.read_bytes(), "private, max-age=3600")
            else:
                raise _Refused(HTTPStatus.NOT_FOUND, "There is no such picture in this shoot.")
        except _Refused as error:
            self._send(error.status, "text/plain; charset=utf-8", f"{error}\n".encode())
        except ShootError as error:
            self._send(HTTPStatus.CONFLICT, "text/plain; charset=utf-8", f"{error}\n".encode("utf-8", "replace"))
        except FileNotFoundError:  # it was moved meanwhile
            self._send(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There is no such picture any more.\n")

    def do_POST(self) -> None:
        try:
            if self._name() != DECIDE:
                raise _Refused(HTTPStatus.NOT_FOUND, "Nothing takes decisions at this address.")
            status, answer = HTTPStatus.OK, self.server.reviewed.decide(self._decisions())
        except _Refused as error:
            status, answer = error.status, {"error": str(error)}
        except ShootError as error:
            status, answer = HTTPStatus.CONFLICT, {"error": str(error)}
        if status != HTTPStatus.OK:
            self.close_connection = True  # the body may not have been read
        self._send(status, _JSON, json.dumps(answer).encode())

    def _name(self) -> str:
        """The path below the token. Raises _Refused for a request that is not the page's."""
        host = self.headers.get("Host", "")
        if host not in self.server.hosts:
            raise _Refused(HTTPStatus.FORBIDDEN, "This review answers only to the address that it printed.")
        token, _, name = urlsplit(self.path).path.lstrip("/").partition("/")
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            raise _Refused(HTTPStatus.NOT_FOUND, "Open the review at the whole address that it printed.")
        return unquote(name)

    def _decisions(self) -> list[Chosen]:
        headers = self.headers
        origin = headers.get("Origin")
        if origin is not None and origin != f"http://{headers['Host']}":
            raise _Refused(HTTPStatus.FORBIDDEN, "Another site's page must not decide about these pictures.")
        if headers.get("Content-Type", "").split(";")[0].strip().lower() != _JSON:
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Decisions are sent as {_JSON}.")
        length = headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "Decisions are sent with their length.")
        if len(length) > 12 or int(length) > LARGEST_BODY:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send no more than {LARGEST_BODY >> 20} MB of decisions at once."
            )
        try:
            values = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, "The decisions are not JSON.") from error
        if not isinstance(values, dict) or "decisions" not in values:
            raise _Refused(HTTPStatus.BAD_REQUEST, 'Send an object with a list "decisions".')
        try:
            return chosen_from(values["decisions"])
        except ShootError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from error

    def _page(self) -> None:
        reviewed = self.server.reviewed
        view = reviewed.view()
        self.close_connection = True  # its length is not known before it is written
        self._head(HTTPStatus.OK, "text/html; charset=utf-8", "no-store")
        self.send_header("Content-Security-Policy", content_security_policy())
        self.end_headers()
        self.wfile.writelines(report_chunks(reviewed.folder.path, view, DECIDE, embed=False))

    def _send(self, status: HTTPStatus, kind: str, body: bytes, cache: str = "no-store") -> None:
        self._head(status, kind, cache)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, cache: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", cache)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")  # the address holds the token
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        if self.close_connection:
            self.send_header("Connection", "close")

    def version_string(self) -> str:
        return "photoshoot"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is for our sentences."""


def _read_decisions(file: Path) -> list[Chosen]:
    name = shown(file)
    try:
        if file.is_file() and file.stat().st_size > LARGEST_FILE:
            raise ShootError(f"{name} is too large for decisions; name the file that the report saved.")
        values = json.loads(file.read_bytes())
    except OSError as error:
        raise ShootError(f"{name} cannot be read ({error.strerror}); name the file that the report saved.") from error
    except (ValueError, RecursionError) as error:
        raise ShootError(f"{name} is not JSON; save the decisions from the report again.") from error
    try:
        return chosen_from(values)
    except ShootError as error:
        raise ShootError(f"{name}: {error}") from error


def counted(counts: Counter[str | None]) -> str:
    """``3 accepted, 1 rejected, 0 withdrawn``."""
    return f"{counts[Decision.ACCEPTED]} accepted, {counts[Decision.REJECTED]} rejected, {counts[None]} withdrawn"
