"""The filter's own words, as the extension writes them and the WebUI carries them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.results import Decision, FilterResult, ProductRegion, Reason, Rejection
from lib_photoshoot.settings import Enhancement, FilterSettings, OnMatch
from lib_photoshoot.shoot.verdict import result_text, verdict_of
from lib_photoshoot.webui.generate.job import FilterJob
from tests.shoot.fake_webui import infotext_of

ENHANCE, CUT_OUT = OnMatch.ENHANCE.value, OnMatch.CUT_OUT.value
BODY: dict[str, Any] = {
    "prompt": "a bag\nProduct filter result: found bag 1.00; enhanced with x",
    "steps": 2,
    "seed": 5,
    "alwayson_scripts": {"Product Photoshoot": {"args": [{"prompt": 'say "Product filter result: found x 1; y"'}]}},
}


@pytest.mark.parametrize("text", ["skipped: nothing", 'found bag 0.83; enhanced with ControlNet a / b: c, "d"\\ é'])
def test_the_result_comes_out_of_the_infotext_whole(text: str) -> None:
    assert result_text(infotext_of(BODY, text)) == text
    assert result_text(infotext_of(BODY, None)) is None and result_text("") is None


def region(product: str, score: float) -> ProductRegion:
    return ProductRegion(product, (0, 0, 4, 4), score, np.ones((8, 8), bool), 1.0)


def summary(decision: Decision, on_match: str, **more: Any) -> str:
    """What the extension's own code says about such a result."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    values = {"reason": None, "regions": (), "rejected": (), "note": None, **more}
    result = FilterResult(8, 8, decision, image=pixels, changed_outside=0, seconds={}, **values)
    settings = FilterSettings(enabled=True, products="bag", on_match=on_match, enhancement=Enhancement.RETOUCH.value)
    job = FilterJob(None, settings)  # type: ignore[arg-type]
    job._filter = lambda enhancer: type("F", (), {"run": lambda self, pixels, products: result})()  # type: ignore
    return job._filtered(None, Image.fromarray(pixels), None, None).summary  # type: ignore[arg-type]


def test_what_the_extension_says_is_understood() -> None:
    two = (region("bag", 0.834), region("shoe's & heel/sole", 0.4))
    lost = Rejection("bag", (0, 0, 4, 4), 0.8, Reason.LOST_IN_ENHANCEMENT)
    cases = [
        (summary(Decision.MATCH, ENHANCE, regions=two), ENHANCE, True),
        (summary(Decision.MATCH, ENHANCE, regions=two), CUT_OUT, False),
        (summary(Decision.MATCH, CUT_OUT, regions=two), CUT_OUT, True),
        (summary(Decision.MATCH, CUT_OUT, regions=two), ENHANCE, False),
        (summary(Decision.MATCH, ENHANCE, regions=two, rejected=(lost,)), ENHANCE, False),
    ]
    for text, on_match, accepted in cases:
        verdict = verdict_of(text, on_match)
        assert verdict and verdict.accepted is accepted and verdict.why == text, text
        assert verdict.scores == (("bag", 0.83), ("shoe's & heel/sole", 0.4))
    for reason in Reason:
        verdict = verdict_of(summary(Decision.SKIP, ENHANCE, reason=reason), ENHANCE)
        assert verdict and not verdict.accepted and not verdict.scores


def test_a_filter_that_could_not_do_its_part_gives_no_verdict() -> None:
    failed = summary(Decision.MATCH, ENHANCE, regions=(region("bag", 0.8),), note="The model; it failed.")
    assert failed == "found bag 0.80; The model; it failed."
    for text in (failed, "The word 'x' is not known.", "not looked at: the job was stopped", "found nothing", ""):
        assert verdict_of(text, ENHANCE) is None


def test_colours_are_told_and_understood() -> None:
    from dataclasses import replace

    from lib_photoshoot.colour.comparison import compare
    from lib_photoshoot.colour.dominant import DominantColour
    from lib_photoshoot.colour.reference import parse_reference

    reference = parse_reference("Lab(50, 20, 30)")
    near, far = (compare([DominantColour((light, 20, 30), 1.0)], reference) for light in (51, 58))
    bag = replace(region("bag", 0.8), colour_check=near)
    off = Rejection("bag", bag.box, 0.8, Reason.COLOUR_OFF, far)
    skipped = summary(Decision.SKIP, ENHANCE, reason=Reason.COLOUR_OFF, rejected=(off,))
    assert skipped == f"skipped: colour of bag {far.delta_e:.1f} too light (3 allowed)"
    kept = summary(Decision.MATCH, ENHANCE, regions=(bag,))
    undone = summary(Decision.MATCH, ENHANCE, regions=(bag,), rejected=(off,))
    for text, accepted in ((skipped, False), (kept, True), (undone, False)):
        verdict = verdict_of(text, ENHANCE)
        assert verdict is not None and verdict.accepted is accepted and "too light" in text and "," not in text
