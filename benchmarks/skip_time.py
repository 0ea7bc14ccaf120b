"""What a decision costs against another state of the project: both filters in turn on each picture, in one run.

    python benchmarks/skip_time.py PICTURE [PICTURE ...] --other TREE [--products "cup, handbag, …"]

TREE is another work tree of this project, as ``git worktree add`` makes it, with its model files. Each state runs in a
process of its own, in which the first picture warms up. Prints processor seconds, which other work on the machine
changes little, by what this tree's filter says: nothing there without a trace, a trace and yet nothing, a match.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
WORKER = """
import json, os, sys, time
sys.path.insert(0, os.getcwd())
import torch
torch.set_num_threads(int(sys.argv[2]))
from lib_photoshoot.build import build_filter
from lib_photoshoot.images import read_picture
from lib_photoshoot.products import parse_products
product_filter, products = build_filter(), parse_products(sys.argv[1])
for line in sys.stdin:
    pixels = read_picture(line.strip()).pixels
    begin = time.process_time()
    result = product_filter.run(pixels, products)
    seconds = time.process_time() - begin
    says = "match" if result.regions else "trace, skipped" if result.rejected else "no trace"
    print("#" + json.dumps([says, seconds]), flush=True)
"""


class State:
    """One state's filter in a process of its own."""

    def __init__(self, tree: Path, products: str, threads: int) -> None:
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        command = [sys.executable, "-c", WORKER, products, str(threads)]
        self._process = subprocess.Popen(
            command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def decide(self, picture: Path) -> tuple[str, float]:
        assert self._process.stdin and self._process.stdout
        print(picture.resolve(), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("#"):
                says, seconds = json.loads(line[1:])
                return says, seconds
        raise SystemExit(f"The filter ended at {picture}.")

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("pictures", nargs="+", type=Path)
    options.add_argument("--other", type=Path, required=True)
    options.add_argument("--products", default="handbag, shoe, watch, bottle, cup, chair, sunglasses")
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    here, other = (State(tree, given.products, given.threads) for tree in (TREE, given.other))
    for state in (here, other):
        state.decide(given.pictures[0])
    rows = [(*here.decide(picture), *other.decide(picture)) for picture in given.pictures]
    here.end()
    other.end()
    print("| this state says | pictures | this, CPU s | other, CPU s | ratio of medians | ratio of sums |")
    print("|---|---|---|---|---|---|")
    for kind in ("no trace", "trace, skipped", "match"):
        for other_kind in ("no trace", "trace, skipped", "match"):
            both = [(a, b) for says, a, said, b in rows if (says, said) == (kind, other_kind)]
            if both:
                mine, theirs = ([pair[n] for pair in both] for n in (0, 1))
                a, b = statistics.median(mine), statistics.median(theirs)
                print(
                    f"| {kind} (other: {other_kind}) | {len(both)} | {a:.2f} | {b:.2f} | {a / b:.2f} | "
                    f"{sum(mine) / sum(theirs):.2f} |"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
