"""From what users type to the plan of a scene, and one sentence for what cannot be understood."""

from __future__ import annotations

import pytest

from lib_photoshoot.export.profile import load_profile, profile_names
from lib_photoshoot.settings import FilterSettings
from lib_photoshoot.staging.backdrops import BackdropKind, read_backdrop
from lib_photoshoot.staging.plan import StageError, StagePlan
from lib_photoshoot.staging.reading import read_canvas, read_stage


def test_settings_as_they_come_leave_everything_as_it_is() -> None:
    assert read_stage(FilterSettings()) == StagePlan()


def test_all_wishes_are_read() -> None:
    settings = FilterSettings(
        canvas=" 800 x 600 ", product_share=0.7, ground_line=0.9, backdrop=" #fff ", shadow=0.5, reflection=0.25,
        colour_cast=0.1,
    )  # fmt: skip
    assert read_stage(settings) == StagePlan((800, 600), 0.7, 0.9, 0.5, "#fff", 0.5, 0.25, 0.1)


@pytest.mark.parametrize("text", ["16:9", "16/9", "1.7778:1"])
def test_ratios(text: str) -> None:
    assert read_canvas(text) == pytest.approx(16 / 9, rel=1e-4)


@pytest.mark.parametrize("name", profile_names())
def test_the_canvas_of_every_sales_channel(name: str) -> None:
    canvas = load_profile(name).canvas
    assert read_canvas(name.upper()) == (canvas.width, canvas.height)


@pytest.mark.parametrize("text", ["large", "1024", "1024x", "8x8", "99999x100", "0:3", "100:1", "1:1:1", "../etc"])
def test_canvases_that_mean_nothing(text: str) -> None:
    with pytest.raises(StageError, match=r"canvas.*\.$"):
        read_canvas(text)


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("#f4f4f4", ((244, 244, 244),)),
        ("White", ((255, 255, 255),)),
        ("#FFF TO #d8d8d8", ((255, 255, 255), (216, 216, 216))),
    ],
)
def test_colours(text: str, colours: tuple) -> None:
    assert read_backdrop(text).colours == colours


def test_a_picture_keeps_its_path_as_typed() -> None:
    backdrop = read_backdrop("@ /photos/Wood to touch.jpg ")
    assert backdrop.kind is BackdropKind.PICTURE and backdrop.picture == "/photos/Wood to touch.jpg"


@pytest.mark.parametrize("text", ["", "@", "wood.jpg", "#12", "#ff000080", "#fff to #eee to #ddd", "blurry"])
def test_backdrops_that_mean_nothing(text: str) -> None:
    with pytest.raises(StageError, match=r"backdrop.*\.$"):
        read_stage(FilterSettings(backdrop=text))
