"""The HTTP routes in the stand-in host's own application: who comes in, and what ``/photoshoot/v1`` does there."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.webui.hosts.a1111.conftest import ON, SIDE, bag, decoded, differing, encoded
from tests.webui.standin.host import CANNY, StandIn

PREFIX = "/photoshoot/v1"
PAGES = (f"{PREFIX}/train", f"{PREFIX}/shoot")
API = (f"{PREFIX}/schema", f"{PREFIX}/models", f"{PREFIX}/models/embedded")
SQUARE = np.s_[30:62, 30:62]


def client(host: StandIn) -> Any:
    """A visitor of the host's address, over https: the page's cookie is for that alone."""
    from fastapi.testclient import TestClient

    return TestClient(host.app, base_url="https://webui")


def with_users(host: StandIn, users: Any) -> StandIn:
    """As the host does at its start with ``--gradio-auth``."""
    host.page.auth = users
    host.app.configure_app(host.page)
    return host


def sign_in(visitor: Any, name: str, password: str) -> int:
    return visitor.post("/login", data={"username": name, "password": password}).status_code


@pytest.mark.parametrize("users", [[("me", "m")], lambda name, password: (name, password) == ("me", "m")])
def test_the_pages_login_is_ours_too(fresh: Callable[..., StandIn], users: Any) -> None:
    host = with_users(fresh(), users)
    for path in (*PAGES, *API):
        visitor = client(host)
        refused = visitor.get(path)
        assert refused.status_code == 401 and list(refused.json()) == ["error"], path
        assert refused.headers["www-authenticate"] == "Basic"
        assert visitor.get(path, cookies={"access-token": "forged"}).status_code == 401
        assert visitor.get(path, auth=("me", "wrong")).status_code == 401
        assert visitor.get(path, auth=("you", "m")).status_code == 401
        assert visitor.get(path, auth=("me", "m")).status_code == 200
        assert sign_in(visitor, "me", "wrong") == 400 and visitor.get(path).status_code == 401
        assert sign_in(visitor, "me", "m") == 200 and visitor.get(path).status_code == 200, path
    for operation in ("detect", "filter", "enhance", "models/embedded"):
        assert client(host).post(f"{PREFIX}/{operation}", json={}).status_code == 401


def test_the_apis_users_rule_the_api_and_the_pages_login_the_pages(fresh: Callable[..., StandIn]) -> None:
    host = with_users(fresh(api_auth="robot:r,arm:a"), [("me", "m")])
    page = client(host)
    assert sign_in(page, "me", "m") == 200
    for path in API:
        assert page.get(path).status_code == 401, "the page's cookie is none of the API's"
        assert page.get(path, auth=("me", "m")).status_code == 401
        assert page.get(path, auth=("arm", "a")).status_code == 200
        assert client(host).get(path, auth=("robot", "r")).status_code == 200
    for path in PAGES:
        assert page.get(path).status_code == 200
        assert client(host).get(path).status_code == 401
        assert client(host).get(path, auth=("arm", "a")).status_code == 200


def test_who_sees_the_page_gets_its_modules_whatever_users_the_api_has(fresh: Callable[..., StandIn]) -> None:
    host, module = fresh(api_auth="robot:r"), f"{PREFIX}/web/panel/actions.mjs"
    assert client(host).get(module).status_code == 200, "the page itself asks for nobody's name here"
    page = client(with_users(host, [("me", "m")]))
    assert page.get(module).status_code == 401 and page.get(module, auth=("robot", "r")).status_code == 401
    assert sign_in(page, "me", "m") == 200 and page.get(module).status_code == 200


def test_without_users_everyone_comes_in_and_without_api_only_the_pages_are_there(
    fresh: Callable[..., StandIn],
) -> None:
    visitor = client(fresh(api=False))
    assert [visitor.get(path).status_code for path in PAGES] == [200, 200]
    assert [visitor.get(path).status_code for path in API] == [404, 404, 404]
    assert visitor.get(f"{PREFIX}/training").status_code == 404, "only what lies below a page's prefix is its"


def post(host: StandIn, operation: str, body: Any, status: int = 200) -> Any:
    answer = client(host).post(f"{PREFIX}/{operation}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def request(image: Image.Image | None = None, **more: Any) -> dict[str, Any]:
    settings = {name: value for name, value in ON.items() if name != "recheck"} | {"recheck": False, "denoise": 1.0}
    return {"image": encoded(image or bag()), "settings": {**settings, **more.pop("settings", {})}, **more}


def test_detect_filter_and_enhance_run_in_the_hosts_queue(host: StandIn) -> None:
    found = post(host, "detect", request(masks=True))
    assert [region["product"] for region in found["regions"]] == ["bag"] and "image" not in found
    turns: list[bool] = []
    state = host.shared.state
    host.checkpoint.at_step = lambda p: turns.append(host.at_work and state.job_no < state.job_count)
    for operation in ("filter", "enhance"):
        answer = post(host, operation, request(job={"prompt": "a bag", "seed": 7, "steps": 2}))
        changed = differing(np.asarray(bag()), decoded(answer["image"]))
        assert changed[SQUARE].all() and changed.sum() == changed[SQUARE].sum()
        assert answer["changed_outside"] == 0 and answer["seed"] == 7 and answer["note"] is None
    assert len(turns) == 4 and all(turns) and not host.at_work
    assert host.shared.state.job == "" and not host.checkpoint.hooks


def test_enhance_changes_the_regions_that_are_given_and_looks_for_nothing(host: StandIn, models: Any) -> None:
    masks = [Image.new("L", (SIDE, SIDE)) for _ in range(2)]
    masks[0].paste(255, (4, 4, 20, 20))
    masks[1].paste(255, (70, 60, 90, 80))
    regions = [{"mask": encoded(mask), "product": name} for mask, name in zip(masks, ("shoe", "bag"), strict=True)]
    painted: list[tuple[str, int]] = []
    host.checkpoint.at_step = lambda p: painted.append((p.prompt, p.seed))
    body = request(
        bag(lit=False), regions=regions, masks=True, job={"prompt": "a bag", "seed": 7, "steps": 1},
        settings={"products": 'bag [prompt="red leather"]', "colour_hold": "never"},
    )  # fmt: skip
    answer = post(host, "enhance", body)
    changed = differing(np.asarray(bag(lit=False)), decoded(answer["image"]))
    wanted = np.any([np.asarray(mask) > 0 for mask in masks], axis=0)
    assert changed[wanted].mean() > 0.9 and not changed[~wanted].any() and answer["changed_outside"] == 0
    assert sorted(painted) == [("a bag in a studio", 7), ("red leather", 8)] and models.calls == 0
    assert [region["product"] for region in answer["regions"]] == ["shoe", "bag"]
    assert [decoded(region["mask"]).any(2).sum() for region in answer["regions"]] == [256, 400]


def test_enhance_keeps_the_picture_where_the_host_fails(host: StandIn) -> None:
    def fails(p: Any) -> None:
        raise RuntimeError("CUDA out of memory.")

    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (4, 4, 20, 20))
    host.checkpoint.at_step = fails
    answer = post(host, "enhance", request(regions=[{"mask": encoded(mask)}]))
    assert answer["image"] is None and "could not paint (CUDA out of memory.)" in answer["note"]
    assert not host.at_work and host.shared.state.job == ""


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"job": {"sampler": "none"}}, 422, "no sampler called 'none'"),
        ({"job": {"scheduler": "none"}}, 422, "no schedule type called 'none'"),
        ({"settings": {"cn_model": "none such"}}, 422, "is not installed"),
        ({"settings": {"cn_model": CANNY, "cn_module": "nonesuch"}}, 422, "does not exist"),
        ({"path": "/etc/passwd"}, 422, "either as 'image' (base64) or as 'path'"),
        ({"regions": []}, 422, "1 to 20"),
    ],
)
def test_mistakes_are_sentences(host: StandIn, change: dict[str, Any], status: int, words: str) -> None:
    assert words in post(host, "enhance", request(**change), status)["error"]
    assert not host.at_work


def test_a_body_is_json_of_a_bounded_size(host: StandIn) -> None:
    visitor, place = client(host), f"{PREFIX}/detect"
    json_type = {"Content-Type": "application/json"}
    host.shared.opts.data["photoshoot_api_megapixels"] = 0.001
    for content, headers, status in (
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{", json_type, 400),
        (b"[" * 100_000, json_type, 400),
        (b" " * (9 << 20), json_type, 413),
        (b"{}", {**json_type, "Content-Length": str(1 << 40)}, 413),
    ):
        answer = visitor.post(place, content=content, headers=headers)
        assert answer.status_code == status and list(answer.json()) == ["error"]
    streamed = visitor.post(place, content=(b" " * (1 << 20) for _ in range(10)), headers=json_type)
    assert streamed.status_code == 413


def test_a_mistake_of_ours_is_told_without_a_traceback(host: StandIn, models: Any, monkeypatch: Any) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(models, "filter", fails)
    assert "ZeroDivisionError" in post(host, "detect", request(), 500)["error"]
    (reported,) = host.reports()
    assert "a request failed" in reported and not host.at_work


def test_the_hosts_folders_may_be_read_and_others_by_an_option(host: StandIn, tmp_path: Path) -> None:
    own = Path(host.shared.opts.data["outdir_txt2img_samples"])
    other = tmp_path / "other"
    for folder in (own, other):
        folder.mkdir(parents=True)
        bag().save(folder / "bag.png")
    body = request()
    body.pop("image")
    assert post(host, "detect", {**body, "path": str(own / "bag.png")})["decision"] == "match"
    post(host, "detect", {**body, "path": str(own / "none.png")}, 404)
    post(host, "detect", {**body, "path": str(other / "bag.png")}, 403)
    (own / "link.png").symlink_to(other / "bag.png")
    post(host, "detect", {**body, "path": str(own / "link.png")}, 403)
    host.shared.opts.data["photoshoot_api_folders"] = f"{tmp_path}/elsewhere, {other}"
    assert post(host, "detect", {**body, "path": str(other / "bag.png")})["decision"] == "match"


def test_the_host_documents_the_routes(host: StandIn) -> None:
    places = host.app.openapi()["paths"]
    assert {f"{PREFIX}/{name}" for name in ("detect", "filter", "enhance", "schema", "models")} <= set(places)
    body = places[f"{PREFIX}/enhance"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) >= {"image", "path", "settings", "job", "regions", "masks", "cutouts"}


def test_models_and_their_download(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.webui.http import downloads

    brought: list[str] = []
    monkeypatch.setattr(downloads, "_get", lambda name, tell: brought.append(name))
    assert client(host).get(f"{PREFIX}/models").json()["groups"]
    name = next(m["name"] for m in client(host).get(f"{PREFIX}/models").json()["models"] if "sam-vit-h" in m["name"])
    state = client(host).post(f"{PREFIX}/models/{name}", json={})
    assert (state.status_code, state.json()["state"]) in ((202, "downloading"), (200, "missing"), (200, "present"))
    assert client(host).get(f"{PREFIX}/models/none").status_code == 404


def test_a_picture_comes_back_as_it_was_sent(host: StandIn) -> None:
    """Transparency, and a prompt of our own where the request has none."""
    picture = bag()
    picture.putalpha(77)
    prompts: list[str] = []
    host.checkpoint.at_step = lambda p: prompts.append(p.prompt)
    body = request(picture, settings={"prompt": "", "colour_hold": "never"}, job={"steps": 1})
    answer = post(host, "filter", body)
    image = Image.open(io.BytesIO(base64.b64decode(answer["image"])))
    assert image.mode == "RGBA" and set(np.asarray(image)[..., 3].ravel()) == {77}
    assert prompts == ["bag, product photography, studio lighting, sharp focus"]
