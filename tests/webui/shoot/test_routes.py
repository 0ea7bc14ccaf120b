"""The routes of shoots over HTTP: what the page asks, and what strangers and mistakes get."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed here: run with the WebUI's own Python")
pytest.importorskip("httpx", reason="httpx is not installed here: run with the WebUI's own Python")

from fastapi.testclient import TestClient  # noqa: E402

from lib_photoshoot.catalog.review import ReviewedRun  # noqa: E402
from lib_photoshoot.pages.fixing import Fixing  # noqa: E402
from lib_photoshoot.shoot.review.decisions import ReviewedShoot  # noqa: E402
from lib_photoshoot.shoot.review.opening import open_reviewed  # noqa: E402
from lib_photoshoot.webui.http import picture_pages  # noqa: E402
from lib_photoshoot.webui.http.folders import allowed_folders  # noqa: E402
from lib_photoshoot.webui.http.late_routes import LateRoutes  # noqa: E402
from lib_photoshoot.webui.http.login import build_login  # noqa: E402
from lib_photoshoot.webui.http.picture_pages import PicturePages, address_of  # noqa: E402
from lib_photoshoot.webui.http.prefixes import PICTURES_PREFIX, SHOOT_PREFIX  # noqa: E402
from lib_photoshoot.webui.shoot.routes import build_application  # noqa: E402
from lib_photoshoot.webui.shoot.service import ShootService  # noqa: E402
from tests.shoot.fake_webui import FakeWebUi  # noqa: E402
from tests.webui.shoot.test_service import ROWS, SmallHost, ended  # noqa: E402

PLACE = f"{SHOOT_PREFIX}/shoots/spring"
START = {"action": "start", "own": True, "webuis": [], "auth": "", "tries": None}


def _no_run(run: ReviewedRun) -> Fixing:
    raise AssertionError(f"{run} is no shoot")


def _uncorrected(shoot: ReviewedShoot) -> None:
    """No outlines are asked about here."""


def application(service: ShootService, **page: object) -> TestClient:
    app = fastapi.FastAPI()
    for name, value in page.items():
        setattr(app, name, value)
    login = build_login(app, SimpleNamespace(api_auth=None), for_page=True)
    folders = allowed_folders([str(service._host.folder())], Path())
    opened = lambda folder: service.own(folder) or open_reviewed(folder, _no_run, _uncorrected)  # noqa: E731
    pages = PicturePages(opened, lambda: folders)
    app.router.routes += [
        LateRoutes(SHOOT_PREFIX, lambda given: build_application(service, given), login),
        LateRoutes(PICTURES_PREFIX, lambda given: picture_pages.build_application(pages, given), login),
    ]
    return TestClient(app)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ShootService]:
    with FakeWebUi() as fake:
        yield ShootService(SmallHost(tmp_path / "shoots", fake.url), report_after=0.05)


def test_a_shoot_over_http(service: ShootService) -> None:
    client = application(service)
    assert client.get(SHOOT_PREFIX).json()["running"] is None
    assert client.post(f"{SHOOT_PREFIX}/check", json={"rows": ROWS}).json()["wanted"] == 3
    assert client.post(f"{SHOOT_PREFIX}/shoots", json={"name": "spring", "rows": ROWS}).json()["state"] == "draft"
    assert client.get(f"{PLACE}/list").json()["rows"] == [ROWS[0], ROWS[2]]
    listed = client.get(f"{PLACE}/list.csv")
    assert listed.headers["content-disposition"].startswith("attachment") and listed.text.startswith("\ufeffname,")
    read = client.post(f"{SHOOT_PREFIX}/read", json={"text": listed.text, "kind": "csv"})
    assert read.json()["rows"] == [ROWS[0], ROWS[2]]
    assert client.post(PLACE, json=START).status_code == 200
    ended(service)
    detail = client.get(PLACE).json()
    assert detail["state"] == "done" and len(client.get(f"{PLACE}?after=2").json()["shots"]) == 1
    for shot in detail["shots"]:
        thumbnail, picture = (client.get(f"{PLACE}/{shot[kind]}") for kind in ("thumbnail", "file"))
        assert (thumbnail.headers["content-type"], picture.headers["content-type"]) == ("image/jpeg", "image/png")
    body = {"decisions": [{"product": "red bag", "number": 1, "decision": "rejected"}]}
    assert client.post(f"{PLACE}/decide", json=body).json()["shots"][0]["file"] == "red bag/rejected/2.png"
    address = client.get(PLACE).json()["page"]
    page = client.get(f"/{address}")
    assert page.headers["content-type"].startswith("text/html") and "default-src 'none'" in str(page.headers)
    assert "red bag" in page.text


def test_mistakes_are_sentences_with_a_status(service: ShootService) -> None:
    client = application(service)
    client.post(f"{SHOOT_PREFIX}/shoots", json={"name": "spring", "rows": ROWS})
    wrong = client.post(f"{SHOOT_PREFIX}/shoots", json={"name": "autumn", "rows": [{"name": "bag", "count": "x"}]})
    assert wrong.status_code == 422 and wrong.json()["problems"][0]["field"] == "count"
    for answer, status in (
        (client.get(f"{SHOOT_PREFIX}/shoots/autumn"), 404),
        (client.get(f"{PLACE}?after=x"), 422),
        (client.get(f"{PLACE}/list.yaml"), 404),
        (client.get(f"{PLACE}/..%2F..%2Fsecret.png"), 404),
        (client.post(PLACE, json={"action": "stop"}), 409),
        (client.post(PLACE, json=START | {"own": False, "webuis": ["ftp://x"]}), 422),
        (client.post(f"{PLACE}/decide", json={"decisions": [{"product": "a", "number": 0, "decision": None}]}), 422),
        (client.post(f"{SHOOT_PREFIX}/check", content="rows=1"), 415),
    ):
        assert answer.status_code == status and list(answer.json()) == ["error"], answer.text


def test_strangers_are_asked_who_they_are(service: ShootService) -> None:
    client = application(service, auth={"me": "m"}, tokens={"token": "me"})
    page = f"/{address_of(Path('/shoots/spring'))}"
    for path in (SHOOT_PREFIX, PLACE, page, f"{PLACE}/red bag/1.png"):
        assert client.get(path).status_code == 401
    assert client.get(SHOOT_PREFIX, cookies={"access-token": "token"}).status_code == 200


def test_names_that_no_system_has_are_sentences_too(service: ShootService) -> None:
    client = application(service)
    client.post(f"{SHOOT_PREFIX}/shoots", json={"name": "spring", "rows": ROWS})
    for name in ("a" * 5000 + ".png", "b/" * 3000 + "1.png", "a%00.png"):
        answer = client.get(f"{PLACE}/{name}")
        assert answer.status_code == 404 and "picture" in answer.json()["error"]


def test_a_shoot_that_begins_meanwhile_breaks_no_other_request(service: ShootService) -> None:
    class Beginning:
        @property
        def running(self) -> bool:
            service._watched["another"] = self  # as a request in another thread does
            return False

    service._watched["spring"] = Beginning()
    assert application(service).get(SHOOT_PREFIX).json()["running"] is None


def test_a_list_that_is_downloaded_holds_no_formula_and_comes_back_as_it_was(service: ShootService) -> None:
    client = application(service)
    rows = [{"name": "a", "class": "bag", "count": "1", "prompt": '=HYPERLINK("http://x")', "lora_weight": "-1"}]
    assert client.post(f"{SHOOT_PREFIX}/shoots", json={"name": "spring", "rows": rows}).status_code == 200
    text = client.get(f"{PLACE}/list.csv").text
    assert "'=HYPERLINK" in text and ",-1" in text
    assert client.post(f"{SHOOT_PREFIX}/read", json={"text": text, "kind": "csv"}).json()["rows"] == rows


def test_a_shoot_is_pointed_only_at_webuis_that_the_host_may_ask(service: ShootService) -> None:
    client = application(service)
    client.post(f"{SHOOT_PREFIX}/shoots", json={"name": "spring", "rows": ROWS})
    answer = client.post(PLACE, json=START | {"own": False, "webuis": ["http://refused.example"]})
    assert answer.status_code == 422 and answer.json()["error"] == "It is not listed."
