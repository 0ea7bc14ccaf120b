"""What the embedded detector finds, and what it takes for a product that is none, on pictures with known contents.

    python benchmarks/recall.py --coco COCO [--coco-part val2017]        scenes, as COCO lays them out
    python benchmarks/recall.py --folders FOLDER [--most 8]              one folder a kind of thing
    python benchmarks/recall.py --imagenet FOLDER                        one picture a class, by WordNet
    python benchmarks/recall.py --photos FOLDER                          labels.csv: file, present, unsure
    python benchmarks/recall.py --photos FOLDER --steady                 the same photos, changed a little

Each way prints its figures; ``--half even`` or ``odd`` takes every other picture, ``--limit`` the first ones,
``--seconds`` stops in time, ``--false FILE`` writes a sheet of what was taken for a product, to look at,
``--class-map-only`` leaves the small detector out. A product of less than ``--share`` of a scene counts neither as
present nor as absent.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

SCENE_WORDS = {
    "bottle": "bottle", "cup": "cup", "chair": "chair", "couch": "sofa", "vase": "vase", "laptop": "laptop",
    "handbag": "handbag", "backpack": "backpack", "umbrella": "umbrella", "clock": "clock", "tv": "television",
    "car": "car",
}  # fmt: skip
"""COCO's label to the word that is asked."""
KINDS = {
    "accordion": "accordion", "binocular": "binoculars", "camera": "camera", "car_side": "car", "cellphone": "phone",
    "chair": "chair", "cup": "cup", "electric_guitar": "guitar", "ewer": "pitcher", "grand_piano": "piano",
    "hat": "hat", "lamp": "lamp", "laptop": "laptop", "saxophone": "saxophone", "shoes": "shoe", "skirt": "skirt",
    "soccer_ball": "soccer ball", "t-shirt": "t-shirt", "umbrella": "umbrella", "watch": "watch",
    "windsor_chair": "chair",
}  # fmt: skip
"""Folder's name to the word that is asked; pictures of other folders show none of them."""
BESIDE = {"laptop": ("phone",), "car": ("hat",)}
PHOTO_WORDS = ("handbag", "shoe", "car", "watch", "bottle", "sunglasses", "chair")
IMAGENET_WORDS = (
    "handbag", "shoe", "watch", "bottle", "cup", "chair", "sofa", "lamp", "vase", "laptop", "phone", "camera", "hat",
    "umbrella", "sunglasses", "teapot", "guitar", "perfume",
)  # fmt: skip
CHANGES = ("x0.75", "JPEG 60", "darker", "margin 10 %", "margin 30 %")


@dataclass
class Case:
    """A picture, the words that are asked of it, and those that it shows; what is in neither is not counted."""

    name: str
    image: np.ndarray
    present: set[str]
    absent: set[str]


@dataclass
class Count:
    """Right and wrong decisions so far."""

    found: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)
    false: list[tuple[str, str, float]] = field(default_factory=list)
    absent: int = 0
    pictures: int = 0
    seconds: float = 0.0
    tiles: list[np.ndarray] = field(default_factory=list)

    def told(self) -> str:
        found, present = sum(self.found.values()), sum(self.present.values())
        missed = {word: f"{self.found[word]}/{n}" for word, n in sorted(self.present.items()) if self.found[word] < n}
        return (
            f"{self.pictures} pictures, {self.seconds / max(1, self.pictures):.2f} CPU s each: "
            f"found {found} of {present} ({found / max(1, present):.3f}); false {len(self.false)} of {self.absent} "
            f"({100 * len(self.false) / max(1, self.absent):.3f} %)\n  missed: {missed}\n  false: "
            + ", ".join(f"{name}: {word} {score:.2f}" for name, word, score in self.false)
        )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--coco", type=Path)
    options.add_argument("--coco-part", default="val2017")
    options.add_argument("--share", type=float, default=0.02)
    options.add_argument("--folders", type=Path, nargs="*")
    options.add_argument("--most", type=int, default=8, help="pictures a folder")
    options.add_argument("--imagenet", type=Path)
    options.add_argument("--photos", type=Path)
    options.add_argument("--steady", action="store_true")
    options.add_argument("--half", choices=("even", "odd"))
    options.add_argument("--limit", type=int)
    options.add_argument("--seconds", type=float)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--false", type=Path, help="a PNG of what was taken for a product")
    options.add_argument("--class-map-only", action="store_true")
    given = options.parse_args()

    import torch

    from lib_photoshoot.build import build_filter

    torch.set_num_threads(given.threads)
    detector = build_filter().detector.words
    if given.class_map_only:
        detector._small = None
    small = detector._small
    print(f"small detector: {small.name if small else 'none'}")
    count = Count()
    if given.steady:
        return steadiness(detector, given)
    start = time.monotonic()
    for index, case in enumerate(cases(given)):
        if given.half and index % 2 != (given.half == "odd"):
            continue
        if given.limit is not None and count.pictures >= given.limit:
            break
        if given.seconds is not None and time.monotonic() - start > given.seconds:
            print("stopped in time")
            break
        measure(detector, case, count)
    print(count.told())
    if given.false and count.tiles:
        rows = [np.hstack(count.tiles[n : n + 8]) for n in range(0, len(count.tiles) - len(count.tiles) % 8, 8)]
        rest = count.tiles[len(rows) * 8 :]
        if rest:
            blank = [np.full_like(rest[0], 255)] * (8 - len(rest))
            rows.append(np.hstack(rest + blank))
        cv2.imwrite(str(given.false), np.vstack(rows)[:, :, ::-1])
    return 0


def decide(detector, image: np.ndarray, words: set[str]) -> dict[str, tuple[float, tuple]]:
    """Return score and box of the best believed detection of each word."""
    from lib_photoshoot.detection.verification import verify
    from lib_photoshoot.products import parse_products

    products = parse_products(", ".join(sorted(words)))
    thresholds = {product.name: detector.threshold_for(product) for product in products}
    kept, _ = verify(detector.detect(image, products), thresholds, image.shape[1], image.shape[0])
    best: dict[str, tuple[float, tuple]] = {}
    for detection in kept:
        best.setdefault(detection.product, (detection.score, detection.box))
    return best


def measure(detector, case: Case, count: Count) -> None:
    begin = time.process_time()
    kept = decide(detector, case.image, case.present | case.absent)
    count.seconds += time.process_time() - begin
    count.pictures += 1
    count.absent += len(case.absent)
    count.present.update(case.present)
    count.found.update(case.present & set(kept))
    for word in case.absent & set(kept):
        score, box = kept[word]
        count.false.append((case.name, word, score))
        count.tiles.append(tile(case.image, box, f"{word} {score:.2f}"))


def tile(image: np.ndarray, box: tuple, text: str, side: int = 220) -> np.ndarray:
    shown = image.copy()
    x0, y0, x1, y1 = (round(value) for value in box)
    cv2.rectangle(shown, (x0, y0), (x1, y1), (255, 0, 0), max(2, max(image.shape) // 150))
    scale = side / max(shown.shape[:2])
    small = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    square = np.full((side + 20, side, 3), 255, np.uint8)
    square[20 : 20 + small.shape[0], : small.shape[1]] = small[:side]
    cv2.putText(square, text, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return square


def cases(given: argparse.Namespace) -> Iterator[Case]:
    if given.coco:
        yield from scenes(given.coco, given.coco_part, given.share)
    for folder in given.folders or ():
        yield from kinds(folder, given.most)
    if given.imagenet:
        yield from classes(given.imagenet)
    if given.photos:
        yield from photos(given.photos)


def scenes(folder: Path, part: str, least: float) -> Iterator[Case]:
    data = json.loads((folder / "annotations" / f"instances_{part}.json").read_text())
    label = {row["id"]: row["name"] for row in data["categories"]}
    for row in data["images"]:
        largest: dict[str, float] = {}
        for mark in data["annotations"]:
            if mark["image_id"] == row["id"]:
                share = mark["bbox"][2] * mark["bbox"][3] / (row["width"] * row["height"])
                name = label[mark["category_id"]]
                largest[name] = max(share, largest.get(name, 0.0))
        present = {word for name, word in SCENE_WORDS.items() if largest.get(name, 0.0) >= least}
        absent = {word for name, word in SCENE_WORDS.items() if name not in largest}
        yield Case(row["file_name"], read(folder / part / row["file_name"]), present, absent)


def kinds(folder: Path, most: int) -> Iterator[Case]:
    words = sorted(set(KINDS.values()))
    for place in sorted(path for path in folder.rglob("*") if path.is_dir()):
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
        word = KINDS.get(place.name)
        for path in files[:: max(1, len(files) // most)][:most]:
            beside = BESIDE.get(word or "", ())
            present = {word} if word else set()
            absent = set(words) - present - set(beside)
            yield Case(f"{place.name}/{path.name}", read(path), present, absent)


def classes(folder: Path) -> Iterator[Case]:
    from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary

    shows = {word: set(load_vocabulary().find(word).classes) for word in IMAGENET_WORDS}
    files = sorted(path for path in folder.iterdir() if path.name.startswith("n") and path.suffix == ".JPEG")
    for index, path in enumerate(files):
        present = {word for word, indices in shows.items() if index in indices}
        yield Case(path.name, read(path), present, set(IMAGENET_WORDS) - present)


def photos(folder: Path) -> Iterator[Case]:
    for row in csv.DictReader((folder / "labels.csv").open()):
        present, unsure = (set(filter(None, row[name].split(";"))) for name in ("present", "unsure"))
        asked = set(PHOTO_WORDS)
        yield Case(row["file"], read(folder / row["file"]), present & asked, asked - present - unsure)


def changed(image: np.ndarray, change: str) -> np.ndarray:
    """Return a photo after one of :data:`CHANGES`."""
    if change == "x0.75":
        return cv2.resize(image, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    if change == "JPEG 60":
        _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
        return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])
    if change == "darker":
        return (image * 0.75).round().astype(np.uint8)
    share = 0.1 if change == "margin 10 %" else 0.3
    height, width = image.shape[:2]
    y, x = round(height * share), round(width * share)
    wider = np.empty((height + 2 * y, width + 2 * x, 3), np.uint8)
    wider[:] = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]), axis=0)
    wider[y : y + height, x : x + width] = image
    return wider


def steadiness(detector, given: argparse.Namespace) -> int:
    """Print in how many cases a photo's decision on each word stays after a small change."""
    same: Counter[str] = Counter()
    total: Counter[str] = Counter()
    lost: list[str] = []
    start = time.monotonic()
    for index, case in enumerate(cases(given)):
        if given.half and index % 2 != (given.half == "odd"):
            continue
        if given.seconds is not None and time.monotonic() - start > given.seconds:
            print("stopped in time")
            break
        asked = case.present | case.absent
        before = set(decide(detector, case.image, asked))
        if not before:
            continue
        for change in CHANGES:
            after = decide(detector, changed(case.image, change), asked)
            total[change] += 1
            same[change] += set(after) == before
            if set(after) != before:
                lost.append(f"{case.name} {change}: {sorted(before)} became {sorted(after)}")
    everything = sum(total.values())
    print(f"the same decision: {sum(same.values())} of {everything} ({sum(same.values()) / max(1, everything):.3f})")
    print({change: f"{same[change]}/{total[change]}" for change in CHANGES}, *lost, sep="\n  ")
    return 0


def read(path: Path) -> np.ndarray:
    from lib_photoshoot.images import read_picture

    return read_picture(path).pixels


if __name__ == "__main__":
    sys.exit(main())
