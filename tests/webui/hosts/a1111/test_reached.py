"""The picture page where the host is reached otherwise: ``--subpath``, ``--gradio-auth``, ``--share``."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.products import parse_products
from lib_photoshoot.webui.http.picture_pages import address_of
from tests.bright_squares import BrightSquares
from tests.pages import read_page
from tests.test_catalog import paint
from tests.webui.standin.host import StandIn

Host = Callable[..., StandIn]


def a_run(host: StandIn, tmp_path: Path) -> Path:
    """A run of the filter in a folder that the host may show."""
    paint(tmp_path / "photos" / "lamp.png", (5, 5, 25, 25))
    out = host.outputs / "run"
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "photos"]), parse_products("lamp"), out)
    return out


def with_users(host: StandIn) -> StandIn:
    """As the host does at its start with ``--gradio-auth me:m``."""
    host.page.auth = [("me", "m")]
    host.app.configure_app(host.page)
    return host


def visitor(host: StandIn, root: str = "", base: str = "https://webui") -> Any:
    return TestClient(host.app, base_url=base, root_path=root)


def decided(out: Path) -> list[str]:
    """What was decided about a run's pictures, once its report says so too: that is written a moment later."""
    deadline = time.monotonic() + 30
    while not any(item["by_hand"] for item in read_page((out / "report.html").read_text()).items):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [hand.decision for hand in read_hands(out).values()]


@pytest.mark.parametrize("stripped", [True, False], ids=["a proxy strips the subpath", "it is left"])
def test_all_of_the_page_is_below_the_subpath(fresh: Host, tmp_path: Path, stripped: bool) -> None:
    host = fresh(subpath="studio")
    out, client = a_run(host, tmp_path), visitor(host, "/studio")
    before = "" if stripped else "/studio"
    address = address_of(out)
    assert not address.startswith("/"), "the host's own page lies at the subpath: addresses are relative to it"
    answer = client.get(f"{before}/{address}")
    assert answer.status_code == 200, answer.text
    page = read_page(answer.text)
    # What the page asks for is relative to its own address, whatever lies before that.
    asked = [page.head[name] for name in ("decide", "changes", "fix")]
    asked += [view[kind] for item in page.items for view in (item, *item["views"]) for kind in ("file", "thumbnail")]
    assert asked[0] and asked[2] and not any(name.startswith("/") or "://" in name for name in asked)
    place = f"{before}/{address.rpartition('/')[0]}"
    (item,) = page.items
    assert client.get(f"{place}/{item['file']}").headers["content-type"] == "image/png"
    assert client.get(f"{place}/{page.head['fix']}/original/{item['id']}").headers["content-type"] == "image/jpeg"
    assert client.get(f"{place}/{page.head['changes']}").json()["items"] == []
    decision = {**item["reference"], "decision": "accepted"}
    assert client.post(f"{place}/{page.head['decide']}", json={"decisions": [decision]}).status_code == 200
    assert decided(out) == ["accepted"]
    for name in ("train", "shoot"):
        assert client.get(f"{before}/photoshoot/v1/{name}").status_code == 200


def test_the_pages_modules_are_found_below_the_subpath(fresh: Host) -> None:
    host = fresh(subpath="studio")
    module = visitor(host, "/studio").get("/photoshoot/v1/web/shoot/page.mjs")
    where = module.history[0].headers["location"]
    assert module.status_code == 200 and "export" in module.text and not where.startswith("/"), where


def test_what_only_begins_like_the_subpath_is_not_taken_off(fresh: Host, tmp_path: Path) -> None:
    host = fresh(subpath="photo")
    address = address_of(a_run(host, tmp_path))
    assert address.startswith("photoshoot/")
    assert visitor(host, "/photo").get(f"/{address}").status_code == 200
    assert visitor(host, "/photo").get(f"/photo/{address}").status_code == 200


@pytest.mark.parametrize(
    ("base", "cookie"), [("https://webui", "access-token"), ("http://webui", "access-token-unsecure")]
)
def test_a_stranger_gets_nothing_of_the_pictures(fresh: Host, tmp_path: Path, base: str, cookie: str) -> None:
    host = with_users(fresh(subpath="studio"))
    out = a_run(host, tmp_path)
    address = f"/{address_of(out)}"
    place = address.rpartition("/")[0]
    (name,) = [path.name for path in (out / "overlays").iterdir()]
    gets = (address, f"{place}/overlays/{name}", f"{place}/changes?since=", f"{place}/fix/original/1")
    posts = (f"{place}/decide", f"{place}/fix/ready", f"{place}/fix/outline", f"{place}/fix/save", f"{place}/fix/find")
    for client in (visitor(host, "/studio", base), visitor(host, "", base)):
        for answer in (*map(client.get, gets), *(client.post(path, json={}) for path in posts)):
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Basic", answer.url
            assert list(answer.json()) == ["error"] and str(out) not in answer.text
        forged = client.get(address, cookies={cookie: "forged"})
        assert forged.status_code == 401 and not read_hands(out)
    client = visitor(host, "", base)
    assert client.post("/login", data={"username": "me", "password": "m"}).status_code == 200
    assert any(re.fullmatch(rf"{cookie}(-\S{{20,}})?", name) for name in client.cookies), "gradio 4 adds its own name"
    known = visitor(host, "/studio", base)
    known.cookies.update(client.cookies)
    page = read_page(known.get(address).text)
    assert known.get(gets[1]).status_code == 200
    decision = {**page.items[0]["reference"], "decision": "rejected"}
    kept = known.post(
        posts[0], content=json.dumps({"decisions": [decision]}), headers={"content-type": "application/json"}
    )
    assert kept.status_code == 200 and decided(out) == ["rejected"]


def test_through_a_tunnel_the_page_decides_and_other_sites_do_not(fresh: Host, tmp_path: Path) -> None:
    """``--share``: the browser knows another name than the host does."""
    host = with_users(fresh(share=True))
    out = a_run(host, tmp_path)
    tunnel = visitor(host, base="https://0123abcd.gradio.live")
    address = f"/{address_of(out)}"
    assert tunnel.get(address).status_code == 401
    assert tunnel.post("/login", data={"username": "me", "password": "m"}).status_code == 200
    page = read_page(tunnel.get(address).text)
    place, decision = address.rpartition("/")[0], {**page.items[0]["reference"], "decision": "rejected"}
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        headers = {"origin": "https://0123abcd.gradio.live", "sec-fetch-site": site}
        assert tunnel.post(f"{place}/decide", json={"decisions": [decision]}, headers=headers).status_code == status
    assert decided(out) == ["rejected"]
    outside = address_of(tmp_path / "photos")
    assert tunnel.get(f"/{outside}").status_code in (400, 403, 404)
