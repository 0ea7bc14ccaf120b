"""The main object of a picture, by no word: how often it is found, where there is none, and how well outlined.

    python benchmarks/main_object.py --photos FOLDER --photos FOLDER --absent FOLDER
    python benchmarks/main_object.py --ecssd FOLDER --half odd --every 25
    python benchmarks/main_object.py --coco FOLDER --split val2017

``--photos`` and ``--absent`` are folders of pictures that surely show one thing, and surely do not; nothing but
looking tells whether they do, so ``--sheet`` writes all of them as a picture, with the decision. ECSSD is a folder with
``images`` and ``ground_truth_mask``, COCO one with ``annotations`` and the split's pictures: there a match is right
where its regions together cover one annotated instance, or all of those of its kind, with IoU 0.5 or more, and none of
them is a person. ``--half`` takes odd or even file numbers (of ECSSD) or places in the list (elsewhere), ``--every``
each n-th of those. ``--decide`` leaves the vote on the outline out, and measures what the finder itself saw.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from lib_photoshoot.build import ModelChoice, load_models  # noqa: E402
from lib_photoshoot.errors import PhotoshootError  # noqa: E402
from lib_photoshoot.images import read_picture  # noqa: E402
from lib_photoshoot.masks.comparison import mask_iou  # noqa: E402
from lib_photoshoot.pipeline import ProductFilter  # noqa: E402
from lib_photoshoot.products import parse_products  # noqa: E402

PRODUCTS = parse_products("product")
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
TILE, ACROSS = 200, 8


@dataclass
class Outcome:
    """What came of one picture: the decision or its reason, how sure, all regions as one mask, and seconds."""

    path: Path
    said: str
    score: float
    mask: np.ndarray | None
    image: np.ndarray = field(repr=False)
    seconds: float = 0.0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--photos", type=Path, action="append", default=[])
    options.add_argument("--absent", type=Path, action="append", default=[])
    options.add_argument("--ecssd", type=Path)
    options.add_argument("--coco", type=Path)
    options.add_argument("--split", default="val2017")
    options.add_argument("--half", choices=["odd", "even", "all"], default="all")
    options.add_argument("--every", type=int, default=1)
    options.add_argument("--seconds", type=float, help="stop after so long, and say how many were left")
    options.add_argument("--decide", action="store_true")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--sheet", type=Path)
    given = options.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    product_filter = load_models(ModelChoice()).filter()
    if given.decide:
        product_filter.outliner = None
    end = None if given.seconds is None else time.monotonic() + given.seconds
    seen: list[Outcome] = []

    def look(paths: Iterable[Path]) -> Iterator[Outcome]:
        left = list(paths)
        while left and (end is None or time.monotonic() < end):
            outcome = _look(product_filter, left.pop(0))
            if outcome is not None:
                seen.append(outcome)
                yield outcome
        if left:
            print(f"  {len(left)} left")

    for folder in given.photos:
        _say(f"{folder} (one thing each)", list(look(_some(_pictures(folder), given))))
    for folder in given.absent:
        _say(f"{folder} (none)", list(look(_some(_pictures(folder), given))))
    if given.ecssd:
        _ecssd(given, look)
    if given.coco:
        _coco(given, look)
    if given.sheet:
        _sheet(seen, given.sheet)
    return 0


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def _some(paths: list[Path], given: argparse.Namespace) -> list[Path]:
    start = {"odd": 1, "even": 0, "all": 0}[given.half]
    return paths[start :: 1 if given.half == "all" else 2][:: given.every]


def _look(product_filter: ProductFilter, path: Path) -> Outcome | None:
    try:
        picture = read_picture(path)
    except PhotoshootError as error:
        print(f"  left out: {error}")
        return None
    start = time.perf_counter()
    result = product_filter.detect(picture.pixels, PRODUCTS, picture.space)
    seconds = time.perf_counter() - start
    mask = np.logical_or.reduce([region.solid for region in result.regions]) if result.regions else None
    scores = [*(region.score for region in result.regions), *(item.score for item in result.rejected)]
    said = result.decision.value if result.reason is None else result.reason.value
    return Outcome(path, said, max(scores, default=0.0), mask, picture.pixels[..., :3], seconds)


def _say(name: str, outcomes: list[Outcome]) -> None:
    said = Counter(outcome.said for outcome in outcomes)
    share = said["match"] / max(len(outcomes), 1)
    print(f"{name}: {len(outcomes)} pictures, {said['match']} match ({share:.3f}); {dict(said)}")
    for kind in ("match", "skip"):
        some = [o.seconds for o in outcomes if (o.said == "match") == (kind == "match")]
        if some:
            print(f"  seconds a {kind}: median {np.median(some):.2f}")


def _ecssd(given: argparse.Namespace, look) -> None:
    images = sorted((given.ecssd / "images").glob("*.jpg"))
    parity = {"odd": 1, "even": 0}.get(given.half)
    chosen = [path for path in images if parity is None or int(path.stem) % 2 == parity]
    outcomes = list(look(chosen[:: given.every]))
    _say("ECSSD", outcomes)
    overlaps = []
    for outcome in outcomes:
        truth = cv2.imread(str(given.ecssd / "ground_truth_mask" / f"{outcome.path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        if outcome.mask is not None:
            overlaps.append(mask_iou(outcome.mask, truth > 127))
    if overlaps:
        got = np.array(overlaps)
        print(
            f"  IoU of the matches: mean {got.mean():.3f}, median {np.median(got):.3f}, "
            f">= .9 in {(got >= 0.9).mean():.2f}, < .5 in {(got < 0.5).mean():.2f}"
        )


def _coco(given: argparse.Namespace, look) -> None:
    notes = json.loads((given.coco / "annotations" / f"instances_{given.split}.json").read_text())
    names = {category["id"]: category["name"] for category in notes["categories"]}
    by_picture = defaultdict(list)
    for annotation in notes["annotations"]:
        by_picture[annotation["image_id"]].append(annotation)
    paths = {given.coco / given.split / image["file_name"]: image["id"] for image in notes["images"]}
    outcomes = list(look(_some(sorted(path for path in paths if path.is_file()), given)))
    _say(f"COCO {given.split}", outcomes)
    kinds: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.mask is not None:
            kinds[_kind(outcome.mask, by_picture[paths[outcome.path]], names)] += 1
    print(f"  what was matched: {dict(kinds)}")


def _kind(mask: np.ndarray, annotations: list[dict], names: dict[int, str]) -> str:
    shapes = defaultdict(list)
    for annotation in annotations:
        if isinstance(annotation["segmentation"], list):
            drawn = np.zeros(mask.shape, np.uint8)
            for polygon in annotation["segmentation"]:
                cv2.fillPoly(drawn, [np.array(polygon, np.float32).reshape(-1, 2).round().astype(np.int32)], 1)
            shapes[names[annotation["category_id"]]].append(drawn > 0)
    best, kind = 0.0, "nothing annotated"
    for name, masks in shapes.items():
        for one in [*masks, np.logical_or.reduce(masks)]:
            overlap = mask_iou(mask, one)
            if overlap > best:
                best, kind = overlap, name
    if best < 0.5:
        return "nothing annotated"
    return "a person" if kind == "person" else "a thing"


def _sheet(outcomes: list[Outcome], path: Path) -> None:
    tiles = []
    for outcome in sorted(outcomes, key=lambda o: (o.said, -o.score)):
        scale = TILE / max(outcome.image.shape[:2])
        size = (max(1, round(outcome.image.shape[1] * scale)), max(1, round(outcome.image.shape[0] * scale)))
        small = cv2.resize(outcome.image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if outcome.mask is not None:
            inside = cv2.resize(outcome.mask.astype(np.float32), size)[..., None]
            small = small * (0.3 + 0.7 * inside) + np.array((200, 0, 200)) * 0.35 * (1 - inside)
        tile = np.full((TILE + 20, TILE + 6, 3), 255, np.uint8)
        tile[20 : 20 + size[1], 3 : 3 + size[0]] = small.clip(0, 255)
        text = f"{outcome.score:.2f} {outcome.said[:11]} {outcome.path.stem[-10:]}"
        cv2.putText(tile, text, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    while len(tiles) % ACROSS:
        tiles.append(np.full((TILE + 20, TILE + 6, 3), 255, np.uint8))
    rows = [np.hstack(tiles[start : start + ACROSS]) for start in range(0, len(tiles), ACROSS)]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    print(f"sheet: {path}")


if __name__ == "__main__":
    raise SystemExit(main())
