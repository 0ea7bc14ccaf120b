"""How well a product's edge stands in front of something else, against true composites of public mattes.

    pip install pymatting "rembg[cpu,cli]"        # an environment of its own: these two are compared with, not used
    python benchmarks/scene_edges.py prepare --mattes FOLDER --work WORK
    rembg p -m u2net WORK/inputs WORK/rembg
    python benchmarks/scene_edges.py measure --work WORK --photos FOLDER --half odd

``--mattes`` is alphamatting.com's training set (Rhemann et al. 2009): ``input_training_lowres`` and
``gt_training_lowres`` with a picture and its true alpha of one name each. What colours the product has along its edge is
solved from picture and true alpha by PyMatting (Germer et al. 2020), which neither way uses. Composed by alpha on five
grounds (white, dark, loud, and two of ``--photos``) that is the truth; the error is the mean absolute difference of
colour, in levels of 255, where alpha is between 0 and 1 and three pixels around.

Ways, the last three from one and the same outline (true alpha over a half):

* ``rembg``: its default output, u2net's mask with the photo's own colours;
* ``ours``: what the filter outlines when asked for the picture's main object, put back as a scene's product is; where it
  finds none, its networks' outline of what stands out;
* ``feather``: 1.5 pixels;
* ``ours, given outline``: the edge that is looked for from the outline;
* ``ours, given band``: closed-form matting in the set's own trimap.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

PLAIN = {"white": (255, 255, 255), "dark": (32, 32, 36), "loud": (216, 27, 96)}
AROUND = 3
"""Pixels around the soft edge that count too."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("step", choices=["prepare", "outline", "measure"])
    options.add_argument("--mattes", type=Path)
    options.add_argument("--work", type=Path, required=True)
    options.add_argument("--photos", type=Path)
    options.add_argument("--half", choices=["odd", "even", "all"], default="odd")
    options.add_argument("--sheet", type=Path)
    given = options.parse_args()
    if given.step == "prepare":
        return _prepare(given.mattes, given.work)
    if given.step == "outline":
        return _outline(given.work)
    return _measure(given)


def _prepare(mattes: Path, work: Path) -> int:
    from pymatting import estimate_foreground_ml

    for name in ("inputs", "truth", "trimaps"):
        (work / name).mkdir(parents=True, exist_ok=True)
    for path in sorted((mattes / "gt_training_lowres").glob("*.png")):
        picture = np.asarray(Image.open(mattes / "input_training_lowres" / path.name).convert("RGB"))
        alpha = np.asarray(Image.open(path).convert("L"))
        colours = estimate_foreground_ml(picture / 255.0, alpha / 255.0)
        truth = np.dstack([np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8), alpha])
        Image.fromarray(truth, "RGBA").save(work / "truth" / path.name)
        Image.fromarray(picture).save(work / "inputs" / path.name)
        Image.open(mattes / "trimap_training_lowres" / path.name).convert("L").save(work / "trimaps" / path.name)
    return 0


def _outline(work: Path) -> int:
    """Write what the filter outlines, so that measuring needs no network."""
    from lib_photoshoot.build import ModelChoice, load_models
    from lib_photoshoot.products import parse_products
    from lib_photoshoot.results import Detection
    from lib_photoshoot.segmentation.views import standing_out

    (work / "ours").mkdir(exist_ok=True)
    models = load_models(ModelChoice())
    products = parse_products("product")
    found = models.filter()
    for path in sorted((work / "inputs").glob("*.png")):
        target = work / "ours" / path.name
        if target.exists():
            continue
        picture = np.asarray(Image.open(path).convert("RGB"))
        regions = found.detect(picture, products).regions
        told = bool(regions)
        if not regions:
            subject = models.outliner._subject(picture)  # the same looks, of whatever stands out
            mask = standing_out(subject.stands_out, subject.stands_out > 0.5)
            whole = Detection("product", (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])), 1.0, mask=mask)
            regions, _ = models.outliner.regions(picture, [whole], products)
        alpha = np.zeros(picture.shape[:2], np.uint8)
        for region in regions:
            alpha = np.maximum(alpha, region.alpha)
        print(path.name, "found" if told else "not found: what stands out", flush=True)
        Image.fromarray(alpha).save(target)
    return 0


def _measure(given: argparse.Namespace) -> int:
    import cv2

    grounds = _grounds(given.photos)
    errors: dict[str, list[list[float]]] = {}
    names = []
    for number, path in enumerate(sorted((given.work / "inputs").glob("*.png")), 1):
        if given.half != "all" and (number % 2 == 1) != (given.half == "odd"):
            continue
        picture = np.asarray(Image.open(path).convert("RGB"))
        truth = np.asarray(Image.open(given.work / "truth" / path.name))
        alpha = truth[:, :, 3]
        soft = (alpha > 2) & (alpha < 253)
        band = cv2.dilate(soft.astype(np.uint8), np.ones((2 * AROUND + 1, 2 * AROUND + 1), np.uint8)) > 0
        names.append(path.stem)
        for way, cutout in _cutouts(given.work, path.name, picture, alpha).items():
            row = []
            for ground in grounds.values():
                behind = _fitted(ground, picture.shape)
                wrong = np.abs(_over(cutout, behind) - _over(truth, behind))[band]
                row.append(float(wrong.mean()))
            errors.setdefault(way, []).append(row)
    print(f"{len(names)} mattes ({given.half}): mean absolute error of colour in the band, levels of 255")
    print(f"{'':22}" + "".join(f"{name:>9}" for name in grounds) + f"{'mean':>9}{'worst':>9}")
    for way, rows in errors.items():
        table = np.array(rows)
        worst = int(table.mean(1).argmax())
        figures = "".join(f"{value:9.2f}" for value in (*table.mean(0), table.mean()))
        print(f"{way:22}{figures}{table.mean(1).max():9.2f} ({names[worst]})")
    ours, rembg = np.array(errors["ours"]).mean(1), np.array(errors["rembg"]).mean(1)
    print("ours worse than rembg in:", ", ".join(n for n, a, b in zip(names, ours, rembg) if a > b) or "none")
    return 0


def _grounds(photos: Path) -> dict[str, np.ndarray]:
    files = sorted(path for path in photos.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    grounds = {name: np.full((8, 8, 3), colour, np.uint8) for name, colour in PLAIN.items()}
    for name, path in zip(("photo 1", "photo 2"), (files[0], files[-1]), strict=True):
        grounds[name] = np.asarray(Image.open(path).convert("RGB"))
    return grounds


def _fitted(ground: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from lib_photoshoot.staging.backdrops import covering

    return covering(ground, shape[1], shape[0])


def _over(cutout: np.ndarray, ground: np.ndarray) -> np.ndarray:
    share = cutout[:, :, 3:].astype(np.float32) / 255
    return cutout[:, :, :3] * share + ground * (1 - share)


def _cutouts(work: Path, name: str, picture: np.ndarray, alpha: np.ndarray) -> dict[str, np.ndarray]:
    """Return each way's cut-out, RGBA."""
    from lib_photoshoot.masks.edges import edge_alpha
    from lib_photoshoot.masks.matting import matte
    from lib_photoshoot.masks.morphology import feather

    outline = alpha > 127
    trimap = np.asarray(Image.open(work / "trimaps" / name))
    unknown = (trimap > 10) & (trimap < 245)
    prior = np.where(outline, np.float32(0.55), np.float32(0.45))
    matted = matte(picture, unknown, trimap >= 245, np.full(alpha.shape, 0.5, np.float32))
    found = edge_alpha(picture, outline, prior)
    ways = {
        "rembg": np.asarray(Image.open(work / "rembg" / name).convert("RGBA")),
        "ours": _ours(picture, np.asarray(Image.open(work / "ours" / name))),
        "feather": np.dstack([picture, np.rint(255 * feather(outline, 1.5)).astype(np.uint8)]),
        "ours, given outline": _ours(picture, found),
        "ours, given band": _ours(picture, np.rint(matted * 255).astype(np.uint8)),
    }
    return ways


def _ours(picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return the cut-out as a scene's product is put back: by its alpha, with its own colours along the edge."""
    from lib_photoshoot.results import ProductRegion
    from lib_photoshoot.staging.plan import StagePlan
    from lib_photoshoot.staging.stage import stage

    mask = alpha > 127
    whole = (0.0, 0.0, float(alpha.shape[1]), float(alpha.shape[0]))
    staged = stage(picture, [ProductRegion("product", whole, 1.0, mask, 1.0, alpha=alpha)], StagePlan())
    return np.dstack([staged.article, staged.alpha])


if __name__ == "__main__":
    raise SystemExit(main())
