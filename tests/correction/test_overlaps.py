"""Corrected outlines that grow into another product's: what is whose then, in the files, and what is said."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record, current_records
from lib_photoshoot.catalog.page import id_of
from tests.correction.test_fixing import Fixed, out, photos

__all__ = ["out", "photos"]

TAKEN = "What lamp and lamp shared is lamp’s now: it was corrected last."


@pytest.fixture
def served(out: Path) -> Iterator[Fixed]:
    one = Fixed(out)
    yield one
    one.close()


def two(out: Path) -> Record:
    """The picture with a lamp at (5, 5, 25, 25) and one at (40, 20, 70, 50)."""
    (record,) = [one for one in current_records(out / LEDGER_NAME) if Path(one.file).stem == "two"]
    return record


def png(*boxes: tuple[int, int, int, int]) -> str:
    mask = np.zeros((60, 80), np.uint8)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = 255
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def draw(served: Fixed, *changes: tuple[int | None, str]) -> dict[str, list[str]]:
    regions = [{"region": region, "product": "lamp", "mask": mask} for region, mask in changes]
    status, answer = served.ask("save", {"id": id_of(two(served.out).file), "regions": regions})
    assert status == 200, answer
    return answer


def masks(out: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(out / region["mask"])) > 127 for region in two(out).entry["regions"]]


def cut_out_pixels(out: Path) -> list[int]:
    found = []
    for region in two(out).entry["regions"]:
        with Image.open(out / region["mask"].replace("masks/", "cutouts/")) as image:
            found.append(int((np.asarray(image)[:, :, 3] > 127).sum()))
    return found


def test_the_later_correction_wins_and_the_page_says_so(served: Fixed) -> None:
    before = two(served.out)
    answer = draw(served, (0, png((5, 5, 25, 25), (24, 22, 50, 45))))
    assert answer["told"] == [TAKEN]
    first, second = masks(served.out)
    assert not (first & second).any() and first[30, 45] and not second[30, 45] and second[30, 60]
    grown, cut = two(served.out).entry["regions"]
    assert grown["outline"]["source"] == "hand" and cut["box"][2:] == before.entry["regions"][1]["box"][2:]
    assert cut["score"] == before.entry["regions"][1]["score"] and "correction" not in cut
    assert not set(before.outputs) & set(two(served.out).outputs)
    assert all((served.out / name).is_file() for name in two(served.out).outputs)
    assert cut_out_pixels(served.out)[1] == second.sum()
    # The second one takes it back.
    assert draw(served, (1, png((40, 20, 70, 50))))["told"] == [TAKEN]
    first, second = masks(served.out)
    assert not (first & second).any() and second[30, 45] and not first[30, 45]


def test_of_two_drawn_at_once_the_later_one_wins(served: Fixed) -> None:
    answer = draw(served, (0, png((5, 5, 50, 40))), (1, png((30, 20, 70, 50))))
    first, second = masks(served.out)
    assert answer["told"] == [TAKEN] and not (first & second).any() and second[30, 35] and second[30, 45]


def test_what_lies_within_the_other_keeps_its_outline(served: Fixed) -> None:
    answer = draw(served, (None, png((0, 0, 30, 30))))
    assert "lies within the outline of lamp, and keeps its own" in answer["told"][0]
    inner, _, outer = masks(served.out)
    assert (inner & ~outer).sum() == 0 and inner.sum() == 400


def test_outlines_that_touch_nothing_are_as_they_were(served: Fixed) -> None:
    before = [(served.out / region["mask"]).read_bytes() for region in two(served.out).entry["regions"]]
    assert draw(served, (0, png((5, 5, 30, 25))))["told"] == []
    assert (served.out / two(served.out).entry["regions"][1]["mask"]).read_bytes() == before[1]
