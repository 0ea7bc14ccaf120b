"""How well an article's colour is held: pairs made by a script, in which a pass has changed colour, texture and light.

    .venv/bin/python benchmarks/colour_hold.py [--half even|odd|all] [--first 50] [--sheet sheet.png] [--search]

Each pair is an article of one to three colours, lit from a side, with texture, a light edge and a reflection; and the
same article with a cast, other saturation and lightness, new texture, the edge and the reflection elsewhere. Measured,
inside the article: CIEDE2000 of what an eye sees as its colour (``seen_colour``), before against after; the same
against the new picture as it would be with the article's true colour; the correlation of high frequencies (what a
Gaussian of 1/24 of the article takes away) with the new picture, over sRGB; pixels changed outside.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib_photoshoot.colour.difference import difference
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.enhancement.colour_hold import PARAMETERS, Parameters, hold_colour, seen_colour
from lib_photoshoot.masks.morphology import bounding_rect

COLOURS = {
    "white": (94, 0, 1), "black": (14, 0, 0), "grey": (55, 0, 0), "cream": (90, 1, 10), "beige": (78, 4, 15),
    "taupe": (50, 5, 10), "greige": (66, 2, 8), "sage": (64, -10, 10), "dusty pink": (68, 16, 6),
    "pale blue": (76, -4, -14), "navy": (22, 4, -22), "terracotta": (52, 32, 32), "red": (44, 62, 38),
    "gold": (66, 8, 46),
}  # fmt: skip
SEARCHED = [
    Parameters(reach, softness, outlier)
    for reach, softness, outlier in itertools.product((0.12, 0.17, 0.25), (4, 8, 16), (2, 3, 6))
]
SIDE = 512
COUNT = 50


@dataclass(frozen=True, eq=False)
class Pair:
    """The picture before, after the pass, what the pass would give with the article's true colour, and the mask."""

    name: str
    before: np.ndarray
    painted: np.ndarray
    ideal: np.ndarray
    alpha: np.ndarray


def make_pair(number: int) -> Pair:
    """Pair ``number``, always the same."""
    random = np.random.default_rng(number)
    alpha = _outline(random)
    names = list(COLOURS)
    chosen = [names[number % len(names)], *random.choice(names, 2, replace=False)][: 1 + number % 3]
    paint = _painted_parts(random, [COLOURS[name] for name in chosen])
    room = np.full((SIDE, SIDE, 3), COLOURS["white" if "white" not in chosen else "greige"], np.float32)
    first, second = _Light(random), _Light(random)
    ideal = second.on(paint)
    shifted = _shift(random, ideal)
    soft = alpha[..., None]
    # The pass paints its surroundings too, a little differently.
    painted = _shown(soft * shifted + (1 - soft) * (room + random.normal(0, 1, room.shape)))
    before = _shown(soft * first.on(paint) + (1 - soft) * room)
    return Pair(" + ".join(chosen), before, painted, _shown(soft * ideal + (1 - soft) * room), alpha)


class _Light:
    """Texture, shading from a side, a light edge and a reflection, drawn anew for each picture."""

    def __init__(self, random: np.random.Generator) -> None:
        y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
        turn = random.uniform(-0.5, 0.5)
        along = (x - 0.5) * math.cos(turn) + (y - 0.5) * math.sin(turn)
        edge = random.uniform(-0.12, 0.12)
        step = np.clip((along - edge) * 60, -0.5, 0.5)
        grain = [
            cv2.GaussianBlur(random.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), s) * s * 3
            for s in (0.7, 1.6, 3)
        ]
        self.shade = np.exp(0.16 * step + 0.05 * np.cos(5 * along) + 0.03 * sum(grain) / 3)
        px, py = random.uniform(0.35, 0.65, 2)
        self.glare = 0.8 * np.exp(-((((x - px) / 0.05) ** 2 + ((y - py) / 0.02) ** 2) ** 2))

    def on(self, paint: np.ndarray) -> np.ndarray:
        """L*a*b* of a paint, L*a*b* too, in this light: shading leaves a* / (L* + 16), a reflection is white."""
        lit = np.stack([(paint[..., 0] + 16) * self.shade - 16, *(paint[..., i] * self.shade for i in (1, 2))], -1)
        lit[..., 0] = np.clip(lit[..., 0], 0, 99)
        white = np.array([98, 0, 0], np.float32)
        return lit + self.glare[..., None] * (white - lit)


def _shift(random: np.random.Generator, lab: np.ndarray) -> np.ndarray:
    """What a pass does to colour: a cast, another saturation, another lightness and contrast."""
    angle, cast = random.uniform(0, 2 * math.pi), random.uniform(3, 9)
    saturation, contrast, light = random.uniform(0.6, 1.25), random.uniform(0.88, 1.1), random.uniform(-6, 6)
    moved = lab.copy()
    moved[..., 0] = 50 + (lab[..., 0] - 50) * contrast + light
    fade = np.clip((100 - lab[..., :1]) / 20, 0, 1)
    moved[..., 1:] = lab[..., 1:] * saturation + fade * cast * np.array([math.cos(angle), math.sin(angle)])
    return moved


def _outline(random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
    turn = np.arctan2(y, x)
    radius = 0.34 + sum(random.uniform(-0.03, 0.03) * np.cos(k * turn + random.uniform(0, 6)) for k in (2, 3, 5))
    inside = np.clip((radius - np.hypot(x, y * random.uniform(0.9, 1.4))) * SIDE, 0, 1)
    return cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.8)


def _painted_parts(random: np.random.Generator, colours: list[tuple[int, int, int]]) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
    paint = np.empty((SIDE, SIDE, 3), np.float32)
    paint[:] = colours[0]
    if len(colours) > 1:  # a band, as a sole
        paint[y + random.uniform(-0.2, 0.2) * x > random.uniform(0.08, 0.2)] = colours[1]
    if len(colours) > 2:  # stripes, as a print
        paint[(np.abs((x * 14) % 1 - 0.5) < 0.2) & (np.abs(y + 0.12) < 0.08)] = colours[2]
    return paint


def _shown(lab: np.ndarray) -> np.ndarray:
    return SRGB.from_lab(np.ascontiguousarray(lab, np.float32))


@dataclass(frozen=True)
class Score:
    """What is measured of a pair; ``ideal`` is against the new picture with the true colour."""

    painted: float
    held: float
    worst: float
    ideal: float
    texture: float
    outside: int
    seconds: float


def score(pair: Pair, how: Parameters, strength: float = 1.0) -> tuple[Score, np.ndarray]:
    """Hold one pair's colour; also returns the picture."""
    start = time.perf_counter()
    held = hold_colour(pair.before, pair.painted, pair.alpha, strength, how)
    seconds = time.perf_counter() - start
    rect = bounding_rect(pair.alpha)
    assert rect is not None
    seen = [
        seen_colour(pixels[rect.slices], pair.alpha[rect.slices])
        for pixels in (pair.before, pair.painted, held, pair.ideal)
    ]
    after = difference(seen[0], seen[2])
    outside = int(((held != pair.painted).any(2) & (pair.alpha == 0)).sum())
    texture = _correlation(held, pair.painted, pair.alpha)
    shifted = difference(seen[0], seen[1]).mean
    return Score(
        shifted, after.mean, after.percentile_95, difference(seen[3], seen[2]).mean, texture, outside, seconds
    ), held


def _correlation(one: np.ndarray, other: np.ndarray, alpha: np.ndarray) -> float:
    sigma = math.sqrt(float(alpha.sum())) / 24
    inner = cv2.erode(alpha, np.ones((7, 7))) == 1
    fine = [
        (p.astype(np.float32) - cv2.GaussianBlur(p.astype(np.float32), (0, 0), sigma))[inner].ravel()
        for p in (one, other)
    ]
    return float(np.corrcoef(*fine)[0, 1])


def table(scores: list[Score]) -> str:
    """One line of figures over the pairs."""

    def mean(name: str) -> float:
        return float(np.mean([getattr(s, name) for s in scores]))

    def most(name: str) -> float:
        return max(getattr(s, name) for s in scores)

    return (
        f"painted {mean('painted'):.2f} (worst {most('painted'):.2f})  "
        f"held {mean('held'):.2f} (worst {most('held'):.2f}, "
        f"95th percentile {mean('worst'):.2f})  ideal {mean('ideal'):.2f} (worst {most('ideal'):.2f})  "
        f"texture {mean('texture'):.4f} (least {min(s.texture for s in scores):.4f})  outside {most('outside')}  "
        f"{mean('seconds') * 1000:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--half", choices=("odd", "even", "all"), default="all")
    parser.add_argument("--first", type=int, default=0, help="number of the first pair; 50 takes other pairs")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--search", action="store_true", help="try parameters")
    args = parser.parse_args()
    numbers = range(args.first, args.first + COUNT)
    pairs = [make_pair(n) for n in numbers if args.half == "all" or (n % 2 == 0) == (args.half == "even")]
    if args.search:
        for how in SEARCHED:
            print(how, table([score(pair, how)[0] for pair in pairs]), flush=True)
        return
    scores, pictures = zip(*(score(pair, PARAMETERS) for pair in pairs), strict=True)
    for pair, one in zip(pairs, scores, strict=True):
        print(f"{pair.name:34} {table([one])}")
    print(table(list(scores)))
    if args.sheet:
        rows = [np.hstack([p.before, p.painted, held, p.ideal]) for p, held in zip(pairs, pictures, strict=True)]
        Image.fromarray(np.vstack(rows)).save(args.sheet)


if __name__ == "__main__":
    main()
