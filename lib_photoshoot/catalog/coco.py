"""Masks as COCO annotations (boxes as x, y, width, height; segmentation as polygons)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.catalog.ledger import Record
from lib_photoshoot.results import ProductRegion


def annotation(region: ProductRegion) -> dict[str, Any]:
    """COCO annotation of one region, without ids: ``bbox`` is the mask's own box, ``area`` its pixel count."""
    mask = region.mask
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return {
        "product": region.product,
        **({"also": list(region.also)} if region.also else {}),
        "score": round(float(region.score), 4),
        "bbox": [x, y, width, height],
        "area": int(np.count_nonzero(mask)),
        "segmentation": polygons(mask),
        "iscrowd": 0,
    }


def polygons(mask: np.ndarray) -> list[list[int]]:
    """Outer contours of a bool mask (H, W) as flat ``x, y, x, y, ...`` lists of at least three points.

    A part too thin for a polygon is given as the box of its pixels, so that no part is lost.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    result = []
    for contour in contours:
        if len(contour) < 3:
            x, y, width, height = cv2.boundingRect(contour)
            result.append([x, y, x + width, y, x + width, y + height, x, y + height])
        else:
            result.append([int(value) for value in contour.reshape(-1)])
    return result


def coco_document(products: Sequence[str], records: Sequence[Record]) -> dict[str, Any]:
    """Return the whole COCO file: categories in the products' order, ids from 1."""
    category = {name: number for number, name in enumerate(products, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, record in enumerate(records, 1):
        entry = record.entry
        images.append({"id": image_id, "file_name": entry["file"], "width": entry["width"], "height": entry["height"]})
        for item in record.annotations:
            rest = {key: value for key, value in item.items() if key not in ("product", "also")}
            # COCO has one category an annotation: what is two products has two.
            for product in (item["product"], *item.get("also", ())):
                ids = {"id": len(annotations) + 1, "image_id": image_id, "category_id": category[product]}
                annotations.append(ids | rest)
    return {
        "info": {"description": "Products found by Product Photoshoot", "version": "1"},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name, "supercategory": "product"} for name, number in category.items()],
    }
