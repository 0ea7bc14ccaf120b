"""New scenes in a job on the in-memory host: what is painted, what stays to the pixel, what is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.results import Reason
from lib_photoshoot.verdict import Done
from lib_photoshoot.webui.generate.job import start_job
from lib_photoshoot.webui.generate.scene_painter import closed
from lib_photoshoot.webui.hosts.protocol import ControlModel
from tests.webui.fake_host import FakeControlNet, FakeHost
from tests.webui.generate.test_job import PROMPT, FilterSettings, job, models, picture  # noqa: F401

INPAINT = FakeControlNet([ControlModel("control_inpaint [1]", "sd1"), ControlModel("control_canny [2]", "sd1")])
SQUARE = np.s_[30:70, 20:60]
SCENE = {"repaint": "scene", "scene_prompt": "[PRODUCT] on wood", "scene_denoise": 1.0, "only_masked": False}


def handled(host: FakeHost, image: Image.Image | None = None, **settings):
    return job(host, **{**SCENE, **settings}).handle(object(), (0, 0), image or picture(), PROMPT)


def all_product(outcome) -> np.ndarray:
    """Where the delivered picture is all product."""
    return np.maximum.reduce([region.alpha for region in outcome.result.scene.regions]) == 255


def test_everything_but_the_product_is_painted_anew() -> None:
    host, image = FakeHost(INPAINT), picture()
    outcome = handled(host, image)
    before, after = np.asarray(image), np.asarray(outcome.image)
    inside = all_product(outcome)
    assert inside.sum() > 1200 and (before == after).all(axis=2)[inside].all()
    outside = np.ones(inside.shape, bool)
    outside[26:74, 16:64] = False
    assert (after[outside] == host.colour).all()
    request = host.requests[0]
    assert (request.prompt, request.denoise, len(host.requests), host.expected) == ("bag on wood", 1.0, 1, 1)
    assert [unit.module for unit in request.units] == ["inpaint_only", "canny"]
    assert "0 of 1" in outcome.summary and "new scene by inpaint_only / control_inpaint [1] + canny" in outcome.summary
    assert outcome.verdict.done is Done.ENHANCED and "," not in outcome.summary


def test_no_rim_of_the_start_is_left_around_the_product() -> None:
    host = FakeHost(INPAINT)
    outcome = handled(host, keep_out=6, backdrop="#ffffff")
    after, alpha = np.asarray(outcome.image), outcome.result.scene.regions[0].alpha
    band = alpha == 0
    assert (after[band] == host.colour).all(), "not one pixel of the white backdrop"


def test_a_canvas_of_another_size_is_delivered_as_it_is() -> None:
    host = FakeHost(INPAINT)
    outcome = handled(host, canvas="203x150", product_share=0.5, backdrop="#808080")
    assert outcome.image.size == (203, 150) and outcome.result.scene.changed_product == 0
    assert host.requests[0].image.size == (208, 152), "in multiples of 8, and cut to size afterwards"
    found = outcome.verdict.products[0].box
    assert found is not None and found[2] <= 203 and found[3] <= 150


def test_both_paints_the_scene_first_and_the_product_in_it() -> None:
    host = FakeHost(INPAINT)
    outcome = handled(host, repaint="both", denoise=1.0, colour_hold="never", prompt="[PRODUCT] of leather")
    assert [request.prompt for request in host.requests] == ["bag on wood", "bag of leather"]
    second = np.asarray(host.requests[1].image)
    assert (second[:10, :10] == host.colour).all() and (second[SQUARE][5:-5, 5:-5] == 200).all()
    assert (np.asarray(outcome.image)[40:60, 30:50] == host.colour).all()
    assert "new scene by" in outcome.summary and "enhanced with ControlNet" in outcome.summary


@pytest.mark.parametrize("repaint", ["scene", "both"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_stop_or_a_failure_at_any_step_delivers_the_original(repaint: str, at: int) -> None:
    for stops in (True, False):
        host, image = FakeHost(INPAINT), picture()

        def before(number: int, host: FakeHost = host, stops: bool = stops) -> None:
            if number == at and stops:
                host.is_stopped = True
            elif number == at:
                from lib_photoshoot.enhancement.protocol import EnhancementError

                raise EnhancementError("Out of memory.")

        host.before_paint = before
        outcome = handled(host, image, repaint=repaint)
        if repaint == "scene" and at == 2:
            assert outcome.image is not image
            continue
        assert outcome.image is image and outcome.result.scene is None
        why = Reason.INTERRUPTED if stops else Reason.NOT_ENHANCED
        assert [item.reason for item in outcome.result.rejected] == [why]


def test_without_a_pass_the_backdrop_is_the_scene() -> None:
    host = FakeHost()
    outcome = handled(host, scene_denoise=0, backdrop="#ffffff")
    assert not host.requests and (np.asarray(outcome.image)[:10] == 255).all()
    assert "the backdrop alone" in outcome.summary


def test_a_backdrop_that_is_a_picture_lies_in_an_allowed_folder(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), (1, 2, 3)).save(tmp_path / "wall.png")
    host = FakeHost()
    refused = start_job(host, FilterSettings(products="bag", repaint="scene", backdrop=f"@{tmp_path}/wall.png"))
    assert refused.obstacle is not None and "outside the folders" in refused.obstacle
    host.allowed = (tmp_path,)
    outcome = handled(host, scene_denoise=0, backdrop=f"@{tmp_path}/wall.png")
    assert (np.asarray(outcome.image)[:10] == (1, 2, 3)).all()
    missing = start_job(host, FilterSettings(products="bag", repaint="scene", backdrop=f"@{tmp_path}/no.png"))
    assert missing.obstacle is not None and "does not exist" in missing.obstacle


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"canvas": "huge"}, "canvas 'huge'"),
        ({"backdrop": "sky"}, "backdrop 'sky'"),
        ({"scene_units": "canny + nowhere"}, "is not installed"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_painted(settings: dict[str, str], words: str) -> None:
    started = start_job(FakeHost(INPAINT), FilterSettings(products="bag", repaint="scene", **settings))
    assert started.obstacle is not None and words in started.obstacle


def test_a_product_that_fills_the_frame_leaves_no_scene_to_paint() -> None:
    image = Image.fromarray(np.full((100, 120, 3), 200, np.uint8))
    outcome = handled(FakeHost(INPAINT), image)
    assert outcome.image is image and "fills the frame" in outcome.summary


def test_skipped_pictures_and_cut_outs_have_no_scene() -> None:
    host, dark = FakeHost(INPAINT), picture(lit=False)
    assert handled(host, dark).image is dark
    image = picture()
    assert handled(host, image, on_match="mask and cut-out only").image is image and not host.requests


def test_transparency_ends_with_the_new_scene() -> None:
    image = picture()
    image.putalpha(200)
    assert handled(FakeHost(INPAINT), image).image.mode == "RGB"


def test_a_verdict_tells_where_the_product_stands() -> None:
    outcome = handled(FakeHost(INPAINT), canvas="240x200", product_share=0.3, backdrop="#ffffff")
    box = json.loads(outcome.verdict.to_json())["products"][0]["box"]
    placed = outcome.result.scene.regions[0].box
    assert box == [round(side, 1) for side in placed]


def test_the_band_around_the_product_goes_on_as_what_was_painted_beside_it() -> None:
    start = np.tile(np.arange(40, 80, dtype=np.uint8)[:, None, None], (1, 40, 3))
    keep = np.zeros((40, 40), bool)
    keep[10:30, 10:30] = True
    painted = np.where(keep[..., None], start, start + 50)
    assert (closed(painted, start, keep) == start + 50).all(), "with the start's own light"
    nothing = np.zeros((40, 40), bool)
    assert closed(painted, start, nothing) is painted
