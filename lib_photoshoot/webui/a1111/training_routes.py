"""The HTTP routes of the Train part, as an application of its own that is built at the first request.

The page uses them, so they are there without ``--api`` too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from lib_photoshoot.errors import PhotoshootError, TrainingError
from lib_photoshoot.webui.a1111.routes import TRAIN_PREFIX, Login, parsed_json, read_json_body
from lib_photoshoot.webui.service import RequestError, status_of
from lib_photoshoot.webui.training_service import TrainingService
from lib_photoshoot.webui.training_thumbnails import Thumbnail

BODY_LIMIT = 8 << 20
"""Bytes of a request: captions and crops of some thousand pictures."""

# A page made of the user's own words: it may show pictures that it holds, and do nothing.
_SHEET_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

Operation = Callable[[Any], Any]


def build_application(service: TrainingService, login: Login) -> FastAPI:
    """All routes of one service, below :data:`TRAIN_PREFIX`."""
    app = FastAPI(openapi_url=None, dependencies=[Depends(login)])
    app.add_exception_handler(PhotoshootError, _say)
    app.add_exception_handler(HTTPException, _say_http)
    _add_folder_routes(app, service)
    _add_run_routes(app, service)

    @app.get(TRAIN_PREFIX)
    def get_overview() -> Response:
        return _answer(service.overview())

    @app.get(f"{TRAIN_PREFIX}/trainer")
    def get_trainer() -> Response:
        return _answer(service.trainer.to_dict())

    _post(app, "/trainer", _without_fields(service.trainer.install), 202)
    return app


def _add_folder_routes(app: FastAPI, service: TrainingService) -> None:
    pictures = service.pictures
    _post(app, "/check", pictures.check)
    _post(app, "/captions", pictures.edit_captions)
    _post(app, "/caption", pictures.caption, 202)
    _post(app, "/caption/stop", _without_fields(pictures.stop_captioning))
    _post(app, "/curate", pictures.curate, 202)
    _post(app, "/curate/stop", _without_fields(pictures.stop_curation))

    @app.get(f"{TRAIN_PREFIX}/caption")
    def get_caption() -> Response:
        return _answer(pictures.caption_state())

    @app.get(f"{TRAIN_PREFIX}/curate")
    def get_curate() -> Response:
        return _answer(pictures.curate_state())

    @app.get(f"{TRAIN_PREFIX}/picture")
    def get_picture(request: Request, folder: str = "", name: str = "", side: str = "320") -> Response:
        return _jpeg(pictures.picture(folder, name, _whole("side", side), _known(request)))


def _add_run_routes(app: FastAPI, service: TrainingService) -> None:
    runs = service.runs
    _post(app, "/runs", runs.begin)

    @app.get(f"{TRAIN_PREFIX}/runs")
    def get_runs() -> Response:
        return _answer(runs.listed())

    @app.get(f"{TRAIN_PREFIX}/runs/{{name}}")
    def get_run(name: str) -> Response:
        return _answer(runs.detail(name))

    @app.get(f"{TRAIN_PREFIX}/runs/{{name}}/log")
    def get_log(name: str, tail: str = "8000") -> Response:
        return _answer(runs.log(name, _whole("tail", tail)))

    @app.get(f"{TRAIN_PREFIX}/runs/{{name}}/sample")
    def get_sample(request: Request, name: str, file: str = "", side: str = "384") -> Response:
        return _jpeg(runs.sample(name, file, _whole("side", side), _known(request)))

    @app.get(f"{TRAIN_PREFIX}/runs/{{name}}/{{file}}")
    def get_sheet(name: str, file: str) -> Response:
        path, kind = runs.sheet(name, file)
        return FileResponse(path, media_type=kind, headers=_SHEET_HEADERS)

    def post_sheet(name: str, body: Any) -> dict[str, str]:
        _nothing_in(body)
        runs.make_sheet(name)
        place = f"{TRAIN_PREFIX}/runs/{quote(name)}"
        return {"picture": f"{place}/sheet.png", "page": f"{place}/sheet.html"}

    def post_removal(name: str, body: Any) -> dict[str, Any]:
        _nothing_in(body)
        return runs.remove(name)

    _post_of_run(app, "", runs.act)
    _post_of_run(app, "/export", runs.export)
    _post_of_run(app, "/sheet", post_sheet)
    _post_of_run(app, "/remove", post_removal)


def _post(app: FastAPI, path: str, operation: Operation, status: int = 200) -> None:
    # A plain function: FastAPI runs it in a thread of its own.
    def endpoint(body: bytes = Depends(_read_body)) -> Response:
        return _answer(operation(parsed_json(body)), status)

    app.add_api_route(f"{TRAIN_PREFIX}{path}", endpoint, methods=["POST"])


def _post_of_run(app: FastAPI, path: str, operation: Callable[[str, Any], Any]) -> None:
    def endpoint(name: str, body: bytes = Depends(_read_body)) -> Response:
        return _answer(operation(name, parsed_json(body)))

    app.add_api_route(f"{TRAIN_PREFIX}/runs/{{name}}{path}", endpoint, methods=["POST"])


async def _read_body(request: Request) -> bytes:
    return await read_json_body(request, BODY_LIMIT, "send fewer captions or crops")


def _nothing_in(body: Any) -> None:
    if body != {}:
        raise RequestError("This request has no fields; send {}.")


def _without_fields(operation: Callable[[], Any]) -> Operation:
    def checked(body: Any) -> Any:
        _nothing_in(body)
        return operation()

    return checked


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise RequestError(f"{name!r} is {text!r}; give a whole number.") from error


def _known(request: Request) -> str:
    """The mark of the copy that the browser holds."""
    return request.headers.get("if-none-match", "").removeprefix("W/").strip('"')


def _jpeg(thumbnail: Thumbnail) -> Response:
    # The browser asks each time whether its copy is right: a picture may be replaced under its name.
    headers = {"ETag": f'"{thumbnail.mark}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if not thumbnail.data:
        return Response(status_code=304, headers=headers)
    return Response(thumbnail.data, media_type="image/jpeg", headers=headers)


def _answer(values: Any, status: int = 200) -> Response:
    return AsciiResponse(_finite(values), status)


class AsciiResponse(JSONResponse):
    """JSON with everything else escaped: a file name or a caption may hold what is no text in UTF-8."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def _finite(value: Any) -> Any:
    """The same with null for what is no number: JSON has no NaN, and a loss may be one."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _say(_: Request, error: Exception) -> Response:
    # What a training cannot do is told in the request's own terms: never a fault of the server.
    status = (
        422 if isinstance(error, TrainingError) else status_of(error) if isinstance(error, PhotoshootError) else 500
    )
    return AsciiResponse({"error": str(error)}, status)


def _say_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return AsciiResponse({"error": str(error.detail)}, error.status_code, dict(getattr(error, "headers", None) or {}))
