"""img2img's batch over a folder, which the host's HTTP API does not have: what is kept stands in its output folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.e2e import test_page as pages
from tests.e2e.conftest import WebUi
from tests.e2e.test_page import Panel, first, go_to

if TYPE_CHECKING:
    from playwright.sync_api import Page

browser, open_page, page = pages.browser, pages.open_page, pages.page
pytestmark = pages.pytestmark


@pytest.fixture(autouse=True)
def named_after_their_inputs(webui: WebUi) -> Iterator[None]:
    """Forge and Forge Neo name a batch's results so where asked to; the others always do."""
    name = "img2img_batch_use_original_name"
    asked = name in webui.call("/sdapi/v1/options")
    if asked:
        webui.call("/sdapi/v1/options", {name: True})
    yield
    if asked:
        webui.call("/sdapi/v1/options", {name: False})


def run_batch(page: Page, choose: str, source: Path, out: Path, bag: Path) -> None:
    """Run a batch with *look at the input first*; whatever is painted becomes the bag."""
    go_to(page, "img2img")
    panel = Panel(page, "img2img").open("handbag")
    panel.toggle("decide")
    panel.part("on_no_match").get_by_label(choose).check()
    panel.part("filter_input", "input[type=checkbox]").check()
    panel.part("on_match").get_by_label("mask and cut-out only").check()
    first(page, "#img2img_neg_prompt textarea").fill(f"paint({bag})")
    page.locator("#img2img_steps input[type=number]").fill("2")
    for side in ("width", "height"):
        page.locator(f"#img2img_{side} input[type=number]").fill("256")
    page.locator("#mode_img2img > .tab-nav > button").filter(has_text="Batch").click()
    directory = page.locator("#img2img_batch_source > .tab-nav > button").filter(has_text="From directory")
    if directory.count():  # reForge's takes directories alone
        directory.click()
    first(page, "#img2img_batch_input_dir textarea").fill(str(source))
    first(page, "#img2img_batch_output_dir textarea").fill(str(out))
    page.locator("#img2img_generate").click()
    pages.expect(first(page, "#html_log_img2img")).to_contain_text("Time taken", timeout=120_000)


def names(folder: Path) -> list[str]:
    """The pictures, without the number that the host puts before a name."""
    return sorted(path.name.partition("-")[2] or path.name for path in folder.glob("*.png"))


@pytest.fixture
def source(tmp_path: Path, bag: Path, moon: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(bag, folder / "a bag.png")
    with Image.open(moon) as picture:
        picture.convert("RGB").save(folder / "the moon.png")
    return folder


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_a_picture_that_is_kept_stands_in_the_output_folder_under_its_name(
    webui: WebUi, page: Page, source: Path, bag: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_batch(page, "keep untouched", source, out, bag)
    assert names(out) == ["a bag.png", "the moon.png"]
    (kept,) = out.glob("*the moon.png")
    assert np.array_equal(pixels(kept), pixels(source / "the moon.png"))
    with Image.open(kept) as picture:
        assert "parameters" not in picture.info, "it was not generated"
        assert json.loads(picture.info["Product filter result"])["says"].startswith("input skipped")


@pytest.fixture
def unnumbered(webui: WebUi) -> Iterator[None]:
    webui.call("/sdapi/v1/options", {"save_images_add_number": False})
    yield
    webui.call("/sdapi/v1/options", {"save_images_add_number": True})


def test_nothing_of_the_users_is_overwritten_where_both_folders_are_one(
    webui: WebUi, page: Page, source: Path, bag: Path, unnumbered: None
) -> None:
    (source / "a bag.png").unlink()
    before = (source / "the moon.png").read_bytes()
    run_batch(page, "keep untouched", source, source, bag)
    assert (source / "the moon.png").read_bytes() == before
    assert len(list(source.glob("*.png"))) == 2


def test_a_picture_to_be_moved_goes_to_its_own_folder(
    webui: WebUi, page: Page, source: Path, bag: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_batch(page, "move to folder", source, out, bag)
    assert (names(out), names(out / "photoshoot-skipped")) == (["a bag.png"], ["the moon.png"])


def test_a_picture_to_be_left_out_is_absent(webui: WebUi, page: Page, source: Path, bag: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_batch(page, "leave out", source, out, bag)
    assert names(out) == ["a bag.png"] and not (out / "photoshoot-skipped").exists()
