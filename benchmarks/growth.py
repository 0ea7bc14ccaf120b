"""Growths of products in painted scenes: how many are seen, and how many alarms are false.

    python benchmarks/growth.py --cutouts FOLDER --scenes FOLDER --half odd

``--cutouts`` is a folder of products cut out of photos, PNG with alpha, by a filter or of true masks; ``--scenes`` one
of photos of places. Of each of the pairs one scene has a part painted on that is larger than the limit, one has not;
both are looked at, with the product's own alpha and the staged start. The threshold was chosen on even pairs; the
halves have no cut-out in common where the number of cut-outs is even. Missed growths and false alarms are listed first.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np  # noqa: E402
from growth_cases import GrowthCase, growth_cases  # noqa: E402

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier  # noqa: E402
from lib_photoshoot.staging.growth import pieces, share_gained  # noqa: E402
from lib_photoshoot.staging.look_alikes import surroundings  # noqa: E402
from lib_photoshoot.staging.protocol import Textures  # noqa: E402
from lib_photoshoot.weights.store import find  # noqa: E402


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cutouts", type=Path, required=True)
    options.add_argument("--scenes", type=Path, required=True)
    options.add_argument("--pairs", type=int, default=100)
    options.add_argument("--half", choices=["odd", "even", "all"], default="all")
    options.add_argument("--limit", type=float, default=0.02, help="share of the product's area")
    options.add_argument("--colours-alone", action="store_true", help="look without the network's textures")
    given = options.parse_args()
    textures = None if given.colours_alone else ImageNetClassifier.from_file(find("efficientnet-lite2")).textures
    rows = []
    for number, case in enumerate(_cases(given)):
        if given.half == "all" or (number % 2 == 1) == (given.half == "odd"):
            rows.append((case, _gained(case, case.without, textures), _gained(case, case.grown, textures)))
    _tell(rows, given.limit)
    return 0


def _cases(given: argparse.Namespace):
    cutouts = sorted(given.cutouts.glob("*.png"))
    scenes = sorted(path for path in given.scenes.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return growth_cases(cutouts, scenes, given.pairs)


def _gained(case: GrowthCase, picture: np.ndarray, textures: Textures | None) -> float:
    near = surroundings(case.staged.alpha)
    assert near is not None
    return share_gained(near, pieces(near, case.staged.alpha, case.staged.image, picture, textures))


def _tell(rows: list[tuple[GrowthCase, float, float]], limit: float) -> None:
    missed = [(case, grown) for case, _, grown in rows if grown <= limit]
    false = [(case, without) for case, without, _ in rows if without > limit]
    for case, grown in missed:
        print(f"missed: {case.name}, {case.kind} of {case.gained:.1%}, measured {grown:.1%}")
    for case, without in false:
        print(f"false alarm: {case.name}, measured {without:.1%}")
    seen = 1 - len(missed) / len(rows)
    print(f"{len(rows)} pairs: {seen:.1%} of growths seen, {len(false) / len(rows):.1%} false alarms")
    for kind in dict.fromkeys(case.kind for case, *_ in rows):
        some = [(case.gained, grown) for case, _, grown in rows if case.kind == kind]
        print(f"  {kind}: {sum(grown > limit for _, grown in some)} of {len(some)} seen")


if __name__ == "__main__":
    raise SystemExit(main())
