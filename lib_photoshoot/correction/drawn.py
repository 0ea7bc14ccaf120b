"""What a person means who draws around a part or along it: answers, the likeliest first.

A hand is off by some pixels, and what is meant has an edge near its line or holds most of it. SAM, asked about what was
drawn, and the colours on both sides of the line each say where; a part is where two of three agree, the drawing being
one. Of 39 outlines that our filter gets wrong, drawn around by a simulated hand, these come first to IoU 0.95 with one
drawing most often (``benchmarks/correction_clicks.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from lib_photoshoot.correction.alternatives import Alternative
from lib_photoshoot.correction.changes import Click, pieces_along, tidied
from lib_photoshoot.correction.prompting import ClickSegmenter, box_around, clicks_of, enlarged, spread, vote_shape
from lib_photoshoot.correction.snapping import along_line, line_of, loop_inside, snapped
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.masks.morphology import distance_to, grow, mask_box
from lib_photoshoot.pages.fixing import Step

MOST_BELOW = 0.3
"""What SAM sees below a line is likely no more than this share of the outline."""
LINE_HELD = 0.5
"""Share of a line that a part must hold."""
LINE_WIDTH = 0.3
"""How wide a line is that stands as it was drawn, as a share of how far a hand may be off."""
LINE_POINTS = 4
"""So many places of a line are asked about."""
WHOLE_LIKE = 0.5
"""Overlap with the outline so far from which what was drawn around may be the whole product anew."""
NEW_SHARE = 0.1
"""Share of what was drawn around that the outline lacks, below which adding it is not what is meant."""
LOOP_LIKE = 0.6
"""Overlap with what a person drew around from which SAM means the same."""

_BESIDE = ThreadPoolExecutor(1, "edges")
"""Tells colours apart while SAM looks: each leaves the other's core alone."""


def looped(segmenter: ClickSegmenter, image: np.ndarray, mask: np.ndarray, step: Step) -> Iterator[Alternative]:
    """Yield the outlines, bool (height, width), that a loop may make of ``mask``."""
    drawn = loop_inside(step.path, image.shape)
    if not drawn.any():
        yield Alternative("As drawn", mask)
        return

    def changed(part: np.ndarray) -> np.ndarray:
        # What is taken away leaves a rim of crumbs where the outline ran a little outside of it.
        return mask | part if step.inside else tidied(mask & ~part, mask)

    parts = list(_parts_inside(segmenter, image, drawn, step.reach))
    likely = parts[0][1]
    lacking = np.count_nonzero(likely & ~mask)
    if (
        step.inside
        and mask.any()
        and (mask_iou(mask, likely) >= WHOLE_LIKE or lacking < NEW_SHARE * np.count_nonzero(likely))
    ):
        # Who draws around the whole product, or within its outline so far, means nothing but it.
        yield from (Alternative(name, part) for name, part in parts)
        yield Alternative("Added", changed(likely))
        return
    yield from (Alternative(name, changed(part)) for name, part in parts)
    if step.inside and (mask & ~likely).any():
        yield Alternative("This alone", likely)


def _parts_inside(
    segmenter: ClickSegmenter, image: np.ndarray, drawn: np.ndarray, reach: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what a person may mean who drew around a part, bool (height, width), the likeliest first."""
    snapping = _BESIDE.submit(snapped, image, drawn, reach)
    seen = _seen_in(segmenter, image, drawn, reach)
    edge = snapping.result()
    voted = [cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), max(1.0, reach / 2)), edge.astype(np.float32)]
    if seen and seen[0][1] >= LOOP_LIKE:
        voted.append(seen[0][0])
    yield "At the edges", tidied(np.mean(voted, axis=0) > 0.5)
    for field, _ in seen[:2]:
        yield "Thing inside", tidied(field > 0.5)
    yield "By colour", tidied(edge)
    yield "Without its ground", tidied(snapped(image, drawn, reach, hollow=True))
    yield "As drawn", drawn


def _seen_in(
    segmenter: ClickSegmenter, image: np.ndarray, drawn: np.ndarray, reach: float
) -> list[tuple[np.ndarray, float]]:
    """Return what SAM sees within a loop, float32 (height, width) in [0, 1], and how like what was drawn it is.

    Of both questions, with what was drawn and without, the answer that is most like it; the likest first.
    """
    box, depth = mask_box(drawn), distance_to(~drawn)
    row, column = (int(at) for at in np.unravel_index(np.argmax(depth), depth.shape))
    near, found = grow(drawn, reach), []
    for prior in (drawn, None):
        points: list[Click] = [(column + 0.5, row + 0.5, True)]
        answers = []
        for answer in segmenter.prompted(image, box, points if prior is not None else [], vote_shape(image), prior):
            full = cv2.resize(answer.probability, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            full[~near] = 0
            answers.append((full, mask_iou(full > 0.5, drawn)))
        found.append(max(answers, key=lambda one: one[1]))
    return sorted(found, key=lambda one: -one[1])


def lined(
    segmenter: ClickSegmenter, image: np.ndarray, mask: np.ndarray, steps: Sequence[Step]
) -> Iterator[Alternative]:
    """Yield the outlines, bool (height, width), that the line of the last of ``steps`` may make of ``mask``."""
    last = steps[-1]
    line = line_of(last.path, image.shape, max(1.0, LINE_WIDTH * last.reach))
    free = ~mask if last.inside else mask

    def changed(part: np.ndarray) -> np.ndarray:
        return mask | part if last.inside else mask & ~part

    growing = _BESIDE.submit(along_line, image, last.path, free, last.reach)
    seen = _seen_along(segmenter, image, mask, steps, line)
    if seen and (not mask.any() or np.count_nonzero(seen[0]) <= MOST_BELOW * np.count_nonzero(mask)):
        yield Alternative("Best guess", tidied(changed(seen.pop(0)), mask))
    yield Alternative("Like the line", tidied(changed(growing.result()), mask))
    for part in seen:
        yield Alternative("Other part", tidied(changed(part), mask))
    yield Alternative("Just the line", changed(line & free))


def _seen_along(
    segmenter: ClickSegmenter, image: np.ndarray, mask: np.ndarray, steps: Sequence[Step], line: np.ndarray
) -> list[np.ndarray]:
    """Return the parts that SAM sees below a line and that are not as the line says yet, the likeliest first: it
    holds most of the line, and little else.
    """
    inside, shape = steps[-1].inside, vote_shape(image)
    here = [(x, y, True) for x, y in spread(steps[-1].path, LINE_POINTS)]
    clicks = [*clicks_of(steps[:-1]), *((x, y, inside) for x, y, _ in here)]
    answers = [(answer, True) for answer in segmenter.prompted(image, None, here, shape)]
    if mask.any():
        around, prior = box_around(mask, clicks), mask
        answers += [(one, inside) for one in segmenter.prompted(image, around, clicks, shape, prior)]
    free, size, found = ~mask if inside else mask, max(1, np.count_nonzero(mask)), []
    for answer, is_part in answers:
        full = enlarged(answer.probability, image)
        part = pieces_along(full & free if is_part else ~full & free, line)
        held = np.count_nonzero(part & line) / max(1, np.count_nonzero(line & free))
        if held >= LINE_HELD:
            found.append((held + answer.quality - min(1.0, np.count_nonzero(part) / size), part))
    return [part for _, part in sorted(found, key=lambda one: -one[0])]
