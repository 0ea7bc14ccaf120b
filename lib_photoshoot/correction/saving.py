"""A picture's record and files made anew after a correction: what depends on it, and nothing else.

No network looks at anything again: the outlines are what the person says. Retouch and new scene, which depend on all
products of the picture, are made by the run's own settings; masks and cut-outs of regions that were not touched are
copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import PngImagePlugin

from lib_photoshoot.catalog.alike import TRAITS, traits_entry
from lib_photoshoot.catalog.coco import annotation
from lib_photoshoot.catalog.inputs import CORRECTIONS
from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.catalog.outputs import cutout_name, report_entry, write_outputs
from lib_photoshoot.catalog.replacement import BY_HAND
from lib_photoshoot.correction.regions import drawn_region, read_region
from lib_photoshoot.correction.run_settings import RunSettings
from lib_photoshoot.enhancement.applying import with_checks
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, write_image
from lib_photoshoot.masks.cutout import mask_image
from lib_photoshoot.new_scene import NOT_MADE, failure_of, make_picture
from lib_photoshoot.products import Product
from lib_photoshoot.results import (
    Box,
    Decision,
    FilterResult,
    Outline,
    OutlineSource,
    ProductRegion,
    Reason,
    Rejection,
)
from lib_photoshoot.transparency import rgba, split

COMMENT = "Outline drawn by hand"
"""What the file of a corrected outline says of itself."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """One product as a person drew it, bool (height, width) of the edit size; ``region`` is its number, None if new.

    Without a mask its outline was seen and is right: it stays, be it under another name.
    """

    region: int | None
    product: Product
    mask: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Part:
    """One region of the corrected picture: what it is now, and its number in the record before.

    ``drawing`` is what was drawn of it just now; None where it stays. It is ``cut`` where another's outline grew into
    it, ``seen`` where a person stands for the outline that it had, and then ``renamed`` where it has another name.
    """

    region: ProductRegion
    before: int | None
    drawing: Drawing | None
    cut: bool = False
    seen: bool = False
    renamed: bool = False


def corrected_parts(
    out: Path,
    record: Record,
    picture: Picture,
    drawings: Sequence[Drawing],
    removed: Sequence[int],
    unwritten: Callable[[Box], np.ndarray],
) -> list[Part]:
    """Return all regions that the picture has now. Raises CatalogError, ImageError.

    ``unwritten`` outlines a region of which the run wrote no mask, as it skipped the picture for another reason.
    """
    shape = (picture.height, picture.width)
    drawn = {drawing.region: drawing for drawing in drawings if drawing.region is not None}
    parts = []
    for number, entry in enumerate(record.entry["regions"]):
        if number in removed:
            continue
        drawing = drawn.get(number)
        if drawing is not None and drawing.mask is not None:
            found = drawn_region(
                picture, drawing.mask, drawing.product.name, float(entry["score"]), float(entry.get("quality") or 1.0)
            )
            if drawing.product.name == entry["product"]:
                found = replace(found, also=tuple(entry.get("also", ())))
            parts.append(Part(found, number, drawing))
            continue
        if entry["mask"] is None:
            x0, y0, x1, y1 = (float(side) for side in entry["box"])
            mask = unwritten((x0, y0, x1, y1))
            found = replace(drawn_region(picture, mask, entry["product"], float(entry["score"])), outline=None)
        else:
            found = read_region(out, entry, shape)
        renamed = drawing is not None and drawing.product.name != entry["product"]
        if drawing is not None:
            # Who says that it is right, or what it is, has looked at its outline, and stands for it.
            found = replace(found, outline=Outline(1.0, (), OutlineSource.HAND))
            if renamed:
                found = replace(found, product=drawing.product.name, also=())
        parts.append(Part(found, number, None, seen=drawing is not None, renamed=renamed))
    new = [(one.mask, one) for one in drawings if one.region is None]
    return parts + [
        Part(drawn_region(picture, mask, one.product.name), None, one) for mask, one in new if mask is not None
    ]


def write_correction(
    out: Path, scratch: Path, record: Record, picture: Picture, parts: Sequence[Part], settings: RunSettings
) -> Record:
    """Write the files of a corrected picture below ``scratch`` and return its new record. Raises OSError, ImageError.

    ``picture`` is the original, calibrated as the run's photos were.
    """
    times = record.corrected + 1
    stem = f"{record.stem}{BY_HAND}{times}"
    result = _result(record, picture, parts, settings)
    written = write_outputs(scratch, PurePath(stem), picture, result, {os.path.realpath(record.file)})
    outputs = list(written.files)
    entry = report_entry(record.entry["file"], result, written.masks)
    entry |= traits_entry(result, picture.space, picture.alpha)
    for index, part in enumerate(parts):
        mask = written.masks[index] if written.masks else None
        entry["regions"][index] |= _kept(out, scratch, record, part, mask, outputs)
    stays = [item for item in record.entry["rejected"] if not _is_of_touched(item, record, parts)]
    entry["rejected"] = stays + entry["rejected"]
    entry |= {name: value for name, value in record.entry.items() if name not in (*entry, TRAITS, "scene")}
    entry |= {"corrected": times, "seconds": record.entry["seconds"]}
    matched = result.decision is Decision.MATCH
    annotations = tuple(annotation(part.region) for part in parts) if matched else ()
    return replace(record, outputs=tuple(outputs), entry=entry, annotations=annotations)


def _result(record: Record, picture: Picture, parts: Sequence[Part], settings: RunSettings) -> FilterResult:
    """Return the filter's answer if it had seen these outlines."""
    pixels, opacity = split(rgba(picture))
    regions, rejected, image, changed, note = [part.region for part in parts], _removed(record, parts), pixels, 0, None
    scene = None
    reason = _skip_reason(regions, rejected, settings)
    if reason is None:
        regions = with_checks(picture.space.to_srgb(pixels), regions, settings.products)
        # In a scene stand all products, whatever became of them before.
        undone = [] if settings.scenery else [index for index, part in enumerate(parts) if _stays(record, part)]
        wanted = [region for index, region in enumerate(regions) if index not in undone]
        if wanted and (settings.enhancer is not None or settings.scenery is not None):
            try:
                done, scene = make_picture(
                    pixels, opacity, picture.space, wanted, settings.products, settings.enhancer, settings.scenery
                )
                image, changed = done.image, done.changed
                rejected += done.rejected
                enhanced = iter(done.regions)
                regions = [region if index in undone else next(enhanced) for index, region in enumerate(regions)]
            except NOT_MADE as error:
                rejected += [Rejection(r.product, r.box, r.score, failure_of(error)) for r in regions]
                note = str(error)
    decision = Decision.MATCH if reason is None else Decision.SKIP
    size = picture.width, picture.height
    return FilterResult(*size, decision, reason, tuple(regions), tuple(rejected), image, changed, {}, note, scene)


def _skip_reason(
    regions: Sequence[ProductRegion], removed: Sequence[Rejection], settings: RunSettings
) -> Reason | None:
    if not regions:
        return Reason.REMOVED_BY_HAND if removed else Reason.NOTHING_FOUND
    missing = {product.name for product in settings.products} - {region.product for region in regions}
    return Reason.MISSING_PRODUCT if settings.require_all and missing else None


def _removed(record: Record, parts: Sequence[Part]) -> list[Rejection]:
    there = {part.before for part in parts}
    return [
        Rejection(entry["product"], _box(entry), float(entry["score"]), Reason.REMOVED_BY_HAND)
        for number, entry in enumerate(record.entry["regions"])
        if number not in there
    ]


def _stays(record: Record, part: Part) -> bool:
    """Whether a region that was not touched had its enhancement undone in the run: so it has again."""
    product = part.region.product if part.before is None else record.entry["regions"][part.before]["product"]
    return part.drawing is None and any(_is_same(item, product, part.region.box) for item in record.entry["rejected"])


def _is_of_touched(item: dict[str, Any], record: Record, parts: Sequence[Part]) -> bool:
    """Whether a rejection told of a region that is another now, or gone."""
    kept = {part.before for part in parts if part.drawing is None and not part.renamed}
    touched = (entry for number, entry in enumerate(record.entry["regions"]) if number not in kept)
    return any(_is_same(item, entry["product"], _box(entry)) for entry in touched)


def _is_same(item: dict[str, Any], product: str, box: Box) -> bool:
    return item["product"] == product and _box(item) == tuple(round(side, 2) for side in box)


def _box(entry: dict[str, Any]) -> Box:
    x0, y0, x1, y1 = (float(side) for side in entry["box"])
    return x0, y0, x1, y1


_OF_THE_NAME = ("product", "also", "outline", "colour", "colour_check")


def _kept(out: Path, scratch: Path, record: Record, part: Part, mask: str | None, outputs: list[str]) -> dict[str, Any]:
    """Return what a region's entry says else; of one that was not touched it is all that it said, and its files."""
    if part.drawing is not None and part.drawing.mask is not None:
        correction = f"{CORRECTIONS}/{(mask or '').removeprefix('masks/')}"
        if mask is None:
            return {}
        _write_drawing(scratch / correction, part.drawing.mask)
        outputs.append(correction)
        return {"correction": correction}
    before = record.entry["regions"][part.before or 0]
    if part.seen:  # what was said of its outline is said anew, and of its old name
        stale = _OF_THE_NAME if part.renamed else ("outline",)
        before = {name: value for name, value in before.items() if name not in stale}
    if part.cut:  # its files are made anew
        if before.get("correction"):
            outputs.append(before["correction"])
        return {name: value for name, value in before.items() if name not in ("mask", "box", "cutout_at", "colour")}
    if mask is not None and before["mask"] is not None:
        for name, new in ((before["mask"], mask), (cutout_name(before["mask"]), cutout_name(mask))):
            _copy(out / name, scratch / new)
        if before.get("correction"):
            outputs.append(before["correction"])
    if before["mask"] is not None:
        return {**before, "mask": mask}
    return {} if part.seen else {"outline": before.get("outline")}


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise CatalogError(f"{shown(source)} is gone; run `filter` again with --resume, then correct it.") from error


def _write_drawing(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", COMMENT)
    write_image(mask_image(mask), path, pnginfo=told)
