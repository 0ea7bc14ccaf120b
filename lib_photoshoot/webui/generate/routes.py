"""The HTTP API under ``/photoshoot/v1``: detect, filter, enhance, taught products, and the model files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute

from lib_photoshoot.errors import MissingWeightsError, PhotoshootError
from lib_photoshoot.kept_examples import MOST_PICTURES
from lib_photoshoot.webui.http.bodies import parsed_json, read_json_body
from lib_photoshoot.webui.http.errors import status_of
from lib_photoshoot.webui.http.login import Login
from lib_photoshoot.webui.http.places import Places
from lib_photoshoot.webui.http.prefixes import PREFIX

if TYPE_CHECKING:
    from lib_photoshoot.webui.generate.service import PhotoshootService

OPERATIONS_AT_ONCE = 4
"""Requests that detect, filter or enhance; the models serve one at a time."""
Answer = Callable[[Any], "dict[str, Any]"]
Report = Callable[[str], None]
"""Tells the owner of this machine of a mistake of ours, with the traceback of the error at hand."""


class PhotoshootRoute(APIRoute):
    """A route whose errors are ``{"error": sentence}``; the host's own handlers would name the exception's class."""

    report: Report = staticmethod(logging.getLogger(__name__).exception)

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_with_errors(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                return _error(str(error.detail), error.status_code, error.headers)
            except PhotoshootError as error:
                return _error(sentence_of(error), status_of(error))
            except Exception as error:  # a mistake of ours, or out of memory: told, with its traceback in the console
                self.report("a request failed")
                name = type(error).__name__
                return _error(f"The request failed ({name}: {error}); the WebUI's console says more.", 500)

        return handle_with_errors


def sentence_of(error: PhotoshootError) -> str:
    """Return an error as those read it who send requests: they have no shell on this machine."""
    if isinstance(error, MissingWeightsError):
        return f"{error.what}: get it with POST {PREFIX}/models/{error.name}."
    return str(error)


def _error(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, dict(headers or {}))


def build_router(service: PhotoshootService, login: Login, report: Report | None = None) -> APIRouter:
    """Return the routes of one service. What may take long takes one of a few places; FastAPI runs the rest in
    threads.
    """
    from lib_photoshoot.webui.generate.schema import settings_schema

    places = Places(OPERATIONS_AT_ONCE)

    async def read_body(request: Request) -> BinaryIO:
        return await read_json_body(request, service.body_limit(), "send a smaller picture")

    kind = type("HostRoute", (PhotoshootRoute,), {"report": staticmethod(report)}) if report else PhotoshootRoute
    router = APIRouter(prefix=PREFIX, route_class=kind, tags=["Product Photoshoot"], dependencies=[Depends(login)])

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

    @router.get("/examples", summary="The products that were taught by example.")
    def get_examples() -> Response:
        return JSONResponse(service.kept_examples())

    @router.post("/examples", summary="Teach a product: a name and 1 to 20 pictures, in place of those of that name.")
    async def post_examples(body: Any = Depends(read_body)) -> Response:
        return await places.run(lambda: JSONResponse(service.keep_examples(parsed_json(body))))

    @router.delete("/examples/{name}", summary="Forget a product that was taught.")
    def delete_examples(name: str) -> Response:
        return JSONResponse(service.remove_examples(name))

    return router


def _request_schema(operation: str) -> dict[str, Any]:
    """Return the request of an operation, for the host's page of documentation."""
    from lib_photoshoot.webui.generate.schema import settings_schema

    settings = settings_schema()
    job = settings.pop("$defs")["job"]
    text, flag = {"type": "string"}, {"type": "boolean", "default": False}
    properties: dict[str, Any] = {
        "image": {**text, "description": "A picture file in base64."},
        "path": {**text, "description": "Or its full path, inside the allowed folders."},
        "settings": settings,
        "examples": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": text, "minItems": 1, "maxItems": MOST_PICTURES},
            "description": "By product, pictures of it: files in base64, or '@name' of one that was taught.",
        },
        "masks": {**flag, "description": "Return the masks as PNG in base64."},
        "cutouts": {**flag, "description": "Return the cut-outs as transparent PNG in base64."},
    }
    if operation != "detect":
        properties["job"] = job
    if operation == "enhance":
        region = {"type": "object", "properties": {"product": text, "mask": text}, "required": ["mask"]}
        properties["regions"] = {"type": "array", "items": region, "description": "Where the products are."}
    return {"type": "object", "additionalProperties": False, "properties": properties}
