"""``export`` and ``check-export`` as a user calls them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot import build
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.cutouts import read_cutout
from lib_photoshoot.products import parse_products
from tests.colour.test_profiles import swapped
from tests.export.conftest import INFOTEXT, cutout, save_cutout
from tests.test_catalog import BrightSquares, paint

LARGE = cutout(1000, 640)


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(item) for item in arguments])


def test_export_check_and_never_over_a_file(tmp_path: Path) -> None:
    save_cutout(tmp_path / "in" / "deep" / "B01.png", LARGE)
    command = ("export", tmp_path / "in", "--profile", "amazon-main", "--out", tmp_path / "out", "--enlarge", 1)
    result = invoke(*command)
    path = tmp_path / "out" / "deep" / "B01.MAIN.jpg"
    assert result.exit_code == 0, result.output
    assert "1115x1115, scaled 1.00, fills " in result.stdout and "photo (no DigitalSourceType)" in result.stdout
    before = path.read_bytes()
    assert invoke("check-export", path, "--profile", "amazon-main").exit_code == 0
    again = invoke(*command)
    assert again.exit_code == 0 and f"{path}: already there, " in again.stdout and path.read_bytes() == before
    path.write_bytes(b"another")
    again = invoke(*command)
    assert again.exit_code == 1 and "exists already, differs" in again.stderr and path.read_bytes() == b"another"
    assert sorted(p.name for p in path.parent.iterdir()) == ["B01.MAIN.jpg"]


def test_what_a_picture_misses_is_told_with_its_source(tmp_path: Path) -> None:
    save_cutout(tmp_path / "small.png", cutout(100, 60))
    result = invoke("export", tmp_path / "small.png", "--profile", "amazon-main", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "misses fill: the product fills 20" in result.stdout
    checked = invoke("check-export", tmp_path / "out", "--profile", "amazon-main", "--json")
    (item,) = json.loads(checked.stdout)["missed"]
    assert checked.exit_code == 1 and item["aspect"] == "fill" and item["source"].startswith("https://")
    told = invoke("check-export", tmp_path / "out", "--profile", "amazon-main")
    assert "fill: the product fills 20" in told.stdout and "not verified" in told.stdout


def test_enlargement_is_limited_by_the_option(tmp_path: Path) -> None:
    save_cutout(tmp_path / "small.png", cutout(100, 60))
    command = ("export", tmp_path / "small.png", "--profile", "amazon-main", "--enlarge", 9)
    assert "1030x1030, scaled 9.00" in invoke(*command, "--out", tmp_path / "out").stdout


@pytest.mark.parametrize(
    ("infotext", "option", "term"),
    [
        (None, None, None),
        (INFOTEXT, None, "trainedAlgorithmicMedia"),
        (INFOTEXT, "photo", None),
        (None, "edited", "compositeWithTrainedAlgorithmicMedia"),
        (None, "retouched", None),
    ],
)
def test_the_source_by_infotext_or_option(tmp_path: Path, exiftool, infotext, option, term) -> None:
    save_cutout(tmp_path / "a.png", LARGE, infotext)
    extra = () if option is None else ("--source", option)
    invoke("export", tmp_path / "a.png", "--profile", "walmart-main", "--out", tmp_path / "out", "--enlarge", 1, *extra)
    tags = exiftool(tmp_path / "out" / "a.jpg")
    assert tags.get("XMP-iptcExt:DigitalSourceType", "").rpartition("/")[2] == (term or "")
    # What a picture's file says about its origin stays, whatever the option says.
    assert [value for value in tags.values() if "red shoe" in str(value)] == ([] if infotext is None else [infotext])


def test_pictures_are_cut_out_by_the_filter_or_by_their_cutouts(tmp_path: Path, monkeypatch) -> None:
    paint(tmp_path / "in" / "lit.png", (20, 10, 60, 50))
    paint(tmp_path / "in" / "dark.png")
    command = ("export", tmp_path / "in", "--profile", "ebay", "--out")
    result = invoke(*command, tmp_path / "none")
    assert result.exit_code == 1 and result.stderr.count("has no transparent background") == 2
    monkeypatch.setattr(build, "build_filter", lambda *_: BrightSquares())
    result = invoke(*command, tmp_path / "found", "--products", "lamp", "--enlarge", "16")
    assert result.exit_code == 1 and "dark.png holds none of the products" in result.stderr
    with Image.open(tmp_path / "found" / "lit-ebay.jpg") as image:
        assert np.asarray(image)[0, 0].tolist() == [255, 255, 255]
        assert np.asarray(image)[image.height // 2, image.width // 2].min() > 240
    save_cutout(tmp_path / "cut" / "lit_1_lamp.png", LARGE)
    save_cutout(tmp_path / "cut" / "lit_2_lamp.png", LARGE)
    save_cutout(tmp_path / "cut" / "lit_up_1_lamp.png", LARGE)
    invoke(*command, tmp_path / "cuts", "--cutouts", tmp_path / "cut")
    assert sorted(p.name for p in (tmp_path / "cuts").glob("*.jpg")) == ["lit_1_lamp-ebay.jpg", "lit_2_lamp-ebay.jpg"]


def test_of_a_run_its_cutouts_are_exported_and_nothing_else(tmp_path: Path) -> None:
    """With its sub-folders, named itself or found below the named folder, and also as the folder of --cutouts."""
    shop = tmp_path / "shop"
    paint(shop / "in" / "lit.png", (20, 10, 60, 50))
    paint(shop / "in" / "deep" / "lit.png", (20, 10, 60, 50), (65, 5, 75, 15))
    run_catalog(BrightSquares(), collect_inputs([shop / "in"]), parse_products("lamp"), shop / "run")
    command = ("export", "--profile", "ebay", "--enlarge", "16", "--out")
    wanted = {"deep/lit_1_lamp-ebay.jpg", "deep/lit_2_lamp-ebay.jpg", "lit_1_lamp-ebay.jpg"}
    result = invoke(*command, tmp_path / "out", shop / "run")
    assert pictures_in(tmp_path / "out") == wanted and "no transparent background" not in result.stderr
    invoke(*command, tmp_path / "by name", shop / "in", "--cutouts", shop / "run")
    assert pictures_in(tmp_path / "by name") == wanted
    result = invoke(*command, tmp_path / "above", shop)
    assert pictures_in(tmp_path / "above") == {f"run/cutouts/{name}" for name in wanted}
    assert result.stderr.count("no transparent background") == 2  # the photos themselves


def test_what_a_run_does_not_know_any_more_is_not_exported(tmp_path: Path) -> None:
    """Left there by a version before ours, say; who names the file itself has it."""
    lamp, run = parse_products("lamp"), tmp_path / "run"
    paint(tmp_path / "in" / "a.png", (20, 10, 60, 50))
    paint(tmp_path / "in" / "b.png", (20, 10, 60, 50))
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), lamp, run)
    stray = save_cutout(run / "cutouts" / "old_1_lamp.png", LARGE)
    (tmp_path / "in" / "b.png").unlink()
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), lamp, run, resume=True)
    command = ("export", "--profile", "ebay", "--enlarge", "16", "--out")
    for number, named in enumerate((run, run / "cutouts", run / "cutouts" / "*.png")):
        result = invoke(*command, tmp_path / f"out {number}", named)
        assert pictures_in(tmp_path / f"out {number}") == {"a_1_lamp-ebay.jpg"}
        assert f"1 cut-out ({stray} first) of pictures that the run does not know any more: left out" in result.stderr
    invoke(*command, tmp_path / "named", stray)
    assert pictures_in(tmp_path / "named") == {"old_1_lamp-ebay.jpg"}
    paint(tmp_path / "in" / "old.png")
    invoke(*command, tmp_path / "by name", tmp_path / "in", "--cutouts", run)
    assert pictures_in(tmp_path / "by name") == {"a_1_lamp-ebay.jpg"}


def test_no_export_goes_among_what_a_run_wrote(tmp_path: Path) -> None:
    paint(tmp_path / "in" / "a.png", (20, 10, 60, 50))
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), parse_products("lamp"), tmp_path / "run")
    for inside in ("cutouts", "cutouts/ebay", "masks/x/y"):
        result = invoke("export", tmp_path / "run", "--profile", "ebay", "--out", tmp_path / "run" / inside)
        assert result.exit_code == 2 and "lies in the " in result.stderr and "choose a folder outside" in result.stderr
    assert not (tmp_path / "run" / "cutouts" / "ebay").exists()
    result = invoke("export", tmp_path / "run", "--profile", "ebay", "--out", tmp_path / "run" / "shop")
    assert pictures_in(tmp_path / "run" / "shop") == {"a_1_lamp-ebay.jpg"}, result.output


@pytest.mark.parametrize("name", ["n" * 250, "é" * 124, "製" * 83])
def test_a_name_that_would_be_too_long_is_shortened(tmp_path: Path, name: str) -> None:
    save_cutout(tmp_path / "in" / f"{name}.png", LARGE)
    save_cutout(tmp_path / "in" / f"{name[:-1]}x.png", LARGE)
    command = ("export", tmp_path / "in", "--profile", "amazon-main", "--out", tmp_path / "out", "--enlarge", 1)
    result = invoke(*command)
    assert result.exit_code == 0 and len(pictures_in(tmp_path / "out")) == 2, result.output
    assert all(made.startswith(name[:50]) for made in pictures_in(tmp_path / "out"))
    assert invoke(*command).exit_code == 0  # the same names again


def test_an_empty_file_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "nothing").mkdir()
    result = invoke("check-export", tmp_path / "nothing", tmp_path / "empty.jpg", "--profile", "ebay")
    assert result.exit_code == 1 and f"{tmp_path / 'empty.jpg'} is empty (0 bytes)" in result.stderr
    assert f"There is no picture in {tmp_path / 'nothing'}" in result.stderr


def test_a_run_without_cutouts_says_so(tmp_path: Path) -> None:
    paint(tmp_path / "in" / "dark.png")
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), parse_products("lamp"), tmp_path / "run")
    result = invoke("export", tmp_path / "run", "--profile", "ebay", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "has no cut-outs" in result.stderr


def pictures_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}


def test_what_shows_through_a_product_is_not_exported(tmp_path: Path) -> None:
    class Handles(BrightSquares):
        def detect(self, image, products):
            found = super().detect(image, products)
            openings = np.zeros(image.shape[:2], bool)
            openings[20:40, 30:50] = True
            regions = tuple(replace(region, openings=openings) for region in found.regions)
            return replace(found, regions=regions)

    paint(tmp_path / "bag.png", (20, 10, 60, 50))
    alpha = read_cutout(tmp_path / "bag.png", Handles(), parse_products("bag")).pixels[..., 3]
    assert alpha[alpha.shape[0] // 2, alpha.shape[1] // 2] == 0 and (alpha == 255).any()


def test_a_cutout_keeps_the_pictures_infotext(tmp_path: Path) -> None:
    save_cutout(tmp_path / "a.png", np.dstack([LARGE[:, :, :3], np.full(LARGE.shape[:2], 255, np.uint8)]), INFOTEXT)
    save_cutout(tmp_path / "cut" / "a.png", LARGE)
    arguments = ("--profile", "walmart-main", "--out", tmp_path / "out", "--enlarge", 1, "--cutouts", tmp_path / "cut")
    assert "generated (trained" in invoke("export", tmp_path / "a.png", *arguments).stdout


def test_wide_colours_are_converted(tmp_path: Path) -> None:
    rgba = LARGE.copy()
    rgba[:, :, :3] = (220, 40, 60)
    save_cutout(tmp_path / "wide.png", rgba, icc_profile=swapped())
    red, green = read_cutout(tmp_path / "wide.png", None, ()).pixels[300, 500, :2]
    assert green > red


def test_a_runs_cutouts_keep_their_pictures_colours(tmp_path: Path) -> None:
    paint(tmp_path / "in" / "plain.png", (20, 10, 60, 50))
    with Image.open(tmp_path / "in" / "plain.png") as image:
        image.save(tmp_path / "in" / "wide.png", icc_profile=swapped())
    pixels = np.full((60, 80, 3), 40, np.uint8)
    pixels[10:50, 20:60] = (255, 201, 201)
    Image.fromarray(pixels).save(tmp_path / "in" / "red.png", icc_profile=swapped())
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), parse_products("lamp"), tmp_path / "run")
    found = {}
    for name in ("plain", "wide", "red"):
        with Image.open(tmp_path / "run" / "cutouts" / f"{name}_1_lamp.png") as cut:
            found[name] = cut.info.get("icc_profile")
            with Image.open(tmp_path / "run" / "enhanced" / f"{name}.png") as whole:
                assert whole.info.get("icc_profile") == found[name]
    assert found == {"plain": None, "wide": swapped(), "red": swapped()}
    red, green = read_cutout(tmp_path / "run" / "cutouts" / "red_1_lamp.png", None, ()).pixels[20, 20, :2]
    assert green > red


def test_opaque_pictures_with_an_alpha_channel_are_no_cutouts(tmp_path: Path) -> None:
    save_cutout(tmp_path / "a.png", np.full((20, 20, 4), 255, np.uint8))
    with pytest.raises(ExportError, match="no transparent background"):
        read_cutout(tmp_path / "a.png", None, parse_products("lamp"))


def test_wrong_usage(tmp_path: Path) -> None:
    save_cutout(tmp_path / "a.png")
    unknown = invoke("export", tmp_path / "a.png", "--profile", "amazon", "--out", tmp_path / "out")
    assert unknown.exit_code == 2 and "known are amazon-main" in unknown.stderr
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    result = invoke("export", tmp_path / "a.png", "--profile", "ebay", "--out", tmp_path / "file")
    assert result.exit_code == 1 and "cannot be written" in result.stderr and "Traceback" not in result.stderr
    (tmp_path / "b.png").write_text("no picture")
    assert invoke("check-export", tmp_path / "b.png", "--profile", "ebay").exit_code == 1
