"""Joining two outlines of one thing in the editor, and what is said of outlines that overlapped, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.correction.test_fix_page import Editor, drawn_in, products_in
from tests.correction.test_fixing import Fixed, out, photos
from tests.e2e.test_page import CHROMIUM
from tests.shoot.test_report_page import OpenPage, browser, open_page, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page", "out", "photos"]


@pytest.fixture
def served(out: Path) -> Iterator[Fixed]:
    one = Fixed(out)
    yield one
    one.close()


@pytest.fixture
def page(served: Fixed, open_page: OpenPage) -> Page:
    return open_page(served.server.address)


def test_two_outlines_of_one_thing_are_joined(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "j")
    assert editor.words() == ["1 lamp changed", "2 lamp removed"]
    expect(editor.one(".join")).to_be_hidden()
    press(page, "Control+z")
    assert editor.words() == ["1 lamp", "2 lamp"]
    editor.one("button[name=join]").click()
    editor.save()
    expect(editor.one(".regions button")).to_have_text(["1 lamp by hand"])
    assert products_in(served.out, "two") == ["lamp"]
    drawn = drawn_in(served.out, "two", 0)
    assert drawn[15, 15] and drawn[35, 55] and not drawn[15, 55]


def test_of_three_the_other_one_is_chosen(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "n", "Enter")
    editor.drag((60, 2), (78, 15))
    press(page, "Shift+P")
    press(page, "j")
    expect(editor.one("#fix-hint")).to_contain_text("what is one thing with lamp")
    expect(editor.one(".join")).to_have_attribute("aria-pressed", "true")
    press(page, "2")
    expect(editor.one("#fix-hint")).to_contain_text("no other outline")
    press(page, "j")
    press(page, "3")
    assert [word.split()[0] for word in editor.words()] == ["1", "2"]
    editor.save()
    drawn = drawn_in(served.out, "two", 1)
    assert drawn[8, 70] and drawn[35, 55] and len(products_in(served.out, "two")) == 2


def test_an_outline_that_grew_into_another_is_told(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "b")
    editor.one(".size input").fill("200")
    editor.drag((20, 20), (50, 40))
    editor.save()
    expect(editor.one("#fix-hint")).to_contain_text("it was corrected last")
