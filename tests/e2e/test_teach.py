"""A product is taught in the panel: photos are dropped, the product is found by them, and all of it is forgotten."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from PIL import Image, ImageEnhance, ImageOps

from tests.e2e import test_page
from tests.e2e.conftest import WebUi, encoded
from tests.e2e.test_page import Panel, expect, first, prompt_box

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = test_page.pytestmark
# The fixtures of the other page's tests.
browser, open_page, page = test_page.browser, test_page.open_page, test_page.page

NAME = "bag of the tests"
EXAMPLES = "/photoshoot/v1/examples"
DROP = """(input, files) => {
    const given = new DataTransfer();
    for (const [name, text] of files) {
        const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
        given.items.add(new File([bytes], name, {type: "image/png"}));
    }
    input.parentElement.dispatchEvent(new DragEvent("drop", {dataTransfer: given, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def photos(bag: Path, tmp_path: Path) -> list[Path]:
    """The same bag as other photos would show it: turned over, darker, smaller in its frame."""
    shown = Image.open(bag).convert("RGB")
    white = Image.new("RGB", (shown.width * 3 // 2, shown.height * 3 // 2), "white")
    white.paste(shown, (shown.width // 4, shown.height // 4))
    views = [ImageOps.mirror(shown), ImageEnhance.Brightness(shown).enhance(0.8), white]
    paths = [tmp_path / f"view {number}.png" for number in range(len(views))]
    for view, path in zip(views, paths, strict=True):
        view.save(path)
    return paths


@pytest.fixture
def forgetting(webui: WebUi) -> Iterator[None]:
    """Whatever the test leaves taught is forgotten: it lies in the extension's own folder."""
    yield
    if NAME in [one["name"] for one in webui.call(EXAMPLES)["examples"]]:
        forget(webui)


def forget(webui: WebUi) -> None:
    address = f"{webui.url}{EXAMPLES}/{NAME.replace(' ', '%20')}"
    urlopen(Request(address, method="DELETE"), timeout=60).close()


@pytest.mark.usefixtures("forgetting")
def test_a_product_is_taught_by_dropped_photos_and_found(
    page: Page, webui: WebUi, photos: list[Path], bag: Path, moon: Path
) -> None:
    panel = Panel(page).open("cup")
    panel.toggle("teach")
    dropped = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in photos]
    panel.part("teach_files", "input[type=file]").evaluate(DROP, dropped)
    expect(panel.part("teach_files")).to_contain_text(re.compile(r"view 2\s*\.png"))
    panel.part("teach_name", "input").fill(NAME.title())
    panel.part("teach_button").click()
    expect(panel.part("teach_status")).to_contain_text(f"Taught as '{NAME}'")
    expect(page.locator(f"#photoshoot_{panel.tab}_teach_status").first.locator("img")).to_have_count(3)
    products = f"cup, {NAME} = @{NAME}"
    expect(panel.part("products", "textarea")).to_have_value(products)
    assert {"name": NAME, "pictures": 3, "products": f"{NAME} = @{NAME}"} in webui.call(EXAMPLES)["examples"]

    settings = {"products": f"{NAME} = @{NAME}", "on_match": "mask and cut-out only"}
    found = webui.generate([bag], settings)
    assert f"found {NAME}" in found.texts[0] and f"@{NAME}" in found.texts[0]
    assert "skipped" in webui.generate([moon], settings).texts[0]
    answer = webui.call("/photoshoot/v1/detect", {"image": encoded(bag), "settings": settings})
    assert [region["product"] for region in answer["regions"]] == [NAME]

    prompt_box(page).fill(found.texts[0])
    first(page, "#paste").click()
    expect(panel.part("products", "textarea")).to_have_value(settings["products"])

    page.on("dialog", lambda dialog: dialog.accept())
    panel.part("taught_remove").click()
    expect(panel.part("teach_status")).to_contain_text("Forgot")
    assert NAME not in json.dumps(webui.call(EXAMPLES))
    assert f"No product was taught as '{NAME}'" in json.loads(json.dumps(webui.generate([bag], settings).texts[0]))


def test_examples_come_with_a_request(webui: WebUi, photos: list[Path], bag: Path, moon: Path) -> None:
    examples = {"my bag": [encoded(path) for path in photos]}
    for picture, decision in ((bag, "match"), (moon, "skip")):
        answer = webui.call("/photoshoot/v1/detect", {"image": encoded(picture), "examples": examples})
        assert answer["decision"] == decision
