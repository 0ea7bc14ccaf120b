"""The address of the pages' modules: what is served, under which version, to whom, and how long a browser keeps it."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed here: run with the WebUI's own Python")
pytest.importorskip("httpx", reason="httpx is not installed here: run with the WebUI's own Python")

from fastapi.testclient import TestClient  # noqa: E402

from lib_photoshoot.webui.http.late_routes import LateRoutes  # noqa: E402
from lib_photoshoot.webui.http.login import build_page_login  # noqa: E402
from lib_photoshoot.webui.http.page_files import build_application, page_files, version_of  # noqa: E402
from lib_photoshoot.webui.http.prefixes import WEB_PREFIX  # noqa: E402

MODULE = 'import {count} from "../shared/words.mjs";\n'
Client = Callable[..., TestClient]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "train/page.mjs": MODULE,
        "shared/words.mjs": "export const count = 1;\n",
        "a.css": "b {}",
    }.items():
        (tmp_path / "pages" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pages" / name).write_text(text)
    (tmp_path / "pages" / "notes.txt").write_text("not for browsers")
    (tmp_path / "secret.mjs").write_text("outside")
    return tmp_path / "pages"


@pytest.fixture
def client(folder: Path) -> Client:
    def made(**page: Any) -> TestClient:
        app = fastapi.FastAPI()
        for name, value in page.items():
            setattr(app, name, value)
        routes = LateRoutes(WEB_PREFIX, lambda login: build_application(login, folder), build_page_login(app))
        app.router.routes.append(routes)
        return TestClient(app, base_url="https://webui")

    return made


def test_a_name_leads_to_the_file_under_its_version(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # As another program may have it in the registry of Windows.
    monkeypatch.setattr(mimetypes, "guess_type", lambda *_, **__: ("text/plain", None))
    visitor = client()
    first = visitor.get(f"{WEB_PREFIX}/train/page.mjs", follow_redirects=False)
    assert first.status_code == 307 and first.headers["cache-control"] == "no-store"
    module = visitor.get(f"{WEB_PREFIX}/train/page.mjs")
    assert module.text == MODULE and module.headers["content-type"].startswith("text/javascript")
    assert module.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert module.headers["x-content-type-options"] == "nosniff"
    # What the module imports, as the browser resolves it: the version is in the address, and no other leads there.
    imported = visitor.get(str(module.url.join("../shared/words.mjs")), follow_redirects=False)
    assert imported.status_code == 200 and "export const count" in imported.text
    style = visitor.get(str(module.url.join("../a.css")), follow_redirects=False)
    assert style.headers["content-type"].startswith("text/css")


def test_an_update_has_another_address(client: Client, folder: Path) -> None:
    before = client().get(f"{WEB_PREFIX}/train/page.mjs").url
    running = client()
    assert running.get(f"{WEB_PREFIX}/a.css").text == "b {}"
    (folder / "a.css").write_text("b {color: red}")
    assert running.get(f"{WEB_PREFIX}/a.css").text == "b {}", "nothing new under the version before"
    after = client()
    assert after.get(f"{WEB_PREFIX}/train/page.mjs").url != before
    gone = after.get(str(before))
    assert gone.status_code == 404 and "load the page anew" in gone.json()["error"]
    assert version_of({"a": b"bc"}) != version_of({"ab": b"c"}) and version_of({"a": b"1"}) != version_of({"b": b"1"})


@pytest.mark.parametrize(
    "path",
    ["notes.txt", "../secret.mjs", "%2e%2e/secret.mjs", "train/../../secret.mjs", "/etc/passwd", "", "train", "no.mjs"],
)
def test_nothing_else_is_served(client: Client, folder: Path, path: str) -> None:
    visitor, version = client(), version_of(page_files(folder))
    for place in (f"{WEB_PREFIX}/{path}", f"{WEB_PREFIX}/{version}/{path}"):
        answer = visitor.get(place)
        assert answer.status_code == 404 and "outside" not in answer.text
    assert visitor.post(f"{WEB_PREFIX}/a.css").status_code == 405


def test_the_way_to_the_version_is_relative(client: Client, folder: Path) -> None:
    """So that it holds below any path under which the host is reached."""
    version = version_of(page_files(folder))
    for name, place in {"train/page.mjs": f"../{version}/train/page.mjs", "a.css": f"{version}/a.css"}.items():
        answer = client().get(f"{WEB_PREFIX}/{name}?2", follow_redirects=False)
        assert answer.headers["location"] == place


def test_the_pages_users_alone_may_read_them(client: Client) -> None:
    page: dict[str, Any] = {"auth": {"anna": "pw"}, "tokens": {"abc": "anna"}}
    stranger = client(**page)
    assert stranger.get(f"{WEB_PREFIX}/train/page.mjs").status_code == 401
    visitor = client(**page)
    visitor.cookies.set("access-token", "abc")
    assert visitor.get(f"{WEB_PREFIX}/train/page.mjs").text == MODULE
    version = visitor.get(f"{WEB_PREFIX}/train/page.mjs").url
    assert stranger.get(str(version)).status_code == 401
