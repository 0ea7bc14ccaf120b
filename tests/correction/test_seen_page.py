"""Saying in the editor that a doubtful outline is right, in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.correction.test_fix_page import Editor
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


@pytest.fixture
def page(served: Fixed, open_page: OpenPage) -> Page:
    return open_page(served.server.address)


def test_doubtful_outlines_are_said_to_be_right_one_after_the_other(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    assert editor.words() == ["1 lamp to check", "2 lamp to check"]
    press(page, "y")
    assert editor.words() == ["1 lamp right", "2 lamp to check"]
    expect(editor.one(".regions [aria-pressed=true]")).to_contain_text("2")
    press(page, "Control+z")
    assert editor.words() == ["1 lamp to check", "2 lamp to check"]
    press(page, "1")
    editor.one("button[name=right]").click()
    editor.one("button[name=right]").click()
    assert editor.words() == ["1 lamp right", "2 lamp right"]
    expect(editor.one("button[name=right]")).to_be_hidden()
    press(page, "y")
    expect(editor.one("#fix-hint")).to_contain_text("right already")
    editor.save()
    expect(editor.one(".regions button")).to_have_text(["1 lamp by hand", "2 lamp by hand"])
    press(page, "y")
    expect(editor.one("#fix-hint")).to_contain_text("Nothing speaks against")
    press(page, "Escape", "Escape")
    expect(page.locator(".card.doubtful")).to_have_count(0)


def test_what_is_drawn_after_it_counts(page: Page, served: Fixed) -> None:
    editor = Editor(page, "two")
    press(page, "y", "1", "b")
    editor.drag((30, 10), (34, 10))
    assert editor.words() == ["1 lamp changed", "2 lamp to check"]
    expect(editor.one("button[name=right]")).to_be_hidden()
    press(page, "Control+z")
    assert editor.words() == ["1 lamp right", "2 lamp to check"]
    page.reload()
    press(page, "f")
    editor.ready()
    expect(editor.one("#fix-hint")).to_contain_text("is back")
    assert editor.words() == ["1 lamp right", "2 lamp to check"]
