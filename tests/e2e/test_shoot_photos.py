"""Three photos in four scenes each on two real WebUIs, one of which is killed half-way: nothing lost, nothing twice.

It takes some minutes on two cores, and starts the WebUIs itself.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.starting import WebUiProcess, linked
from tests.e2e.test_shoot import PICTURES
from tests.e2e.test_shoot_killed import start
from tests.shoot.conftest import events, outcome, tries

SCENES = ["on wood", "on marble", "in a garden", "on a gift table"]
# What small random weights paint is noise, in which anything may be found: how far a product grows is not asked here.
LIST = """\
defaults:
  {{count: 4, steps: 1, sampler: Euler, scenes: [{scenes}],
    filter: {{canvas: 256x256, product_share: 0.7, growth_limit: 1.0, scene_tries: 1, only_masked: false}}}}
products:
"""
_LIMIT_S = 1200


@pytest.fixture
def shot_list(shared_data: Path, tmp_path: Path) -> Path:
    rows = [
        f"- {{name: my {word}, class: {word}, photo: '{shared_data / 'filter_inputs' / file}'}}\n"
        for word, file in PICTURES.items()
    ]
    path = tmp_path / "list.yaml"
    path.write_text(LIST.format(scenes=", ".join(SCENES)) + "".join(rows))
    return path


def test_one_of_two_killed_half_way(shot_list: Path, tmp_path: Path) -> None:
    folder, python = os.environ.get("PHOTOSHOOT_WEBUI"), os.environ.get("PHOTOSHOOT_WEBUI_PYTHON")
    if not folder or not python:
        pytest.skip("no WebUI to start: set PHOTOSHOOT_WEBUI and PHOTOSHOOT_WEBUI_PYTHON")
    webuis = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        webuis.append(WebUiProcess(Path(folder), python, tmp_path / name))
    out = tmp_path / "out"
    try:
        with linked(Path(folder) / "extensions"):
            for webui in webuis:
                webui.start()
            shoot = start(shot_list, out, *(webui.url for webui in webuis))
            deadline = time.monotonic() + _LIMIT_S
            while not (out / "ledger.jsonl").is_file() or len(tries(out)) < 5:
                assert shoot.poll() is None and time.monotonic() < deadline, shoot.communicate()[0].decode()
                time.sleep(0.1)
            webuis[1].kill()
            output, _ = shoot.communicate(timeout=_LIMIT_S)
            assert shoot.returncode == 0, output.decode()
            assert f"{webuis[1].url} does not answer" in output.decode()
            undisturbed = start(shot_list, tmp_path / "alone", webuis[0].url)
            output, _ = undisturbed.communicate(timeout=_LIMIT_S)
            assert undisturbed.returncode == 0, output.decode()
    finally:
        for webui in webuis:
            webui.end()
    assert outcome(out) == outcome(tmp_path / "alone")
    claims = Counter((event["claim"]["product"], event["claim"]["seed"]) for event in events(out) if "claim" in event)
    assert set(claims.values()) == {1}
    accepted = [entry for entry in tries(out) if entry["decision"] == "accepted"]
    assert Counter(entry["product"] for entry in accepted) == {f"my {word}": 4 for word in PICTURES}
    for entry in tries(out):
        assert re.search(r": 0 of [1-9]\d+ product pixels changed", entry["why"]), entry
        print(entry["product"], entry["scene"], entry["webui"], entry["decision"], entry["why"], sep=" | ")
