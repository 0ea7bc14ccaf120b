"""Grouping near-duplicates of one product: seconds, against the plain definition pair by pair.

    python benchmarks/ranking.py [--counts 1000 10000] [--also-100000] [--seed 1]

Random hashes, of which no two resemble each other, are the slowest for both; "shoots" has ten pictures of a kind, up to
six bits apart. Exits with 1 where the two differ. The plain one is left out above 10,000.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_photoshoot.ranking.order import leaders

NEAR = 8
_PLAIN_LIMIT = 10_000


def plain(hashes: Sequence[int], near: int) -> list[int]:
    """The definition: each joins the first leader that differs in at most ``near`` bits."""
    heads: list[int] = []
    found = []
    for number, hash_ in enumerate(hashes):
        group = next((head for head in heads if (hashes[head] ^ hash_).bit_count() <= near), None)
        if group is None:
            heads.append(number)
        found.append(number if group is None else group)
    return found


def different(count: int, source: random.Random) -> list[int]:
    return [source.getrandbits(64) for _ in range(count)]


def shoots(count: int, source: random.Random) -> list[int]:
    kinds = different(count // 10, source)
    flip = lambda: sum(1 << bit for bit in source.sample(range(64), source.randrange(4)))  # noqa: E731
    return [source.choice(kinds) ^ flip() for _ in range(count)]


def timed(function: Callable[[Sequence[int], int], list[int]], hashes: Sequence[int]) -> tuple[float, list[int]]:
    start = time.perf_counter()
    found = function(hashes, NEAR)
    return time.perf_counter() - start, found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000])
    options.add_argument("--also-100000", action="store_true")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    wrong = False
    leaders([0, 1], NEAR)  # the first matrix product starts its library's threads
    print(f"{'pictures':>10} {'kind':>10} {'groups':>8} {'plain s':>9} {'leaders s':>10} {'times':>7}")
    for count in given.counts + [100_000] * given.also_100000:
        for kind in (different, shoots):
            hashes = kind(count, random.Random(given.seed))
            seconds, found = timed(leaders, hashes)
            before, times = "-", "-"
            if count <= _PLAIN_LIMIT:
                plain_seconds, expected = timed(plain, hashes)
                before, times = f"{plain_seconds:.3f}", f"{plain_seconds / seconds:.0f}"
                wrong |= expected != found
            print(f"{count:10,} {kind.__name__:>10} {len(set(found)):8,} {before:>9} {seconds:10.3f} {times:>7}")
    if wrong:
        print("The groups differ from the definition's.")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
