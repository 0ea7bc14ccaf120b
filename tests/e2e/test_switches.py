"""The host's switch ``--hide-ui-dir-config`` on a WebUI of its own, and what an open API reaches on any."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import WebUi, data_folder
from tests.e2e.starting import started
from tests.e2e.test_generation import ON

MASKS = "photoshoot_masks_folder"


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebUi]:
    folder, python = os.environ.get("PHOTOSHOOT_WEBUI"), os.environ.get("PHOTOSHOOT_WEBUI_PYTHON")
    if not folder or not python:
        pytest.skip("no WebUI to start: set PHOTOSHOOT_WEBUI and PHOTOSHOOT_WEBUI_PYTHON")
    with started(Path(folder), python, tmp_path_factory.mktemp("hidden"), ["--hide-ui-dir-config"]) as url:
        yield WebUi(url)


def refused(webui: WebUi, path: str) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error:
        webui.call("/photoshoot/v1/detect", {"path": path, "settings": {"products": "handbag"}})
    return error.value.code, json.loads(error.value.read())["error"]


def test_an_open_api_does_not_follow_the_output_folders_that_it_lets_anyone_set(webui: WebUi, bag: Path) -> None:
    name = "outdir_txt2img_samples"
    before = webui.call("/sdapi/v1/options")[name]
    webui.call("/sdapi/v1/options", {name: "/"})
    try:
        assert refused(webui, str(bag)) == (403, refused(webui, "/etc/passwd")[1].replace("/etc/passwd", str(bag)))
    finally:
        webui.call("/sdapi/v1/options", {name: before})


@pytest.mark.parametrize("how", ["options", "override_settings"])
def test_no_folder_of_ours_can_be_set(hidden: WebUi, bag: Path, how: str) -> None:
    own = data_folder(hidden) / hidden.call("/sdapi/v1/options")["outdir_txt2img_samples"]
    job: dict[str, Any] = {"override_settings": {MASKS: "elsewhere"}}
    if how == "options":
        hidden.call("/sdapi/v1/options", {MASKS: "elsewhere"})
        job = {}
    answer = hidden.generate([bag], {**ON, "on_match": "mask and cut-out only"}, save_images=True, **job)
    assert "found handbag" in answer.texts[0]
    found = [path.parent.name for path in own.rglob("*-handbag-mask.png")]
    assert found and set(found) == {"photoshoot-masks"}
    for folder in {path.parent for path in own.rglob("*-handbag-mask.png")}:
        shutil.rmtree(folder)


def test_no_folder_can_be_named(hidden: WebUi, bag: Path) -> None:
    outputs = data_folder(hidden) / "outputs"
    for path in (bag, outputs / "a.png"):
        status, sentence = refused(hidden, str(path))
        assert status == 403 and "--hide-ui-dir-config" in sentence
