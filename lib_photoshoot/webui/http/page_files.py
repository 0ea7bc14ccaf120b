"""The modules and style sheets of our pages, below an address that holds their version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response

from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.login import Login
from lib_photoshoot.webui.http.page_routes import PageRoutes
from lib_photoshoot.webui.http.prefixes import WEB_PREFIX

PAGES = Path(__file__).resolve().parent.parent / "pages"

# Not the system's table of types: on Windows, other programs write into it, and a browser runs nothing but these.
_TYPES = {".mjs": "text/javascript", ".css": "text/css"}
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_DIGITS = 16


def page_files(folder: Path = PAGES) -> dict[str, bytes]:
    """All files of the pages by their path below ``folder``, with forward slashes.

    They are kept in memory, 200 KB, so that an update on disk is not served under the version before it, nor together
    with Python code of that version.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def version_of(files: Mapping[str, bytes]) -> str:
    """Return a name for these files as they are: another one as soon as a byte of them differs."""
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{len(name)} {len(data)} {name}".encode() + data)
    return digest.hexdigest()[:_DIGITS]


def build_application(login: Login, folder: Path = PAGES) -> FastAPI:
    """Return the routes: ``VERSION/NAME`` is a file, which a browser may keep for good; ``NAME`` leads to it."""
    files = page_files(folder)
    version = version_of(files)
    routes = PageRoutes(WEB_PREFIX, login, "")

    def get_file(path: str) -> Response:
        if path in files:
            # Relative, as the host may be reached below another path. The module's own imports are relative to where
            # this leads.
            place = "../" * path.count("/") + f"{version}/{path}"
            return Response(status_code=307, headers={"Location": place, "Cache-Control": "no-store"})
        asked, _, name = path.partition("/")
        if asked != version or name not in files:
            raise RequestError(f"There is no {path!r} here; load the page anew, as the extension may be another.", 404)
        return Response(files[name], media_type=_TYPES[Path(name).suffix], headers=_KEPT)

    routes.get("/{path:path}", get_file)
    return routes.app
