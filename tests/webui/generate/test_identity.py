"""Whether a product of a new scene is still the photo's: what is compared, what cannot be told, and real photos."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.examples.identity import Identity
from lib_photoshoot.images import read_picture
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import FilterResult
from lib_photoshoot.staging.plan import StagePlan
from lib_photoshoot.staging.scenery import Scenery, SurfacePainter
from lib_photoshoot.webui.generate.identity import identities
from tests.webui.generate.test_job import BrightModels, picture


class Known:
    """What finds a product by example; remembers what it was asked."""

    def __init__(self, score: float = 0.9) -> None:
        self.score, self.examples, self.shown = score, [], []

    def finder(self, product: Any) -> Known:
        (self.path,) = product.examples
        self.examples.append(np.asarray(Image.open(self.path)) if Path(self.path).is_file() else self.path)
        return self

    def identity(self, image: np.ndarray, mask: np.ndarray, product: Any) -> Identity:
        self.shown.append((image, mask))
        return Identity(self.score, 0.8, 0.0, None)


def in_scene(canvas: tuple[int, int] = (256, 256), share: float = 0.5) -> FilterResult:
    plan = StagePlan(canvas=canvas, share=share, across=0.5, backdrop="#203040")
    scenery = Scenery(plan, SurfacePainter())
    return BrightModels().filter(scenery=scenery).run(np.asarray(picture()), parse_products("bag"))


def asked(known: Any, result: FilterResult, products: str = "bag") -> dict[str, Any]:
    (one,) = identities(SimpleNamespace(detector=known), parse_products(products), result, SRGB)
    return one


def test_the_photos_cut_out_is_the_example_and_its_place_in_the_scene_is_looked_at() -> None:
    known, result = Known(), in_scene()
    one = asked(known, result)
    assert (one["product"], one["same"]) == ("bag", True) and one["says"].startswith("the same product 0.90")
    (example,), ((shown, mask),) = known.examples, known.shown
    assert example.shape[2] == 4 and (example[example[:, :, 3] == 255][:, :3] == 200).all()
    assert not Path(known.path).exists(), "nothing is left on the disk"
    assert shown is result.image and result.scene is not None
    assert (mask == result.scene.regions[0].mask).all() and mask.sum() > 10_000
    assert asked(Known(0.2), result)["same"] is False


def test_examples_of_the_user_stand_above_the_photo() -> None:
    known = Known()
    asked(known, in_scene(), "bag = @/photos/of/bags")
    assert known.examples == ["/photos/of/bags"]


def test_what_cannot_be_told_is_said() -> None:
    small = asked(Known(), in_scene((64, 64), 0.3))
    assert small["same"] is None and "too small" in small["says"]

    def lacking(_: Any) -> Any:
        raise WeightsError("Products by example are cut out by u2netp: get it with `models get u2netp`.")

    one = asked(SimpleNamespace(finder=lacking), in_scene())
    assert one["same"] is None and one["says"].startswith("identity not checked: ") and "u2netp" in one["says"]


def test_real_photos_are_known_again_and_others_are_not(shared_data: Path) -> None:
    from lib_photoshoot.build import ModelChoice, load_models

    models = load_models(ModelChoice())
    results = {}
    for file, word in (("01.jpg", "cup"), ("02.jpg", "bottle")):
        scenery = Scenery(StagePlan(canvas=(512, 512), share=0.6, backdrop="#c08040 to #302010"), SurfacePainter())
        photo = read_picture(shared_data / "product_photos" / file).pixels
        results[word] = models.filter(scenery=scenery).run(photo, parse_products(word))
        assert asked(models.detector, results[word], word)["same"] is True
    with pytest.raises(AssertionError, match="no scene"):
        identities(models, parse_products("cup"), models.filter().detect(photo, parse_products("bottle")), SRGB)
    # The bottle's photo as the example of what stands in the cup's scene.
    cup, bottle = results["cup"], results["bottle"]
    assert cup.scene is not None and bottle.scene is not None
    from dataclasses import replace

    swapped = replace(bottle, image=cup.image, scene=replace(bottle.scene, regions=cup.scene.regions))
    assert asked(models.detector, swapped, "bottle")["same"] is False
