"""The HTTP API under ``/photoshoot/v1``, behind the host's own login and, but for the pages' own, its ``--api`` switch.

Requests are read as plain JSON: FastAPI's models differ between pydantic 1 and 2, and would read a body of any size.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from secrets import compare_digest
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Match

from lib_photoshoot.errors import MissingWeightsError, PhotoshootError
from lib_photoshoot.webui.http.places import Places

if TYPE_CHECKING:
    from lib_photoshoot.webui.generate.service import PhotoshootService

PREFIX = "/photoshoot/v1"
TRAIN_PREFIX = f"{PREFIX}/train"
SHOOT_PREFIX = f"{PREFIX}/shoot"
OPERATIONS_AT_ONCE = 4
"""Requests that detect, filter or enhance; the models serve one at a time."""
IN_MEMORY = 4 << 20
"""Bytes of a body that are held in memory while its request waits."""
_LATER_S = 10.0
"""The WebUI's start is over by then."""
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
                from lib_photoshoot.webui.generate.service import status_of

                return _error(sentence_of(error), status_of(error))
            except Exception as error:  # a mistake of ours, or out of memory: told, with its traceback in the console
                from modules import errors

                errors.report("Product Photoshoot: a request failed", exc_info=True)
                name = type(error).__name__
                return _error(f"The request failed ({name}: {error}); the WebUI's console says more.", 500)

        return handle_with_errors


def sentence_of(error: PhotoshootError) -> str:
    """An error as those read it who send requests: they have no shell on this machine."""
    if isinstance(error, MissingWeightsError):
        return f"{error.what}: get it with POST {PREFIX}/models/{error.name}."
    return str(error)


def _error(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, dict(headers or {}))


def add_routes(app: Any) -> None:
    """Add the routes: those that our pages use, and the others if the host has its HTTP API on."""
    from modules import shared

    login = build_login(app, shared.cmd_opts, for_page=True)
    app.router.routes += [
        LateRoutes(TRAIN_PREFIX, _train_routes, login),
        LateRoutes(SHOOT_PREFIX, _shoot_routes, login),
    ]
    later = threading.Timer(_LATER_S, _follow_run)
    later.daemon = True
    later.start()
    if not (shared.cmd_opts.api or shared.cmd_opts.nowebui):
        return
    from lib_photoshoot.webui.generate.service import PhotoshootService
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host
    from lib_photoshoot.webui.hosts.a1111.outer import models_turn, open_job, usable_folders

    service = PhotoshootService(A1111Host(), models_turn, open_job, usable_folders)
    app.include_router(build_router(service, build_login(app, shared.cmd_opts)))


def _follow_run() -> None:
    """Take care of a training that went on while the WebUI was started anew."""
    from lib_photoshoot.places import home

    # The controller's home, which is not imported for nothing.
    if (home() / "training" / "runs").is_dir():
        from lib_photoshoot.webui.hosts.a1111.training_host import training_service

        training_service().runs.active()


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


def _train_routes(login: Login) -> Any:
    from lib_photoshoot.webui.hosts.a1111.training_host import training_service
    from lib_photoshoot.webui.train.routes import build_application

    return build_application(training_service(), login)


def _shoot_routes(login: Login) -> Any:
    from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost
    from lib_photoshoot.webui.shoot.routes import build_application
    from lib_photoshoot.webui.shoot.service import ShootService

    return build_application(ShootService(A1111ShootHost()), login)


def build_login(app: Any, cmd_opts: Any, for_page: bool = False) -> Login:
    """Who may come in: the users of ``--api-auth``, or else those of the page's own login, or else everyone.

    ``for_page`` lets those in whom the page's login knows, whatever users the API has.
    """
    api_users = dict(user.split(":", 1) for user in (cmd_opts.api_auth or "").split(",") if ":" in user)
    basic = HTTPBasic(auto_error=False)

    async def login(request: Request) -> None:
        # Asked each time: gradio knows its users only once the page is up.
        users = api_users or getattr(app, "auth", None)
        if users is None or ((for_page or not api_users) and _has_cookie(app, request)):
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


async def read_json_body(request: Request, limit: int, remedy: str) -> BinaryIO:
    """A body of at most ``limit`` bytes; ``remedy`` is what to do about a larger one. Raises RequestError.

    While its request waits for its turn a large one lies on the disk, and not in memory.
    """
    from lib_photoshoot.webui.generate.service import RequestError

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A page of another site may send anything else in the user's name without asking.
        raise RequestError("Send the request as JSON, with the header 'Content-Type: application/json'.", 415)
    too_large = RequestError(f"The request is larger than {limit >> 20} MB; {remedy}.", 413)
    if int(request.headers.get("content-length") or 0) > limit:
        raise too_large
    body = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed by parsed_json)
    async for chunk in request.stream():
        body.write(chunk)
        if body.tell() > limit:
            body.close()
            raise too_large
    return cast(BinaryIO, body)


def parsed_json(body: BinaryIO) -> Any:
    """What a body says, which is closed then; an empty one is an empty object. Raises RequestError."""
    from lib_photoshoot.webui.generate.service import RequestError

    try:
        with body:
            body.seek(0)
            return json.loads(body.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The request is not JSON ({error}).", 400) from error


def build_router(service: PhotoshootService, login: Login) -> APIRouter:
    """The routes of one service. What may take long takes one of a few places; FastAPI runs the rest in threads."""
    from lib_photoshoot.webui.generate.schema import settings_schema

    places = Places(OPERATIONS_AT_ONCE)

    async def read_body(request: Request) -> BinaryIO:
        return await read_json_body(request, service.body_limit(), "send a smaller picture")

    router = APIRouter(
        prefix=PREFIX, route_class=PhotoshootRoute, tags=["Product Photoshoot"], dependencies=[Depends(login)]
    )

    def add_operation(name: str, operation: Answer, summary: str) -> None:
        async def endpoint(body: Any = Depends(read_body)) -> Response:
            return await places.run(lambda: JSONResponse(operation(parsed_json(body))))

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
    def post_model(name: str, body: Any = Depends(read_body)) -> Response:
        body.close()
        state = service.get_model(name)
        return JSONResponse(state, 202 if state["state"] == "downloading" else 200)

    return router


def _request_schema(operation: str) -> dict[str, Any]:
    """The request of an operation, for the host's page of documentation."""
    from lib_photoshoot.webui.generate.schema import settings_schema

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
