"""How well the likely answer to one line around a whole product is its outline, by how exact the hand is.

    python benchmarks/correction_loops.py --ecssd FOLDER --half odd [--with-gaps] [--hand 0.004] [--most 60]

ECSSD's pictures (Shi et al. 2016) of one piece, chosen by chance; the line is drawn by ``hand.py``, off by ``--hand``
of the picture's longest side. ``--with-gaps`` draws as people do who do not go in between legs: around the outline
closed by an ellipse of 12 % of the product's size, of those pictures where that adds 5 % or more. Reported: IoU of the
likely answer, of the line as drawn, and of the best answer; how many reach 0.95. ``--half``: choose on one half, report
on the other.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import cv2  # noqa: E402
import hand  # noqa: E402
import numpy as np  # noqa: E402

from lib_photoshoot.correction.alternatives import AS_DRAWN  # noqa: E402
from lib_photoshoot.correction.fixer import click_outliner  # noqa: E402
from lib_photoshoot.images import read_picture  # noqa: E402
from lib_photoshoot.masks.comparison import mask_iou  # noqa: E402
from lib_photoshoot.pages.fixing import Step, StepKind  # noqa: E402
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy  # noqa: E402

GOAL = 0.95
REACH = 0.02
"""How far off the page takes a hand to be, as a share of the longest side: 18 pixels on a stage of 900."""
CLOSED, LEAST_GAP = 0.12, 0.05


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--ecssd", type=Path, required=True)
    options.add_argument("--half", choices=["odd", "even"], default="odd")
    options.add_argument("--with-gaps", action="store_true")
    options.add_argument("--hand", type=float, default=0.004)
    options.add_argument("--most", type=int, default=60)
    options.add_argument("--seed", type=int, default=6)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    hand.HAND = given.hand
    outliner, rows = click_outliner(), []
    for number, truth, around in _cases(given):
        image = working_copy(read_picture(given.ecssd / "images" / f"{number:04}.jpg").srgb)
        truth, around = (resized_mask(mask, image.shape) for mask in (truth, around))
        outliner.prepare(image)
        line = hand.loop_around(around, np.random.default_rng(number))
        answers = outliner.answers(image, None, [Step(StepKind.LOOP, True, tuple(line), REACH * max(truth.shape))])
        found = {answer.name: mask_iou(answer.mask, truth) for answer in answers.all}
        likely = answers.names[answers.likely]
        rows.append((found[likely], found.get(AS_DRAWN, 0.0), max(found.values())))
        print(f"{number:04}: {likely} {found[likely]:.3f}, drawn {rows[-1][1]:.3f}, best {rows[-1][2]:.3f}", flush=True)
    ious = np.array(rows)
    print(f"\n{len(rows)} pictures; mean IoU, and how many reach {GOAL}")
    for name, column in zip(("likely answer", "as drawn", "best answer"), ious.T, strict=True):
        print(f"{name}: {column.mean():.4f}, {np.count_nonzero(column >= GOAL)}")
    return 0


def _cases(given: argparse.Namespace) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield a picture's number, its true outline, and what a person draws around; bool (height, width)."""
    numbers = [number for number in range(1, 1001) if (number % 2 == 0) == (given.half == "even")]
    random.Random(given.seed).shuffle(numbers)
    left = given.most
    for number in numbers:
        if not left:
            return
        truth = cv2.imread(str(given.ecssd / "ground_truth_mask" / f"{number:04}.png"), cv2.IMREAD_GRAYSCALE) > 127
        areas = cv2.connectedComponentsWithStats(truth.view(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
        if np.count_nonzero(areas >= 0.03 * areas.sum()) != 1:
            continue  # it marks several things as one
        around = truth
        if given.with_gaps:
            around = _closed(truth)
            if np.count_nonzero(around & ~truth) < LEAST_GAP * np.count_nonzero(truth):
                continue
        left -= 1
        yield number, truth, around


def _closed(mask: np.ndarray) -> np.ndarray:
    side = max(3, round(CLOSED * np.count_nonzero(mask) ** 0.5))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * side + 1,) * 2)
    wide = cv2.morphologyEx(np.pad(mask.view(np.uint8), side), cv2.MORPH_CLOSE, ellipse)
    return wide[side:-side, side:-side] > 0


if __name__ == "__main__":
    sys.exit(main())
