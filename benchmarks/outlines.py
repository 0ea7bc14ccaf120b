"""Outlines against true ones: ours, and what the neighbours do, on the same pictures in one run.

    python benchmarks/outlines.py --ecssd FOLDER --table outlines.csv --half even
    python benchmarks/outlines.py --coco FOLDER --split val2017
    python benchmarks/outlines.py --drawn SHARED_DATA
    python benchmarks/outlines.py --mattes FOLDER

ECSSD is a folder with ``images`` and ``ground_truth_mask``, COCO one with ``annotations`` and the split's pictures;
``--mattes`` one with ``NAME.jpg`` beside ``NAME.png`` whose alpha is true. The product's word is given.

Per way of outlining: mean IoU, boundary F (0.3 % of the diagonal, and 1 pixel), share of whole products, products
found. The peers are u2netp and IS-Net on the whole picture, knowing no word, and SAM's best of three on the box of the
truth. Cases whose word the detector does not know are left out. ``--sheet`` writes the worst as a picture, on white
and on magenta. A region counts as matched where it overlaps an instance; its IoU is with the nearest one.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from outline_cases import Case, coco_cases, drawn_cases, ecssd_cases  # noqa: E402
from PIL import Image  # noqa: E402

from lib_photoshoot.build import FINE_SALIENCE, ModelChoice, load_models, salience  # noqa: E402
from lib_photoshoot.errors import PhotoshootError  # noqa: E402
from lib_photoshoot.images import read_picture  # noqa: E402
from lib_photoshoot.masks.comparison import boundary_f, is_whole, mask_iou  # noqa: E402
from lib_photoshoot.masks.cutout import cut_out  # noqa: E402
from lib_photoshoot.masks.morphology import mask_box, merge  # noqa: E402
from lib_photoshoot.products import parse_products  # noqa: E402
from lib_photoshoot.weights.store import missing  # noqa: E402

Row = tuple[float, float, float, bool]
"""IoU, boundary F at 0.3 % and at one pixel, and whether the product is whole."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--ecssd", type=Path)
    options.add_argument("--table", type=Path)
    options.add_argument("--half", choices=["odd", "even", "all"], default="even")
    options.add_argument("--coco", type=Path)
    options.add_argument("--split", default="val2017")
    options.add_argument("--drawn", type=Path, help="the folder over which tests/outlines.json was drawn")
    options.add_argument("--mattes", type=Path)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--threshold", type=float, help="as --threshold of filter: 0.02 takes the best candidate")
    options.add_argument("--thorough", action="store_true", help="ask every view about every outline")
    options.add_argument("--no-peers", action="store_true")
    options.add_argument("--sheet", type=Path)
    given = options.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    print(f"2048 x 2048 float32 matmul: {_matmul_seconds():.3f} s")
    models = load_models(ModelChoice(threshold=given.threshold, thorough=given.thorough))
    if given.mattes:
        _mattes(models, given.mattes)
    cases = list(_cases(given))
    if cases:
        _measure(models, cases, given)
    return 0


def _cases(given: argparse.Namespace) -> Iterable[Case]:
    if given.ecssd:
        yield from ecssd_cases(given.ecssd, given.table, given.half)
    if given.coco:
        yield from coco_cases(given.coco, given.split)
    if given.drawn:
        yield from drawn_cases(given.drawn, ROOT / "tests" / "outlines.json")


def _measure(models, cases: list[Case], given: argparse.Namespace) -> None:
    product_filter = models.filter()
    peers = {} if given.no_peers else _peers(models)
    rows: dict[str, list[Row]] = {name: [] for name in ("ours", "ours, found", *peers)}
    matched: list[tuple[float, bool, bool]] = []
    tiles: list[tuple[float, np.ndarray]] = []
    instances = unknown = 0
    for case in cases:
        image = read_picture(case.picture).pixels
        try:
            start = time.perf_counter()
            regions = product_filter.detect(image, parse_products(case.word)).regions
            seconds = time.perf_counter() - start
        except PhotoshootError:
            unknown += 1
            continue
        instances += len(case.instances)
        mask = merge([region.solid for region in regions], image.shape[:2])
        row = _row(mask, case.truth)
        rows["ours"].append(row)
        if regions:
            rows["ours, found"].append(row)
        for region in regions:
            nearest = max([*case.instances, case.truth], key=lambda truth: mask_iou(region.solid, truth))
            iou = mask_iou(region.solid, nearest)
            sure = region.outline is None or region.outline.is_sure
            matched.append((iou, sure, iou >= 0.93 or is_whole(region.solid, nearest)))
        for name, peer in peers.items():
            rows[name].append(_row(peer(image, case.truth), case.truth))
        judged = [region.outline for region in regions if region.outline is not None]
        doubts = " ".join(",".join(doubt.value for doubt in outline.doubts) or "sure" for outline in judged)
        figures = f"IoU {row[0]:.3f}, F {row[1]:.3f}, {len(regions)} found, {seconds:.2f} s"
        print(f"{case.name} {case.word}: {figures}; {doubts}")
        tiles.append((row[0], _tile(image, case.truth, regions)))
    print(f"\n{'':16}{'n':>5}{'IoU':>8}{'F 0.3 %':>9}{'F 1 px':>8}{'whole':>8}")
    for name, values in rows.items():
        if values:
            iou, f, edge, whole = np.array(values, float).mean(0)
            print(f"{name:16}{len(values):5}{iou:8.3f}{f:9.3f}{edge:8.3f}{whole:8.0%}")
    _print_regions(matched, instances, unknown)
    if given.sheet and tiles:
        worst = [tile for _, tile in sorted(tiles, key=lambda item: item[0])[:30]]
        width = max(tile.shape[1] for tile in worst)
        padded = [np.pad(tile, ((0, 4), (0, width - tile.shape[1]), (0, 0))) for tile in worst]
        Image.fromarray(np.concatenate(padded)).save(given.sheet)


def _print_regions(matched: list[tuple[float, bool, bool]], instances: int, unknown: int) -> None:
    overlapping = [item for item in matched if item[0] > 0.1]
    sure, good = [item for item in matched if item[1]], [item for item in matched if item[2]]
    print(f"regions {len(matched)}, of {instances} true instances; {unknown} cases left out for their word")
    if overlapping:
        print(
            f"mean IoU of the {len(overlapping)} that overlap an instance: {np.mean([i[0] for i in overlapping]):.3f}"
        )
    print(f"outlining something else altogether: {len(matched) - len(overlapping)}")
    if sure and good:
        print(f"sure {len(sure)}, of them good {sum(i[2] for i in sure) / len(sure):.0%}")
        print(f"good {len(good)}, of them doubted {sum(not i[1] for i in good) / len(good):.0%}")


def _row(mask: np.ndarray, truth: np.ndarray) -> Row:
    return mask_iou(mask, truth), boundary_f(mask, truth), boundary_f(mask, truth, 1.0), is_whole(mask, truth)


def _peers(models) -> dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    def sam(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
        box = mask_box(truth)
        return models.segmenter.segment(image, [box])[0].mask if box else np.zeros_like(truth)

    found: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"SAM, true box": sam}
    for name in ("u2netp", *FINE_SALIENCE):
        if not missing(name):
            network = salience(name)
            found[name] = lambda image, truth, network=network: network.map(image) > 0.5
    return found


def _tile(image: np.ndarray, truth: np.ndarray, regions) -> np.ndarray:
    """The picture, the truth on magenta, and each cut-out on white and on magenta, 240 pixels high."""
    parts = [image, np.where(truth[..., None], image, np.uint8((255, 0, 255)))]
    for region in regions[:3]:
        rgba = np.asarray(cut_out(image, region.solid, matte=region.alpha)).astype(np.float32)
        opaque = rgba[..., 3:] / 255
        parts += [(rgba[..., :3] * opaque + (1 - opaque) * colour).astype(np.uint8) for colour in (255, (255, 0, 255))]
    return np.concatenate([cv2.resize(p, (max(1, 240 * p.shape[1] // p.shape[0]), 240)) for p in parts], 1)


def _mattes(models, folder: Path) -> None:
    """Error of alpha, given a mask of the truth that is three pixels off: MAD, and the gradient's, both in the edge."""
    from lib_photoshoot.masks.edges import edge_alpha

    for path in sorted(folder.glob("*.png")):
        picture = path.with_suffix(".jpg")
        if not picture.is_file():
            continue
        image = read_picture(picture).pixels
        truth = np.asarray(Image.open(path).convert("RGBA"))[..., 3].astype(np.float32) / 255
        rough = cv2.blur((truth > 0.5).astype(np.float32), (7, 7))
        start = time.perf_counter()
        alpha = edge_alpha(image, rough > 0.5, rough).astype(np.float32) / 255
        seconds = time.perf_counter() - start
        edge = cv2.dilate(((truth > 0.02) & (truth < 0.98)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        gradient = [np.hypot(cv2.Sobel(a, cv2.CV_32F, 1, 0), cv2.Sobel(a, cv2.CV_32F, 0, 1)) for a in (alpha, truth)]
        mad, hard = (np.abs(a - truth)[edge].mean() for a in (alpha, (rough > 0.5).astype(np.float32)))
        off = np.abs(gradient[0] - gradient[1])[edge].mean()
        print(f"{path.name}: MAD {mad:.4f} (hard mask {hard:.4f}), gradient {off:.4f}, {seconds:.2f} s")


def _matmul_seconds() -> float:
    import torch

    one = torch.randn(2048, 2048)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        one @ one
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
