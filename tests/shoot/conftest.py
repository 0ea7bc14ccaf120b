"""Shot lists and shoots of the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.shoot.run.runner import ShootRun, ShootSummary
from lib_photoshoot.shoot.shot_list.product import ListedProduct
from lib_photoshoot.shoot.shot_list.reading import read_shot_list
from tests.shoot.fake_webui import FakeWebUi

LIST = """\
name,class,aliases,scenes,count,first_seed,lora,filter
red bag,handbag,purse | tote,on a beach | in a street,4,1,ppzocketv2-10,"{""denoise"": 0.3}"
shoe,,,,3,100,,
watch,watch,wristwatch,on a table,5,4294967294,,
"""
"""Seeds that are multiples of three show no product; those of the watch wrap around after two."""


@pytest.fixture
def shot_list(tmp_path: Path) -> Path:
    path = tmp_path / "shots.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


@pytest.fixture
def products(shot_list: Path) -> tuple[ListedProduct, ...]:
    return read_shot_list(shot_list)


@pytest.fixture
def shoot(tmp_path: Path, products: tuple[ListedProduct, ...]) -> Callable[..., ShootSummary]:
    """Run the list on some fake WebUIs, with hardly any pause after a failure."""

    def run(*webuis: FakeWebUi, out: str = "out", timeout: float = 10, auth: str = "", **more: Any) -> ShootSummary:
        clients = [HttpWebUi(webui.url, auth, timeout) for webui in webuis]
        more.setdefault("first_pause", 0.01)
        with ShootRun(more.pop("products", products), clients, tmp_path / out, **more) as begun:
            return begun.run()

    return run


def events(out: Path) -> list[dict[str, Any]]:
    """The ledger's claims and tries; the last line must be whole."""
    header, *lines = (out / "ledger.jsonl").read_text().splitlines()
    assert json.loads(header)["program"] == "product-photoshoot shoot"
    return [json.loads(line) for line in lines]


def tries(out: Path) -> list[dict[str, Any]]:
    return [event["try"] for event in events(out) if "try" in event]


def outcome(out: Path) -> dict[str, Any]:
    """What a shoot came to, without what depends on time and machine: the tries by product and number, the files."""
    kept = {
        (entry["product"], entry["number"]): {k: v for k, v in entry.items() if k not in ("webui", "seconds")}
        for entry in tries(out)
    }
    pictures = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.png"))}
    return {"tries": dict(sorted(kept.items())), "pictures": pictures}


def seeds(out: Path) -> list[tuple[str, int]]:
    return [(entry["product"], entry["seed"]) for entry in tries(out)]
