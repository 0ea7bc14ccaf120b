"""Whether an outlined product is the one of the examples: by look, print and colour, with features of plain colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lib_photoshoot.examples.colours import colours_of
from lib_photoshoot.examples.features import unit
from lib_photoshoot.examples.identity import Identity, identity_of, still_same
from lib_photoshoot.examples.prints import take_print
from lib_photoshoot.examples.signature import Signature
from tests.examples.scenes import mug, photographed, shirt


class Shapes:
    """Features of a cut-out's grey values on a coarse grid: what is alike in shape is alike, whatever its colour."""

    name = "shapes/1"

    def cutouts(self, cutouts: list[np.ndarray]) -> np.ndarray:
        grey = [cv2.resize(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), (8, 8)).ravel().astype(np.float32) for one in cutouts]
        return unit(np.stack([one - one.mean() for one in grey]))

    def cells(self, image: np.ndarray) -> np.ndarray:
        raise AssertionError("an outline is given: no window is looked for")


def known(*shown: tuple[np.ndarray, np.ndarray]) -> Signature:
    """A signature of pictures with their masks."""
    features = Shapes()
    prints = tuple(take_print(image, mask) for image, mask in shown)
    return Signature(
        looks=features.cutouts([image for image, _ in shown]),
        colours=np.stack([colours_of(image, mask) for image, mask in shown]),
        prints=prints,
        agreement=np.full((len(shown), len(shown)), 3.0 if len(prints[0].points) > 100 else -9.0, np.float32),
        digests=tuple(str(number) for number in range(len(shown))),
    )


def again(shown: tuple[np.ndarray, np.ndarray], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Another photo, with the mask where the product is then."""
    image, mask = shown
    side = image.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), 8.0, 0.8)
    return photographed(image, seed), cv2.warpAffine(mask.astype(np.uint8), turn, (side, side)) > 0


def test_a_print_tells_the_same_shirt_from_one_with_another_print() -> None:
    mine = shirt(1)
    signature = known(mine, again(mine, 1), again(mine, 2))
    assert signature.is_printed
    same = identity_of(signature, Shapes(), *again(mine, 5))
    other = identity_of(signature, Shapes(), *again(shirt(2), 5))
    # The outlines of the shirts agree to the pixel, which no two photographed products do: not all of it is the print.
    assert same.print is not None and other.print is not None and same.print > other.print + 3
    assert same.score > other.score and "its print is there" in same.in_words()


def test_a_mug_of_another_colour_falls_short_in_colour() -> None:
    signature = known(mug("red"), again(mug("red"), 1), again(mug("red"), 2))
    assert not signature.is_printed
    same = identity_of(signature, Shapes(), *again(mug("red"), 7))
    other = identity_of(signature, Shapes(), *again(mug("green"), 7))
    assert same.print is None and same.colour < other.colour and same.look == pytest.approx(other.look, abs=0.25)


def test_only_the_outlined_product_counts() -> None:
    """Beside it stands another one, of which nothing may be taken."""
    mine, other = again(shirt(1), 5), again(shirt(2), 6)
    both = np.hstack([mine[0], other[0]])
    nowhere = np.zeros_like(mine[1])
    signature = known(shirt(1), again(shirt(1), 1), again(shirt(1), 2))
    left = identity_of(signature, Shapes(), both, np.hstack([mine[1], nowhere]))
    right = identity_of(signature, Shapes(), both, np.hstack([nowhere, other[1]]))
    assert left.print is not None and right.print is not None and left.print > right.print + 3


def test_an_empty_outline_is_a_mistake() -> None:
    image, mask = mug("red")
    with pytest.raises(ValueError, match="not empty"):
        identity_of(known((image, mask)), Shapes(), image, np.zeros_like(mask))


@pytest.mark.parametrize(
    ("before", "after", "same"), [(0.8, 0.5, True), (0.8, 0.49, False), (0.4, 0.2, True), (0.4, 0.19, False)]
)
def test_what_an_enhancement_may_take_of_a_score(before: float, after: float, same: bool) -> None:
    assert still_same(before, after) is same


def test_it_says_why_without_commas() -> None:
    for identity in (
        Identity(0.2, 0.1, 0.4, -9.0),
        Identity(0.9, 0.7, 0.0, None, 0.1),
        Identity(0.9, 0.5, 0.0, None, 0.0),
    ):
        assert "," not in identity.in_words()
    assert [one.told_apart for one in (Identity(0.9, 0.7, 0.0, 3.0), Identity(0.9, 0.5, 0.0, None, 0.0))] == [
        True,
        False,
    ]
    assert Identity(0.9, 0.5, 0.0, None, 0.0).in_words().startswith("of its kind and perhaps not the same product 0.90")
    assert Identity(0.2, 0.1, 0.4, -9.0).in_words() == (
        "another product 0.20: look 0.10; its print is not there; its colours do not fit (0.40)"
    )
