"""The photos of a training in Chromium: captions typed with the keys, filters, decisions, and what readers need."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from lib_photoshoot.training.controller import TrainingController
from lib_photoshoot.training.review.reviewed import ReviewedPhotos
from tests.e2e.test_page import CHROMIUM, CONTRAST
from tests.shoot.test_report_page import UNNAMED, OpenPage, browser, open_page, press, show
from tests.shoot.test_review import Served
from tests.training.conftest import SMALL

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page"]


@pytest.fixture
def controller(tmp_path: Path) -> TrainingController:
    return TrainingController(tmp_path / "home")


@pytest.fixture
def served(photos: Path, controller: TrainingController) -> Iterator[Served]:
    Image.open(photos / "02.png").resize((100, 200)).save(photos / "<b>zz.png")
    shutil.copy(photos / "02.txt", photos / "<b>zz.txt")
    (photos / "03.txt").unlink()
    one = Served(photos, ReviewedPhotos(controller, photos, SMALL))
    yield one
    one.close()


@pytest.fixture
def page(served: Served, open_page: OpenPage) -> Page:
    return open_page(served.server.address)


def names(page: Page) -> list[str]:
    return page.locator(".card .product").all_inner_texts()


def kept(controller: TrainingController, photos: Path) -> Any:
    return controller.check(photos, SMALL).whole.captions


def test_a_caption_is_typed_with_the_keys_and_kept(page: Page, controller: TrainingController, photos: Path) -> None:
    show(page, "findings")
    page.locator(".card").filter(has_text="03.png").locator(".open").click()
    press(page, "e")
    page.keyboard.type("ppzocketv2, a red ray")  # r rejects, a accepts: not here
    press(page, "Enter")
    expect(page.locator(".pane .notes li")).to_have_count(0)
    assert kept(controller, photos)["03.png"] == "ppzocketv2, a red ray"
    press(page, "Escape")
    show(page, "edited")
    assert names(page) == ["03.png"] and "a red ray" in page.locator(".card .why").inner_text()
    show(page, "hand")
    assert names(page) == []


def test_near_duplicates_are_decided_and_taken_back(page: Page, controller: TrainingController, photos: Path) -> None:
    show(page, "duplicates")
    assert names(page) == ["02.png", "<b>zz.png"]
    press(page, "End", "r")
    expect(page.locator("#lead")).to_contain_text("12 of 13 photos to train on")
    show(page, "rejected")
    assert names(page) == ["<b>zz.png"] and controller.check(photos, SMALL).left_out == ("<b>zz.png",)
    press(page, "Control+z")
    expect(page.locator("#lead")).to_contain_text("13 photos to train on")
    assert not controller.check(photos, SMALL).left_out


def test_a_caption_that_cannot_be_kept_stays_and_is_sent_again(
    page: Page, served: Served, controller: TrainingController, photos: Path
) -> None:
    page.route("**/decide", lambda route: route.abort())
    press(page, "Home", "e")
    page.keyboard.press("Control+a")
    page.keyboard.type("ppzocketv2, mine")
    press(page, "Enter", "ArrowRight")
    expect(page.locator("#viewer .said")).to_contain_text("is not kept yet")
    press(page, "ArrowLeft")
    expect(page.locator(".caption textarea")).to_have_value("ppzocketv2, mine")
    expect(page.locator(".caption .state")).to_have_text("not kept yet")
    page.unroute("**/decide")
    expect(page.locator(".caption .state")).to_have_text("", timeout=10_000)
    assert kept(controller, photos)["00.png"] == "ppzocketv2, mine"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everything_has_a_name_and_can_be_read(page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    for keys in ((), ("ArrowRight", "r"), ("Enter",), ("v", "v"), ("e", "x", "Enter"), ("c",), ("?",)):
        press(page, *keys)
        assert page.evaluate(UNNAMED) == []
        contrast, text = page.evaluate_handle("document.body").evaluate(CONTRAST)
        assert contrast >= 4.5, text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
