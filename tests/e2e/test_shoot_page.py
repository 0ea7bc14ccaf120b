"""The part 'Shoot a list' of the Photoshoot tab, driven as a user does: the table, saving, a real, tiny shoot, review.

Random weights paint noise, which the filter rejects; where pictures have to be accepted, the page shoots through the
proxy of :mod:`tests.e2e.test_shoot`, which has the painter paint the product.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from lib_photoshoot.shoot.run.http_webui import HttpWebUi
from lib_photoshoot.shoot.shot_list.product import ListedProduct
from lib_photoshoot.shoot.shot_list.reading import read_products
from lib_photoshoot.shoot.shot_list.rows import Row
from tests.e2e import test_page
from tests.e2e.conftest import WebUi
from tests.e2e.test_page import CONTRAST, OpenPage, expect, go_to, tab_until
from tests.e2e.test_shoot import painting

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = test_page.pytestmark
# The fixtures of the other page's tests.
browser, open_page = test_page.browser, test_page.open_page

SHOOT = "/photoshoot/v1/shoot"
SHOOTING_MS = 120_000
PATIENCE_S = 10
MANY = 1000
SMALL = {"width": "128", "height": "128", "steps": "2", "sampler": "Euler", "preset": "Cut-outs only"}
PAINTED = {**SMALL, "width": "256", "height": "256"}
# Of the proxy's seeds all but multiples of three show the product: one of these pictures is rejected.
PRODUCTS = [
    {"name": "red bag", "class": "handbag", "count": "2", **PAINTED},
    {"name": "Schuh <b>", "class": "shoe", "count": "2", "first_seed": "3", **PAINTED},
]
UNNAMED = """root => Array.from(root.querySelectorAll("input, select, textarea, button, a"))
    .filter(node => !node.labels?.length && !node.getAttribute("aria-label") && !node.textContent.trim()
        && !node.querySelector("img[alt]:not([alt=''])"))
    .map(node => node.outerHTML)"""
PASTE = """(node, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    node.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


class ShootPart:
    """The part in the page, opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("#photoshoot_shoot")
        self.show()

    def show(self) -> None:
        go_to(self.page, "Photoshoot")
        self.page.locator("#photoshoot_tab_parts > .tab-nav > button").filter(has_text="Shoot a list").click()
        expect(self.part("table")).to_be_visible()
        expect(self.part("summary")).not_to_be_empty()

    def reload(self) -> None:
        self.page.reload(wait_until="domcontentloaded")
        self.page.wait_for_function(test_page.READY)
        self.show()

    def part(self, name: str, selector: str = "") -> Locator:
        return self.page.locator(f"#photoshoot_shoot_{name} {selector}".strip()).first

    def click(self, name: str) -> None:
        self.part(name).click()

    def row(self, number: int, selector: str = "") -> Locator:
        """A row of the table, from 1; its head is the first in the eyes of a screen reader."""
        return self.page.locator(f'#photoshoot_shoot_table [aria-rowindex="{number + 1}"] {selector}'.strip())

    def cell(self, number: int, field: str) -> Locator:
        return self.row(number, f'[data-field="{field}"]')

    def wrong(self, number: int) -> Locator:
        return self.row(number, ".photoshoot-shoot-notes li")

    def type(self, *rows: tuple[str, str]) -> None:
        """Names and counts."""
        for number, (name, count) in enumerate(rows, 1):
            self.cell(number, "name").fill(name)
            self.cell(number, "count").fill(count)

    def paste(self, number: int, field: str, text: str) -> None:
        self.cell(number, field).focus()
        self.cell(number, field).evaluate(PASTE, text)

    def state(self, words: str) -> None:
        """Wait until the shoot is so far, or show why it is not."""
        expect(self.part("run_state")).to_contain_text(re.compile(f"^({words}|Failed)"), timeout=SHOOTING_MS)
        expect(self.part("run_state"), self.part("run_message").inner_text()).to_contain_text(re.compile(f"^{words}"))

    def figure(self, label: str) -> Locator:
        return self.page.locator("#photoshoot_shoot_run_figures > div").filter(has_text=label).locator("dd")

    @property
    def pictures(self) -> Locator:
        return self.page.locator("#photoshoot_shoot_pictures > li")


@pytest.fixture
def part(open_page: OpenPage) -> ShootPart:
    return ShootPart(open_page())


@pytest.fixture
def name(webui: WebUi) -> Iterator[str]:
    """A name for a shoot, on a WebUI that shoots nothing now; afterwards its shoots are stopped and removed."""
    state = webui.call(SHOOT)
    if state["running"]:
        pytest.skip(f"this WebUI is shooting already: {state['running']}")
    name = f"e2e {uuid.uuid4().hex[:6]} ü"
    yield name
    for shoot in webui.call(SHOOT)["shoots"]:
        if shoot["name"].startswith(name):
            stopped(webui, shoot["name"])
            removed(Path(state["folder"]) / shoot["name"])


def removed(folder: Path) -> None:
    """Remove a shoot's folder, in which the WebUI writes its report a while after the last decision."""
    end = time.monotonic() + PATIENCE_S
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:  # a file came or went meanwhile
            if time.monotonic() > end:
                raise


def address(name: str) -> str:
    return f"{SHOOT}/shoots/{quote(name)}"


def stopped(webui: WebUi, name: str) -> None:
    """Stop a shoot and wait until it has ended."""
    with suppress(HTTPError):  # it is not under way, or stopping already
        webui.call(address(name), {"action": "stop"})
    end = time.monotonic() + SHOOTING_MS / 1000
    while webui.call(address(name))["state"] in ("running", "stopping") and time.monotonic() < end:
        time.sleep(0.3)


def saved(webui: WebUi, name: str, rows: list[dict[str, str]]) -> None:
    webui.call(f"{SHOOT}/shoots", {"name": name, "rows": rows})


def test_nothing_is_asked_before_the_tab_is_opened(open_page: OpenPage) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    go_to(page, "Photoshoot")
    page.wait_for_timeout(500)
    assert page.locator("#photoshoot_shoot *").count() == 0
    assert not [url for url in asked if SHOOT in url]
    ShootPart(page)
    assert [url for url in asked if url.endswith(SHOOT)]


def test_a_mistake_is_told_at_its_cell_and_nothing_is_lost(part: ShootPart, name: str) -> None:
    part.type(("red bag", "many"), ("shoe", "3"), ("red bag", "1"))
    expect(part.wrong(1)).to_contain_text("The count is 'many'; give a whole number from 1 to 10000.")
    expect(part.cell(1, "count")).to_have_attribute("aria-invalid", "true")
    expect(part.cell(1, "name")).to_have_attribute("aria-invalid", "false")
    notes = part.cell(1, "count").get_attribute("aria-describedby")
    assert part.page.locator(f"#{notes}").inner_text().startswith("The count is")
    part.cell(1, "count").fill("4")
    expect(part.wrong(1)).to_have_count(0)
    expect(part.wrong(3)).to_contain_text(re.compile("stands in (line|row) 1 already"))
    expect(part.part("summary")).to_have_text("3 products, 7 pictures wanted. 1 row needs a correction.")
    part.part("name").fill(name)
    part.click("save")
    expect(part.part("list_status")).to_contain_text("Row 3: the name 'red bag'")
    part.click("first_problem")
    expect(part.cell(3, "name")).to_be_focused()
    part.cell(3, "name").fill("lamp")
    expect(part.part("summary")).to_have_text("3 products, 8 pictures wanted.")
    expect(part.cell(2, "prompt")).to_have_attribute("placeholder", re.compile('"shoe"'))
    expect(part.part("list_state")).to_contain_text("kept in this browser")
    part.reload()
    expect(part.cell(3, "name")).to_have_value("lamp")
    part.part("name").fill(name)
    part.click("save")
    expect(part.part("list_status")).to_have_text(f"The list {name} is saved.")
    expect(part.part("list_state")).to_be_empty()
    part.reload()
    expect(part.part("choice")).to_have_value(name)
    expect(part.cell(1, "count")).to_have_value("4")
    part.cell(2, "count").fill("9")
    expect(part.part("list_state")).to_contain_text("edits that are not saved")
    part.click("discard")
    expect(part.cell(2, "count")).to_have_value("3")


def test_the_table_is_used_like_a_spreadsheet(part: ShootPart) -> None:
    page = part.page
    part.cell(1, "name").focus()
    page.keyboard.type("bag")
    page.keyboard.press("Tab")
    expect(part.cell(1, "count")).to_be_focused()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(part.cell(2, "count")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.type("7")  # a cell that is gone to is typed over
    expect(part.cell(1, "count")).to_have_value("7")
    page.keyboard.press("Escape")
    expect(part.cell(1, "count")).to_have_value("2")
    page.keyboard.press("Control+Enter")
    expect(part.cell(2, "name")).to_have_value("bag")
    part.cell(2, "name").fill("shoe")
    page.keyboard.press("Alt+Shift+ArrowUp")
    expect(part.cell(1, "name")).to_have_value("shoe")
    expect(part.cell(1, "name")).to_be_focused()
    part.cell(1, "scenes").fill("on a table")
    part.click("fill_down")
    expect(part.cell(2, "scenes")).to_have_value("on a table")
    expect(part.cell(3, "name")).to_have_value("")
    part.cell(1, "name").focus()
    page.keyboard.press("Alt+Shift+Delete")
    expect(part.cell(1, "name")).to_have_value("bag")
    expect(part.cell(1, "name")).to_be_focused()
    tab_back = part.part("undo")
    expect(tab_back).to_have_attribute("aria-label", "Undo: delete row 1, shoe")
    tab_back.press("Enter")
    expect(part.cell(1, "name")).to_have_value("shoe")
    part.click("undo")
    expect(part.cell(2, "scenes")).to_have_value("")


def test_cells_are_pasted_and_columns_shown(part: ShootPart) -> None:
    part.paste(1, "name", 'red bag\t4\ton a table | in a street\r\nshoe\t3\t"with ""laces""\nand\ta box"\r\n')
    expect(part.part("table_status")).to_have_text("2 rows pasted.")
    expect(part.cell(1, "scenes")).to_have_value("on a table | in a street")
    expect(part.cell(2, "scenes")).to_have_value('with "laces" and a box')
    part.paste(3, "count", "5\n6\n")
    expect(part.cell(4, "count")).to_have_value("6")
    expect(part.wrong(4)).to_contain_text("The field name is missing")
    expect(part.cell(1, "steps")).to_have_count(0)
    part.paste(3, "name", "Name\tCount\tSteps\nlamp\t2\t9\ncup\t1\t500\n")
    expect(part.cell(3, "steps")).to_have_value("9")
    expect(part.wrong(4)).to_contain_text("The steps is '500'")
    part.part("columns", "summary").click()
    part.part("column_steps").uncheck()
    expect(part.part("columns", "summary")).to_contain_text("1 not shown holds values")
    part.part("column_cfg_scale").check()
    expect(part.cell(1, "cfg_scale")).to_have_attribute("placeholder", "7")
    part.click("undo")
    expect(part.cell(3, "name")).to_have_value("")
    part.reload()
    expect(part.cell(1, "cfg_scale")).to_be_visible()


def test_files_are_imported_and_downloaded(part: ShootPart, name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes("name;count;scenes;steps\nWürfel;2;on a table, with cups | outside;9\nlamp;1;;\n".encode("cp1252"))
    part.part("file").set_input_files(path)
    expect(part.part("list_status")).to_contain_text(f"2 products from {name}.csv")
    expect(part.part("name")).to_have_value(name)
    expect(part.cell(1, "name")).to_have_value("Würfel")
    expect(part.cell(1, "scenes")).to_have_value("on a table, with cups | outside")
    part.click("save")
    with part.page.expect_download() as download:
        part.click("download")
    text = Path(download.value.path()).read_text("utf-8-sig")
    assert "Würfel" in text and "9" in text
    yaml = tmp_path / "list.yaml"
    yaml.write_text("defaults: {count: 3}\nproducts:\n- {name: shoe, exports: [amazon-main]}\n")
    part.part("file").set_input_files(yaml)
    expect(part.cell(1, "count")).to_have_value("3")
    expect(part.part("list_status")).to_contain_text("in place of 2")
    part.click("undo")
    expect(part.cell(1, "name")).to_have_value("Würfel")
    for file, sentence in {"list.xlsx": "neither CSV nor YAML", "bad.csv": "color"}.items():
        (tmp_path / file).write_text("name,count,color\nx,1,red\n")
        part.part("file").set_input_files(tmp_path / file)
        expect(part.part("list_status")).to_contain_text(sentence)
    expect(part.cell(1, "name")).to_have_value("Würfel")


def test_a_shoot_is_started_watched_stopped_and_gone_on_with(
    part: ShootPart, webui: WebUi, name: str, shared_data: Path
) -> None:
    page = part.page
    saved(webui, name, PRODUCTS)
    part.reload()
    part.part("choice").select_option(name)
    expect(part.cell(2, "name")).to_have_value("Schuh <b>")
    with painting(webui.url, shared_data / "filter_inputs") as url:
        part.part("own").uncheck()
        part.part("webuis").fill(url)
        part.click("start")
        part.state("Shooting")
        expect(part.cell(1, "count")).not_to_be_editable()
        expect(part.pictures.first).to_be_visible(timeout=SHOOTING_MS)
        part.click("stop")
        part.state("Stopped|All pictures")
        page.reload(wait_until="domcontentloaded")
        page.wait_for_function(test_page.READY)
        part.show()
        expect(part.part("choice")).to_have_value(name)
        part.click("start")
        part.state("All pictures are there")
    expect(part.figure("Accepted")).to_have_text("4 of 4")
    expect(part.figure("Rejected")).to_have_text("1")
    expect(part.row(1, ".photoshoot-shoot-count")).to_have_text("2 / 2")
    expect(part.row(2, ".photoshoot-shoot-live small")).to_have_text("1 rejected")
    expect(part.row(2, ".photoshoot-shoot-thumbnails img")).to_have_count(3)
    expect(part.pictures).to_have_count(5)
    part.row(2, ".photoshoot-shoot-count").click()
    expect(part.pictures).to_have_count(3)
    image = part.pictures.first.locator("img")
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0
    part.part("product").select_option("red bag")
    expect(part.pictures).to_have_count(2)
    part.pictures.first.get_by_role("button", name="Reject red bag, seed 2").click()
    expect(part.row(1, ".photoshoot-shoot-count")).to_have_text("1 / 2")
    expect(part.pictures.first).to_contain_text("rejected by hand")
    part.state("Stopped")
    part.pictures.first.get_by_role("button", name="Accept red bag, seed 2").click()
    expect(part.pictures.first).not_to_contain_text("by hand")
    part.state("All pictures are there")
    part.cell(1, "scenes").fill("in a street")
    part.click("save")
    expect(part.part("list_status")).to_contain_text("has pictures that were made with other values")
    part.click("discard")
    part.part("product").select_option("Schuh <b>")
    with page.expect_popup() as opened:
        part.pictures.first.locator("a").click()
    opened.value.wait_for_load_state()
    assert opened.value.url.endswith("/report.html#Schuh%20%3Cb%3E/5")
    assert "Schuh" in opened.value.content()
    opened.value.close()


def test_this_webui_shoots_and_what_the_filter_rejects_can_be_accepted(
    part: ShootPart, webui: WebUi, name: str
) -> None:
    part.type(("bag", "1"), ("shoe", "1"))
    part.part("columns", "summary").click()
    for field, text in SMALL.items():
        if field != "preset":
            part.part(f"column_{field}").check()
        for number in (1, 2):
            part.cell(number, field).fill(text)
    part.part("name").fill(name)
    part.part("tries").fill("1")
    part.click("start")
    part.state("Ended, but pictures are missing")
    assert [product["rejected"] for product in webui.call(address(name))["products"]] == [1, 1]
    expect(part.part("run_message")).to_contain_text("0 of 2 pictures accepted after 2 tries.")
    expect(part.row(1, ".photoshoot-shoot-count")).to_have_text("0 / 1")
    part.page.get_by_role("button", name="Accept shoe, seed 1").click()
    expect(part.row(2, ".photoshoot-shoot-count")).to_have_text("1 / 1")
    expect(part.figure("Accepted")).to_have_text("1 of 2")
    expect(part.part("start")).to_have_text("Go on")


def test_what_this_webui_makes_is_what_its_api_makes_and_is_finished(
    part: ShootPart, webui: WebUi, name: str, shared_data: Path
) -> None:
    painted = f"paint({shared_data / 'filter_inputs' / 'handbag.png'})"
    row = {"name": "red bag", "class": "handbag", "count": "2", "negative_prompt": painted, "exports": "etsy"} | PAINTED
    saved(webui, name, [row])
    part.reload()
    part.part("choice").select_option(name)
    part.part("own").check()
    part.part("webuis").fill("")
    part.click("start")
    part.state("All pictures are there")
    (product,) = read_products([Row(row, 1)])
    assert isinstance(product, ListedProduct)
    for shot in webui.call(address(name))["shots"]:
        with urlopen(f"{webui.url}{address(name)}/{quote(shot['file'])}") as answer:
            mine = answer.read()
        assert mine == HttpWebUi(webui.url).shoot(product.shot(shot["number"])).picture.data
    part.click("finish")
    finished = part.part("finished", "section")
    expect(finished).to_contain_text("2 accepted pictures", timeout=SHOOTING_MS)
    expect(finished).to_contain_text("etsy")
    picture = finished.locator("img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 256
    expect(part.part("finish")).to_be_visible()
    expect(part.part("finish_status")).to_be_empty()


def test_a_thousand_rows_stay_usable(part: ShootPart) -> None:
    rows = "\n".join(f"product {number}\t{number % 7 + 1}\ton a table" for number in range(1, MANY + 1))
    part.paste(1, "name", rows)
    expect(part.part("summary")).to_contain_text(f"{MANY:,} products")
    built = part.page.locator("#photoshoot_shoot_table [data-field=name]").count()
    assert built < 100, "rows that are not seen have no cells"
    part.row(MANY).scroll_into_view_if_needed()
    expect(part.cell(MANY, "name")).to_have_value(f"product {MANY}")
    part.cell(MANY, "count").fill("none")
    expect(part.wrong(MANY)).to_contain_text("The count is 'none'")
    part.reload()
    assert json.loads(part.page.evaluate("localStorage.photoshoot_shoot"))["drafts"][""][MANY - 1]["count"] == "none"


def test_the_table_is_reached_by_keyboard(part: ShootPart) -> None:
    part.part("choice").focus()
    for target in (part.part("name"), part.part("import"), part.cell(1, "name"), part.part("start")):
        tab_until(part.page, target)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_and_everything_has_a_name(open_page: OpenPage, theme: str) -> None:
    part = ShootPart(open_page(f"?__theme={theme}"))
    part.type(("red bag", "many"))
    expect(part.wrong(1)).to_contain_text("The count is")
    part.part("columns", "summary").click()
    # The button that stands out has the host's colours.
    part.page.evaluate("document.querySelectorAll('.photoshoot-page-primary').forEach(one => one.remove())")
    contrast, text = part.root.evaluate(CONTRAST)
    assert 4.5 <= contrast < 21, f"{text!r} in {theme}"
    assert part.root.evaluate(UNNAMED) == []
