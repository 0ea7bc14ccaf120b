"""How many steps bring an outline of our filter that is wrong, doubtful or missing to the true one.

    python benchmarks/correction_clicks.py --ecssd FOLDER --table outlines.csv --drawn SHARED_DATA --half odd

Clicks are simulated as RITM and SAM are evaluated (Sofiiuk et al. 2021, https://arxiv.org/abs/2102.06583): each in the
middle of the largest area that is wrong. With ``--tool draw`` that area is drawn around, or along where it is thin, by
a hand that is off by ``hand.HAND``; with ``--tool unsure`` it is asked each time where the outline is unsure. A person
who sees an outline of another thing, or none, begins with the whole product: below ``--whole-below`` IoU the first step
is a box around it, its sides 2 % of its size off, or a line drawn around it. Of the answers to a step the best one is
chosen, as a person sees it (``--choose likely``: always the first that is offered); a step of which none is better is
undone, and counts. Of each true instance the best region of the filter is where it begins. Reported: IoU after each
step, steps until 0.95, the share within four, the IoU of the region that would be saved, and how long the answers took.
``--half`` takes every second case: choose on one half, report on the other. ``--cache`` keeps the filter's outlines
between runs, ``--from`` and ``--to`` take some of the cases.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from hand import HAND, is_thin, line_along, loop_around  # noqa: E402
from outline_cases import Case, drawn_cases, ecssd_cases  # noqa: E402

from lib_photoshoot.build import ModelChoice, load_models  # noqa: E402
from lib_photoshoot.correction.changes import Click  # noqa: E402
from lib_photoshoot.correction.clicks import ClickOutliner  # noqa: E402
from lib_photoshoot.correction.fixer import click_outliner  # noqa: E402
from lib_photoshoot.correction.regions import drawn_region  # noqa: E402
from lib_photoshoot.errors import PhotoshootError  # noqa: E402
from lib_photoshoot.images import read_picture  # noqa: E402
from lib_photoshoot.masks.comparison import mask_iou  # noqa: E402
from lib_photoshoot.masks.morphology import mask_box  # noqa: E402
from lib_photoshoot.pages.fixing import Step, StepKind  # noqa: E402
from lib_photoshoot.products import parse_products  # noqa: E402
from lib_photoshoot.results import Box  # noqa: E402
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy  # noqa: E402

GOAL, ACTIONS = 0.95, 4
BOX_ERROR = 0.02
REACH = 2.5
"""How far off the page takes a hand to be: 18 pixels on a stage of 900."""
SEAM = 0.003
"""As a share of the picture's longest side: areas that are thinner are nobody's to mend by hand."""


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
    options.add_argument("--tool", choices=["click", "draw", "unsure"], default="draw")
    options.add_argument("--choose", choices=["best", "likely"], default="best")
    options.add_argument("--whole-below", type=float, default=0.85)
    options.add_argument("--from", type=int, default=0, dest="first")
    options.add_argument("--to", type=int)
    options.add_argument("--actions", type=int, default=6)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    wrong = _wrong(given)
    if given.half != "all":
        wrong = wrong[given.half == "odd" :: 2]
    wrong = wrong[given.first : given.to]
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
    print(f"\n{len(rows)} outlines, {within} at IoU {GOAL} within {ACTIONS} steps")
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
    """IoU after each step, the first as the filter left it; the mask after four; how long the answers took."""
    truth = resized_mask(one.truth, image.shape)
    start = None if one.found is None else resized_mask(one.found, image.shape)
    mask = np.zeros(truth.shape, bool) if start is None else start
    rng = np.random.default_rng([*one.case.encode(), int(np.count_nonzero(truth)) % 1000])
    steps: list[Step] = []
    along = True
    ious, seconds, kept = [mask_iou(mask, truth)], [], mask
    for number in range(given.actions):
        whole = number == 0 and ious[0] < given.whole_below
        if given.tool == "unsure":
            step = Step(StepKind.UNSURE, True, ())
        elif given.tool == "click":
            step = _clicked(mask, truth, whole, one.case)
        else:
            step = _drawn(mask, truth, whole, rng, along)
        if step is None:
            break
        begun = time.perf_counter()
        answers = outliner.answers(image, start, [*steps, step])
        seconds.append(time.perf_counter() - begun)
        found = [mask_iou(answer.mask, truth) for answer in answers.all]
        chosen = int(np.argmax(found)) if given.choose == "best" else answers.likely
        if found[chosen] > ious[-1]:
            steps.append(replace(step, choice=chosen))
            mask = answers.mask(chosen)
        elif step.kind is StepKind.LINE:
            along = False  # who drew along something in vain draws around it
        ious.append(mask_iou(mask, truth))
        if number < ACTIONS:
            kept = mask
    return ious, kept, seconds


def _clicked(mask: np.ndarray, truth: np.ndarray, whole: bool, case: str) -> Step | None:
    """A box around the whole product, or a click in the middle of the largest area that is wrong."""
    if whole:
        x0, y0, x1, y1 = _box(truth, case)
        return Step(StepKind.BOX, True, ((x0, y0), (x1, y1)))
    click = next_click(mask, truth)
    return None if click is None else Step(StepKind.CLICK, click[2], (click[:2],), REACH * HAND * max(truth.shape))


def _drawn(mask: np.ndarray, truth: np.ndarray, whole: bool, rng: np.random.Generator, along: bool) -> Step | None:
    """A line around the whole product, or around the largest area that is wrong; ``along`` it where it is thin."""
    reach = REACH * HAND * max(truth.shape)
    if whole:
        return Step(StepKind.LOOP, True, tuple(loop_around(truth, rng)), reach)
    area = wrong_area(mask, truth)
    if area is None:
        return None
    part, inside = area
    if along and is_thin(part):
        return Step(StepKind.LINE, inside, tuple(line_along(part, rng)), reach)
    return Step(StepKind.LOOP, inside, tuple(loop_around(part, rng)), reach)


def wrong_area(mask: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, bool] | None:
    """The largest area that is missing or too much, and whether it is missing; seams along the edge are none."""
    seam = np.ones((max(1, round(SEAM * max(truth.shape))),) * 2, np.uint8)
    found: list[tuple[int, np.ndarray, bool]] = []
    for wrong, inside in ((truth & ~mask, True), (mask & ~truth, False)):
        opened = cv2.morphologyEx(wrong.astype(np.uint8), cv2.MORPH_OPEN, seam)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
        if count > 1:
            largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            found.append((int(stats[largest, cv2.CC_STAT_AREA]), labels == largest, inside))
    return max(found, key=lambda one: one[0])[1:] if found else None


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
