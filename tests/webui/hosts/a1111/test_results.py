"""The button below the host's gallery: a result on the picture page, its outlines corrected, and enhanced again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.segmentation.protocol import SoftCandidate
from tests.pages import read_page
from tests.webui.hosts.a1111.conftest import ON, SIDE, bag, decoded, differing, encoded, generate, saved
from tests.webui.hosts.a1111.test_tab import frame, items, run, visitor
from tests.webui.standin.host import StandIn
from tests.webui.standin.page import Page, in_gallery

BUTTON = "photoshoot_txt2img_outlines"


@pytest.fixture
def started(fresh: Callable[..., StandIn]) -> StandIn:
    """A host that paints a bag for seed 5, and nothing for 6."""
    host = fresh()
    host.checkpoint.pictures = {5: bag(), 6: bag(lit=False)}
    return host


def press(host: StandIn, file: Path, infotext: str = "", products: str = "") -> Page:
    """Press the button with that picture in the gallery; returns the page, which shows the picture's own."""
    from modules import ui_tempdir

    ui_tempdir.register_tmp_file(host.page, str(file))
    page = Page(host.page)
    page.fire(BUTTON, script=lambda gallery, info, given: [in_gallery(file), infotext, products])
    return page


def ask(page: Page, what: str, body: Any, status: int = 200) -> Any:
    answer = visitor().post(frame(page).replace("report.html", what), json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def made(host: StandIn, **settings: Any) -> Path:
    """A generated picture of the outputs."""
    generate(host, {**ON, **settings}, save_images=True, negative_prompt="blurry")
    return next(path for path in saved(host, "txt2img_samples") if path.parent.name != "photoshoot-masks")


def drawn(box: tuple[int, int, int, int]) -> str:
    """A mask of a picture's size as the page sends it, white in the box."""
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, box)
    return encoded(mask)


def picture_of(page: Page, name: str) -> np.ndarray:
    """A file of the run, uint8 RGB."""
    answer = visitor().get(frame(page).replace("report.html", name))
    assert answer.status_code == 200, name
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))


def changed_in(page: Page, file: Path, item: Any) -> np.ndarray:
    """Where the picture that the page shows as *after* is another than the file: bool (height, width)."""
    after = next(view["file"] for view in (item, *item["views"]) if view.get("view") == "after")
    with Image.open(file) as image:
        return differing(np.asarray(image.convert("RGB")), picture_of(page, after))


@pytest.fixture
def asked(models: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the detector was asked for."""
    calls: list[Any] = []
    detect = models.detector.detect
    monkeypatch.setattr(models.detector, "detect", lambda *given: (calls.append(given[1]), detect(*given))[1])
    return calls


def test_a_result_opens_with_the_products_that_its_infotext_tells(started: StandIn, asked: list[Any]) -> None:
    file = made(started, on_match="mask and cut-out only")
    before = file.read_bytes()
    asked.clear()
    page = press(started, file)
    (item,) = items(page).values()
    assert item["name"] == file.stem and item["reference"] == {"file": str(file)}
    (region,) = item["regions"]
    assert region["product"] == "bag" and region["box"] == [30, 30, 62, 62] and item["fixable"] and not asked
    out = Path(page.value("photoshoot_tab_open_folder"))
    assert out.parent == started.outputs / "photoshoot" / "results" and file.read_bytes() == before
    assert page.value("photoshoot_tab_pictures").count(f"#{item['name']}") == 1, "large"
    assert frame(press(started, file)) == frame(page), "the same run, with what was done there"


def test_products_are_looked_for_where_nothing_was_told(started: StandIn, asked: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "plain.png"
    bag().save(file)
    page = press(started, file)
    assert "product list is empty" in page.value("photoshoot_tab_pictures")
    page = press(started, file, "a bag\nSteps: 2, Seed: 5", products="bag")
    (item,) = items(page).values()
    assert len(item["regions"]) == 1 and len(asked) == 1
    kept = Path(item["reference"]["file"])
    assert kept.parent == started.outputs / "photoshoot" / "results" / "pictures", "the file may go at any time"
    with Image.open(kept) as image:
        assert image.info["parameters"].startswith("a bag") and (np.asarray(image) == np.asarray(bag())).all()
    old = '"{\\"says\\": \\"found\\", \\"decision\\": \\"match\\", \\"reason\\": null, \\"done\\": \\"enhanced\\", '
    old += '\\"products\\": [{\\"product\\": \\"bag\\", \\"score\\": 1, \\"doubts\\": [], \\"delta_e\\": null}]}"'
    asked.clear()
    press(started, file, f"another\nSteps: 2, Seed: 5, Product filter result: {old}", products="bag")
    assert len(asked) == 1, "without a box"


def test_without_a_result_it_is_told(started: StandIn) -> None:
    import gradio

    with pytest.raises(gradio.Error, match="no result in this tab"):
        Page(started.page).fire(BUTTON, script=lambda *_: [[], "", ""])


def test_the_file_of_a_picture_in_the_gallery_is_known_by_either_gradio(host: StandIn, tmp_path: Path) -> None:
    from lib_photoshoot.webui.interface.gradio_dialect import file_shown

    file = tmp_path / "bag.png"
    bag().save(file)
    with Image.open(file) as read:
        assert file_shown([{"name": f"{file}?1712.5", "is_file": True}]) == file_shown([(read, None)]) == str(file)
    assert file_shown(["data:image/png;base64,AAAA"]) == file_shown([(bag(), "made in memory")]) == ""


def test_a_corrected_product_is_enhanced_again(started: StandIn) -> None:
    file = made(started, on_match="mask and cut-out only", denoise=1.0, prompt="[PROMPT], gold")
    before = file.read_bytes()
    page = press(started, file)
    assert read_page(visitor().get(frame(page)).text).head["enhance"] == "fix/enhance"
    (item,) = items(page).values()
    change = {"region": 0, "product": "bag", "mask": drawn((20, 20, 50, 62))}
    (saved_item,) = ask(page, "fix/save", {"id": item["id"], "regions": [change]})["shots"]
    assert saved_item["regions"][0]["by_hand"] and not changed_in(page, file, saved_item).any()
    painted: list[tuple[Any, ...]] = []
    started.checkpoint.at_step = lambda p: painted.append(
        (p.prompt, p.negative_prompt, p.seed, p.steps, started.at_work)
    )
    (item,) = ask(page, "fix/enhance", {"id": item["id"]})["shots"]
    assert painted[0] == ("a bag, gold", "blurry", 5, 2, True) and not started.at_work
    changed = changed_in(page, file, item)
    mask = picture_of(page, item["regions"][0]["mask"])[..., 0] > 127
    assert changed.any() and not changed[~mask].any() and mask[22:48, 22:48].all() and not mask[:, 64:].any()
    assert file.read_bytes() == before and items(page)[item["name"]]["regions"][0]["by_hand"]
    assert ask(page, "fix/enhance", {"id": item["id"]})["shots"], "and again"


def test_a_scene_is_painted_again_around_the_corrected_product(started: StandIn) -> None:
    scene = {"repaint": "scene", "scene_prompt": "[PRODUCT] on wood", "scene_denoise": 1.0, "only_masked": False}
    file = made(started, on_match="mask and cut-out only", **scene)
    page = press(started, file)
    (item,) = items(page).values()
    change = {"region": 0, "product": "bag", "mask": drawn((20, 20, 50, 62))}
    ask(page, "fix/save", {"id": item["id"], "regions": [change]})
    painted: list[str] = []
    started.checkpoint.at_step = lambda p: painted.append(p.prompt)
    (item,) = ask(page, "fix/enhance", {"id": item["id"]})["shots"]
    assert set(painted) == {"bag on wood"}
    changed = changed_in(page, file, item)
    assert not changed[24:46, 24:46].any() and changed[:, 66:].mean() > 0.9

    def fails(p: Any) -> None:
        raise RuntimeError("CUDA out of memory.")

    started.checkpoint.at_step = fails
    assert "CUDA out of memory" in ask(page, "fix/enhance", {"id": item["id"]}, 409)["error"]
    started.reports()
    assert items(page) == {item["name"]: item}


def test_an_enhancement_that_fails_leaves_everything(started: StandIn) -> None:
    page = press(started, made(started, on_match="mask and cut-out only"))
    (item,) = items(page).values()

    def fails(p: Any) -> None:
        raise RuntimeError("CUDA out of memory.")

    started.checkpoint.at_step = fails
    assert "CUDA out of memory" in ask(page, "fix/enhance", {"id": item["id"]}, 409)["error"]
    started.reports()
    started.checkpoint.at_step = lambda p: None
    assert items(page) == {item["name"]: item} and not started.at_work
    ask(page, "fix/save", {"id": item["id"], "regions": [{"region": 0, "remove": True}]})
    assert "No product is outlined" in ask(page, "fix/enhance", {"id": item["id"]}, 409)["error"]
    assert ask(page, "fix/enhance", {"id": "x"}, 400) and ask(page, "fix/enhance", {"id": 7}, 409)


def test_clicks_ask_the_hosts_segmenter_in_its_queue(started: StandIn, models: Any) -> None:
    turns: list[bool] = []

    class Clicked:
        keep = 1

        def prompted(self, image: np.ndarray, *_: Any) -> list[SoftCandidate]:
            turns.append(started.at_work)
            mask = np.zeros(image.shape[:2], np.float32)
            mask[:10] = 1
            return [SoftCandidate(mask, 1.0)]

    page = press(started, made(started, on_match="mask and cut-out only"))
    (item,) = items(page).values()
    models.segmenter = Clicked()
    answer = ask(page, "fix/outline", {"id": item["id"], "region": 0, "steps": [{"kind": "click", "path": [[5, 5]]}]})
    assert (
        (decoded(answer["answers"][answer["likely"]]["mask"])[:10] == 255).all()
        and turns
        and all(turns)
        and models.segmenter.keep > 1
    )


def test_a_run_of_photos_is_not_painted(started: StandIn) -> None:
    folder = started.outputs / "photos"
    folder.mkdir(parents=True)
    bag().save(folder / "1.png")
    page = Page(started.page)
    run(page, folder)
    assert read_page(visitor().get(frame(page)).text).head["enhance"] == ""
    (item,) = items(page).values()
    assert "Nothing paints here" in ask(page, "fix/enhance", {"id": item["id"]}, 409)["error"]
