"""``kill -9`` of real WebUIs, ten times in one shoot: what is made is, to the byte, what an undisturbed shoot makes.

It takes some ten minutes on two cores, and starts the WebUIs itself.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.starting import WebUiProcess, linked
from tests.e2e.test_shoot import painting
from tests.shoot.conftest import events, outcome

KILLS = 10
LIST = """\
defaults: {count: 40, width: 256, height: 256, steps: 2, sampler: Euler, scenes: [on a beach, in a street]}
products:
- {name: Schuh, class: shoe, first_seed: 100, preset: Retouch only}
- {name: watch, first_seed: 7, preset: Cut-outs only}
- {name: red bag, class: handbag, preset: Cut-outs only}
"""


def start(shot_list: Path, out: Path, *urls: str) -> subprocess.Popen[bytes]:
    webuis = [word for url in urls for word in ("--webui", url)]
    command = [sys.executable, "-m", "lib_photoshoot", "shoot", str(shot_list), "--out", str(out), *webuis]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def lines(out: Path) -> int:
    ledger = out / "ledger.jsonl"
    return ledger.read_bytes().count(b"\n") if ledger.is_file() else 0


def test_killed_ten_times(shared_data: Path, tmp_path: Path) -> None:
    folder, python = os.environ.get("PHOTOSHOOT_WEBUI"), os.environ.get("PHOTOSHOOT_WEBUI_PYTHON")
    if not folder or not python:
        pytest.skip("no WebUI to start: set PHOTOSHOOT_WEBUI and PHOTOSHOOT_WEBUI_PYTHON")
    (tmp_path / "list.yaml").write_text(LIST)
    draw = random.Random(5)
    webuis = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        webuis.append(WebUiProcess(Path(folder), python, tmp_path / name))
    pictures = shared_data / "filter_inputs"
    kills = 0
    try:
        with linked(Path(folder) / "extensions"):
            for webui in webuis:
                webui.start()
            with painting(webuis[0].url, pictures) as first, painting(webuis[1].url, pictures) as second:
                undisturbed = start(tmp_path / "list.yaml", tmp_path / "undisturbed", first, second)
                output, _ = undisturbed.communicate(timeout=1200)
                assert undisturbed.returncode == 0, output.decode()
                shoot = start(tmp_path / "list.yaml", tmp_path / "out", first, second)
                while kills < KILLS:
                    # A kill hits while pictures are made: each comes after further lines of the ledger.
                    target = lines(tmp_path / "out") + draw.randint(2, 5)
                    while lines(tmp_path / "out") < target and shoot.poll() is None:
                        time.sleep(0.05)
                    time.sleep(draw.uniform(0, 1.5))
                    assert shoot.poll() is None, f"it was done after {kills} kills"
                    webui = webuis[draw.randrange(2)]
                    webui.kill()
                    kills += 1
                    webui.start()
                output, _ = shoot.communicate(timeout=1200)
                assert shoot.returncode == 0, output.decode()
    finally:
        for webui in webuis:
            webui.end()
    assert outcome(tmp_path / "out") == outcome(tmp_path / "undisturbed")
    claims = Counter(
        (event["claim"]["product"], event["claim"]["seed"]) for event in events(tmp_path / "out") if "claim" in event
    )
    assert set(claims.values()) == {1} and len(claims) == sum("try" in event for event in events(tmp_path / "out"))
    lost = output.decode().count("does not answer")
    print(f"{kills} kills, {lost} pictures were cut off, {len(claims)} tries, nothing lost, nothing twice")
