"""What people with fresh eyes missed in the editor, in Chromium: previews of answers, names, views, and a calm save."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.products import parse_products
from tests.correction.test_fix_page import Editor, drawn_in, mask_in, products_in
from tests.correction.test_fixing import SETTINGS, Fixed, Retouching, out, photos
from tests.correction.test_join_page import page, served
from tests.e2e.test_page import CHROMIUM
from tests.shoot.test_report_page import OpenPage, browser, open_page, press

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page", "out", "page", "photos", "served"]


def shot(editor: Editor) -> np.ndarray:
    """What is drawn over the picture, uint8 RGBA (height, width, 4), and none of the pointer's marks."""
    text = editor.one(".easel canvas").evaluate(
        """canvas => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
            done(canvas.toDataURL().split(",")[1]))))"""
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def chosen(editor: Editor) -> Locator:
    return editor.one(".preview[aria-pressed=true]")


def another(editor: Editor) -> Locator:
    """A preview that is not chosen."""
    states = [one.get_attribute("aria-pressed") for one in editor.one(".preview").all()]
    return editor.one(".preview").nth(states.index("false"))


def with_previews(page: Page) -> Editor:
    """The editor with several answers to a line."""
    editor = Editor(page, "two")
    press(page, "d")
    editor.drag((45, 35), (65, 35))
    expect(editor.one(".preview").last).to_be_visible()
    return editor


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_previews_lie_beside_the_picture_which_does_not_move_for_them(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    editor = Editor(page, "two")
    easel = editor.one(".easel")
    before = easel.bounding_box()
    press(page, "d")
    editor.drag((45, 35), (65, 35))
    expect(editor.one(".preview").last).to_be_visible()
    assert easel.bounding_box() == before and before
    for preview in editor.one(".preview").all():
        box = preview.bounding_box()
        assert box and (box["x"] >= before["x"] + before["width"] or box["y"] >= before["y"] + before["height"])
    strip = editor.one(".previews")
    if width == 390:
        assert strip.evaluate("node => getComputedStyle(node).overflowX") == "auto"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_preview_shows_its_own_outline_over_the_photo(page: Page) -> None:
    editor = with_previews(page)
    drawn = [
        preview.locator("canvas").evaluate(
            "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
        )
        for preview in editor.one(".preview").all()
    ]
    lit = [np.count_nonzero(np.reshape(one, (-1, 4))[:, :3].min(1) > 200) for one in drawn]
    assert len({tuple(one) for one in drawn}) == len(drawn) > 1  # no two are alike
    # From small to large: more of the bright lamp is lit.
    assert lit[-1] != lit[0] and min(lit) > 0
    assert "\n" not in chosen(editor).locator("span").inner_text()


def test_numbers_choose_among_previews_and_products_where_there_are_none(page: Page) -> None:
    editor = Editor(page, "two")
    press(page, "2")
    expect(editor.one(".regions [aria-pressed=true]")).to_contain_text("2 lamp")
    press(page, "d")
    editor.drag((10, 15), (20, 15))
    expect(editor.one(".preview").first).to_be_visible()
    count = editor.one(".preview").count()
    assert count > 1
    for number in range(1, count + 1):
        press(page, str(number))
        expect(chosen(editor).locator("kbd")).to_have_text(str(number))
    press(page, "9")  # there are not so many
    expect(chosen(editor).locator("kbd")).to_have_text(str(count))
    expect(editor.one(".regions [aria-pressed=true]")).to_contain_text("2 lamp")
    press(page, "p")
    expect(editor.one(".regions [aria-pressed=true]")).to_contain_text("1 lamp")
    expect(editor.one(".preview")).to_have_count(0)
    press(page, "Shift+P")
    expect(editor.one(".regions [aria-pressed=true]")).to_contain_text("2 lamp")
    expect(editor.one(".preview")).to_have_count(count)


def test_a_pointer_on_a_preview_shows_it_in_the_picture(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    editor = with_previews(page)
    page.wait_for_timeout(700)  # the tint of what changed is gone
    page.mouse.move(2, 2)
    now = shot(editor)
    other = another(editor)
    other.hover()
    assert (shot(editor) != now).any()
    page.mouse.move(2, 2)
    assert (shot(editor) == now).all()
    assert other.get_attribute("aria-pressed") == "false"
    other.click()
    expect(other).to_have_attribute("aria-pressed", "true")


def test_c_shows_the_bare_photo_and_on_a_ground_what_was_before(page: Page) -> None:
    editor = Editor(page, "two")
    editor.click(60, 10)
    page.mouse.move(2, 2)
    assert shot(editor)[..., 3].any()
    expect(editor.one(".compare")).to_have_text("No outline")
    page.keyboard.down("c")
    assert not shot(editor)[..., 3].any()  # neither line nor step
    page.keyboard.up("c")
    assert shot(editor)[..., 3].any()
    editor.one(".compare").click()
    page.mouse.move(2, 2)
    expect(editor.one(".compare")).to_have_attribute("aria-pressed", "true")  # a click keeps it so
    assert not shot(editor)[..., 3].any()
    editor.one(".compare").click()
    assert shot(editor)[..., 3].any()
    editor.one(".compare").hover()
    page.mouse.down()
    page.wait_for_timeout(500)
    page.mouse.up()
    expect(editor.one(".compare")).to_have_attribute("aria-pressed", "false")  # held down, it lasts as long as that
    press(page, "v")
    expect(editor.one(".compare")).to_have_text("Before")
    after = shot(editor)
    page.keyboard.down("c")
    before = shot(editor)
    assert before[..., 3].any() and (before != after).any()
    page.keyboard.up("c")


def test_around_a_part_within_the_outline_nothing_is_lost_and_both_lines_say_so(page: Page) -> None:
    editor = Editor(page, "two")
    press(page, "p", "d")
    editor.drag((50, 30), (58, 30), (58, 38), (50, 38), (50, 30))
    hint = editor.one("#fix-hint")
    expect(editor.one(".preview").last).to_be_visible()
    expect(chosen(editor)).to_contain_text("Added as well")
    expect(hint).to_contain_text(
        "That changed nothing; choose Only this where the rest is to go, or paint with the brush (B). Added as well, "
    )
    expect(hint).to_contain_text("press its number")
    editor.one(".preview").filter(has_text="Only this").click()
    expect(hint).to_contain_text("Only this")
    expect(hint).not_to_contain_text("changed nothing")


def test_a_strap_along_the_edge_that_was_drawn_along_is_no_hair(tmp_path: Path, open_page: OpenPage) -> None:
    pixels = np.full((60, 80, 3), 40, np.uint8)
    pixels[10:50, 10:50] = 250
    pixels[10:50, 50:52] = 150
    (tmp_path / "photos").mkdir()
    Image.fromarray(pixels).save(tmp_path / "photos" / "strap.png")
    folder, inputs = tmp_path / "run", collect_inputs([tmp_path / "photos"], tmp_path / "run")
    run_catalog(Retouching(), inputs, parse_products("lamp"), folder, resume=True, settings=SETTINGS)
    served = Fixed(folder)
    try:
        editor = Editor(open_page(served.server.address), "strap")
        press(editor.page, "d")
        editor.drag((51, 14), (51, 30), (51, 46))
        expect(editor.one("#fix-hint")).to_contain_text("press its number")
        expect(editor.one("#fix-hint")).not_to_contain_text("by a hair")
        editor.save()
        assert drawn_in(folder, "strap", 0)[12:48, 50].all()
    finally:
        served.close()


def test_a_dark_picture_is_shown_brighter_and_no_file_is(page: Page, served: Fixed) -> None:
    editor, light = Editor(page, "two"), "node => getComputedStyle(node).filter"
    assert "url" not in editor.one(".easel .full").evaluate(light)
    press(page, "l")
    expect(editor.one(".bright")).to_have_attribute("aria-pressed", "true")
    assert "fix-brighten" in editor.one(".easel .full").evaluate(light)
    box = editor.at(60, 10)
    bright = page.screenshot(clip={"x": box[0], "y": box[1], "width": 1, "height": 1})
    editor.one("button[name=bright]").click()
    expect(editor.one(".bright")).to_have_attribute("aria-pressed", "false")
    usual = page.screenshot(clip={"x": box[0], "y": box[1], "width": 1, "height": 1})
    assert bright != usual
    press(page, "l", "PageUp")
    expect(editor.one(".bright")).to_have_attribute("aria-pressed", "false")  # the next picture is none of it
    press(page, "PageDown")
    expect(editor.one(".bright")).to_have_attribute("aria-pressed", "true")  # and this one is as it was left
    press(page, "l", "Shift+L")
    expect(editor.one(".bright")).to_have_attribute("aria-pressed", "false")
    expect(editor.one(".shade.dark")).to_have_attribute("aria-pressed", "true")
    assert "fix-darken" in editor.one(".easel .full").evaluate(light)
    press(page, "l")
    assert "url" not in editor.one(".easel .full").evaluate(light)
    assert "by-hand" not in "".join(name for one in current_records(served.out / LEDGER_NAME) for name in one.outputs)


def test_a_dark_product_s_edges_are_offered_brighter(page: Page, tmp_path: Path, open_page: OpenPage) -> None:
    editor, hint = Editor(page, "two"), "Brighten (L)"
    expect(editor.one("#fix-hint")).not_to_contain_text(hint)
    editor.one("button[name=close]").click()
    (tmp_path / "dark").mkdir()
    pixels = np.full((60, 80, 3), 90, np.uint8)
    pixels[10:40, 10:40] = 250
    Image.fromarray(pixels).save(tmp_path / "dark" / "night.png")
    Image.fromarray(np.full_like(pixels, 12)).save(tmp_path / "dark" / "unfound.png")
    folder, inputs = tmp_path / "dark-run", collect_inputs([tmp_path / "dark"], tmp_path / "dark-run")
    run_catalog(Retouching(), inputs, parse_products("lamp"), folder, resume=True, settings=SETTINGS)
    served = Fixed(folder)
    try:
        # What was found stays; the photo behind it is a dark one.
        dark = io.BytesIO()
        Image.fromarray((pixels // 8).astype(np.uint8)).save(dark, "JPEG")
        night = open_page("about:blank")
        night.route("**/fix/original/*", lambda route: route.fulfill(body=dark.getvalue(), content_type="image/jpeg"))
        night.goto(served.server.address)
        editor = Editor(night, "night")
        expect(editor.one("#fix-hint")).to_contain_text(hint)
        press(night, "l")
        expect(editor.one("#fix-hint")).not_to_contain_text(hint)
        press(night, "PageDown")
        expect(editor.one("#fix-name")).to_have_text("unfound")
        expect(editor.one("#fix-hint")).to_contain_text(hint)  # nor where nothing is outlined yet
        pale = io.BytesIO()
        Image.fromarray(235 + pixels // 16).save(pale, "JPEG")
        day = open_page("about:blank")
        day.route("**/fix/original/*", lambda route: route.fulfill(body=pale.getvalue(), content_type="image/jpeg"))
        day.goto(served.server.address)
        editor = Editor(day, "night")
        expect(editor.one("#fix-hint")).to_contain_text("Darken (L)")
        press(day, "l")
        expect(editor.one(".shade.dark")).to_have_attribute("aria-pressed", "true")
        expect(editor.one("#fix-hint")).not_to_contain_text("(L)")
        press(day, "l")
        expect(editor.one(".shade.dark")).to_have_attribute("aria-pressed", "false")
    finally:
        served.close()


def percent(editor: Editor) -> int:
    return int(editor.one(".percent").inner_text().split()[0])


def test_g_looks_where_answers_differ_then_at_the_product_then_at_all(page: Page) -> None:
    editor = with_previews(page)
    whole, seen = percent(editor), []
    for _ in range(3):
        press(page, "g")
        seen.append(percent(editor))
    assert seen[0] > whole and seen[1] > whole and seen[2] == whole
    press(page, "p")  # nothing was done to the other product: there are no answers
    expect(editor.one(".preview")).to_have_count(0)
    press(page, "g")
    assert percent(editor) > whole
    editor.one("button[name=look]").click()
    assert percent(editor) == whole


def test_previews_show_in_colour_what_they_have_more_and_less_than_the_one_taken(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    editor = with_previews(page)

    def coloured(preview: Locator) -> int:
        text = preview.locator("canvas").evaluate("canvas => canvas.toDataURL().split(',')[1]")
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))[..., :3].astype(int)
        return int(np.count_nonzero(np.ptp(pixels, axis=2) > 40))

    taken, other = chosen(editor), another(editor)
    assert coloured(taken) == 0 and coloured(other) > 0
    name = other.locator("span").inner_text()
    other.hover()
    expect(editor.one("#fix-hint")).to_contain_text(name)
    expect(editor.one("#fix-hint")).to_contain_text("green is what it has more than")
    other.click()
    assert coloured(other) == 0  # it is the one taken now
    expect(editor.one("#fix-hint")).to_contain_text(name)


def test_views_say_what_they_are(page: Page) -> None:
    editor = Editor(page, "two")
    grounds = editor.one(".ground")
    assert grounds.all_inner_texts() == ["Outline", "White", "Checks", "Pink"]
    assert all(len(one.get_attribute("title") or "") > 30 for one in grounds.all())
    assert grounds.last.get_attribute("aria-label") == "Cut out on pink"


def test_after_saving_the_outlines_stay_in_sight_until_the_server_says_the_new_ones(page: Page, served: Fixed) -> None:
    held: list[Route] = []
    going: list[bool] = []
    editor = Editor(page, "two")
    editor.click(60, 10)
    page.mouse.move(2, 2)
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(
        """() => {
            window.fewest = 9;
            const holder = document.querySelector("#fixer .regions");
            new MutationObserver(() => { window.fewest = Math.min(window.fewest, holder.children.length); })
                .observe(holder, { childList: true });
        }"""
    )
    page.route("**/fix/outline", lambda route: route.continue_() if going else held.append(route))
    with page.expect_request("**/fix/outline"):
        press(page, "Control+s")
    assert editor.words() == ["1 lamp changed", "2 lamp"] and shot(editor)[..., 3].any()
    expect(editor.one("#fix-hint")).to_contain_text("Saving")
    going.append(True)
    for route in held:
        route.continue_()
    editor.saved()
    assert editor.words() == ["1 lamp by hand", "2 lamp"]
    assert page.evaluate("window.fewest") >= 2
    assert mask_in(served.out, "two", 0)[10, 60]


def test_what_is_begun_while_the_new_outlines_come_is_kept(page: Page, served: Fixed) -> None:
    held: list[Route] = []
    going: list[bool] = []
    editor = Editor(page, "two")
    editor.click(60, 10)
    page.route("**/fix/outline", lambda route: route.continue_() if going else held.append(route))
    with page.expect_request("**/fix/outline"):
        press(page, "Control+s")
    press(page, "p", "b")
    page.mouse.move(*editor.at(50, 54))
    page.mouse.down()
    page.mouse.up()
    going.append(True)
    for route in held:
        route.continue_()
    editor.saved()
    assert editor.words() == ["1 lamp by hand", "2 lamp changed"]
    editor.save()
    expect(editor.one(".regions button").nth(1)).to_contain_text("by hand")
    assert drawn_in(served.out, "two", 1)[54, 50] and mask_in(served.out, "two", 1)[35, 55]


def test_saving_again_says_when(page: Page) -> None:
    editor, said = Editor(page, "two"), []
    for place in ((60, 10), (15, 15)):
        editor.click(*place, button="right" if said else "left")
        editor.save()
        said.append(editor.one("#fix-hint").inner_text())
        assert re.match(r"Saved at \d\d?:\d\d:\d\d", said[-1])
        page.wait_for_timeout(1000)
    assert said[0] != said[1]


def test_a_new_product_is_named_first(page: Page, served: Fixed) -> None:
    editor, word = Editor(page, "none"), page.locator("#fix-word")
    press(page, "n")
    expect(word).to_be_focused()
    expect(word).to_have_value("")
    expect(editor.one("#fix-hint")).to_contain_text("Enter alone keeps “lamp”")
    assert page.locator("#fix-words option").evaluate_all("all => all.map(one => one.value)") == ["lamp"]
    press(page, "Escape")  # it ends; the editor stays open
    assert editor.words() == [] and editor.one(".easel").evaluate("node => node.matches(':focus')")
    expect(page.locator("#fixer")).to_be_visible()
    press(page, "n")
    page.keyboard.type("vase")
    press(page, "Enter")
    assert editor.words() == ["1 vase new"]
    editor.drag((50, 40), (10, 10))
    editor.save()
    assert products_in(served.out, "none") == ["vase"]


def test_a_product_gets_another_name_which_goes_everywhere(page: Page, served: Fixed) -> None:
    before = mask_in(served.out, "two", 0)
    editor, word = Editor(page, "two"), page.locator("#fix-word")
    press(page, "r")
    expect(word).to_be_focused()
    page.keyboard.type("vase")
    press(page, "Escape")
    assert editor.words() == ["1 lamp", "2 lamp"]
    press(page, "r")
    page.keyboard.type("vase")
    press(page, "Enter")
    assert editor.words() == ["1 vase changed", "2 lamp"]
    press(page, "Control+z")
    assert editor.words() == ["1 lamp", "2 lamp"]
    press(page, "Control+y")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()  # it is kept in the browser as other changes are
    press(page, "Escape")
    bar = page.locator("#bars .unfixed")
    bar.locator(".look").click()
    expect(editor.one("#fix-hint")).to_contain_text("did not save is back")
    assert editor.words() == ["1 vase changed", "2 lamp"]
    editor.save()
    assert editor.words() == ["1 vase by hand", "2 lamp"]
    assert products_in(served.out, "two") == ["vase", "lamp"]
    assert (mask_in(served.out, "two", 0) == before).all()
    press(page, "Escape", "Escape")
    expect(page.locator("nav")).to_contain_text("vase")


def test_of_several_words_none_is_guessed_and_without_a_name_nothing_is_saved(
    photos: Path, tmp_path: Path, open_page: OpenPage
) -> None:
    folder, several = tmp_path / "several", parse_products("airplane, banana, lamp")
    run_catalog(Retouching(), collect_inputs([photos], folder), several, folder, resume=True, settings=SETTINGS)
    served = Fixed(folder)
    try:
        page = open_page(served.server.address)
        editor, word = Editor(page, "none"), page.locator("#fix-word")
        editor.drag((50, 40), (10, 10))
        assert editor.words() == ["1 no name yet new"]
        press(page, "Control+s")
        expect(editor.one(".unfixed")).to_contain_text("Product 1 has no name yet.")
        assert products_in(folder, "none") == []
        press(page, "r")
        expect(word).to_be_focused()
        words = page.locator("#fix-words option").evaluate_all("all => all.map(one => one.value)")
        assert words == ["airplane", "banana", "lamp"]
        page.keyboard.type("banana")
        press(page, "Enter")
        editor.save()
        assert products_in(folder, "none") == ["banana"]
    finally:
        served.close()


def test_touch_chooses_a_preview(page: Page, served: Fixed) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    editor = with_previews(page)
    touch: Any = page.context.new_cdp_session(page)
    other = another(editor)
    box = other.bounding_box()
    assert box
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "id": 1}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(other).to_have_attribute("aria-pressed", "true")
