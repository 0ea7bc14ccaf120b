"""Which pictures of a set differ, and how that is told."""

from __future__ import annotations

import json
import random

import pytest

from lib_photoshoot.consistency.sets import LEAST, SMALLEST_SET, Comparison, Member, compare
from lib_photoshoot.consistency.traits import Measured, Trait, traits_from_json, traits_to_json
from lib_photoshoot.consistency.words import differs_in_words, told_of


def members(trait: Trait, values: list[float | tuple[float, float]], confidence: float = 0.9) -> list[Member]:
    measured = [Measured(value if isinstance(value, tuple) else (value,), confidence) for value in values]
    return [Member(f"{number:02}.jpg", "cup", {trait: one}) for number, one in enumerate(measured)]


def differ(comparison: Comparison) -> list[str]:
    return sorted(comparison.departures)


def test_five_of_forty_have_the_light_from_the_other_side() -> None:
    noise = random.Random(1)
    values = [noise.gauss(170, 12) for _ in range(35)] + [noise.gauss(5, 12) for _ in range(5)]
    found = compare(members(Trait.LIGHT, values))
    assert differ(found) == [f"{number}.jpg" for number in range(35, 40)]
    assert told_of(found) == ["5 of 40 pictures differ: light from the right instead of the left (5)."]


def test_angles_are_counted_around() -> None:
    assert differ(compare(members(Trait.LIGHT, [350, 355, 0, 5, 10, 15, 180]))) == ["06.jpg"]


@pytest.mark.parametrize(
    ("trait", "values", "says"),
    [
        (Trait.SIZE, [0.6, 0.62, 0.58, 0.6, 0.61, 0.3], "product half as large"),
        (Trait.SIZE, [0.3, 0.3, 0.31, 0.3, 0.29, 0.6], "product twice as large"),
        (Trait.GROUND, [*[(0.9, 0.5)] * 3, (0.91, 0.5), (0.89, 0.5), (0.78, 0.38)], "ground 12 % higher"),
        (Trait.WHITE, [(0, 0), (0, 1), (1, 0), (0, 0), (0, 0), (1, 9)], "white warmer by 9 (a*b*)"),
        (Trait.WHITE, [(0, 0), (0, 1), (1, 0), (0, 0), (0, 0), (-8, 2)], "white greener by 8 (a*b*)"),
        (Trait.ELEVATION, [20, 21, 19, 20, 20, 45], "camera 25° higher"),
        (Trait.LEAN, [0, 0.3, -0.2, 0, 0.1, -5], "leaning 5° to the left"),
        (Trait.SHADOW, [0, 10, 350, 5, 0, 180], "shadow to the right instead of to the left"),
    ],
)
def test_each_trait_in_words(trait: Trait, values: list[float | tuple[float, float]], says: str) -> None:
    found = compare(members(trait, values))
    assert differ(found) == ["05.jpg"]
    assert differs_in_words(found.of("05.jpg")) == f"Differs from the set: {says}."
    assert told_of(found) == [f"1 of 6 pictures differs: {says}."]


def test_all_alike_have_no_outlier() -> None:
    for trait in Trait:
        value = (1.0, 2.0) if trait in (Trait.WHITE, Trait.GROUND) else 0.4
        found = compare(members(trait, [value] * 12))
        assert not found.departures and told_of(found) == ["No picture differs from the others (12 pictures)."]


def test_what_nobody_sees_is_no_difference() -> None:
    # However alike the others are.
    for trait in (Trait.SIZE, Trait.LEAN, Trait.LIGHT):
        assert not compare(members(trait, [0.5] * 20 + [0.5 + 0.4 * LEAST[trait]])).departures


def test_a_product_is_in_its_place_by_its_foot_or_by_its_middle() -> None:
    standing = [(0.9, 0.9 - half) for half in (0.2, 0.3, 0.35, 0.25, 0.4, 0.1)]
    in_the_middle = [(0.5 + half, 0.5) for half in (0.2, 0.3, 0.35, 0.25, 0.4, 0.1)]
    for placed in (standing, in_the_middle):
        assert not compare(members(Trait.GROUND, placed)).departures
        moved = (placed[0][0] - 0.2, placed[0][1] - 0.2)
        assert differ(compare(members(Trait.GROUND, [*placed, moved]))) == ["06.jpg"]


def test_what_few_pictures_tell_says_nothing_about_the_set() -> None:
    few = members(Trait.LEAN, [0.0] * 6 + [8.0])
    assert compare(few).departures
    others = [Member(f"other {number}", "cup", {}) for number in range(20)]
    assert not compare([*few, *others]).departures


def test_a_set_that_varies_lets_a_picture_vary() -> None:
    assert not compare(members(Trait.SIZE, [0.2, 0.3, 0.45, 0.6, 0.8, 0.25, 0.5])).departures


def test_light_from_everywhere_is_no_common_light() -> None:
    found = compare(members(Trait.LIGHT, [number * 36.0 for number in range(10)]))
    assert not found.departures and "There is no common light direction." in told_of(found)


def test_too_few_are_no_set() -> None:
    found = compare(members(Trait.SIZE, [0.5] * (SMALLEST_SET - 2) + [0.1]))
    assert not found.norms and told_of(found) == []
    assert told_of(compare(members(Trait.SIZE, [0.5]))) == [] == told_of(compare([]))


def test_what_is_not_sure_neither_differs_nor_counts() -> None:
    unsure = [Member("unsure.jpg", "cup", {Trait.SIZE: Measured((0.1,), 0.3)})]
    assert not compare(members(Trait.SIZE, [0.5] * 6) + unsure).departures
    assert not compare(members(Trait.SIZE, [0.5] * 6 + [0.1], confidence=0.3)).norms


def test_a_ring_is_not_compared_with_a_bag_but_its_light_is() -> None:
    bags = [Member(f"{n}", "bag", {Trait.SIZE: Measured((0.8,), 1), Trait.LIGHT: Measured((90,), 1)}) for n in range(8)]
    ring = Member("ring", "ring", {Trait.SIZE: Measured((0.2,), 1), Trait.LIGHT: Measured((270,), 1)})
    assert [one.trait for one in compare([*bags, ring]).of("ring")] == [Trait.LIGHT]


def test_the_order_is_no_matter() -> None:
    listed = members(Trait.WHITE, [(0, 0), (1, 1), (0, 1), (9, 9), (1, 0), (0, 0)])
    assert compare(listed).departures == compare(listed[::-1]).departures


def test_a_picture_with_two_products_tells_each_thing_once() -> None:
    listed = members(Trait.WHITE, [(0, 0)] * 6 + [(0, 8)])
    again = [Member(one.key, "plate", one.traits) for one in listed]
    assert len(compare(listed + again).of("06.jpg")) == 1


def test_traits_are_written_and_read() -> None:
    traits = {Trait.LIGHT: Measured((123.4,), 0.75), Trait.WHITE: Measured((-1.5, 3.25), 1.0)}
    assert traits_from_json(json.loads(json.dumps(traits_to_json(traits)))) == traits


@pytest.mark.parametrize(
    "strange",
    [None, [], 3, {"light": 3}, {"light": {"value": "x", "confidence": 1}}, {"aura": {"value": 1, "confidence": 1}},
     {"white": {"value": 1, "confidence": 1}}, {"size": {"value": float("nan"), "confidence": 1}},
     {"size": {"value": [1, 2], "confidence": 1}}, {"ground": {"value": 1, "confidence": 1}}],
)  # fmt: skip
def test_what_is_no_trait_is_left_out(strange: object) -> None:
    assert traits_from_json(strange) == {}
