"""The page itself, driven as a user does: the panel in both tabs, paste-back, presets, the Photoshoot tab, keyboard."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import WebUi

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
expect = sync_api.expect
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no program 'chromium' on this machine")

SAMPLES = ROOT / "samples"
TABS = ("txt2img", "img2img")
PATIENCE_MS = 60_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# The host has its options, and our script has been over the panel.
READY = """() => typeof opts === 'object' && Object.keys(opts).length > 0
    && document.querySelector('#photoshoot_img2img_helper > .label-wrap[aria-expanded]')"""
# The lowest contrast, as WCAG defines it, of all text that is seen inside an element, and that text.
CONTRAST = """root => {
    const parsed = colour => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a));
    const backdrop = node => node ? over(parsed(getComputedStyle(node).backgroundColor), backdrop(node.parentElement))
        : [255, 255, 255];
    const luminance = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    let lowest = [21, "no text"];
    for (const node of root.querySelectorAll("*")) {
        const text = node.matches("input, textarea") ? node.value
            : Array.from(node.childNodes).filter(x => x.nodeType === 3).map(x => x.data).join("").trim();
        if (!text || !node.offsetParent || node.matches("input[type=range], input[type=checkbox], input[type=radio]")) {
            continue;
        }
        const behind = backdrop(node);
        const pair = [over(parsed(getComputedStyle(node).color), behind), behind].map(luminance).sort((a, b) => b - a);
        const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
        lowest = contrast < lowest[0] ? [contrast, text] : lowest;
    }
    return lowest;
}"""

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser(webui: WebUi) -> Iterator[Browser]:
    """The system's Chromium, which reaches the WebUI and nothing else."""
    only = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {urlsplit(webui.url).hostname}"
    with sync_api.sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, only])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, webui: WebUi, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens the WebUI in a session of its own; at the end there are a screenshot and no error of our scripts."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{error.message} {error.stack}"))

    def opened(query: str = "") -> Page:
        page.goto(f"{webui.url}/{query}", wait_until="domcontentloaded")
        page.wait_for_function(READY)
        return page

    yield opened
    page.screenshot(path=tmp_path / "page.png")
    page.close()
    assert not [error for error in errors if "photoshoot" in error]


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


class Panel:
    """One tab's panel in the page."""

    def __init__(self, page: Page, tab: str = "txt2img") -> None:
        self.page, self.tab = page, tab

    def part(self, name: str, selector: str = "") -> Locator:
        return first(self.page, f"#photoshoot_{self.tab}_{name} {selector}".strip())

    @property
    def checkbox(self) -> Locator:
        return self.page.locator(f"#photoshoot_{self.tab}_enabled-visible-checkbox")

    def toggle(self, name: str = "enabled") -> None:
        """Click the title of the panel, or of one of its accordions."""
        self.part(name, "> .label-wrap").click()

    def open(self, products: str) -> Panel:
        self.toggle()
        self.part("products", "textarea").fill(products)
        return self

    def number(self, name: str) -> Locator:
        return self.part(name, "input[type=number]")

    def chosen(self, name: str) -> Locator:
        return self.part(name, "input:checked")


def go_to(page: Page, tab: str) -> None:
    named = re.compile(rf"^\s*{tab}\s*$", re.IGNORECASE)  # Forge's are "Txt2img" and "Img2img"
    page.locator("#tabs > .tab-nav > button").filter(has_text=named).click()


def first(page: Page, selector: str) -> Locator:
    """The host gives some ids twice; the outer or the visible tab's element comes first."""
    return page.locator(selector).first


def prompt_box(page: Page) -> Locator:
    return page.locator("#txt2img_prompt textarea")


@pytest.mark.parametrize("tab", TABS)
def test_the_panel_is_off_and_closed_and_its_title_opens_it(page: Page, tab: str) -> None:
    go_to(page, tab)
    panel = Panel(page, tab)
    expect(panel.part("enabled")).to_be_visible()
    expect(panel.checkbox).not_to_be_checked()
    expect(panel.part("products")).to_be_hidden()
    panel.toggle()
    expect(panel.checkbox).to_be_checked()
    expect(panel.part("products")).to_be_visible()
    expect(panel.part("preview_file")).to_be_disabled()
    panel.toggle()
    expect(panel.checkbox).not_to_be_checked()
    expect(panel.part("products")).to_be_hidden()


def test_the_preview_on_a_file_shows_what_it_finds(page: Page) -> None:
    panel = Panel(page).open("cup")
    with page.expect_file_chooser() as chooser:
        panel.part("preview_file").click()
    chooser.value.set_files(SAMPLES / "coffee.jpg")
    expect(panel.part("preview_text")).to_contain_text("cup")
    expect(panel.part("preview_picture", "img")).to_be_visible()


def test_a_generation_tells_what_was_skipped_and_can_be_previewed(page: Page, allowed: Path) -> None:
    panel = Panel(page).open("handbag")
    prompt_box(page).fill("a bag")
    for name, value in {"width": 128, "height": 128, "steps": 2}.items():
        page.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
    page.locator("#txt2img_generate").click()
    expect(first(page, "#html_log_txt2img")).to_contain_text("Product filter, image 1: skipped")
    expect(first(page, "#html_info_txt2img")).to_contain_text("Product filter result")
    expect(first(page, "#txt2img_gallery img")).to_be_visible()
    panel.part("preview").click()
    expect(panel.part("preview_text")).to_contain_text("Skipped")
    assert list(allowed.rglob("*.png"))


def test_pasting_an_infotext_restores_the_settings(page: Page) -> None:
    settings = {
        "products": 'cup, shoe [prompt="a red shoe"]', "on_no_match": "leave out", "denoise": 0.55, "mask_blur": 7,
        "recheck": False, "cn_mode": "My prompt is more important", "sampler": "Euler", "enhancement": "inpaint",
    }  # fmt: skip
    job = "a bag\nSteps: 2, Sampler: Euler, Schedule type: Automatic, CFG scale: 7, Seed: 5, Size: 128x128"
    panel = Panel(page)
    prompt_box(page).fill(f"{job}, Product filter: {json.dumps(json.dumps(settings))}")
    first(page, "#paste").click()
    expect(panel.checkbox).to_be_checked()
    expect(panel.part("products")).to_be_visible()
    expect(panel.part("products", "textarea")).to_have_value(settings["products"])
    for name in ("on_no_match", "enhancement", "cn_mode"):
        expect(panel.chosen(name)).to_have_value(settings[name])
    for name in ("denoise", "mask_blur"):
        expect(panel.number(name)).to_have_value(str(settings[name]))
    expect(panel.part("recheck", "input")).not_to_be_checked()
    expect(panel.part("sampler", "input")).to_have_value("Euler")
    expect(prompt_box(page)).to_have_value("a bag")
    prompt_box(page).fill(job)
    first(page, "#paste").click()
    expect(panel.checkbox).not_to_be_checked()
    expect(panel.part("products", "textarea")).to_have_value(settings["products"])


def test_the_prompt_helper_writes_the_template_which_can_be_undone(page: Page) -> None:
    panel = Panel(page).open("handbag")
    prompt_box(page).fill("my own words")
    panel.toggle("helper")
    panel.part("helper_product", "textarea").fill("handbag")
    panel.part("helper_write").click()
    expect(prompt_box(page)).to_have_value(
        'ppzocketv2, "handbag", stylish, studio photography, product photography, ultra realistic, '
        "<lora:ppzocketv2-10:1>"
    )
    prompt_box(page).press("Control+z")
    expect(prompt_box(page)).to_have_value("my own words")


def test_a_preset_fills_in_the_panel(page: Page) -> None:
    panel = Panel(page).open("cup")
    panel.part("preset", "input").click()
    panel.part("preset", 'li[aria-label="Gentle ControlNet tile"]').click()
    expect(panel.part("preset_status")).to_contain_text("Gentle ControlNet tile")
    expect(panel.number("denoise")).to_have_value("0.3")
    expect(panel.number("mask_grow")).to_have_value("8")
    expect(panel.part("cn_module", "input")).to_have_value("tile_resample")
    expect(panel.chosen("cn_mode")).to_have_value("ControlNet is more important")
    expect(panel.part("products", "textarea")).to_have_value("cup")
    expect(panel.checkbox).to_be_checked()


def test_the_settings_are_axes_of_the_hosts_grid(page: Page) -> None:
    first(page, "#script_list input").click()
    first(page, "#script_list li[aria-label='X/Y/Z plot']").click()
    axis = "#script_txt2img_xyz_plot_x_type"
    first(page, f"{axis} input").click()
    for label in ("Products", "Denoising strength", "No product found"):
        expect(first(page, f"{axis} li[aria-label='[Photoshoot] {label}']")).to_be_attached()


def test_the_photoshoot_tab_filters_a_folder(page: Page, webui: WebUi, allowed: Path) -> None:
    pictures = sorted(SAMPLES.glob("*.jpg"))
    (allowed / "in").mkdir()
    for path in pictures:
        shutil.copy(path, allowed / "in")
    go_to(page, "Photoshoot")
    tab = Panel(page, "tab")
    tab.part("folder", "textarea").fill(str(allowed / "in"))
    tab.part("products", "textarea").fill("cup")
    tab.part("out", "textarea").fill(str(allowed / "out"))
    tab.part("start").click()
    expect(tab.part("progress")).to_contain_text("Done in")
    shown = page.frame_locator("#photoshoot_tab_pictures iframe")
    expect(shown.locator(".card")).to_have_count(len(pictures))
    shown.locator("[data-show=skip]").click()
    expect(shown.locator(".card")).to_have_count(len(pictures) - 1)
    shown.locator("[data-show=match]").click()
    card = shown.locator(".card")
    expect(card).to_contain_text("coffee")
    expect(card).to_contain_text("cup")
    assert list((allowed / "out" / "cutouts").iterdir())
    card.locator(".reject").click()
    expect(card.locator(".decision")).to_have_text("Rejected by hand")
    decisions = allowed / "out" / "decisions.jsonl"
    deadline = time.monotonic() + 10  # the card shows it before the answer that it is written
    while not decisions.exists() or "rejected" not in decisions.read_text():
        assert time.monotonic() < deadline, "at once"
        page.wait_for_timeout(50)
    link = tab.part("pictures", "a").get_attribute("href")
    alone = page.context.browser.new_page()
    alone.goto(f"{webui.url}/{link}")
    expect(alone.locator("[data-show=hand] span")).to_have_text("1")
    alone.locator(".card", has_text="coffee").locator("img").click()
    expect(alone.locator(".offered button")).to_have_count(0)
    alone.close()
    card.locator("img").click()
    shown.get_by_role("button", name="Send to inpaint").click()
    for element in ("img_inpaint_base", "img_inpaint_mask"):
        expect(first(page, f"#{element} img")).to_be_visible()


def test_a_result_opens_in_the_photoshoot_tab_and_is_enhanced_again(page: Page, bag: Path) -> None:
    panel = Panel(page).open("handbag")
    panel.toggle("decide")
    panel.part("on_match").get_by_label("mask and cut-out only").check()
    first(page, "#txt2img_neg_prompt textarea").fill(f"paint({bag})")
    for name, value in {"width": 512, "height": 512, "steps": 2}.items():  # some hosts begin with four times as much
        page.locator(f"#txt2img_{name} input[type=number]").fill(str(value))
    page.locator("#txt2img_generate").click()
    expect(first(page, "#html_log_txt2img")).to_contain_text("Time taken", timeout=120_000)
    page.locator("#photoshoot_txt2img_outlines").click()
    shown = page.frame_locator("#photoshoot_tab_pictures iframe")
    expect(shown.locator("#viewer .info .product")).to_be_visible(timeout=60_000)
    expect(shown.locator("#viewer .more")).to_contain_text("handbag")
    expect(shown.locator("#viewer .fix")).to_be_visible()
    again = shown.get_by_role("button", name="Enhance again")
    again.click()
    expect(shown.locator("#viewer [data-view=after][aria-pressed=true]")).to_be_visible(timeout=120_000)
    expect(shown.locator("#viewer .problem.said")).to_be_hidden()
    expect(again).to_be_enabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_of_the_panel_stands_out_in_both_themes(open_page: OpenPage, theme: str) -> None:
    page = open_page(f"?__theme={theme}")
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    panel = Panel(page).open("flux capacitor")
    for group in ("detect", "decide", "enhance", "controlnet", "sampling", "helper"):
        panel.toggle(group)
    panel.part("helper_write").click()  # a sentence on what is wrong
    expect(panel.part("helper_status", ".photoshoot-wrong")).to_be_visible()
    # The host's colour of explanations has 2.54 in its light theme; our own sentences have to do better.
    for name, least in {"enabled": 2.5, "helper_status": 4.5}.items():
        contrast, text = panel.part(name).evaluate(CONTRAST)
        assert least <= contrast < 21, f"{text!r} in {theme}"


def tab_until(page: Page, target: Locator) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(300):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("Tab does not reach it")


def test_the_panel_can_be_used_by_keyboard_alone(page: Page) -> None:
    panel = Panel(page)
    prompt_box(page).focus()
    tab_until(page, panel.checkbox)
    page.keyboard.press("Space")
    expect(panel.checkbox).to_be_checked()
    title = panel.part("enabled", "> .label-wrap")  # a button of gradio 4's, and a plain element of gradio 3's
    itself = title.evaluate("element => element.matches('button')")
    tab_until(page, title if itself else panel.part("enabled", "> .label-wrap > .icon"))
    page.keyboard.press("Enter")
    expect(panel.part("products")).to_be_visible()
    tab_until(page, panel.part("products", "textarea"))
    page.keyboard.type("cup")
    head = panel.part("detect", "> .label-wrap")
    tab_until(page, head)
    for key, opened in {"Enter": True, "Space": False}.items():
        page.keyboard.press(key)
        expect(head).to_have_attribute("aria-expanded", json.dumps(opened))
        expect(panel.part("threshold")).to_be_visible(visible=opened)
    expect(panel.checkbox).to_be_checked()
