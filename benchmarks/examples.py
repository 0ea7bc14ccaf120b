"""Products by example: what is found, and what is taken for a product that it is not.

``python benchmarks/examples.py --cartons DATASET`` measures packages that differ in their print, with 1, 3 and 5
examples; ``--kinds FOLDER`` products of different kinds, a folder each; ``--skips FOLDER`` what pictures without them
cost.

DATASET is GroceryStoreDataset's ``dataset`` (Klasson, Zhang and Kjellstrom 2019, https://arxiv.org/abs/1901.00711): the
examples are the iconic photo and photos of its training split, the pictures asked about are of its test split, each
against every carton. FOLDER of ``--kinds`` holds a folder of photos for each kind: the first ``--examples`` of each are
the examples, every further one is asked about. Both take ``--every N`` to ask about each n-th picture only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from lib_photoshoot.build import ModelChoice, load_models
from lib_photoshoot.errors import ImageError
from lib_photoshoot.examples.detector import ExampleDetector
from lib_photoshoot.images import PICTURE_SUFFIXES, read_picture
from lib_photoshoot.products import Product


@dataclass(frozen=True)
class Shown:
    """A product, the pictures it is known by, and those that show it."""

    product: Product
    asked: tuple[Path, ...]


def pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    return [paths[round(i)] for i in np.linspace(0, len(paths) - 1, min(count, len(paths)))]


def cartons(dataset: Path, examples: int, every: int) -> Iterator[Shown]:
    """Yield the packages that have an iconic photo: it and photos of the training split against the test split."""
    for folder in sorted((dataset / "train" / "Packages").glob("*/*")):
        place = folder.relative_to(dataset / "train")
        iconic = sorted((dataset / "iconic-images-and-descriptions" / place).glob("*_Iconic.jpg"))
        known = [*iconic, *spread(pictures_in(folder), examples - len(iconic))][:examples]
        yield Shown(by_example(folder.name, known), tuple(pictures_in(dataset / "test" / place)[::every]))


def kinds(folder: Path, examples: int, every: int) -> Iterator[Shown]:
    for inside in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = pictures_in(inside)
        if len(found) > examples:
            known = spread(found, examples)
            yield Shown(by_example(inside.name, known), tuple([p for p in found if p not in known][::every]))


def by_example(name: str, pictures: Sequence[Path]) -> Product:
    words = "".join(character if character.isalnum() else " " for character in name).lower()
    return Product(" ".join(words.split()), examples=tuple(map(str, pictures)))


def best_scores(detector: ExampleDetector, shown: Sequence[Shown]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, those of what is said to be the very product, and whether the picture is the product's own:
    (pictures, products) each.
    """
    products = [one.product for one in shown]
    scores, sure, own = [], [], []
    for number, one in enumerate(shown):
        for path in one.asked:
            found = detector.detect(read_picture(path).srgb, products)
            for kept, best in ((found, scores), ([one for one in found if one.doubt is None], sure)):
                by_name = {product.name: 0.0 for product in products}
                for detection in kept:
                    by_name[detection.product] = max(by_name[detection.product], detection.score)
                best.append(list(by_name.values()))
            own.append([index == number for index in range(len(products))])
        print(f"  {one.product.name}: {len(one.asked)} pictures", flush=True)
    return np.array(scores), np.array(sure), np.array(own, bool)


def tell(title: str, scores: np.ndarray, own: np.ndarray, threshold: float) -> None:
    """Print what the product's own threshold does, and what it would be at stated rates of false matches."""
    right, false = scores[own] >= threshold, scores[~own] >= threshold
    decided = np.mean((scores >= threshold) == own)
    # Both kinds of decision alike, however many pictures of other products there are.
    balanced = (right.mean() + 1 - false.mean()) / 2
    print(f"{title}: found {right.mean():.3f} of {own.sum()}, false {false.mean():.4f} of {(~own).sum()}, "
          f"right decisions {decided:.4f}, balanced {balanced:.3f}")  # fmt: skip
    for rate in (0.01, 0.02):
        level = float(np.quantile(scores[~own], 1 - rate))
        print(f"  at {rate:.0%} false (score {level:.3f}): found {(scores[own] > level).mean():.3f}")
    first = scores.argmax(1) == own.argmax(1)
    print(f"  the best of {own.shape[1]}: right {first.mean():.3f}")


def time_skips(detector: ExampleDetector, shown: Sequence[Shown], folder: Path, count: int, words: str) -> None:
    """Print the seconds a picture without the products takes, beside those of a word that is not there either."""
    from lib_photoshoot.build import build_filter
    from lib_photoshoot.products import parse_products

    asked = parse_products(words)
    plain = build_filter(ModelChoice(), retouch="off")
    by_word, by_pictures, skipped = [], [], 0
    one = shown[0].product
    detector.signature(one)
    for path in spread(pictures_in(folder), count):
        try:
            image = read_picture(path).srgb
        except ImageError:
            continue
        begun = time.process_time()
        found = plain.detect(image, asked)
        middle = time.process_time()
        candidates = detector.detect(image, [one])
        end = time.process_time()
        if not found.regions and all(c.score < detector.default_threshold for c in candidates):
            skipped += 1
            by_word.append(middle - begun)
            by_pictures.append(end - middle)
    print(f"{skipped} skips: by word {np.median(by_word):.2f} processor seconds, by example "
          f"{np.median(by_pictures):.2f} (mean {np.mean(by_pictures):.2f}), ratio of the medians "
          f"{np.median(by_pictures) / np.median(by_word):.2f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cartons", type=Path, help="the folder 'dataset' of GroceryStoreDataset")
    parser.add_argument("--kinds", type=Path, help="a folder with a folder of photos for each kind")
    parser.add_argument("--skips", type=Path, help="pictures that show none of them, for the time they take")
    parser.add_argument("--examples", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--products", type=int, help="only the first so many")
    parser.add_argument("--word", default="lawn mower", help="what the time of --skips is compared with")
    arguments = parser.parse_args()
    models = load_models(ModelChoice())
    for title, folder, read in (("cartons", arguments.cartons, cartons), ("kinds", arguments.kinds, kinds)):
        if folder is None:
            continue
        for count in arguments.examples:
            shown = list(read(folder, count, arguments.every))[: arguments.products]
            detector = models.detector.finder(shown[0].product)
            assert isinstance(detector, ExampleDetector)
            print(f"{title}, {count} examples each, {len(shown)} products")
            scores, sure, own = best_scores(detector, shown)
            tell(f"{title}, {count} examples", scores, own, detector.default_threshold)
            tell(f"{title}, said to be the very product", sure, own, detector.default_threshold)
            if arguments.skips is not None and count == max(arguments.examples):
                time_skips(detector, shown, arguments.skips, 20, arguments.word)


if __name__ == "__main__":
    main()
