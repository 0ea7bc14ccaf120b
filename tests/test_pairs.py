"""What is sold by the pair, and how a picture's articles are counted."""

from __future__ import annotations

import pytest

from lib_photoshoot.detection.pairs import articles, sold_by_the_pair
from lib_photoshoot.detection.verification import MOST_INSTANCES, verify
from lib_photoshoot.results import Detection, Reason


@pytest.mark.parametrize(
    "word",
    ["shoe", "Shoes", "red leather boots", "pair of earrings", "Schuhe", "Turnschuhe", "boucles d'oreilles", "靴"],
)
def test_sold_by_the_pair(word: str) -> None:
    assert sold_by_the_pair(word)


@pytest.mark.parametrize(
    "word", ["shoe rack", "shoebox", "glasses", "trousers", "scissors", "watch", "boot brush", "xyzzy"]
)
def test_sold_one_by_one(word: str) -> None:
    assert not sold_by_the_pair(word)


LEFT, RIGHT, FAR = (10.0, 10.0, 50.0, 30.0), (52.0, 12.0, 92.0, 31.0), (300.0, 10.0, 340.0, 30.0)


@pytest.mark.parametrize(
    ("found", "count"),
    [
        ([], 0),
        ([("shoe", LEFT)], 1),
        ([("shoe", LEFT), ("shoe", RIGHT)], 1),
        ([("shoe", LEFT), ("shoe", FAR)], 2),  # a shoe here, and another far away
        ([("shoe", LEFT), ("shoe", (55.0, 15.0, 62.0, 19.0))], 2),  # a small one is of another pair
        ([("shoe", LEFT), ("shoe", RIGHT), ("shoe", FAR)], 2),
        ([("cup", LEFT), ("cup", RIGHT)], 2),
        ([("shoe", LEFT), ("sock", RIGHT)], 2),
        ([("shoe", (x, 0.0, x + 20.0, 10.0)) for x in (0.0, 21.0, 60.0, 81.0)], 2),
    ],
)
def test_articles(found: list[tuple[str, tuple[float, ...]]], count: int) -> None:
    assert articles(found) == count  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "most"), [("cup", MOST_INSTANCES), ("shoe", 2 * MOST_INSTANCES)])
def test_as_many_pairs_as_single_things_are_worked_on(word: str, most: int) -> None:
    row = [Detection(word, (30.0 * n, 10.0, 30.0 * n + 20, 40.0), 0.9 - n / 100) for n in range(30)]
    kept, rejected = verify(row, {word: 0.3}, 1000, 100)
    assert len(kept) == most and {item.reason for item in rejected} == {Reason.TOO_MANY}
