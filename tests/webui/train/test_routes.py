"""The Train part's HTTP routes inside an application like the WebUI's; needs FastAPI, which its Python has."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed here: run with the WebUI's own Python")
pytest.importorskip("httpx", reason="httpx is not installed here: run with the WebUI's own Python")

from fastapi.testclient import TestClient  # noqa: E402

from lib_photoshoot.webui.hosts.a1111 import routes  # noqa: E402
from lib_photoshoot.webui.hosts.a1111.routes import add_routes  # noqa: E402
from lib_photoshoot.webui.http.late_routes import LateRoutes  # noqa: E402
from lib_photoshoot.webui.http.login import build_login  # noqa: E402
from lib_photoshoot.webui.http.prefixes import TRAIN_PREFIX  # noqa: E402
from lib_photoshoot.webui.train.routes import build_application  # noqa: E402
from lib_photoshoot.webui.train.service import TrainingService  # noqa: E402
from tests.webui.train.test_service import (  # noqa: E402, F401
    RECIPE,
    TAG,
    FakeTrainingHost,
    begin,
    captioned,
    checkpoint,
    folder,
    host,
    service,
)


@pytest.fixture
def client(service: TrainingService) -> TestClient:  # noqa: F811
    """The routes inside a host's application, built at the first request."""

    app = fastapi.FastAPI()
    login = build_login(app, SimpleNamespace(api_auth=None), for_page=True)
    app.router.routes.append(LateRoutes(TRAIN_PREFIX, lambda given: build_application(service, given), login))

    @app.get("/photoshoot/v1/training")
    def neighbour() -> str:
        return "mine"

    return TestClient(app)


def said(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    return answer.json()["error"]


def test_the_page_finds_everything_below_one_prefix(client: TestClient, folder: Path) -> None:  # noqa: F811
    assert client.get(TRAIN_PREFIX).json()["tag"] == TAG
    assert client.get(f"{TRAIN_PREFIX}/trainer").json()["busy"] is False
    assert client.get("/photoshoot/v1/training").json() == "mine"
    body = {"folder": str(folder), "recipe": RECIPE}
    assert client.post(f"{TRAIN_PREFIX}/check", json=body).json()["images"] == 4
    made = client.post(f"{TRAIN_PREFIX}/recipe", json={"recipe": {"network_dim": 4}, "set": ["seed=1"]})
    assert made.json() == {"recipe": {"network_dim": 4, "seed": 1}}
    edited = {"folder": str(folder), "tag": TAG, "action": "add", "word": "studio"}
    assert client.post(f"{TRAIN_PREFIX}/captions", json=edited).json()["changed"] == 4
    answer = client.post(f"{TRAIN_PREFIX}/caption", json={"folder": str(folder), "tag": TAG, "captioner": "webui"})
    assert answer.status_code == 202
    assert client.get(f"{TRAIN_PREFIX}/caption").json()["folder"] == str(folder)
    assert client.post(f"{TRAIN_PREFIX}/caption/stop", json={}).status_code == 200
    assert client.get(f"{TRAIN_PREFIX}/curate").json()["pictures"] is None
    assert client.get(f"{TRAIN_PREFIX}/runs").json() == []


def test_a_run_by_http(client: TestClient, service: TrainingService, folder: Path) -> None:  # noqa: F811
    captioned(service, folder)
    body = {"folder": str(folder), "recipe": RECIPE, "checkpoint": "base.safetensors", "start": False}
    name = client.post(f"{TRAIN_PREFIX}/runs", json=body).json()["name"]
    place = f"{TRAIN_PREFIX}/runs/{name}"
    assert client.get(place).json()["status"]["state"] == "prepared"
    assert client.get(f"{place}/log", params={"tail": "100"}).json() == {"text": ""}
    said(client.post(place, json={"action": "pause"}), 409)
    said(client.post(f"{place}/export", json={}), 422)
    run = service.controller.run(name)
    (run.out / "sample").mkdir()
    picture = f"{TAG}_e000001_00_20260101000000_42.png"
    Image.new("RGB", (64, 64), "red").save(run.out / "sample" / picture)
    sample = client.get(f"{place}/sample", params={"file": picture, "side": "64"})
    assert sample.headers["content-type"] == "image/jpeg"
    urls = client.post(f"{place}/sheet", json={}).json()
    assert client.get(urls["picture"]).headers["content-type"] == "image/png"
    page = client.get(urls["page"])
    assert page.headers["content-type"].startswith("text/html") and "sandbox" in page.headers["content-security-policy"]
    said(client.get(f"{place}/run.json"), 404)
    assert client.post(f"{place}/remove", json={}).json()["moved_to"].endswith(name)
    said(client.get(place), 404)


def test_thumbnails_are_sent_once(client: TestClient, folder: Path) -> None:  # noqa: F811
    asked = {"folder": str(folder), "name": "0.png", "side": "64"}
    first = client.get(f"{TRAIN_PREFIX}/picture", params=asked)
    assert first.content.startswith(b"\xff\xd8\xff") and first.headers["cache-control"] == "private, no-cache"
    again = client.get(f"{TRAIN_PREFIX}/picture", params=asked, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    said(client.get(f"{TRAIN_PREFIX}/picture", params={**asked, "side": "big"}), 422)
    said(client.get(f"{TRAIN_PREFIX}/picture", params={**asked, "folder": "/etc"}), 403)
    said(client.get(f"{TRAIN_PREFIX}/picture", params={**asked, "name": "../../models/x.png"}), 404)


def test_every_error_is_a_sentence(client: TestClient) -> None:
    check = f"{TRAIN_PREFIX}/check"
    assert "Content-Type" in said(client.post(check, content="{}"), 415)
    assert "JSON" in said(client.post(check, content="{", headers={"Content-Type": "application/json"}), 400)
    large = {"Content-Type": "application/json", "Content-Length": str(1 << 30)}
    assert "8 MB" in said(client.post(check, content="{}", headers=large), 413)
    said(client.post(check, json={"folder": "/etc"}), 403)
    said(client.post(check, json={"floder": "/etc"}), 422)
    said(client.post(check, json=[1]), 422)
    said(client.post(f"{TRAIN_PREFIX}/trainer", json={"python": "/bin/sh"}), 422)
    said(client.post(f"{TRAIN_PREFIX}/trainer", json={}), 403)
    said(client.get(f"{TRAIN_PREFIX}/nowhere"), 404)
    said(client.delete(f"{TRAIN_PREFIX}/runs"), 405)


def test_what_json_or_utf8_cannot_hold_is_answered_all_the_same(
    client: TestClient,
    service: TrainingService,  # noqa: F811
    folder: Path,  # noqa: F811
) -> None:
    body = json.dumps({"folder": str(folder), "tag": TAG, "action": "set", "name": "0.png", "text": "\ud800"})
    answer = client.post(f"{TRAIN_PREFIX}/captions", content=body, headers={"Content-Type": "application/json"})
    assert json.loads(answer.content)["captions"]["0.png"] == "\ud800"
    captioned(service, folder)
    name = begin(service, folder, start=False)["name"]
    service.controller.run(name).history_file.write_text('{"step": 1, "loss": NaN, "average": Infinity}\n')
    answer = client.get(f"{TRAIN_PREFIX}/runs/{name}")
    assert json.loads(answer.content)["history"] == [[1, None, None, None, None]]


def test_strangers_are_asked_who_they_are(service: TrainingService) -> None:  # noqa: F811
    def application(api_auth: str | None, **page: Any) -> TestClient:
        app = fastapi.FastAPI()
        for name, value in page.items():
            setattr(app, name, value)
        login = build_login(app, SimpleNamespace(api_auth=api_auth), for_page=True)
        app.router.routes.append(LateRoutes(TRAIN_PREFIX, lambda given: build_application(service, given), login))
        return TestClient(app)

    both = application("robot:r", auth={"me": "m"}, tokens={"token": "me"})
    for client in (both, application(None, auth={"me": "m"}, tokens={"token": "me"})):
        said(client.get(TRAIN_PREFIX), 401)
        said(client.post(f"{TRAIN_PREFIX}/trainer", json={}), 401)
        said(client.get(TRAIN_PREFIX, cookies={"access-token": "forged"}), 401)
        assert client.get(TRAIN_PREFIX, cookies={"access-token": "token"}).status_code == 200
    assert both.get(TRAIN_PREFIX, auth=("robot", "r")).status_code == 200
    assert application(None, auth=None).get(TRAIN_PREFIX).status_code == 200


def test_the_routes_do_not_need_the_hosts_api(monkeypatch: pytest.MonkeyPatch) -> None:
    options = SimpleNamespace(api=False, nowebui=False, api_auth=None)
    modules = ModuleType("modules")
    modules.shared = SimpleNamespace(cmd_opts=options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", modules)
    monkeypatch.setattr(routes, "_follow_run", lambda: None)
    app = fastapi.FastAPI()
    before = len(app.router.routes)
    add_routes(app)
    added_routes = app.router.routes[before:]
    assert len(added_routes) == 4
    assert all(isinstance(added, LateRoutes) and added._answers is None for added in added_routes)
