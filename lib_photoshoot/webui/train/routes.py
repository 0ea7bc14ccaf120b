"""The HTTP routes of the Train part, as an application of its own that is built at the first request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response

from lib_photoshoot.pages.html import content_security_policy
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.login import Login
from lib_photoshoot.webui.http.page_routes import PageRoutes, answer, jpeg, known, whole
from lib_photoshoot.webui.http.prefixes import TRAIN_PREFIX
from lib_photoshoot.webui.train.service import TrainingService


def _sheet_headers() -> dict[str, str]:
    return {
        # A page made of the user's own words: its own script shows what it holds and saves decisions into a file, and
        # has nothing of the WebUI's.
        "Content-Security-Policy": f"{content_security_policy()}; sandbox allow-scripts allow-downloads",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def build_application(service: TrainingService, login: Login) -> FastAPI:
    """All routes of one service, below :data:`TRAIN_PREFIX`."""
    routes = PageRoutes(TRAIN_PREFIX, login, "send fewer captions or crops")
    _add_folder_routes(routes, service)
    _add_run_routes(routes, service)
    routes.get("", lambda: answer(service.overview()))
    routes.get("/trainer", lambda: answer(service.trainer.to_dict()))
    routes.post("/trainer", _without_fields(service.trainer.install), 202)
    return routes.app


def _add_folder_routes(routes: PageRoutes, service: TrainingService) -> None:
    pictures = service.pictures
    routes.post("/recipe", pictures.recipe)
    routes.post("/check", pictures.check)
    routes.post("/left_out", pictures.leave_out)
    routes.post("/captions", pictures.edit_captions)
    routes.post("/caption", pictures.caption, 202)
    routes.post("/caption/stop", _without_fields(pictures.stop_captioning))
    routes.post("/curate", pictures.curate, 202)
    routes.post("/curate/stop", _without_fields(pictures.stop_curation))
    routes.get("/caption", lambda: answer(pictures.caption_state()))
    routes.get("/curate", lambda: answer(pictures.curate_state()))

    def get_picture(request: Request, folder: str = "", name: str = "", side: str = "320") -> Response:
        return jpeg(pictures.picture(folder, name, whole("side", side), known(request)))

    routes.get("/picture", get_picture)


def _add_run_routes(routes: PageRoutes, service: TrainingService) -> None:
    runs = service.runs

    def get_run(name: str) -> Response:
        return answer(runs.detail(name))

    def get_log(name: str, tail: str = "8000") -> Response:
        return answer(runs.log(name, whole("tail", tail)))

    def get_sample(request: Request, name: str, file: str = "", side: str = "384") -> Response:
        return jpeg(runs.sample(name, file, whole("side", side), known(request)))

    def get_sheet(name: str, file: str) -> Response:
        path, kind = runs.sheet(name, file)
        return FileResponse(path, media_type=kind, headers=_sheet_headers())

    def post_sheet(name: str, body: Any) -> dict[str, str]:
        _nothing_in(body)
        runs.make_sheet(name)
        place = f"{TRAIN_PREFIX}/runs/{quote(name)}"
        return {"picture": f"{place}/sheet.png", "page": f"{place}/sheet.html"}

    def post_removal(name: str, body: Any) -> dict[str, Any]:
        _nothing_in(body)
        return runs.remove(name)

    routes.post("/runs", runs.begin)
    routes.get("/runs", lambda: answer(runs.listed()))
    routes.get("/runs/{name}", get_run)
    routes.get("/runs/{name}/log", get_log)
    routes.get("/runs/{name}/sample", get_sample)
    routes.get("/runs/{name}/{file}", get_sheet)
    routes.post_to("/runs/{name}", runs.act)
    routes.post_to("/runs/{name}/export", runs.export)
    routes.post_to("/runs/{name}/sheet", post_sheet)
    routes.post_to("/runs/{name}/remove", post_removal)


def _nothing_in(body: Any) -> None:
    if body != {}:
        raise RequestError("This request has no fields; send {}.")


def _without_fields(operation: Callable[[], Any]) -> Callable[[Any], Any]:
    def checked(body: Any) -> Any:
        _nothing_in(body)
        return operation()

    return checked
