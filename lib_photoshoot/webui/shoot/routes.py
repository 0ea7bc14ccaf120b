"""The HTTP routes of shoots, as an application of its own that is built at the first request."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from lib_photoshoot.webui.http.login import Login
from lib_photoshoot.webui.http.page_routes import PageRoutes, answer, whole
from lib_photoshoot.webui.http.prefixes import SHOOT_PREFIX
from lib_photoshoot.webui.shoot.service import ShootService

# A picture lies under its seed, and is never another one.
_PICTURE_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}


def build_application(service: ShootService, login: Login) -> FastAPI:
    """All routes of one service, below :data:`SHOOT_PREFIX`."""
    routes = PageRoutes(SHOOT_PREFIX, login, "send fewer rows")

    def get_detail(name: str, after: str = "0") -> Response:
        return answer(service.detail(name, whole("after", after)))

    def get_rows(name: str) -> Response:
        return answer(service.rows(name))

    def get_finish(name: str) -> Response:
        return answer(service.finish_state(name))

    def get_csv(name: str) -> Response:
        attachment = f"attachment; filename*=UTF-8''{quote(name, safe='')}.csv"
        headers = {"Content-Disposition": attachment, "X-Content-Type-Options": "nosniff"}
        return Response(service.csv(name).encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)

    def get_file(name: str, file: str) -> Response:
        return FileResponse(service.file(name, file), headers=_PICTURE_HEADERS)

    routes.get("", lambda: answer(service.overview()))
    routes.post("/check", service.check)
    routes.post("/stage", service.stage)
    routes.post("/read", service.read)
    routes.post("/shoots", service.save)
    routes.get("/shoots/{name}", get_detail)
    routes.post_to("/shoots/{name}", service.act)
    routes.post_to("/shoots/{name}/decide", service.decide)
    routes.post_to("/shoots/{name}/finish", service.finish)
    routes.get("/shoots/{name}/finish", get_finish)
    routes.get("/shoots/{name}/list", get_rows)
    routes.get("/shoots/{name}/list.csv", get_csv)
    routes.get("/shoots/{name}/{file:path}", get_file)
    return routes.app
