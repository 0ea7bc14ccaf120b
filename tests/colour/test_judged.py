"""What ranking and the check of finished pictures make of a colour reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner, Result

from lib_photoshoot.cli.main import app
from lib_photoshoot.colour.comparison import compare
from lib_photoshoot.colour.dominant import DominantColour
from lib_photoshoot.colour.reference import parse_reference
from lib_photoshoot.ranking.order import MeasuredPicture, rank, to_json
from lib_photoshoot.ranking.qualities import Quality


def test_another_colour_ranks_last_however_sharp() -> None:
    reference = parse_reference("Lab(50, 20, 30)")

    def measured(file: str, score: float, lightness: float) -> MeasuredPicture:
        check = compare([DominantColour((lightness, 20, 30), 1.0)], reference)
        return MeasuredPicture(file, "cup", (Quality("sharpness", score, ""),), hash(file) % 2**64, colour_check=check)

    order = rank([measured("sharp but pale", 1.0, 60), measured("right", 0.2, 50.5)], near=0)
    assert [item.measured.file for item in order] == ["right", "sharp but pale"]
    assert to_json(order[1])["colour_check"]["off"] and not to_json(order[0])["colour_check"]["off"]


def test_check_export_fails_a_picture_of_another_colour(tmp_path: Path) -> None:
    pixels = np.full((1600, 1600, 3), 255, np.uint8)
    pixels[120:1480, 120:1480] = (0x7A, 0x5C, 0x3E)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)

    def run(colour: str) -> str:
        return (
            CliRunner()
            .invoke(app, ["check-export", str(tmp_path / "a.jpg"), "--profile", "amazon-main", "--colour", colour])
            .output
        )

    assert "colour_off" not in run("#7a5c3e; tolerance=2")
    assert "colour_off" in run("#8a6c3e") and "within 3" in run("#8a6c3e")
    assert "is not known" in run("#7a5c") and "reference is empty" in run("")


def test_check_export_measures_what_is_opaque_and_says_where_there_is_no_article(tmp_path: Path) -> None:
    pixels = np.full((300, 300, 4), (0x7A, 0x5C, 0x3E, 0), np.uint8)
    pixels[120:180, 120:180] = (0x30, 0x50, 0x90, 255)  # a small article; what is transparent hides other colours

    def run(picture: np.ndarray, colour: str) -> Result:
        Image.fromarray(picture).save(tmp_path / "a.png")
        command = ["check-export", str(tmp_path / "a.png"), "--profile", "transparent", "--colour", colour]
        return CliRunner().invoke(app, command)

    assert "colour_off" not in run(pixels, "#305090").output and "colour_off" in run(pixels, "#7a5c3e").output
    for picture in (np.where([False, False, False, True], 0, pixels), np.full((300, 300, 3), 255)):
        result = run(picture.astype(np.uint8), "#7a5c3e")
        assert result.exit_code == 1 and "colour: there is no article, all is white" in result.output, result.output
        assert "colour_off" not in result.output
