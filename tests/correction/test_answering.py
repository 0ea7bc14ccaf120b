"""The likely answer first, the others later: what is worked out when, what gives way to a newer step, and to whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_photoshoot.correction.alternatives import Alternative
from lib_photoshoot.correction.answering import BEGUN_KEPT, Answering, OvertakenError, Overtaking, Remembered
from lib_photoshoot.correction.clicks import ClickOutliner
from lib_photoshoot.correction.fixer import Fixer
from lib_photoshoot.pages.fixing import Step, StepKind
from lib_photoshoot.segmentation.protocol import SoftCandidate
from lib_photoshoot.segmentation.working_copy import picture_digest
from tests.correction.test_clicks import RED, box, click, disc, outliner, picture
from tests.correction.test_drawn import around, loop
from tests.correction.test_fixing import Fixed, FloodSegmenter, clicked, likely, mask_of, number, out, photos

__all__ = ["out", "outliner", "photos", "picture"]

EMPTY = np.zeros((10, 10), bool)


def square(side: int) -> np.ndarray:
    mask = EMPTY.copy()
    mask[:side, :side] = True
    return mask


def counted(done: list[int], fails_at: int = 0) -> Iterator[Alternative]:
    """Three answers, the likely one in the middle by size; ``done`` tells which were worked out."""
    for side in (5, 2, 8):
        done.append(side)
        if side == fails_at:
            raise MemoryError("no room")
        yield Alternative(f"side {side}", square(side))


def test_the_likely_answer_is_there_before_the_others_and_has_its_place_among_them() -> None:
    done: list[int] = []
    answering = Answering(EMPTY, counted(done))
    assert answering.chosen(None).name == "side 5" and done == [5] and not answering.is_finished
    answers = answering.all()
    assert answers.names == ("side 2", "side 5", "side 8") and answers.likely == 1 and done == [5, 2, 8]
    assert (answering.chosen(None).mask == square(5)).all() and answering.chosen(2).name == "side 8"


def test_work_that_is_overtaken_ends_between_two_answers_and_goes_on_where_it_was() -> None:
    done: list[int] = []
    overtaking, answering = Overtaking(), Answering(EMPTY, counted(done))
    wanted = overtaking.wanted()
    looks = iter([True, False])
    with pytest.raises(OvertakenError):
        answering.all(lambda: next(looks))
    assert done == [5, 2]
    overtaking.overtake()
    with pytest.raises(OvertakenError):
        answering.all(wanted)
    assert done == [5, 2] and answering.all(overtaking.wanted()).names[0] == "side 2" and done == [5, 2, 8]


def test_what_failed_halfway_is_begun_anew_and_what_was_only_begun_is_not_kept_for_long() -> None:
    remembered = Remembered()
    failing = remembered.once((0,), lambda: Answering(EMPTY, counted([], fails_at=8)))
    with pytest.raises(MemoryError):
        failing.all()
    assert len(remembered.once((0,), lambda: Answering(EMPTY, counted([]))).all().names) == 3
    for key in range(1, BEGUN_KEPT + 2):
        remembered.once((key,), lambda: Answering(EMPTY, counted([])))
    begun: list[int] = []
    remembered.once((2,), lambda: Answering(EMPTY, counted(begun)))
    assert begun == [], "one of the last is still known"
    remembered.once((1,), lambda: Answering(EMPTY, counted(begun)))
    remembered.once((0,), lambda: pytest.fail("a finished one is kept"))
    assert begun == [5]


@pytest.mark.parametrize(
    "step",
    [
        click(230, 120),
        click(90, 120, inside=False),
        box(38, 71, 142, 172),
        loop(around(230, 120, 50)),
        Step(StepKind.LINE, True, ((200, 120), (230, 125), (260, 120)), 4.0),
    ],
    ids=["add", "remove", "box", "loop", "line"],
)
def test_both_parts_tell_the_same_outline(outliner: ClickOutliner, picture: np.ndarray, step: Step) -> None:
    anew = ClickOutliner(outliner._segmenter._segmenter)
    first = outliner.first(picture, RED, [step])
    answers = outliner.answers(picture, RED, [step])
    assert np.array_equal(first.mask, answers.mask(None)) and answers.names[answers.likely].startswith(first.name)
    assert anew.answers(picture, RED, [step]).names == answers.names, "asked for at once they are the same"
    later = outliner.first(picture, RED, [step, click(230, 120)])
    assert np.array_equal(later.mask, anew.first(picture, RED, [step, click(230, 120)]).mask)


def test_a_part_of_the_questions_is_enough_for_the_likely_answer(picture: np.ndarray) -> None:
    class Counting(FloodSegmenter):
        def prompted(
            self, image: np.ndarray, box: Any, points: Sequence[Any], shape: Any, prior: Any = None
        ) -> list[SoftCandidate]:
            self.asked.append((box, list(points), prior is not None))
            return [SoftCandidate(disc(90, 120, 80).astype(np.float32), 0.9)]

    segmenter = Counting()
    small = ClickOutliner(segmenter)
    small.first(picture, RED, [click(150, 120)])
    before = len(segmenter.asked)
    small.answers(picture, RED, [click(150, 120)])
    assert 0 < before < len(segmenter.asked)
    small.first(picture, RED, [click(150, 120), click(60, 60)])
    assert segmenter.asked[before:].count(segmenter.asked[0]) == 0, "the step before was known"


class HeldSegmenter(FloodSegmenter):
    """Holds the second question of a step, which is one for its other answers, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.go, self.at_once, self.most = threading.Event(), threading.Event(), 0, 0
        self.hold = False

    def prompted(self, *given: Any, **named: Any) -> list[SoftCandidate]:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        if self.hold:
            self.hold = False
            self.held.set()
            assert self.go.wait(20)
        try:
            return super().prompted(*given, **named)
        finally:
            self.at_once -= 1


class Held(Fixed):
    def __init__(self, out: Path) -> None:
        super().__init__(out)
        self.segmenter = HeldSegmenter()
        self.run.fixing = self.fixer = Fixer(self.run, self._load)


@pytest.fixture
def held(out: Path) -> Iterator[Held]:
    one = Held(out)
    yield one
    one.close()


def question(photos: Path, part: str | None, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"id": number(photos / "two.png"), "region": 0, "steps": list(steps)} | ({"part": part} if part else {})


def test_a_new_step_drops_the_chips_of_the_older_one_and_is_answered_first(
    held: Held, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter, told = held.segmenter, {}
    first, second = clicked(60, 10), clicked(10, 50)
    assert len(held.ask("outline", question(photos, "likely", first))[1]["answers"]) == 1

    heard: list[str] = []

    def listen(name: str) -> None:
        real = getattr(Overtaking, name)

        def told_of(self: Overtaking) -> Any:
            answer = real(self)
            heard.append(name)
            return answer

        monkeypatch.setattr(Overtaking, name, told_of)

    listen("overtake")
    listen("wanted")

    def until(count: int, name: str) -> None:
        while heard.count(name) < count:
            time.sleep(0.01)

    def ask(name: str, part: str, *steps: dict[str, Any]) -> threading.Thread:
        def post() -> None:
            told[name] = held.ask("outline", question(photos, part, *steps))[1]

        thread = threading.Thread(target=post)
        thread.start()
        return thread

    segmenter.hold = True
    old = ask("old", "others", first)
    assert segmenter.held.wait(20)
    waiting = ask("waiting", "others", first)  # has not even begun
    until(2, "wanted")
    asked = len(segmenter.asked)
    new = ask("new", "likely", first, second)
    until(1, "overtake")
    segmenter.go.set()
    for thread in (old, waiting, new):
        thread.join(20)
    assert told["old"]["overtaken"] and told["old"]["answers"] == [] and told["waiting"]["overtaken"]
    assert not told["new"]["overtaken"] and likely(told["new"])[50, 10]
    signs = [len(points) for _, points, prior in segmenter.asked[asked:] if prior]
    assert signs.count(2) == 1 and segmenter.most == 1, "one question at a time, and none more for the old step"
    again = held.ask("outline", question(photos, "others", first))[1]
    assert not again["overtaken"] and len(again["answers"]) > 1, "whoever still wants it gets it"
    whole = held.ask("outline", question(photos, None, first))[1]
    assert whole | {"seconds": 0} == again | {"seconds": 0}


def test_the_two_parts_over_http(held: Held, photos: Path) -> None:
    steps = clicked(60, 10), clicked(15, 15, add=False)
    first = held.ask("outline", question(photos, "likely", *steps))[1]
    both = held.ask("outline", question(photos, "others", *steps))[1]
    assert first["likely"] == 0 and np.array_equal(likely(first), likely(both))
    last = len(both["answers"]) - 1
    chosen = held.ask("outline", question(photos, "likely", steps[0], steps[1] | {"choice": last}))[1]
    assert np.array_equal(likely(chosen), mask_of(both["answers"][last]["mask"]))
    status, refused = held.ask("outline", question(photos, "some", *steps))
    assert status == 400 and refused["error"] == "'part' must be likely or others."


def test_a_digest_is_remembered_only_of_what_nobody_can_write_to() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    before = picture_digest(pixels)
    pixels[0, 0] = 9
    changed = picture_digest(pixels)
    assert before != changed
    view = pixels[:]
    view.flags.writeable = False
    assert picture_digest(view) == changed
    pixels[0, 0] = 0
    assert picture_digest(view) == before, "its pixels are another's to write to"
    pixels.flags.writeable = False
    assert picture_digest(pixels) == picture_digest(pixels) == before
