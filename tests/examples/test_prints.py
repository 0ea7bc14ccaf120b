"""Prints: found again at their place, and told from another print on the same shirt."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.examples.calibration import NO_PRINT
from lib_photoshoot.examples.prints import compare_prints, find_print, print_score, take_print
from tests.examples.scenes import mug, photographed, shirt


def test_a_print_is_found_where_it_lies() -> None:
    image, mask = shirt(1)
    match = find_print(take_print(image, mask), take_print(photographed(image, 3, 0.7, 12.0)))
    assert match is not None
    scale = float(np.sqrt(np.linalg.det(match.place[:, :2])))
    assert scale == pytest.approx(0.7, abs=0.03)
    # The middle of the picture stayed where it was.
    assert match.place[:, :2] @ (256, 256) + match.place[:, 2] == pytest.approx((256, 256), abs=5)


@pytest.mark.parametrize("other", range(2, 7))
def test_shirts_that_differ_in_their_print_only(other: int) -> None:
    image, mask = shirt(1)
    example = take_print(image, mask)
    same = print_score(example, take_print(photographed(image, other)))
    different = print_score(example, take_print(photographed(shirt(other)[0], other)))
    assert same > 0 > different


def test_a_print_of_which_a_part_is_another_does_not_agree() -> None:
    """Cartons of one brand: logo and layout are the same, the fruit is not."""
    image, mask = shirt(1)
    sibling = image.copy()
    sibling[230:360, 140:290] = shirt(9)[0][230:360, 140:290]
    example = take_print(image, mask)
    scores = []
    for seen in (image, sibling):
        picture = take_print(photographed(seen, 5))
        match = find_print(example, picture)
        assert match is not None
        scores.append(compare_prints(example, picture, match))
    assert scores[0].structure > scores[1].structure
    assert scores[1].chroma > 2 * scores[0].chroma
    # Less of the product is found again, too.
    assert scores[0].cells > 2 * scores[1].cells


def test_a_print_in_other_colours_does_not_agree() -> None:
    image, mask = shirt(1)
    example = take_print(image, mask)
    recoloured = np.ascontiguousarray(image[:, :, ::-1])
    picture = take_print(photographed(recoloured, 4))
    match = find_print(example, picture)
    own = take_print(photographed(image, 4))
    found = find_print(example, own)
    assert match is not None and found is not None
    assert compare_prints(example, picture, match).chroma > 2 * compare_prints(example, own, found).chroma


def test_plain_things_have_no_print() -> None:
    image, mask = mug("red")
    nothing = take_print(np.full((80, 60, 3), 128, np.uint8))
    assert len(nothing.points) == 0
    assert print_score(take_print(image, mask), nothing) == NO_PRINT
