"""One job of the filter on the in-memory host, with the bright-squares models in place of the real ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.build import ModelChoice
from lib_photoshoot.pipeline import ProductFilter
from lib_photoshoot.results import Reason
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.webui.generate import job as jobs
from lib_photoshoot.webui.generate.enhancer import JobPrompt
from lib_photoshoot.webui.generate.job import start_job
from lib_photoshoot.webui.hosts.protocol import ControlModel
from tests.test_pipeline import BoxSegmenter, BrightSquare
from tests.webui.fake_host import FakeControlNet, FakeHost

PROMPT = JobPrompt("a bag", "", 1)
CANNY = FakeControlNet([ControlModel("control_canny [1]", "sd1")])


class BrightModels:
    """In place of ``Models``; counts how often the detector is asked."""

    def __init__(self) -> None:
        self.detector, self.segmenter, self.calls = BrightSquare(), BoxSegmenter(), 0

    def filter(self, enhancer=None, require_all=False, recheck=True, scenery=None):
        self.calls += 1
        return ProductFilter(
            self.detector, self.segmenter, enhancer, require_all=require_all, recheck=recheck, scenery=scenery
        )


@pytest.fixture(autouse=True)
def models(monkeypatch) -> BrightModels:
    bright = BrightModels()
    monkeypatch.setattr(jobs.REGISTRY, "get", lambda choice: bright)
    for check in ("_check_words", "_check_models"):
        monkeypatch.setattr(jobs, check, lambda job: None)
    return bright


def picture(lit: bool = True) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 90, (100, 120, 3), dtype=np.uint8)
    if lit:
        pixels[30:70, 20:60] = 200
    return Image.fromarray(pixels)


def job(host: FakeHost, **settings):
    return start_job(host, FilterSettings(enabled=True, **{"products": "bag", "recheck": False, **settings}))


def test_an_image_without_the_product_is_the_same_object() -> None:
    host, image = FakeHost(CANNY), picture(lit=False)
    outcome = job(host).handle(object(), (0, 0), image, PROMPT)
    assert outcome.image is image and outcome.skipped and not host.requests
    assert outcome.summary == "skipped: nothing in the picture resembles the products"


def test_a_product_is_repainted_and_the_rest_stays() -> None:
    host, image = FakeHost(CANNY), picture()
    outcome = job(host, mask_grow=0, mask_blur=0).handle(object(), (0, 0), image, PROMPT)
    before, after = np.asarray(image), np.asarray(outcome.image)
    changed = (before != after).any(2)
    assert changed[30:70, 20:60].all() and changed.sum() == 1600
    done, _, colour = outcome.summary.rpartition("; ")
    assert done == "found bag 0.90; enhanced with ControlNet canny / control_canny [1]"
    assert re.fullmatch(r"colour of bag: ΔE \d+\.\d \(95 % below \d+\.\d\)", colour), "measured, and not held"
    assert host.requests[0].units[0].module == "canny"


def test_transparency_survives() -> None:
    image = picture()
    image.putalpha(77)
    outcome = job(FakeHost(CANNY)).handle(object(), (0, 0), image, PROMPT)
    assert outcome.image.mode == "RGBA" and set(np.asarray(outcome.image)[..., 3].ravel()) == {77}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"products": " "}, "product list is empty"),
        ({"cn_model": "absent"}, "not installed"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(settings: dict, words: str) -> None:
    host, image = FakeHost(CANNY), picture()
    outcome = job(host, **settings).handle(object(), (0, 0), image, PROMPT)
    assert outcome.image is image and words in outcome.summary and not host.requests


def test_a_failure_of_the_host_leaves_the_original_and_its_sentence() -> None:
    from lib_photoshoot.enhancement.protocol import EnhancementError

    def fail(number: int) -> None:
        raise EnhancementError("The WebUI could not paint (out of memory).")

    host, image = FakeHost(CANNY), picture()
    host.before_paint = fail
    outcome = job(host).handle(object(), (0, 0), image, PROMPT)
    assert outcome.image is image and "out of memory" in outcome.summary
    assert [item.reason for item in outcome.result.rejected] == [Reason.NOT_ENHANCED]


def test_an_interrupted_job_is_not_looked_at(models: BrightModels) -> None:
    host, image = FakeHost(CANNY), picture()
    host.is_stopped = True
    outcome = job(host).handle(object(), (0, 0), image, PROMPT)
    assert outcome.image is image and models.calls == 0 and "stopped" in outcome.summary


def test_cut_out_only_never_paints_and_retouch_needs_no_host() -> None:
    host, image = FakeHost(CANNY), picture()
    only = job(host, on_match="mask and cut-out only").handle(object(), (0, 0), image, PROMPT)
    assert only.image is image and only.result.regions and "mask and cut-out only" in only.summary
    retouched = job(host, enhancement="retouch").handle(object(), (0, 0), image, PROMPT)
    assert retouched.image is not image and "retouch" in retouched.summary and not host.requests


def test_deciding_twice_on_the_same_pixels_asks_the_models_once(models: BrightModels) -> None:
    one = job(FakeHost(CANNY))
    assert one.decide(picture()) is one.decide(picture()) and models.calls == 1
    assert one.decide(picture(lit=False)).reason is Reason.NOTHING_FOUND and models.calls == 2


def test_words_that_the_embedded_detector_does_not_know_are_told_at_the_start(monkeypatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(jobs, "model_choice", lambda settings, device: ModelChoice())
    started = start_job(FakeHost(CANNY), FilterSettings(enabled=True, products="flux capacitor"))
    assert started.problem.startswith("flux capacitor: not looked for")
    # Beside a known one it ends no job.
    started = start_job(FakeHost(CANNY), FilterSettings(enabled=True, products="flux capacitor, bag, armchair"))
    assert [product.name for product in started.products] == ["bag", "armchair"]
    first, second = started.hints
    assert first.startswith("armchair: looked for as chair") and second.startswith("flux capacitor: not looked for")


def test_what_can_be_known_before_is_an_obstacle(monkeypatch) -> None:
    assert job(FakeHost(CANNY)).obstacle is None
    assert "not installed" in job(FakeHost(CANNY), cn_model="absent").obstacle
    assert "product list is empty" in job(FakeHost(CANNY), products="").obstacle
    only = job(FakeHost(CANNY), cn_model="absent", on_match="mask and cut-out only")
    assert only.obstacle is None, "nothing is painted, so no model is needed"


def test_missing_weights_name_the_button_and_a_missing_package_itself(monkeypatch) -> None:
    from lib_photoshoot.webui.hosts import requirements

    monkeypatch.undo()
    monkeypatch.setattr(jobs, "model_choice", lambda settings, device: ModelChoice())
    monkeypatch.setenv("PHOTOSHOOT_MODELS", "/nowhere")
    sentence = start_job(FakeHost(CANNY), FilterSettings(enabled=True, products="handbag")).problem
    assert "press 'Get weights'" in sentence and "models get" not in sentence and sentence.count("`") == 0
    monkeypatch.setattr(requirements, "_found", lambda module: module != "cv2")
    sentence = start_job(FakeHost(CANNY), FilterSettings(enabled=True, products="handbag")).problem
    assert "opencv-python" in sentence and "restart" in sentence


def test_what_only_groundingdino_lacks_does_not_stop_the_embedded_detector(monkeypatch) -> None:
    from lib_photoshoot.webui.hosts import requirements

    monkeypatch.setattr(requirements, "_found", lambda module: module != "groundingdino")
    assert requirements.missing(embedded_only=True).message == ""
    assert "groundingdino" in requirements.missing().message
