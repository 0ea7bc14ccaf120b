"""Who answers the picture page's corrections of a run: originals, outlines from clicks, and saving.

Models are loaded with the first click. Embeddings of the picture in view and of the next ones are made ahead.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lib_photoshoot.catalog.replacement import scratch_folder
from lib_photoshoot.correction.ahead import Ahead
from lib_photoshoot.correction.answering import OvertakenError, always
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.originals import check_original, jpeg_of, read_original
from lib_photoshoot.correction.overlaps import without_overlaps
from lib_photoshoot.correction.regions import read_region_mask
from lib_photoshoot.correction.run_settings import RunSettings, run_settings
from lib_photoshoot.correction.saving import Drawing, corrected_parts, write_correction
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.files import shown, writing_failed
from lib_photoshoot.images import Picture, decode_picture
from lib_photoshoot.masks.cutout import mask_image
from lib_photoshoot.pages.fixing import (
    EDIT_SIDE,
    Asked,
    OutlineAnswer,
    OutlineAnswers,
    OutlineRequest,
    RegionChange,
    Step,
    StepKind,
)
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy
from lib_photoshoot.transparency import on_neutral_ground

if TYPE_CHECKING:
    from pathlib import Path

    from lib_photoshoot.calibration.applying import Calibrator
    from lib_photoshoot.catalog.ledger import Record
    from lib_photoshoot.pages.data import Item

COPIES_KEPT = 4
"""Copies of pictures that stay in memory, 12 MB each at most."""
EMBEDDINGS_KEPT = 8
"""Of SAM, four megabytes each."""

Turn = Callable[[], AbstractContextManager[Any]]


class CorrectedRun(Protocol):
    """A run whose outlines are corrected, as :class:`~lib_photoshoot.catalog.review.ReviewedRun` is one.

    All raise PhotoshootError.
    """

    @property
    def out(self) -> Path:
        """Its folder."""

    def settings(self) -> dict[str, Any]:
        """Return what the run was told."""

    def record(self, number: int) -> Record:
        """Return the record of the picture with that number on the page; its ``file`` is where the picture lies."""

    def replace(self, old: Record, new: Record, scratch: Path) -> Item:
        """Put a corrected record in the place of another; returns the picture for the page."""


@dataclass(frozen=True, eq=False)
class EditCopy:
    """A picture as outlines are corrected on it: uint8 sRGB of the edit size, and that size to the original's."""

    pixels: np.ndarray
    scale: float


class Fixer:
    """Corrects outlines of a run under review; methods may be called from several threads."""

    enhances = False

    def __init__(
        self,
        run: CorrectedRun,
        load: Callable[[], ClickOutliner],
        calibrator: Calibrator | None = None,
        turn: Turn = nullcontext,
    ) -> None:
        """``load`` loads the models; ``calibrator`` is the run's calibration, if any; ``turn`` is the host's queue."""
        self._run = run
        self._load = load
        self._calibrator = calibrator
        self._turn = turn
        self._outliner: ClickOutliner | None = None
        self._loading, self._saving = threading.Lock(), threading.Lock()
        self._copies: OrderedDict[tuple[Any, ...], EditCopy] = OrderedDict()
        self._ahead = Ahead(self._prepare)

    def original(self, id_: int) -> bytes:
        """Return the original as a JPEG file. Raises PhotoshootError."""
        return jpeg_of(read_original(self._run.record(id_)))

    def find(self, id_: int) -> dict[str, Any]:
        """Return that nothing changed: the run has looked for the products of all its pictures."""
        return {"shots": [], "products": []}

    def ready(self, ids: Sequence[int]) -> None:
        """Prepare for questions about these pictures; returns at once."""
        self._ahead.wish(ids)

    def outline(self, request: OutlineRequest) -> OutlineAnswers:
        """Return answers to the last step, PNG files of the edit size. Raises PhotoshootError."""
        record = self._run.record(request.id)
        copy = self._copy(record)
        start, steps = self._start(record, copy, request), [_step_on(copy, step) for step in request.steps]
        if start is not None and not steps:
            # As the page opens a picture: there is nothing to load a network for.
            return OutlineAnswers((OutlineAnswer("", mask_png(start)),))
        if start is None and request.region is not None:
            steps.insert(0, _box_step(copy, _region(record, request.region)["box"]))
        outliner = self._loaded()
        if request.part is not Asked.OTHERS:
            # Before the turn is waited for: what holds it may be work that nobody needs any more.
            outliner.overtaking.overtake()
        wanted = outliner.overtaking.wanted() if request.part is Asked.OTHERS else always
        with self._turn():
            if request.part is Asked.LIKELY:
                found, likely = [outliner.first(copy.pixels, start, steps)], 0
            else:
                try:
                    answers = outliner.answers(copy.pixels, start, steps, wanted)
                except OvertakenError:
                    return OutlineAnswers((), overtaken=True)
                found, likely = answers.all, answers.likely
        return OutlineAnswers(tuple(OutlineAnswer(one.name, mask_png(one.mask)) for one in found), likely)

    def save(self, id_: int, changes: Sequence[RegionChange]) -> dict[str, Any]:
        """Correct a picture's outlines, all or none. Raises PhotoshootError."""
        record = self._run.record(id_)
        settings = run_settings(self._run.settings(), self._calibrator)
        picture = read_original(record)
        if settings.calibrator is not None:
            picture = settings.calibrator(picture, shown(record.entry["file"])).picture
        shape = working_copy(picture.pixels).shape[:2]
        drawings, removed = _drawings(record, changes, settings, shape)
        with self._saving:
            told: list[str] = []
            item = self._saved(record, picture, drawings, removed, settings, told)
            return {"shots": [item], "products": [], "told": told}

    def enhance(self, id_: int) -> dict[str, Any]:
        """Raise CatalogError: only a host that paints can do that."""
        raise CatalogError("Nothing paints here; open the picture in the WebUI that made it, and enhance it there.")

    def _saved(
        self,
        record: Record,
        picture: Picture,
        drawings: Sequence[Drawing],
        removed: Sequence[int],
        settings: RunSettings,
        told: list[str] | None = None,
    ) -> Any:
        out = self._run.out

        def unwritten(box: Box) -> np.ndarray:
            copy = self._copy(record)
            with self._turn():
                return self._loaded().outline(copy.pixels, None, [_box_step(copy, box)])

        parts, sentences = without_overlaps(
            out, record, corrected_parts(out, record, picture, drawings, removed, unwritten)
        )
        if told is not None:
            told += sentences
        try:
            with scratch_folder(out) as scratch:
                new = write_correction(out, scratch, record, picture, parts, settings)
                return self._run.replace(record, new, scratch)
        except OSError as error:
            raise CatalogError(writing_failed(out, error, "save the correction again; nothing was changed")) from error

    def _start(self, record: Record, copy: EditCopy, request: OutlineRequest) -> np.ndarray | None:
        shape = copy.pixels.shape[:2]
        if request.mask is not None:
            return _mask(request.mask, shape)
        if request.region is None:
            return None
        size = (record.entry["height"], record.entry["width"])
        mask = read_region_mask(self._run.out, _region(record, request.region), size)
        return None if mask is None else resized_mask(mask, shape)

    def _prepare(self, number: int) -> None:
        copy = self._copy(self._run.record(number))
        outliner = self._loaded()
        with self._turn():
            outliner.prepare(copy.pixels)

    def _loaded(self) -> ClickOutliner:
        with self._loading:
            if self._outliner is None:
                self._outliner = self._load()
            return self._outliner

    def _copy(self, record: Record) -> EditCopy:
        """Return the copy of a record's original, read anew where it is not among the last. Raises PhotoshootError."""
        check_original(record)
        key = (record.file, record.stamp)
        if key not in self._copies:
            picture = read_original(record)
            pixels = working_copy(on_neutral_ground(picture.srgb, picture.alpha))
            if not pixels.flags.owndata:
                pixels = pixels.copy()
            pixels.flags.writeable = False
            self._copies[key] = EditCopy(pixels, max(pixels.shape[:2]) / max(picture.width, picture.height))
            while len(self._copies) > COPIES_KEPT:
                self._copies.popitem(last=False)
        return self._copies[key]


def click_outliner() -> ClickOutliner:
    """Load MobileSAM on this machine's processor, with the quick network beside it. Raises WeightsError."""
    from lib_photoshoot.build import quick_salience
    from lib_photoshoot.segmentation.sam import SamSegmenter
    from lib_photoshoot.weights.store import find

    segmenter = SamSegmenter.from_file(find("mobile-sam"), "mobile-sam")
    segmenter.keep = EMBEDDINGS_KEPT
    return ClickOutliner(segmenter, quick_salience())


def _drawings(
    record: Record, changes: Sequence[RegionChange], settings: RunSettings, shape: tuple[int, ...]
) -> tuple[list[Drawing], list[int]]:
    """Return what was drawn, and the numbers of removed regions. Raises PhotoshootError."""
    named = [change.region for change in changes if change.region is not None]
    if len(set(named)) < len(named):
        raise CatalogError("A product is corrected twice in one go; load the page again.")
    drawings, removed = [], []
    for change in changes:
        entry = None if change.region is None else _region(record, change.region)
        if change.mask is None and not change.product:
            removed.append(change.region or 0)
            continue
        product = settings.named(change.product or (entry or {}).get("product", ""))
        mask = None if change.mask is None else _mask(change.mask, shape)
        drawings.append(Drawing(change.region, product, mask))
    return drawings, removed


def _region(record: Record, number: int) -> dict[str, Any]:
    regions = record.entry["regions"]
    if number >= len(regions):
        raise CatalogError(f"{shown(record.entry['file'])} has no product {number + 1} any more; load the page again.")
    return regions[number]


def _mask(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    mask = decode_picture(data, "The drawn mask", EDIT_SIDE * EDIT_SIDE).pixels[:, :, 0] > 127
    if mask.shape != tuple(shape[:2]):
        raise ImageError(
            f"The drawn mask has {mask.shape[1]}x{mask.shape[0]} pixels in place of {shape[1]}x{shape[0]}; load the "
            "page again."
        )
    return mask


def _step_on(copy: EditCopy, step: Step) -> Step:
    """Return a step in pixels of the copy. Raises CatalogError."""
    if step.kind is StepKind.BOX:
        return replace(_box_step(copy, [side for corner in step.path for side in corner]), choice=step.choice)
    path = tuple((x * copy.scale, y * copy.scale) for x, y in step.path)
    return replace(step, path=path, reach=step.reach * copy.scale)


def _box_step(copy: EditCopy, box: Sequence[float]) -> Step:
    """Return a box in pixels of the original as a step on the copy. Raises CatalogError."""
    height, width = copy.pixels.shape[:2]
    ax, ay, bx, by = (side * copy.scale for side in box)
    x0, y0, x1, y1 = max(0.0, min(ax, bx)), max(0.0, min(ay, by)), min(width, max(ax, bx)), min(height, max(ay, by))
    if x0 >= x1 or y0 >= y1:
        raise CatalogError("The box lies outside of the picture; draw it anew.")
    return Step(StepKind.BOX, True, ((x0, y0), (x1, y1)))


def mask_png(mask: np.ndarray) -> bytes:
    """Return a mask, bool (height, width), as the page takes it: a PNG file."""
    buffer = io.BytesIO()
    mask_image(mask).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
