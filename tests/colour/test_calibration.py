"""Calibrations from charts that were rendered from spectra: how true, how kept, how applied, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot.calibration import finding
from lib_photoshoot.calibration.applying import Calibrator, calibrator_for
from lib_photoshoot.calibration.calibration import (
    Calibration,
    calibrate,
    parse_corners,
    read_calibration,
    write_calibration,
)
from lib_photoshoot.calibration.chart import card_box
from lib_photoshoot.calibration.errors import CalibrationError, NoChartError
from lib_photoshoot.calibration.fitting import Error, Fit, FitKind
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.colour.difference import delta_e
from lib_photoshoot.colour.icc import make_profile, matrix_profile
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.detection.verification import without_cards
from lib_photoshoot.images import Picture, read_picture
from lib_photoshoot.products import parse_products
from lib_photoshoot.results import Detection, Reason
from tests.bright_squares import BrightSquares
from tests.colour import rendered_charts as charts

PROPHOTO = make_profile((0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001), (0.3457, 0.3585), (1.8,), "ProPhoto-like")
needs_finder = pytest.mark.skipif(not finding.can_find(), reason="colour-checker-detection is not installed")


def picture_of(pixels: np.ndarray, icc: bytes | None = None) -> Picture:
    return Picture(pixels, None, pixels.shape[1], pixels.shape[0], icc=icc)


def chart(under: str = "A", balanced_for: str | None = None, **options) -> tuple[np.ndarray, np.ndarray]:
    values = charts.seen(charts.chart_reflectances(), under, balanced_for)
    return charts.photograph(values * options.pop("exposure", 1), **options)


def in_profile(linear: np.ndarray, icc: bytes, dtype: type = np.uint8) -> np.ndarray:
    """Linear sRGB written with a profile of a gamma of 1.8."""
    to_d50 = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    own = linear @ (np.linalg.inv(matrix_profile(icc).matrix) @ to_d50).T
    return np.rint(np.clip(own, 0, 1) ** (1 / 1.8) * np.iinfo(dtype).max).astype(dtype)


def error_on_others(calibration: Calibration, under: str, balanced_for: str | None = None) -> np.ndarray:
    """CIEDE2000 on patches that the fit has not seen: those of ISO 17321-1, in a picture of their own."""
    surfaces = charts.chart_reflectances("ISO 17321-1")
    pixels = charts.encoded(charts.seen(surfaces, under, balanced_for))[None]
    lab = SRGB.to_lab(calibration.apply(pixels, None, "others"))[0]
    return delta_e(lab.astype(float), charts.true_lab(surfaces))


@pytest.mark.parametrize("under", ["5000 K", "6500 K", "A", "LED-B3", "LED-V1", "FL2"])
def test_patches_kept_aside_come_out_true(under: str) -> None:
    linear, corners = chart(under, shading=0.1)
    calibration, _ = calibrate(picture_of(charts.encoded(linear)), "chart.png", corners)
    assert error_on_others(calibration, under).mean() <= 2
    assert calibration.error.mean <= 2 <= 3 * calibration.left_out.mean


def test_a_cast_is_taken_out_and_the_corners_may_begin_anywhere() -> None:
    linear, corners = chart("A", "5000 K", exposure=0.6)
    pixels = charts.encoded(linear)
    for given in (corners, np.roll(corners, 2, axis=0), np.roll(corners[::-1], 1, axis=0)):
        calibration, found = calibrate(picture_of(pixels), "chart.png", given)
        assert np.allclose(found, corners, atol=1e-3)
        grey = charts.encoded(charts.seen(np.full((1, 31), 0.3), "A", "5000 K") * 0.6)[None]
        assert np.abs(SRGB.to_lab(grey)[0, 0, 1:]).max() > 10
        assert np.abs(SRGB.to_lab(calibration.apply(grey, None, "grey"))[0, 0, 1:]).max() < 2


def test_colour_counts_and_not_the_numbers_that_a_profile_writes_it_with() -> None:
    linear, corners = chart("FL2")
    from_srgb, _ = calibrate(picture_of(charts.encoded(linear)), "a", corners)
    wide, _ = calibrate(picture_of(in_profile(linear, PROPHOTO), PROPHOTO), "b", corners)
    surfaces = charts.seen(charts.chart_reflectances("ISO 17321-1"), "FL2")[None]
    as_srgb = from_srgb.apply(charts.encoded(surfaces, np.uint16), None, "a")
    other_way = wide.apply(charts.encoded(surfaces, np.uint16), None, "a")
    own = from_srgb.apply(in_profile(surfaces, PROPHOTO, np.uint16), PROPHOTO, "c")
    light = (own / 65535.0) ** 1.8 @ matrix_profile(PROPHOTO).matrix.T
    to_srgb = np.linalg.inv([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    shown = charts.encoded(light @ to_srgb.T, np.uint16)
    assert own.dtype == as_srgb.dtype == np.uint16
    for other in (other_way, shown):
        labs = [SRGB.to_lab(np.rint(item / 257).astype(np.uint8))[0].astype(float) for item in (as_srgb, other)]
        assert delta_e(*labs).mean() < 0.5


def test_what_is_wrong_with_a_chart_is_one_sentence() -> None:
    linear, corners = chart("5000 K")
    pixels = charts.encoded(linear)
    with pytest.raises(CalibrationError, match=r"over-exposed .*white"):
        calibrate(picture_of(charts.encoded(linear * 1.6)), "c.png", corners)
    with pytest.raises(CalibrationError, match="beyond the picture's edge at its second corner"):
        calibrate(picture_of(pixels[:, : int(corners[1, 0]) + 5]), "c.png", corners)
    with pytest.raises(CalibrationError, match="too small"):
        calibrate(picture_of(pixels), "c.png", (corners - 200) * 0.1 + 200)
    with pytest.raises(CalibrationError, match="crosswise and do not go around"):
        calibrate(picture_of(pixels), "c.png", corners[[0, 2, 1, 3]])
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    with pytest.raises(CalibrationError, match=r"picture style|no ColorChecker"):
        calibrate(picture_of(grey), "c.png", corners)


def test_what_is_no_chart_is_not_called_over_exposed() -> None:
    linear, corners = chart("A", "5000 K")
    for stops in (1, 2, 3):
        with pytest.raises(CalibrationError, match=r"over-exposed \(.*white 9\.5"):
            calibrate(picture_of(charts.encoded(linear * 2**stops)), "c.png", corners)
    shape = linear.shape
    ramp = np.broadcast_to(np.linspace(0, 400, shape[1])[None, :, None].clip(0, 255), shape).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for pixels in (ramp, noise, np.zeros(shape, np.uint8), np.full(shape, 128, np.uint8), ramp[:, :, [0, 0, 0]] // 2):
        with pytest.raises(NoChartError, match=r"What lies between these corners in c\.png is no ColorChecker Classic"):
            calibrate(picture_of(pixels), "c.png", corners)
    with pytest.raises(NoChartError, match="nearly all is clipped; correct the corners, or photograph"):
        calibrate(picture_of(np.full(shape, 255, np.uint8)), "c.png", corners)


@pytest.mark.parametrize(
    ("number", "point", "sentence"),
    [
        (1, (900, 80), r"The second corner of the chart in c\.png \(900,80\) lies outside the picture of 600 x 420"),
        (0, (-2, 50), r"The first corner of the chart in c\.png \(-2,50\) lies outside"),
        (2, (300, 200), r"The third corner .* lies between the other three"),
        (3, None, r"The first corner .* or on one of them"),
    ],
)
def test_the_corner_at_fault_is_named(number: int, point: tuple[int, int] | None, sentence: str) -> None:
    corners = np.array([[100, 80], [500, 80], [500, 340], [100, 340]], np.float32)
    corners[number] = corners[0] if point is None else point
    with pytest.raises(CalibrationError, match=sentence):
        calibrate(picture_of(np.full((420, 600, 3), 99, np.uint8)), "c.png", corners)


@pytest.mark.parametrize("wrong", ["12", "12;5", "a,b", "1,2,3", "nan,5", "5,1e39", ""])
def test_a_corner_that_is_no_point_is_named(wrong: str) -> None:
    with pytest.raises(CalibrationError, match=f"The third corner '{wrong}' is no point x,y; write it in pixels, for"):
        parse_corners(["1,2", "3,4.5", wrong, "5,6"])
    with pytest.raises(CalibrationError, match="wants four points and has 5"):
        parse_corners(["1,2"] * 5)


def test_a_missing_package_is_said_with_the_way_around(monkeypatch) -> None:
    finding._segmenter.cache_clear()
    monkeypatch.setitem(sys.modules, "colour_checker_detection.detection.segmentation", None)
    try:
        with pytest.raises(CalibrationError, match=r"--no-deps .*colour-checker-detection.*--corners"):
            calibrate(picture_of(charts.encoded(chart("5000 K")[0])), "c.png")
        with pytest.raises(CalibrationError, match="--corners"):
            calibrator_for("auto")
    finally:
        finding._segmenter.cache_clear()


@needs_finder
def test_a_chart_is_found_and_none_two_or_half_are_said() -> None:
    linear, corners = chart("5000 K", width=0.4, centre=(0.27, 0.5), tilt=0.1, turn=-8)
    _, found = calibrate(picture_of(charts.encoded(linear)), "c.png")
    assert np.abs(found - corners).max() < 3
    two, _ = chart("5000 K", width=0.4, centre=(0.74, 0.5), onto=linear)
    with pytest.raises(CalibrationError, match="2 ColorCheckers"):
        calibrate(picture_of(charts.encoded(two)), "c.png")
    half, _ = chart("5000 K", centre=(0.95, 0.5))
    for pixels in (charts.encoded(half), np.full((300, 400, 3), 128, np.uint8)):
        with pytest.raises(NoChartError, match="all of its 24 patches"):
            calibrate(picture_of(pixels), "c.png")


def made(path: Path) -> Calibration:
    """A calibration that takes some of the red away, written to ``path``."""
    matrix = np.diag([0.9, 1.0, 1.0])
    calibration = Calibration("c.json", Fit(FitKind.MATRIX, matrix), Error(0.5, 1.2), Error(0.7, 1.9), {})
    write_calibration(calibration, path)
    return calibration


def test_a_file_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    before = made(path)
    after = read_calibration(path)
    assert (after.error, after.left_out, after.digest) == (before.error, before.left_out, before.digest)
    assert after.fit.coefficients.tolist() == before.fit.coefficients.tolist()
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_calibration(tmp_path / "gone.json")


DAMAGES = [
    ({"version": 2}, "of another version of this program"),
    ({"version": None}, "of another version of this program"),
    ({"program": "x"}, "is no calibration"),
    ({"fit": "cubic"}, "its fit is none of matrix, root-polynomial, root-polynomial-3"),
    ({"fit": ["matrix"]}, "its fit is none of matrix"),
    ({"fit": "root-polynomial"}, "not 3 rows of 6 numbers from -1000 to 1000"),
    *[
        ({"coefficients": value}, "its coefficients are not 3 rows of 3 numbers from -1000 to 1000")
        for value in (None, [[1, 2]], [[1, 0, 0], [0, 1, 0], [0, 1]], [[1, 0, 0], [0, 1, 0], [0, 0, float("nan")]])
    ],
    *[
        ({"coefficients": [[1, 0, 0], [0, 1, 0], [0, 0, value]]}, "not 3 rows of 3 numbers")
        for value in ("1", True, None, [1], 1e4, float("inf"), 10**400)
    ],
    ({"coefficients": [[0, 0, 0]] * 3}, "would make all pictures black or white"),
    ({"coefficients": [[-1, 0, 0]] * 3}, "would make all pictures black or white"),
    *[
        ({"error": value}, "its error is no mean from 0 to 6 with a max from there on")
        for value in (None, 1, {}, {"mean": 1}, {"mean": 2, "max": 1}, {"mean": float("nan"), "max": 1}, {"mean": "1"})
    ],
    ({"error": {"mean": 7, "max": 9}}, "its error is no mean from 0 to 6"),
    ({"left_out_error": {"mean": -1, "max": 9}}, "its left_out_error is no mean from 0 to 1000"),
    ({"made_from": []}, "its made_from is no object"),
]


@pytest.mark.parametrize(("change", "sentence"), DAMAGES)
def test_a_damaged_value_of_a_file_is_named(tmp_path: Path, change: dict, sentence: str) -> None:
    path = tmp_path / "c.json"
    made(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CalibrationError, match=rf"c\.json .*{sentence}.*; make (it again|one) from "):
        read_calibration(path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no calibration"),
        (b"[]", "is no calibration"),
        (b"\xff\xd8\xff\xe0", "is no calibration"),
        (b" " * (1 << 20) + b"{}", "is no calibration"),
        (b"{", "is damaged: it is no JSON any more; make it again"),
        (b'{"program":' * 4000, "is damaged: it is no JSON any more"),
        (b'{"program": "\xe4"}', "is damaged: it is no JSON any more"),
    ],
)
def test_what_is_no_calibration_is_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "c.json").write_bytes(data)
    with pytest.raises(CalibrationError, match=rf"c\.json {sentence}"):
        read_calibration(tmp_path / "c.json")


def test_the_command_writes_it_and_says_its_error(tmp_path: Path) -> None:
    linear, corners = chart("LED-B3")
    Image.fromarray(charts.encoded(linear)).save(tmp_path / "chart.png")
    points = [f"{x:.1f},{y:.1f}" for x, y in corners]
    out = tmp_path / "led.json"
    said = CliRunner().invoke(
        app, ["colour", "calibrate", str(tmp_path / "chart.png"), "--corners", *points, "--out", str(out)]
    )
    assert said.exit_code == 0 and "CIEDE2000 on the chart" in said.output, said.output
    assert error_on_others(read_calibration(out), "LED-B3").mean() <= 2
    for other in ("chart.png", "notes.json"):
        (tmp_path / "notes.json").write_text("{}")
        before = (tmp_path / other).read_bytes()
        said = CliRunner().invoke(
            app,
            ["colour", "calibrate", str(tmp_path / "chart.png"), "--corners", *points, "--out", str(tmp_path / other)],
        )
        assert said.exit_code == 2 and f"{other} is there already, and no calibration; choose" in said.output
        assert (tmp_path / other).read_bytes() == before
    wrong = CliRunner().invoke(app, ["colour", "calibrate", str(tmp_path / "chart.png"), "--corners", "1,2"])
    assert wrong.exit_code == 2 and "four points" in wrong.output


class Seeing(BrightSquares):
    """Keeps what it was shown."""

    def run(self, image, products, space, cards=()):
        self.image, self.cards = image, cards
        return super().run(image, products, space)


def test_a_run_works_on_calibrated_photos_and_tells_it(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    pixels = np.full((60, 80, 3), 40, np.uint8)
    pixels[10:40, 10:40] = 250
    Image.fromarray(pixels).save(photos / "a.png")
    original = (photos / "a.png").read_bytes()
    made(tmp_path / "c.json")
    calibrator, settings = calibrator_for(str(tmp_path / "c.json"))
    seeing = Seeing()
    run_catalog(seeing, collect_inputs([photos]), parse_products("lamp"), out, settings=settings, calibrator=calibrator)
    expected = calibrator.calibration.apply(pixels, None, "a")
    assert (seeing.image == expected).all() and (expected != pixels).any()
    entry = json.loads((out / "report.json").read_text())["images"][0]
    assert entry["calibration"].startswith("calibrated with c.json (matrix), own error 0.5 mean")
    assert "Calibrated with c.json" in (out / "report.html").read_text()
    enhanced = read_picture(out / "enhanced" / "a.png").pixels
    assert (enhanced[0, 0] == expected[0, 0]).all()
    assert (photos / "a.png").read_bytes() == original


def test_deep_pixels_are_calibrated_too() -> None:
    pixels = np.full((2, 2, 3), 20_000, np.uint16)
    calibration = Calibration("c", Fit(FitKind.MATRIX, np.eye(3) / 2), Error(0, 0), Error(0, 0), {})
    done = Calibrator(calibration)(dataclasses.replace(picture_of(pixels.astype(np.uint8)), deep=pixels), "a")
    assert (done.picture.deep < pixels).all()


@needs_finder
def test_auto_calibrates_by_the_card_which_is_no_product() -> None:
    linear, corners = chart("A", "5000 K", exposure=0.6)
    pixels = charts.encoded(linear)
    done = Calibrator()(picture_of(pixels), "a.png")
    assert "calibrated with its own card" in done.told and (done.picture.pixels != pixels).any()
    assert np.allclose(done.cards[0], card_box(corners), atol=6)
    without = Calibrator()(picture_of(np.full((300, 400, 3), 128, np.uint8)), "b.png")
    assert without.told.startswith("not calibrated") and without.cards == ()
    over = Calibrator()(picture_of(charts.encoded(chart("5000 K", exposure=1.6)[0])), "c.png")
    assert "over-exposed" in over.told and len(over.cards) == 1


def test_a_card_is_rejected_with_its_reason() -> None:
    card = (100.0, 100.0, 400.0, 300.0)
    found = [Detection("bag", box, 0.9) for box in ((90.0, 95.0, 410.0, 320.0), (380.0, 90.0, 600.0, 400.0))]
    kept, rejected = without_cards(found, [card])
    assert kept == found[1:] and [item.reason for item in rejected] == [Reason.COLOUR_CARD]
