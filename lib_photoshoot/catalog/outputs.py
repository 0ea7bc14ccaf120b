"""The files that one picture leaves in the output folder: masks, cut-outs, overlay, enhanced picture, thumbnails.

Of a picture in a new scene masks, cut-outs and overlay are the photo's, ``placed`` has the masks in the scene, and
``retouched`` the photo as it was before, if that was retouched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from lib_photoshoot.catalog.inputs import CUTOUTS, PLACED, RETOUCHED
from lib_photoshoot.colour.difference import Difference
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.file_names import beginning
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, store_picture, to_image, write_image
from lib_photoshoot.masks.cutout import cut_out_pixels, cutout_rect, mask_image
from lib_photoshoot.provenance.evidence import in_new_scene
from lib_photoshoot.provenance.metadata import NOTHING, save_options
from lib_photoshoot.results import Decision, FilterResult, NewScene, Outline, OutlineSource, ProductRegion
from lib_photoshoot.transparency import flattened

if TYPE_CHECKING:
    from lib_photoshoot.colour.comparison import ColourCheck

THUMBNAIL_SIDE = 560
# Distinct on light and on dark pictures and for colour-blind readers (Okabe and Ito's palette, RGB).
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178))


@dataclass(frozen=True)
class Written:
    """Paths relative to the output folder, with forward slashes: every file, and the mask of each region."""

    files: tuple[str, ...]
    masks: tuple[str, ...]


def write_outputs(
    out: Path, name: PurePath, picture: Picture, result: FilterResult, protected: Collection[str] = ()
) -> Written:
    """Write all files of one picture, each atomically.

    ``protected`` holds the real paths of the inputs: writing over one of them raises ``CatalogError``. ``OSError`` (no
    space, no permission) comes through as it is.
    """
    stem = name.as_posix()
    files: list[str] = []

    def place(relative: str) -> Path:
        path = output_path(out, relative, protected)
        files.append(relative)
        return path

    # What can be sold has the picture's own values, bits and profile; what is only looked at is sRGB. And whatever
    # shows the picture says as much about its origin as the picture does.
    small = _marked(picture)
    masks = []
    # Nobody should see in an overlay what the picture hides.
    visible = flattened(picture)
    _thumbnail(to_image(visible), place(thumbnail_name(stem, "before")), small)
    if result.decision is Decision.MATCH:
        made, taken_from = _made(picture, result), result.image if result.scene is None else result.scene.photo
        for number, region in enumerate(result.regions, 1):
            label = f"{stem}_{number}_{slug(region.product)}.png"
            masks.append(f"masks/{label}")
            write_image(mask_image(region.mask), place(masks[-1]))
            colours, alpha = cut_out_pixels(taken_from, region.solid, matte=region.alpha)
            store_picture(colours, place(f"{CUTOUTS}/{label}"), replace(picture, alpha=alpha))
            if result.scene is not None:
                write_image(mask_image(result.scene.regions[number - 1].mask), place(placed_name(masks[-1])))
        overlay = to_image(draw_overlay(visible, result.regions))
        write_image(overlay, place(f"overlays/{stem}.png"), **replace(picture, icc=None).options("PNG"))
        _thumbnail(overlay, place(thumbnail_name(stem, "overlay")), small)
        store_picture(result.image, place(f"enhanced/{stem}.png"), made)
        _thumbnail(to_image(_shown(made, result.image)), place(thumbnail_name(stem, "after")), _marked(made))
        if result.scene is not None and result.scene.retouched:
            store_picture(taken_from, place(f"{RETOUCHED}/{stem}.png"), picture)
            _thumbnail(to_image(_shown(picture, taken_from)), place(thumbnail_name(stem, RETOUCHED)), small)
    return Written(tuple(files), tuple(masks))


def output_path(out: Path, relative: str, protected: Collection[str]) -> Path:
    """Where an output goes.

    Raises ``CatalogError`` where that is one of the ``protected`` real paths of the inputs, or lies outside ``out``.
    """
    path = inside(out, relative)
    if os.path.realpath(path) in protected:
        raise CatalogError(f"{shown(path)} is one of the inputs and is not overwritten; choose another --out.")
    return path


def _made(picture: Picture, result: FilterResult) -> Picture:
    """Return the picture as what the result's image is like: profile and metadata, and alpha where it still has any."""
    if result.scene is None:
        return picture
    height, width = result.image.shape[:2]
    metadata = in_new_scene(picture.metadata, result.scene.generated)
    return replace(picture, alpha=None, width=width, height=height, metadata=metadata)


def _shown(like: Picture, pixels: np.ndarray) -> np.ndarray:
    """Return other pixels of a picture's space and alpha in sRGB, on white where it is transparent."""
    return flattened(replace(like, pixels=like.space.to_srgb(pixels), icc=None))


def thumbnail_name(stem: str, kind: str) -> str:
    """Relative path of a thumbnail; ``kind`` is ``before``, ``after``, ``overlay`` or ``retouched``."""
    return f"thumbnails/{kind}/{stem}.jpg"


def cutout_name(mask: str) -> str:
    """Relative path of the cut-out that belongs to a mask's."""
    return mask.replace("masks/", f"{CUTOUTS}/", 1)


def placed_name(mask: str) -> str:
    """Relative path of the mask of the same product where it stands in a new scene."""
    return mask.replace("masks/", f"{PLACED}/", 1)


def _marked(picture: Picture) -> dict[str, Any]:
    """Options for a small JPEG, which has room for the term of its origin alone."""
    term = picture.metadata.term
    return {} if term is None else save_options("JPEG", NOTHING.with_term(term))


def _thumbnail(image: Image.Image, path: Path, options: dict[str, Any]) -> None:
    small = image.copy() if max(image.size) <= THUMBNAIL_SIDE else _reduced(image)
    write_image(small.convert("RGB"), path, quality=82, optimize=True, **options)


def _reduced(image: Image.Image) -> Image.Image:
    scale = THUMBNAIL_SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def slug(product: str) -> str:
    """Return a product's name as part of a file name: letters and digits of any script, the rest as ``-``."""
    return beginning(re.sub(r"[^\w]+", "-", product).strip("-")[:40], 45) or "product"


def draw_overlay(pixels: np.ndarray, regions: tuple[ProductRegion, ...]) -> np.ndarray:
    """Copy of uint8 RGB pixels (H, W, 3) with coloured masks and numbered boxes with product and score.

    An outline that a person drew has no score: it says so in its place.
    """
    canvas = pixels.copy()
    thickness = max(1, round(max(pixels.shape[:2]) / 350))
    for index, region in enumerate(regions):
        colour = np.array(COLOURS[index % len(COLOURS)], np.uint16)
        canvas[region.solid] = ((canvas[region.solid].astype(np.uint16) * 11 + colour * 9) // 20).astype(np.uint8)
        outline, _ = cv2.findContours(region.solid.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(canvas, outline, -1, (255, 255, 255), thickness, cv2.LINE_AA)
    for index, region in enumerate(regions):
        _draw_box(canvas, region, index + 1, COLOURS[index % len(COLOURS)], thickness)
    return canvas


def _draw_box(
    canvas: np.ndarray, region: ProductRegion, number: int, colour: tuple[int, int, int], thickness: int
) -> None:
    x0, y0, x1, y1 = (round(value) for value in region.box)
    cv2.rectangle(canvas, (x0, y0), (x1 - 1, y1 - 1), colour, thickness + 1, cv2.LINE_AA)
    # OpenCV's fonts hold ASCII only; the number leads to the full name in the report.
    by_hand = region.outline is not None and region.outline.source is OutlineSource.HAND
    said = "by hand" if by_hand else f"{region.score:.2f}"
    text = f"{number} {' + '.join(region.products).encode('ascii', 'replace').decode()} {said}"
    scale = max(0.35, max(canvas.shape[:2]) / 1100)
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    pad = max(2, height // 3)
    left = max(0, min(x0, canvas.shape[1] - width - 2 * pad))
    top = max(0, y0 - height - base - 2 * pad)
    corner = (left + width + 2 * pad, top + height + base + 2 * pad)
    cv2.rectangle(canvas, (left, top), corner, colour, cv2.FILLED)
    where = (left + pad, top + pad + height)
    ink = (0, 0, 0) if sum(colour) > 330 else (255, 255, 255)
    cv2.putText(canvas, text, where, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)


def report_entry(file: str, result: FilterResult, masks: tuple[str, ...] = ()) -> dict[str, Any]:
    """One picture's object in ``report.json`` and in the output of ``detect``.

    A region whose mask was written has its ``quality``, the segmenter's predicted IoU (None where there is none), and
    ``cutout_at``, where in the picture its cut-out's upper left corner lies. A picture in a new scene has a ``scene``.
    """
    regions = []
    for index, region in enumerate(result.regions):
        found = _found(region.product, region.score, region.box) | {"mask": None}
        if index < len(masks):
            # 0 is what a region has that no segmenter predicted anything of.
            found |= {"mask": masks[index], "quality": round(float(region.quality), 4) or None}
            rect = cutout_rect(region.solid, region.alpha)
            found["cutout_at"] = None if rect is None else [rect.x0, rect.y0]
        if region.outline is not None:
            found["outline"] = outline_entry(region.outline)
        if region.colour is not None:
            found["colour"] = colour_entry(region.colour)
        if region.also:
            found["also"] = list(region.also)
        regions.append(found | check_entry(region.colour_check))
    rejected = [
        _found(item.product, item.score, item.box) | {"reason": item.reason.value} | check_entry(item.colour_check)
        for item in result.rejected
    ]
    return {
        "file": file,
        "width": result.width,
        "height": result.height,
        "decision": result.decision.value,
        "reason": None if result.reason is None else result.reason.value,
        "regions": regions,
        "rejected": rejected,
        **({} if result.scene is None else {"scene": scene_entry(result.scene, result.image)}),
        "seconds": {stage: round(float(seconds), 4) for stage, seconds in result.seconds.items()},
    }


def scene_entry(scene: NewScene, image: np.ndarray) -> dict[str, Any]:
    """Return what became of a picture's scene as JSON values; ``boxes`` are the products' there, in their order."""
    entry: dict[str, Any] = {
        "painter": scene.painter,
        "width": image.shape[1],
        "height": image.shape[0],
        "scale": round(scene.scale, 4),
        "kept_pixels": scene.kept,
        "changed_product_pixels": scene.changed_product,
        "boxes": [[round(float(value), 2) for value in region.box] for region in scene.regions],
        "doubts": [doubt.value for doubt in scene.doubts],
        "notes": list(scene.notes),
    }
    entry |= {name: True for name in ("retouched", "generated", "relit_product") if getattr(scene, name)}
    if scene.light is not None:
        entry["light"] = scene.light
    if scene.grown is not None:
        entry |= {"tries": scene.tries, "grown": round(scene.grown, 4)}
    if scene.hidden is not None:
        entry["hidden"] = round(scene.hidden, 4)
    return entry


def products_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return all products that a region of a report is, the one that it is counted as first."""
    return (entry["product"], *entry.get("also", ()))


def check_entry(check: ColourCheck | None) -> dict[str, Any]:
    """Return the field ``colour_check`` of a region, which only those have whose product has a colour reference."""
    if check is None:
        return {}
    from lib_photoshoot.colour.comparison import to_json

    return {"colour_check": to_json(check)}


def outline_entry(outline: Outline) -> dict[str, Any]:
    """Return an outline's trustworthiness as JSON values."""
    return {
        "quality": round(outline.quality, 4),
        "doubts": [doubt.value for doubt in outline.doubts],
        "source": outline.source.value,
    }


def colour_entry(colour: Difference) -> dict[str, Any]:
    """Return what an enhancement did to an article's colours as JSON values: mean L*a*b*, and CIEDE2000."""
    return {
        "before": [round(value, 2) for value in colour.before],
        "after": [round(value, 2) for value in colour.after],
        "delta_e": {"mean": round(colour.mean, 2), "p95": round(colour.percentile_95, 2)},
    }


def _found(product: str, score: float, box: tuple[float, ...]) -> dict[str, Any]:
    return {"product": product, "score": round(float(score), 4), "box": [round(float(value), 2) for value in box]}
