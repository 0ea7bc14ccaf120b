"""What the applications behind our pages have in common: bodies, answers, pictures and errors.

The pages use them, so they are there without ``--api`` too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, BinaryIO

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.webui.http.bodies import parsed_json, read_json_body
from lib_photoshoot.webui.http.errors import RequestError, status_of
from lib_photoshoot.webui.http.login import Login
from lib_photoshoot.webui.http.places import Places
from lib_photoshoot.webui.http.sentences import sentence
from lib_photoshoot.webui.http.thumbnails import Thumbnail

BODY_LIMIT = 8 << 20
"""Bytes of a request: captions and crops of some thousand pictures, or a list of as many products."""

POSTS_AT_ONCE = 8
"""Requests of a page that change or look through something."""


class PageRoutes:
    """An application of routes below ``prefix``; ``smaller`` is what to do about a body that is too large."""

    def __init__(self, prefix: str, login: Login, smaller: str) -> None:
        self.app = FastAPI(openapi_url=None, dependencies=[Depends(login)])
        self.app.add_exception_handler(PhotoshootError, _say)
        self.app.add_exception_handler(HTTPException, _say_http)
        self._prefix = prefix
        self._smaller = smaller
        self._places = Places(POSTS_AT_ONCE)

    def get(self, path: str, endpoint: Callable[..., Response]) -> None:
        """Add a route that reads; FastAPI runs a plain function in a thread of its own."""
        self.app.add_api_route(f"{self._prefix}{path}", endpoint, methods=["GET"])

    def post(self, path: str, operation: Callable[[Any], Any], status: int = 200) -> None:
        """Add a route that takes JSON."""

        async def endpoint(body: Any = Depends(self._read_body)) -> Response:
            return await self._places.run(lambda: answer(operation(parsed_json(body)), status))

        self.app.add_api_route(f"{self._prefix}{path}", endpoint, methods=["POST"])

    def post_to(self, path: str, operation: Callable[[str, Any], Any]) -> None:
        """Add a route with a ``{name}`` in its path, that takes JSON."""

        async def endpoint(name: str, body: Any = Depends(self._read_body)) -> Response:
            return await self._places.run(lambda: answer(operation(name, parsed_json(body))))

        self.app.add_api_route(f"{self._prefix}{path}", endpoint, methods=["POST"])

    async def _read_body(self, request: Request) -> BinaryIO:
        return await read_json_body(request, BODY_LIMIT, self._smaller)


def whole(name: str, text: str) -> int:
    """Return a number of the address. Raises RequestError."""
    try:
        return int(text)
    except ValueError as error:
        raise RequestError(f"{name!r} is {text!r}; give a whole number.") from error


def known(request: Request) -> str:
    """Return the mark of the copy that the browser holds."""
    return request.headers.get("if-none-match", "").removeprefix("W/").strip('"')


def jpeg(thumbnail: Thumbnail) -> Response:
    """Return a thumbnail, or that the browser's copy of it is right."""
    # The browser asks each time whether its copy is right: a picture may be replaced under its name.
    headers = {"ETag": f'"{thumbnail.mark}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if not thumbnail.data:
        return Response(status_code=304, headers=headers)
    return Response(thumbnail.data, media_type="image/jpeg", headers=headers)


def answer(values: Any, status: int = 200) -> Response:
    """Values as JSON."""
    return AsciiResponse(_finite(values), status)


class AsciiResponse(JSONResponse):
    """JSON with everything else escaped: a file name or a caption may hold what is no text in UTF-8."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def _finite(value: Any) -> Any:
    """Return the same with null for what is no number: JSON has no NaN, and a loss may be one."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _say(_: Request, error: Exception) -> Response:
    status = status_of(error) if isinstance(error, PhotoshootError) else 500
    # Where several things are wrong at once, each is told with its place.
    problems = getattr(error, "problems", None)
    return AsciiResponse({"error": sentence(error)} | ({"problems": problems} if problems else {}), status)


def _say_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return AsciiResponse({"error": str(error.detail)}, error.status_code, dict(getattr(error, "headers", None) or {}))
