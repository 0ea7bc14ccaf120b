"""The filter's own words, as the extension writes them and the WebUI carries them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.results import Decision, Doubt, FilterResult, ProductRegion, Reason, Rejection
from lib_photoshoot.settings import Enhancement, FilterSettings, OnMatch
from lib_photoshoot.shoot.run.verdict import is_accepted, is_answer, verdict_in
from lib_photoshoot.verdict import Done, FoundProduct, Verdict
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
    found = FoundProduct("bag, old", 0.8, (Doubt.RAGGED,), 1.5, (1, 2, 30.5, 40))
    sent = Verdict(Done.ENHANCED, text, Decision.MATCH, None, (found, FoundProduct("shoe", 0.5)))
    assert verdict_in(infotext_of(BODY, sent)) == sent
    earlier = sent.to_json().replace(', "box": null', "")
    assert Verdict.from_json(earlier) == sent, "as earlier releases have written it"
    assert verdict_in(infotext_of(BODY, None)) is None and verdict_in("") is None


@pytest.mark.parametrize(
    "value",
    ["found bag 0.83; enhanced with x", "", "[" * 5000, "[]", "7", "null", '{"says": "x"}']
    + [
        json.dumps({"says": "x", "decision": "match", "reason": None, "done": "enhanced", "products": []} | wrong)
        for wrong in (
            {"says": 7}, {"decision": "perhaps"}, {"reason": "why"}, {"done": "all"}, {"products": 7},
            {"products": [7]},
            {"products": [{"product": "bag", "score": "NaN", "doubts": [], "delta_e": None}]},
            {"products": [{"product": 7, "score": 1, "doubts": [], "delta_e": None}]},
            {"products": [{"product": "bag", "score": 1, "doubts": ["who"], "delta_e": None}]},
            {"products": [{"product": "bag", "score": 1, "doubts": [], "delta_e": None, "box": [0, 0, 9]}]},
            {"products": [{"product": "bag", "score": 1, "doubts": [], "delta_e": None, "box": [5, 0, 5, 9]}]},
            {"products": [{"product": "bag", "score": 1, "doubts": [], "delta_e": None, "box": [0, 0, "NaN", 9]}]},
        )
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        Verdict.from_json(value)


def region(product: str, score: float) -> ProductRegion:
    return ProductRegion(product, (0, 0, 4, 4), score, np.ones((8, 8), bool), 1.0)


def verdict(decision: Decision, on_match: str, **more: Any) -> Verdict:
    """What the extension's own code says about such a result, as another program reads it."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    values = {"reason": None, "regions": (), "rejected": (), "note": None, **more}
    result = FilterResult(8, 8, decision, image=pixels, changed_outside=0, seconds={}, **values)
    settings = FilterSettings(enabled=True, products="bag", on_match=on_match, enhancement=Enhancement.RETOUCH.value)
    job = FilterJob(None, settings)  # type: ignore[arg-type]
    job._filter = lambda enhancer, *_: type("F", (), {"run": lambda self, pixels, products: result})()  # type: ignore
    outcome = job._filtered(None, Image.fromarray(pixels), None, None)  # type: ignore[arg-type]
    assert outcome.summary == outcome.verdict.says
    return Verdict.from_json(outcome.verdict.to_json())


def test_what_the_extension_says_is_understood() -> None:
    two = (region("bag", 0.834), region("shoe's & heel/sole", 0.4))
    lost = Rejection("bag", (0, 0, 4, 4), 0.8, Reason.LOST_IN_ENHANCEMENT)
    cases = [
        (verdict(Decision.MATCH, ENHANCE, regions=two), ENHANCE, True),
        (verdict(Decision.MATCH, ENHANCE, regions=two), CUT_OUT, False),
        (verdict(Decision.MATCH, CUT_OUT, regions=two), CUT_OUT, True),
        (verdict(Decision.MATCH, CUT_OUT, regions=two), ENHANCE, False),
        (verdict(Decision.MATCH, ENHANCE, regions=two, rejected=(lost,)), ENHANCE, False),
    ]
    for read, on_match, accepted in cases:
        assert is_answer(read) and is_accepted(read, on_match) is accepted, read.says
        assert [(one.product, one.score) for one in read.products] == [("bag", 0.834), ("shoe's & heel/sole", 0.4)]
    for reason in Reason:
        read = verdict(Decision.SKIP, ENHANCE, reason=reason)
        assert is_answer(read) and not is_accepted(read, ENHANCE) and not read.products and read.reason is reason


def test_a_filter_that_could_not_do_its_part_gives_no_verdict() -> None:
    failed = verdict(Decision.MATCH, ENHANCE, regions=(region("bag", 0.8),), note="The model; it failed.")
    assert failed.says == "found bag 0.80; The model; it failed." and failed.done is Done.FAILED
    for other in (failed, Verdict(Done.REFUSED, "The word 'x' is not known."), Verdict(Done.STOPPED, "not looked at")):
        assert not is_answer(other) and not is_accepted(other, ENHANCE)


def test_colours_are_told_and_understood() -> None:
    from dataclasses import replace

    from lib_photoshoot.colour.comparison import compare
    from lib_photoshoot.colour.dominant import DominantColour
    from lib_photoshoot.colour.reference import parse_reference

    reference = parse_reference("Lab(50, 20, 30)")
    near, far = (compare([DominantColour((light, 20, 30), 1.0)], reference) for light in (51, 58))
    bag = replace(region("bag", 0.8), colour_check=near)
    off = Rejection("bag", bag.box, 0.8, Reason.COLOUR_OFF, far)
    skipped = verdict(Decision.SKIP, ENHANCE, reason=Reason.COLOUR_OFF, rejected=(off,))
    assert skipped.says == f"skipped: colour of bag {far.delta_e:.1f} too light (3 allowed)"
    kept = verdict(Decision.MATCH, ENHANCE, regions=(bag,))
    undone = verdict(Decision.MATCH, ENHANCE, regions=(bag,), rejected=(off,))
    for read, accepted in ((skipped, False), (kept, True), (undone, False)):
        assert is_answer(read) and is_accepted(read, ENHANCE) is accepted
        assert "too light" in read.says and "," not in read.says
    assert kept.products[0].delta_e == near.delta_e


def test_what_is_perhaps_another_product_is_not_accepted() -> None:
    ring, same = FoundProduct("ring", 0.9, (Doubt.PERHAPS_ANOTHER,)), FoundProduct("ring", 0.8, (Doubt.RAGGED,))
    box = FoundProduct("box", 0.9)
    for products, accepted in [
        ((same,), True),
        ((ring,), False),
        ((ring, same), True),
        ((ring, box), False),
        ((), True),
    ]:
        verdict = Verdict(Done.ENHANCED, "found", Decision.MATCH, None, products)
        assert is_accepted(verdict, ENHANCE) is accepted
