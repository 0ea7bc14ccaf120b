"""A shoot on a real WebUI: three products, four pictures each, through the command line.

Random weights paint noise. So between the command line and the WebUI stands a small proxy that adds the painter
extension's argument: seeds that are multiples of three show the moon, all others the product.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.shoot.run.verdict import verdict_in
from tests.conftest import ROOT
from tests.e2e.conftest import OURS, PAINTER, WebUi

LIST = """\
defaults: {count: 4, width: 256, height: 256, steps: 2, sampler: Euler, scenes: [on a beach, in a street]}
products:
- {name: red bag, class: handbag, aliases: [purse], lora: ppzocketv2-10, filter: {recheck: false}}
- {name: Schuh, class: shoe, first_seed: 100, preset: Retouch only}
- {name: watch, first_seed: 7, preset: Cut-outs only, checkpoint: tiny.safetensors}
"""
PICTURES = {"handbag": "handbag.png", "shoe": "shoes.png", "watch": "watch.png"}
TRIES = {"red bag": [1, 2, 3, 4, 5], "Schuh": [100, 101, 102, 103, 104], "watch": [7, 8, 9, 10, 11]}


@contextmanager
def painting(url: str, folder: Path) -> Iterator[str]:
    """The address of a proxy to a WebUI, which has the painter paint the known pictures of ``folder``."""

    class Proxy(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.forward(None)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            word = body["alwayson_scripts"][OURS]["args"][0]["products"].partition("=")[0].strip()
            picture = folder / (PICTURES[word] if body["seed"] % 3 else "unknown.png")
            body["alwayson_scripts"][PAINTER] = {"args": [{"pictures": [str(picture)]}]}
            self.forward(json.dumps(body).encode())

        def forward(self, data: bytes | None) -> None:
            request = urllib.request.Request(url + self.path, data, {"Content-Type": "application/json"})
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(request, timeout=120) as answer:
                    status, content = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, content = error.code, error.read()
            except OSError:  # the WebUI died: so does its answer
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def shoot(shot_list: Path, out: Path, *urls: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lib_photoshoot", "shoot", str(shot_list), "--out", str(out)]
    for url in urls:
        command += ["--webui", url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)


def entries(out: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()[1:]]
    return [line["try"] for line in lines if "try" in line]


@pytest.fixture
def shot_list(tmp_path: Path) -> Path:
    path = tmp_path / "list.yaml"
    path.write_text(LIST)
    return path


def check(out: Path) -> None:
    """Every product has its four pictures, from exactly the tries that its seeds decide, as the WebUI made them."""
    made = {name: [e for e in entries(out) if e["product"] == name] for name in TRIES}
    for name, tried in made.items():
        assert sorted(e["seed"] for e in tried) == TRIES[name]
        for entry in tried:
            seed = int(str(entry["seed"]))
            assert entry["decision"] == ("accepted" if seed % 3 else "rejected"), entry
            with Image.open(out / str(entry["file"])) as picture:
                parameters = picture.text["parameters"]  # type: ignore[attr-defined]
                assert picture.size == (256, 256) and np.asarray(picture.convert("L")).std() > 5
            verdict = verdict_in(parameters)
            assert f"Seed: {seed}" in parameters and verdict is not None and verdict.says == entry["why"]
            assert bool(entry["scores"]) == bool(seed % 3)
    assert "enhanced with ControlNet" in str(made["red bag"][0]["why"])
    assert "enhanced with retouch" in str(made["Schuh"][0]["why"])
    assert "mask and cut-out only" in str(made["watch"][0]["why"])
    blocks = re.findall(r'id="thumbnails-\d+">(.*?)</script>', (out / "report.html").read_text(), re.DOTALL)
    assert sum(len(block.split()) for block in blocks) == 15


def test_three_products_with_four_pictures_each(
    webui: WebUi, shot_list: Path, shared_data: Path, tmp_path: Path
) -> None:
    with painting(webui.url, shared_data / "filter_inputs") as url:
        done = shoot(shot_list, tmp_path / "out", url)
        assert done.returncode == 0, done.stderr
        assert "12 of 12 pictures accepted after 15 tries." in done.stderr
        check(tmp_path / "out")
        again = shoot(shot_list, tmp_path / "out", url)
        assert again.returncode == 2 and "--resume" in again.stderr


def test_an_unknown_word_is_said_and_the_others_are_made(webui: WebUi, shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "name,class,count,width,height,steps,filter\n"
        'x,qwertzy,1,128,128,2,"{""detector"": ""embedded""}"\n'
        'bag,handbag,1,256,256,2,"{""enhancement"": ""retouch""}"\n'
    )
    PICTURES["qwertzy"] = "handbag.png"
    with painting(webui.url, shared_data / "filter_inputs") as url:
        done = shoot(path, tmp_path / "out", url)
    assert done.returncode == 1 and "1 of 2 pictures accepted" in done.stderr
    assert "x: 0 of 1 picture, set aside" in done.stderr and "qwertzy" in done.stderr


def test_a_webui_without_the_checkpoint_or_lora(webui: WebUi, tmp_path: Path) -> None:
    for column in ("checkpoint", "lora"):
        (tmp_path / "list.csv").write_text(f"name,count,{column}\nbag,1,none-such\n")
        done = shoot(tmp_path / "list.csv", tmp_path / "out", webui.url)
        assert done.returncode == 2 and "'none-such'" in done.stderr
