"""The Ray engine with the bright-squares filter: the same files as one process, whoever is killed.

A Ray cluster of two cores, in a process of its own, serves the tests that do not end one.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import psutil
import pytest
from PIL import Image

from lib_photoshoot.catalog import ray_cluster, ray_engine
from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ray_engine import AHEAD, LOSSES, RayEngine, threads_each
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog, run_engine
from lib_photoshoot.catalog.urls import UrlFile, collect_sources
from lib_photoshoot.errors import CatalogError, MachinesGoneError, WeightsError
from lib_photoshoot.paths import scratch_of
from tests.test_catalog import PRODUCTS, BrightSquares, paint
from tests.test_catalog_urls import Server
from tests.test_process import (
    ENVIRONMENT,
    PATIENCE,
    ROOT,
    command,
    contents,
    fast,
    finish,
    lines,
    numbered_photos,
    recorded,
    sentences,
    start,
    wait_for_lines,
)

# The cluster that the tests start asks for a token (Ray reads both when it is imported): any will do.
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
os.environ |= TOKEN
ENVIRONMENT.update(TOKEN)
pytest.importorskip("ray", reason="the package ray is not installed (the optional extra `ray`)")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

CLUSTER = """
import ray, sys
context = ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=100 << 20)
print(context.address_info["gcs_address"], flush=True)
sys.stdin.read()
"""
TWO = ("--engine", "ray", "--workers", "2")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    arguments = [sys.executable, "-c", CLUSTER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(arguments, cwd=ROOT, env=ENVIRONMENT, text=True, **pipes) as child:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
        child.communicate()


class Noting(BrightSquares):
    """Notes process and number of each picture and pauses at it, longer at number 0.

    It ends its process, once or always, at the picture ``deadly``.
    """

    def __init__(
        self, log: Path, deadly: int | None = None, always: bool = False, pause: float = 0, first_pause: float = 0
    ) -> None:
        super().__init__()
        self.log, self.deadly, self.always, self.pause, self.first_pause = log, deadly, always, pause, first_pause

    def run(self, image: np.ndarray, products, space=None):
        number = int(image[0, 0, 0])
        first = f" {number}\n" not in (self.log.read_text() if self.log.exists() else "")
        with open(self.log, "a") as file:
            file.write(f"{os.getpid()} {number}\n")
        time.sleep(self.pause if number else self.pause + self.first_pause)
        if number == self.deadly and (first or self.always):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(image, products)


def noted(log: Path) -> list[int]:
    return [int(line.split()[1]) for line in lines(log)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine pictures, and of the files that cannot be read one of each kind that matters here."""
    folder = numbered_photos(tmp_path / "photos", 9)
    (folder / "003 broken.jpg").write_text("no picture")
    (folder / "004 empty.png").touch()
    (folder / "cut.tif").write_bytes(b"")
    Image.effect_noise((64, 64), 90).save(folder / "cut.tif", compression="tiff_lzw")
    (folder / "cut.tif").write_bytes((folder / "cut.tif").read_bytes()[:-900])
    (folder / "link.png").symlink_to("nowhere.png")
    os.mkfifo(folder / "pipe.png")
    return folder


@pytest.fixture
def whole(photos: Path, tmp_path: Path) -> Path:
    """What one process makes of the photos."""
    out = tmp_path / "whole"
    assert len(run_catalog(BrightSquares(), collect_inputs([photos]), PRODUCTS, out).unreadable) == 5
    return out


def run(engine: RayEngine, photos: Path, out: Path, **options):
    return run_engine(engine, collect_inputs([photos]), PRODUCTS, out, **options)


def assert_same_run(out: Path, whole: Path) -> None:
    """All files byte for byte, and the ledger's lines in any order."""
    found, expected = contents(out), contents(whole)
    assert sorted(found.pop("ledger.jsonl").splitlines()) == sorted(expected.pop("ledger.jsonl").splitlines())
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


# Sameness


def test_two_workers_write_what_one_process_writes(cluster: str, photos: Path, whole: Path, tmp_path: Path) -> None:
    states = []
    out, log = tmp_path / "out", tmp_path / "log"
    # Long enough that one worker cannot finish all before the other has started, and others finish before the first.
    engine = RayEngine(partial(Noting, log, pause=0.3, first_pause=1), cluster, 2)
    summary = run(engine, photos, out, progress=states.append)
    assert (summary.matched, summary.skipped, summary.resumed, len(summary.unreadable)) == (6, 3, 0, 5)
    assert_same_run(out, whole)
    entries = json.loads((out / "report.json").read_text())["images"]
    assert [Path(entry["file"]).stem for entry in entries] == [f"{number:03}" for number in range(9)]
    assert recorded(out) != sorted(recorded(out))
    assert sorted(noted(log)) == list(range(9)) and len({line.split()[0] for line in lines(log)}) == 2
    done = [state.done for state in states]
    assert done == sorted(done) and done[-1] == 14 and states[-1].file is None


def test_relative_names_and_another_current_folder(cluster: str, photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(photos)
    inputs = collect_inputs(["000.png", "004.png", "003 broken.jpg"])
    run_catalog(BrightSquares(), inputs, PRODUCTS, tmp_path / "whole")
    run_engine(RayEngine(BrightSquares, cluster, 1), inputs, PRODUCTS, tmp_path / "out")
    assert_same_run(tmp_path / "out", tmp_path / "whole")


def test_a_machine_without_the_files_gets_their_bytes(
    cluster: str, photos: Path, whole: Path, tmp_path: Path, monkeypatch
) -> None:
    real = ray_engine._job
    # To the workers the paths are strange ones: absent, or with another file there.
    strange = {"000.png": "/nowhere/000.png", "001.png": str(photos / "002.png"), "003 broken.jpg": "/nowhere/b.jpg"}

    def elsewhere(source):
        job = real(source)
        return replace(job, path=strange.get(source.path.name, job.path))

    monkeypatch.setattr(ray_engine, "_job", elsewhere)
    run(RayEngine(BrightSquares, cluster, 2), photos, tmp_path / "out")
    assert_same_run(tmp_path / "out", whole)


def test_workers_read_urls_themselves(cluster: str, photos: Path, tmp_path: Path, monkeypatch) -> None:
    for package in ("fsspec", "aiohttp"):
        pytest.importorskip(package, reason=f"the package {package}, which reads URLs, is not installed")
    # A web server answers for a pipe for ever, and lists no link that leads nowhere.
    for name in ("pipe.png", "link.png"):
        (photos / name).unlink()
    with Server(photos) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sources = collect_sources([server.url])
        run_catalog(BrightSquares(), sources, PRODUCTS, tmp_path / "whole")
        server.asked.clear()
        with monkeypatch.context() as patch:
            # Of this process alone.
            patch.setattr(UrlFile, "load", None)
            patch.setattr(UrlFile, "stamp", None)
            summary = run_engine(RayEngine(BrightSquares, cluster, 2), sources, PRODUCTS, tmp_path / "out")
        assert (summary.matched, summary.skipped, len(summary.unreadable)) == (6, 3, 3)
        assert sorted(path for path in set(server.asked)) == sorted(f"/{quote(name)}" for name in os.listdir(photos))
        assert_same_run(tmp_path / "out", tmp_path / "whole")
        again = run_engine(RayEngine(BrightSquares, cluster, 2), sources, PRODUCTS, tmp_path / "out", resume=True)
        assert again.resumed == 9
        server.shutdown()


def test_a_file_that_vanishes_on_its_way_is_listed(cluster: str, photos: Path, tmp_path: Path, monkeypatch) -> None:
    real = ray_engine._job

    def vanishing(source):
        job = real(source)
        if source.path.name == "001.png":
            source.path.unlink()
        return job

    monkeypatch.setattr(ray_engine, "_job", vanishing)
    summary = run(RayEngine(BrightSquares, cluster, 1), photos, tmp_path / "out")
    assert any("001.png does not exist" in item["error"] for item in summary.unreadable)
    assert (summary.matched, len(summary.unreadable)) == (5, 6)


def test_the_real_filter_gives_the_same_bytes(cluster: str, product_filter, tmp_path: Path) -> None:
    from lib_photoshoot.build import build_filter
    from lib_photoshoot.products import parse_products

    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("coffee", "moon", "chelsea"):
        with Image.open(ROOT / "samples" / f"{name}.jpg") as image:
            small = image.convert("RGB").resize((256, 256))
        small.save(folder / f"{name}.png")
        small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"{name} turned.png")
    inputs, products = collect_inputs([folder]), parse_products("cup")
    summary = run_catalog(product_filter, inputs, products, tmp_path / "whole")
    assert (summary.matched, summary.skipped) == (2, 4)
    run_engine(RayEngine(build_filter, cluster, 2), inputs, products, tmp_path / "out")
    found, expected = contents(tmp_path / "out"), contents(tmp_path / "whole")
    # These two tell the times that each picture took, and are compared without them elsewhere.
    for name in ("ledger.jsonl", "report.html"):
        assert found.pop(name) and expected.pop(name)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


# Resume


@pytest.mark.parametrize("ray_first", [True, False])
def test_a_run_begun_with_one_engine_goes_on_with_the_other(
    cluster: str, photos: Path, whole: Path, tmp_path: Path, ray_first: bool
) -> None:
    out, log = tmp_path / "out", tmp_path / "log"

    def stop(state) -> None:
        if state.done >= 4:
            raise KeyboardInterrupt

    def local(**options):
        return run_catalog(Noting(log), collect_inputs([photos]), PRODUCTS, out, **options)

    distributed = partial(run, RayEngine(partial(Noting, log), cluster, 2), photos, out)
    first, second = (distributed, local) if ray_first else (local, distributed)
    with pytest.raises(KeyboardInterrupt):
        first(progress=stop)
    done = {int(Path(file).stem) for file in recorded(out)}
    assert 1 <= len(done) < 9
    log.unlink()
    assert second(resume=True).resumed == len(done)
    assert sorted(noted(log)) == sorted(set(range(9)) - done)
    assert_same_run(out, whole)


def test_nothing_left_to_do_needs_no_cluster(photos: Path, whole: Path) -> None:
    for name in [name for name in os.listdir(photos) if not name[:3].isdigit() or " " in name]:
        (photos / name).unlink()
    summary = run(RayEngine(BrightSquares, "127.0.0.1:1", 2), photos, whole, resume=True)
    assert (summary.resumed, summary.matched) == (9, 6)


def test_decisions_by_hand_stand_when_workers_go_on_with_a_run(cluster: str, tmp_path: Path) -> None:
    """The driver alone keeps the ledger: what was decided holds, and is in the reports that it writes."""
    photos, out = numbered_photos(tmp_path / "photos", 4), tmp_path / "out"
    files = [str(path) for path in sorted(photos.iterdir())[:2]]
    run_catalog(BrightSquares(), collect_inputs(files), PRODUCTS, out)
    decided = dict(zip(files, ("rejected", "accepted"), strict=True))
    reviewed = ReviewedRun(out)
    reviewed.decide(reviewed.chosen([{"file": file, "decision": to} for file, to in decided.items()]))
    summary = run(RayEngine(BrightSquares, cluster, 2), photos, out, resume=True)
    assert summary.resumed == 2
    assert {file: hand.decision for file, hand in read_hands(out).items()} == decided
    images = json.loads((out / "report.json").read_text())["images"]
    assert [image.get("by_hand", {}).get("decision") for image in images] == ["rejected", "accepted", None, None]


# Deaths


def test_a_worker_killed_at_a_picture_loses_and_doubles_nothing(
    cluster: str, photos: Path, whole: Path, tmp_path: Path
) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    run(RayEngine(partial(Noting, log, deadly=4), cluster, 2), photos, out)
    assert_same_run(out, whole)
    # At most the pictures that the dead worker had are worked on again.
    assert set(noted(log)) == set(range(9)) and noted(log).count(4) == 2 and len(noted(log)) <= 9 + AHEAD


def test_workers_killed_at_ten_random_moments(cluster: str, tmp_path: Path) -> None:
    photos, log, rng = numbered_photos(tmp_path / "photos", 60), tmp_path / "log", random.Random(3)
    run_catalog(BrightSquares(), collect_inputs([photos]), PRODUCTS, tmp_path / "whole")
    killed: list[int] = []

    def kill() -> None:
        while len(killed) < 10:
            time.sleep(rng.uniform(0.05, 0.4))
            begun = Counter(int(line.split()[0]) for line in lines(log))
            # One that has finished a picture: five deaths at the same picture end a run, as they should.
            at_work = [pid for pid, pictures in begun.items() if pictures > 1 and pid not in killed]
            for pid in rng.sample(at_work, min(1, len(at_work))):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    run(RayEngine(partial(Noting, log, pause=0.2), cluster, 2), photos, tmp_path / "out")
    killer.join(0)
    assert len(killed) == 10
    assert_same_run(tmp_path / "out", tmp_path / "whole")
    assert len(recorded(tmp_path / "out")) == 60


def test_a_picture_that_ends_every_worker_is_named(cluster: str, photos: Path, whole: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    with pytest.raises(CatalogError, match=r"workers ended while they worked on .*004\.png .*--resume\.$"):
        run(RayEngine(partial(Noting, log, deadly=4, always=True), cluster, 2), photos, out)
    # A death can also take the result of the picture before with it, and then counts for that one.
    assert LOSSES <= noted(log).count(4) <= LOSSES + 2
    assert run(RayEngine(BrightSquares, cluster, 2), photos, out, resume=True).matched == 6
    assert_same_run(out, whole)


def test_the_only_node_killed_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    photos = numbered_photos(tmp_path / "photos", 40)
    out, log = tmp_path / "out", tmp_path / "log"
    child = start(command(fast(log), photos, out, *TWO), tmp_path / "stderr")
    wait_for_lines(out / "ledger.jsonl", 5, child)
    (raylet,) = [p for p in psutil.Process(child.pid).children(recursive=True) if p.name() == "raylet"]
    raylet.kill()
    assert child.wait(PATIENCE) == 1
    (said,) = sentences((tmp_path / "stderr").read_text())
    assert "is gone" in said and "--resume" in said
    before = len(lines(out / "ledger.jsonl")) - 1
    last = finish(command(fast(log), photos, out, "--resume"))
    assert last.returncode == 0 and f"({before} from the earlier run)" in last.stderr, last.stderr
    assert len(recorded(out)) == len(set(recorded(out))) == 40


class Deserted:
    """Ray whose machines are those of ``alive``, one look after the other, and which answers after the last."""

    exceptions = ray_cluster.import_ray().exceptions

    def __init__(self, *alive: bool | Exception) -> None:
        self.alive = list(alive)

    def wait(self, references, num_returns, timeout):
        return ([], references) if self.alive else (references[:1], references[1:])

    def nodes(self):
        answer = self.alive.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [{"Alive": answer}]


@pytest.mark.parametrize("patience", [0.0, PATIENCE])
def test_a_cluster_of_others_has_time_to_come_back(patience: float) -> None:
    pool = object.__new__(ray_engine._Pool)
    pool.ray, pool.patience = Deserted(True, False, RuntimeError("no connection"), True), patience
    pool.in_flight, pool.starting = {"answer": None}, {}
    if patience:
        assert pool._next() == "answer"
    else:
        with pytest.raises(MachinesGoneError, match="--resume"):
            pool._next()


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_the_driver_stopped_and_nothing_of_its_cluster_left(tmp_path: Path, stop: signal.Signals) -> None:
    photos = numbered_photos(tmp_path / "photos", 40)
    whole, out, log = tmp_path / "whole", tmp_path / "out", tmp_path / "log"
    assert finish(command(fast(tmp_path / "other log"), photos, whole)).returncode == 0
    child = start(command(fast(log), photos, out, *TWO), tmp_path / "stderr")
    wait_for_lines(out / "ledger.jsonl", 5, child)
    family = psutil.Process(child.pid).children(recursive=True)
    name = {process.pid: process.name() for process in family}
    assert "raylet" in name.values()
    child.send_signal(stop)
    assert child.wait(PATIENCE) == {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130}[stop]
    scratch = Path(scratch_of(out))
    assert scratch.exists() == (stop == signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=30)
    # Ray's own agents, idle and without models, try for a minute to tell a killed driver that they end.
    assert {name[process.pid] for process in alive} <= {"ray::DashboardAgent", "ray::RuntimeEnvAgent"}
    before = lines(out / "ledger.jsonl")
    assert 5 <= len(before) < 41
    last = finish(command(fast(log), photos, out, *TWO, "--resume"))
    assert (last.returncode, last.stdout) == (0, ""), last.stderr
    assert f"({len(before) - 1} from the earlier run)" in last.stderr and len(sentences(last.stderr)) == 1
    assert lines(out / "ledger.jsonl")[: len(before)] == before and len(recorded(out)) == len(set(recorded(out))) == 40
    assert_same_run(out, whole)
    assert not scratch.exists()
    assert psutil.wait_procs(alive, timeout=120)[1] == []


def test_the_driver_killed_at_ten_random_moments(cluster: str, tmp_path: Path) -> None:
    count, rng = 100, random.Random(11)
    photos = numbered_photos(tmp_path / "photos", count, 40, 80)
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert finish(command(fast(tmp_path / "other log"), photos, whole)).returncode == 0
    options = ("--engine", "ray", "--address", cluster, "--workers", "1")
    done: list[bytes] = []
    for turn in range(10):
        # Of its own: workers of a killed driver may go on for a moment.
        log = tmp_path / f"log {turn}"
        child = start(command(fast(log), photos, out, *options, *(["--resume"] if done else [])), tmp_path / "stderr")
        wait_for_lines(out / "ledger.jsonl", len(done) + rng.randrange(1 + bool(done), 6), child)
        time.sleep(rng.uniform(0, 0.1))
        child.kill()
        assert child.wait(PATIENCE) == -signal.SIGKILL, (tmp_path / "stderr").read_text()
        now = lines(out / "ledger.jsonl")
        assert now[: len(done)] == done
        begun = [int(number) for number in lines(log) if number != b"start"]
        assert len(set(begun)) == len(begun)
        assert not {f"{number:03}.png" for number in begun}.intersection(names_of(done))
        done = now
    assert len(done) < count
    last = finish(command(fast(tmp_path / "log"), photos, out, *options, "--resume"))
    assert last.returncode == 0 and f"({len(done) - 1} from the earlier run)" in last.stderr
    assert len(recorded(out)) == len(set(recorded(out))) == count
    assert_same_run(out, whole)


def names_of(ledger: list[bytes]) -> set[str]:
    return {Path(json.loads(line)["file"]).name for line in ledger[1:]}


# Limits and errors


def test_few_pictures_are_in_flight(cluster: str, tmp_path: Path) -> None:
    photos = numbered_photos(tmp_path / "photos", 30)
    taken, most = 0, 0

    def sources():
        nonlocal taken
        for item in enumerate(collect_inputs([photos])):
            taken += 1
            yield item

    out = tmp_path / "out"
    for finished, _ in enumerate(RayEngine(BrightSquares, cluster, 2).process(sources(), PRODUCTS, out, frozenset())):
        most = max(most, taken - finished)
    assert taken == 30 and 2 * AHEAD <= most <= 2 * AHEAD + 1


def test_an_input_is_never_overwritten(cluster: str, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    engine = RayEngine(BrightSquares, cluster, 1)
    run(engine, photos, out)
    shutil.rmtree(out / "enhanced")
    (out / "enhanced").symlink_to(photos, target_is_directory=True)
    before = (photos / "001.png").read_bytes()
    paint(photos / "000.png", (5, 5, 30, 30))
    with pytest.raises(CatalogError, match="leads out of that folder"):
        run(engine, photos, out, resume=True)
    assert (photos / "001.png").read_bytes() == before


def no_weights():
    raise WeightsError("A model file is missing; run: models get embedded.")


class Faulty(BrightSquares):
    def run(self, image: np.ndarray, products, space=None):
        raise ZeroDivisionError("a fault of the program")


class Stuck:
    """Cannot be unpickled in a worker."""

    def __call__(self):
        raise AssertionError

    def __reduce__(self):
        return exec, ("raise ImportError('no such module there')",)


@pytest.mark.parametrize(
    ("make_filter", "kind", "text"),
    [
        (no_weights, WeightsError, "^A model file is missing; run: models get embedded.$"),
        (Faulty, ZeroDivisionError, "a fault of the program"),
        (Stuck(), CatalogError, "workers do not start .*no such module there.*--resume.$"),
    ],
)
def test_errors_in_workers_arrive_as_they_are(
    cluster: str, photos: Path, tmp_path: Path, make_filter, kind, text: str
) -> None:
    with pytest.raises(kind, match=text) as caught:
        run(RayEngine(make_filter, cluster, 2), photos, tmp_path / "out")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "ray", "--address", "127.0.0.1:1"], "There is no Ray cluster at 127.0.0.1:1 that can be used"),
        (["--engine", "ray", "--address", "nonsense"], "There is no Ray cluster at nonsense that can be used"),
        (["--address", "auto"], "add --engine ray"),
        (["--workers", "2"], "add --engine ray"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, options: list[str], said: str) -> None:
    paint(tmp_path / "photos" / "a.png")
    result = finish(command(fast(tmp_path / "log"), tmp_path / "photos", tmp_path / "out", *options))
    (sentence,) = sentences(result.stderr)
    assert (result.returncode, result.stdout) == (2, "") and said in sentence and sentence.endswith(".")


def test_more_workers_than_cores_are_refused(cluster: str, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="has 2 cores; ask for at most that many"):
        run(RayEngine(BrightSquares, cluster, 3), photos, tmp_path / "out")


def test_without_ray_the_command_says_how_to_get_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CatalogError, match=r"ray, .* is not installed; run: .* -m pip install \"ray>=2.9,<3\"$"):
        RayEngine(BrightSquares)


@pytest.mark.parametrize(
    ("cores", "workers", "threads"), [([2], 1, 2), ([2], 2, 1), ([3, 3], 2, 3), ([3, 3], 3, 1), ([8, 1], 3, 2)]
)
def test_every_worker_finds_room_for_its_threads(cores: list[int], workers: int, threads: int) -> None:
    assert threads_each(cores, workers) == threads


def test_a_worker_uses_its_own_cores_only(cluster: str, tmp_path: Path) -> None:
    paint(tmp_path / "photos" / "a.png", (5, 5, 30, 30))
    for workers, threads in ((1, 2), (2, 1)):
        told = tmp_path / f"told {workers}"
        run(RayEngine(partial(Threads, told), cluster, workers), tmp_path / "photos", tmp_path / f"out {workers}")
        assert json.loads(told.read_text()) == [threads, threads]


class Threads(BrightSquares):
    """Tells how many threads OpenCV and torch use."""

    def __init__(self, told: Path) -> None:
        import torch  # noqa: F401  (as real models import it)

        super().__init__()
        self.told = told

    def run(self, image: np.ndarray, products, space=None):
        import cv2
        import torch

        self.told.write_text(json.dumps([cv2.getNumThreads(), torch.get_num_threads()]))
        return super().run(image, products)
