"""The editor of outlines in Chromium: clicks, boxes, strokes and keys, saving, and everything that goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from tests.correction.test_fixing import Fixed, out, photos
from tests.e2e.test_page import CHROMIUM, CONTRAST
from tests.shoot.test_report_page import UNNAMED, OpenPage, browser, open_page, press

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page", "out", "photos"]

WIDTH, HEIGHT = 80, 60
MARGIN = 12
"""Pixels of the page around a picture that fits, where there is room."""


class Editor:
    """The editor of one page; places are pixels of the picture."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        page.locator(".card").filter(has=page.locator(".product", has_text=name)).locator(".open").click()
        press(page, "f")
        self.ready()

    def ready(self) -> None:
        """Wait for the outlines."""
        expect(self.one("#fix-hint")).not_to_contain_text("on their way")

    def one(self, selector: str, **options: Any) -> Locator:
        return self.page.locator(f"#fixer {selector}", **options)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the picture is in the page, while the whole picture is shown."""
        box = self.one(".easel").bounding_box()
        assert box
        margin = MARGIN if min(box["width"], box["height"]) > 20 * MARGIN else 0
        scale = min((box["width"] - 2 * margin) / WIDTH, (box["height"] - 2 * margin) / HEIGHT)
        left, top = box["x"] + (box["width"] - WIDTH * scale) / 2, box["y"] + (box["height"] - HEIGHT * scale) / 2
        return left + x * scale, top + y * scale

    def click(self, x: float, y: float, **options: Any) -> None:
        self.page.mouse.click(*self.at(x, y), **options)
        self.settled()

    def drag(self, *places: tuple[float, float], **options: Any) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down(**options)
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=4)
        self.page.mouse.up(**options)
        self.settled()

    def settled(self) -> None:
        """Wait until what was asked is answered."""
        expect(self.one(".easel")).to_have_attribute("aria-busy", "false")

    def words(self) -> list[str]:
        return [" ".join(text.split()) for text in self.one(".regions button").all_inner_texts()]

    def save(self) -> None:
        press(self.page, "Control+s")
        self.saved()

    def saved(self) -> None:
        expect(self.page.locator("#status")).to_contain_text("saved")


def mask_in(out: Path, name: str, number: int) -> np.ndarray:
    """The mask of a region that stands in the run's ledger now; what is solid in it, bool (height, width)."""
    (record,) = [one for one in current_records(out / LEDGER_NAME) if Path(one.file).stem == name]
    return np.asarray(Image.open(out / record.entry["regions"][number]["mask"])) > 127


def drawn_in(out: Path, name: str, number: int) -> np.ndarray:
    """The same region as it was drawn: its edge may lie where the picture has one."""
    (record,) = [one for one in current_records(out / LEDGER_NAME) if Path(one.file).stem == name]
    return np.asarray(Image.open(out / record.entry["regions"][number]["correction"])) > 127


def products_in(out: Path, name: str) -> list[str]:
    (record,) = [one for one in current_records(out / LEDGER_NAME) if Path(one.file).stem == name]
    return [region["product"] for region in record.entry["regions"]]


def last_with_outline(served: Fixed) -> list[Any]:
    """The clicks of the last question about an outline so far; one for what else is meant may be newer."""
    return [points for _, points, prior in served.segmenter.asked if prior][-1]


@pytest.fixture
def served(out: Path) -> Iterator[Fixed]:
    one = Fixed(out)
    yield one
    one.close()


@pytest.fixture
def page(served: Fixed, open_page: OpenPage) -> Page:
    page = open_page(served.server.address)
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def test_clicks_add_and_remove_and_are_undone(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    assert editor.words() == ["1 lamp", "2 lamp"]
    editor.click(60, 10)
    editor.click(15, 15, button="right")
    page.keyboard.down("Alt")
    editor.click(10.5, 50)
    page.keyboard.up("Alt")
    points, expected = last_with_outline(served), [(60, 10, True), (15, 15, False), (10.5, 50, False)]
    assert [point[2] for point in points] == [one[2] for one in expected]
    assert np.allclose([point[:2] for point in points], [one[:2] for one in expected], atol=0.2)
    assert editor.words() == ["1 lamp changed", "2 lamp"]
    press(page, "Control+z", "Control+z")
    editor.settled()
    press(page, "Control+Shift+z", "Control+z", "Control+z")
    assert editor.words() == ["1 lamp", "2 lamp"] and editor.one(".save").is_disabled()
    press(page, "Control+y")
    editor.save()
    expect(editor.one(".regions button").first).to_contain_text("by hand")
    assert mask_in(served.out, "two", 0)[10, 60]
    press(page, "Escape")
    expect(page.locator("#viewer .info")).to_contain_text("two")
    expect(page.locator(".pane .full")).to_have_attribute("src", re.compile("by-hand"))


def test_a_missing_product_is_drawn_and_saved_on_the_way_to_the_next(page: Page, served: Fixed) -> None:
    editor = Editor(page, "none")
    expect(editor.one("#fix-hint")).to_contain_text("Drag a box around the product, or click on it.")
    editor.drag((50, 40), (10, 10))
    assert editor.words() == ["1 lamp new"]
    editor.one("#fix-word").fill("lampshade")
    press(page, "Enter", "Delete", "Control+z")
    editor.one("#fix-word").fill("lamp")
    press(page, "Enter")
    press(page, "PageDown")
    expect(editor.one("#fix-name")).to_have_text("two")
    editor.ready()
    editor.saved()
    assert products_in(served.out, "none") == ["lamp"] and mask_in(served.out, "none", 0)[25, 30]
    press(page, "2", "Delete", "Escape")  # closing saves too
    expect(page.locator("#status")).to_contain_text("saved")
    assert products_in(served.out, "two") == ["lamp"] and mask_in(served.out, "two", 0)[15, 15]
    expect(page.locator("#fixer")).to_be_hidden()


def test_brush_and_eraser(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "2", "b", "]", "]", "[", ".", ",")
    editor.drag((50, 50), (50, 56))
    press(page, "e")
    editor.drag((40, 30), (70, 30))
    assert served.segmenter.asked == []
    press(page, "w")
    editor.click(2, 2)  # goes on from what was painted
    assert served.segmenter.asked[0][2]
    press(page, "Control+z")
    editor.save()
    mask = drawn_in(served.out, "two", 1)
    assert mask[54, 50] and not mask[30, 55] and mask[24, 55] and mask_in(served.out, "two", 0)[15, 15]


def test_keys_alone(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "Enter", *["Shift+ArrowUp"] * 4, "ArrowRight", "Enter")
    editor.settled()
    press(page, "ArrowLeft", "Alt+Enter")
    editor.settled()
    press(page, "Backspace")
    editor.settled()
    signs = [inside for *_, inside in last_with_outline(served)]
    assert signs == [True, False, False]
    press(page, "n", "Enter", "m", *["Shift+ArrowDown"] * 3, *["Shift+ArrowLeft"] * 3, "m")
    editor.settled()
    box = served.segmenter.asked[-1][0]
    assert box and box[2] - box[0] > 5 and editor.words()[-1] == "3 lamp new"
    press(page, "b", "Enter", "Shift+ArrowRight", "Enter", "v")
    assert editor.one(".ground[aria-pressed=true]").inner_text() == "White"
    page.keyboard.down("c")
    expect(editor.one(".compare")).to_have_attribute("aria-pressed", "true")
    page.keyboard.up("c")
    expect(editor.one(".compare")).to_have_attribute("aria-pressed", "false")
    reached = set()
    for _ in range(40):
        press(page, "Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.value || ''"))
    wanted = {"next", "undo", "out", "in", "fit", "pixels", "discard", "save", "close", "keys", "click", "brush"}
    assert wanted | {"eraser", "hand", "outline", "white", "checks", "loud", "add", "remove"} <= reached


def test_the_latest_answer_counts(page: Page, served: Fixed) -> None:
    editor, asked = Editor(page, "two"), []

    def hold(route: Route) -> None:
        question = json.loads(route.request.post_data or "")
        if question["part"] == "likely":
            asked.append(question["steps"])
        if len(asked) > 1:
            route.continue_()

    page.route("**/fix/outline", hold)
    page.mouse.click(*editor.at(60, 10))
    expect(editor.one(".busy")).to_be_visible()
    page.mouse.click(*editor.at(10, 50))
    expect(editor.one(".busy")).to_be_hidden()
    expect(editor.one(".easel")).to_have_attribute("aria-busy", "false")
    assert [len(steps) for steps in asked] == [1, 2]
    press(page, "Control+z")  # its answer was dropped, so it is asked again
    editor.settled()
    assert [len(steps) for steps in asked] == [1, 2, 1]
    press(page, "Control+y")  # this one is known
    editor.settled()
    assert len(asked) == 3


class Chips:
    """Holds the questions for what else a step may mean; ``go`` lets them through, or fails them."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        page.route("**/fix/outline", self._hold)

    def _hold(self, route: Route) -> None:
        if json.loads(route.request.post_data or "")["part"] == "others":
            self.held.append(route)
        else:
            route.continue_()

    def wait(self, count: int, page: Page) -> None:
        for _ in range(200):
            if len(self.held) >= count:
                return
            page.wait_for_timeout(50)
        pytest.fail(f"{len(self.held)} of {count} questions came")


MASK = """JSON.stringify(Object.keys(localStorage).filter(key => key.includes(" fix ")).map(
    key => JSON.parse(localStorage[key]).map(region => region.mask)))"""


def test_the_outline_is_there_before_what_else_was_meant_and_stays_as_it_is(page: Page) -> None:
    editor, chips = Editor(page, "two"), Chips(page)
    press(page, "1", "d")
    editor.drag((45, 35), (65, 35))  # settled, though what else it may mean is not known
    answers, mask = editor.one(".preview").first, page.evaluate(MASK)
    assert editor.words()[0] == "1 lamp changed" and not answers.is_visible()
    press(page, "]")
    expect(editor.one("#fix-hint")).to_have_text("What else it may mean is on its way.")
    chips.wait(1, page)
    chips.held[0].continue_()
    expect(answers).to_be_visible()
    assert page.evaluate(MASK) == mask
    press(page, "]")
    assert page.evaluate(MASK) != mask
    press(page, "[")
    assert page.evaluate(MASK) == mask


def test_chips_that_come_late_change_nothing_after_undo_and_are_asked_for_again(page: Page) -> None:
    editor, chips = Editor(page, "two"), Chips(page)
    first = page.evaluate(MASK)
    press(page, "1", "d")
    editor.drag((45, 35), (65, 35))
    changed = page.evaluate(MASK)
    chips.wait(1, page)
    press(page, "Control+z")
    chips.held[0].continue_()
    page.wait_for_timeout(300)
    assert page.evaluate(MASK) == first and not editor.one(".preview").count()
    press(page, "Control+y")
    chips.wait(2, page)
    assert page.evaluate(MASK) == changed
    chips.held[1].continue_()
    expect(editor.one(".preview").first).to_be_visible()
    assert page.evaluate(MASK) == changed


def test_a_server_that_ends_between_outline_and_chips_takes_nothing_away(page: Page, served: Fixed) -> None:
    editor, chips = Editor(page, "two"), Chips(page)
    editor.click(60, 10)
    mask = page.evaluate(MASK)
    chips.wait(1, page)
    chips.held[0].abort()
    bar = editor.one(".unfixed")
    expect(bar).to_contain_text("does not answer")
    assert page.evaluate(MASK) == mask and editor.words()[0] == "1 lamp changed"
    bar.locator(".again").click()
    chips.wait(2, page)
    chips.held[1].continue_()
    expect(bar).to_be_hidden()
    editor.save()
    assert mask_in(served.out, "two", 0)[10, 60]


@pytest.mark.parametrize("way", ["dead", "refused"])
def test_what_cannot_be_saved_is_kept_and_tried_again(page: Page, served: Fixed, way: str) -> None:
    def fail(route: Route) -> None:
        if way == "dead":
            route.abort()
        else:
            route.fulfill(status=409, json={"error": "The disk is full; make room."})

    editor = Editor(page, "two")
    page.route("**/fix/*", fail)
    page.mouse.click(*editor.at(60, 10))
    why = "does not answer" if way == "dead" else "The disk is full; make room."
    expect(editor.one(".unfixed")).to_contain_text(why)
    press(page, "b")
    editor.drag((50, 50), (50, 56))
    press(page, "PageUp")
    expect(editor.one("#fix-name")).to_have_text("none")
    expect(editor.one(".unfixed")).to_contain_text(f"two: {'The server ' if way == 'dead' else ''}{why}")
    press(page, "Escape", "Escape")
    expect(page.locator("#bars .unfixed")).to_contain_text(why)
    page.reload()  # as after a crash: what was done is still there
    bar = page.locator("#bars .unfixed")
    expect(bar).to_contain_text("1 picture were changed and never saved: two")
    page.unroute("**/fix/*")
    bar.locator(".look").click()
    expect(editor.one("#fix-hint")).to_have_text("What you changed here and did not save is back.")
    assert editor.words() == ["1 lamp changed", "2 lamp"]
    page.route("**/fix/save", fail)
    press(page, "Control+s")
    expect(editor.one(".unfixed")).to_contain_text(why)
    page.unroute("**/fix/save")
    editor.one(".unfixed .again").click()
    editor.saved()
    expect(editor.one(".unfixed")).to_be_hidden()
    assert drawn_in(served.out, "two", 0)[54, 50]
    assert page.evaluate("Object.keys(localStorage).filter(key => key.includes(' fix ')).length") == 0


def test_a_picture_that_vanished_is_told(page: Page, photos: Path) -> None:
    (photos / "two.png").unlink()
    page.locator(".card").filter(has=page.locator(".product", has_text="two")).locator(".open").click()
    press(page, "f")
    expect(page.locator("#fixer .gone")).to_contain_text("two.png")


def test_outlines_that_were_changed_elsewhere(page: Page, served: Fixed, photos: Path) -> None:
    editor = Editor(page, "two")
    press(page, "b")
    editor.drag((50, 50), (50, 56))
    assert served.save(photos / "two.png", {"region": 1, "remove": True})[0] == 200
    page.wait_for_function("() => !document.querySelectorAll('#viewer .views button')[6]")  # told by the live page
    press(page, "Control+s")
    expect(editor.one("#fix-hint")).to_have_text(
        "The outlines were changed elsewhere meanwhile; your changes are laid over them."
    )
    assert editor.words() == ["1 lamp changed"]
    editor.save()
    assert products_in(served.out, "two") == ["lamp"] and drawn_in(served.out, "two", 0)[54, 50]


def test_zoom_and_fingers(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    shown = editor.one(".percent")
    whole = shown.inner_text()
    page.mouse.move(*editor.at(20, 20))
    page.mouse.wheel(0, -500)
    expect(shown).not_to_have_text(whole)
    before = editor.one(".full").get_attribute("style")
    page.mouse.down(button="middle")
    page.mouse.move(*editor.at(30, 30))
    page.mouse.up(button="middle")
    expect(editor.one(".full")).not_to_have_attribute("style", str(before))
    press(page, "0")
    expect(shown).to_have_text(whole)
    press(page, "z")
    expect(shown).to_have_text("100 %")
    press(page, "z")
    expect(shown).to_have_text(whole)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(editor.at(*one) for one in places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (20, 20), (30, 20))
    fingers("touchMove", (10, 20), (40, 20))
    fingers("touchEnd")
    expect(shown).not_to_have_text(whole)
    assert not served.segmenter.asked and editor.words() == ["1 lamp", "2 lamp"]
    press(page, "f")
    editor.one(".sign[value=remove]").click()
    fingers("touchStart", (15, 15))
    fingers("touchEnd")
    editor.settled()
    assert [inside for *_, inside in last_with_outline(served)[-1:]] == [False]


def test_after_a_save_the_region_stays_chosen_and_the_next_picture_opens_with_click_or_draw(page: Page) -> None:
    editor = Editor(page, "none")
    editor.drag((10, 10), (30, 30))
    press(page, "PageDown")
    editor.saved()
    editor.ready()
    chosen, tool = editor.one(".regions [aria-pressed=true]"), editor.one(".tool[aria-pressed=true]")
    press(page, "2", "x", "e", "v")
    editor.drag((50, 44), (60, 44))
    editor.save()
    expect(chosen).to_have_text("2 lamp by hand")
    expect(tool).to_have_text("Eraser")
    press(page, "n", "Enter")
    expect(tool).to_have_text("Click")
    expect(chosen).to_contain_text("new")
    press(page, "e", "PageUp")
    expect(editor.one("#fix-name")).to_have_text("none")
    expect(tool).to_have_text("Click")
    expect(editor.one(".sign[aria-pressed=true]")).to_have_text("+ Add")
    expect(editor.one(".ground[aria-pressed=true]")).to_have_text("White")
    press(page, "d", "PageDown")
    expect(editor.one("#fix-name")).not_to_have_text("none")
    expect(tool).to_have_text("Draw")  # who draws goes on drawing


def test_what_is_not_done_is_said_where_it_is_seen(page: Page) -> None:
    editor, held, hint = Editor(page, "two"), [], page.locator("#fixer #fix-hint")
    editor.click(15, 15)  # it is in the product already
    expect(hint).to_contain_text("That changed nothing; draw around the part (D), or paint with the brush (B).")
    editor.click(60, 10)
    expect(hint).not_to_contain_text("changed nothing")
    page.route("**/fix/save", lambda route: held.append(route))
    with page.expect_request("**/fix/save"):
        press(page, "Control+s")
    expect(hint).to_contain_text("Saving")
    held[0].continue_()
    editor.saved()
    expect(hint).to_contain_text("A click adds to lamp")


def test_one_goes_on_while_the_picture_is_being_saved(page: Page, served: Fixed) -> None:
    editor, held = Editor(page, "two"), []
    editor.click(60, 10)
    page.route("**/fix/save", lambda route: held.append(route), times=1)
    with page.expect_request("**/fix/save"):
        press(page, "Control+s")
    press(page, "p", "b")
    page.mouse.move(*editor.at(50, 54))
    page.mouse.down()
    page.mouse.up()
    press(page, "w")
    page.mouse.click(*editor.at(10, 50))  # goes on from what is painted
    held[0].continue_()
    editor.saved()
    expect(editor.one(".regions button").first).to_have_text("1 lamp by hand")
    expect(editor.one(".regions button").nth(1)).to_have_text("2 lamp changed")
    assert mask_in(served.out, "two", 0)[10, 60] and products_in(served.out, "two") == ["lamp", "lamp"]
    press(page, "Control+s")
    expect(editor.one(".regions button").nth(1)).to_have_text("2 lamp by hand")
    drawn = drawn_in(served.out, "two", 1)
    assert drawn[54, 50] and drawn[50, 10] and drawn[24, 55]
    # Both were given the even ground: it is the one's that was corrected last.
    assert mask_in(served.out, "two", 1)[10, 60] and not mask_in(served.out, "two", 0)[10, 60]


def ring(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Places of a circle that comes back to its beginning."""
    return [(x + radius * np.cos(at / 4), y + radius * np.sin(at / 4)) for at in range(26)]


def test_a_line_around_a_part_adds_it_and_with_alt_takes_it_away(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "1", "d")
    expect(editor.one("#fix-hint")).to_contain_text("Draw around a part of lamp, or along it")
    editor.drag(*ring(55, 35, 18))  # around the other lamp, roughly
    names = editor.one(".answers button span")
    expect(names.first).to_be_visible()
    assert "Only this" in names.all_inner_texts() and editor.words()[0] == "1 lamp changed"
    editor.one(".answers button", has_text="Only this").click()
    expect(editor.one(".answers [aria-pressed=true] span")).to_have_text("Only this")
    page.keyboard.down("Alt")
    editor.drag(*ring(55, 35, 6))
    page.keyboard.up("Alt")
    editor.save()
    drawn = drawn_in(served.out, "two", 0)
    assert drawn[25, 45] and not drawn[35, 55] and not drawn[15, 15] and not drawn[10, 60]


def test_a_line_along_a_part_and_what_else_it_may_have_meant(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "1", "d")
    editor.drag((45, 35), (65, 35))
    answers, chosen = editor.one(".answers button"), editor.one(".answers [aria-pressed=true]")
    expect(answers.last).to_be_visible()
    count, at = answers.count(), answers.all_inner_texts().index(chosen.inner_text())
    assert count > 1
    press(page, "]")
    expect(answers.nth((at + 1) % count)).to_have_attribute("aria-pressed", "true")
    press(page, "[", "[")
    expect(answers.nth((at - 1) % count)).to_have_attribute("aria-pressed", "true")
    page.mouse.move(*editor.at(60, 10))
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Shift")
    expect(answers.nth(at)).to_have_attribute("aria-pressed", "true")
    expect(editor.one("#fix-hint")).to_contain_text(f"{at + 1} of {count}")
    press(page, "Control+z")  # all of it was one step
    assert editor.words()[0] == "1 lamp" and editor.one(".answers button").count() == 0


def test_lines_by_keys_alone(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "1", "d", "Enter", "Enter", *["Shift+ArrowLeft"] * 3, "Enter")
    editor.settled()
    assert len(served.segmenter.asked[-1][1]) >= 4 and editor.words()[0] == "1 lamp changed"


def test_markers_are_seen_on_every_ground_and_the_ring_without_a_pointer(page: Page) -> None:
    seen = """([x, y, red, green, blue]) => {
        const canvas = document.querySelector("#fixer canvas"), box = canvas.getBoundingClientRect();
        const there = canvas.getContext("2d").getImageData(x - box.x - 8, y - box.y - 8, 16, 16).data;
        for (let at = 0; at < there.length; at += 4)
            if (Math.hypot(there[at] - red, there[at + 1] - green, there[at + 2] - blue) < 12) return true;
        return false;
    }"""
    editor = Editor(page, "two")
    editor.click(60, 10)
    for key in ("v", "v", "v"):
        press(page, key)
        page.wait_for_function(seen, arg=[*editor.at(60, 10), 11, 122, 92])
    press(page, "v")
    page.mouse.move(0, 0)
    box = editor.one(".easel").bounding_box()
    assert box
    press(page, "b", "]")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(seen, arg=[middle[0] + 17, middle[1], 255, 255, 255])


def test_f_in_the_overview_waits_until_a_picture_is_chosen(page: Page) -> None:
    expect(page.locator(".card").first).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    press(page, "f")
    expect(page.locator("#fixer")).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("F again fixes its outline")
    press(page, "f")
    expect(page.locator("#fixer")).to_be_visible()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_what_a_click_changed_is_tinted_for_a_moment(page: Page, motion: Any) -> None:
    page.emulate_media(reduced_motion=motion)
    editor = Editor(page, "two")
    page.evaluate("performance.now = () => 1000")  # the moment stands still
    tinted = """([x, y, wanted]) => {
        const canvas = document.querySelector("#fixer canvas"), box = canvas.getBoundingClientRect();
        const [red, green, , solid] = canvas.getContext("2d").getImageData(x - box.x, y - box.y, 1, 1).data;
        return (solid > 90 && green > 180 && red < 80) === wanted;
    }"""
    editor.click(60, 10)
    page.wait_for_function(tinted, arg=[*editor.at(65, 5), True])
    page.evaluate("performance.now = () => 1601")
    page.wait_for_function(tinted, arg=[*editor.at(65, 5), False])


def test_the_page_behind_does_not_scroll_and_the_frame_hides_no_pixel(page: Page) -> None:
    page.set_viewport_size({"width": 500, "height": 400})
    over = "getComputedStyle(document.documentElement).overflowY"
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight") and page.evaluate(over) == "visible"
    editor = Editor(page, "two")
    for place in ("#fixer .top", "#viewer .top"):
        assert page.evaluate(over) == "hidden"
        box = page.locator(place).bounding_box()
        assert box and box["width"] == 500
        if place.startswith("#fixer"):
            easel = editor.one(".easel")
            assert (
                easel.evaluate("node => node.matches(':focus') && getComputedStyle(node, '::after').content") == "none"
            )
            shown = easel.evaluate("node => [node.getBoundingClientRect().x, getComputedStyle(node).outlineWidth]")
            assert shown == [2, "2px"]
        press(page, "Escape")
    assert page.evaluate(over) == "visible"


def test_outlines_by_hand_are_counted_and_have_no_score(page: Page) -> None:
    count = page.locator("nav [data-show=hand] span")
    expect(count).to_have_text("0")
    editor = Editor(page, "none")
    editor.drag((10, 10), (30, 30))
    press(page, "PageDown")
    editor.saved()
    press(page, "2", "Delete")
    editor.save()
    press(page, "Escape", "Escape")
    expect(count).to_have_text("2")  # one that was drawn, and one that was removed
    card = page.locator(".card").filter(has=page.locator(".product", has_text="none"))
    expect(card.locator(".score")).to_have_text("lamp by hand")
    expect(card.locator(".open")).not_to_have_attribute("aria-label", re.compile("score"))
    card.locator(".open").click()
    expect(page.locator(".pane .more")).to_contain_text("lamp by hand")
    expect(page.locator(".pane .more")).not_to_contain_text("score")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everything_has_a_name_and_can_be_read(page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    editor = Editor(page, "two")
    press(page, "d")
    editor.drag((45, 35), (65, 35))
    for keys in ((), ("n",), ("b",), ("v", "1", "Delete"), ("?",)):
        if not keys:
            expect(editor.one(".answers button").first).to_be_visible()
        press(page, *keys)
        assert page.evaluate(UNNAMED) == []
        contrast, text = page.evaluate_handle("document.querySelector('#fixer')").evaluate(CONTRAST)
        assert contrast >= 4.5, text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, "Escape")
    assert editor.one(".easel").bounding_box()["height"] > 350  # type: ignore[index]
