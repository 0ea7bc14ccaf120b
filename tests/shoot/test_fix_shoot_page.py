"""The editor of outlines on a shoot's page in Chromium: a picture in which nobody has looked yet, and a candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from lib_photoshoot.shoot.finish.runs import CANDIDATES
from tests.correction.test_fix_page import Editor
from tests.e2e.test_page import CHROMIUM
from tests.shoot.test_fixing import FixedShoot, served, shoot
from tests.shoot.test_report_page import OpenPage, browser, open_page, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page", "served", "shoot"]


class ShotEditor(Editor):
    """The editor of one shot, opened from its card by its place."""

    def __init__(self, page: Page, place: int) -> None:
        self.page = page
        page.locator(".card .open").nth(place).click()
        press(page, "f")
        self.ready()

    def ready(self) -> None:
        """Wait until the product was looked for."""
        expect(self.page.locator("#fixer")).to_be_visible()
        self.settled()


def test_a_shot_is_found_corrected_and_saved(served: FixedShoot, open_page: OpenPage) -> None:
    page = open_page(served.server.address)
    editor = ShotEditor(page, 0)
    assert editor.words() == ["1 lamp"] and served.squares.calls == 1
    editor.click(60, 40)  # the even ground, which a click adds
    editor.save()
    assert editor.words() == ["1 lamp by hand"]
    (record,) = current_records(served.out / "finished" / "lamp" / LEDGER_NAME)
    assert (record.stem, record.corrected) == ("1", 1)
    # The next ones are looked at as they are opened: the candidate is kept apart.
    for place in ("2 of 3", "3 of 3"):
        press(page, "PageDown")
        expect(page.locator("#fixer .which")).to_have_text(place)
        editor.ready()
    editor.click(5, 5)
    editor.save()
    assert served.squares.calls == 3
    (candidate,) = current_records(served.out / "finished" / CANDIDATES / "lamp" / LEDGER_NAME)
    assert (candidate.stem, candidate.corrected) == ("3", 1)
    press(page, "Escape")
    press(page, "Escape")
    page.locator('[data-show="hand"]').click()
    expect(page.locator(".card")).to_have_count(2)


def test_a_picture_that_is_gone_is_told(served: FixedShoot, open_page: OpenPage) -> None:
    (served.out / "lamp" / "1.png").unlink()
    page = open_page(served.server.address + "?")
    page.locator(".card .open").first.click()
    press(page, "f")
    expect(page.locator("#viewer .said")).to_contain_text("1.png")
    expect(page.locator("#fixer")).to_be_hidden()
