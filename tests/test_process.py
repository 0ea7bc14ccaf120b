"""The real process: killed at any moment, interrupted, out of disk, and with every kind of bad input.

Where the models do not matter, the child is the real command line with the bright-squares filter in their place.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.results import FilterResult, Reason, Rejection
from tests.conftest import hearing_interrupts
from tests.pages import read_page
from tests.test_catalog import BrightSquares

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and permissions as POSIX has them")
ROOT = Path(__file__).parents[1]
# One thread: on a busy machine two that wait for each other take longer.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
REAL = ("-m", "lib_photoshoot")
PATIENCE = 180
MEMORY_LIMIT = 2_500_000_000

# The memory of a process counts from its fork, when it is still its parent's: so this small one stands between.
MEASURED = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)))
sys.exit(os.waitstatus_to_exitcode(status))
"""


# The child


class Witness(BrightSquares):
    """Notes the number in each picture's first pixel, and gives ``rejections`` rejections of every kind."""

    def __init__(self, log: str, victim: str | None, rejections: int) -> None:
        super().__init__()
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.victim, self.rejections = victim, rejections
        os.write(self.log, b"start\n")

    def run(self, image: np.ndarray, products, space=None) -> FilterResult:
        os.write(self.log, b"%d\n" % image[0, 0, 0])
        if self.victim is not None:
            Path(self.victim).unlink(missing_ok=True)
        time.sleep(0.01)
        rejected = tuple(Rejection(products[0].name, (0, 0, 9, 9), 0.1, reason) for reason in Reason)
        return dataclasses.replace(super().run(image, products), rejected=rejected * self.rejections)


def driver(log: str, victim: str | None, rejections: int) -> None:
    """The command line, with the witness in place of the models."""
    from lib_photoshoot import build
    from lib_photoshoot.cli.main import main

    build.build_filter = lambda *_: Witness(log, victim, rejections)  # type: ignore[assignment, return-value]
    main()


# Around the child


def fast(log: Path, victim: Path | None = None, rejections: int = 1) -> tuple[str, str]:
    where = None if victim is None else str(victim)
    return "-c", f"from tests.test_process import driver; driver({str(log)!r}, {where!r}, {rejections})"


def command(python: Sequence[str], source: Path, out: Path, *more: str, products: str = "lamp") -> list[str]:
    return [sys.executable, *python, "filter", str(source), "--products", products, "--out", str(out), *more]


def start(arguments: Sequence[str], stderr: Path) -> subprocess.Popen:
    with hearing_interrupts(), open(stderr, "wb") as file:
        return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=file, cwd=ROOT, env=ENVIRONMENT)


def finish(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, cwd=ROOT, env=ENVIRONMENT, timeout=PATIENCE, encoding="utf-8")


def sentences(stderr: str) -> list[str]:
    """Lines of standard error without those of the progress and the libraries' warnings."""
    others = re.compile(r"^ |Warning: | \(\d+ s\)$")
    return [line for line in stderr.splitlines() if not others.search(line)]


def wait_for_lines(path: Path, count: int, child: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(lines(path)) < count and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def lines(path: Path) -> list[bytes]:
    """The whole lines of a file that is perhaps just being written."""
    return path.read_bytes().split(b"\n")[:-1] if path.is_file() else []


def recorded(out: Path) -> list[str]:
    return [json.loads(line)["file"] for line in lines(out / "ledger.jsonl")[1:]]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes; the report without its times."""
    found = {item.relative_to(folder).as_posix(): item.read_bytes() for item in folder.rglob("*") if item.is_file()}
    report = json.loads(found["report.json"])
    for entry in report["images"]:
        entry.pop("seconds")
    return found | {"report.json": json.dumps(report).encode()}


def assert_same(out: Path, whole: Path) -> None:
    found, expected = contents(out), contents(whole)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def assert_nothing_is_torn(out: Path) -> None:
    """Whatever stands under its final name is whole."""
    for item in out.rglob("*"):
        if item.suffix in (".png", ".jpg"):
            with Image.open(item) as image:
                image.load()
        elif item.suffix == ".json":
            json.loads(item.read_bytes())


def numbered_photos(folder: Path, count: int, height: int = 120, width: int = 160) -> Path:
    """Noise with bright squares, each with its own number in the first pixel; every third shows nothing."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        pixels = rng.integers(0, 120, (height, width, 3), dtype=np.uint8)
        if number % 3:
            pixels[20:60, 20 + number : 60 + number] = 255
        pixels[0, 0] = number
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def weights() -> None:
    from lib_photoshoot.weights.store import missing

    if absent := missing("embedded"):
        pytest.skip(f"embedded weights absent: {', '.join(weight.name for weight in absent)}")


# Stops


def test_kills_at_any_moment_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    count, rng = 30, random.Random(5)
    photos = numbered_photos(tmp_path / "photos", count, 240, 320)
    (photos / "broken.jpg").write_text("no picture")
    # In the input folder, where each resumed run meets it.
    whole, out, log = tmp_path / "whole", photos / "out", tmp_path / "log"
    assert finish(command(fast(tmp_path / "log of whole"), photos, whole)).returncode == 1

    seen: list[bytes] = []
    killed = 0
    for turn in range(12):
        before = lines(out / "ledger.jsonl")
        log.unlink(missing_ok=True)
        more = ("--resume",) if before else ()
        child = start(command(fast(log), photos, out, *more), tmp_path / "stderr")
        # Ten times while pictures are worked on, then twice around the reports.
        if turn < 10:
            wait_for_lines(log, 1 + rng.randrange(3), child)
        else:
            wait_for_lines(out / "ledger.jsonl", 1 + count, child)
        time.sleep(rng.uniform(0, 0.05 if turn < 10 else 0.2))
        child.kill()
        killed += child.wait() == -signal.SIGKILL
        done = {Path(json.loads(line)["file"]).name for line in before[1:]}
        worked_on = [f"{int(number):03}.png" for number in lines(log)[1:]]
        assert not done.intersection(worked_on) and len(set(worked_on)) == len(worked_on)
        assert lines(out / "ledger.jsonl")[: len(before)] == before
        assert_nothing_is_torn(out)
        seen += lines(log)[1:]
    assert killed >= 10
    last = finish(command(fast(log), photos, out, "--resume"))
    assert last.returncode == 1 and f"({count} from the earlier run)" in last.stderr
    # Each kill costs at most the one picture that was worked on.
    assert len(set(seen)) == count and len(seen) <= count + killed
    assert_same(out, whole)


def test_ctrl_c_and_kill_of_the_real_command(weights: None, tmp_path: Path) -> None:
    out, stderr = tmp_path / "out", tmp_path / "stderr"
    kept: list[bytes] = []
    for stop, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        more = ("--resume",) if kept else ()
        child = start(command(REAL, ROOT / "samples", out, *more, products="cup"), stderr)
        wait_for_lines(out / "ledger.jsonl", max(2, len(kept) + 1), child)
        child.send_signal(stop)
        assert child.wait(PATIENCE) == code, stderr.read_text()
        if stop == signal.SIGINT:
            (said,) = sentences(stderr.read_text("utf-8"))
            assert said.startswith("Interrupted") and str(out) in said and "--resume" in said
        now = lines(out / "ledger.jsonl")
        assert now[: len(kept)] == kept and len(kept) < len(now) < 5
        kept = now
        written = {name: (out / name).stat().st_mtime_ns for line in kept[1:] for name in json.loads(line)["outputs"]}

    last = finish(command(REAL, ROOT / "samples", out, "--resume", products="cup"))
    assert (last.returncode, last.stdout) == (0, "") and f"({len(kept) - 1} from the earlier run)" in last.stderr
    # The lines of finished pictures, with the times they took, are those of the first runs; so are their files.
    assert lines(out / "ledger.jsonl")[: len(kept)] == kept
    assert {name: (out / name).stat().st_mtime_ns for name in written} == written
    decisions = {Path(e["file"]).stem: e["decision"] for e in json.loads((out / "report.json").read_text())["images"]}
    assert decisions == {"astronaut": "skip", "chelsea": "skip", "coffee": "match", "moon": "skip"}
    assert len(recorded(out)) == 4
    names = {item.relative_to(out).as_posix() for item in out.rglob("*") if item.is_file()}
    outputs = {name for line in lines(out / "ledger.jsonl")[1:] for name in json.loads(line)["outputs"]}
    assert names == outputs | {"ledger.jsonl", "report.json", "report.csv", "report.html", "coco.json"}


def test_a_full_disk_again_and_again(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no permission to mount a small tmpfs")
    try:
        photos = numbered_photos(tmp_path / "photos", 4)
        whole, out, log = tmp_path / "whole", disk / "out", tmp_path / "log"
        # With so many rejections the ledger needs as much room as the pictures, and is as often what does not fit.
        python = fast(log, rejections=80)
        assert finish(command(python, photos, whole)).returncode == 0
        full = 0
        for size in (64, 314, 564, 814, 1314, 4096):
            subprocess.run(["mount", "-o", f"remount,size={size}k", str(disk)], check=True)
            before = recorded(out)
            log.unlink(missing_ok=True)
            result = finish(command(python, photos, out, *(["--resume"] if out.exists() else [])))
            assert not {int(number) for number in lines(log)[1:]}.intersection(int(Path(f).stem) for f in before)
            if result.returncode == 0:
                break
            full += 1
            (said,) = sentences(result.stderr)
            assert (result.returncode, result.stdout) == (2, "")
            assert f"The disk of {out} is full" in said and "--resume" in said
            assert (out / "ledger.jsonl").read_bytes().endswith(b"\n") and recorded(out)[: len(before)] == before
            assert not list(out.rglob("*.part"))
            assert_nothing_is_torn(out)
        assert result.returncode == 0 and full >= 3
        assert_same(out, whole)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# Inputs


def test_a_file_that_disappears_while_the_run_is_on(tmp_path: Path) -> None:
    photos = numbered_photos(tmp_path / "photos", 3)
    out, log = tmp_path / "out", tmp_path / "log"
    result = finish(command(fast(log, photos / "001.png"), photos, out))
    assert (result.returncode, result.stdout) == (1, "")
    said, summary = sentences(result.stderr)
    assert str(photos / "001.png") in said and "does not exist" in said and "1 unreadable" in summary
    report = json.loads((out / "report.json").read_text())
    assert [Path(entry["file"]).name for entry in report["images"]] == ["000.png", "002.png"]
    assert report["unreadable"] == [{"file": str(photos / "001.png"), "error": said}]
    # A rejection of every kind has its words in the page.
    details = [
        row for item in read_page((out / "report.html").read_text("utf-8")).items for row in item.get("details", ())
    ]
    assert [name for name, words in details if words].count("Rejected") == 2 * len(Reason)


READABLE = {
    "deep.png": (48, 32), "palette.png": (48, 32), "cmyk.jpg": (48, 32), "alpha.png": (48, 32),
    "turned.jpg": (32, 48), "one.png": (1, 1), "line.png": (300, 1), "moving.gif": (48, 32), "moving.webp": (48, 32),
    "čaj 袋.png": (48, 32), "new\nline.png": (48, 32), "[red]x.png": (48, 32), "huge.png": (12_000, 12_000),
    "twin.jpg": (48, 32), "twin.png": (48, 32), "twin_png.png": (48, 32), "sub/twin.png": (48, 32),
}  # fmt: skip
UNREADABLE = {
    "empty.png": "is empty", "cut.jpg": "is damaged or incomplete", "text.png": "is not a picture",
    "bomb.png": "megapixels", "broken link.png": "is a link to a file that does not exist",
    "袋\n.jpg": "is not a picture", "pipe.png": "is not a file",
}  # fmt: skip
FORBIDDEN = {"secret.png": "may not be read", "locked": "may not be read"}


def bad_inputs(folder: Path) -> None:
    """Write a file for each of ``READABLE``, ``UNREADABLE`` and ``FORBIDDEN``."""
    y, x = np.mgrid[:32, :48]
    plain = Image.fromarray(np.stack([x * 5, y * 7, x + y], axis=2).astype(np.uint8))
    (folder / "sub").mkdir(parents=True)
    (folder / "locked").mkdir()
    for name in ("čaj 袋.png", "new\nline.png", "[red]x.png", "twin.jpg", "twin.png", "twin_png.png", "sub/twin.png",
                 "secret.png", "locked/inside.png"):  # fmt: skip
        plain.save(folder / name)
    Image.fromarray(np.asarray(plain.convert("L")).astype(np.uint16) * 257).save(folder / "deep.png")
    plain.quantize(32).save(folder / "palette.png")
    plain.convert("CMYK").save(folder / "cmyk.jpg")
    clear = plain.copy()
    clear.putalpha(100)
    clear.save(folder / "alpha.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    plain.save(folder / "turned.jpg", exif=exif)
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    Image.new("RGB", (300, 1)).save(folder / "line.png")
    others = [Image.new("RGB", plain.size, colour) for colour in ("red", "blue")]
    plain.save(folder / "moving.gif", save_all=True, append_images=others)
    plain.save(folder / "moving.webp", save_all=True, append_images=others)
    # With transparency: of all kinds the one that needs the most memory.
    huge = Image.new("RGBA", (12_000, 12_000), (90, 120, 150, 200))
    huge.paste(clear.resize((480, 320)), (5000, 6000))
    huge.save(folder / "huge.png", compress_level=1)

    (folder / "empty.png").touch()
    Image.effect_noise((64, 64), 90).save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-600])
    (folder / "text.png").write_text("not a picture at all")
    (folder / "袋\n.jpg").write_text("nor this")
    (folder / "bomb.png").write_bytes(black_png(30_000))
    (folder / "broken link.png").symlink_to("nowhere.png")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.png")


def black_png(side: int) -> bytes:
    """A whole and valid bilevel PNG of a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + (side + 7) // 8) * side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def fingerprint(folder: Path, out: Path) -> dict[str, str]:
    """What every file, link and folder is; ``out`` is left out, and so is what links lead to."""
    found = {}
    for item in sorted(folder.rglob("*")):
        if item.is_symlink():
            found[str(item)] = os.readlink(item)
        elif item != out and out not in item.parents:
            found[str(item)] = hashlib.sha256(item.read_bytes()).hexdigest() if item.is_file() else "no file"
    return found


def without_override() -> list[str] | None:
    """What to put before a command so that permissions bind it; None where root cannot give its rights up."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    usable = shutil.which("setpriv") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    return prefix if usable else None


def test_every_kind_of_bad_input_in_one_run(weights: None, tmp_path: Path) -> None:
    folder, measured = tmp_path / "photos", tmp_path / "measured"
    out = folder / "out"
    bad_inputs(folder)
    prefix = without_override()
    if prefix is None:
        (folder / "secret.png").unlink()
        shutil.rmtree(folder / "locked")
    before = fingerprint(folder, out)
    arguments = [*(prefix or []), *command(REAL, folder, out, products="cup")]
    forbidden = [] if prefix is None else [folder / name for name in FORBIDDEN]
    for item in forbidden:
        item.chmod(0)
    try:
        result = finish([sys.executable, "-c", MEASURED, str(measured), *arguments])
    finally:
        for item in forbidden:
            item.chmod(0o755)
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    assert "Traceback" not in result.stderr
    assert fingerprint(folder, out) == before

    report = json.loads((out / "report.json").read_text())
    sizes = [(entry["file"], (entry["width"], entry["height"])) for entry in report["images"]]
    assert sorted(sizes) == sorted((str(folder / name), size) for name, size in READABLE.items())
    said = sentences(result.stderr)
    bad = UNREADABLE | (FORBIDDEN if forbidden else {})
    for name, phrase in bad.items():
        (sentence,) = [line for line in said if line.startswith(str(folder / name).replace("\n", "\\n") + " ")]
        assert phrase in sentence and sentence.endswith(".")
        assert {"file": str(folder / name), "error": sentence} in report["unreadable"]
    assert len(report["unreadable"]) == len(bad)
    notes = [line for line in said if "only the first of 3 frames" in line]
    bare = [line for line in said if line.startswith(f"{folder / 'cmyk.jpg'}: CMYK without a colour profile")]
    # Besides a sentence for each bad file: a note on each animation, one on CMYK, and the summary.
    assert len(notes) == 2 and len(bare) == 1 and len(said) == len(bad) + len(notes) + len(bare) + 1
    stems = [json.loads(line)["stem"] for line in lines(out / "ledger.jsonl")[1:]]
    assert len({stem.casefold() for stem in stems}) == len(READABLE)
    assert int(measured.read_text()) < MEMORY_LIMIT
