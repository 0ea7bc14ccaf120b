"""The page of a run in Chromium: its views, filters, decisions, names of every kind, and what readers need."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.review import ReviewedRun
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.wished_scene import wished_scene
from tests.correction.test_restaged import Staging
from tests.e2e.test_page import CHROMIUM, CONTRAST
from tests.pages import read_page
from tests.shoot.test_report_page import UNNAMED, OpenPage, browser, open_page, press, show
from tests.shoot.test_review import Served, apply
from tests.test_catalog import PRODUCTS, paint
from tests.test_catalog_page import go

if TYPE_CHECKING:
    from playwright.sync_api import Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")
__all__ = ["browser", "open_page"]

EVIL = "a <img src=x onerror=evil=1>#% é"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    paint(photos / "one.png", (5, 5, 30, 30))
    paint(photos / "two.png", (5, 5, 15, 15), (30, 30, 45, 45))
    paint(photos / "none.png")
    paint(photos / f"{EVIL}.png", (5, 5, 30, 30))
    paint(photos / "x.png", (5, 5, 30, 30))
    os.rename(photos / "x.png", os.fsencode(photos) + b"/\xff.png")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8no")
    go(photos, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def page(out: Path, open_page: OpenPage) -> Page:
    return open_page((out / "report.html").as_uri())


@pytest.fixture
def served(out: Path) -> Iterator[Served]:
    one = Served(out, ReviewedRun(out))
    yield one
    one.close()


def names(page: Page) -> list[str]:
    return page.locator(".card .product").all_inner_texts()


def tabs(page: Page) -> list[str]:
    return page.locator(".views button").all_inner_texts()


def width_of_shown(page: Page) -> int:
    page.wait_for_selector(".stage .full")
    return page.locator(".stage .full").first.evaluate("image => image.naturalWidth")


def test_filters_and_views_of_the_grid(page: Page) -> None:
    counts = dict(text.rsplit(" ", 1) for text in page.locator("nav [data-show]").all_inner_texts())
    assert counts == {"All": "6", "Match": "4", "Skipped": "1", "Unreadable": "1", "By hand": "0"}
    show(page, "skip")
    assert names(page) == ["none"] and "Nothing in the picture" in page.locator(".card .why").inner_text()
    show(page, "unreadable")
    assert [Path(name).name for name in names(page)] == ["broken.jpg"]
    assert not page.locator(".card .accept").is_visible() and not page.locator(".card .mark").is_visible()
    show(page, "match")
    before = page.locator(".card img").first.get_attribute("src")
    page.locator("#view").select_option("before")
    after = page.locator(".card img").first.get_attribute("src")
    assert before != after and str(after).startswith("data:image/jpeg;base64,")


def test_a_part_of_a_name_finds_pictures(page: Page) -> None:
    press(page, "/")
    expect(page.locator("#named")).to_be_focused()
    page.keyboard.type("NO")
    assert names(page) == ["none"]
    counts = dict(text.rsplit(" ", 1) for text in page.locator("nav [data-show]").all_inner_texts())
    assert counts["All"] == "1" and counts["Match"] == "0"  # the others count what is called so
    press(page, "Enter", "Enter")  # to the picture, and large
    expect(page.locator(".pane .product")).to_have_text("none")
    press(page, "Escape", "/", "Escape")
    assert len(names(page)) == 6
    press(page, "/")
    page.keyboard.type("zzz")
    expect(page.locator("#none")).to_be_visible()
    page.locator("#none button").click()
    expect(page.locator("#named")).to_have_value("")
    assert len(names(page)) == 6


def test_every_view_of_a_picture_is_shown_large(page: Page) -> None:
    show(page, "match")
    page.locator(".card").filter(has_text="two").first.locator(".open").click()
    first, second = ("Cut-out 1 lamp", "Mask 1 lamp"), ("Cut-out 2 lamp", "Mask 2 lamp")
    assert tabs(page) == ["Found", "After", "Before", "Before | after", *first, *second]
    pressed = page.locator(".views [aria-pressed=true]")
    expect(pressed).to_have_text("Found")
    for name in tabs(page)[1:]:
        press(page, "v")
        expect(pressed).to_have_text(name)
        assert width_of_shown(page) > 0
        assert page.locator(".split").is_visible() == (name == "Before | after")
    press(page, "v", "Shift+V", "Shift+V")
    expect(pressed).to_have_text("Cut-out 2 lamp")
    assert page.locator(".stage.checks").count() == 1 and width_of_shown(page) < 40
    page.locator(".views button", has_text="Mask 2").click()
    press(page, "ArrowRight")  # the next picture has one product
    expect(pressed).to_have_text("Found")


def test_before_and_after_lie_above_one_another(page: Page) -> None:
    show(page, "match")
    press(page, "Home", "Enter", "v", "v", "v")
    page.wait_for_function("() => document.querySelectorAll('.stage .layer img').length === 2")
    boxes = page.locator(".stage .layer img").evaluate_all(
        "all => all.map(one => { const b = one.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })"
    )
    assert boxes[0] == pytest.approx(boxes[1], abs=0.5)
    page.locator(".split").focus()
    press(page, "Home")
    assert page.locator(".stage").evaluate("stage => stage.style.getPropertyValue('--at')") == "0%"


def test_names_of_every_kind_open_their_files_and_stay_words(page: Page, open_page: OpenPage) -> None:
    show(page, "match")
    for name, ending in ((EVIL, "a%20%3Cimg%20src%3Dx%20onerror%3Devil%3D1%3E%23%25%20%C3%A9"), ("\\udcff", "%ff")):
        card = page.locator(".card").filter(has=page.locator(".product", has_text=name))
        expect(card.locator(".open")).to_have_attribute("href", f"./overlays/{ending}.png")
        card.locator(".open").click()
        assert width_of_shown(page) == 80 and page.url.endswith(f"#{ending}")
        expect(open_page(page.url).locator(".pane .product")).to_have_text(name)
        press(page, "Escape")
    assert page.evaluate("window.evil === undefined && !document.querySelector('img[src=x]')")


def test_decisions_of_a_file_are_saved_and_applied(page: Page, out: Path, tmp_path: Path) -> None:
    show(page, "match")
    press(page, "Home", "r", "ArrowRight", "r")
    command = page.locator("#unsaved code").inner_text()
    assert command == f"python3 photoshoot.py review {out} --apply decisions.json"
    page.reload()
    expect(page.locator("#unsaved")).to_contain_text("2 decisions are only in this page")
    with page.expect_download() as download:
        page.locator("#unsaved button").click()
    download.value.save_as(tmp_path / "decisions.json")
    assert len(json.loads((tmp_path / "decisions.json").read_text())) == 2
    assert "0 accepted, 2 rejected" in apply(out, tmp_path / "decisions.json").output
    page.reload()
    expect(page.locator("#unsaved")).to_be_hidden()
    show(page, "hand")
    assert len(names(page)) == 2


def test_decisions_of_a_served_page_are_kept_at_once(served: Served, open_page: OpenPage) -> None:
    page = open_page(served.server.address)
    show(page, "match")
    press(page, "Home", "Enter", "r", "ArrowRight", "a")
    expect(page.locator(".pane .decision")).to_have_text("Accepted by hand")
    page.wait_for_function("() => !document.querySelector('.problem:not([hidden])')")
    page.reload()
    items = read_page(served.get("report.html")[2].decode()).items
    assert sorted(item["by_hand"] for item in items if item["by_hand"]) == ["accepted", "rejected"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everything_has_a_name_and_can_be_read(page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    for keys in ((), ("m", "ArrowRight", "r"), ("Enter",), ("v", "v", "v"), ("Escape", "c"), ("?",)):
        press(page, *keys)
        assert page.evaluate(UNNAMED) == []
        contrast, text = page.evaluate_handle("document.body").evaluate(CONTRAST)
        assert contrast >= 4.5, text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_alone_reaches_everything(page: Page) -> None:
    reached = set()
    for _ in range(40):
        press(page, "Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className.split(' ')[0]"
                                  " || document.activeElement.dataset.show || ''"))  # fmt: skip
    assert {"view", "order", "keys", "open", "accept", "reject", "mark", "match", "skip"} <= reached
    assert not [name for name in reached if re.search("evil", name)]


AROUND = """<!doctype html><link rel="icon" href="data:,"><iframe src="report.html" width="1100" height="700"></iframe>
<script>
const heard = [], frame = document.querySelector("iframe");
addEventListener("message", event => heard.push(event.data));
frame.onload = () => frame.contentWindow.postMessage(
  { offered: [{ name: "send", label: "Send it" }], theme: "dark" }, location.origin);
</script>"""


def test_a_page_around_says_what_else_can_be_done_and_how_it_looks(served: Served, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    place = f"http://{served.host}/{served.token}"
    page.route(f"{place}/around.html", lambda route: route.fulfill(content_type="text/html", body=AROUND))
    page.goto(f"{place}/around.html")
    shown = page.frame_locator("iframe")
    expect(shown.locator("html")).to_have_attribute("data-theme", "dark")
    expect(shown.locator("body")).to_have_css("background-color", "rgb(20, 20, 19)")
    shown.locator("img[src$='/none.jpg']").click()
    expect(shown.locator(".offered button")).to_have_count(0)
    shown.locator("#viewer .close").first.click()
    shown.locator("img[src$='/one.jpg']").click()
    shown.get_by_role("button", name="Send it").click()
    page.wait_for_function("heard.length")
    (told,) = page.evaluate("heard")
    items = read_page(b"".join(served.server.reviewed.page()).decode()).items
    (item,) = (item for item in items if item["name"] == "one")
    assert told == {"chosen": "send", "id": item["id"]}
    alone = open_page(f"{place}/report.html")
    alone.evaluate("postMessage({ offered: [{ name: 'send', label: 'Send it' }], theme: 'dark' }, location.origin)")
    alone.locator("img[src$='/one.jpg']").click()
    expect(alone.locator(".offered button")).to_have_count(0)


def test_a_picture_is_enhanced_again_where_somebody_paints(served: Served, open_page: OpenPage) -> None:
    asked: list[int] = []

    class Painting:
        enhances = True

        def enhance(self, id_: int) -> dict[str, Any]:
            asked.append(id_)
            if len(asked) == 1:
                raise CatalogError("The WebUI is out of memory.")
            return {"shots": [item | {"why": "painted"}], "products": []}

    served.server.reviewed.fixing = Painting()  # type: ignore[attr-defined]
    items = read_page(b"".join(served.server.reviewed.page()).decode()).items
    (item,) = (item for item in items if item["name"] == "one")
    page = open_page(f"http://{served.host}/{served.token}/report.html")
    page.locator("img[src$='/one.jpg']").click()
    button = page.get_by_role("button", name="Enhance again")
    button.click()
    expect(page.locator("#viewer .problem.said")).to_contain_text("one: The WebUI is out of memory.")
    button.click()
    expect(page.locator("#viewer [aria-pressed=true][data-view=after]")).to_be_visible()
    expect(page.locator("#viewer .why")).to_have_text("painted")
    assert asked == [item["id"]] * 2


@pytest.mark.parametrize("canvas", ["", "1:1"])
def test_before_lies_above_after_only_where_both_are_of_one_size(
    tmp_path: Path, open_page: OpenPage, canvas: str
) -> None:
    paint(tmp_path / "photos" / "one.png", (5, 5, 30, 30))
    scene = wished_scene(FilterSettings(repaint="scene", backdrop="#203040", canvas=canvas))
    inputs, out = collect_inputs([tmp_path / "photos"]), tmp_path / "run"
    run_catalog(Staging(scene), inputs, PRODUCTS, out, settings=scene.told)
    page = open_page((out / "report.html").as_uri())
    assert page.locator("#view option").all_inner_texts() == ["After", "Found", "Before"]
    page.locator(".card img").first.click()
    both = ["Before | after"] if not canvas else []
    assert tabs(page)[:4] == ["After", "Found", "Before", *(both or ["Cut-out 1 lamp"])]
    page.wait_for_selector(".stage .full")
    assert page.locator(".stage .full").evaluate("image => [image.naturalWidth, image.naturalHeight]") == (
        [80, 80] if canvas else [80, 60]
    )
