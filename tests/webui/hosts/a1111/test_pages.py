"""The pages' own routes on the stand-in host: a shoot painted by this WebUI, and what the Train part asks of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.webui.hosts.a1111.conftest import bag
from tests.webui.standin.host import CHECKPOINT, StandIn

SHOOT, TRAIN = "/photoshoot/v1/shoot", "/photoshoot/v1/train"
ROWS = [{"name": "red bag", "class": "bag", "count": "2", "first_seed": "5", "prompt": "a bag", "size": "96x96"}]
START = {"action": "start", "own": True, "webuis": [], "auth": "", "tries": None}


@pytest.fixture(params=[True, False], ids=["with --api", "without --api"])
def visitor(request: pytest.FixtureRequest, fresh: Callable[..., StandIn]) -> TestClient:
    """The page of a host, with and without its HTTP API."""
    host = fresh(api=request.param)
    host.checkpoint.pictures = {5: bag(), 6: bag(lit=False), 7: bag()}
    return TestClient(host.app, base_url="https://webui")


def until(ask: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_pages_modules_are_served_with_their_version(visitor: TestClient) -> None:
    for page in ("train/page.mjs", "shoot/page.mjs", "folder/page.mjs"):
        module = visitor.get(f"/photoshoot/v1/web/{page}")
        assert module.headers["content-type"].startswith("text/javascript") and "export" in module.text
        assert module.url.path != f"/photoshoot/v1/web/{page}" and "immutable" in module.headers["cache-control"]


def test_a_shoot_is_painted_by_this_webui(visitor: TestClient) -> None:
    overview = visitor.get(SHOOT).json()
    assert overview["choices"]["checkpoint"][0].startswith(CHECKPOINT) and overview["weights"] == ""
    assert "Euler a" in overview["choices"]["sampler"] and "Karras" in overview["choices"]["scheduler"]
    known = {field["name"] for field in overview["fields"]}
    rows = [{name: text for name, text in row.items() if name in known} for row in ROWS]
    saved = visitor.post(f"{SHOOT}/shoots", json={"name": "spring", "rows": rows})
    assert saved.status_code == 200, saved.text
    assert visitor.post(f"{SHOOT}/shoots/spring", json=START).status_code == 200
    until(lambda: visitor.get(f"{SHOOT}/shoots/spring").json()["state"] not in ("running", "stopping"))
    detail = visitor.get(f"{SHOOT}/shoots/spring").json()
    assert detail["shots"], detail
    for shot in detail["shots"]:
        picture = visitor.get(f"{SHOOT}/shoots/spring/{shot['file']}")
        assert picture.headers["content-type"] == "image/png"
    assert Path(overview["folder"], "spring").is_dir()


def test_this_webui_paints_and_refuses_as_by_http(visitor: TestClient) -> None:
    from lib_photoshoot.shoot.run.webui import Fault, WebUiError
    from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost

    webui = A1111ShootHost().webui()
    assert webui.call("/sdapi/v1/sd-models")[0]["title"].startswith(CHECKPOINT)
    assert webui.call("/sdapi/v1/loras") == []
    body: dict[str, Any] = {"prompt": "a bag", "seed": 5, "steps": 1, "width": 96, "height": 96}
    assert len(webui.call("/sdapi/v1/txt2img", body)["images"]) == 1
    with pytest.raises(WebUiError, match="refuses the picture") as refused:
        webui.call("/sdapi/v1/txt2img", {**body, "sampler_name": "none"})
    assert refused.value.fault is Fault.REFUSED


def test_a_picture_that_fails_is_told_with_the_reason(host: StandIn) -> None:
    from lib_photoshoot.shoot.run.webui import Fault, WebUiError
    from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost

    def fails(p: Any) -> None:
        raise RuntimeError("CUDA out of memory.\nTried to allocate")

    host.checkpoint.at_step = fails
    with pytest.raises(WebUiError, match="CUDA out of memory") as broken:
        A1111ShootHost().webui().call("/sdapi/v1/txt2img", {"steps": 1, "width": 96, "height": 96})
    assert broken.value.fault is Fault.BROKEN and "a picture of a shoot failed" in host.reports()[0]


def test_a_shoots_filter_takes_the_hosts_turn(host: StandIn, models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.settings import FilterSettings
    from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost

    turns: list[bool] = []
    plain = models.filter
    monkeypatch.setattr(models, "filter", lambda *given: (turns.append(host.at_work), plain(*given))[1])
    from lib_photoshoot.colour.space import SRGB
    from lib_photoshoot.products import parse_products

    shoots = A1111ShootHost()
    loaded = shoots.load(shoots.choose(FilterSettings(products="bag")))
    found = loaded.run(np.asarray(bag()), parse_products("bag"), SRGB)
    assert len(found.regions) == 1 and turns == [True] and not host.at_work
    assert "product list is empty" in str(shoots.problem(FilterSettings(products="")))
    shoots.release_models()


def test_the_train_part_knows_the_hosts_checkpoints_and_folders(host: StandIn, own_root: Path) -> None:
    visitor = TestClient(host.app, base_url="https://webui")
    overview = visitor.get(TRAIN).json()
    assert any(CHECKPOINT in str(value) for value in overview.values())
    folder = host.outputs / "photos"
    folder.mkdir(parents=True, exist_ok=True)
    bag().save(folder / "1.png")
    asked = {"folder": str(folder), "name": "1.png", "side": "64"}
    assert visitor.get(f"{TRAIN}/picture", params=asked).headers["content-type"] == "image/jpeg"
    assert visitor.get(f"{TRAIN}/picture", params=asked | {"folder": "/etc"}).status_code == 403


def test_the_hosts_blip_captions_in_our_turn(host: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_photoshoot.webui.hosts.a1111 import training_blip

    assert "not on this machine" in str(training_blip.missing_for_blip())
    weights = Path(host.paths.models_path) / "BLIP"
    weights.mkdir()
    (weights / "model.pth").touch()
    assert "folder repositories" in str(training_blip.missing_for_blip())
    monkeypatch.setitem(host.paths.paths, "BLIP", "/blip")
    monkeypatch.setattr(training_blip, "_has_tokenizer", lambda: True)
    captioner = training_blip.WebuiBlip()
    assert captioner.caption([np.asarray(bag())]) == ["a picture 96 pixels wide"]
    assert host.shared.interrogator.blip_model is None and not host.at_work


def test_a_training_takes_the_checkpoint_away_and_brings_it_back(
    host: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_photoshoot.webui.hosts.a1111 import training_memory

    monkeypatch.setattr(training_memory, "on_gpu", lambda: True)
    held, memory = host.checkpoint, training_memory.HostMemory()
    memory.make_room()
    assert host.sd_models.model_data.sd_model is None and str(held.place) == "cpu"
    memory.give_back()
    assert host.sd_models.model_data.sd_model is held
