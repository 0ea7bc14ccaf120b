"""``kill -9`` of the program at random moments, and the end of a WebUI: the result is that of an undisturbed shoot."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.shoot.shot_list.product import ListedProduct
from tests.conftest import ROOT, hearing_interrupts
from tests.shoot.conftest import events, outcome
from tests.shoot.fake_webui import FakeWebUi

KILLS = 10
_LIMIT_S = 60


def start(shot_list: Path, out: Path, *fakes: FakeWebUi) -> subprocess.Popen[bytes]:
    """The real command line in a process of its own."""
    webuis = [word for fake in fakes for word in ("--webui", fake.url)]
    command = [sys.executable, "-m", "lib_photoshoot", "shoot", str(shot_list), "--out", str(out), "--resume", *webuis]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with hearing_interrupts():
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=_LIMIT_S)
    return process.returncode, output.decode()


def claims(out: Path) -> tuple[list[tuple[str, int]], set[tuple[str, int]]]:
    """All claims, and those without a try, by product and seed; a torn last line does not count."""
    path = out / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[: path.read_bytes().rfind(b"\n") + 1])
    found = events(out)
    claimed = [(event["claim"]["product"], event["claim"]["seed"]) for event in found if "claim" in event]
    done = {(event["try"]["product"], event["try"]["seed"]) for event in found if "try" in event}
    return claimed, set(claimed) - done


@pytest.fixture
def undisturbed(shot_list: Path, tmp_path: Path) -> dict[str, Any]:
    with FakeWebUi() as fake:
        code, output = finish(start(shot_list, tmp_path / "undisturbed", fake))
    assert code == 0 and "12 of 12 pictures accepted after 17 tries." in output
    return outcome(tmp_path / "undisturbed")


def test_killed_ten_times_nothing_twice_nothing_lost(
    shot_list: Path, tmp_path: Path, undisturbed: dict[str, Any], products: tuple[ListedProduct, ...]
) -> None:
    draw = random.Random(20)
    out = tmp_path / "out"
    allowed: Counter[tuple[str, int]] = Counter()
    killed = 0
    with FakeWebUi(seconds=0.03) as first, FakeWebUi(seconds=0.05) as second:
        for _ in range(KILLS):
            now, moment = threading.Event(), draw.randint(1, 2)
            before = len(first.requests)
            first.misbehave = lambda number, body, now=now, at=before + moment: now.set() if number >= at else None
            process = start(shot_list, out, first, second)
            while not now.wait(0.01) and process.poll() is None:
                pass
            threading.Event().wait(draw.uniform(0, 0.04))
            process.send_signal(signal.SIGKILL)
            killed += finish(process)[0] == -signal.SIGKILL
            # Whoever was cut off may be asked for once more, and nothing else.
            allowed.update(claims(out)[1])
        first.misbehave = lambda number, body: None
        code, output = finish(start(shot_list, out, first, second))
        asked = first.counts + second.counts
    assert code == 0, output
    assert outcome(out) == undisturbed and killed >= 4
    claimed, unfinished = claims(out)
    assert not unfinished and len(claimed) == len(set(claimed)) == 17
    shots = {(p.name, p.shot(n).seed): p.shot(n).request()["prompt"] for p in products for n in range(20)}
    for (product, seed), prompt in shots.items():
        assert asked[(prompt, seed)] <= (((product, seed) in claimed) + allowed[(product, seed)]), (product, seed)
    assert sum(asked.values()) <= 17 + sum(allowed.values())
    assert not list(out.rglob("*.part"))
    print(f"{killed} kills, {sum(allowed.values())} shots were cut off, {sum(asked.values())} requests for 17 shots")


def test_a_webui_killed_half_way_on_the_command_line(
    shot_list: Path, tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    with FakeWebUi(seconds=0.02) as first, FakeWebUi(seconds=0.02) as second:
        first.misbehave = lambda number, body: first.die() if number == 4 else None
        code, output = finish(start(shot_list, tmp_path / "out", first, second))
    assert code == 0 and outcome(tmp_path / "out") == undisturbed
    assert f"{first.url} does not answer" in output and max(second.counts.values()) == 1


def test_exit_codes_and_sentences(shot_list: Path, tmp_path: Path) -> None:
    with FakeWebUi(misbehave=lambda number, body: 422 if '"shoe"' in body["prompt"] else None) as fake:
        code, output = finish(start(shot_list, tmp_path / "short", fake))
        assert code == 1 and "shoe: 0 of 3 pictures, set aside" in output
    with FakeWebUi(auth="me:secret") as fake:
        code, output = finish(start(shot_list, tmp_path / "login", fake))
        assert code == 2 and "--auth" in output and "Traceback" not in output
        assert not (tmp_path / "login").exists()
    with FakeWebUi(misbehave=lambda number, body: 401) as fake:
        code, output = finish(start(shot_list, tmp_path / "lost", fake))
        assert code == 2 and "Every WebUI was given up" in output and "Traceback" not in output
    with FakeWebUi(seconds=0.1) as fake:
        begun = threading.Event()
        fake.misbehave = lambda number, body: begun.set()
        process = start(shot_list, tmp_path / "stopped", fake)
        assert begun.wait(_LIMIT_S)
        process.send_signal(signal.SIGINT)
        code, output = finish(process)
        assert code == 130 and "--resume goes on" in output and "Traceback" not in output
