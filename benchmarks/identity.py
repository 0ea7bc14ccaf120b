"""Is it still my product? Pairs of photos of the same and of other products, and what enhancements may change.

    python benchmarks/identity.py DATASET [--products 24] [--examples 5] [--queries 3] [--others 3] [--cache FOLDER]

DATASET is the folder ``dataset`` of GroceryStoreDataset (marcusklasson): packages that differ in print alone. A
product's examples are photos of its training split, the pictures asked about are of the test split, outlined by the
program that cuts examples out; *others* are the products of its own shelf, the hardest there are. The threshold is
chosen on every second product and reported on the rest. Then each picture is retouched, saved as JPEG, moved by a
pixel, and a part of the product is painted another colour: what of that would be undone.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

FALSE_RATE = 0.02
"""Of pairs of two products that may pass for one, where the threshold is chosen."""

Products = dict[str, tuple[list[Path], list[Path], str]]


@dataclass(frozen=True)
class Pair:
    """A picture of ``shown`` compared with the examples of ``asked``."""

    shown: str
    asked: str
    score: float
    look: float
    colour: float
    print: float | None
    told_apart: bool
    """Whether it can be told from others of its kind; else it is *perhaps* the same product."""

    @property
    def same(self) -> bool:
        return self.shown == self.asked


@dataclass(frozen=True)
class Change:
    """What a change of a picture did: scores before and after, and its colours (mean and worst CIEDE2000)."""

    name: str
    before: float
    after: float
    mean: float
    worst: float


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("dataset", type=Path)
    options.add_argument("--products", type=int, default=24)
    options.add_argument("--examples", type=int, default=5)
    options.add_argument("--queries", type=int, default=3)
    options.add_argument("--others", type=int, default=3)
    options.add_argument("--changed", type=int, default=24, help="pictures that are changed")
    options.add_argument("--cache", type=Path, help="a folder: what was measured is kept there, and not measured again")
    given = options.parse_args()

    products = _products(given.dataset, given.products)
    pairs, changes = _kept(given, lambda: _measured(given, products))
    names = sorted(products)
    even = {name for number, name in enumerate(names) if number % 2 == 0}
    chosen = _threshold([pair for pair in pairs if pair.shown in even])
    print(f"{len(names)} products, {len(pairs)} pairs; threshold chosen on every second product: {chosen:.2f}")
    from lib_photoshoot.examples.identity import SAME

    for name, threshold in (("chosen", chosen), ("shipped", SAME)):
        for half, inside in (("chosen on", True), ("the others", False)):
            part = [pair for pair in pairs if (pair.shown in even) is inside]
            print(f"  {name} {threshold:.2f}, {half:10}: {_rates(part, threshold)}")
    for printed in (True, False):
        part = [pair for pair in pairs if (pair.print is not None) is printed and pair.shown not in even]
        if part:
            print(f"  {'known by a print' if printed else 'known by look alone'}, the others: {_rates(part, SAME)}")
    _tell_changes(changes)
    return 0


def _products(dataset: Path, most: int) -> Products:
    """Photos for examples and questions by product, with the shelf that it stands on; shelves of several alone."""
    shelves: dict[str, list[str]] = defaultdict(list)
    photos: dict[str, dict[str, list[Path]]] = defaultdict(dict)
    for split in ("train", "test"):
        for folder in sorted((dataset / split / "Packages").glob("*/*")):
            if folder.is_dir():
                photos[folder.name][split] = sorted(folder.glob("*.jpg"))
                if split == "train":
                    shelves[folder.parent.name].append(folder.name)
    whole = {name: shelf for shelf, names in sorted(shelves.items()) if len(names) > 1 for name in names}
    fit = [name for name in whole if len(photos[name].get("test", ())) >= 3]
    step = max(1, len(fit) // most)
    return {name: (photos[name]["train"], photos[name]["test"], whole[name]) for name in fit[::step][:most]}


def _kept(given: argparse.Namespace, measure: Any) -> tuple[list[Pair], list[Change]]:
    if given.cache is None:
        return measure()
    path = given.cache / f"identity-{given.products}-{given.examples}-{given.queries}-{given.others}.pkl"
    if path.is_file():
        return pickle.loads(path.read_bytes())
    found = measure()
    given.cache.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(found))
    return found


def _measured(given: argparse.Namespace, products: Products) -> tuple[list[Pair], list[Change]]:
    from lib_photoshoot.build import ModelChoice, load_models
    from lib_photoshoot.examples.sources import ExampleFile, read_example
    from lib_photoshoot.products import Product

    detector = load_models(ModelChoice()).detector.finder(Product("any", examples=("any",)))
    known = {
        name: Product(name, examples=tuple(map(str, _spread(train, given.examples))))
        for name, (train, _, _) in products.items()
    }
    pairs, changes = [], []
    for number, (name, (_, test, shelf)) in enumerate(products.items()):
        siblings = [other for other, (_, _, place) in products.items() if place == shelf and other != name]
        for index, path in enumerate(_spread(test, given.queries)):
            picture = read_example(ExampleFile(path, ""))
            mask = detector._cutter.mask(picture)
            for asked in (name, *siblings[: given.others]):
                found = detector.identity(picture.pixels, mask, known[asked])
                pairs.append(Pair(name, asked, found.score, found.look, found.colour, found.print, found.told_apart))
            if index == 0 and number < given.changed:
                changes += _changes(detector, known[name], picture.pixels, mask)
        print(f"  {number + 1} of {len(products)} {name}", file=sys.stderr, flush=True)
    return pairs, changes


def _spread(paths: list[Path], count: int) -> list[Path]:
    return [paths[round(place)] for place in np.linspace(0, len(paths) - 1, min(count, len(paths)))]


def _changes(detector: Any, product: Any, image: np.ndarray, mask: np.ndarray) -> Iterator[Change]:
    from lib_photoshoot.enhancement.colour_hold import colour_change
    from lib_photoshoot.masks.morphology import mask_box

    box = mask_box(mask)
    for name, changed in _changed(image, mask, box):
        before, after = detector.scores([image, changed], box, product)
        change = colour_change(image, changed, changed, mask.astype(np.float32))
        yield Change(name, before, after, change.held.mean, change.held.percentile_95)


def _changed(image: np.ndarray, mask: np.ndarray, box: Any) -> Iterator[tuple[str, np.ndarray]]:
    import cv2
    from PIL import Image

    from lib_photoshoot.enhancement.retouch import retouch_of
    from lib_photoshoot.results import ProductRegion

    region = ProductRegion("it", box, 1.0, mask, 1.0)
    for name in ("faithful", "lively"):
        retouch = retouch_of(name, "off")
        yield f"retouch {name}", np.where(mask[..., None], retouch.enhance(image, [region]), image)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=80)
    yield "JPEG 80", np.asarray(Image.open(buffer).convert("RGB"))
    yield "moved by a pixel", np.roll(image, (1, 1), (0, 1))
    yield "blurred (sigma 1)", cv2.GaussianBlur(image, (0, 0), 1.0)
    area = float(mask.sum())
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    for share in (0.03, 0.06, 0.12):
        part = np.zeros(mask.shape, np.uint8)
        cv2.circle(part, (int(x), int(y)), max(1, round(np.sqrt(share * area / np.pi))), 1, -1)
        inside = (part > 0) & mask
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        hsv[inside, 0] = (hsv[inside, 0].astype(int) + 60) % 180
        hsv[inside, 1] = np.maximum(hsv[inside, 1], 120)
        yield f"{share:.0%} of it another hue", cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _threshold(pairs: list[Pair]) -> float:
    """The lowest score that at most :data:`FALSE_RATE` of the pairs of two products reach."""
    wrong = np.sort([pair.score * pair.told_apart for pair in pairs if not pair.same])
    allowed = int(FALSE_RATE * len(wrong))
    return float(wrong[-1 - allowed]) + 1e-6 if len(wrong) > allowed else 0.0


def _rates(pairs: list[Pair], threshold: float) -> str:
    said = []
    for own, what in ((True, "same product"), (False, "another one")):
        reached = [pair for pair in pairs if pair.same is own and pair.score >= threshold]
        of, sure = sum(pair.same is own for pair in pairs), sum(pair.told_apart for pair in reached)
        said.append(f"{what} taken for it {sure} of {of} ({sure / max(1, of):.1%}), perhaps {len(reached) - sure}")
    return "; ".join(said)


def _tell_changes(changes: list[Change]) -> None:
    from lib_photoshoot.enhancement.holding import WORST
    from lib_photoshoot.examples.identity import still_same
    from lib_photoshoot.settings import FilterSettings

    limit = FilterSettings().colour_limit
    pictures = len(changes) // max(1, len({change.name for change in changes}))
    print(f"changes of {pictures} pictures; limit {limit:g} for the mean, {WORST * limit:g} worst")
    for name in dict.fromkeys(change.name for change in changes):
        these = [change for change in changes if change.name == name]
        identity = sum(not still_same(change.before, change.after) for change in these)
        colour = sum(change.mean > limit or change.worst > WORST * limit for change in these)
        mean, worst = (np.median([getattr(change, what) for change in these]) for what in ("mean", "worst"))
        print(
            f"  {name:24} another product {identity} of {len(these)}; colour off {colour} of {len(these)} "
            f"(median mean {mean:.1f}, worst {worst:.1f})"
        )


if __name__ == "__main__":
    sys.exit(main())
