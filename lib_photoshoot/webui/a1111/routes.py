"""The HTTP API under ``/photoshoot/v1``, behind the host's own login and its ``--api`` switch.

Requests are read as plain JSON: FastAPI's models differ between pydantic 1 and 2, and would read a body of any size.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from lib_photoshoot.errors import PhotoshootError

if TYPE_CHECKING:
    from lib_photoshoot.webui.service import PhotoshootService

PREFIX = "/photoshoot/v1"
Answer = Callable[[Any], "dict[str, Any]"]
Login = Callable[[Request], "Awaitable[None]"]
"""Raises HTTPException 401 for a stranger."""


class PhotoshootRoute(APIRoute):
    """A route whose errors are ``{"error": sentence}``; the host's own handlers would name the exception's class."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_with_errors(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                return _error(str(error.detail), error.status_code, error.headers)
            except PhotoshootError as error:
                from lib_photoshoot.webui.service import status_of

                return _error(str(error), status_of(error))

        return handle_with_errors


def _error(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, dict(headers or {}))


def add_routes(app: Any) -> None:
    """Add the routes, if the host was started with its HTTP API."""
    from modules import shared

    from lib_photoshoot.webui.a1111.host import A1111Host
    from lib_photoshoot.webui.a1111.outer import models_turn, open_job, usable_folders
    from lib_photoshoot.webui.service import PhotoshootService

    if not (shared.cmd_opts.api or shared.cmd_opts.nowebui):
        return
    service = PhotoshootService(A1111Host(), models_turn, open_job, usable_folders)
    app.include_router(build_router(service, build_login(app, shared.cmd_opts)))


def build_login(app: Any, cmd_opts: Any) -> Login:
    """Who may come in: the users of ``--api-auth``, or else those of the page's own login, or else everyone."""
    api_users = dict(user.split(":", 1) for user in (cmd_opts.api_auth or "").split(",") if ":" in user)
    basic = HTTPBasic(auto_error=False)

    async def login(request: Request) -> None:
        # Asked each time: gradio knows its users only once the page is up.
        users = api_users or getattr(app, "auth", None)
        if users is None or (not api_users and _has_cookie(app, request)):
            return
        credentials = await basic(request)
        if credentials is None or not _knows(users, credentials):
            raise HTTPException(401, "Incorrect username or password.", {"WWW-Authenticate": "Basic"})

    return login


def _has_cookie(app: Any, request: Request) -> bool:
    """Whether the request comes from a page that is logged in."""
    tokens = getattr(app, "tokens", {})
    return any(name.startswith("access-token") and value in tokens for name, value in request.cookies.items())


def _knows(users: Any, credentials: HTTPBasicCredentials) -> bool:
    if callable(users):
        return bool(users(credentials.username, credentials.password))
    expected = users.get(credentials.username)
    return expected is not None and compare_digest(expected.encode(), credentials.password.encode())


def build_router(service: PhotoshootService, login: Login) -> APIRouter:
    """The routes of one service. Plain functions, so that FastAPI runs each in a thread of its own."""
    from lib_photoshoot.webui.schema import settings_schema
    from lib_photoshoot.webui.service import RequestError

    async def read_body(request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            # A page of another site may send anything else in the user's name without asking.
            raise RequestError("Send the request as JSON, with the header 'Content-Type: application/json'.", 415)
        limit = service.body_limit()
        too_large = RequestError(f"The request is larger than {limit >> 20} MB; send a smaller picture.", 413)
        if int(request.headers.get("content-length") or 0) > limit:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large
        return bytes(body)

    def parsed(body: bytes) -> Any:
        try:
            return json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise RequestError(f"The request is not JSON ({error}).", 400) from error

    router = APIRouter(
        prefix=PREFIX, route_class=PhotoshootRoute, tags=["Product Photoshoot"], dependencies=[Depends(login)]
    )

    def add_operation(name: str, operation: Answer, summary: str) -> None:
        def endpoint(body: bytes = Depends(read_body)) -> Response:
            return JSONResponse(operation(parsed(body)))

        router.add_api_route(
            f"/{name}",
            endpoint,
            methods=["POST"],
            name=f"photoshoot_{name}",
            summary=summary,
            openapi_extra={"requestBody": {"content": {"application/json": {"schema": _request_schema(name)}}}},
        )

    add_operation("detect", service.detect, "Find the products of a picture.")
    add_operation("filter", service.filter, "Find the products of a picture and enhance them.")
    add_operation("enhance", service.enhance, "Enhance the products of a picture, found or given as masks.")

    @router.get("/schema", summary="JSON Schema of the settings.")
    def get_schema() -> Response:
        return JSONResponse(settings_schema())

    @router.get("/models", summary="The model files, and whether each is there.")
    def get_models() -> Response:
        return JSONResponse(service.models())

    @router.get("/models/{name}", summary="One model's state and the progress of its download.")
    def get_model(name: str) -> Response:
        return JSONResponse(service.model(name))

    @router.post("/models/{name}", summary="Download a model in the background.")
    def post_model(name: str, body: bytes = Depends(read_body)) -> Response:
        state = service.get_model(name)
        return JSONResponse(state, 202 if state["state"] == "downloading" else 200)

    return router


def _request_schema(operation: str) -> dict[str, Any]:
    """The request of an operation, for the host's page of documentation."""
    from lib_photoshoot.webui.schema import settings_schema

    settings = settings_schema()
    job = settings.pop("$defs")["job"]
    text, flag = {"type": "string"}, {"type": "boolean", "default": False}
    properties: dict[str, Any] = {
        "image": {**text, "description": "A picture file in base64."},
        "path": {**text, "description": "Or its full path, inside the allowed folders."},
        "settings": settings,
        "masks": {**flag, "description": "Return the masks as PNG in base64."},
        "cutouts": {**flag, "description": "Return the cut-outs as transparent PNG in base64."},
    }
    if operation != "detect":
        properties["job"] = job
    if operation == "enhance":
        region = {"type": "object", "properties": {"product": text, "mask": text}, "required": ["mask"]}
        properties["regions"] = {"type": "array", "items": region, "description": "Where the products are."}
    return {"type": "object", "additionalProperties": False, "properties": properties}
