"""The picture page of any folder that this host may reach, below an address that names the folder."""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.pages.application import PAGE_NAME, Reviewed, build_pages
from lib_photoshoot.webui.http.background import Later
from lib_photoshoot.webui.http.errors import status_of
from lib_photoshoot.webui.http.folders import AllowedFolders, MissingPathError
from lib_photoshoot.webui.http.login import Login
from lib_photoshoot.webui.http.prefixes import PICTURES_PREFIX
from lib_photoshoot.webui.http.sentences import sentence

REPORT_AFTER_S = 2.0
"""So long after the last decision the report's file is written anew: not once for each of a quick series."""
_MOST_OPEN = 8
"""Folders whose records are kept in memory."""


def address_of(folder: Path) -> str:
    """Return a folder's page, relative to the host's own, for as long as the folder lies there."""
    place = base64.urlsafe_b64encode(os.fsencode(folder)).decode("ascii").rstrip("=")
    return f"{PICTURES_PREFIX[1:]}/{place}/{PAGE_NAME}"


class PicturePages:
    """The folders that were opened last. Safe to call from several threads.

    ``open_folder`` tells a folder's pictures. ``folders`` is asked anew each time.
    """

    def __init__(self, open_folder: Callable[[Path], Reviewed], folders: Callable[[], AllowedFolders]) -> None:
        self._open_folder = open_folder
        self._folders = folders
        self._lock = threading.Lock()
        self._opened: dict[Path, Reviewed] = {}
        self._reports = Later(REPORT_AFTER_S, self._write_report)

    def of(self, folder: object) -> tuple[Path, Reviewed]:
        """Return the real folder that a text names, and its pictures.

        Raises FolderError and MissingPathError, and PhotoshootError where it holds no pictures to look through.
        """
        real = self._folders().folder(folder)
        with self._lock:
            known = self._opened.pop(real, None)
        reviewed = known or self._open_folder(real)
        with self._lock:
            reviewed = self._opened.setdefault(real, reviewed)
            while len(self._opened) > _MOST_OPEN:
                self._opened.pop(next(iter(self._opened)))
        return real, reviewed

    def at(self, place: str) -> Reviewed:
        """Return the pictures of an address. Raises as :meth:`of`."""
        try:
            folder = os.fsdecode(base64.b64decode(place + "=" * (-len(place) % 4), b"-_", validate=True))
        except (binascii.Error, ValueError) as error:
            raise MissingPathError("This is no address of a folder; open the folder in the tab Photoshoot.") from error
        return self.of(folder)[1]

    def changed(self, place: str) -> None:
        """Write the file of an address's report anew in a while."""
        self._reports.ask(place)

    def _write_report(self, place: str) -> None:
        # The page itself is made anew each time; the next decision tries again.
        with suppress(OSError, PhotoshootError):
            self.at(place).write_report()


def build_application(pages: PicturePages, login: Login) -> Any:
    """Return what answers below ``PICTURES_PREFIX``."""

    def admit(request: Request) -> Reviewed:
        # What a browser says of itself: a proxy before the host changes names, and the host's users come by many.
        if request.method == "POST" and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HTTPException(403, "Another site's page must not decide about these pictures.")
        try:
            return pages.at(request.path_params["place"])
        except PhotoshootError as error:
            raise HTTPException(status_of(error), sentence(error)) from error

    return _LoggedIn(build_pages(PICTURES_PREFIX, admit, pages.changed), login)


class _LoggedIn:
    """An application for those alone whom the host's login lets in."""

    def __init__(self, application: Any, login: Login) -> None:
        self._application, self._login = application, login

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        answer = self._application
        try:
            await self._login(Request(scope, receive))
        except HTTPException as error:
            answer = JSONResponse({"error": error.detail}, error.status_code, error.headers)
        await answer(scope, receive, send)
