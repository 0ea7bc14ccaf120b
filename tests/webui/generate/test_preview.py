"""The preview's picture and lines, on the in-memory host."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate import job as jobs
from lib_photoshoot.webui.generate.preview import Found, look
from lib_photoshoot.webui.hosts.protocol import ControlModel
from tests.webui.fake_host import FakeControlNet, FakeHost
from tests.webui.generate.test_job import CANNY, BrightModels, models, picture  # noqa: F401

CHECK_WORDS = jobs._check_words
"""The real one: the fixture's models take any word."""


def preview(image: Image.Image, host: FakeHost | None = None, **settings) -> Found:
    host = host or FakeHost(CANNY)
    found = look(host, FilterSettings(**{"products": "bag", **settings}), image)
    assert not host.requests  # nothing is spent
    return found


def test_a_product_is_drawn_and_listed() -> None:
    image = picture()
    before = np.asarray(image).copy()
    found = preview(image)
    assert found.overlay is not None and found.overlay.size == image.size
    assert (np.asarray(found.overlay) != before).any() and (np.asarray(image) == before).all()
    assert "1 product found; would be enhanced by ControlNet, canny with control_canny [1]." in found.html
    assert ">1</b> bag, score " in found.html


def test_a_skip_tells_reason_and_consequence() -> None:
    found = preview(picture(lit=False), on_no_match="leave out")
    assert found.overlay is None
    assert "Skipped: nothing in the picture resembles the products." in found.html and "leave out" in found.html


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"enhancement": "retouch"}, "enhanced by retouching"),
        ({"enhancement": "inpaint"}, "enhanced by plain inpainting"),
        ({"on_match": "mask and cut-out only"}, "masks and cut-outs would be saved"),
        ({"cn_model": "nothing"}, "The ControlNet model &#x27;nothing&#x27; is not installed"),
    ],
)
def test_the_headline_says_what_would_happen(settings: dict, words: str) -> None:
    assert words in preview(picture(), **settings).html


def test_an_alias_that_finds_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_check_words", CHECK_WORDS)
    html = preview(picture(), products="bag = Xyzzy", detector="embedded").html
    assert "bag: looked for without Xyzzy, which the embedded detector does not know" in html
    # What is not known is told, and the others are looked for all the same.
    assert "Zzyx: not looked for" in preview(picture(), products="bag, Zzyx", detector="embedded").html


def test_no_fitting_model_is_told() -> None:
    host = FakeHost(FakeControlNet([ControlModel("control_canny_xl", "sdxl")]))
    assert "No ControlNet model fits this checkpoint" in preview(picture(), host).html


class TwoBags:
    """Finds two bags, the worse one first."""

    name, default_threshold = "two", 0.3

    def threshold_for(self, product: Product) -> float:
        return self.default_threshold

    def detect(self, image: np.ndarray, products) -> list[Detection]:
        boxes = ((5.0, 5.0, 30.0, 30.0), (60.0, 40.0, 100.0, 90.0))
        return [Detection("bag", box, score) for box, score in zip(boxes, (0.5, 0.9), strict=True)]


def test_numbers_follow_the_order_and_regions_beyond_the_limit_are_named(models: BrightModels) -> None:  # noqa: F811
    models.detector = TwoBags()
    html = preview(picture(), limit=1).html
    assert "2 products found" in html
    assert ">1</b> bag, score 0.90, 40&#215;50 pixels</li>" in html
    assert ">2</b> bag, score 0.50, 25&#215;25 pixels (beyond Most regions, so not enhanced)</li>" in html
    # Retouching takes all at once.
    assert "so not enhanced" not in preview(picture(), limit=1, enhancement="retouch").html


def test_unusable_products_are_one_sentence() -> None:
    with pytest.raises(PhotoshootError, match="product list is empty"):
        preview(picture(), products="")
