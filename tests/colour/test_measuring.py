"""``colour reference``: what is measured on one photo is what others are compared with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from lib_photoshoot import build
from lib_photoshoot.cli.main import app
from lib_photoshoot.colour.comparison import measure_colour
from lib_photoshoot.colour.reference import parse_reference
from lib_photoshoot.products import parse_products
from lib_photoshoot.references.measuring import MeasuredArticle, most_trusted
from lib_photoshoot.references.table import with_references
from lib_photoshoot.results import Doubt, Outline, ProductRegion
from tests.bright_squares import BrightSquares

PALE = (214, 222, 240)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.full((120, 160, 3), 30, np.uint8)
    pixels[20:100, 30:130] = PALE
    Image.fromarray(pixels).save(tmp_path / "lamp.png")
    return tmp_path / "lamp.png"


def invoke(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Result:
    monkeypatch.setattr(build, "build_filter", lambda *_: BrightSquares())
    return CliRunner().invoke(app, ["colour", "reference", *map(str, arguments)])


def test_a_measured_colour_is_read_back_and_fits_its_photo(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = photo.with_name("colours.csv")
    result = invoke(monkeypatch, photo, "-p", "lamp, cup", "--out", table, "--tolerance", 2)
    assert result.exit_code == 0 and "cup: in no photo" in result.stderr
    (printed,) = parse_products(result.stdout)
    lamp, cup = with_references(parse_products("lamp, cup"), [], table)
    assert printed.colour == lamp.colour and lamp.colour and lamp.colour.tolerance == 2 and cup.colour is None
    pixels = np.asarray(Image.open(photo))
    mask = pixels.min(axis=2) > 200
    assert measure_colour(pixels, mask, lamp.colour).delta_e < 0.3
    assert measure_colour(pixels // 2 + 60, mask, lamp.colour).is_off


def test_a_table_that_is_there_stays(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = photo.with_name("colours.csv")
    table.write_text("mine")
    result = invoke(monkeypatch, photo, "-p", "lamp", "--out", table)
    assert result.exit_code == 2 and "is there already" in result.stderr and table.read_text() == "mine"


def test_nothing_found_is_told_with_the_table_that_was_not_written(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (160, 120), (30, 30, 30)).save(photo)
    table = photo.with_name("colours.csv")
    alone = invoke(monkeypatch, photo, "-p", "cup")
    assert alone.exit_code == 1 and "No product was found in any photo; give" in alone.stderr and alone.stdout == ""
    result = invoke(monkeypatch, photo, "-p", "cup", "--out", table)
    assert result.exit_code == 1 and not table.exists()
    assert "No product was found in any photo, so " in result.stderr
    assert "colours.csv was not written" in result.stderr


def test_a_photo_that_cannot_be_read_is_told_and_the_others_are_measured(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = photo.with_name("spoiled.png")
    spoiled.write_bytes(b"none")
    result = invoke(monkeypatch, spoiled, photo, "-p", "lamp")
    assert result.exit_code == 1 and "spoiled.png" in result.stderr and result.stdout.startswith("lamp [colour=Lab(")


def test_an_outline_without_doubts_is_trusted_more_than_a_higher_score() -> None:
    sure = ProductRegion("cup", (0.0, 0.0, 4.0, 4.0), 0.4, np.ones((4, 4), np.bool_), 0.9)
    outline = Outline(0.9, (Doubt.RAGGED,))
    doubtful = replace(sure, score=0.9, outline=outline)
    measured = [
        MeasuredArticle(parse_reference("#ffffff"), name, region) for name, region in (("a", doubtful), ("b", sure))
    ]
    assert most_trusted(measured)["cup"].photo == most_trusted(measured[::-1])["cup"].photo == "b"


def test_shares_of_many_colours_never_exceed_the_whole() -> None:
    from lib_photoshoot.colour.dominant import DominantColour
    from lib_photoshoot.colour.reference import ReferenceColour, make_reference

    thirds = [DominantColour((50.0, float(n), 0.0), 0.337 if n else 0.326) for n in range(3)]
    reference = make_reference(map(ReferenceColour.measured, thirds), 3.0)
    assert parse_reference(str(reference)) == reference
