"""The extension's tab in the stand-in host: a folder of pictures in, results out, page by page, and on to inpaint."""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.webui.generate import job as jobs
from tests.webui.hosts.a1111.conftest import bag
from tests.webui.standin.host import StandIn
from tests.webui.standin.page import Page

TAB = "photoshoot_tab"
CHECK_WORDS = jobs._check_words
"""The real one: the fixture's models take any word."""


@pytest.fixture
def page(fresh: Callable[..., StandIn]) -> Page:
    """A tab is asked for one run after the other: a host for each test."""
    return Page(fresh().page)


@pytest.fixture
def photos(page: Page) -> Path:
    """Two bags and a dark picture, in a folder that may be read, and a file that is no picture."""
    from modules import paths

    folder = Path(paths.data_path) / "outputs" / "photos"
    folder.mkdir(parents=True)
    for number in range(3):
        bag(lit=number < 2, place=(20 + 10 * number, 30)).save(folder / f"{number}.png")
    (folder / "notes.png").write_text("no picture")
    return folder


def run(page: Page, folder: Path | str, out: Path | str = "", **values: Any) -> list[list[Any]]:
    page.set(f"{TAB}_products", "bag")
    page.set(f"{TAB}_folder", str(folder))
    page.set(f"{TAB}_out", str(out))
    for name, value in values.items():
        page.set(f"{TAB}_{name}", value)
    return page.fire(f"{TAB}_start")


def test_a_folder_is_filtered_and_its_results_are_shown(page: Page, photos: Path) -> None:
    from modules import shared, ui_tempdir

    steps = run(page, photos)
    out = Path(steps[0][1])
    assert out.parent == photos.parent / "photoshoot" and (out / "report.html").is_file()
    assert "Done in" in page.value(f"{TAB}_progress") and page.value(f"{TAB}_out") == ""
    assert page.shown(f"{TAB}_start", "interactive") and not page.shown(f"{TAB}_stop", "interactive")
    assert page.shown(f"{TAB}_gallery", "visible")
    shows = page.shown(f"{TAB}_show", "choices")
    assert [label for label, _ in shows] == ["With a product (2)", "Skipped (1)", "Unreadable (1)"]
    assert page.value(f"{TAB}_pictures").count("<article") == 2
    address = re.search(r'href="(file=[^"?]+)', page.value(f"{TAB}_summary"))
    assert address and ui_tempdir.check_tmp_file(shared.demo, str(out / "report.html"))
    shown = [path for kind in ("overlays", "enhanced", "masks", "cutouts") for path in (out / kind).iterdir()]
    assert shown and all(ui_tempdir.check_tmp_file(shared.demo, str(path)) for path in shown)  # what the report shows
    for show, words in (("skip", "2.png"), ("unreadable", "notes.png")):
        page.set(f"{TAB}_show", show)
        page.fire(f"{TAB}_show", "input")
        assert words.split(".")[0] in page.value(f"{TAB}_pictures") and "<article" not in page.value(f"{TAB}_pictures")
    originals = [np.asarray(Image.open(photos / f"{number}.png")) for number in range(3)]
    assert all((now == np.asarray(bag(lit=n < 2, place=(20 + 10 * n, 30)))).all() for n, now in enumerate(originals))


def test_the_page_may_have_the_report_and_strangers_may_not(page: Page, photos: Path) -> None:
    from fastapi.testclient import TestClient
    from modules import shared

    run(page, photos)
    address = re.search(r'href="(file=[^"]+)', page.value(f"{TAB}_summary"))
    assert address
    visitor = TestClient(shared.demo.app, base_url="https://webui")
    assert visitor.get(f"/{address[1]}").status_code == 200
    shared.demo.app.auth = {"me": "m"}
    assert visitor.get(f"/{address[1]}").status_code == 401


def test_results_are_turned_page_by_page(page: Page, photos: Path) -> None:
    for number in range(10, 24):
        bag().save(photos / f"{number}.png")
    run(page, photos, enhance="Only mask and cut-out")
    assert page.shown(f"{TAB}_pages", "visible") and "1 / 2" in page.value(f"{TAB}_place")
    page.fire(f"{TAB}_after")
    assert "2 / 2" in page.value(f"{TAB}_place") and page.value(f"{TAB}_pictures").count("<article") == 4
    page.fire(f"{TAB}_after")
    assert "2 / 2" in page.value(f"{TAB}_place")
    page.fire(f"{TAB}_before")
    assert "1 / 2" in page.value(f"{TAB}_place")


def test_a_picture_goes_to_inpaint_with_its_mask(page: Page, photos: Path) -> None:
    run(page, photos)
    page.fire(f"{TAB}_send", script=lambda chosen, results: [1, results])
    picture, mask = (from_page(page.value(name)) for name in ("img_inpaint_base", "img_inpaint_mask"))
    assert (picture[..., :3] == np.asarray(bag(place=(30, 30)))).all()
    assert mask[30:62, 30:62].min() == 255 and (mask > 0).any(2).sum() == 32 * 32


def from_page(value: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(value.partition(",")[2]))).convert("RGB"))


def test_what_is_sent_without_results_is_told(page: Page) -> None:
    import gradio

    with pytest.raises(gradio.Error, match="results are gone"):
        page.fire(f"{TAB}_send", script=lambda chosen, results: [0, None])


def test_pictures_may_be_dropped(page: Page, tmp_path: Path) -> None:
    bag().save(tmp_path / "mine.png")
    page.set(f"{TAB}_files", [{"name": str(tmp_path / "mine.png"), "data": None, "is_file": True}])
    run(page, "")
    assert page.shown(f"{TAB}_show", "choices")[0][0] == "With a product (1)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"folder": ""}, "There is nothing to filter yet"),
        ({"folder": "/etc"}, "lies outside the folders"),
        ({"out": "/etc/photoshoot"}, "lies outside the folders"),
        ({"products": ""}, "product list is empty"),
    ],
)
def test_mistakes_are_told_and_no_folder_is_made(page: Page, photos: Path, change: dict[str, str], words: str) -> None:
    page.set(f"{TAB}_products", change.get("products", "bag"))
    page.set(f"{TAB}_folder", change.get("folder", str(photos)))
    page.set(f"{TAB}_out", change.get("out", ""))
    page.fire(f"{TAB}_start")
    assert words in page.value(f"{TAB}_progress") and not (photos.parent / "photoshoot").exists()
    assert not page.shown(f"{TAB}_gallery", "visible")


def test_an_alias_that_finds_nothing_is_told(page: Page, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_check_words", CHECK_WORDS)
    steps = run(page, photos, products="bag = Xyzzy", detector="embedded")
    assert "does not know" in "".join(str(step[0]) for step in steps)


def test_links_that_lead_outside_are_left_out(page: Page, photos: Path, tmp_path: Path) -> None:
    bag().save(tmp_path / "secret.png")
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    steps = run(page, photos)
    assert "Left out: 1 linked" in "".join(str(step[0]) for step in steps)
    assert page.shown(f"{TAB}_show", "choices")[0][0] == "With a product (2)"
    for file in photos.iterdir():
        file.unlink()
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    run(page, photos)
    assert "All pictures there are links" in page.value(f"{TAB}_progress")


def test_a_run_is_stopped_watched_by_another_page_and_goes_on(
    page: Page, photos: Path, models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules import shared

    begun, free, plain = threading.Event(), threading.Event(), models.filter

    def waits(*arguments: Any, **more: Any) -> Any:
        begun.set()
        assert free.wait(20)
        return plain(*arguments, **more)

    monkeypatch.setattr(models, "filter", waits)
    started = threading.Thread(target=run, args=(page, photos, photos.parent / "mine"))
    started.start()
    assert begun.wait(20)
    other = Page(shared.demo)
    watching = threading.Thread(target=run, args=(other, "/etc"))  # not asked: there is a run
    watching.start()
    page.fire(f"{TAB}_stop")
    free.set()
    started.join(30)
    watching.join(30)
    for one in (page, other):
        assert "Stopped" in one.value(f"{TAB}_progress") and one.shown(f"{TAB}_gallery", "visible")
    assert page.value(f"{TAB}_out") == str(photos.parent / "mine"), "to go on with"
    run(page, photos, photos.parent / "mine")
    assert "Done in" in page.value(f"{TAB}_progress")
    assert page.shown(f"{TAB}_show", "choices")[0][0] == "With a product (2)"


def test_without_gradios_queue_the_last_state_is_shown(fresh: Callable[..., StandIn]) -> None:
    host = fresh(no_gradio_queue=True)
    folder = host.outputs / "photos"
    folder.mkdir(parents=True)
    bag().save(folder / "1.png")
    page = Page(host.page)
    assert "Done in" in run(page, folder)[0][0], "the first that the page hears of it"


def test_photos_are_calibrated_with_a_file_of_the_folders_that_may_be_used(page: Page, photos: Path) -> None:
    from lib_photoshoot.calibration.calibration import Calibration, write_calibration
    from lib_photoshoot.calibration.fitting import Error, Fit, FitKind

    fit = Fit(FitKind.MATRIX, np.diag([0.95, 1.0, 1.0]))
    file = photos / "light.json"
    write_calibration(Calibration("light.json", fit, Error(0.5, 1), Error(0.6, 1), {}), file)
    steps = run(page, photos, calibration=str(file))
    assert "calibrated with light.json" in (Path(steps[0][1]) / "report.json").read_text()
    run(page, photos, calibration="/etc/passwd")
    assert "passwd" in page.value(f"{TAB}_progress")
