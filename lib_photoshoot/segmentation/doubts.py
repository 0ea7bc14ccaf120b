"""What speaks against an outline, as data: measured here, judged by limits that were calibrated on true outlines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.masks.comparison import RAGGED, boundary, raggedness
from lib_photoshoot.masks.edges import SOFT_WIDTH, soft_width
from lib_photoshoot.masks.morphology import bounding_rect
from lib_photoshoot.results import Doubt, Outline
from lib_photoshoot.segmentation.faintness import FAINT
from lib_photoshoot.segmentation.views import Views, soft_iou


@dataclass(frozen=True)
class Likeness:
    """Class evidence in [0, 1] of the outline alone, and of the larger thing that stands out around it.

    None where the word is unknown, or where nothing larger stands out.
    """

    alone: float | None
    around: float | None


@dataclass(frozen=True)
class OutlineMeasures:
    """What is known of one outline.

    ``agreement``: least overlap in [0, 1] of the outline with a view. ``frame``: share in [0, 1] of the outline that
    lies at the picture's edge. ``raggedness``: its length over that of the same outline smoothed. ``blur``: mean width,
    in vote pixels, of the zone in which the views are not sure. ``pieces``: separate parts of some size. ``cut``: share
    in [0, 1] of the outline beyond which the same thing goes on, in the eyes of the quick network. ``faint``: share in
    [0, 1] of the outline along which the picture shows no edge.
    """

    agreement: float
    frame: float
    raggedness: float
    blur: float
    pieces: int
    cut: float
    faint: float
    likeness: Likeness


def measure(
    views: Views,
    soft: np.ndarray,
    solid: np.ndarray,
    stands_out: np.ndarray | None,
    likeness: Likeness,
    extended: bool = False,
    faint: float = 0.0,
) -> OutlineMeasures:
    """Measure an outline: ``soft`` is the vote, ``solid`` (bool) what came of it.

    ``stands_out`` is the quick network's map of the whole picture, float32 in [0, 1]; None without one. ``extended``
    says that the outline holds more than what was detected: what hangs on by a thread may then be another thing.
    ``faint`` is the :func:`~lib_photoshoot.segmentation.faintness.faint_share` of what is cut out.
    """
    told = np.mean(views.picks(), axis=0)
    # The better of the networks that were asked.
    looks = [told, *(seen for _, seen in views.networks()[-1:])]
    length = max(_length(solid), 1)
    return OutlineMeasures(
        agreement=min(soft_iou(look, solid.astype(np.float32)) for look in looks),
        frame=_frame(solid) / length,
        raggedness=raggedness(solid),
        blur=soft_width(soft, solid),
        pieces=max(_pieces(solid, 0.03), _pieces(_thinned(solid), 0.15) if extended else 0),
        cut=0.0 if stands_out is None else _cut(solid, stands_out),
        faint=faint,
        likeness=likeness,
    )


def judge(measured: OutlineMeasures) -> Outline:
    """Say what speaks against an outline. The quality is the agreement of the views, less for each further doubt."""
    likeness = measured.likeness
    found = {
        Doubt.VIEWS_DISAGREE: measured.agreement < 0.94,
        Doubt.EVIDENCE_OUTSIDE: measured.cut > 0.15 or _goes_on(likeness),
        Doubt.RAGGED: measured.raggedness > RAGGED or measured.blur > SOFT_WIDTH,
        Doubt.FAINT_EDGE: measured.faint > FAINT,
        Doubt.SEVERAL_OBJECTS: measured.pieces > 1,
        Doubt.TOO_SMALL_FOR_EVIDENCE: likeness.alone is not None and likeness.alone < 0.08,
        Doubt.TOUCHES_FRAME: measured.frame > 0.02,
    }
    doubts = tuple(doubt for doubt, holds in found.items() if holds)
    return Outline(round(max(0.0, min(1.0, measured.agreement)) * 0.8 ** len(doubts), 4), doubts)


def _cut(mask: np.ndarray, stands_out: np.ndarray) -> float:
    """Return the share of a ring just outside of the outline that still stands out."""
    rect = bounding_rect(mask, 16)
    if rect is None:
        return 0.0
    crop = np.ascontiguousarray(mask[rect.slices]).view(np.uint8)
    reach = max(2, round(0.02 * max(crop.shape)))
    inner, outer = (
        cv2.dilate(crop, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1)))
        for r in (reach, 2 * reach)
    )
    ring = (outer > 0) & (inner == 0)
    return float((stands_out[rect.slices][ring] > 0.5).mean()) if ring.any() else 0.0


def _goes_on(likeness: Likeness) -> bool:
    return likeness.around is not None and likeness.around >= 0.5 * (likeness.alone or 0)


def _length(mask: np.ndarray) -> int:
    return int(np.count_nonzero(boundary(mask)))


def _frame(mask: np.ndarray) -> int:
    return sum(int(np.count_nonzero(side)) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def _thinned(mask: np.ndarray) -> np.ndarray:
    """Return the mask less its rim, so that what hangs together by little falls apart."""
    rect = bounding_rect(mask, 2)
    if rect is None:
        return mask
    crop = np.ascontiguousarray(mask[rect.slices]).view(np.uint8)
    reach = max(1, round(0.025 * max(crop.shape)))
    return cv2.erode(crop, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))) > 0


def _pieces(mask: np.ndarray, least: float) -> int:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int(np.count_nonzero(areas >= least * areas.sum())) if len(areas) else 0
