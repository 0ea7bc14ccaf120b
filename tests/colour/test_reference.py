"""Colour references: how they are written, and how an article is measured against them."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.colour.comparison import compare, direction, measure_colour, to_json
from lib_photoshoot.colour.dominant import DominantColour, dominant_colours
from lib_photoshoot.colour.reference import ColourError, parse_reference
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.products import format_products, parse_products


def patch(*labs: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Bars of these colours, side by side, in a grey picture, with their mask."""
    bars = np.repeat(np.array([labs], np.float32), 30, axis=1)
    pixels = np.full((90, bars.shape[1] + 20, 3), 190, np.uint8)
    pixels[10:80, 10:-10] = SRGB.from_lab(np.repeat(bars, 70, axis=0))
    mask = np.zeros(pixels.shape[:2], np.bool_)
    mask[10:80, 10:-10] = True
    return pixels, mask


def test_product_lists_carry_a_reference_there_and_back() -> None:
    for text in (
        "cup [colour=#7a5c3e]",
        "cup [threshold=0.3; colour=Lab(52, 8, -20); tolerance=2.5], shoe",
        "cup [colour=#7a5c3e 60% | #ffffff 30%; tolerance=2]",
    ):
        assert format_products(parse_products(text)) == text
    (white,) = parse_products("cup [colour=#FfF 50%]")
    assert str(white.colour) == "#ffffff 50%"
    (cup,) = parse_products("cup [colour=#7A5C3E]")
    assert cup.colour is not None and cup.colour.tolerance == 3
    assert cup.colour.colours[0].lab == pytest.approx((41.3, 8.2, 21.9), abs=0.1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("colour=#7a5c", "'#7a5c' is not known; write it as #7a5c3e or Lab"),
        ("colour=Lab(52,5,8,2,20,1)", "is not known"),
        ("colour=Lab(120, 0, 0)", r"has L\* 120; give one from 0 to 100"),
        ("colour=Lab(50, 0, -140)", r"has b\* -140; give one from -128 to 127"),
        ("colour=", "is empty"),
        ("colour=#7a5c3e 0%", "share"),
        ("colour=#7a5c3e 60% | #ffffff 60%", "add up to 120%"),
        ("colour=#7a5c3e 60% | #ffffff", "each its share, or none"),
        ("colour=#7a5c3e; tolerance=0", "tolerance of a colour is '0'; give a CIEDE2000 above 0"),
        ("colour=#7a5c3e; tolerance=-1", "above 0"),
        ("colour=#7a5c3e; tolerance=nan", "above 0"),
        ("tolerance=3", "a tolerance and no colour"),
    ],
)
def test_bad_references_are_told_in_a_sentence(settings: str, sentence: str) -> None:
    with pytest.raises(Exception, match=sentence) as caught:
        parse_products(f"cup [{settings}]")
    assert isinstance(caught.value, ColourError) or "tolerance and no colour" in str(caught.value)


def test_a_shaded_article_is_one_colour_and_stripes_are_two() -> None:
    pixels, mask = patch(*[(60 - step / 4, 20, 30) for step in range(40)])
    (one,) = dominant_colours(pixels, mask)
    assert one.share == pytest.approx(1, abs=0.02) and one.lab[1:] == pytest.approx((20, 30), abs=1)
    stripes = dominant_colours(*patch((40, 50, 30), (40, 50, 30), (90, 0, 0)))
    assert [round(item.share, 1) for item in stripes] == [0.7, 0.3]
    assert dominant_colours(pixels, np.zeros_like(mask)) == ()


@pytest.mark.parametrize(
    ("wanted", "measured", "says"),
    [
        ((50, 20, 30), (56, 20, 30), "too light"),
        ((50, 20, 30), (44, 20, 30), "too dark"),
        ((50, 20, 30), (50, 30, 45), "too vivid"),
        ((50, 20, 30), (51, 14, 21), "too dull"),
        ((45, 60, 30), (46, 2, 1), "too dull"),  # all but grey: no hue is left to be wrong
        ((45, 60, 30), (60, -1, 1), "too dull"),
        ((50, 9, 0), (50, 1, 1), "too dull"),
        ((97, 0, 0), (93, 0, 0), "too dark"),
        # Near grey, by the axes.
        ((50, 0, 1), (50, 4, 1), "too red"),
        ((50, 0, 1), (50, -4, 1), "too green"),
        ((50, 0, 1), (51, 1, 6), "too yellow"),
        ((50, 0, 1), (50, 0, -4), "too blue"),
        ((90, 1, 6), (90, 0, 0), "too blue"),
        ((60, 5, 3), (60, 40, 10), "too red"),
    ],
)
def test_direction_in_words(
    wanted: tuple[float, float, float], measured: tuple[float, float, float], says: str
) -> None:
    assert direction(wanted, measured) == says


@pytest.mark.parametrize(
    ("article", "hue", "down", "up"),
    [
        ("pink", 2, "too blue", "too red"),
        ("red", 36, "too red", "too yellow"),
        ("orange", 45, "too red", "too yellow"),
        ("brown", 69, "too red", "too yellow"),
        ("gold", 88, "too red", "too green"),
        ("olive", 104, "too yellow", "too green"),
        ("grass", 135, "too yellow", "too green"),
        ("teal", 198, "too green", "too blue"),
        ("sky", 225, "too green", "too blue"),
        ("navy", 286, "too blue", "too red"),
        ("violet", 315, "too blue", "too red"),
        ("magenta", 358, "too blue", "too red"),
    ],
)
def test_a_turned_hue_is_told_by_the_pure_hue_that_it_goes_towards(article: str, hue: int, down: str, up: str) -> None:
    def at(angle: float) -> tuple[float, float, float]:
        return (50, float(40 * np.cos(np.radians(angle))), float(40 * np.sin(np.radians(angle))))

    assert direction(at(hue), at(hue - 9)) == down and direction(at(hue), at(hue + 9)) == up
    assert direction(at(hue), at(hue)) == ""


def test_far_turned_hues() -> None:
    red, yellow, green = ((50.0, 55.0, 24.0), (50.0, 0.0, 60.0), (50.0, -57.0, 18.0))
    assert direction(red, yellow) == "too yellow" and direction(red, green) == "too green"
    assert direction(yellow, red) == direction(green, red) == "too red"


def test_within_and_beyond_the_tolerance() -> None:
    reference = parse_reference("Lab(50, 20, 30)")
    near, far = (measure_colour(*patch((lightness, 20, 30)), reference) for lightness in (51.5, 56))
    assert not near.is_off and far.is_off and str(far).endswith("too light")
    assert to_json(far)["off"] and to_json(far)["reference"] == "Lab(50, 20, 30)"
    assert measure_colour(*[np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.bool_)], reference).is_off


def test_patterns_are_compared_by_area() -> None:
    red, white, blue = (45.0, 55.0, 30.0), (92.0, 0.0, 0.0), (40.0, 0.0, -45.0)
    reference = parse_reference("Lab(45, 55, 30) 60% | Lab(92, 0, 0) 40%")

    def against(*parts: tuple[tuple[float, float, float], float]) -> float:
        return compare([DominantColour(lab, share) for lab, share in parts], reference).delta_e

    assert against((red, 0.5), (white, 0.5)) < 0.1
    assert against((red, 0.95), (white, 0.05)) > 3
    assert against((red, 0.5), (white, 0.3), (blue, 0.2)) > 3
    assert against(((53.0, 55.0, 30.0), 0.6), (white, 0.4)) > 5  # not halved by the white that is right
    any_part = parse_reference("Lab(45, 55, 30)")
    assert compare([DominantColour(white, 0.6), DominantColour(red, 0.4)], any_part).delta_e < 0.1
    assert compare([DominantColour(white, 0.95), DominantColour(red, 0.05)], any_part).is_off
