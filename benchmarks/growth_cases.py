"""Pairs of painted scenes for ``growth.py``: a real cut-out on a photo, and the same with a part painted on.

The part is made of the product itself (a second neck, one more leg, a limb), of its colours (a longer strap), or is
text that begins on it. It is painted before the product is put back, as a model would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lib_photoshoot.results import ProductRegion
from lib_photoshoot.staging.backdrops import covering
from lib_photoshoot.staging.composition import put_back
from lib_photoshoot.staging.plan import Staged, StagePlan
from lib_photoshoot.staging.shadow import contact_shadow
from lib_photoshoot.staging.stage import stage

KINDS = ("neck", "strap", "leg", "limb", "text")
SIDE = 640
LEAST, MOST = 0.02, 0.5
"""Shares of the product's area that a part painted on has."""

VISIBLE = 10.0
"""Difference (CIE 1976) from the scene behind from which a pixel of a part is seen."""


@dataclass(frozen=True, eq=False)
class GrowthCase:
    """``without`` and ``grown`` are painted scenes with the product put back, uint8 (height, width, 3); ``gained`` is
    the true share of the product's area that was painted on.
    """

    name: str
    kind: str
    staged: Staged
    without: np.ndarray
    grown: np.ndarray
    gained: float


def growth_cases(cutouts: Sequence[Path], scenes: Sequence[Path], count: int) -> Iterator[GrowthCase]:
    """Yield ``count`` pairs, the same for the same files; the parity of a pair's number is that of its cut-out's."""
    for number in range(count):
        path = cutouts[number % len(cutouts)]
        staged = _staged(path, np.random.default_rng(number % len(cutouts)))
        rng = np.random.default_rng(1000 + number)
        scene = _scene(scenes[number % len(scenes)], staged, rng)
        kind = KINDS[(number // 2) % len(KINDS)]
        part, colours = _grown_part(kind, staged, scene, rng)
        solid = int(np.count_nonzero(staged.alpha > 127))
        seen = (part > 0.5) & (staged.alpha == 0) & _differ(colours, scene)
        gained = float(np.count_nonzero(seen)) / solid
        painted = np.rint(scene * (1 - part[..., None]) + colours * part[..., None]).astype(np.uint8)
        name = f"{number:03} {path.stem}"
        yield GrowthCase(name, kind, staged, put_back(scene, staged), put_back(painted, staged), gained)


def _staged(path: Path, rng: np.random.Generator) -> Staged:
    rgba = np.asarray(Image.open(path).convert("RGBA"))
    scale = SIDE / max(rgba.shape[:2])
    if scale < 1:
        size = (max(1, round(rgba.shape[1] * scale)), max(1, round(rgba.shape[0] * scale)))
        rgba = np.asarray(Image.fromarray(rgba).resize(size, Image.Resampling.LANCZOS))
    alpha = np.ascontiguousarray(rgba[:, :, 3])
    share = alpha[..., None] / np.float32(255)
    flat = np.rint(rgba[:, :, :3] * share + 255 * (1 - share)).astype(np.uint8)
    whole = (0.0, 0.0, float(alpha.shape[1]), float(alpha.shape[0]))
    region = ProductRegion("product", whole, 1.0, alpha > 127, 1.0, alpha=alpha)
    plan = StagePlan(
        canvas=(SIDE, SIDE),
        share=float(rng.uniform(0.4, 0.6)),
        ground=float(rng.uniform(0.75, 0.9)),
        across=float(rng.uniform(0.4, 0.6)),
        backdrop="#e8e6e2 to #c4c0ba",
        shadow=0.5,
    )
    return stage(flat, [region], plan)


def _scene(path: Path, staged: Staged, rng: np.random.Generator) -> np.ndarray:
    """Return a photo as the scene: half of them as they are, half a little out of focus, with a shadow."""
    photo = covering(np.asarray(Image.open(path).convert("RGB")), SIDE, SIDE)
    if rng.random() < 0.5:
        photo = cv2.GaussianBlur(photo, (0, 0), 3.0)
    shade = contact_shadow(staged.alpha, 0.5)
    return np.rint(photo * (1 - shade[..., None])).astype(np.uint8)


def _grown_part(
    kind: str, staged: Staged, scene: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return what is painted on: its alpha, float32 in [0, 1], and its colours. What nobody sees does not count."""
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    solid = np.count_nonzero(staged.alpha > 127)
    for _ in range(60):
        part, colours = _PARTS[kind](staged, rng)
        part = _joined(part, staged.alpha)
        gained = np.count_nonzero((part > 0.5) & (staged.alpha == 0) & _differ(colours, scene)) / solid
        if 1.1 * LEAST <= gained <= MOST:
            return part, colours
        off = abs(gained - 0.08)
        if best is None or off < best[0]:
            best = (off, part, colours)
    assert best is not None
    return best[1], best[2]


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where two pictures differ by more than :data:`VISIBLE`."""
    first, second = (
        cv2.cvtColor(np.clip(picture, 0, 255).astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)
        for picture in (one, other)
    )
    return np.linalg.norm(first - second, axis=2) > VISIBLE


def _joined(part: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return what of a part hangs together with the product."""
    both = (part > 0.5) | (alpha > 127)
    _, labels = cv2.connectedComponents(both.astype(np.uint8), connectivity=8)
    held = np.unique(labels[alpha > 127])
    return cv2.GaussianBlur(np.where(np.isin(labels, held[held > 0]), part, 0).astype(np.float32), (0, 0), 0.7)


def _box(alpha: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((alpha > 127).any(1)), np.flatnonzero((alpha > 127).any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _turned(staged: Staged, rows: slice, pivot: tuple[float, float], angle: float, size: float = 1.0, move=(0.0, 0.0)):
    """Return a copy of some rows of the product, turned about a point."""
    alpha = np.zeros_like(staged.alpha)
    alpha[rows] = staged.alpha[rows]
    turn = cv2.getRotationMatrix2D(pivot, angle, size)
    turn[:, 2] += move
    part = cv2.warpAffine(alpha.astype(np.float32) / 255, turn, (SIDE, SIDE))
    colours = cv2.warpAffine(_extended(staged), turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return part, colours.astype(np.float32)


def _extended(staged: Staged) -> np.ndarray:
    from lib_photoshoot.staging.backdrops import without_products

    return without_products(staged.article, staged.alpha < 200)


def _neck(staged: Staged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = _box(staged.alpha)
    middle = y0 + (y1 - y0) * rng.uniform(0.35, 0.6)
    pivot = (x0 + (x1 - x0) * rng.uniform(0.35, 0.65), middle)
    return _turned(staged, slice(y0, int(middle)), pivot, float(rng.choice([-1, 1]) * rng.uniform(18, 50)))


def _leg(staged: Staged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = _box(staged.alpha)
    middle = y0 + (y1 - y0) * rng.uniform(0.4, 0.65)
    pivot = (x0 + (x1 - x0) * rng.uniform(0.3, 0.7), middle)
    return _turned(staged, slice(int(middle), y1), pivot, float(rng.choice([-1, 1]) * rng.uniform(15, 40)))


def _limb(staged: Staged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = _box(staged.alpha)
    size = rng.uniform(0.3, 0.55)
    edge = cv2.morphologyEx((staged.alpha > 127).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero(edge)
    at = int(rng.integers(len(rows)))
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    out = np.array([columns[at] - middle[0], rows[at] - middle[1]]) * rng.uniform(1.0, 1.15)
    return _turned(staged, slice(y0, y1), middle, float(rng.uniform(-60, 60)), float(size), tuple(out))


def _strap(staged: Staged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = _box(staged.alpha)
    side = max(x1 - x0, y1 - y0)
    contours, _ = cv2.findContours((staged.alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)[:, 0].astype(np.float64)
    first = int(rng.integers(len(outline)))
    second = (first + int(rng.uniform(0.12, 0.4) * len(outline))) % len(outline)
    start, end = outline[first], outline[second]
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    out = (start + end) / 2 - middle
    out /= max(float(np.hypot(*out)), 1.0)
    top = (start + end) / 2 + out * side * rng.uniform(0.25, 0.7)
    steps = np.linspace(0, 1, 60)[:, None]
    curve = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * top + steps**2 * end
    part = np.zeros(staged.alpha.shape, np.uint8)
    width = max(3, round(side * rng.uniform(0.025, 0.06)))
    cv2.polylines(part, [np.rint(curve).astype(np.int32)], False, 255, width, cv2.LINE_AA)
    inside = staged.article[staged.alpha == 255]
    colour = inside[int(rng.integers(len(inside)))].astype(np.float32)
    shade = cv2.GaussianBlur(rng.normal(0, 1, part.shape).astype(np.float32), (0, 0), 2.0)
    return part / np.float32(255), np.clip(colour + 30 * shade[..., None], 0, 255)


def _text(staged: Staged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, x1, y1 = _box(staged.alpha)
    side = max(x1 - x0, y1 - y0)
    font = ImageFont.load_default(size=float(side * rng.uniform(0.18, 0.32)))
    canvas = Image.new("L", (SIDE, SIDE))
    words = str(rng.choice(["NEW", "SALE", "No1", "PURE", "STYLE"]))
    at = (x1 - side * rng.uniform(0.1, 0.25), y0 + (y1 - y0) * rng.uniform(0.1, 0.7))
    ImageDraw.Draw(canvas).text(at, words, fill=255, font=font, anchor="lm", stroke_width=2)
    part = np.asarray(canvas).astype(np.float32) / 255
    inside = staged.article[staged.alpha == 255].astype(np.float32)
    colour = inside[int(rng.integers(len(inside)))]
    return part, np.broadcast_to(colour, (*part.shape, 3)).astype(np.float32)


_PARTS = {"neck": _neck, "leg": _leg, "limb": _limb, "strap": _strap, "text": _text}
