"""How long the outline editor takes to answer a step: until the likely outline is there, and until all answers are.

    python benchmarks/correction_times.py --drawn SHARED_DATA --half odd --side 2048

Each picture with a hand-drawn outline is brought to ``--side`` pixels, the largest in which outlines are edited. The
outline that is corrected lacks a third of the product and holds a disc that is none of it. Asked about: a click that
adds what is missing and one that takes the disc away, a box and a line around the whole product, a line around what is
missing, and one along a strip that is missing, drawn by the hand of ``hand.py``. The picture's embedding is there
already, as it is made ahead; each time holds the PNG files that the page is sent. Reported: median, 95th percentile and
longest, in seconds and in multiples of a product of two 2048 x 2048 float32 matrices. Run it on a machine that does
nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from correction_clicks import REACH, next_click  # noqa: E402
from hand import HAND, line_along, loop_around  # noqa: E402
from outline_cases import drawn_cases  # noqa: E402

from lib_photoshoot.correction.fixer import click_outliner, mask_png  # noqa: E402
from lib_photoshoot.images import read_picture  # noqa: E402
from lib_photoshoot.masks.morphology import mask_box  # noqa: E402
from lib_photoshoot.pages.fixing import Step, StepKind  # noqa: E402
from lib_photoshoot.segmentation.working_copy import resized_mask  # noqa: E402

DISC = 0.06
"""Radius of what is too much, as a share of the longest side."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--drawn", type=Path, required=True, help="the folder over which tests/outlines.json was drawn"
    )
    options.add_argument("--half", choices=["odd", "even", "all"], default="odd")
    options.add_argument("--side", type=int, default=2048, help="longest side, in pixels")
    options.add_argument("--most", type=int, help="so many pictures at most")
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    outliner, first, whole = click_outliner(), {}, {}
    unit = matmul_seconds()
    cases = list(drawn_cases(given.drawn, ROOT / "tests" / "outlines.json"))
    if given.half != "all":
        cases = cases[given.half == "odd" :: 2]
    for case in cases[: given.most]:
        picture = read_picture(case.picture).srgb
        scale = given.side / max(picture.shape[:2])
        image = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        image.flags.writeable = False
        truth = resized_mask(case.instances[0], image.shape)
        start = spoilt(truth)
        outliner.prepare(image)
        for name, begin, step in steps_for(truth, start, case.name):
            took, mask = timed(lambda: outliner.first(image, begin, [step]).mask)  # noqa: B023
            encoding, _ = timed(lambda: mask_png(mask))  # noqa: B023
            others, _ = timed(lambda: [mask_png(one.mask) for one in outliner.answers(image, begin, [step]).all])  # noqa: B023
            first.setdefault(name, []).append(took + encoding)
            whole.setdefault(name, []).append(took + encoding + others)
    print(f"a product of matrices took {unit:.3f} s; median / 95th percentile / longest")
    for title, times in (("the likely answer", first), ("all answers", whole)):
        print(f"\n{title}")
        for name, seconds in [*times.items(), ("any step", [one for some in times.values() for one in some])]:
            told = np.median(seconds), np.percentile(seconds, 95), max(seconds)
            print(
                f"{name:22}", " / ".join(f"{one:.2f}" for one in told), "s,",
                " / ".join(f"{one / unit:.1f}" for one in told), "matmuls", f"({len(seconds)})",
            )  # fmt: skip
    return 0


def timed(act: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    begun = time.perf_counter()
    result = act()
    return time.perf_counter() - begun, result


def matmul_seconds() -> float:
    """The least of five, after one that warms up."""
    import torch

    matrix = torch.rand(2048, 2048)
    return min([timed(lambda: matrix @ matrix)[0] for _ in range(6)][1:])


def spoilt(truth: np.ndarray) -> np.ndarray:
    """An outline without the right third of the true one, and with a disc in the picture's emptiest corner."""
    x0, _, x1, _ = mask_box(truth) or (0.0, 0.0, 1.0, 1.0)
    start = truth.copy()
    start[:, round(x0 + 0.67 * (x1 - x0)) :] = False
    height, width = truth.shape
    radius = round(DISC * max(truth.shape))
    corners = [(x, y) for x in (radius, width - radius) for y in (radius, height - radius)]
    discs = [cv2.circle(np.zeros(truth.shape, np.uint8), corner, radius, (1,), cv2.FILLED) > 0 for corner in corners]
    return start | min(discs, key=lambda disc: np.count_nonzero(disc & truth))


def steps_for(truth: np.ndarray, start: np.ndarray, seed: str) -> Iterator[tuple[str, np.ndarray | None, Step]]:
    """Each step with its name and the outline that it corrects."""
    rng, reach = np.random.default_rng(list(seed.encode())), REACH * HAND * max(truth.shape)
    missing, x = truth & ~start, mask_box(truth) or (0.0, 0.0, 1.0, 1.0)
    for name, wanted in (("click that adds", start | truth), ("click that takes away", start & truth)):
        click = next_click(start, wanted)
        if click is not None:
            yield name, start, Step(StepKind.CLICK, click[2], (click[:2],), reach)
    yield "box", None, Step(StepKind.BOX, True, ((x[0], x[1]), (x[2], x[3])))
    yield "line around all", start, Step(StepKind.LOOP, True, tuple(loop_around(truth, rng)), reach)
    if missing.any():
        yield "line around a part", start, Step(StepKind.LOOP, True, tuple(loop_around(missing, rng)), reach)
    strip = np.zeros_like(truth)
    middle, half = round((x[0] + x[2]) / 2), max(1, round(HAND * max(truth.shape)))
    strip[:, middle - half : middle + half] = truth[:, middle - half : middle + half]
    if strip.any():
        yield "line along a strip", truth & ~strip, Step(StepKind.LINE, True, tuple(line_along(strip, rng)), reach)


if __name__ == "__main__":
    sys.exit(main())
