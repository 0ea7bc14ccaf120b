"""Catalogue runs with one process and with Ray's workers: pictures a second, memory, start of a resumed run.

    python benchmarks/catalog.py [--counts 100 1000] [--also-10000] [--side 160] [--matches 4] [--workers 1 2]
                                 [--stand-in]

The pictures are made from ``samples/``: ``--side`` pixels wide, turned, in other colours, so that no two are the same;
one in ``--matches`` is from ``coffee``, which holds the product and takes longest. Each run is the real command in a
process of its own.
``--stand-in`` takes the tests' bright squares in place of the models: what is left is the engines' own cost. Columns:
whole run in seconds; pictures a second once a tenth is done (without the start); the same against one process; peak
resident megabytes of the command and of its largest worker; milliseconds of processor time that the command itself
takes for each picture, once a tenth is done; kilobytes that a picture leaves in the output folder, which is also what a
worker sends; seconds until a run resumed before its last picture has finished that picture. Exits with 1 where reports
differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from PIL import Image  # noqa: E402

STAND_IN = (
    "from lib_photoshoot import build; from lib_photoshoot.cli.main import main; "
    "from tests.bright_squares import BrightSquares; build.build_filter = lambda *_: BrightSquares(); main()"
)
SAMPLES = ("coffee", "moon", "chelsea", "astronaut")


@dataclass
class Measured:
    """One run: seconds in all, pictures a second after the start, peak bytes of command and largest worker.

    ``command_seconds`` is the command's own processor time for each picture after the start.
    """

    seconds: float
    rate: float
    command_bytes: int
    worker_bytes: int
    command_seconds: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--counts", type=int, nargs="+", default=[100, 1000])
    options.add_argument("--also-10000", action="store_true")
    options.add_argument("--side", type=int, default=160)
    options.add_argument("--matches", type=int, default=4, metavar="N", help="every N-th picture holds a product")
    options.add_argument("--stand-in", action="store_true")
    options.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    given = options.parse_args()
    python = ["-c", STAND_IN] if given.stand_in else ["-m", "lib_photoshoot"]
    engines = [("one process", [])]
    engines += [(f"Ray, {n} workers", ["--engine", "ray", "--workers", str(n)]) for n in given.workers]
    same = True
    with tempfile.TemporaryDirectory() as folder:
        columns = f"{'run s':>8}{'1/s':>8}{'ratio':>7}{'MB':>7}{'worker':>7}{'CPU ms':>8}{'KB':>7}{'resume s':>10}"
        print(f"{'pictures':>8}  {'engine':16}{columns}")
        for count in given.counts + [10_000] * given.also_10000:
            photos = make_pictures(Path(folder, str(count)), count, given.side, given.matches)
            rates, reports = [], []
            for name, more in engines:
                out = Path(folder, "out")
                arguments = [sys.executable, *python, "filter", str(photos), "-p", "cup", "-o", str(out), *more]
                run = measure(arguments, out, count)
                rates.append(run.rate)
                reports.append(without_times(out))
                resumed = resume_seconds(arguments, out, count)
                memory = f"{run.command_bytes / 1e6:>7.0f}{run.worker_bytes / 1e6:>7.0f}"
                figures = f"{run.seconds:>8.1f}{run.rate:>8.2f}{run.rate / rates[0]:>7.2f}{memory}"
                cost = f"{run.command_seconds * 1e3:>8.1f}{written(out) / count / 1e3:>7.0f}"
                print(f"{count:>8}  {name:16}{figures}{cost}{resumed:>10.1f}", flush=True)
                shutil.rmtree(out)
            same = same and all(report == reports[0] for report in reports)
    print("reports are the same" if same else "REPORTS DIFFER")
    return 0 if same else 1


def make_pictures(folder: Path, count: int, side: int, matches: int = len(SAMPLES)) -> Path:
    """``count`` pictures of ``side`` x ``side`` pixels: the samples turned, in other colours.

    Every one of ``matches`` is of the first sample, with a bright tile; the others take turns.
    """
    folder.mkdir()
    rng = np.random.default_rng(0)
    small = []
    for name in SAMPLES:
        with Image.open(ROOT / "samples" / f"{name}.jpg") as image:
            small.append(np.asarray(image.convert("RGB").resize((side, side))).astype(np.float32))
    for number in range(count):
        holds = number % matches == 0
        tinted = small[0 if holds else 1 + number % (len(small) - 1)] * rng.uniform(0.7, 1.0, 3)
        pixels = np.clip(np.roll(tinted, rng.integers(0, side // 16, 2), (0, 1)), 0, 199).astype(np.uint8)
        if holds:
            # What the stand-in takes for a product.
            pixels[: side // 8, : side // 8] = 255
        Image.fromarray(pixels).save(folder / f"{number:05}.png", compress_level=1)
    return folder


def measure(arguments: list[str], out: Path, count: int) -> Measured:
    """Run the command to its end, watching its ledger and the memory of all its processes."""
    started = time.perf_counter()
    child = psutil.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL)
    begun, first = started, 0
    command_bytes = worker_bytes = 0
    used = used_at_first = used_at_last = 0.0
    ledger = Watched(out)
    last = started
    while child.poll() is None:
        time.sleep(0.1)
        now = time.perf_counter()
        used = processor_seconds(child) or used
        before = ledger.records
        if ledger.look() > before:
            last, used_at_last = now, used
        if not first and ledger.records >= count / 10:
            begun, first, used_at_first = now, ledger.records, used
        command_bytes = max(command_bytes, *resident([child]), 0)
        worker_bytes = max(worker_bytes, *resident(workers_of(child)), 0)
    assert child.returncode == 0 and ledger.look() == count, arguments
    done = count - first
    rate, each = done / (last - begun), (used_at_last - used_at_first) / done
    return Measured(time.perf_counter() - started, rate, command_bytes, worker_bytes, each)


class Watched:
    """Counts a ledger's records as it grows; reading all of it each time would slow the run down."""

    def __init__(self, out: Path) -> None:
        self.path = out / "ledger.jsonl"
        self.records = -1  # its header
        self.offset = 0

    def look(self) -> int:
        if self.path.is_file():
            with self.path.open("rb") as file:
                file.seek(self.offset)
                grown = file.read()
            self.offset += len(grown)
            self.records += grown.count(b"\n")
        return self.records


def processor_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def written(out: Path) -> int:
    """Bytes of what the pictures left, without the ledger and the reports."""
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file() and path.parent != out)


def workers_of(child: psutil.Process) -> list[psutil.Process]:
    try:
        return [process for process in child.children(recursive=True) if process.name().startswith("ray::Worker")]
    except psutil.NoSuchProcess:
        return []


def resident(processes: list[psutil.Process]) -> list[int]:
    found = [0]
    for process in processes:
        try:
            found.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return found


def resume_seconds(arguments: list[str], out: Path, count: int) -> float:
    """Take the last record away and resume; seconds until it is there again."""
    path = out / "ledger.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    started = time.perf_counter()
    child = subprocess.Popen([*arguments, "--resume"], cwd=ROOT, stderr=subprocess.DEVNULL)
    ledger = Watched(out)
    while ledger.look() < count and child.poll() is None:
        time.sleep(0.02)
    seconds = time.perf_counter() - started
    assert child.wait() == 0
    return seconds


def without_times(out: Path) -> dict:
    report = json.loads((out / "report.json").read_text())
    for entry in report["images"]:
        entry.pop("seconds")
    return report


if __name__ == "__main__":
    sys.exit(main())
