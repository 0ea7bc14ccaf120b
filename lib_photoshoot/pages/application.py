"""The picture page over HTTP: the page, its pictures, decisions, and corrections.

Whoever serves it says who may ask for what. Only this machine reaches :mod:`.server`, but any web page that its browser
shows could try to: there the address holds a random word, requests must name this host (a foreign name that was pointed
here does not), and decisions come from the page itself. A WebUI has its own login and names. Decisions are JSON, which
another site's page cannot send unasked. Only files that the pictures' own records name are served, and none outside
their folder.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Protocol

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from lib_photoshoot.confined import stays_inside
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.pages import fixing
from lib_photoshoot.pages.html import content_security_policy

PAGE_NAME = "report.html"
DECIDE = "decide"
"""Where the page sends decisions, beside its own address."""
FIX = "fix"
"""Where it asks for corrections: :mod:`lib_photoshoot.pages.fixing`."""
CHANGES = "changes"
"""Where the page asks what is new, beside its own address."""
ENHANCE = f"{FIX}/enhance"
LARGEST_BODY = 8 << 20
MEDIA_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".json": "application/json", ".csv": "text/csv",
}  # fmt: skip
_JSON = "application/json"
_PATIENCE_S = 60
_PLAIN = "text/plain; charset=utf-8"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Reviewed(Protocol):
    """Pictures in a folder that a person decides about; methods may be called from several threads.

    All raise PhotoshootError where something cannot be read or done.
    """

    decided: int
    """How many decisions were taken."""
    corrected: int
    """How often pictures were corrected."""
    fixing: fixing.Fixing | None
    """Who corrects outlines; None where nobody can."""

    def page(self) -> Iterator[bytes]:
        """Return the page as it is now, which sends decisions to ``DECIDE``."""

    def changes(self, since: str) -> dict[str, Any]:
        """Return what is new since a stamp that the page or an earlier answer named, as
        :mod:`lib_photoshoot.pages.data` says.
        """

    def picture(self, name: str) -> Path | None:
        """Return the file of that name, relative to the page, if it is one of the page's and in the folder; None
        otherwise.
        """

    def chosen(self, values: Any) -> list[Any]:
        """Decisions out of JSON."""

    def decide(self, chosen: list[Any]) -> dict[str, Any]:
        """Write decisions, all or none; what changed, as :mod:`lib_photoshoot.pages.data` says."""

    def end(self) -> None:
        """Take no more decisions."""

    def write_report(self) -> None:
        """Write the page's file anew."""


def picture_in(folder: Path, name: str) -> Path | None:
    """Return the file of a name that is known to be the page's own, if it is a kind that is served and in the
    folder.
    """
    path = folder / name
    return path if path.suffix in MEDIA_TYPES and stays_inside(folder, path) and path.is_file() else None


def page_response(pieces: Iterator[bytes]) -> StreamingResponse:
    """Return the page, with the policy that it needs."""
    headers = _HEADERS | {"Content-Security-Policy": content_security_policy(), "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type="text/html", headers=headers)


Admit = Callable[[Request], Reviewed]
"""The pictures that a request is about, by ``place`` in its path. Raises HTTPException where it is not let in."""


def build_application(reviewed: Reviewed, token: str, hosts: Collection[str]) -> Starlette:
    """Return the application below ``/TOKEN/``, which answers to these ``Host`` headers alone."""

    def admit(request: Request) -> Reviewed:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in hosts:
            raise HTTPException(403, "This review answers only to the address that it printed.")
        if not secrets.compare_digest(request.path_params["place"].encode("utf-8", "replace"), token.encode()):
            raise HTTPException(404, "Open the review at the whole address that it printed.")
        if request.method == "POST" and origin is not None and origin != f"http://{host}":
            raise HTTPException(403, "Another site's page must not decide about these pictures.")
        return reviewed

    return build_pages("", admit)


def build_pages(prefix: str, admit: Admit, changed: Callable[[str], None] = lambda _: None) -> Starlette:
    """Return the application of the pages below ``PREFIX/PLACE/``, each about what ``admit`` says.

    ``changed`` hears of a place in which something was decided or corrected.
    """

    def get(request: Request) -> Response:
        reviewed, name = admit(request), request.path_params["name"]
        if name == PAGE_NAME:
            return page_response(reviewed.page())
        if name.startswith(f"{FIX}/original/") and reviewed.fixing is not None:
            number = name.rpartition("/")[2]
            if not (number.isascii() and number.isdigit() and len(number) < 20):
                raise HTTPException(404, "There is no such picture here.")
            return _response(200, "image/jpeg", reviewed.fixing.original(int(number)))
        if name == CHANGES:
            return _response(200, _JSON, json.dumps(reviewed.changes(request.query_params.get("since", ""))).encode())
        path = reviewed.picture(name)
        if path is None:
            raise HTTPException(404, "There is no such picture here.")
        try:
            return _file_response(path, request.headers.get("if-none-match"))
        except FileNotFoundError as error:  # it was moved meanwhile
            raise HTTPException(404, "There is no such picture any more.") from error

    async def post(request: Request) -> Response:
        reviewed, name = await run_in_threadpool(admit, request), request.path_params["name"]
        before = reviewed.decided + reviewed.corrected
        if name.startswith(f"{FIX}/") and reviewed.fixing is not None:
            values = await _json(request, fixing.LARGEST_BODY)
            answer = await run_in_threadpool(_fixed, reviewed.fixing, name.removeprefix(f"{FIX}/"), values)
        elif name == DECIDE:
            answer = await _decided(reviewed, request)
        else:
            raise HTTPException(404, "Nothing takes decisions at this address.")
        if reviewed.decided + reviewed.corrected > before:
            changed(request.path_params["place"])
        return answer

    path = f"{prefix}/{{place}}/{{name:path}}"
    application = Starlette(
        routes=[Route(path, get, methods=["GET"]), Route(path, post, methods=["POST"])],
        exception_handlers={HTTPException: _refused, PhotoshootError: _refused},
    )
    application.router.redirect_slashes = False  # it would answer where nothing is
    return application


async def _decided(reviewed: Reviewed, request: Request) -> Response:
    """Answer decisions. Raises HTTPException, PhotoshootError."""
    values = await _json(request, LARGEST_BODY)
    if not isinstance(values, dict) or "decisions" not in values:
        raise HTTPException(400, 'Send an object with a list "decisions".')
    try:
        chosen = reviewed.chosen(values["decisions"])
    except PhotoshootError as error:
        raise HTTPException(400, str(error)) from error
    return _response(200, _JSON, json.dumps(await run_in_threadpool(reviewed.decide, chosen)).encode())


def _fixed(fixer: fixing.Fixing, name: str, values: Any) -> Response:
    """Answer a request below ``fix``. Raises HTTPException, PhotoshootError."""
    try:
        if name == "ready":
            fixer.ready(fixing.ready_request(values))
            return _response(202, _JSON, b"{}")
        if name == "outline":
            start = time.perf_counter()
            found = fixer.outline(fixing.outline_request(values))
            seconds = round(time.perf_counter() - start, 4)
            told = [{"name": one.name, "mask": base64.b64encode(one.mask).decode("ascii")} for one in found.answers]
            answer = {"answers": told, "likely": found.likely, "overtaken": found.overtaken, "seconds": seconds}
            return _response(200, _JSON, json.dumps(answer).encode())
        if name == "save":
            return _response(200, _JSON, json.dumps(fixer.save(*fixing.save_request(values))).encode())
        if name in ("find", "enhance"):
            act = fixer.find if name == "find" else fixer.enhance
            return _response(200, _JSON, json.dumps(act(fixing.picture_request(values))).encode())
    except fixing.RequestValueError as error:
        raise HTTPException(400, str(error)) from error
    raise HTTPException(404, "Nothing is corrected at this address.")


async def _json(request: Request, largest: int) -> Any:
    """Return the JSON in a request of the page itself, of at most ``largest`` bytes. Raises HTTPException."""
    headers = request.headers
    if headers.get("content-type", "").split(";")[0].strip().lower() != _JSON:
        raise HTTPException(415, f"Decisions are sent as {_JSON}.")
    length = headers.get("content-length", "")
    if not length.isdigit():
        raise HTTPException(411, "Decisions are sent with their length.")
    if len(length) > 12 or int(length) > largest:
        raise HTTPException(413, f"Send no more than {largest >> 20} MB of decisions at once.")
    try:
        with anyio.fail_after(_PATIENCE_S):
            return json.loads(await request.body())
    except TimeoutError as error:
        raise HTTPException(408, "The decisions did not come; load the page again and decide again.") from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The decisions are not JSON.") from error


def _refused(request: Request, error: Exception) -> Response:
    """Return a refusal: the page asks for JSON, and a person reads text."""
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (409, str(error))
    if request.method == "POST":
        answer = _response(status, _JSON, json.dumps({"error": text}).encode())
        answer.headers["Connection"] = "close"  # the body may not have been read
        return answer
    return _response(status, _PLAIN, f"{text}\n".encode("utf-8", "replace"))


def _file_response(path: Path, known: str | None) -> Response:
    """Return a file, unless the browser has it as it is now: what is made anew has the same name."""
    status = path.stat()
    tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    same = known == tag
    data = b"" if same else path.read_bytes()
    answer = _response(304 if same else 200, MEDIA_TYPES[path.suffix], data, "private, no-cache")
    answer.headers["ETag"] = tag
    return answer


def _response(status: int, kind: str, body: bytes, cache: str = "no-store") -> Response:
    return Response(body, status, _HEADERS | {"Content-Type": kind, "Cache-Control": cache})
