"""A corrected outline of a run whose products stand in a new scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.new_scene import make_picture
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.wished_scene import WishedScene, wished_scene
from tests.bright_squares import BrightSquares
from tests.correction.test_fixing import Fixed, png, read, record_of, square
from tests.test_catalog import PRODUCTS, paint


class Staging(BrightSquares):
    """The same regions, in a new scene."""

    def __init__(self, scene: WishedScene) -> None:
        super().__init__()
        self.scene = scene

    def run(self, image: np.ndarray, products: Any, space: Any = None) -> Any:
        self.calls += 1
        found = self.detect(image, products)
        made, scene = make_picture(image, None, space, found.regions, products, None, self.scene.scenery)
        return replace(found, image=made.image, scene=scene)


def staged(photos: Path, out: Path, told: dict[str, Any] | None = None) -> None:
    wished = wished_scene(FilterSettings(repaint="scene", backdrop="#203040", canvas="1:1", ground_line=0.9))
    settings = {"retouch": "off", "all": False, **wished.told, **(told or {})}
    run_catalog(Staging(wished), collect_inputs([photos], out), PRODUCTS, out, resume=True, settings=settings)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    paint(tmp_path / "photos" / "two.png", (5, 5, 25, 25), (40, 20, 70, 50))
    return tmp_path / "photos"


def test_a_corrected_outline_stands_in_the_same_scene(photos: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", photos / "two.png"
    staged(photos, out)
    served = Fixed(out)
    try:
        before = record_of(out, file)
        assert read(out, "enhanced/two.png").shape == (80, 80, 3) and before.entry["scene"]["height"] == 80
        status, answer = served.save(file, {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))})
        assert status == 200
        record = record_of(out, file)
        scene = record.entry["scene"]
        assert scene["changed_product_pixels"] == 0 < scene["kept_pixels"] < before.entry["scene"]["kept_pixels"]
        new = read(out, record.output_in("enhanced"))
        assert new.shape == (80, 80, 3) and new[2, 2].tolist() == [0x20, 0x30, 0x40]
        assert (read(out, record.output_in("placed")) > 127).sum() < (read(photos, "two.png").min(2) > 200).sum()
        assert all((out / name).is_file() for name in record.outputs)
        assert not [name for name in before.outputs if (out / name).exists()]
        assert answer["shots"][0]["file"] == record.output_in("enhanced")
        # Without any product there is no scene.
        assert served.save(file, *({"region": number, "remove": True} for number in (0, 1)))[0] == 200
        last = record_of(out, file)
        assert last.entry["decision"] == "skip" and "scene" not in last.entry and not last.output_in("placed")
    finally:
        served.close()


def test_what_a_webui_painted_is_not_staged_here(photos: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", photos / "two.png"
    staged(photos, out, {"scene_painter": "img2img"})
    served = Fixed(out)
    try:
        before = record_of(out, file)
        status, answer = served.save(file, {"region": 0, "product": "lamp", "mask": png(square(5, 5, 25, 15))})
        assert status >= 400 and "A WebUI painted this run's scenes" in answer["error"]
        assert record_of(out, file) == before
    finally:
        served.close()
