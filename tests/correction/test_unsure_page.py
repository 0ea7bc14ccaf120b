"""Places of an outline that may be otherwise, marked and changed in the editor, in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.correction.test_fix_page import Editor, drawn_in
from tests.correction.test_fixing import Fixed, photos
from tests.correction.test_seen import out, served
from tests.e2e.test_page import CHROMIUM
from tests.shoot.test_report_page import OpenPage, browser, open_page, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page", "out", "photos", "served"]

GREEN = """() => {
  const canvas = document.querySelector("#fixer canvas"), { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, , alpha] = data.slice(at, at + 4);
    if (alpha > 60 && green > 150 && green > red + 60) count++;
  }
  return count;
}"""


def wait_for_green(page: Page, wanted: bool) -> None:
    """Wait until places are marked in green, or are no more; the page's own policy lets no script wait for it."""
    for _ in range(50):
        if (page.evaluate(GREEN) > 20) is wanted:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"green is {'not ' * wanted}there")


@pytest.fixture
def page(served: Fixed, open_page: OpenPage) -> Page:
    return open_page(served.server.address)


def test_a_place_that_may_be_otherwise_is_marked_and_changed_by_its_number(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "e")
    editor.drag((22, 22), (24, 24))  # a corner of the first one is gone; its box is as before
    press(page, "w", "u")
    expect(editor.one(".previews button")).to_have_count(2)
    expect(editor.one(".answers > p").first).to_have_text("Where it may be otherwise:")
    expect(editor.one("#fix-hint")).to_contain_text("see 1 place otherwise")
    wait_for_green(page, True)
    page.keyboard.down("c")
    wait_for_green(page, False)  # the bare photo
    page.keyboard.up("c")
    press(page, "2")
    expect(editor.one("#fix-hint")).to_contain_text("1 of 1 place changed")
    editor.save()
    assert drawn_in(served.out, "two", 0)[5:25, 5:25].all()


def test_places_add_up_and_each_is_taken_back(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "e")
    editor.drag((9, 9), (11, 11))
    editor.drag((18, 18), (21, 21))  # two holes
    press(page, "w", "u")
    previews = editor.one(".previews button")
    expect(previews).to_have_count(3)
    press(page, "2", "3")
    expect(editor.one("#fix-hint")).to_contain_text("2 of 2 places changed")
    assert [one.get_attribute("aria-pressed") for one in previews.all()] == ["false", "true", "true"]
    press(page, "2")
    expect(editor.one("#fix-hint")).to_contain_text("1 of 2 places changed")
    press(page, "Control+z")
    expect(editor.one("#fix-hint")).to_contain_text("2 of 2 places changed")
    press(page, "1")
    expect(editor.one("#fix-hint")).to_contain_text("see 2 places otherwise")
    press(page, "2", "3", "Escape")
    expect(previews).to_have_count(0)
    editor.save()
    assert drawn_in(served.out, "two", 0)[5:25, 5:25].all()


def test_escape_leaves_the_places_and_then_the_editor(page: Page) -> None:
    editor = Editor(page, "two")
    press(page, "u")
    expect(editor.one("#fix-hint")).to_contain_text("as it is outlined")
    press(page, "Escape")
    expect(editor.one("#fix-hint")).to_contain_text("It is to check")
    expect(editor.one(".save")).to_be_disabled()
    press(page, "Escape")
    expect(page.locator("#fixer")).to_be_hidden()


def test_who_only_asks_changes_nothing(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    editor.one("button[name=unsure]").click()
    expect(editor.one("#fix-hint")).to_contain_text("see it as it is outlined")
    assert editor.words() == ["1 lamp to check", "2 lamp to check"]
    expect(editor.one(".save")).to_be_disabled()
    press(page, "y")
    assert editor.words() == ["1 lamp right", "2 lamp to check"]
    editor.save()
    with pytest.raises(KeyError):
        drawn_in(served.out, "two", 0)  # nobody drew it


def test_of_a_new_product_there_is_nothing_to_ask(page: Page) -> None:
    editor = Editor(page, "none")
    expect(editor.one("img.full")).to_be_visible()
    press(page, "u")
    expect(editor.one("#fix-hint")).to_contain_text("no outline yet")
