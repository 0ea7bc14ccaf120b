"""Whose colour a job holds, what it says of it, and which picture has the true colour; on the in-memory host."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.results import Reason
from lib_photoshoot.webui.generate.job import ImageOutcome
from tests.webui.fake_host import FakeHost
from tests.webui.generate.test_job import CANNY, PROMPT, BrightModels, job, models  # noqa: F401
from tests.webui.generate.test_job import picture as bright

SQUARE = np.s_[34:66, 24:56]


def handled(photo: Image.Image | None, image: Image.Image | None = None, **settings) -> ImageOutcome:
    host = FakeHost(CANNY)
    host.colour = (200, 150, 160)
    return job(host, **{"mask_grow": 0, **settings}).handle(object(), (0, 0), image or bright(), PROMPT, photo)


def mean_of(outcome: ImageOutcome) -> np.ndarray:
    return np.asarray(outcome.image)[SQUARE].reshape(-1, 3).mean(0)


@pytest.mark.parametrize(
    ("is_photo", "hold", "held"),
    [
        (True, "photos", True),
        (False, "photos", False),
        (False, "always", True),
        (True, "never", False),
    ],
)
def test_photos_keep_their_colour_and_others_as_the_settings_say(is_photo: bool, hold: str, held: bool) -> None:
    outcome = handled(bright() if is_photo else None, colour_hold=hold)
    expected = (200, 200, 200) if held else (200, 150, 160)
    assert mean_of(outcome) == pytest.approx(expected, abs=3)
    assert ("→" in outcome.summary) is held and "colour of bag: ΔE" in outcome.summary


def test_strength_takes_back_a_share() -> None:
    assert mean_of(handled(bright(), colour_strength=0.5, colour_limit=0)) == pytest.approx((202, 175, 181), abs=3)


def test_beyond_the_limit_the_original_stays_and_the_summary_says_why() -> None:
    image = bright()
    outcome = handled(image, image, colour_strength=0.2)
    assert (np.asarray(outcome.image) == np.asarray(image)).all()
    assert [item.reason for item in outcome.result.rejected] == [Reason.COLOUR_OFF]
    assert "enhancement of bag undone: its colour was too far off; colour of bag: ΔE" in outcome.summary
    assert "," not in outcome.summary.partition("found")[2], "infotext has commas between parameters"
    assert "enhanced" in handled(image, image, colour_strength=0.2, colour_limit=0).summary, "0 is no limit"
    assert "enhanced" in handled(image, image, colour_hold="never").summary, "what is not held has no limit"


@pytest.mark.parametrize(
    ("colour", "says"),
    [
        ("#ccc; tolerance=3,5", "; colour against the reference: bag 1.0 too dark (3.5 allowed)"),
        ("Lab(80,6; 0; 0)", "; colour against the reference: bag 0.1 too dark (3 allowed)"),
        ("#b0b0b0; tolerance=4", "skipped: colour of bag 6.3 too light (4 allowed)"),
    ],
)
def test_the_panels_products_say_colours_as_everywhere(colour: str, says: str) -> None:
    assert says in handled(None, products=f"bag [colour={colour}]", on_match="mask and cut-out only").summary


def shifted() -> Image.Image:
    """What the host's own pass made of the photo: the product in another colour."""
    pixels = np.array(bright())
    pixels[30:70, 20:60] = (230, 200, 170)
    return Image.fromarray(pixels)


def test_the_colour_is_that_of_the_photo_not_of_what_the_hosts_own_pass_made_of_it() -> None:
    assert mean_of(handled(bright(), shifted())) == pytest.approx((200, 200, 200), abs=2)


def test_a_photo_that_shows_the_product_elsewhere_lends_no_colour() -> None:
    moved = Image.fromarray(np.roll(np.asarray(bright()), 40, axis=1))
    assert mean_of(handled(moved, shifted())) == pytest.approx((230, 200, 170), abs=2)


def test_a_retouch_is_none_of_ours(models: BrightModels) -> None:  # noqa: F811
    assert "ΔE" not in handled(bright(), enhancement="retouch").summary
