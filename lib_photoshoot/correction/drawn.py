"""What a person means who draws around a part or along it: answers, the likeliest first.

A hand is off by some pixels, and what is meant has an edge near its line or holds most of it. SAM, asked about what was
drawn, and the colours on both sides of the line each say where; a part is where two of three agree, the drawing being
one. Of 39 outlines that our filter gets wrong, drawn around by a simulated hand, these come first to IoU 0.95 with one
drawing most often (``benchmarks/correction_clicks.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import cv2
import numpy as np

from lib_photoshoot.correction.alternatives import AS_DRAWN, Alternative
from lib_photoshoot.correction.changes import Click, joined, pieces_along, tidied, without
from lib_photoshoot.correction.gaps import gaps_of, like_ground
from lib_photoshoot.correction.prompting import ClickSegmenter, box_around, clicks_of, enlarged, spread, vote_shape
from lib_photoshoot.correction.snapping import along_line, ground_within, line_of, loop_inside, snapped
from lib_photoshoot.correction.voting import EdgeVote, edges_by
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.masks.morphology import distance_to, grow, mask_box
from lib_photoshoot.pages.fixing import Step
from lib_photoshoot.segmentation.working_copy import resized_mask

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
PART_ONLY = 1 / 3
"""What is drawn around within the outline is a part of it below this share of its size, not the whole product anew."""
NEW_SHARE = 0.1
"""Share of what was drawn around that the outline lacks, below which adding it is not what is meant."""
AROUND = 4.0
"""How many times as much as a line covers must lie between it and the way back to its beginning, to be meant."""
LOOP_LIKE = 0.6
"""Overlap with what a person drew around from which SAM means the same."""
OPEN_LIKE = 0.25
"""The same for an open thing such as a stool, of which much is a gap."""

_BESIDE = ThreadPoolExecutor(1, "edges")
"""Tells colours apart while SAM looks: each leaves the other's core alone."""


def looped(segmenter: ClickSegmenter, image: np.ndarray, mask: np.ndarray, step: Step) -> Iterator[Alternative]:
    """Yield the outlines, bool (height, width), that a loop may make of ``mask``."""
    drawn = loop_inside(step.path, image.shape)
    if not drawn.any():
        yield Alternative(AS_DRAWN, mask)
        return

    def changed(part: np.ndarray) -> np.ndarray:
        return joined(mask, part, drawn) if step.inside else without(mask, part)

    parts = _parts_inside(segmenter, image, drawn, step.reach)
    name, likely = next(parts)
    within = np.count_nonzero(likely & ~mask) < NEW_SHARE * np.count_nonzero(likely)
    is_part = np.count_nonzero(drawn) < PART_ONLY * np.count_nonzero(mask)
    if step.inside and mask.any() and (mask_iou(mask, likely) >= WHOLE_LIKE or (within and not is_part)):
        # Who draws around the whole product, or most of its outline so far, means nothing but it.
        yield Alternative(name, likely)
        yield from (Alternative(other, part) for other, part in parts)
        yield Alternative("Added as well", changed(likely))
        return
    yield Alternative("Added as well" if step.inside and within and is_part else name, changed(likely))
    if not step.inside:
        # Who draws around several gaps at once means them, not what lies between.
        yield Alternative("Gaps inside", without(mask, ground_within(image, mask, drawn, step.reach)))
    yield from (Alternative(other, changed(part)) for other, part in parts)
    if step.inside and (mask & ~likely).any():
        yield Alternative("Only this", likely)
    if math.dist(step.path[0], step.path[-1]) > step.reach:
        # Who drew along a part that comes back to near its beginning, as a handle does, meant the part alone.
        free = ~mask if step.inside else mask
        yield Alternative("Colour of the line", changed(along_line(image, step.path, free, step.reach)))
        yield Alternative("Line as drawn", changed(_line(step, image) & free))


def _parts_inside(
    segmenter: ClickSegmenter, image: np.ndarray, drawn: np.ndarray, reach: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what a person may mean who drew around a part, bool (height, width), the likeliest first."""
    snapping = _BESIDE.submit(edges_by, image, drawn, reach)
    shape = vote_shape(image)
    small, off = (
        cv2.resize(drawn.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA),
        shape[1] / image.shape[1],
    )
    seen = _seen_in(segmenter, image, drawn, small > 0.5, off * reach)
    edges = snapping.result()
    field, like = seen[0]
    vote = EdgeVote(image, small, edges, field if like >= LOOP_LIKE else None)
    nearest = tidied(vote.outline)
    if like >= LOOP_LIKE:
        gaps = like_ground(image, gaps_of(nearest, vote.seen_through, reach), nearest, drawn, reach)
        if gaps.any():
            yield "Without its gaps", tidied(nearest & ~gaps)
    yield "Nearest edges", nearest
    if (farther := vote.farther()) is not None:
        yield "Farther edges", tidied(farther)
    for other, _ in seen:
        yield "Object inside", tidied(enlarged(other, image))
    if OPEN_LIKE <= like < LOOP_LIKE:
        yield "Without its gaps", nearest & ~gaps_of(nearest, enlarged(field, image), reach)
    yield "By colour", tidied(edges.rough)
    yield "Without background", tidied(snapped(image, drawn, reach, hollow=True))
    yield AS_DRAWN, drawn


def _seen_in(
    segmenter: ClickSegmenter, image: np.ndarray, drawn: np.ndarray, small: np.ndarray, reach: float
) -> list[tuple[np.ndarray, float]]:
    """Return what SAM sees within a loop, float32 of the vote's size in [0, 1], and how like what was drawn it is.

    ``small`` is what was ``drawn`` in that size, and ``reach`` counts its pixels. Of both questions, with what was
    drawn and without, the answer that is most like it; the likest first.
    """
    depth, near, found = distance_to(~small), grow(small, reach), []
    row, column = (int(at) for at in np.unravel_index(np.argmax(depth), depth.shape))
    factor = image.shape[1] / small.shape[1]
    inside: list[Click] = [((column + 0.5) * factor, (row + 0.5) * factor, True)]
    for prior, points in ((drawn, inside), (None, [])):
        answers = []
        for answer in segmenter.prompted(image, mask_box(drawn), points, small.shape, prior):
            field = np.where(near, answer.probability, np.float32(0))
            answers.append((field, mask_iou(field > 0.5, small)))
        found.append(max(answers, key=lambda one: one[1]))
    return sorted(found, key=lambda one: -one[1])


def lined(
    segmenter: ClickSegmenter, image: np.ndarray, mask: np.ndarray, steps: Sequence[Step]
) -> Iterator[Alternative]:
    """Yield the outlines, bool (height, width), that the line of the last of ``steps`` may make of ``mask``."""
    last = steps[-1]
    line = _line(last, image)
    free = ~mask if last.inside else mask
    drawn = grow(line, last.reach)

    def changed(part: np.ndarray) -> np.ndarray:
        return joined(mask, part, drawn) if last.inside else mask & ~part

    def tidy(part: np.ndarray) -> np.ndarray:
        return tidied(changed(part), mask) if last.inside else without(mask, part)

    growing = _BESIDE.submit(along_line, image, last.path, free, last.reach)
    seen = (
        pieces_along(enlarged(field, image) & free, line) for field in _seen_along(segmenter, image, mask, steps, line)
    )
    likely = next(seen, None)
    if likely is not None and (not mask.any() or np.count_nonzero(likely) <= MOST_BELOW * np.count_nonzero(mask)):
        yield Alternative("Best guess", tidy(likely))
        likely = None
    yield Alternative("Colour of the line", tidy(growing.result()))
    for part in seen if likely is None else chain([likely], seen):
        yield Alternative("Another part", tidy(part))
    around = loop_inside(last.path, image.shape)
    if np.count_nonzero(around & free) > AROUND * np.count_nonzero(line):
        # Who stops early on the way around a part, or a gap of it, means what lies between.
        yield Alternative(AS_DRAWN, changed(around & free))
    yield Alternative("Line as drawn", changed(line & free))


def _line(step: Step, image: np.ndarray) -> np.ndarray:
    return line_of(step.path, image.shape, max(1.0, LINE_WIDTH * step.reach))


def _seen_along(
    segmenter: ClickSegmenter, image: np.ndarray, mask: np.ndarray, steps: Sequence[Step], line: np.ndarray
) -> list[np.ndarray]:
    """Return where SAM sees parts below a line that are not as the line says yet, float32 of the vote's size in [0, 1]
    and high on the part, the likeliest first: it holds most of the line, and little else.
    """
    inside, shape = steps[-1].inside, vote_shape(image)
    here = [(x, y, True) for x, y in spread(steps[-1].path, LINE_POINTS)]
    clicks = [*clicks_of(steps[:-1]), *((x, y, inside) for x, y, _ in here)]
    answers = [(answer, True) for answer in segmenter.prompted(image, None, here, shape)]
    if mask.any():
        around, prior = box_around(mask, clicks), mask
        answers += [(one, inside) for one in segmenter.prompted(image, around, clicks, shape, prior)]
    small = resized_mask(mask, shape)
    below = cv2.resize(line.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA) > 0
    free, size, found = ~small if inside else small, max(1, np.count_nonzero(small)), []
    for answer, is_part in answers:
        field = answer.probability if is_part else 1 - answer.probability
        part = pieces_along((field > 0.5) & free, below)
        held = np.count_nonzero(part & below) / max(1, np.count_nonzero(below & free))
        if held >= LINE_HELD:
            found.append((held + answer.quality - min(1.0, np.count_nonzero(part) / size), field))
    return [field for _, field in sorted(found, key=lambda one: -one[0])]
