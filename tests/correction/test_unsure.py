"""Where an outline is unsure: what other looks at the product see otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.unsure import AS_IT_IS, MOST_PLACES
from lib_photoshoot.pages.fixing import RequestValueError, Step, StepKind, outline_request
from lib_photoshoot.segmentation.protocol import SoftCandidate

ASKED = Step(StepKind.UNSURE, True, ())
IMAGE = np.full((200, 300, 3), 90, np.uint8)


class Looks:
    """Sees these, whatever it is asked."""

    def __init__(self, *seen: np.ndarray) -> None:
        self.seen = seen

    def prompted(self, image: np.ndarray, *asked: object, **more: object) -> list[SoftCandidate]:
        return [SoftCandidate(one.astype(np.float32), 0.9) for one in self.seen]

    def embed_ahead(self, image: np.ndarray) -> None: ...


class StandsOut:
    """A network that sees this."""

    name = "quick"

    def __init__(self, seen: np.ndarray) -> None:
        self.seen = seen

    def map(self, image: np.ndarray) -> np.ndarray:
        return self.seen.astype(np.float32)


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    one = np.zeros(IMAGE.shape[:2], bool)
    for x0, y0, x1, y1 in boxes:
        one[y0:y1, x0:x1] = True
    return one


BODY, TAIL, SHADOW = (100, 50, 200, 150), (200, 90, 250, 110), (100, 130, 200, 150)


def answers(outline: np.ndarray, looks: Sequence[np.ndarray], quick: np.ndarray | None = None, *steps: Step):
    outliner = ClickOutliner(Looks(*looks), None if quick is None else StandsOut(quick))
    return outliner.answers(IMAGE, outline, steps or [ASKED])


def test_each_place_that_another_look_sees_otherwise_is_an_answer_of_its_own() -> None:
    outline = mask(BODY)
    found = answers(outline, [mask(BODY, TAIL)], mask((100, 50, 200, 130)))
    assert found.names == (AS_IT_IS, "With this part", "Without this part") and found.likely == 0
    assert (found.mask(0) == outline).all()
    assert (found.mask(1) == mask(BODY, TAIL)).all()
    assert (found.mask(2) == outline & ~mask(SHADOW)).all()


def test_what_one_answer_of_sam_alone_leaves_out_is_mostly_a_part_and_no_place() -> None:
    part, whole = mask((100, 50, 200, 130)), mask(BODY)
    assert answers(whole, [whole, part]).names == (AS_IT_IS,)
    assert answers(whole, [part, part]).names == (AS_IT_IS, "Without this part")
    assert answers(part, [part, whole]).names == (AS_IT_IS, "With this part")


def test_one_place_is_changed_after_the_other() -> None:
    looks = [mask(BODY, TAIL)], mask((100, 50, 200, 130), TAIL)
    taken = Step(StepKind.UNSURE, True, (), choice=1)
    found = answers(mask(BODY), *looks, taken, ASKED)
    assert found.names == (AS_IT_IS, "Without this part")
    assert (found.mask(0) == mask(BODY, TAIL)).all() and (found.mask(1) == mask((100, 50, 200, 130), TAIL)).all()


def test_looks_that_agree_and_edges_that_are_off_by_little_are_no_place() -> None:
    outline = mask(BODY)
    assert answers(outline, [outline], outline).names == (AS_IT_IS,)
    assert answers(outline, [mask((99, 49, 201, 151))]).names == (AS_IT_IS,)
    assert answers(outline, [mask((0, 0, 300, 200))]).names == (AS_IT_IS,)  # another thing
    assert answers(mask(), [outline]).names == (AS_IT_IS,)


def test_what_most_looks_say_comes_before_what_is_large_and_no_more_than_some() -> None:
    small = [(20 * n, 10, 20 * n + 12, 22) for n in range(MOST_PLACES)]
    outline, large = mask(BODY), mask(BODY, (0, 160, 90, 200))
    found = answers(
        outline, [mask(BODY, *small), mask(BODY, *small), mask(BODY, *small), mask(BODY, *small, TAIL), large]
    )
    assert len(found.names) == 1 + MOST_PLACES
    gained = [int(np.count_nonzero(one.mask & ~outline)) for one in found.all[1:]]
    assert gained.count(144) == MOST_PLACES - 1 and max(gained) in (1000, 3600)


def test_it_is_asked_without_a_place() -> None:
    request = outline_request({"id": 1, "region": 0, "steps": [{"kind": "unsure", "add": True, "path": []}]})
    assert request.steps == (ASKED,)
    with pytest.raises(RequestValueError, match="too many"):
        outline_request({"id": 1, "region": 0, "steps": [{"kind": "unsure", "path": [[1, 2]]}]})
