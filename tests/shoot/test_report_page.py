"""The page of a shoot in Chromium: as a file, and served by ``review``, with keys, mouse and a reader's names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lib_photoshoot.pages.hands import Hand
from lib_photoshoot.shoot.review.folder import ShootFolder
from lib_photoshoot.shoot.review.report import write_report
from lib_photoshoot.shoot.run.ledger import ShootLedger, read_state
from tests.e2e.test_page import CHROMIUM, CONTRAST, FLAGS
from tests.shoot.test_report import EVIL, make_shoot
from tests.shoot.test_review import Served, apply, hands

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")

NAMES = ("red bag", "shoe")
OpenPage = Callable[..., "Page"]
UNNAMED = """() => [...document.querySelectorAll("button, a, select, input, [role=img]")]
    .filter(node => node.offsetParent && !node.labels?.length && !node.getAttribute("aria-label"))
    .filter(node => !node.textContent.trim()).map(node => node.outerHTML)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        only = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, only])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in one session; at the end there was no error of the script, nor of the policy."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(15_000)
    wrong: list[str] = []

    def opened(address: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"{error.message} {error.stack}"))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(address)
        return page

    yield opened
    context.close()
    # What the server refuses on purpose, and pictures that were taken away on purpose, are no errors here.
    assert not [text for text in wrong if "Failed to load resource" not in text]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return make_shoot(tmp_path / "my shoot", names=NAMES, count=12)


@pytest.fixture
def file_page(out: Path, open_page: OpenPage) -> Page:
    write_report(out, ShootFolder(out).view())
    return open_page(f"{(out / 'report.html').as_uri()}")


@pytest.fixture
def served(out: Path) -> Iterator[Served]:
    one = Served(out)
    yield one
    one.close()


@pytest.fixture
def page(served: Served, open_page: OpenPage) -> Page:
    return open_page(served.server.address)


def card(page: Page, product: str, seed: int) -> Locator:
    return page.locator(".card").filter(has=page.locator(f'[aria-label^="{product}, seed {seed}:"]'))


def seeds(page: Page) -> list[int]:
    """Of the cards that are in the page, in the reader's order."""
    return [int(text) for text in page.locator(".card .seed").all_inner_texts()]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def current(page: Page) -> int:
    return int(page.locator(".card.current .seed").inner_text())


def panes(page: Page) -> list[int]:
    return [int(text.split()[-1]) for text in page.locator(".pane .seed").all_inner_texts()]


def show(page: Page, name: str) -> None:
    page.locator(f'nav [data-show="{name}"]').click()


def loaded(page: Page) -> bool:
    return page.locator(".stage .full").first.evaluate("image => image.naturalWidth > 0")


def test_filters_by_product_and_decision(page: Page) -> None:
    assert seeds(page) == [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12]
    page.locator("#product").select_option(label="✓ shoe: 4 of 2")
    assert seeds(page) == [2, 4, 6, 8, 10, 12]
    show(page, "rejected")
    assert seeds(page) == [6, 12]
    expect(page.locator('nav [data-show="rejected"]')).to_have_attribute("aria-pressed", "true")
    assert page.locator("nav [data-show]").all_inner_texts() == [
        "All 6",
        "Accepted 4",
        "Rejected 2",
        "By hand 0",
        "Changed 0",
    ]
    show(page, "hand")
    assert seeds(page) == [] and page.locator("#none").is_visible()
    page.locator("#none button").click()
    assert len(seeds(page)) == 12


def test_decided_by_hand_and_otherwise_than_the_filter(page: Page) -> None:
    press(page, "a", "ArrowRight", "a", "ArrowRight", "r")  # 1 as the filter said, 3 and 5 otherwise
    show(page, "hand")
    assert seeds(page) == [1, 3, 5]
    show(page, "differ")
    assert seeds(page) == [3, 5]


def test_the_best_score_first(page: Page, out: Path) -> None:
    page.locator("#order").select_option("score")
    state = read_state(out)
    best = sorted(state.tries, key=lambda entry: -entry.scores[0][1])
    scores = [float(text) for text in page.locator(".card .score").all_inner_texts()]
    assert scores == [entry.scores[0][1] for entry in best] and sorted(scores) != scores
    press(page, "Home", "Enter", "ArrowRight")
    assert panes(page) == [best[1].seed]


def test_keys_go_from_picture_to_picture(page: Page) -> None:
    press(page, "ArrowRight", "ArrowRight")
    assert current(page) == 5 and page.evaluate("document.activeElement.closest('.card .open') !== null")
    press(page, "End")
    assert current(page) == 12
    press(page, "ArrowRight", "Home", "ArrowDown")
    columns = page.evaluate(
        "[...document.querySelectorAll('.card')].filter(c => c.style.transform.endsWith(', 0px)')).length"
    )
    assert current(page) == [1, 3, 5, 7, 9, 11, 2, 4, 6, 8, 10, 12][columns]
    press(page, "ArrowUp", "ArrowUp", "ArrowLeft")
    assert current(page) == 1
    assert page.locator('.card [tabindex="0"]').count() == 4  # one card's link and buttons are in the tab order


def test_the_picture_at_hand_is_in_sight_as_a_whole(page: Page) -> None:
    for keys in (["ArrowDown"], ["ArrowDown"], ["Home"], ["End"]):
        press(page, *keys)
        box, tools = page.locator(".card.current").bounding_box(), page.locator("#tools").bounding_box()
        assert box["y"] >= tools["y"] + tools["height"] and box["y"] + box["height"] <= 800


def test_accepting_and_rejecting_is_written_at_once(page: Page, out: Path) -> None:
    press(page, "r")
    expect(card(page, "red bag", 1)).to_have_class(re.compile("rejected"))
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Rejected by hand")
    assert page.locator("#product option").nth(1).inner_text() == "✓ red bag: 3 of 2"
    expect(card(page, "red bag", 1).locator(".open")).to_have_attribute("href", "./red%20bag/rejected/1.jpg")
    assert hands(out) == [{"product": "red bag", "number": 0, "decision": "rejected"}]
    assert (out / "red bag/rejected/1.jpg").is_file()
    press(page, "u")
    expect(card(page, "red bag", 1).locator(".open")).to_have_attribute("href", "./red%20bag/1.jpg")
    assert hands(out)[-1]["decision"] is None and (out / "red bag/1.jpg").is_file()
    card(page, "shoe", 6).get_by_role("button", name="Accept shoe, seed 6").click()
    expect(card(page, "shoe", 6).locator(".open")).to_have_attribute("href", "./shoe/6.jpg")
    expect(page.locator("#status")).to_have_text("shoe, seed 6: Accepted by hand")
    assert "9 accepted, 4 wanted" in page.locator("h1").inner_text()


def test_fast_keys_are_kept_in_their_order(page: Page, out: Path) -> None:
    press(page, *["r", "a", "r", "u", "x", "ArrowRight"] * 6)
    for _ in range(200):
        if len(hands(out)) == 30:
            break
        page.wait_for_timeout(50)
    for seed in (1, 3, 5, 7, 9, 11):
        expect(card(page, "red bag", seed).locator(".open")).to_have_attribute(
            "href", f"./red%20bag/rejected/{seed}.jpg"
        )
    assert [hand["decision"] for hand in hands(out)] == ["rejected", "accepted", "rejected", None, "rejected"] * 6


def test_going_on_and_taking_back(page: Page, out: Path) -> None:
    press(page, "Shift+R", "Shift+R")
    assert current(page) == 5
    press(page, "Control+z")
    assert current(page) == 3
    expect(card(page, "red bag", 3).locator(".decision")).to_have_text("Rejected")
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Rejected by hand")
    show(page, "accepted")
    first = current(page)
    assert first == 5
    press(page, "r")  # it is in this filter no more: the next one is at hand, and none is left out
    assert current(page) == 7
    press(page, "Enter", "Shift+R")
    assert panes(page) == [11]  # 9 is rejected by the filter
    press(page, "Escape")
    assert current(page) == 11
    assert seeds(page) == [11, 2, 4, 8, 10]


@contextmanager
def full_disk(page: Page) -> Iterator[None]:
    """While decisions are refused."""
    answer = json.dumps({"error": "The disk is full."})
    page.route("**/decide", lambda route: route.fulfill(status=409, content_type="application/json", body=answer))
    yield
    page.unroute("**/decide")


def test_what_cannot_be_written_stays_in_the_page_and_is_tried_again(page: Page, out: Path) -> None:
    bar, decision = page.locator("#bars .unkept"), card(page, "red bag", 1).locator(".decision")
    with full_disk(page):
        press(page, "r")
        expect(bar).to_contain_text("A decision about red bag, seed 1 is not kept yet. The disk is full.")
        expect(decision).to_have_text("Rejected by hand, not kept")
        bar.locator(".again").click()
        expect(bar).to_be_visible()
        press(page, "ArrowRight", "a")
        expect(bar).to_contain_text("2 decisions are not kept yet")
    bar.locator(".again").click()
    expect(bar).to_be_hidden()
    expect(decision).to_have_text("Rejected by hand")
    assert [(hand["number"], hand["decision"]) for hand in hands(out)] == [(0, "rejected"), (1, "accepted")]


def test_what_cannot_be_written_can_be_given_up(page: Page, out: Path) -> None:
    with full_disk(page):
        press(page, "r")
        expect(page.locator("#bars .unkept")).to_be_visible()
        page.locator("#bars .unkept .give-up").click()
        expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Accepted")
        assert page.locator("#product option").nth(1).inner_text() == "✓ red bag: 4 of 2"
    expect(page.locator("#bars .unkept")).to_be_hidden()
    page.reload()
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Accepted")
    assert hands(out) == []


def test_a_review_that_is_killed_between_key_and_answer_is_told_after_reload(page: Page, out: Path) -> None:
    press(page, "Enter")
    page.route("**/decide", lambda route: route.abort())
    press(page, "r")
    expect(page.locator("#viewer .unkept")).to_contain_text("does not answer any more")
    expect(page.locator(".pane .decision")).to_have_text("Rejected by hand, not kept, accepted by the filter")
    page.reload()
    page.unroute("**/decide")
    expect(page.locator("#bars .unkept")).to_contain_text("It had not been written when the page was closed")
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Rejected by hand, not kept")
    with ShootLedger(out, None, resume=True) as ledger:  # it had come to the disk after all
        ledger.decide("red bag", 0, Hand("rejected"))
    page.reload()
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Rejected by hand")
    expect(page.locator("#bars .unkept")).to_be_hidden()


def test_the_large_view(page: Page, out: Path) -> None:
    press(page, "ArrowRight", " ")
    assert panes(page) == [3]
    page.wait_for_selector(".stage .full")
    source = page.locator(".stage .full").get_attribute("src")
    assert loaded(page) and source == "./red%20bag/rejected/3.jpg"
    words = page.locator(".pane .info").inner_text()
    for word in ("red bag", "seed 3", "Rejected", "found red bag", "on a table", "http://127.0.0.1:1", "1.5 s"):
        assert word in words
    assert page.locator(".where").inner_text() == "2 of 12"
    press(page, "ArrowRight")
    assert panes(page) == [5]
    page.locator("#viewer .previous").click()
    assert panes(page) == [3] and page.url.endswith("#red%20bag/3")
    page.locator(".pane .accept").click()
    expect(page.locator(".pane .more a")).to_have_attribute("href", "./red%20bag/3.jpg")
    expect(page.locator(".pane .decision")).to_have_text("Accepted by hand, rejected by the filter")
    page.locator(".pane .withdraw").click()
    expect(page.locator(".pane .decision")).to_have_text("Rejected")
    press(page, "Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    assert current(page) == 3 and "#" not in page.url


def test_side_by_side_with_the_same_zoom(page: Page, out: Path) -> None:
    press(page, "c")
    assert panes(page) == [1, 3]
    press(page, "ArrowRight", "ArrowRight")
    assert panes(page) == [1, 7]  # the first stays, the other is stepped
    press(page, "r")
    expect(page.locator(".pane.active .decision")).to_contain_text("Rejected by hand")
    page.wait_for_function("() => document.querySelectorAll('.stage .full').length === 2")
    press(page, "z")
    scales = page.locator(".stage img").evaluate_all("all => all.map(one => one.style.transform.match(/scale.*/)[0])")
    assert scales == ["scale(1)", "scale(1)"]
    press(page, "z", "s")
    assert panes(page) == [7, 9]
    press(page, "1", "a")
    expect(page.locator(".pane").nth(0).locator(".decision")).to_contain_text("Accepted by hand")
    page.wait_for_function("() => document.querySelector('.pane .more a').href.endsWith('red%20bag/7.jpg')")
    assert [hand["number"] for hand in hands(out)] == [3, 3]
    press(page, "c")
    assert panes(page) == [7]


def test_up_to_four_chosen_ones_are_compared(page: Page) -> None:
    press(page, "m", "ArrowRight", "ArrowRight", "m", "ArrowRight", "m")
    card(page, "red bag", 9).locator(".mark").click()
    expect(page.locator("#chosen")).to_contain_text("4 pictures chosen")
    card(page, "red bag", 11).locator(".mark").click()
    expect(page.locator("#bars .said")).to_contain_text("No more than 4")
    page.locator("#chosen .compare").click()
    assert panes(page) == [1, 5, 7, 9] and page.locator(".pane.active .seed").inner_text() == "seed 1"
    press(page, "ArrowRight")
    assert panes(page) == [3, 5, 7, 9]
    press(page, "ArrowRight")
    assert panes(page) == [11, 5, 7, 9]  # those that are shown already are passed over
    page.locator(".pane").nth(1).locator(".drop").click()
    assert panes(page) == [11, 7, 9]


def test_the_wheel_zooms_around_the_pointer_in_all_panes(page: Page) -> None:
    press(page, "c")
    page.wait_for_function("() => document.querySelectorAll('.stage .full').length === 2")
    box = page.locator(".stage").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    spot = "all => all.map(one => one.spot.scale)"
    before = page.locator(".stage").evaluate_all(spot)
    page.mouse.wheel(0, -300)
    page.wait_for_function("() => document.querySelector('.stage.zoomed')")
    after = page.locator(".stage").evaluate_all(spot)
    assert after[0] > before[0] and after[0] == after[1]
    press(page, "z")
    assert page.locator(".stage").evaluate_all(spot) == before


def test_a_link_to_one_picture_opens_it(served: Served, open_page: OpenPage) -> None:
    page = open_page(f"{served.server.address}#red%20bag/7")
    assert panes(page) == [7]
    page.evaluate("location.hash = '#shoe/8'")
    page.wait_for_function("() => document.querySelector('.pane .product').textContent === 'shoe'")
    assert panes(page) == [8]
    assert open_page(f"{served.server.address}#no/thing").locator("#viewer").is_hidden()


def test_a_page_that_is_a_file_keeps_decisions_and_saves_them(file_page: Page, out: Path, tmp_path: Path) -> None:
    page = file_page
    assert page.locator(".card img").evaluate_all(
        "all => all.every(one => one.src.startsWith('data:image/jpeg;base64,'))"
    )
    press(page, "r", "ArrowRight", "a", "ArrowRight", "r", "u")
    expect(page.locator("#unsaved")).to_contain_text("2 decisions are only in this page")
    command = page.locator("#unsaved code").inner_text()
    assert command == f"python3 photoshoot.py review '{out}' --apply decisions.json"
    press(page, "Home", "Enter")
    page.wait_for_selector(".stage .full")
    assert loaded(page)  # where the shoot left it, whatever is decided in the page
    press(page, "Escape")
    page.reload()
    expect(page.locator("#unsaved")).to_contain_text("2 decisions")
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Rejected by hand")
    with page.expect_download() as download:
        page.locator("#unsaved button").click()
    assert download.value.suggested_filename == "decisions.json"
    download.value.save_as(tmp_path / "decisions.json")
    assert json.loads((tmp_path / "decisions.json").read_text()) == [
        {"product": "red bag", "number": 0, "decision": "rejected"},
        {"product": "red bag", "number": 1, "decision": "accepted"},
    ]
    result = apply(out, tmp_path / "decisions.json")
    assert result.exit_code == 0 and "1 accepted, 1 rejected" in result.output
    page.reload()
    expect(page.locator("#unsaved")).to_be_hidden()
    expect(card(page, "red bag", 1).locator(".decision")).to_have_text("Rejected by hand")


def test_what_was_decided_elsewhere_since_stands_above_the_page(file_page: Page, out: Path) -> None:
    press(file_page, "r")
    with ShootLedger(out, None, resume=True) as ledger:
        ledger.decide("red bag", 0, Hand("accepted"))
    write_report(out, ShootFolder(out).view())
    file_page.reload()
    expect(file_page.locator("#unsaved")).to_be_hidden()
    expect(card(file_page, "red bag", 1).locator(".decision")).to_have_text("Accepted by hand")


def test_a_picture_that_has_moved_since_is_found_and_a_lost_one_is_said(file_page: Page, out: Path) -> None:
    with ShootLedger(out, None, resume=True) as ledger:
        ledger.decide("red bag", 0, Hand("rejected"))
    (out / "red bag/rejected/3.jpg").unlink()
    press(file_page, "Enter")
    file_page.wait_for_selector(".stage .full")
    assert loaded(file_page)
    press(file_page, "ArrowRight")
    expect(file_page.locator(".stage .gone")).to_contain_text("red bag/rejected/3.jpg is not beside this page")
    assert file_page.locator(".stage .low").evaluate("image => image.naturalWidth > 0")


@pytest.mark.parametrize("kind", ["file", "served"])
def test_words_of_users_stay_words(tmp_path: Path, open_page: OpenPage, kind: str) -> None:
    out = make_shoot(tmp_path / "out", names=(EVIL, "100% #?/.. bag"))
    one = Served(out)
    try:
        write_report(out, ShootFolder(out).view())
        page = open_page((out / "report.html").as_uri() if kind == "file" else one.server.address)
        press(page, "Enter")
        page.wait_for_selector(".stage .full")
        assert page.locator(".pane .product").inner_text() == EVIL and loaded(page)
        press(page, "r", "End")
        page.wait_for_selector(".stage .full")
        address = page.url
        assert loaded(page) and address.endswith("#100%25%20%23%3F%2F..%20bag/6")
        assert panes(open_page(address)) == [6]
        assert page.evaluate("window.evil === undefined && !document.querySelector('img[src=x]')")
    finally:
        one.close()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("//evil.example/1.jpg", ".///evil.example/1.jpg"),
        ("javascript:window.evil=1", "./javascript%3Awindow.evil%3D1"),
        ("../../outside/1.jpg", "./outside/1.jpg"),
        ("a?b#c%41/1.jpg", "./a%3Fb%23c%2541/1.jpg"),
    ],
)
def test_a_ledgers_path_leads_nowhere_else(out: Path, open_page: OpenPage, file: str, expected: str) -> None:
    view = ShootFolder(out).view()
    view["shots"][0]["file"] = file
    write_report(out, view)
    page = open_page((out / "report.html").as_uri())
    expect(card(page, "red bag", 1).locator(".open")).to_have_attribute("href", expected)
    assert page.locator(".open").first.evaluate("link => link.href").startswith("file://")


def test_a_thousand_pictures_keep_the_page_small(tmp_path: Path, open_page: OpenPage) -> None:
    out = make_shoot(tmp_path / "out", names=tuple(f"product {number}" for number in range(20)), count=1000)
    write_report(out, ShootFolder(out).view())
    page = open_page((out / "report.html").as_uri())
    count = "document.querySelectorAll('*').length"
    assert len(seeds(page)) < 60 and page.evaluate(count) < 1500
    for place in (0.3, 0.7, 1):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {place})")
        page.wait_for_timeout(150)
        assert 10 < len(seeds(page)) < 60 and page.evaluate(count) < 1500
        assert page.locator(".card img").evaluate_all("all => all.every(one => one.src.startsWith('data:image/jpeg'))")
    press(page, "End")
    assert current(page) == 1000 and page.locator(".card.current").get_attribute("aria-posinset") == "1000"
    box = page.locator(".card.current").bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 800
    press(page, "Home")
    assert current(page) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_everything_has_a_name_and_can_be_read(page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    press(page, "r", "m")
    for keys in ((), ("Enter",), ("Escape", "c"), ("?",)):
        press(page, *keys)
        assert page.evaluate(UNNAMED) == []
        contrast, text = page.evaluate_handle("document.body").evaluate(CONTRAST)
        assert contrast >= 4.5, text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, "Escape")
    for part in page.locator("#viewer button:visible:not(.reasons button)").all():
        box = part.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
