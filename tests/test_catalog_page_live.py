"""The served page of a run in Chromium: why and notes, a run that grows, two tabs, orders, and the way back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lib_photoshoot.catalog.decisions import read_hands
from lib_photoshoot.catalog.ledger import LEDGER_NAME
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.journal import json_line
from lib_photoshoot.pages.hands import LONGEST_NOTE, Hand
from tests.e2e.test_page import CHROMIUM
from tests.shoot.test_report_page import OpenPage, browser, open_page, press, show
from tests.shoot.test_review import Served
from tests.test_catalog import paint
from tests.test_catalog_page import go, journal_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(6):
        paint(tmp_path / f"photos/{number}.png", (5, 5, 20 + number, 30))
    (tmp_path / "photos/broken.jpg").write_bytes(b"\xff\xd8no")
    return tmp_path / "photos"


@pytest.fixture
def out(photos: Path, tmp_path: Path) -> Path:
    go(photos, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def served(out: Path) -> Iterator[Served]:
    one = Served(out, ReviewedRun(out))
    yield one
    one.close()


@pytest.fixture
def page(served: Served, open_page: OpenPage) -> Page:
    return open_page(served.server.address)


def names(page: Page) -> list[str]:
    return page.locator(".card .product").all_inner_texts()


def hands(out: Path, *expected: tuple[str, Hand]) -> bool:
    """Whether these are the decisions on the disk."""
    return {Path(file).stem: hand for file, hand in read_hands(out).items()} == dict(expected)


def wait_for(page: Page, what: str) -> None:
    page.wait_for_function(f"() => {what}")


def quiet(page: Page) -> None:
    """Until every decision has been answered."""
    page.wait_for_timeout(50)
    wait_for(page, "!localStorage.length")


def test_a_digit_after_r_says_why_and_again_takes_it_back(page: Page, out: Path) -> None:
    press(page, "r")
    expect(page.locator("#why")).to_contain_text("Wrong product")
    press(page, "2")
    expect(page.locator(".card.current .why")).to_have_text("Colour")
    quiet(page)
    assert hands(out, ("0", Hand("rejected", "colour")))
    press(page, "2", "4", "ArrowRight")
    expect(page.locator("#why")).to_be_hidden()
    press(page, "Shift+R", "1", "Shift+R", "ArrowLeft")
    quiet(page)
    assert hands(
        out, ("0", Hand("rejected", "wrong_product")), ("1", Hand("rejected", "outline")), ("2", Hand("rejected"))
    )
    press(page, "5")  # at a rejected picture without R before
    page.locator(".card", has_text="0").first.locator(".accept").click()
    quiet(page)
    assert read_hands(out)[os.path.abspath(out.parent / "photos/0.png")] == Hand("accepted")


def test_a_note_is_plain_words_and_outlives_the_page(page: Page, out: Path) -> None:
    note = 'a <b onclick="evil=1">strap</b> & \\u0041 "x" </script>'
    press(page, "n")
    expect(page.locator(".said").first).to_contain_text("Accept or reject 0 first")
    press(page, "a", "n")
    expect(page.locator("#note h2")).to_have_text("Note on 0")
    page.locator("#note textarea").fill(note)
    press(page, "Enter")
    expect(page.locator(".card.current .why")).to_have_text(note)
    press(page, "Enter", "n")
    page.locator("#note textarea").fill("not this")
    press(page, "Escape")
    expect(page.locator(".pane .by-hand")).to_have_text(note)
    quiet(page)
    assert hands(out, ("0", Hand("accepted", None, note)))
    page.reload()
    expect(page.locator(".pane .by-hand")).to_have_text(note)
    press(page, "r")  # the note is of the picture, whatever is decided about it
    page.locator(".pane .reasons button", has_text="Other").click()
    quiet(page)
    assert hands(out, ("0", Hand("rejected", "other", note)))
    page.locator(".pane .acts .note").click()
    page.locator("#note textarea").fill("x" * (LONGEST_NOTE + 9))
    assert len(page.locator("#note textarea").input_value()) >= LONGEST_NOTE
    assert page.evaluate("typeof evil === 'undefined'")


def test_pictures_of_a_run_that_grows_come_in_and_nothing_moves(page: Page, photos: Path, out: Path) -> None:
    page.set_viewport_size({"width": 520, "height": 700})
    show(page, "match")
    press(page, "End", "r")
    focused = "document.activeElement.getAttribute('aria-label')"
    label, place = page.evaluate(focused), page.evaluate("scrollY")
    assert place > 0 and str(label).startswith("5: Rejected by hand")
    box = page.locator(".card.current").bounding_box()
    for number in range(6, 9):
        paint(photos / f"{number}.png", (5, 5, 20 + number, 30))
    paint(photos / "a dark one.png")
    go(photos, out)
    expect(page.locator('[data-show="match"]')).to_have_text("Match 9")
    expect(page.locator('[data-show="skip"]')).to_have_text("Skipped 1")
    expect(page.locator("#lead")).to_contain_text("Found in 9 of 11 pictures")
    assert page.evaluate(focused) == label and page.locator(".card.current").bounding_box() == box
    press(page, "End")
    wait_for(page, "document.querySelector('.card.current img').naturalWidth > 0")
    assert names(page)[-1] == "8"


def test_new_ones_before_the_picture_at_hand_do_not_move_it(page: Page, photos: Path, out: Path) -> None:
    page.set_viewport_size({"width": 400, "height": 700})
    page.locator("#order").select_option("score")
    press(page, "End")
    last = page.locator(".card.current")
    top, current = last.bounding_box()["y"], last.get_attribute("data-id")
    for number in range(6, 16):
        paint(photos / f"{number}.png", (5, 5, 60, 60))
    go(photos, out)
    expect(page.locator('[data-show="match"]')).to_have_text("Match 16")
    assert last.get_attribute("data-id") == current and abs(last.bounding_box()["y"] - top) < 2


def test_two_tabs_agree_also_while_the_run_goes_on(page: Page, served: Served, open_page: OpenPage) -> None:
    other = open_page(served.server.address)
    press(other, "Enter")
    with journal_of(served.out):
        press(page, "r", "3")
        expect(other.locator(".pane .decision")).to_have_text("Rejected by hand, match by the filter")
        expect(other.locator(".pane .by-hand")).to_have_text("Sharpness")
        press(other, "u")
        expect(page.locator(".card.current .decision")).to_have_text("Match")
    assert not read_hands(served.out)


def test_a_picture_that_was_made_anew_is_shown_anew(page: Page, photos: Path, out: Path) -> None:
    press(page, "a")
    quiet(page)
    paint(photos / "0.png", (5, 5, 60, 60), (65, 5, 75, 15))
    go(photos, out)
    expect(page.locator(".card.current .decision")).to_have_text("Match")
    expect(page.locator(".card.current img")).to_have_attribute("src", "./thumbnails/overlay/0.jpg?1")
    (photos / "0.png").unlink()
    go(photos, out)
    expect(page.locator('[data-show="all"]')).to_have_text("All 6")
    assert "0" not in names(page)


def test_doubtful_outlines_come_first_on_request_and_the_address_keeps_it(out: Path, open_page: OpenPage) -> None:
    lines = (out / LEDGER_NAME).read_bytes().splitlines(keepends=True)
    for at, doubts in ((3, ["ragged"]), (5, ["ragged", "touches_frame"])):
        record = json.loads(lines[at])
        record["entry"]["regions"][0]["outline"] = {"quality": 0.5, "doubts": doubts, "source": "model"}
        lines[at] = json_line(record)
    (out / LEDGER_NAME).write_bytes(b"".join(lines))
    ReviewedRun(out).write_report()
    page = open_page((out / "report.html").as_uri())
    assert names(page)[:5] == ["0", "1", "2", "3", "4"]
    page.locator("#order").select_option(label="Doubtful first")
    assert names(page)[:5] == ["4", "2", "0", "1", "3"] and page.url.endswith("#order=doubt")
    press(page, "Home", "Enter")
    assert page.url.endswith("#4&order=doubt")
    again = open_page(page.url)
    expect(again.locator(".pane .product")).to_have_text("4")
    press(again, "Escape")
    assert names(again)[0] == "4"
    again.locator("#order").select_option("list")
    assert names(again)[0] == "0" and "#" not in again.url


def test_back_closes_the_large_view_and_leaves_the_page_then(served: Served, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.goto(served.server.address)
    for _ in range(3):
        press(page, "Home", "Enter", "ArrowRight", "Escape")
    press(page, "Enter", "ArrowRight")
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()
    assert page.url == served.server.address and page.locator(".card.current .product").inner_text() == "2"
    page.go_forward()
    expect(page.locator(".pane .product")).to_have_text("2")
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()
    page.go_back()
    assert page.url == "about:blank"
    page.goto(served.server.address)
    press(page, "Enter", "Escape")
    page.go_back()  # nothing is left to close
    page.wait_for_url("about:blank")


def test_saved_decisions_are_said_to_be_saved(out: Path, open_page: OpenPage) -> None:
    page = open_page((out / "report.html").as_uri())
    bar = page.locator("#unsaved")
    press(page, "a", "ArrowRight", "r", "1")
    expect(bar).to_contain_text("2 decisions are only in this page")
    with page.expect_download():
        bar.locator("button").click()
    expect(bar).to_contain_text("2 decisions saved to decisions.json, not yet written into the folder")
    expect(bar.locator("code")).to_be_visible()
    press(page, "n")
    page.locator("#note textarea").fill("frayed")
    press(page, "Enter")
    expect(bar).to_contain_text("2 decisions are only in this page")
    page.reload()
    expect(page.locator(".card", has_text="Rejected by hand").locator(".why")).to_contain_text("Outline: frayed")


def test_nothing_is_decided_about_an_unreadable_picture_and_it_is_said(page: Page, out: Path) -> None:
    show(page, "unreadable")
    assert page.locator(".card .gone").inner_text() == "Unreadable"
    press(page, "Home", "a")
    expect(page.locator(".said").first).to_contain_text("broken.jpg cannot be read, so there is nothing to decide")
    assert not (out / "decisions.jsonl").exists()


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_is_cut_off(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    press(page, "a", "ArrowRight", "r")
    expect(page.locator("#why")).to_be_visible()
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert page.locator(".card .decision").evaluate_all(cut) == []
    wide = """() => [...document.querySelectorAll("#viewer *, #bars *")].filter(one => one.checkVisibility())
        .filter(one => !one.closest(".stage, .views, .reasons"))
        .filter(one => { const box = one.getBoundingClientRect();
            return box.width && (box.left < -1 || box.right > innerWidth + 1); })
        .map(one => one.outerHTML.slice(0, 90))"""
    assert page.evaluate(wide) == []
    for keys in (("Enter",), ("n",), ("Escape", "c"), ("m",)):
        press(page, *keys)
        assert page.evaluate(wide) == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
