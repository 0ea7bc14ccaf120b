"""How well a product's edge stands in front of something else, against true composites of public mattes.

    pip install pymatting "rembg[cpu,cli]"        # an environment of its own: these two are compared with, not used
    python benchmarks/scene_edges.py prepare --mattes FOLDER --work WORK
    rembg p -m u2net WORK/inputs WORK/rembg
    python benchmarks/scene_edges.py outline --work WORK
    python benchmarks/scene_edges.py measure --work WORK --photos FOLDER --half odd

``--mattes`` is alphamatting.com's training set (Rhemann et al. 2009): ``input_training_lowres`` and
``gt_training_lowres`` with a picture and its true alpha of one name each. The product's colours along its edge are
solved from picture and true alpha by PyMatting (Germer et al. 2020), which no way uses. Composed by alpha on five
grounds (white, dark, loud, and two of ``--photos``) that is the truth; the error is the mean absolute difference of
colour, in levels of 255, where alpha is between 0 and 1 and three pixels around.

Ways:

* ``rembg``: its default output, u2net's mask with the photo's own colours;
* ``ours``: what the filter outlines when asked for the picture's main object, put back as a scene's product is; where
  it finds none, its networks' outline of what stands out;
* ``ours, feathered``: the same outline with a feather of 1.5 pixels and the photo's own colours;
* with ``--true-outlines`` also from the true outline (alpha over a half), feathered and with its edge looked for, and
  closed-form matting in the set's own trimap.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from lib_photoshoot.results import ProductRegion

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
    options.add_argument("--true-outlines", action="store_true", help="further ways, from the true outline and trimap")
    options.add_argument("--seconds", type=float, default=float("inf"), help="of the processor; a further run goes on")
    given = options.parse_args()
    if given.step == "prepare":
        return _prepare(given.mattes, given.work)
    if given.step == "outline":
        return _outline(given)
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


def _names(given: argparse.Namespace) -> list[str]:
    """Return the file names of the half that is asked for; the first is odd."""
    names = sorted(path.name for path in (given.work / "inputs").glob("*.png"))
    return {"all": names, "odd": names[0::2], "even": names[1::2]}[given.half]


def _outline(given: argparse.Namespace) -> int:
    """Write what the filter outlines, so that measuring needs no network."""
    from lib_photoshoot.build import ModelChoice, load_models, salience
    from lib_photoshoot.masks.morphology import mask_box
    from lib_photoshoot.products import parse_products
    from lib_photoshoot.results import Detection
    from lib_photoshoot.segmentation.views import standing_out

    (given.work / "ours").mkdir(exist_ok=True)
    models = load_models(ModelChoice())
    products = parse_products("product")
    found = models.filter()
    for name in _names(given):
        target = given.work / "ours" / name
        if target.exists() or os.times().user > given.seconds:
            continue
        picture = np.asarray(Image.open(given.work / "inputs" / name).convert("RGB"))
        regions: Sequence[ProductRegion] = found.detect(picture, products).regions
        told = "found"
        if not regions and models.outliner is not None:
            told = "no main object; what stands out"
            seen = salience("u2netp").map(picture)
            mask = standing_out(seen, seen > 0.5)
            if mask is not None:
                box = mask_box(mask) or (0.0, 0.0, 1.0, 1.0)
                regions, _ = models.outliner.regions(picture, [Detection("product", box, 1.0, mask=mask)], products)
        alpha = np.zeros(picture.shape[:2], np.uint8)
        for region in regions:
            alpha = np.maximum(alpha, region.alpha)
        print(name, told, flush=True)
        Image.fromarray(alpha).save(target)
    return 0


def _measure(given: argparse.Namespace) -> int:
    grounds = _grounds(given.photos)
    names = _names(given)
    (given.work / "errors").mkdir(exist_ok=True)
    for name in names:
        kept = given.work / "errors" / f"{name}.json"
        if not kept.exists() and os.times().user < given.seconds:
            kept.write_text(json.dumps(_errors(given.work, name, grounds, given.true_outlines)))
    rows = [json.loads(path.read_text()) for n in names if (path := given.work / "errors" / f"{n}.json").exists()]
    if len(rows) < len(names):
        print(f"{len(rows)} of {len(names)} are measured; run it again")
        return 1
    errors = {way: [row[way] for row in rows] for way in rows[0]}
    names = [name.removesuffix(".png") for name in names]
    print(f"{len(names)} mattes ({given.half}): mean absolute error of colour in the band, levels of 255")
    print(f"{'':24}" + "".join(f"{name:>9}" for name in grounds) + f"{'mean':>9}{'worst':>9}")
    for way, rows in errors.items():
        table = np.array(rows)
        worst = int(table.mean(1).argmax())
        figures = "".join(f"{value:9.2f}" for value in (*table.mean(0), table.mean()))
        print(f"{way:24}{figures}{table.mean(1).max():9.2f} ({names[worst]})")
    ours, rembg = np.array(errors["ours"]).mean(1), np.array(errors["rembg"]).mean(1)
    worse = [name for name, one, other in zip(names, ours, rembg, strict=True) if one > other]
    print("ours worse than rembg in:", ", ".join(worse) or "none")
    return 0


def _errors(work: Path, name: str, grounds: dict[str, np.ndarray], given_outlines: bool) -> dict[str, list[float]]:
    """Return each way's mean absolute error in the band, on each ground."""
    import cv2

    picture = np.asarray(Image.open(work / "inputs" / name).convert("RGB"))
    truth = np.asarray(Image.open(work / "truth" / name))
    alpha = truth[:, :, 3]
    soft = (alpha > 2) & (alpha < 253)
    band = cv2.dilate(soft.astype(np.uint8), np.ones((2 * AROUND + 1, 2 * AROUND + 1), np.uint8)) > 0
    behind = [_fitted(ground, picture.shape) for ground in grounds.values()]
    return {
        way: [float(np.abs(_over(cutout, ground) - _over(truth, ground))[band].mean()) for ground in behind]
        for way, cutout in _cutouts(work, name, picture, alpha, given_outlines).items()
    }


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


def _cutouts(
    work: Path, name: str, picture: np.ndarray, alpha: np.ndarray, given_outlines: bool
) -> dict[str, np.ndarray]:
    """Return each way's cut-out, RGBA."""
    from lib_photoshoot.masks.edges import edge_alpha
    from lib_photoshoot.masks.matting import matte
    from lib_photoshoot.masks.morphology import feather

    found = np.asarray(Image.open(work / "ours" / name))
    ways = {
        "rembg": np.asarray(Image.open(work / "rembg" / name).convert("RGBA")),
        "ours": _ours(picture, found),
        "ours, feathered": _feathered(picture, found > 127),
    }
    if not given_outlines:
        return ways
    outline = alpha > 127
    trimap = np.asarray(Image.open(work / "trimaps" / name))
    unknown = (trimap > 10) & (trimap < 245)
    matted = matte(picture, unknown, trimap >= 245, np.full(alpha.shape, 0.5, np.float32))
    return ways | {
        "true outline, feathered": _feathered(picture, outline),
        "true outline": _ours(picture, edge_alpha(picture, outline, feather(outline, 2.0))),
        "true band": _ours(picture, np.rint(matted * 255).astype(np.uint8)),
    }


def _feathered(picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    from lib_photoshoot.masks.morphology import feather

    return np.dstack([picture, np.rint(255 * feather(outline, 1.5)).astype(np.uint8)])


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
