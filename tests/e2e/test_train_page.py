"""The Train part of the Photoshoot tab, driven as a user does, to a LoRA that the WebUI lists; one real, tiny run."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import test_page
from tests.e2e.conftest import WebUi
from tests.e2e.test_page import CONTRAST, OpenPage, expect, go_to, prompt_box

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = test_page.pytestmark
# The fixtures of the other page's tests.
browser, open_page = test_page.browser, test_page.open_page

TRAIN, WEB = "/photoshoot/v1/train", "/photoshoot/v1/web"
PHOTOS = ("01", "02", "04", "08", "13", "15")
TINY = {
    "resolution": 64, "min_bucket_reso": 64, "max_bucket_reso": 128, "num_repeats": 1, "train_batch_size": 1,
    "max_train_epochs": 2, "network_dim": 4, "max_data_loader_n_workers": 0,
}  # fmt: skip
TRAINING_MS = 240_000
PATIENCE_S = 180
UNNAMED = """root => Array.from(root.querySelectorAll("input, select, textarea, button"))
    .filter(node => !node.labels?.length && !node.getAttribute("aria-label") && !node.textContent.trim())
    .map(node => node.outerHTML)"""


class TrainPart:
    """The part in the page, opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("#photoshoot_train")
        self.show()

    def show(self) -> None:
        go_to(self.page, "Photoshoot")
        self.page.locator("#photoshoot_tab_parts > .tab-nav > button").filter(has_text="Train a LoRA").click()
        expect(self.part("trainer")).to_be_visible()

    def part(self, name: str, selector: str = "") -> Locator:
        return self.page.locator(f"#photoshoot_train_{name} {selector}".strip()).first

    def click(self, name: str) -> None:
        self.part(name).click()

    def unfold(self) -> None:
        """Open all that is folded."""
        self.page.evaluate("document.querySelectorAll('#photoshoot_train details').forEach(one => one.open = true)")

    def check(self, folder: Path) -> None:
        self.part("folder").fill(str(folder))
        self.part("folder").press("Enter")
        expect(self.part("summary")).to_contain_text("photo")

    def recipe(self, **values: Any) -> None:
        for name, value in values.items():
            self.part(f"recipe_{name}").fill(str(value))

    def caption(self, name: str) -> Locator:
        return self.page.locator(f'#photoshoot_train_gallery [data-name="{name}"] textarea')

    def leave_out(self, name: str) -> Locator:
        return self.page.locator(f'#photoshoot_train_gallery [data-name="{name}"] input[type=checkbox]')

    def state(self, words: str) -> None:
        """Wait until the run is so far, or show why it is not."""
        expect(self.part("run_state")).to_contain_text(re.compile(f"^({words}|Failed|Cut off)"), timeout=TRAINING_MS)
        expect(self.part("run_state"), self.part("run_message").inner_text()).to_contain_text(re.compile(f"^{words}"))


@pytest.fixture
def folder(webui: WebUi, allowed: Path, shared_data: Path) -> Iterator[Path]:
    """Six photos with captions, under a name of its own; what the WebUI has kept of it is removed afterwards."""
    path = allowed / f"photos {uuid.uuid4().hex[:8]} ü"
    path.mkdir()
    for name in PHOTOS:
        for suffix in (".jpg", ".txt"):
            shutil.copyfile(shared_data / "product_photos" / f"{name}{suffix}", path / f"{name}{suffix}")
    yield path
    for sheet in Path(webui.call(TRAIN)["home"]).glob(f"captions/{path.name}-*.json*"):
        sheet.unlink()


@pytest.fixture
def train(open_page: OpenPage) -> TrainPart:
    return TrainPart(open_page())


@pytest.fixture
def lora(webui: WebUi) -> Iterator[str]:
    """A name for a LoRA, on a WebUI that can train now; runs, files and cards of that name are removed afterwards."""
    trainer, end = webui.call(f"{TRAIN}/trainer"), time.monotonic() + PATIENCE_S
    while trainer["looking"] and time.monotonic() < end:
        time.sleep(0.5)
        trainer = webui.call(f"{TRAIN}/trainer")
    if not trainer["ready"]:
        pytest.skip(f"this WebUI cannot train: {trainer['text']}")
    while (active := webui.call(TRAIN)["active"]) and time.monotonic() < end:
        time.sleep(2)
    if active:
        pytest.skip(f"this WebUI is training already: {active}")
    name = f"e2e{uuid.uuid4().hex[:6]}"
    yield name
    for run in webui.call(f"{TRAIN}/runs"):
        if run["name"].startswith(name):
            path = f"{TRAIN}/runs/{run['name']}"
            if webui.call(path)["active"]:
                webui.call(path, {"action": "cancel"})
            webui.call(f"{path}/remove", {})
    for removed in Path(webui.call(TRAIN)["home"]).glob(f"removed/{name}*"):
        shutil.rmtree(removed)
    for file in loras_of(webui, name):
        for made in file.parent.glob(f"{file.stem}.*"):
            made.unlink()
    webui.call("/sdapi/v1/refresh-loras", {})


def loras_of(webui: WebUi, name: str) -> list[Path]:
    return [Path(lora["path"]) for lora in webui.call("/sdapi/v1/loras") if lora["name"].startswith(name)]


def test_nothing_happens_before_the_tab_is_opened(open_page: OpenPage) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    go_to(page, "Photoshoot")
    page.wait_for_timeout(500)
    assert page.locator("#photoshoot_train *").count() == 0
    assert not [url for url in asked if TRAIN in url]
    TrainPart(page)
    assert [url for url in asked if url.endswith(TRAIN)]


def test_what_the_page_needs_comes_when_it_is_seen_and_stays_with_the_browser(open_page: OpenPage) -> None:
    page = open_page()
    entries = "() => performance.getEntriesByType('resource').map(one => [one.name, one.transferSize])"
    loaded = page.evaluate(entries)
    (folder,) = (url.split("/javascript/")[0] for url, _ in loaded if "/javascript/photoshoot.js" in url)
    ours = [(url, size) for url, size in loaded if url.startswith(f"{folder}/") or "/photoshoot/" in url]
    assert len(ours) == 2 and sum(size for _, size in ours) < 10_000, ours
    sent: list[str] = []
    page.on("response", lambda answer: WEB in answer.url and answer.status == 200 and sent.append(answer.url))
    TrainPart(page)
    versions = {url.split(WEB)[1].split("/")[1] for url in sent}
    assert len(versions) == 1 and len(sent) > 10, "all under one version, which a browser keeps"
    assert page.evaluate("Object.keys(window).filter(name => /photoshoot/i.test(name))") == ["photoshoot"]


def test_a_part_that_cannot_be_loaded_says_so_and_is_tried_again(open_page: OpenPage) -> None:
    page = open_page()
    page.route(f"**{WEB}/**", lambda route: route.abort())
    go_to(page, "Photoshoot")
    page.locator("#photoshoot_tab_parts > .tab-nav > button").filter(has_text="Train a LoRA").click()
    root = page.locator("#photoshoot_train")
    expect(root).to_contain_text("This page cannot be loaded; check that the WebUI still runs.")
    page.unroute(f"**{WEB}/**")
    root.get_by_role("button", name="Try again").click()
    expect(page.locator("#photoshoot_train_trainer")).to_be_visible()


def test_a_folder_is_checked_and_captions_are_edited_and_undone(train: TrainPart, folder: Path) -> None:
    (folder / "02.txt").unlink()
    (folder / "04.txt").write_text("a suitcase")
    (folder / "broken.jpg").write_bytes(b"no picture")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    train.check(folder)
    expect(train.part("summary")).to_contain_text("6 photos, 5 with a caption")
    expect(train.part("todo")).to_contain_text("1 photo has no caption yet")
    expect(train.part("todo")).to_contain_text("1 caption does not begin with the activation tag ppzocketv2")
    expect(train.part("problems")).to_contain_text("broken.jpg")
    expect(train.part("undo")).to_be_disabled()

    train.caption("02.jpg").fill("ppzocketv2, a <b>bottle</b> of oil")
    train.caption("02.jpg").blur()
    expect(train.part("summary")).to_contain_text("all with a caption")
    train.click("tag_all")
    expect(train.caption("04.jpg")).to_have_value("ppzocketv2, a suitcase")
    expect(train.part("todo")).to_be_empty()
    train.unfold()
    train.part("search").fill("suitcase")
    train.part("replacement").fill("trolley")
    train.click("replace")
    expect(train.part("caption_status")).to_have_text("1 caption changed.")
    expect(train.caption("04.jpg")).to_have_value("ppzocketv2, a trolley")
    train.part("word").fill("studio, light")
    train.click("add")
    expect(train.part("caption_status")).to_contain_text("is not one tag")
    train.part("word").fill("studio light")
    train.click("add")
    expect(train.caption("01.jpg")).to_have_value(re.compile("studio light$"))
    for value in ("ppzocketv2, a trolley", "ppzocketv2, a suitcase", "a suitcase"):
        train.click("undo")
        expect(train.caption("04.jpg")).to_have_value(value)
    train.click("redo")
    expect(train.caption("04.jpg")).to_have_value("ppzocketv2, a suitcase")

    train.page.reload(wait_until="domcontentloaded")
    train.page.wait_for_function(test_page.READY)
    train.show()
    expect(train.caption("02.jpg")).to_have_value("ppzocketv2, a <b>bottle</b> of oil")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_captions_are_written_beside_the_photos_on_the_users_word_only(train: TrainPart, folder: Path) -> None:
    (folder / "02.txt").unlink()
    train.check(folder)
    train.caption("02.jpg").fill("ppzocketv2, a bottle")
    train.caption("01.jpg").fill("ppzocketv2, a mug")
    train.caption("01.jpg").blur()
    expect(train.part("summary")).to_contain_text("all with a caption")
    train.page.once("dialog", lambda dialog: dialog.dismiss())
    train.click("write_beside")
    assert not (folder / "02.txt").exists()
    train.page.once("dialog", lambda dialog: dialog.accept())
    train.click("write_beside")
    expect(train.part("caption_status")).to_contain_text("1 file with another text left as they were: 01.txt")
    assert (folder / "02.txt").read_text() == "ppzocketv2, a bottle"
    assert "a mug" not in (folder / "01.txt").read_text()
    train.page.once("dialog", lambda dialog: dialog.accept())
    train.click("write_over")
    expect(train.part("caption_status")).to_have_text("All captions are beside the photos.")
    assert (folder / "01.txt").read_text() == "ppzocketv2, a mug"


def test_the_recipe_shows_its_steps_and_what_was_changed(train: TrainPart, folder: Path) -> None:
    train.check(folder)
    # Three buckets of two photos each, and 6 repeats.
    steps = train.page.evaluate(
        "Array.from(document.querySelectorAll('#photoshoot_train_buckets tbody tr'), row =>"
        " Number(row.cells[2].textContent)).reduce((sum, number) => sum + number)"
    )
    expect(train.part("estimate")).to_contain_text(f"6 photos: {steps} steps an epoch, {10 * steps} in all")
    expect(train.part("preset")).to_have_value("Original experiment")
    train.unfold()
    train.recipe(train_batch_size=1, num_repeats=2, max_train_epochs=3)
    expect(train.part("estimate")).to_contain_text("6 photos: 12 steps an epoch, 36 in all")
    expect(train.part("summary")).to_contain_text("12 steps an epoch, 36 in all")
    expect(train.part("group_pictures", "summary")).to_contain_text("2 changed")
    expect(train.part("preset")).to_have_value("Your own values")
    train.leave_out("01.jpg").check()
    expect(train.part("estimate")).to_contain_text("5 photos: 10 steps an epoch, 30 in all")
    train.recipe(num_repeats=0)
    expect(train.part("recipe_status")).to_have_text("Repeats (num_repeats) is 0; give a number from 1 to 1000.")
    train.page.get_by_role("button", name="Repeats: back to 6").click()
    expect(train.part("recipe_num_repeats")).to_have_value("6")
    expect(train.part("recipe_status")).to_be_empty()

    train.page.reload(wait_until="domcontentloaded")
    train.page.wait_for_function(test_page.READY)
    train.show()
    expect(train.part("estimate")).to_contain_text("5 photos: 30 steps an epoch, 90 in all")
    expect(train.leave_out("01.jpg")).to_be_checked()
    train.part("preset").select_option("Low memory (6 GB)")
    expect(train.part("recipe_resolution")).to_have_value("512")
    expect(train.part("recipe_max_train_epochs")).to_have_value("10")


def test_what_the_command_line_sets_the_page_sets_too(train: TrainPart, folder: Path) -> None:
    classes = folder.parent / f"{folder.name} classes" / "2_bag"
    classes.mkdir(parents=True)
    (folder / "15.jpg").rename(classes / "15.jpg")
    try:
        train.check(folder)
        train.unfold()
        train.part("set").fill("num_repeats=2\n\ntrain_batch_size = 1\nmax_train_epochs=3")
        train.click("set_put")
        expect(train.part("recipe_num_repeats")).to_have_value("2")
        expect(train.part("set")).to_be_empty()
        train.part("set").fill("num_repeats")
        train.click("set_put")
        expect(train.part("recipe_status")).to_contain_text("write it as NAME=VALUE")
        train.page.wait_for_timeout(1000)  # the photos are checked anew half a second after a change
        expect(train.part("recipe_status")).to_contain_text("write it as NAME=VALUE")
        expect(train.part("estimate")).to_contain_text("5 photos: 10 steps an epoch, 30 in all")
        train.part("regularisation").fill(str(classes.parent))
        train.part("regularisation").press("Tab")
        expect(train.part("estimate")).to_contain_text("5 photos: 20 steps an epoch, 60 in all")
        train.part("regularisation").fill("/")
        train.part("regularisation").press("Tab")
        expect(train.part("photos_status")).to_contain_text("may be used")
        train.part("regularisation").fill("")
        train.part("regularisation").press("Tab")
        expect(train.part("estimate")).to_contain_text("5 photos: 10 steps an epoch, 30 in all")
        train.caption("01.jpg").fill("ppzocketv2, mine")
        train.caption("01.jpg").press("Tab")
        (folder / "01.txt").write_text("ppzocketv2, beside")
        train.part("take_texts").check()
        train.click("caption")
        expect(train.caption("01.jpg")).to_have_value("ppzocketv2, beside")
    finally:
        shutil.rmtree(classes.parent)


def test_a_start_that_fails_says_why_and_can_be_tried_again(train: TrainPart, folder: Path, lora: str) -> None:
    train.click("start")
    expect(train.part("start_status")).to_contain_text("Name the folder")
    (folder / "02.txt").unlink()
    train.check(folder)
    train.unfold()
    train.recipe(output_name=lora, **TINY)
    train.click("start")
    expect(train.part("start_status")).to_contain_text("1 of 6 pictures without a caption (02.jpg first)")
    expect(train.part("start")).to_be_enabled()
    assert train.part("start").get_attribute("aria-disabled") is None
    train.part("folder").fill("/nowhere")
    train.click("start")
    expect(train.part("start_status")).to_contain_text("lies outside the folders that may be used")


def test_a_run_that_fails_shows_its_cause(train: TrainPart, folder: Path, lora: str) -> None:
    train.check(folder)
    train.unfold()
    train.recipe(output_name=lora, optimizer_args="nonsense=1", **TINY)
    train.click("start")
    expect(train.part("run_name")).to_contain_text(lora, timeout=TRAINING_MS)
    expect(train.part("run_state")).to_have_text("Failed", timeout=TRAINING_MS)
    expect(train.part("run_message")).to_contain_text("unexpected keyword argument 'nonsense'")
    expect(train.part("resume")).to_be_visible()
    for name in ("pause", "stop", "cancel", "results"):
        expect(train.part(name)).to_be_hidden()


def test_from_photos_to_a_lora_in_the_prompt(train: TrainPart, webui: WebUi, folder: Path, lora: str) -> None:
    page = train.page
    page.on("dialog", lambda dialog: dialog.accept())
    train.check(folder)
    train.unfold()
    train.recipe(output_name=lora, sample_width=64, sample_height=64, sample_steps=1, **TINY)
    train.part("recipe_sample_prompts").fill("ppzocketv2, a handbag\nppzocketv2, a shoe")
    expect(train.part("machine_notes")).to_contain_text("AdamW replaces AdamW8bit")
    expect(train.part("estimate")).to_contain_text("6 steps an epoch, 12 in all")
    train.click("start")
    expect(train.part("run_name")).to_contain_text(lora, timeout=TRAINING_MS)
    train.state("Training")
    expect(train.part("chart", "polyline >> nth=0")).to_be_attached(timeout=TRAINING_MS)
    train.click("pause")
    train.state("Paused")
    expect(train.part("pause")).to_have_text("Go on")

    page.reload(wait_until="domcontentloaded")
    page.wait_for_function(test_page.READY)
    train.show()
    train.state("Paused")
    expect(train.part("run_name")).to_contain_text(lora)
    expect(train.part("recipe_output_name")).to_have_value(lora)
    train.click("pause")
    train.click("stop")
    train.state("Stopped")
    expect(train.part("run_figures")).not_to_contain_text("12 of 12")
    train.click("resume")
    train.state("Finished")
    expect(train.part("run_figures")).to_contain_text("12 of 12")
    expect(page.locator("#photoshoot_train_samples img")).to_have_count(4)
    train.part("log_fold", "summary").click()
    expect(train.part("log")).to_contain_text("model saved")

    expect(page.locator("#photoshoot_train_epochs input:checked")).to_have_count(1)
    expect(train.part("epoch_2")).to_be_checked()
    taken = loras_of(webui, "")[0].parent / f"{lora}-02.safetensors"
    taken.write_bytes(b"another LoRA")
    train.click("export")
    expect(train.part("results_status")).to_contain_text(f"is another LoRA named {lora}-02")
    train.click("export_renamed")
    expect(train.part("exported")).to_contain_text(f"{lora}-02-2 is in the Lora folder.")
    assert f"{lora}-02-2" in [path.stem for path in loras_of(webui, lora)]
    train.click("sheet")
    expect(train.part("sheet_picture", "img")).to_have_js_property("complete", True)
    assert train.part("sheet_picture", "img").evaluate("image => image.naturalWidth") > 0

    train.part("product").fill("handbag")
    train.click("use_2")
    expect(prompt_box(page)).to_have_value(
        'ppzocketv2, "handbag", stylish, studio photography, product photography, ultra realistic, '
        f"<lora:{lora}-02-2:1>"
    )
    train.show()
    train.part("runs_fold", "summary").click()
    run = train.part("runs", "li").filter(has_text=lora)
    run.get_by_role("button", name="Remove").click()
    expect(train.page.locator("#photoshoot_train_runs li").filter(has_text=lora)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_and_everything_has_a_name(open_page: OpenPage, folder: Path, theme: str) -> None:
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "02.txt").unlink()
    train = TrainPart(open_page(f"?__theme={theme}"))
    train.check(folder)
    train.unfold()
    train.recipe(num_repeats=0)
    expect(train.part("recipe_status")).to_contain_text("Repeats")
    # The button that stands out has the host's colours.
    train.page.evaluate("document.querySelectorAll('.photoshoot-page-primary').forEach(one => one.remove())")
    contrast, text = train.root.evaluate(CONTRAST)
    assert 4.5 <= contrast < 21, f"{text!r} in {theme}"
    assert train.root.evaluate(UNNAMED) == []
