"""How often a colour reference with tolerance 3 decides right about articles whose colour was turned by a known ΔE.

    python benchmarks/colour_reference.py [--data ../shared/data] [--pictures 100] [--seed 1]

Drawn articles have texture, shading and a light edge, anew in each picture, and their reference is the colour that they
were drawn with. Photos have the hand-drawn outlines of tests/outlines.json, a little off; their reference is measured
on the photo, and the turned copy is half as large again and a JPEG. Turned by CIEDE2000 of 1.5 a picture has to pass,
by 5 it has not, in a direction at random. Prints both sides and what was measured; exits with 1 below 95 of 100.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.outline_cases import drawn_cases
from lib_photoshoot.colour.comparison import compare
from lib_photoshoot.colour.difference import delta_e
from lib_photoshoot.colour.dominant import dominant_colours
from lib_photoshoot.colour.reference import ColourReference, ReferenceColour, parse_reference
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.images import read_picture

ARTICLES = {
    "black": "#1d1d1f", "grey": "#808080", "cream": "#e8dfc8", "beige": "#cdb79a",
    "taupe": "#8b7d6b", "greige": "#b2a797", "sage": "#9caf88", "dusty pink": "#cfa3a3", "pale blue": "#a9c1d9",
    "navy": "#22304f", "terracotta": "#b5583c", "red": "#c01f2e", "gold": "#b8913d", "brown": "#7a5c3e",
}  # fmt: skip
PASSES, FAILS = 1.5, 5.0
WANTED = 0.95


def turned(lab: np.ndarray, at: np.ndarray, by: float, source: np.random.Generator) -> np.ndarray | None:
    """L*a*b* values (..., 3), all moved alike, so that ``at`` moves by CIEDE2000 ``by``; None outside sRGB."""
    direction = source.normal(size=3)
    direction /= np.linalg.norm(direction)
    low, high = 0.0, 60.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_e(at, at + middle * direction) < by else (low, middle)
    goal = (at + low * direction).astype(np.float32)[None, None]
    if delta_e(SRGB.to_lab(SRGB.from_lab(goal))[0, 0], goal[0, 0]) > 0.3:
        return None
    return lab + (low * direction).astype(np.float32)


def drawn_shape(source: np.random.Generator, side: int = 480) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mask (H, W), diffuse light 0..1 and glare 0..1 of a lit body: a ball, a can or a box's front, with weave."""
    y, x = (np.mgrid[0:side, 0:side] - side / 2) / (side * source.uniform(0.32, 0.42))
    kind = source.integers(3)
    if kind == 0:
        mask, nx, ny = x**2 + y**2 < 1, x, y
    elif kind == 1:
        mask, nx, ny = (np.abs(x) < 0.7) & (np.abs(y) < 1), x / 0.7, 0 * y
    else:
        mask, nx, ny = np.maximum(np.abs(x), np.abs(y)) < 1, 0.25 * x, 0.25 * y
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    tilt, turn = source.uniform(0.0, 0.5), source.uniform(0, 2 * np.pi)
    light = np.array([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)])
    facing = np.clip(nx * light[0] + ny * light[1] + nz * light[2], 0, 1)
    ambient = source.uniform(0.35, 0.6)
    shade = ambient + (1 - ambient) * facing
    weave = cv2.GaussianBlur(source.normal(size=(side, side)), (0, 0), source.uniform(0.7, 2.5))
    shade = shade / shade[mask].max() * (1 + 0.05 * weave / weave.std())
    # A flat front has none: where it mirrors the light it does so all over, and no colour is left to see.
    glare = 0.6 * facing ** source.uniform(60, 200) * (source.integers(2) if kind < 2 else 0)
    return mask, shade, glare


def drawn_picture(lab: np.ndarray, source: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture (uint8 sRGB) of an article of that L*a*b* on a grey ground, and its outline, a little off."""
    mask, shade, glare = drawn_shape(source)
    srgb = SRGB.from_lab(lab.astype(np.float32)[None, None])[0, 0] / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    body = np.clip(linear * shade[..., None] + glare[..., None], 0, 1)
    body = np.where(mask[..., None], body, source.uniform(0.2, 1))
    encoded = np.where(body <= 0.0031308, 12.92 * body, 1.055 * body ** (1 / 2.4) - 0.055)
    noisy = encoded * 255 + source.normal(0, 2, encoded.shape)
    return as_jpeg(np.clip(noisy, 0, 255).astype(np.uint8)), moved(mask, source)


def as_jpeg(pixels: np.ndarray, quality: int = 88) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def moved(mask: np.ndarray, source: np.random.Generator) -> np.ndarray:
    """The mask, two pixels aside."""
    return np.roll(mask, tuple(source.integers(-2, 3, 2)), axis=(0, 1))


Trial = Callable[[float, np.random.Generator], tuple[str, float] | None]


def drawn(by: float, source: np.random.Generator) -> tuple[str, float] | None:
    name = source.choice(list(ARTICLES))
    reference = parse_reference(ARTICLES[name])
    at = np.array(reference.colours[0].lab)
    lab = turned(at, at, by, source)
    if lab is None:
        return None
    picture, mask = drawn_picture(lab, source)
    return str(name), compare(dominant_colours(picture, mask), reference).delta_e


def photos(data: Path) -> Trial:
    cases = list(drawn_cases(data, Path(__file__).resolve().parents[1] / "tests" / "outlines.json"))
    known = {}
    for case in cases:
        picture = read_picture(case.picture)
        mask = case.truth
        measured = dominant_colours(picture.pixels, mask)
        known[case.picture] = (picture.pixels, mask, measured)

    def trial(by: float, source: np.random.Generator) -> tuple[str, float] | None:
        path = cases[source.integers(len(cases))].picture
        pixels, mask, measured = known[path]
        reference = ColourReference(tuple(ReferenceColour.measured(item) for item in measured))
        lab = SRGB.to_lab(pixels)
        after = turned(lab, np.array(measured[0].lab), by, source)
        if after is None:
            return None
        changed = np.where(mask[..., None], SRGB.from_lab(after), pixels)
        size = (round(mask.shape[1] * 1.5), round(mask.shape[0] * 1.5))
        changed = as_jpeg(cv2.resize(changed, size, interpolation=cv2.INTER_CUBIC))
        larger = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        return Path(path).name, compare(dominant_colours(changed, moved(larger, source)), reference).delta_e

    return trial


def results(trial: Trial, count: int, by: float, source: np.random.Generator) -> Iterator[tuple[str, float]]:
    made = 0
    while made < count:
        if (result := trial(by, source)) is not None:
            made += 1
            yield result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="List the pictures that were decided wrong.")
    options = parser.parse_args()
    kinds: dict[str, Trial] = {"drawn": drawn}
    if options.data.is_dir():
        kinds["photos"] = photos(options.data)
    good = True
    for name, trial in kinds.items():
        for by, passes in ((PASSES, True), (FAILS, False)):
            source = np.random.default_rng(options.seed)
            found = list(results(trial, options.pictures, by, source))
            wrong = [item for item in found if (item[1] <= ColourReference.DEFAULT_TOLERANCE) != passes]
            values = np.percentile([value for _, value in found], (5, 50, 95))
            print(
                f"{name:7} turned by {by}: {len(found) - len(wrong)} of {len(found)} right, "
                f"measured {values[1]:.2f} ({values[0]:.2f} to {values[2]:.2f})"
            )
            if options.wrong:
                print("        " + ", ".join(f"{label} {value:.1f}" for label, value in wrong))
            good &= len(found) - len(wrong) >= WANTED * len(found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
