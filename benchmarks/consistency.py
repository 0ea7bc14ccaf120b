"""What can be told of a picture for comparing it with its set: errors on renders, on changed photos, false alarms.

    python benchmarks/consistency.py [--shared FOLDER] [--ecssd FOLDER] [--grocery FOLDER] [--half odd] [--sheet PNG]

Renders (``tests/consistency/renders.py``) have a known light, shadow and camera. Of real photos nobody knows the
light; so each, with its true outline, is changed by a known amount, mirrored, lit from a known side, scaled, moved,
turned, its white shifted, and what is measured has to change by as much. Sets: the iconic pictures of
GroceryStoreDataset, which share one look, as they are and with five of each changed. ``--sheet`` draws those that
differ. The limits were chosen on the ``even`` half.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.outline_cases import drawn_cases
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.consistency.measuring import measure_traits
from lib_photoshoot.consistency.sets import SURE, Comparison, Member, compare
from lib_photoshoot.consistency.traits import Measured, Trait
from lib_photoshoot.consistency.words import differs_in_words, told_of
from lib_photoshoot.images import read_picture
from lib_photoshoot.masks.morphology import bounding_rect, clean
from tests.consistency.renders import Scene, encoded, render

ROOT = Path(__file__).resolve().parents[1]
Pair = tuple[np.ndarray, np.ndarray]
"""A picture, uint8 RGB, and its product's mask."""
_CHANGED = 5


def apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


class Errors:
    """Errors with their confidences, by the name of what was asked."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._asked: dict[str, int] = defaultdict(int)

    def add(self, name: str, measured: Measured | None, error: Callable[[Measured], float]) -> None:
        self._asked[name] += 1
        if measured is not None:
            self._found[name].append((error(measured), measured.confidence))

    def show(self, unit: Callable[[str], str] = lambda _: "°") -> None:
        for name, asked in self._asked.items():
            sure = np.array([error for error, confidence in self._found[name] if confidence >= SURE])
            told = f"{len(sure):4} of {asked:4} sure"
            if sure.size:
                told += (
                    f", error median {np.median(sure):.2f}{unit(name)}, 90 % {np.percentile(sure, 90):.2f}{unit(name)}"
                )
            print(f"  {name:34} {told}")


def renders(half: str) -> None:
    """Balls, cans and boxes, plain and printed, under lights from all over the upper half."""
    errors = Errors()
    for kind in ("ball", "can", "box"):
        for printed in (0.0, 0.5):
            for number in range(half == "odd", 80, 2):
                random = np.random.default_rng(number)
                turn, height = random.uniform(0, 2 * math.pi), math.radians(random.uniform(15, 65))
                light = (math.cos(height) * math.cos(turn), math.sin(height), math.cos(height) * math.sin(turn))
                scene = Scene(
                    kind, light, random.uniform(5, 40), (320, 320), random.uniform(0.5, 1), print_=printed, noise=0.02,
                    soft=random.uniform(0, 4), turn=random.uniform(-0.6, 0.6), seed=number,
                )  # fmt: skip
                made = render(scene)
                found = measure_traits(made.picture, made.mask)
                what = f"{kind}{', printed' if printed else ''}"
                errors.add(f"{what}: light", found.get(Trait.LIGHT), lambda one, m=made: apart(one.values[0], m.light))
                if abs(math.cos(math.radians(made.light))) > 0.5:
                    errors.add(
                        f"{what}: light's side (0 or 1)",
                        found.get(Trait.LIGHT),
                        lambda one, m=made: float(_side(one.values[0]) != _side(m.light)),
                    )
                errors.add(f"{what}: shadow", found.get(Trait.SHADOW), lambda o, m=made: apart(o.values[0], m.shadow))
                errors.add(
                    f"{what}: camera's elevation",
                    found.get(Trait.ELEVATION),
                    lambda one, m=made: abs(one.values[0] - m.elevation),
                )
    print("Renders")
    errors.show(lambda name: "" if "side" in name else "°")


def _side(degrees: float) -> bool:
    return math.cos(math.radians(degrees)) > 0


def photos(shared: Path, ecssd: Path | None, half: str, every: int) -> Iterator[tuple[str, Pair]]:
    """Photos with true outlines: those drawn by hand over the shared ones, and every so many of ECSSD's."""
    odd = half == "odd"
    for number, case in enumerate(drawn_cases(shared, ROOT / "tests" / "outlines.json")):
        if number % 2 == odd:
            yield case.name, (read_picture(case.picture).srgb, case.truth)
    for number in range(1 + (not odd), 1001, 2 * every) if ecssd else ():
        mask = read_picture(ecssd / "ground_truth_mask" / f"{number:04}.png").pixels[:, :, 0] > 127
        yield f"ecssd {number}", (read_picture(ecssd / "images" / f"{number:04}.jpg").srgb, mask)


def lit_from(pair: Pair, degrees: float, strength: float) -> Pair:
    """The product as if it were round and lit from there; ``strength`` is the logarithm between facing and aside."""
    picture, mask = pair
    rect = bounding_rect(mask)
    side = max(rect.x1 - rect.x0, rect.y1 - rect.y0)
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    height = cv2.GaussianBlur(np.sqrt(np.minimum(depth, 0.3 * side) * 0.3 * side), (0, 0), max(1, 0.03 * side))
    right, down = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
    length = np.sqrt(right**2 + down**2 + 1)
    angle = math.radians(degrees)
    facing = (-right * math.cos(angle) + down * math.sin(angle)) / length
    factor = np.where(mask, np.exp(strength * facing), 1)[..., None]
    return encoded(_linear(picture) * factor), mask


def _linear(picture: np.ndarray) -> np.ndarray:
    values = picture / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def tinted(pair: Pair, gains: tuple[float, float, float]) -> Pair:
    """The picture under a light of another colour, a little darker, so that nothing more is clipped."""
    return encoded(_linear(pair[0]) * np.array(gains) * 0.8), pair[1]


def moved(pair: Pair, scale: float, down: float, turn: float = 0.0) -> Pair:
    """The picture scaled, moved down by a share of its height and turned clockwise about its middle."""
    picture, mask = pair
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -turn, scale)
    matrix[1, 2] += down * height
    size = (width, height)
    there = cv2.warpAffine(mask.astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR) > 127
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), there


def changed_photos(shared: Path, ecssd: Path | None, half: str, every: int) -> None:
    """Each photo changed by a known amount: what is measured has to change by as much."""
    errors, count = Errors(), 0
    for number, (_, pair) in enumerate(photos(shared, ecssd, half, every)):
        count += 1
        random = np.random.default_rng(number)
        before = measure_traits(*pair)
        mirrored = measure_traits(*(np.ascontiguousarray(one[:, ::-1]) for one in pair))
        for trait in (Trait.LIGHT, Trait.SHADOW):
            if trait in before:
                errors.add(
                    f"mirrored: {trait.value}",
                    mirrored.get(trait),
                    lambda one, b=before[trait]: apart(one.values[0], 180 - b.values[0]),
                )
        angle = random.uniform(0, 360)
        for strength in (0.3, 0.6, 1.0):
            found = measure_traits(*lit_from(pair, angle, strength)).get(Trait.LIGHT)
            errors.add(f"lit from a known side, {strength}: light", found, lambda one, a=angle: apart(one.values[0], a))
        _changed_white(errors, pair, before)
        _changed_place(errors, pair, before, random)
    print(f"\n{count} photos, changed by a known amount")
    errors.show(_unit)


def _unit(name: str) -> str:
    units = {"size": " %", "ground": " % of the frame", "warmer": " ΔE", "colder": " ΔE"}
    return units.get(name.partition(":")[0], "°")


def _changed_white(errors: Errors, pair: Pair, before: dict[Trait, Measured]) -> None:
    if Trait.WHITE not in before or before[Trait.WHITE].confidence < SURE:
        return
    a, b = before[Trait.WHITE].values
    light = np.array([[[85.0, a, b]]], np.float32)
    for name, gains in (("warmer", (1.1, 1.0, 0.8)), ("colder", (0.9, 1.0, 1.2))):
        white = encoded(_linear(SRGB.from_lab(light)) * np.array(gains) * 0.8)
        expected = SRGB.to_lab(white)[0, 0, 1:]
        found = measure_traits(*tinted(pair, gains)).get(Trait.WHITE)
        errors.add(f"{name}: white", found, lambda one, e=expected: math.dist(one.values, e))


def _changed_place(errors: Errors, pair: Pair, before: dict[Trait, Measured], random: np.random.Generator) -> None:
    scale = random.uniform(0.4, 0.8)
    if Trait.SIZE in before and before[Trait.SIZE].confidence >= SURE:
        size = before[Trait.SIZE].values[0] * scale
        found = measure_traits(*moved(pair, scale, 0)).get(Trait.SIZE)
        errors.add("size: scaled", found, lambda one: 100 * abs(one.values[0] / size - 1))
    down = random.uniform(-0.1, 0.1)
    if Trait.GROUND in before:
        ground = 0.5 + (before[Trait.GROUND].values[0] - 0.5) * scale + down
        found = measure_traits(*moved(pair, scale, down)).get(Trait.GROUND)
        errors.add("ground: scaled and moved", found, lambda one: 100 * abs(one.values[0] - ground))
    turn = random.uniform(-8, 8)
    if Trait.LEAN in before and before[Trait.LEAN].confidence >= SURE:
        lean = before[Trait.LEAN].values[0] + turn
        found = measure_traits(*moved(pair, 0.7, 0, turn)).get(Trait.LEAN)
        errors.add("turned: lean", found, lambda one: abs(one.values[0] - lean))


def lit_sets(half: str) -> None:
    """Forty renders of one kind lit from the left, each printed and placed anew; five are lit from the right."""
    print("\nRenders: sets of 40, five of them lit from the other side")
    for kind in ("ball", "can", "box"):
        members = []
        for number in range(40):
            random = np.random.default_rng(1000 + 2 * number + (half == "odd"))
            turn, height = math.radians(random.normal(0, 12)), math.radians(random.uniform(30, 50))
            side = 1 if number < _CHANGED else -1
            light = (side * math.cos(height) * math.cos(turn), math.sin(height), 0.5 + math.sin(turn))
            scene = Scene(
                kind, light, random.uniform(15, 25), scale=random.uniform(0.75, 0.85), print_=0.4, noise=0.02,
                soft=random.uniform(0, 4), turn=random.uniform(-0.3, 0.3), seed=number,
            )  # fmt: skip
            made = render(scene)
            members.append(Member(f"{number:02}", kind, measure_traits(made.picture, made.mask)))
        found = compare(members)
        odd = [one.key for one in members[:_CHANGED]]
        for trait in (Trait.LIGHT, Trait.SHADOW):
            named = {key for key, ones in found.departures.items() if trait in [one.trait for one in ones]}
            print(f"  {kind}: {trait.value}: {len(named & set(odd))} of {_CHANGED}, {len(named - set(odd))} others")
        print(f"    {' '.join(told_of(found))}")


def iconic(folder: Path) -> Iterator[tuple[str, str, Pair]]:
    """The iconic pictures of GroceryStoreDataset with their kind; what is not white is the product."""
    icons = folder / "dataset" / "iconic-images-and-descriptions"
    for path in sorted(icons.rglob("*.jpg")):
        picture = read_picture(path).srgb
        yield path.relative_to(icons).parts[0], path.stem, (picture, clean(picture.min(axis=2) < 245))


CHANGES: dict[str, Callable[[Pair], Pair]] = {
    "half as large": lambda pair: moved(pair, 0.5, 0),
    "15 % higher": lambda pair: moved(pair, 1, -0.15),
    "warmer": lambda pair: tinted(pair, (1.1, 1.0, 0.8)),
    "turned by 8°": lambda pair: moved(pair, 0.8, 0, 8),
}


def sets(folder: Path, sheet: Path | None) -> None:
    """Pictures that share one look, as they are: false alarms; and five of each set changed: found, and false."""
    groups: dict[str, list[tuple[str, Pair]]] = defaultdict(list)
    for kind, name, pair in iconic(folder):
        groups[kind].append((name, pair))
    print("\nSets that share one look")
    for kind, pictures in groups.items():
        members = [Member(name, kind, measure_traits(*pair)) for name, pair in pictures]
        found = compare(members)
        print(f"  {kind}: {len(found.departures)} of {found.count} differ; {' '.join(told_of(found))}")
        if sheet is not None:
            _draw(sheet.with_stem(f"{sheet.stem}-{kind}"), dict(pictures), found)
        for what, change in CHANGES.items():
            odd = {name: measure_traits(*change(pair)) for name, pair in pictures[1 : 1 + 2 * _CHANGED : 2]}
            again = compare([Member(one.key, kind, odd.get(one.key, one.traits)) for one in members])
            seen, others = len(odd.keys() & again.departures.keys()), len(again.departures.keys() - odd.keys())
            print(f"    {len(odd)} of them {what}: {seen} found, {others} others")


def _draw(path: Path, pictures: dict[str, Pair], found: Comparison, side: int = 220) -> None:
    cells = []
    for key, departures in list(found.departures.items())[:40]:
        picture = pictures[key][0]
        scale = side / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cell = np.full((side + 34, side + 8, 3), 255, np.uint8)
        cell[: small.shape[0], : small.shape[1]] = small
        for line, text in enumerate(differs_in_words(departures)[22:].split("; ")[:2]):
            place = (2, side + 14 + 15 * line)
            cv2.putText(cell, text[:38], place, cv2.FONT_HERSHEY_SIMPLEX, 0.34, (0, 0, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    rows = [cells[start : start + 6] for start in range(0, len(cells), 6)]
    if rows:
        blank = np.full_like(rows[0][0], 255)
        whole = np.vstack([np.hstack(row + [blank] * (6 - len(row))) for row in rows])
        cv2.imwrite(str(path), whole[:, :, ::-1])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--ecssd", type=Path, help="a folder with images/ and ground_truth_mask/")
    options.add_argument("--every", type=int, default=10, help="of ECSSD only every n-th picture of the half")
    options.add_argument("--grocery", type=Path, help="a clone of GroceryStoreDataset")
    options.add_argument("--half", choices=("even", "odd"), default="odd")
    options.add_argument("--sheet", type=Path)
    given = options.parse_args()
    renders(given.half)
    lit_sets(given.half)
    if given.shared.is_dir():
        changed_photos(given.shared, given.ecssd, given.half, given.every)
    if given.grocery is not None:
        sets(given.grocery, given.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
