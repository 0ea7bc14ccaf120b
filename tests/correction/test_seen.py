"""Doubtful outlines that a person has looked at and finds right: they stay to the pixel, and are in doubt no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Doubt, Outline
from tests.correction.test_fixing import SETTINGS, Fixed, Retouching, photos, png, read, record_of, square
from tests.test_catalog import PRODUCTS, files_of

__all__ = ["photos"]


WORDS = [*PRODUCTS, *parse_products("light")]


class Doubting(Retouching):
    """Doubts each outline, and knows a second word for each."""

    def detect(self, image: Any, products: Any, space: Any = None) -> Any:
        found = super().detect(image, products)
        doubtful = Outline(0.7, (Doubt.VIEWS_DISAGREE,))
        return replace(found, regions=tuple(replace(one, outline=doubtful, also=("light",)) for one in found.regions))


def filtered(photos: Path, out: Path) -> Any:
    return run_catalog(Doubting(), collect_inputs([photos], out), WORDS, out, resume=True, settings=SETTINGS)


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    filtered(photos, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def served(out: Path) -> Iterator[Fixed]:
    one = Fixed(out)
    yield one
    one.close()


def test_an_outline_that_is_right_stays_and_is_in_doubt_no_more(served: Fixed, photos: Path) -> None:
    file = photos / "two.png"
    before = record_of(served.out, file)
    old = {folder: read(served.out, f"{folder}/two_1_lamp.png") for folder in ("masks", "cutouts")}
    status, answer = served.save(file, {"region": 0, "product": "lamp"})
    assert status == 200
    first, second = record_of(served.out, file).entry["regions"]
    assert first["outline"] == {**first["outline"], "doubts": [], "source": "hand"}
    assert {**first, "mask": "", "outline": ""} == {**before.entry["regions"][0], "mask": "", "outline": ""}
    assert first["also"] == ["light"], "it is still what else it was"
    assert second["outline"] == before.entry["regions"][1]["outline"]
    for folder, pixels in old.items():
        assert (read(served.out, first["mask"].replace("masks", folder)) == pixels).all()
    seen, other = answer["shots"][0]["regions"]
    assert seen["by_hand"] and not seen.get("doubts") and other["doubts"] and not other.get("by_hand")
    assert [one["also"] for one in record_of(served.out, file).annotations] == [["light"], ["light"]]


def test_what_is_drawn_anew_is_still_what_else_it_was_until_it_has_another_name(served: Fixed, photos: Path) -> None:
    file, mask = photos / "two.png", png(square(5, 5, 25, 15))
    for product, also in (("lamp", ["light"]), ("vase", None)):
        served.save(file, {"region": 0, "product": product, "mask": mask})
        record = record_of(served.out, file)
        assert record.entry["regions"][0].get("also") == record.annotations[0].get("also") == also
        assert record.annotations[1]["also"] == ["light"]


def test_a_resumed_run_knows_it_still(served: Fixed, photos: Path) -> None:
    served.save(photos / "two.png", {"region": 0, "product": "lamp"}, {"region": 1, "product": "lamp"})
    served.server.finish()
    files = files_of(served.out)
    assert filtered(photos, served.out).resumed == 2 and files_of(served.out) == files
