"""Our routes in this host: those of our pages always, the HTTP API where the host has its ``--api`` switch on."""

from __future__ import annotations

import threading
from typing import Any

from lib_photoshoot.webui.hosts.a1111.host import command_line
from lib_photoshoot.webui.http.late_routes import LateRoutes
from lib_photoshoot.webui.http.login import Login, build_login, build_page_login
from lib_photoshoot.webui.http.prefixes import PICTURES_PREFIX, SHOOT_PREFIX, TRAIN_PREFIX, WEB_PREFIX

_LATER_S = 10.0
"""The WebUI's start is over by then."""


def add_routes(app: Any) -> None:
    """Add the routes to the host's application."""
    switches = command_line()
    login = build_login(app, switches, for_page=True)
    app.router.routes += [
        LateRoutes(WEB_PREFIX, _page_files, build_page_login(app)),
        LateRoutes(TRAIN_PREFIX, _train_routes, login),
        LateRoutes(SHOOT_PREFIX, _shoot_routes, login),
        LateRoutes(PICTURES_PREFIX, _picture_routes, login),
    ]
    later = threading.Timer(_LATER_S, _follow_run)
    later.daemon = True
    later.start()
    if not (switches.api or switches.nowebui):
        return
    from lib_photoshoot.webui.generate.routes import build_router
    from lib_photoshoot.webui.generate.service import PhotoshootService
    from lib_photoshoot.webui.hosts.a1111.console import report
    from lib_photoshoot.webui.hosts.a1111.host import A1111Host
    from lib_photoshoot.webui.hosts.a1111.outer import models_turn, open_job, usable_folders

    service = PhotoshootService(A1111Host(), models_turn, open_job, usable_folders)
    app.include_router(build_router(service, build_login(app, switches), report))


def _follow_run() -> None:
    """Take care of a training that went on while the WebUI was started anew."""
    from lib_photoshoot.paths import runs_folder, training_folder

    # The controller's home, which is not imported for nothing.
    if runs_folder(training_folder()).is_dir():
        from lib_photoshoot.webui.hosts.a1111.training_host import training_service

        training_service().runs.active()


def _page_files(login: Login) -> Any:
    from lib_photoshoot.webui.http.page_files import build_application

    return build_application(login)


def _train_routes(login: Login) -> Any:
    from lib_photoshoot.webui.hosts.a1111.training_host import training_service
    from lib_photoshoot.webui.train.routes import build_application

    return build_application(training_service(), login)


def _shoot_routes(login: Login) -> Any:
    from lib_photoshoot.webui.hosts.a1111.pictures_host import shoot_service
    from lib_photoshoot.webui.shoot.routes import build_application

    return build_application(shoot_service(), login)


def _picture_routes(login: Login) -> Any:
    from lib_photoshoot.webui.hosts.a1111.pictures_host import picture_pages
    from lib_photoshoot.webui.http.picture_pages import build_application

    return build_application(picture_pages(), login)
