"""Transparent pictures through the filter: nothing hidden is found, and no cut-out is more opaque than its picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot import build
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.images import read_picture
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.results import Detection, ProductRegion
from lib_photoshoot.transparency import on_neutral_ground, rgba, rgba_of, within

LAMP = parse_products("lamp")
SHOWN, HIDDEN = (slice(10, 40), slice(10, 40)), (slice(10, 40), slice(60, 90))


class RedThings:
    """Finds each half of a picture in which something red is, and outlines it: a detector and a segmenter."""

    default_threshold = 0.3

    def __init__(self) -> None:
        self.saw: list[np.ndarray] = []

    def threshold_for(self, product: Product) -> float:
        return self.default_threshold

    def detect(self, image: np.ndarray, products) -> list[Detection]:
        self.saw.append(image)
        halves = [(0.0, 0.0, 50.0, 50.0), (50.0, 0.0, 100.0, 50.0)]
        found = []
        for x0, y0, x1, y1 in halves:
            mask = np.zeros(image.shape[:2], bool)
            mask[:, int(x0) : int(x1)] = (image[:, int(x0) : int(x1)].astype(int) @ [1, -1, 0]) > 60
            if mask.any():
                found.append(Detection(products[0].name, (x0 + 5, y0 + 5, x1 - 5, y1 - 5), 0.9, mask, 0.9))
        return found

    def without(self, image: np.ndarray, box, background) -> list:
        return []


class Darker:
    """An enhancer that darkens all there is, and notes what it was given."""

    name, keeps_shape = "darker", True

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        return mask.astype(np.float32)

    def enhance(self, image: np.ndarray, regions) -> np.ndarray:
        self.given = image
        return image // 2


def picture() -> np.ndarray:
    """Two red squares; of the left one a quarter is half transparent, the right one lies below alpha 0."""
    image = np.full((50, 100, 4), 255, np.uint8)
    for part in (SHOWN, HIDDEN):
        image[part] = (200, 20, 20, 255)
    image[10:25, 10:25, 3] = 128
    image[:, 50:, 3] = 0
    return image


def product_filter(enhancer: Darker | None = None) -> ProductFilter:
    both = RedThings()
    return ProductFilter(both, both, enhancer, recheck=False)


def test_what_is_hidden_is_not_found_and_the_rest_is_no_more_opaque_than_it_was() -> None:
    enhancer, image = Darker(), picture()
    result = product_filter(enhancer).run(image, LAMP)
    (region,) = result.regions
    assert region.box[0] < 50 and not region.mask[:, 50:].any() and region.mask[SHOWN].all()
    assert region.alpha is not None and (region.alpha <= image[:, :, 3]).all()
    assert region.alpha[15, 15] == 128 and region.alpha[35, 35] == 255
    assert result.image.shape == (50, 100, 3) and (enhancer.given == image[:, :, :3]).all(), "its own colours"
    assert (result.image[:, 50:] == image[:, 50:, :3]).all() and (result.image[30, 30] == image[30, 30, :3] // 2).all()


def test_a_skip_and_a_lost_enhancement_leave_the_picture_itself() -> None:
    image = picture()
    image[:, :, 3] = 0
    result = product_filter(Darker()).run(image, LAMP)
    assert not result.regions and np.may_share_memory(result.image, image)
    assert np.array_equal(result.image, image[:, :, :3])


@pytest.mark.parametrize("with_alpha", [True, False])
def test_a_region_is_cut_to_what_is_seen(with_alpha: bool) -> None:
    mask = np.zeros((50, 100), bool)
    mask[5:45, 5:95] = True
    matte = mask.astype(np.uint8) * 200 if with_alpha else None
    opacity = np.full(mask.shape, 90, np.uint8)
    opacity[20:30, 20:30], opacity[:, 60:] = 0, 0
    ((seen,), unseen) = within([ProductRegion("lamp", (5, 5, 95, 45), 1.0, mask, 1.0, None, matte)], opacity)
    assert not unseen and seen.alpha is not None and seen.alpha.max() == 90 and (seen.alpha <= opacity).all()
    assert not seen.mask[:, 60:].any() and seen.mask[25, 25] and not seen.solid[25, 25], "a hole is an opening"
    assert within([seen], np.zeros(mask.shape, np.uint8)) == ([], [seen])


def test_the_ground_lets_the_product_be_seen() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    alpha = np.zeros((4, 4), np.uint8)
    alpha[1:3, 1:3] = 255
    image[1:3, 1:3] = 90
    assert on_neutral_ground(image, alpha)[0, 0].tolist() == [255, 255, 255]
    image[1:3, 1:3] = 250
    assert on_neutral_ground(image, alpha)[0, 0].tolist() == [128, 128, 128]
    assert on_neutral_ground(image, None) is image


def test_opaque_pictures_are_given_as_they_are(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (1, 2, 3, 255)).save(tmp_path / "a.png")
    read = read_picture(tmp_path / "a.png")
    assert rgba(read) is read.pixels and rgba(replace(read, alpha=None)) is read.pixels
    assert rgba_of(Image.new("RGBA", (4, 4), (1, 2, 3, 255))).shape == (4, 4, 3)
    assert rgba_of(Image.new("LA", (4, 4), (1, 9))).shape == (4, 4, 4)


def test_a_run_detect_export_and_rank(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(picture()).save(tmp_path / "in" / "a.png")
    run_catalog(product_filter(Darker()), collect_inputs([tmp_path / "in"]), LAMP, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run" / "cutouts").iterdir()) == ["a_1_lamp.png"]
    cut = np.asarray(Image.open(tmp_path / "run" / "cutouts" / "a_1_lamp.png"))
    assert cut[:, :, 3].max() == 255 and np.count_nonzero(cut[:, :, 3] == 128) >= 200
    assert np.array_equal(np.asarray(Image.open(tmp_path / "run" / "enhanced" / "a.png"))[:, :, 3], picture()[:, :, 3])
    overlay = np.asarray(Image.open(tmp_path / "run" / "overlays" / "a.png").convert("RGB"))
    assert (overlay[30:40, 60:90] == 255).all(), "an overlay shows nothing that the picture hides"
    monkeypatch.setattr(build, "build_filter", lambda *_: product_filter())
    command = ("detect", str(tmp_path / "in"), "--products", "lamp")
    found = json.loads(CliRunner().invoke(app, list(command)).stdout)
    assert len(found["regions"]) == 1
    assert CliRunner().invoke(app, ["rank", str(tmp_path / "run")]).exit_code == 0
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--profile", "ebay", "--out", str(out)])
    assert len(list(out.glob("*.jpg"))) == 1, result.output
