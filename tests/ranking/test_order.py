"""Order and groups: independent of the input's order, and of near-duplicates only the best stays."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_photoshoot.ranking import order
from lib_photoshoot.ranking.order import MeasuredPicture, default_weights, leaders, rank, to_json, total_of
from lib_photoshoot.ranking.qualities import Quality

NAMES = tuple(default_weights())
scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@st.composite
def pictures(draw) -> list[MeasuredPicture]:
    count = draw(st.integers(0, 12))
    hashes = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 3))
    return [
        MeasuredPicture(f"{i}.png", "shoe", tuple(Quality(n, draw(scores), "") for n in NAMES), draw(hashes))
        for i in range(count)
    ]


def picture(name: str, score: float, hash_: int = 0) -> MeasuredPicture:
    return MeasuredPicture(name, "shoe", tuple(Quality(n, score, "") for n in NAMES), hash_)


@given(pictures(), st.randoms())
def test_the_inputs_order_does_not_matter(items: list[MeasuredPicture], random) -> None:
    mixed = list(items)
    random.shuffle(mixed)
    assert rank(mixed) == rank(items)


@given(pictures())
def test_every_picture_is_there_once_and_totals_fall(items: list[MeasuredPicture]) -> None:
    ranked = rank(items)
    files = [r.measured.file for best in ranked for r in (best, *best.duplicates)]
    assert sorted(files) == sorted(item.file for item in items)
    totals = [r.total for r in ranked]
    assert totals == sorted(totals, reverse=True) and all(0 <= total <= 1 for total in totals)
    for best in ranked:
        assert all(other.total <= best.total for other in best.duplicates)
        assert all((other.measured.hash ^ best.measured.hash).bit_count() <= 8 for other in best.duplicates)
    for one in ranked:
        assert all((one.measured.hash ^ other.measured.hash).bit_count() > 8 for other in ranked if other is not one)


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_a_group_of_duplicates_keeps_the_best(hash_: int, bits: list[int]) -> None:
    group = [picture(f"{i}.png", 0.1 * i, hash_ ^ (1 << bit)) for i, bit in enumerate(bits)]
    best = picture("best.png", 0.9, hash_)
    (only,) = rank([*group, best])
    assert only.measured is best and len(only.duplicates) == len(group)


def plain_leaders(hashes: list[int], near: int) -> list[int]:
    """The definition, pair by pair: the first leader near enough, or oneself."""
    found: list[int] = []
    for number, hash_ in enumerate(hashes):
        close = (i for i in dict.fromkeys(found) if (hashes[i] ^ hash_).bit_count() <= near)
        found.append(next(close, number))
    return found


# A few seeds with few bits changed: chains of near ones, ties, and distances on both sides of the limit.
changed = st.tuples(st.sampled_from([0, 2**64 - 1, 0x0123456789ABCDEF]), st.sets(st.integers(0, 63), max_size=12))
near_hashes = changed.map(lambda item: item[0] ^ sum(1 << bit for bit in item[1]))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(near_hashes, st.integers(0, 2**64 - 1)), max_size=60),
    st.integers(-1, 64),
    st.sampled_from([(1, 1 << 24), (3, 1 << 24), (256, 1 << 24), (256, 20)]),
)
def test_groups_are_those_of_the_plain_definition(hashes: list[int], near: int, blocks: tuple[int, int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_HEADS", blocks[0])
        patch.setattr(order, "_CELLS", blocks[1])
        assert leaders(hashes, near) == plain_leaders(hashes, near)


def test_thousands_of_groups_are_those_of_the_plain_definition() -> None:
    random = Random(1)
    heads = [random.getrandbits(64) for _ in range(400)]
    flips = lambda: sum(1 << bit for bit in random.sample(range(64), random.randrange(12)))  # noqa: E731
    hashes = [random.choice(heads) ^ flips() for _ in range(1500)]
    assert leaders(hashes, 8) == plain_leaders(hashes, 8)


def test_better_qualities_come_first_and_weights_decide() -> None:
    sharp = replace(picture("sharp.png", 0.5, 0), qualities=(Quality("sharpness", 1, ""), Quality("size", 0, "")))
    large = replace(
        picture("large.png", 0.5, 2**64 - 1), qualities=(Quality("sharpness", 0, ""), Quality("size", 1, ""))
    )
    assert [r.measured for r in rank([large, sharp], {"sharpness": 2, "size": 1})] == [sharp, large]
    assert [r.measured for r in rank([large, sharp], {"sharpness": 1, "size": 2})] == [large, sharp]
    assert rank([sharp], {"sharpness": 2, "size": 1})[0].total == pytest.approx(2 / 3)


def test_what_was_not_measured_leaves_its_weight_to_the_others() -> None:
    assert total_of([Quality(n, 0.5, "") for n in NAMES if n != "likeness"]) == pytest.approx(0.5)
    assert total_of([]) == 0


def test_another_product_comes_last_however_good_and_says_so() -> None:
    best, other, kept = picture("a", 0.9), picture("b", 0.99, 2**64 - 1), picture("c", 0.2, 2**32 - 1)
    other = replace(other, other_product=True)
    kept = replace(kept, other_product=True, accepted_by_hand=True)
    ranked = rank([other, best, kept])
    assert [item.measured.file for item in ranked] == ["c", "a", "b"], "what a person accepted stands above that"
    assert [to_json(item).get("reason") for item in ranked] == ["other_product", None, "other_product"]
