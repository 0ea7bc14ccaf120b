"""What colour costs: reading and retouching a picture of 12 megapixels, here and in another checkout, in pairs.

    python benchmarks/colour_time.py --against CHECKOUT [--rounds 5] [--side 4000]

A checkout of the state before is made by `git worktree add FOLDER COMMIT`. Each round starts a process a side, one
after the other, so that the ratio holds when the machine's speed drifts; each warms up with the picture once, then
takes the better of two. Printed per kind of file: the medians, the median ratio, and peak memory. Exits with 1 where
the ratio is above 1.2 for sRGB, or above 1.5 for other files.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

LIMITS = {"sRGB JPEG": 1.2, "sRGB PNG": 1.2}
OTHERS = 1.5
CHILD = """
import inspect, json, re, sys, time
from pathlib import Path
import numpy as np
from lib_photoshoot.enhancement.retouch import Retouch
from lib_photoshoot.images import read_picture
from lib_photoshoot.results import ProductRegion

def once():
    start = time.perf_counter()
    picture = read_picture(sys.argv[1])
    spaced = "space" in inspect.signature(Retouch.enhance).parameters
    given = (picture.best, regions(picture), picture.space) if spaced else (picture.pixels, regions(picture))
    Retouch().enhance(*given)
    return time.perf_counter() - start

def regions(picture):
    y, x = np.ogrid[:picture.height, :picture.width]
    far = ((x / picture.width - 0.5) / 0.35) ** 2 + ((y / picture.height - 0.5) / 0.4) ** 2
    return [ProductRegion("bag", (0.0, 0.0, float(picture.width), float(picture.height)), 0.9, far < 1, 0.9)]

once()
seconds = min(once(), once())
# A process's own peak: what getrusage tells includes that of the one that started it.
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(json.dumps([seconds, int(peak[1]) / 1024]))
"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--against", type=Path, required=True, metavar="CHECKOUT")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--side", type=int, default=4000, help="pixels of the longer side, 3:4")
    given = options.parse_args()

    missed = False
    print(f"{'file':16}{'here, s':>9}{'there, s':>10}{'ratio':>7}{'here, MB':>10}{'there, MB':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in _files(Path(folder), given.side).items():
            pairs = [(_measured(ROOT, path), _measured(given.against, path)) for _ in range(given.rounds)]
            ratio = statistics.median(here[0] / there[0] for here, there in pairs)
            figures = [statistics.median(pair[side][kind] for pair in pairs) for kind in (0, 1) for side in (0, 1)]
            print(f"{name:16}{figures[0]:9.2f}{figures[1]:10.2f}{ratio:7.2f}{figures[2]:10.0f}{figures[3]:11.0f}")
            missed |= ratio > LIMITS.get(name, OTHERS)
    print("a limit is missed" if missed else "within the limits")
    return 1 if missed else 0


def _measured(checkout: Path, path: Path) -> tuple[float, float]:
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], env=environment, cwd=checkout, check=True, capture_output=True
    )
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def _files(folder: Path, side: int) -> dict[str, Path]:
    import cv2
    import numpy as np
    from PIL import Image

    from lib_photoshoot.colour.deep import encode_deep
    from tests.colour.drawn_articles import spaces

    drawn = np.random.default_rng(0).integers(60, 200, (side * 3 // 40, side // 10, 3), np.uint8)
    deep = cv2.resize(drawn.astype(np.uint16) * 257, (side, side * 3 // 4), interpolation=cv2.INTER_CUBIC)
    pixels = Image.fromarray((deep // 257).astype(np.uint8))
    adobe, p3 = spaces()["Adobe RGB"].icc, spaces()["Display P3"].icc
    files = {
        "sRGB JPEG": ("a.jpg", {"quality": 92}),
        "sRGB PNG": ("a.png", {"compress_level": 1}),
        "Adobe RGB JPEG": ("adobe.jpg", {"quality": 92, "icc_profile": adobe}),
        "Display P3 JPEG": ("p3.jpg", {"quality": 92, "icc_profile": p3}),
    }
    for file, how in files.values():
        pixels.save(folder / file, **how)
    (folder / "deep.png").write_bytes(encode_deep(deep, None, {}))
    return {name: folder / file for name, (file, _) in files.items()} | {"sRGB PNG 16": folder / "deep.png"}


if __name__ == "__main__":
    sys.exit(main())
