"""Teach the embedded detector words that ImageNet does not have, and measure what it has learned.

    python benchmarks/taught_words.py look CACHE --source caltech=FOLDER --source ... --absent FOLDER [--seconds 340]
    python benchmarks/taught_words.py teach CACHE --source ... [--out FOLDER]
    python benchmarks/taught_words.py glance CACHE --source ... [--absent FOLDER] [--seconds 60]
    python benchmarks/taught_words.py measure CACHE --source ... [--absent FOLDER] [--words "dress, shirt"] [--most 20]

``lib_photoshoot/detection/embedded/teaching/lessons.toml`` says which sources there are, where they are had and how
they are licensed; a folder is one of them unpacked. ``look`` keeps in the folder CACHE what the network sees in each
picture that is learned from, and in every second one of the folders ``--absent``, which show anything else, and goes on
where an earlier run stopped. ``teach`` makes ``taught.npz`` and ``taught.json`` out of it. ``measure`` asks the whole
detector about pictures that are held back (``glance`` the classifier alone, in a tenth of the time): each word about
pictures that show it, or all words about the other half of ``--absent``, of which every match is listed, to be looked
at.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from lib_photoshoot.detection.embedded.teaching.lessons import Lessons, Shown  # noqa: E402

LEAST_PICTURES = 8
HEADS = ROOT / "lib_photoshoot" / "detection" / "embedded"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("do", choices=("look", "teach", "glance", "measure"))
    options.add_argument("cache", type=Path)
    options.add_argument("--source", action="append", default=[], metavar="NAME=FOLDER")
    options.add_argument("--seconds", type=float, default=float("inf"))
    options.add_argument("--out", type=Path, default=HEADS)
    options.add_argument("--absent", type=Path, action="append", default=[])
    options.add_argument("--words", default="")
    options.add_argument("--most", type=int, default=20)
    given = options.parse_args()
    lessons = Lessons.load()
    folders = {name: Path(folder) for name, folder in (item.split("=", 1) for item in given.source)}
    chosen = [shown for name, folder in folders.items() for shown in lessons.pictures(name, folder)]
    learned = in_turns(lessons, [shown for shown in chosen if not shown.held_back])
    if given.do == "look":
        look(lessons, learned, given.cache, given.seconds)
        look_at_others(given.absent, given.cache / "others", given.seconds)
    elif given.do == "teach":
        teach(lessons, learned, given.cache, given.out)
    elif given.do == "glance":
        held = [(shown.path, shown.label) for shown in in_turns(lessons, [s for s in chosen if s.held_back])]
        others = [(path, ("", path.stem)) for folder in given.absent for path in pictures_in(folder)[1::2]]
        glance(lessons, others or held, given.seconds)
    else:
        words = [word.strip() for word in given.words.split(",") if word.strip()]
        measure(lessons, [shown for shown in chosen if shown.held_back], words, given.absent, given.most, given.seconds)
    return 0


def in_turns(lessons: Lessons, pictures: list[Shown]) -> list[Shown]:
    """One of each label after the other, of those that show a word three: what was stopped early is balanced too."""
    rank: Counter[tuple[str, str]] = Counter()
    turns: dict[str, float] = {}
    for shown in pictures:
        turns[shown.key] = rank[shown.label] / (3 if lessons.is_shown(shown.label) else 1)
        rank[shown.label] += 1
    return sorted(pictures, key=lambda shown: (turns[shown.key], shown.key))


def look(lessons: Lessons, learned: list[Shown], cache: Path, seconds: float) -> None:
    """Keep the features of every picture that is learned from."""
    from lib_photoshoot.detection.embedded.teaching.looking import views_of
    from lib_photoshoot.images import read_picture
    from lib_photoshoot.segmentation.salience import U2NETP, OnnxSalience
    from lib_photoshoot.weights.store import find

    classifier = the_classifier()
    salience = OnnxSalience(find("u2netp"), "u2netp", U2NETP)
    known = {key for part in parts_of(cache) for key in part["keys"].tolist()}
    start, features, kinds, keys = time.monotonic(), [], [], []
    for shown in learned:
        if shown.key in known or time.monotonic() - start > seconds:
            continue
        views = views_of(classifier, read_picture(shown.path).pixels, shown.key,
                         is_subject=lessons.is_shown(shown.label), salience=salience.map)  # fmt: skip
        features.append(views.features)
        kinds.append(views.kinds)
        keys += [shown.key] * len(views.kinds)
    if keys:
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(cache / f"{len(known):06}.npz", features=np.concatenate(features).astype(np.float16),
                 kinds=np.concatenate(kinds), keys=np.array(keys))  # fmt: skip
    took = time.monotonic() - start
    print(f"{len(features)} pictures in {took:.0f} s; {len(known) + len(features)} of {len(learned)}")


def look_at_others(folders: list[Path], cache: Path, seconds: float) -> None:
    """Keep the features of every second picture of these folders, by which the heads are calibrated."""
    import torch

    from lib_photoshoot.images import read_picture

    known = {key for part in parts_of(cache) for key in part}
    classifier, start, cells = the_classifier(), time.monotonic(), {}
    for path in (path for folder in folders for path in pictures_in(folder)[::2]):
        if path.name not in known and time.monotonic() - start < seconds:
            with torch.autocast("cpu", torch.bfloat16):
                seen = classifier.cell_features(read_picture(path).pixels)
            cells[path.name] = seen.float().numpy().astype(np.float16)
    if cells:
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(cache / f"{len(known):06}.npz", **cells)


def teach(lessons: Lessons, learned: list[Shown], cache: Path, out: Path) -> None:
    """Fit the heads to what was looked at, calibrate them, and write them."""
    import torch

    from lib_photoshoot.detection.embedded.teaching.fitting import LearnedViews, calibrated, fit

    labels = {shown.key: shown.label for shown in learned}
    parts = parts_of(cache)
    keys = [key for part in parts for key in part["keys"].tolist()]
    kept = np.array([key in labels for key in keys])
    keys = [key for key in keys if key in labels]
    features = np.concatenate([part["features"] for part in parts])[kept].astype(np.float32)
    seen = LearnedViews(
        features, np.concatenate([part["kinds"] for part in parts])[kept], keys, [labels[key] for key in keys]
    )
    counts = Counter(labels[key] for key in set(keys))
    pictures = {lesson.word: sum(counts[label] for label in lesson.shows) for lesson in lessons.words}
    words = [lesson for lesson in lessons.words if pictures[lesson.word] >= LEAST_PICTURES]
    classifier = the_classifier()
    with torch.inference_mode():
        others = torch.cat(
            [classifier.logits(torch.from_numpy(some)).logsumexp(1) for some in np.array_split(features, 20)]
        )
    heads = fit(words, seen, others.clone())
    cells, wholes = [], []
    for features in (features for part in parts_of(cache / "others") for features in part.values()):
        seen_cells = torch.from_numpy(features.astype(np.float32)).movedim(0, -1)
        mean = seen_cells.mean((0, 1))
        with torch.inference_mode():
            cells.append(heads.margins(seen_cells, classifier.logits(seen_cells), cells=True).numpy())
            wholes.append(heads.margins(mean, classifier.logits(mean)).numpy())
    if cells:
        heads = calibrated(words, heads, cells, np.stack(wholes))
    arrays = {"bias": heads.bias.numpy(), "cell_bias": heads.cell_bias.numpy()}
    np.savez(out / "taught.npz", weight=heads.weight.numpy().astype(np.float16), **arrays)
    told = {
        lesson.word: {"pictures": pictures[lesson.word], "sources": sorted({source for source, _ in lesson.shows})}
        for lesson in words
    }
    sources = {
        name: {field: source[field] for field in ("title", "by", "address", "licence")}
        for name, source in lessons.sources.items()
    }
    content = {"network": "efficientnet-lite2", "pictures": len(set(keys)), "sources": sources, "words": told}
    (out / "taught.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(heads.words)} words from {len(set(keys))} pictures, {len(keys)} views; calibrated by {len(cells)}")
    if few := [word for word in pictures if word not in told]:
        print(f"fewer than {LEAST_PICTURES} pictures, so not taught: {', '.join(few)}")


def glance(lessons: Lessons, pictures: list[tuple[Path, tuple[str, str]]], seconds: float) -> None:
    """Ask the class map and the whole picture as a cut-out, without masks: a match wants both."""
    import cv2

    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
    from lib_photoshoot.detection.embedded.detector import PEAK, EmbeddedDetector
    from lib_photoshoot.detection.embedded.taught import taught_words
    from lib_photoshoot.images import read_picture
    from lib_photoshoot.weights.store import find

    classifier, start = ImageNetClassifier.from_file(find("efficientnet-lite2")), time.monotonic()
    words = {lesson.word: lesson for lesson in lessons.words}
    found, shown, absent = Counter(), Counter(), Counter()
    wrong: dict[str, list[str]] = {}
    for path, label in pictures:
        if time.monotonic() - start > seconds:
            break
        image = read_picture(path).pixels
        cells = classifier.class_map(image)[1000:]
        box = (0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
        scores = classifier.classify([square_cutout(image, box, 0.02)])[0, 1000:]
        for word, heat, score in zip(taught_words(), cells, scores, strict=True):
            peak = cv2.blur(heat, (3, 3), borderType=cv2.BORDER_REPLICATE).max()
            match = peak >= PEAK and score >= EmbeddedDetector.default_threshold
            if label in words[word].shows:
                shown[word] += 1
                found[word] += match
            elif label not in words[word].unclear:
                absent[word] += 1
                if match:
                    wrong.setdefault(word, []).append(f"{label[1]} {score:.2f}")
    for word in words:
        seen = f"found {found[word]} of {shown[word]}; matched {len(wrong.get(word, []))} of {absent[word]} without it"
        print(f"{word}: {seen} {', '.join(wrong.get(word, []))}", flush=True)


def measure(
    lessons: Lessons, held: list[Shown], words: list[str], absent: list[Path], most: int, seconds: float
) -> None:
    """Ask the whole detector about pictures that nothing was learned from."""
    from lib_photoshoot.build import build_filter
    from lib_photoshoot.images import read_picture
    from lib_photoshoot.products import Product

    product_filter = build_filter()
    start = time.monotonic()

    def found(path: Path, names: list[str]) -> dict[str, float]:
        result = product_filter.detect(read_picture(path).pixels, [Product(name) for name in names])
        return {region.product: region.score for region in result.regions}

    chosen = [lesson for lesson in lessons.words if not words or lesson.word in words]
    for lesson in () if absent else chosen:
        shows = [shown for shown in held if shown.label in lesson.shows][:most]
        misses = [shown.key for shown in shows if not found(shown.path, [lesson.word])]
        print(f"{lesson.word}: {len(shows) - len(misses)} of {len(shows)}; missed: {', '.join(misses)}", flush=True)
        if time.monotonic() - start > seconds:
            return
    asked = matches = 0
    for path in (path for folder in absent for path in pictures_in(folder)[1::2]):
        asked += len(chosen)
        for word, score in found(path, [lesson.word for lesson in chosen]).items():
            matches += 1
            print(f"{path.name}: {word} {score:.2f}", flush=True)
        if time.monotonic() - start > seconds:
            break
    if absent:
        print(f"{matches} matches of {asked} asked")


def the_classifier():
    """The classifier without a taught word."""
    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
    from lib_photoshoot.detection.embedded.taught import TaughtHeads
    from lib_photoshoot.weights.store import find

    return ImageNetClassifier.from_file(find("efficientnet-lite2"), TaughtHeads.none())


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order of their names."""
    from lib_photoshoot.images import PICTURE_SUFFIXES

    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)


def parts_of(cache: Path) -> list[dict[str, np.ndarray]]:
    """What earlier runs of ``look`` kept."""
    parts = []
    for file in sorted(cache.glob("*.npz")):
        with np.load(file, allow_pickle=False) as arrays:
            parts.append(dict(arrays))
    return parts


if __name__ == "__main__":
    sys.exit(main())
