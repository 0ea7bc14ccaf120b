"""Pictures with true outlines for ``outlines.py``: ECSSD, COCO, and the outlines drawn by hand in ``tests/``."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

COCO_WORDS = {
    "backpack": "backpack", "umbrella": "umbrella", "handbag": "handbag", "suitcase": "suitcase", "bottle": "bottle",
    "wine glass": "wine glass", "cup": "cup", "bowl": "bowl", "chair": "chair", "couch": "sofa", "tv": "television",
    "laptop": "laptop", "mouse": "computer mouse", "keyboard": "computer keyboard", "cell phone": "mobile phone",
    "clock": "clock", "vase": "vase", "teddy bear": "teddy bear", "car": "car", "bicycle": "bicycle",
}  # fmt: skip
"""COCO's classes that are products, with the word that a user would type."""


@dataclass(frozen=True, eq=False)
class Case:
    """A picture, the product's word, and the true outline of every instance, bool (height, width) each."""

    name: str
    picture: Path
    word: str
    instances: tuple[np.ndarray, ...]

    @property
    def truth(self) -> np.ndarray:
        """All instances together."""
        return np.any(self.instances, axis=0)


def ecssd_cases(folder: Path, table: Path, half: str) -> Iterator[Case]:
    """ECSSD's pictures (Shi et al. 2016) named in ``table``; ``half`` is ``odd``, ``even`` or ``all`` of its numbers.

    The set marks what is salient, not single things: all of it is one instance.
    """
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            number = row["ecssd"]
            if half != "all" and (int(number) % 2 == 0) != (half == "even"):
                continue
            mask = np.asarray(Image.open(folder / "ground_truth_mask" / f"{number}.png").convert("L")) > 127
            yield Case(f"ecssd/{number}", folder / "images" / f"{number}.jpg", row["product"], (mask,))


def coco_cases(folder: Path, split: str = "val2017", least: float = 0.02) -> Iterator[Case]:
    """One case for each product class of each picture whose largest instance fills ``least`` of the frame.

    Crowd regions leave the picture out; smaller instances are left in, as part of the truth.
    """
    data = json.loads((folder / "annotations" / f"instances_{split}.json").read_text())
    names = {category["id"]: category["name"] for category in data["categories"]}
    for image in data["images"]:
        shape = (image["height"], image["width"])
        found: dict[str, list[np.ndarray]] = {}
        crowded = set()
        for item in data["annotations"]:
            if item["image_id"] != image["id"] or names[item["category_id"]] not in COCO_WORDS:
                continue
            word = COCO_WORDS[names[item["category_id"]]]
            if item["iscrowd"]:
                crowded.add(word)
                continue
            found.setdefault(word, []).append(polygons_mask(item["segmentation"], shape))
        for word, masks in found.items():
            largest = max(int(np.count_nonzero(mask)) for mask in masks)
            if word not in crowded and largest >= least * shape[0] * shape[1]:
                yield Case(f"{split}/{image['file_name']}", folder / split / image["file_name"], word, tuple(masks))


def drawn_cases(data: Path, table: Path) -> Iterator[Case]:
    """The outlines of ``tests/outlines.json`` over the pictures of ``data``."""
    for entry in json.loads(table.read_text(encoding="utf-8")):
        picture = data / entry["file"]
        with Image.open(picture) as image:
            shape = (image.height, image.width)
        masks = tuple(
            polygons_mask(instance["outer"], shape, instance.get("holes", ())) for instance in entry["instances"]
        )
        yield Case(entry["file"], picture, entry["word"], masks)


def polygons_mask(outer, shape: tuple[int, int], holes=()) -> np.ndarray:
    """Polygons, each a flat list of x and y in pixels, as a bool mask; ``holes`` are cut out."""
    mask = np.zeros(shape, np.uint8)
    for value, polygons in ((1, outer), (0, holes)):
        for polygon in polygons:
            # A quarter of a pixel is kept: OpenCV takes whole numbers with a shift.
            points = np.round((np.asarray(polygon, float).reshape(-1, 2) - 0.5) * 4).astype(np.int32)
            cv2.fillPoly(mask, [points], value, shift=2)
    return mask.astype(bool)
