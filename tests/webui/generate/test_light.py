"""New light for the scenes of a job on the in-memory host: whether it can be had, what is shown, what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_photoshoot.enhancement.protocol import EnhancementError, EnhancementStopped
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.verdict import Done
from lib_photoshoot.webui.generate.light import choose_light
from lib_photoshoot.webui.hosts.protocol import LightModel
from tests.webui.fake_host import FakeHost
from tests.webui.generate.test_job import models, picture  # noqa: F401
from tests.webui.generate.test_scene import INPAINT, all_product, handled

FC = LightModel("iclight_sd15_fc", Path("fc.safetensors"), False)
FBC = LightModel("iclight_sd15_fbc", Path("fbc.safetensors"), True)
EDGES, PRODUCT = "edges and shadow", "product too"


def lit_host(*lights: LightModel, **more: Any) -> FakeHost:
    host = FakeHost(INPAINT)
    host.lights = lights or (FC, FBC)
    vars(host).update(more)
    return host


def test_the_product_stays_to_the_pixel_while_its_edges_take_the_light() -> None:
    image = picture()
    dull, lit = handled(FakeHost(INPAINT), image), handled(lit_host(), image, relight=EDGES)
    inside, alpha = all_product(lit), lit.result.scene.regions[0].alpha
    changed = (np.asarray(dull.image) != np.asarray(lit.image)).any(axis=2)
    assert not changed[inside].any() and changed[(alpha > 40) & (alpha < 215)].all()
    assert not changed[:20].any() and not changed[:, 80:].any(), "the scene stays as it was painted"
    assert f"0 of {inside.sum()} product pixels changed; new light by iclight_sd15_fbc on edges" in lit.summary
    assert lit.verdict.done is Done.ENHANCED and "," not in lit.summary and lit.result.scene.generated


def test_the_product_takes_it_when_asked_and_the_number_of_its_pixels_is_told() -> None:
    image = picture()
    dull, lit = handled(FakeHost(INPAINT), image), handled(lit_host(), image, relight=PRODUCT)
    changed = (np.asarray(dull.image) != np.asarray(lit.image)).any(axis=2)[all_product(lit)]
    assert changed.all() and lit.result.scene.changed_product == changed.sum() and lit.result.scene.relit_product
    assert (
        f"{changed.sum()} of {changed.size} product pixels changed" in lit.summary and "that is an edit" in lit.summary
    )
    half = handled(lit_host(), image, relight=PRODUCT, relight_strength=0.5)
    assert (
        0
        < np.abs(np.asarray(half.image).astype(int) - dull.image).sum()
        < np.abs(np.asarray(lit.image).astype(int) - dull.image).sum()
    )


@pytest.mark.parametrize("model", [FC, FBC])
def test_what_the_model_is_shown_and_how_the_pass_is_asked_for(model: LightModel) -> None:
    host = lit_host(model)
    handled(host, relight=EDGES, canvas="2001x1507", product_share=0.6, backdrop="#ffffff")
    scene, request = host.requests
    (light,) = host.lit
    assert request.image.size == light.foreground.size == light.background.size == request.mask.size
    assert (
        request.image.width % 8 == request.image.height % 8 == 0
        and request.image.width * request.image.height < 600_000
    )
    assert (request.prompt, request.seed, request.mask.getextrema()) == (scene.prompt, scene.seed, (255, 255))
    assert (request.cfg_scale, request.denoise, host.expected) == (7.0 if model is FBC else 2.0, 0.9, 2)
    foreground, background = np.asarray(light.foreground), np.asarray(light.background)
    assert (foreground[:20] == 127).all() and (
        foreground[foreground.shape[0] // 2, foreground.shape[1] // 2] > 190
    ).all()
    assert (background == host.colour).all(), "the scene without the product"


def test_a_backdrop_without_a_pass_takes_light_too() -> None:
    host = lit_host()
    outcome = handled(host, relight=EDGES, scene_denoise=0, backdrop="#ffffff")
    assert len(host.lit) == len(host.requests) == 1 and "the backdrop alone" in outcome.summary
    assert outcome.result.scene.generated, "a trained model made some of it"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EnhancementError("Out of memory, twice."), "no new light. Out of memory and twice"),
        (EnhancementStopped("Stop."), "stopped"),
    ],
)
def test_after_a_failure_or_a_stop_the_scene_is_delivered_without(error: Exception, words: str) -> None:
    host, image = lit_host(), picture()

    def before(number: int) -> None:
        if number == 2:
            raise error

    host.before_paint = before
    dull, outcome = handled(FakeHost(INPAINT), image), handled(host, image, relight=PRODUCT)
    assert (np.asarray(dull.image) == np.asarray(outcome.image)).all()
    assert words in outcome.summary and outcome.verdict.done is Done.ENHANCED and "," not in outcome.summary
    scene = outcome.result.scene
    assert scene.light is None and not scene.relit_product and scene.changed_product == 0


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"lights": None}, "cannot be relit"),
        ({"lights": ()}, "not installed"),
        ({"_family": "sdxl"}, "SD 1.5"),
        ({"inpainting": True}, "inpainting checkpoints"),
    ],
)
def test_why_there_is_none_is_told_in_one_sentence_and_the_scene_is_made(host: dict[str, Any], words: str) -> None:
    where = lit_host(**host)
    choice = choose_light(FilterSettings(relight=EDGES), where)
    assert choice.model is None and choice.note is not None and words in choice.note and choice.note.count(". ") == 0
    outcome = handled(where, relight=EDGES)
    assert outcome.verdict.done is Done.ENHANCED and not where.lit and outcome.result.scene.light is None
    assert words in outcome.summary and "," not in outcome.summary, "the host's own API tells nothing else of a job"


def test_it_is_not_looked_for_when_it_is_not_asked_for() -> None:
    for settings in (FilterSettings(), FilterSettings(relight=EDGES, relight_strength=0.0)):
        assert choose_light(settings, lit_host(lights=None)) == choose_light(FilterSettings(), FakeHost())
