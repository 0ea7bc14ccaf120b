"""How many clicks bring an outline of our filter that is wrong, doubtful or missing to the true one.

    python benchmarks/correction_clicks.py --ecssd FOLDER --table outlines.csv --drawn SHARED_DATA --half odd

Clicks are simulated as RITM and SAM are evaluated (Sofiiuk et al. 2021, https://arxiv.org/abs/2102.06583): each in the
middle of the largest area that is wrong. A person who sees an outline of another thing, or none, draws a box first:
below ``--box-below`` IoU the first action is the true box, its sides 2 % of its size off; it counts as a click. Of each
true instance the best region of the filter is where it begins. Reported: IoU after each action, actions until 0.95, the
share within four, the IoU of the region that would be saved, and how long the answers took. ``--half`` takes every
second case: choose on one half, report on the other. ``--cache`` keeps the filter's outlines between runs.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from outline_cases import Case, drawn_cases, ecssd_cases  # noqa: E402

from lib_photoshoot.build import ModelChoice, load_models  # noqa: E402
from lib_photoshoot.correction.clicks import Click, ClickOutliner  # noqa: E402
from lib_photoshoot.correction.fixer import click_outliner  # noqa: E402
from lib_photoshoot.correction.regions import drawn_region  # noqa: E402
from lib_photoshoot.errors import PhotoshootError  # noqa: E402
from lib_photoshoot.images import read_picture  # noqa: E402
from lib_photoshoot.masks.comparison import mask_iou  # noqa: E402
from lib_photoshoot.masks.morphology import mask_box  # noqa: E402
from lib_photoshoot.products import parse_products  # noqa: E402
from lib_photoshoot.results import Box  # noqa: E402
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy  # noqa: E402

GOAL, ACTIONS = 0.95, 4
BOX_ERROR = 0.02


@dataclass(eq=False)
class Wrong:
    """A true outline, bool (height, width), and what the filter made of it: its outline, None for nothing."""

    case: str
    picture: Path
    truth: np.ndarray
    found: np.ndarray | None

    @property
    def iou(self) -> float:
        return 0.0 if self.found is None else mask_iou(self.found, self.truth)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--ecssd", type=Path)
    options.add_argument("--table", type=Path)
    options.add_argument("--drawn", type=Path, help="the folder over which tests/outlines.json was drawn")
    options.add_argument("--half", choices=["odd", "even", "all"], default="odd")
    options.add_argument("--cache", type=Path)
    options.add_argument("--box-below", type=float, default=0.7)
    options.add_argument("--actions", type=int, default=6)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    wrong = _wrong(given)
    if given.half != "all":
        wrong = wrong[given.half == "odd" :: 2]
    outliner = click_outliner()
    rows, seconds, saved = [], [], []
    for one in wrong:
        picture = read_picture(one.picture)
        copy = working_copy(picture.srgb)
        outliner.prepare(copy)
        ious, mask, took = _corrected(outliner, copy, one, given)
        rows.append(ious)
        seconds += took
        saved.append(mask_iou(drawn_region(picture, mask, "product").solid, one.truth))
        print(f"{one.case}: {' '.join(f'{iou:.3f}' for iou in ious)}; saved {saved[-1]:.3f}", flush=True)
    needed = [next((number for number, iou in enumerate(ious) if iou >= GOAL), None) for ious in rows]
    within = sum(number is not None and number <= ACTIONS for number in needed)
    print(f"\n{len(rows)} outlines, {within} at IoU {GOAL} within {ACTIONS} actions")
    for actions in range(given.actions + 1):
        reached = sum(number is not None and number <= actions for number in needed)
        mean = np.mean([ious[min(actions, len(ious) - 1)] for ious in rows])
        print(f"after {actions}: {reached} there, mean IoU {mean:.3f}")
    print(f"saved with its edge: mean IoU {np.mean(saved):.3f}")
    print(f"an answer took {np.median(seconds):.3f} s (median), {np.max(seconds):.3f} s (longest)")
    return 0


def _corrected(
    outliner: ClickOutliner, image: np.ndarray, one: Wrong, given: argparse.Namespace
) -> tuple[list[float], np.ndarray, list[float]]:
    """IoU after each action, the first as the filter left it; the mask after four; how long the answers took."""
    truth = resized_mask(one.truth, image.shape)
    start = None if one.found is None else resized_mask(one.found, image.shape)
    box: Box | None = None
    clicks: list[Click] = []
    mask = kept = np.zeros(truth.shape, bool) if start is None else start
    ious, seconds = [mask_iou(mask, truth)], []
    for action in range(given.actions):
        if action == 0 and ious[0] < given.box_below:
            box = _box(truth, one.case)
        elif (click := next_click(mask, truth)) is not None:
            clicks.append(click)
        else:
            break
        begun = time.perf_counter()
        mask = outliner.outline(image, start, box, clicks)
        seconds.append(time.perf_counter() - begun)
        ious.append(mask_iou(mask, truth))
        if action < ACTIONS and ious[-1] >= max(ious):
            kept = mask
    return ious, kept, seconds


def next_click(mask: np.ndarray, truth: np.ndarray) -> Click | None:
    """The middle of the largest area that is missing or too much; None where nothing is wrong."""
    found: list[tuple[int, Click]] = []
    for wrong, inside in ((truth & ~mask, True), (mask & ~truth, False)):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=8)
        if count < 2:
            continue
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        depth = cv2.distanceTransform(np.pad((labels == largest).astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(np.argmax(depth), depth.shape)
        found.append((int(stats[largest, cv2.CC_STAT_AREA]), (float(x), float(y), inside)))
    return max(found)[1] if found else None


def _box(truth: np.ndarray, case: str) -> Box:
    """The true box as a hand draws it."""
    x0, y0, x1, y1 = mask_box(truth) or (0.0, 0.0, 1.0, 1.0)
    off = np.random.default_rng(list(case.encode())).uniform(-BOX_ERROR, BOX_ERROR, 4)
    width, height = x1 - x0, y1 - y0
    left, top, right, bottom = x0 + off[0] * width, y0 + off[1] * height, x1 + off[2] * width, y1 + off[3] * height
    return max(0.0, left), max(0.0, top), min(float(truth.shape[1]), right), min(float(truth.shape[0]), bottom)


def _pieces(mask: np.ndarray) -> int:
    """Separate parts of some size."""
    areas = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    return int(np.count_nonzero(areas >= 0.03 * areas.sum()))


def _wrong(given: argparse.Namespace) -> list[Wrong]:
    if given.cache is not None and given.cache.is_file():
        return [Wrong(*values) for values in pickle.loads(given.cache.read_bytes())]
    cases: list[Case] = []
    if given.ecssd:
        cases += ecssd_cases(given.ecssd, given.table, "all")
    if given.drawn:
        cases += drawn_cases(given.drawn, ROOT / "tests" / "outlines.json")
    filter_ = load_models(ModelChoice()).filter()
    found: list[Wrong] = []
    for case in cases:
        try:
            regions = filter_.detect(read_picture(case.picture).srgb, parse_products(case.word)).regions
        except PhotoshootError:  # a word that the detector does not know
            continue
        for truth in case.instances:
            if case.name.startswith("ecssd") and _pieces(truth) > 1:
                continue  # it marks several things as one, and nobody outlines those as one product
            best = max(regions, key=lambda region: mask_iou(region.solid, truth), default=None)
            if best is None or mask_iou(best.solid, truth) < 0.05:
                found.append(Wrong(case.name, case.picture, truth, None))
            elif mask_iou(best.solid, truth) < GOAL:
                found.append(Wrong(case.name, case.picture, truth, best.solid))
    if given.cache is not None:
        values = [(one.case, one.picture, one.truth, one.found) for one in found]
        given.cache.write_bytes(pickle.dumps(values))
    return found


if __name__ == "__main__":
    sys.exit(main())
