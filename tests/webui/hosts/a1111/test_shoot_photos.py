"""A row with a photo, shot by this WebUI itself: the product stays, by the routes that another machine would ask."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.examples.identity import Identity
from lib_photoshoot.images import decode_picture
from lib_photoshoot.provenance.evidence import evidence_in
from lib_photoshoot.provenance.metadata import read_metadata
from lib_photoshoot.shoot.run.runner import ShootRun
from lib_photoshoot.shoot.run.verdict import is_accepted
from lib_photoshoot.shoot.run.webui import Fault, WebUiError
from lib_photoshoot.shoot.shot_list.photos import PhotoError
from lib_photoshoot.shoot.shot_list.product import ListedProduct, with_photos
from lib_photoshoot.shoot.shot_list.reading import read_shot_list
from lib_photoshoot.webui.generate import identity
from tests.shoot.conftest import tries
from tests.webui.generate.test_job import BrightModels
from tests.webui.hosts.a1111.conftest import SIDE, bag, differing
from tests.webui.standin.host import StandIn

SQUARE = np.s_[30:62, 30:62]


class Known:
    """Knows the bag again as surely as ``score`` says."""

    score = 0.9

    def identity(self, image: np.ndarray, mask: np.ndarray, product: Any) -> Identity:
        return Identity(self.score, 0.8, 0.0, None)


@pytest.fixture
def known(models: BrightModels, monkeypatch: pytest.MonkeyPatch) -> Known:
    known = Known()
    monkeypatch.setattr(identity, "LEAST_SIDE", 16)  # the bag has 32 pixels
    models.detector.finder = lambda product: known  # type: ignore[attr-defined]
    return known


def listed(folder: Path, **filter: Any) -> ListedProduct:
    settings = {"scene_denoise": 1.0, "only_masked": False, "growth_limit": 1.0, "recheck": False, **filter}
    row = {"name": "my bag", "class": "bag", "photo": str(folder / "bag.png"), "count": 2, "scenes": ["on wood"],
           "width": SIDE, "height": SIDE, "steps": 2, "filter": settings}  # fmt: skip
    import yaml

    (folder / "list.yaml").write_text(yaml.safe_dump([row]))
    (product,) = read_shot_list(folder / "list.yaml")
    return with_photos(product)


def test_photos_are_shot_as_by_any_other_webui(host: StandIn, known: Known, tmp_path: Path) -> None:
    from lib_photoshoot.webui.hosts.a1111.shoot_host import OwnWebUi

    bag().save(tmp_path / "bag.png")
    product = listed(tmp_path)
    with ShootRun([product], [OwnWebUi()], tmp_path / "out") as run:
        assert run.run().accepted == 2
    first, second = tries(tmp_path / "out")
    assert f"0 of {30 * 30} product pixels changed" in first["why"] and "the same product 0.90" in first["why"]
    assert first["scores"] == [["bag", 0.9]] and first["photo"] == "bag.png"
    pictures = [Image.open(tmp_path / "out" / entry["file"]) for entry in (first, second)]
    for picture in pictures:
        changed = differing(np.asarray(bag()), np.asarray(picture.convert("RGB")))
        assert not changed[SQUARE][2:-2, 2:-2].any() and changed[:24].mean() > 0.9
    assert differing(*(np.asarray(picture.convert("RGB")) for picture in pictures)).any(), "each by its own seed"
    data = (tmp_path / "out" / first["file"]).read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        evidence = evidence_in(read_metadata(image, io.BytesIO(data)))
    assert evidence is not None and evidence.term == "compositeWithTrainedAlgorithmicMedia"


def test_another_product_no_product_and_what_the_host_cannot_do(host: StandIn, known: Known, tmp_path: Path) -> None:
    from lib_photoshoot.webui.hosts.a1111.shoot_host import OwnWebUi

    bag().save(tmp_path / "bag.png")
    known.score = 0.1
    taken = OwnWebUi().shoot(listed(tmp_path).shot(0))
    assert not is_accepted(taken.verdict, "enhance") and "another product 0.10" in taken.verdict.says
    with pytest.raises(WebUiError, match=r"list.yaml, line \d+, bag.png: .*is not installed") as error:
        OwnWebUi().shoot(listed(tmp_path, scene_units="canny + no_such_model").shot(0))
    assert error.value.fault is Fault.REFUSED
    bag(lit=False).save(tmp_path / "bag.png")
    with pytest.raises(PhotoError, match=r"bag\.png gets no scene: nothing in the picture"):
        OwnWebUi().shoot(listed(tmp_path).shot(0))


def test_a_photo_is_staged_without_painting(host: StandIn, known: Known, tmp_path: Path) -> None:
    from lib_photoshoot.webui.hosts.a1111.shoot_host import A1111ShootHost

    host.checkpoint.at_step = lambda p: pytest.fail("something is painted")
    bag().save(tmp_path / "bag.png")
    product = listed(tmp_path, backdrop="#ffffff", canvas="150x107")
    shown = np.asarray(A1111ShootHost().stage(product.settings, product.photos[0].path))
    assert shown.shape == (107, 150, 3) and (shown == 255).all(axis=2).mean() > 0.9 and (shown == 200).any()


def test_a_photo_12000_pixels_wide_is_staged_or_told(host: StandIn, known: Known, tmp_path: Path) -> None:
    from lib_photoshoot.webui.hosts.a1111.shoot_host import OwnWebUi

    wide = Image.new("RGB", (12_000, 400), (60, 60, 60))
    wide.paste((200, 200, 200), (6_000, 100, 6_060, 160))
    wide.save(tmp_path / "bag.png")
    taken = OwnWebUi().shoot(listed(tmp_path).shot(0))
    assert is_accepted(taken.verdict, "enhance"), taken.verdict.says
    assert decode_picture(taken.picture.data, "it").pixels.shape == (SIDE, SIDE, 3)
    wide.resize((12_000, 4_200)).save(tmp_path / "bag.png", compress_level=1)
    with pytest.raises(WebUiError, match=r"list.yaml, line \d+, bag.png: .*12000x4200 pixels") as error:
        OwnWebUi().shoot(listed(tmp_path).shot(0))
    assert error.value.fault is Fault.REFUSED and "\n" not in str(error.value)
