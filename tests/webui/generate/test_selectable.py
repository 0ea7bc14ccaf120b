"""Jobs that a selectable script of the host runs: nothing is dropped, what it returns is filtered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.shoot.run.verdict import verdict_in
from lib_photoshoot.webui.generate import job as jobs
from lib_photoshoot.webui.generate.drivers import Driver, Passes, driver_of
from lib_photoshoot.webui.generate.job import FilterJob, start_job
from lib_photoshoot.webui.generate.selectable import filter_returned
from tests.webui.fake_host import FakeHost
from tests.webui.generate.test_job import CANNY, BrightModels, picture

UPSCALE = Driver("SD upscale", Passes.PARTS)
MATRIX = Driver("Prompt matrix", Passes.RESULTS)


def says(infotext: str) -> str:
    """The filter's sentence in an infotext."""
    verdict = verdict_in(infotext)
    assert verdict is not None
    return verdict.says


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> BrightModels:
    bright = BrightModels()
    monkeypatch.setattr(jobs.REGISTRY, "get", lambda choice: bright)
    for check in ("_check_words", "_check_models"):
        monkeypatch.setattr(jobs, check, lambda job: None)
    return bright


def job(driver: Driver | None, **settings: Any) -> FilterJob:
    values = {"products": "bag", "recheck": False, "mask_grow": 0, "mask_blur": 0, **settings}
    return start_job(FakeHost(CANNY), FilterSettings(enabled=True, **values), driver)


def processing(place: int, *titles: str) -> Any:
    scripts = [SimpleNamespace(title=lambda title=title: title) for title in titles]
    return SimpleNamespace(script_args=[place, "more"], scripts=SimpleNamespace(selectable_scripts=scripts))


def returned(images: list[Image.Image], **more: Any) -> Any:
    """What the host's ``Processed`` is made of where a script fills it."""
    values = {
        "infotexts": ["a bag\nSteps: 2"] * len(images), "info": "a bag\nSteps: 2", "index_of_first_image": 0,
        "all_prompts": ["a bag"], "all_negative_prompts": [""], "all_seeds": [7], "seed": 5, "comments": "",
    }  # fmt: skip
    return SimpleNamespace(images=images, **{**values, **more})


def filtered(one: FilterJob, processed: Any) -> list[tuple[Any, ...]]:
    saved: list[tuple[Any, ...]] = []
    filter_returned(one, UPSCALE, object(), processed, lambda *values: saved.append(values))
    return saved


@pytest.mark.parametrize(
    ("title", "passes"),
    [
        ("SD upscale", Passes.PARTS),
        ("Loopback", Passes.PARTS),
        ("Outpainting mk2", Passes.PARTS),
        ("Somebody's own", Passes.PARTS),
        ("Prompt matrix", Passes.RESULTS),
        ("Prompts from file or textbox", Passes.RESULTS),
        ("X/Y/Z plot", None),
    ],
)
def test_which_script_runs_a_job(title: str, passes: Passes | None) -> None:
    found = driver_of(processing(2, "Another", title))
    assert (found and (found.title, found.passes)) == (None if passes is None else (title, passes))


@pytest.mark.parametrize(
    "p",
    [
        processing(0, "Loopback"),
        processing(7, "Loopback"),
        SimpleNamespace(script_args={}, scripts=None),
        SimpleNamespace(),
        SimpleNamespace(script_args=[None], scripts=SimpleNamespace(selectable_scripts=[])),
    ],
)
def test_a_job_without_a_script(p: Any) -> None:
    assert driver_of(p) is None


def test_nothing_is_left_out_or_stopped_while_a_script_runs_the_job() -> None:
    settings = {"on_no_match": "leave out", "filter_input": True}
    alone, driven = job(None, **settings), job(MATRIX, **settings)
    assert (alone.leaves_out, alone.looks_at_input) == (True, True)
    assert (driven.leaves_out, driven.looks_at_input) == (False, False)


def test_what_is_done_otherwise_is_said_once() -> None:
    processed = returned([picture(), picture(lit=False)], comments="the host's own\n")
    filtered(job(UPSCALE, on_no_match="leave out", filter_input=True), processed)
    lines = processed.comments.splitlines()
    assert lines[:2] == [
        "the host's own",
        "Product filter: SD upscale runs this job, so only the pictures that it returns are filtered and no picture is "
        "left out and the input is not looked at first.",
    ]
    assert len(lines) == 4
    assert MATRIX.note(FilterSettings()) is None and MATRIX.note(FilterSettings(on_no_match="move to folder")) is None


def test_the_pictures_that_a_script_returns_are_filtered_and_all_kept() -> None:
    bright, dark = picture(), picture(lit=False)
    bright.info["parameters"] = "a bag\nSteps: 2"
    processed = returned([bright, dark])
    saved = filtered(job(UPSCALE, on_no_match="leave out"), processed)
    assert processed.images[1] is dark and len(processed.images) == 2
    changed = (np.asarray(processed.images[0]) != np.asarray(bright)).any(2)
    assert changed[30:70, 20:60].all() and changed.sum() == 1600
    assert says(processed.infotexts[0]).startswith("found bag 0.90; enhanced with")
    assert says(processed.infotexts[1]).endswith("; kept because SD upscale runs the job")
    assert processed.images[0].info["parameters"] == processed.infotexts[0]
    assert [(before, seed) for before, _, _, seed in saved] == [(bright, 7), (dark, 5)]


@pytest.mark.parametrize(("first", "said"), [((240, 100), 0), ((120, 120), 1)])
def test_a_grid_stays_as_it_is(first: tuple[int, int], said: int, models: BrightModels) -> None:
    """Loopback and the outpaintings do not say that their results begin with a grid."""
    grid, one, two = Image.new("RGB", first, "white"), picture(), picture()
    processed = returned([grid, one, two], index_of_first_image=said)
    saved = filtered(job(UPSCALE), processed)
    assert processed.images[0] is grid and [entry[0] for entry in saved] == [one, two]
    assert verdict_in(processed.infotexts[0]) is None


def test_a_wrong_setting_is_told_and_the_pictures_stay(models: BrightModels) -> None:
    image = picture()
    processed = returned([image])
    wrong = FilterJob(FakeHost(CANNY), FilterSettings(), UPSCALE, problem="Denoising strength is 7.")
    filtered(wrong, processed)
    assert processed.images == [image] and models.calls == 0
    assert says(processed.infotexts[0]) == "Denoising strength is 7."
    assert "Denoising strength is 7." in processed.comments.splitlines()


def test_a_script_may_return_fewer_infotexts_than_pictures() -> None:
    processed = returned([picture(), picture(), picture()], infotexts=["a bag\nSteps: 2"])
    filtered(job(UPSCALE), processed)
    assert [bool(says(text)) for text in processed.infotexts] == [True] * 3
