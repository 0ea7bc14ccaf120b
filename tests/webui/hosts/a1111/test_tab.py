"""The extension's tab in the stand-in host: a folder of pictures in, their picture page out, and on to inpaint."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.webui.generate import job as jobs
from lib_photoshoot.webui.http.picture_pages import address_of
from tests.pages import read_page
from tests.shoot.test_report import make_shoot
from tests.webui.hosts.a1111.conftest import bag
from tests.webui.standin.host import StandIn
from tests.webui.standin.page import Page, picture_shown, uploaded

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


def frame(page: Page) -> str:
    """The address of the picture page that the tab shows."""
    (address,) = re.findall(r'<iframe src="\./([^"?]+)', page.value(f"{TAB}_pictures"))
    return f"/{address}"


def visitor(**headers: str) -> Any:
    """A browser with the host's page."""
    from fastapi.testclient import TestClient
    from modules import shared

    return TestClient(shared.demo.app, base_url="https://webui", headers=headers)


def items(page: Page) -> dict[str, Any]:
    """The pictures that the page in the tab shows, by their names."""
    shown = visitor().get(frame(page))
    assert shown.status_code == 200, shown.text
    return {item["name"]: item for item in read_page(shown.text).items}


def decisions(page: Page) -> Counter[str]:
    """How many pictures the page in the tab shows, by what was decided."""
    return Counter(item["decision"] for item in items(page).values())


def test_a_folder_is_filtered_and_its_results_are_shown(page: Page, photos: Path) -> None:
    steps = run(page, photos)
    out = Path(steps[0][1])
    assert out.parent == photos.parent / "photoshoot" and (out / "report.html").is_file()
    assert "Done in" in page.value(f"{TAB}_progress") and page.value(f"{TAB}_out") == ""
    assert page.shown(f"{TAB}_start", "interactive") and not page.shown(f"{TAB}_stop", "interactive")
    assert page.value(f"{TAB}_open_folder") == str(out)
    assert decisions(page) == {"accepted": 2, "rejected": 1, "unreadable": 1}
    assert items(page)["0"]["regions"][0]["mask"] == "masks/0_1_bag.png"
    files = [view["file"] for item in items(page).values() for view in (item, *item.get("views", ())) if view["file"]]
    answers = [visitor().get(frame(page).replace("report.html", name)) for name in files]
    assert len(answers) >= 6 and {answer.headers["content-type"] for answer in answers} == {"image/png"}
    originals = [np.asarray(Image.open(photos / f"{number}.png")) for number in range(3)]
    assert all((now == np.asarray(bag(lit=n < 2, place=(20 + 10 * n, 30)))).all() for n, now in enumerate(originals))


def test_products_of_a_folder_are_put_into_a_presets_scene(page: Page, photos: Path) -> None:
    page.fire(f"{TAB}_scene", "focus")
    choices = page.choices(f"{TAB}_scene")
    assert "Marble, soft shadow" in map(str, choices) and "Retouch only" not in map(str, choices)
    run(page, photos, scene="Marble, soft shadow", enhance="Only mask and cut-out")
    out = Path(page.value(f"{TAB}_open_folder"))
    entries = json.loads((out / "report.json").read_text())["images"]
    scene = next(entry["scene"] for entry in entries if "scene" in entry)
    assert scene["changed_product_pixels"] == 0 < scene["kept_pixels"] and scene["painter"] == "surface"
    corner = np.asarray(Image.open(out / "enhanced" / "0.png").convert("RGB"))[0, 0]
    assert np.abs(corner.astype(int) - (0xF4, 0xF2, 0xEF)).max() <= 2
    run(page, photos, scene="Retouch only")
    assert "says nothing of a scene" in page.value(f"{TAB}_progress")


def test_a_picture_is_decided_about_in_the_tab(page: Page, photos: Path) -> None:
    run(page, photos)
    place, reference = frame(page).replace("report.html", "decide"), items(page)["0"]["reference"]
    body = {"decisions": [reference | {"decision": "rejected"}]}
    assert visitor(**{"sec-fetch-site": "cross-site"}).post(place, json=body).status_code == 403
    assert visitor(**{"content-type": "text/plain"}).post(place, content=json.dumps(body)).status_code == 415
    kept = visitor(**{"sec-fetch-site": "same-origin", "origin": "https://another.name"}).post(place, json=body)
    assert kept.status_code == 200 and kept.json()["shots"][0]["by_hand"] == "rejected", "the host has many names"
    assert items(page)["0"]["by_hand"] == "rejected"
    report = Path(page.value(f"{TAB}_open_folder")) / "report.html"
    deadline = time.monotonic() + 30
    while not any(item["by_hand"] for item in read_page(report.read_text()).items):
        assert time.monotonic() < deadline, "the file is another one after a moment"
        time.sleep(0.05)
    assert '"hand"' in (Path(page.value(f"{TAB}_open_folder")) / "decisions.jsonl").read_text()


def test_the_page_may_have_the_pictures_and_strangers_may_not(page: Page, photos: Path) -> None:
    from modules import shared

    run(page, photos)
    assert visitor().get(frame(page)).status_code == 200
    shared.demo.app.auth = {"me": "m"}
    for name in ("report.html", "overlays/0.png", "decide"):
        refused = visitor().get(frame(page).replace("report.html", name))
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Basic"
    assert visitor().post(frame(page).replace("report.html", "decide"), json={}).status_code == 401
    shared.demo.app.tokens = {"t": "me"}
    assert visitor(cookie="access-token=t").get(frame(page)).status_code == 200


def test_folders_are_opened_that_the_webui_may_reach(page: Page, photos: Path, tmp_path: Path) -> None:
    run(page, photos, photos.parent / "mine")
    shown = frame(page)
    page.set(f"{TAB}_open_folder", f" {photos.parent / 'mine'} ")
    page.fire(f"{TAB}_open_button")
    assert frame(page) == shown
    make_shoot(photos.parent / "spring")
    page.set(f"{TAB}_open_folder", str(photos.parent / "spring"))
    page.fire(f"{TAB}_open_folder", "submit")
    assert "red bag" in items(page) and frame(page) != shown
    shutil.copytree(photos.parent / "mine", tmp_path / "else")
    page.set(f"{TAB}_open_folder", str(photos))
    page.fire(f"{TAB}_open_button")
    assert [item["decision"] for item in items(page).values()].count("accepted") == 3, "photos that would be trained on"
    bag().save(tmp_path / "secret.png")
    (photos.parent / "linking").mkdir()
    (photos.parent / "linking" / "link.png").symlink_to(tmp_path / "secret.png")
    (photos.parent / "empty").mkdir()
    for folder, words in (
        (tmp_path / "else", "lies outside"),
        (photos.parent / "empty", "holds no shoot"),
        (photos / "x", "no folder"),
        (photos.parent / "linking", "leads out of the folders"),
    ):
        page.set(f"{TAB}_open_folder", str(folder))
        page.fire(f"{TAB}_open_button")
        assert words in page.value(f"{TAB}_pictures") and "iframe" not in page.value(f"{TAB}_pictures")
    elsewhere = f"/{address_of(tmp_path / 'else')}"
    assert visitor().get(elsewhere).status_code == 403
    assert visitor().get(elsewhere.replace("report.html", "overlays/0.png")).status_code == 403
    assert visitor().get("/photoshoot/v1/pictures/%2e%2e/report.html").status_code == 404


def test_what_the_extension_made_is_shown_where_no_folder_may_be_named(fresh: Callable[..., StandIn]) -> None:
    host = fresh(hide_ui_dir_config=True)
    page = Page(host.page)
    bag().save(host.folder / "mine.png")
    page.set(f"{TAB}_files", [uploaded(host.folder / "mine.png")])
    run(page, "")
    assert decisions(page) == {"accepted": 1}
    shutil.copytree(page.value(f"{TAB}_open_folder"), host.outputs / "copy")
    assert visitor().get(f"/{address_of(host.outputs / 'copy')}").status_code == 403


def send(page: Page, place: str, number: int) -> None:
    """Press the button that the picture page has in the tab."""
    page.fire(f"{TAB}_send", script=lambda chosen: [json.dumps([place, number])])


def test_a_picture_goes_to_inpaint_with_its_mask(page: Page, photos: Path) -> None:
    run(page, photos)
    send(page, frame(page).split("/")[-2], items(page)["1"]["id"])
    sent = (picture_shown(page.value(name)) for name in ("img_inpaint_base", "img_inpaint_mask"))
    picture, mask = (np.asarray(one.convert("RGB")) for one in sent)
    assert (picture[..., :3] == np.asarray(bag(place=(30, 30)))).all()
    assert mask[30:62, 30:62].min() == 255 and (mask > 0).any(2).sum() == 32 * 32


def test_what_cannot_be_sent_is_told(page: Page, photos: Path, tmp_path: Path) -> None:
    import gradio

    run(page, photos, photos.parent / "mine")
    make_shoot(photos.parent / "spring")
    place, shoot = (address_of(photos.parent / name).split("/")[-2] for name in ("mine", "spring"))
    number = items(page)["0"]["id"]
    bag(side=128).save(photos / "0.png")
    for where, picture, words in (
        (place, number, "was changed since"),
        (place, 7, "has no such picture"),
        (shoot, 0, "Only pictures of a filter's run"),
        ("Lw", 0, "lies outside the folders"),
    ):
        with pytest.raises(gradio.Error, match=words):
            send(page, where, picture)


def test_pictures_may_be_dropped(page: Page, tmp_path: Path) -> None:
    bag().save(tmp_path / "mine.png")
    page.set(f"{TAB}_files", [uploaded(tmp_path / "mine.png")])
    run(page, "")
    assert decisions(page) == {"accepted": 1}


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
    assert page.value(f"{TAB}_pictures") == ""


def test_an_alias_that_finds_nothing_is_told(page: Page, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_check_words", CHECK_WORDS)
    steps = run(page, photos, products="bag = Xyzzy", detector="embedded")
    assert "does not know" in "".join(str(step[0]) for step in steps)


def test_links_that_lead_outside_are_left_out(page: Page, photos: Path, tmp_path: Path) -> None:
    bag().save(tmp_path / "secret.png")
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    steps = run(page, photos)
    assert "Left out: 1 linked" in "".join(str(step[0]) for step in steps)
    assert decisions(page)["accepted"] == 2
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
        assert "Stopped" in one.value(f"{TAB}_progress") and decisions(one) == {"accepted": 1}
    assert page.value(f"{TAB}_out") == str(photos.parent / "mine"), "to go on with"
    run(page, photos, photos.parent / "mine")
    assert "Done in" in page.value(f"{TAB}_progress")
    assert decisions(page)["accepted"] == 2


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
