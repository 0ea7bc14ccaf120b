"""A new scene asked for on the command line: what the options mean together, and one whole run of it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot import build
from lib_photoshoot.cli.main import app
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.presets import user_presets
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.staging.scenery import Scenery
from tests.test_catalog import paint
from tests.test_pipeline import BoxSegmenter, BrightSquare

LOOK = ("--backdrop", "#f4f4f4", "--shadow", "0.6", "--canvas", "4:5", "--share", "0.7", "--ground", "0.85")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What filters were built with: retouch, white balance, scene. They are real, but for the models."""
    found: list[tuple] = []

    def filter_of(choice, require_all, retouch="faithful", white_balance="off", scenery: Scenery | None = None):
        from lib_photoshoot.enhancement.retouch import retouch_of

        found.append((retouch, white_balance, scenery))
        enhancer = retouch_of(retouch, white_balance)
        return ProductFilter(BrightSquare(), BoxSegmenter(), enhancer, recheck=False, scenery=scenery)

    monkeypatch.setattr(build, "build_filter", filter_of)
    return found


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    paint(tmp_path / "photos" / "lit.png", (5, 5, 30, 30))
    paint(tmp_path / "photos" / "dark.png")
    return tmp_path / "photos"


def invoke(photos: Path, *arguments: object):
    out = photos.parent / "out"
    words = ["filter", photos, "-p", "bag", "-o", out, *arguments]
    return CliRunner().invoke(app, [str(item) for item in words])


def test_a_folder_of_photos_gets_one_look_and_is_resumed(photos: Path, asked: list[tuple]) -> None:
    before = {path: path.read_bytes() for path in photos.iterdir()}
    first = invoke(photos, *LOOK)
    assert first.exit_code == 0 and "1 matched, 1 skipped" in first.stderr, first.stderr
    (retouch, _, scenery) = asked[0]
    assert retouch == "off" and scenery.plan.shadow == 0.6 and scenery.painter.name == "surface"
    out = photos.parent / "out"
    report = json.loads((out / "report.json").read_text())
    assert report["settings"]["product_share"] == 0.7 and report["settings"]["repaint"] == "scene"
    scene = next(entry["scene"] for entry in report["images"] if entry["decision"] == "match")
    assert scene["width"] / scene["height"] == 0.8 and scene["changed_product_pixels"] == 0 < scene["kept_pixels"]
    picture = np.asarray(Image.open(out / "enhanced" / "lit.png"))
    assert picture[1, 1].tolist() == [0xF4] * 3 and picture.shape == (scene["height"], scene["width"], 3)
    assert {path: path.read_bytes() for path in photos.iterdir()} == before
    assert "(2 from the earlier run)" in invoke(photos, *LOOK, "--resume").stderr
    other = invoke(photos, *LOOK, "--reflection", "0.2", "--resume")
    assert other.exit_code == 2 and "other products or settings" in other.stderr


def test_without_a_scene_everything_is_as_it_was(photos: Path, asked: list[tuple]) -> None:
    assert invoke(photos).exit_code == 0 and asked[-1] == ("faithful", "off", None)
    settings = json.loads((photos.parent / "out" / "report.json").read_text())["settings"]
    assert "repaint" not in settings and settings["retouch"] == "faithful"


@pytest.mark.parametrize(
    ("arguments", "retouch", "repaint"),
    [
        (("--backdrop", "white"), "off", "scene"),
        (("--backdrop", "white", "--retouch", "off"), "off", "scene"),
        (("--backdrop", "white", "--retouch", "lively"), "lively", "both"),
        (("--backdrop", "white", "--white-balance", "50%,5%"), "faithful", "both"),
        (("--backdrop", "white", "--repaint", "both"), "faithful", "both"),
        (("--shadow", "0.5", "--repaint", "scene"), "off", "scene"),
    ],
)
def test_what_becomes_of_the_products_besides(photos: Path, asked: list[tuple], arguments, retouch, repaint) -> None:
    result = invoke(photos, *arguments)
    assert result.exit_code == 0, result.stderr
    assert asked[-1][0] == retouch and asked[-1][2] is not None
    report = json.loads((photos.parent / "out" / "report.json").read_text())
    assert report["settings"]["repaint"] == repaint and report["settings"]["retouch"] == retouch


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--repaint", "scene"), "needs a scene"),
        (("--repaint", "product", "--backdrop", "white"), "leaves the scene as it is"),
        (("--repaint", "scene", "--backdrop", "white", "--retouch", "lively"), "say --repaint both"),
        (("--backdrop", "no colour"), "cannot be understood"),
        (("--backdrop", "@gone.jpg"), "gone.jpg does not exist"),
        (("--canvas", "huge"), "The canvas 'huge' cannot be understood"),
        (("--canvas", "99999x4"), "pixels a side"),
        (("--stage", "nothing of that name"), "There is no preset called"),
        (("--stage", "Retouch only"), "says nothing of a scene"),
    ],
)
def test_what_cannot_be_is_one_sentence_before_a_folder_is_begun(photos: Path, asked, arguments, said) -> None:
    result = invoke(photos, *arguments)
    assert result.exit_code == 2 and said in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert not asked and not (photos.parent / "out").exists()


def test_a_backdrop_is_a_picture_with_or_without_a_sign(photos: Path, asked: list[tuple]) -> None:
    wood = photos.parent / "wood.png"
    Image.fromarray(np.full((30, 40, 3), (120, 80, 40), np.uint8)).save(wood)
    for out, name in (("one", wood), ("two", f"@{wood}")):
        assert invoke(photos, "-o", photos.parent / out, "--backdrop", name).exit_code == 0
        assert np.asarray(Image.open(photos.parent / out / "enhanced" / "lit.png"))[1, 1].tolist() == [120, 80, 40]
    # Ray's workers are sent the scene with the picture in it.
    scenery = pickle.loads(pickle.dumps(asked[-1][2]))
    assert scenery.backdrop.shape == (30, 40, 3) and scenery.plan == asked[-1][2].plan


def test_a_preset_lends_its_scene_and_options_go_before_it(
    photos: Path, asked: list[tuple], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib_photoshoot.paths.presets_folder", lambda: tmp_path / "presets")
    saved = FilterSettings(prompt="a shop", backdrop="#102030", shadow=0.4, product_share=0.5, denoise=0.2)
    user_presets().save("Dark shop", saved)
    assert invoke(photos, "--stage", "dark shop", "--shadow", "0.9").exit_code == 0
    plan = asked[-1][2].plan
    assert (plan.backdrop, plan.shadow, plan.share) == ("#102030", 0.9, 0.5)
