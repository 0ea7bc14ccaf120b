"""``rank`` on the output folder of a real ``filter`` run with a small filter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.outputs import report_entry
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.examples.identity import Identity
from lib_photoshoot.products import parse_products
from lib_photoshoot.ranking.run_folder import read_candidates
from lib_photoshoot.results import Decision, FilterResult, ProductRegion
from tests.test_catalog import BrightSquares


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(item) for item in arguments])


def draw(path: Path, seed: int, sigma: float = 0) -> None:
    """A dark picture, its pattern by ``seed``, with a bright textured square."""
    random = np.random.default_rng(seed)
    pixels = cv2.resize(random.integers(0, 90, (6, 7, 3), dtype=np.uint8), (200, 160), interpolation=cv2.INTER_CUBIC)
    left = 20 + 40 * (seed % 3)
    pixels[30:120, left : left + 90] = random.integers(215, 251, (90, 90, 3))
    pixels = cv2.GaussianBlur(pixels, (0, 0), sigma) if sigma else pixels
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    draw(tmp_path / "in" / "deep_1_x" / "sharp.png", 1)
    draw(tmp_path / "in" / "blurred.png", 2, 3)
    draw(tmp_path / "in" / "copy.png", 1, 1)
    out = tmp_path / "out"
    run_catalog(BrightSquares(), collect_inputs([tmp_path / "in"]), parse_products("lamp = light"), out)
    return out


def test_the_sharp_one_comes_first_and_its_copy_behind_it(run: Path) -> None:
    first, second = json.loads(invoke("rank", run, "--json").stdout)["lamp"]
    assert first["file"] == "enhanced/deep_1_x/sharp.png" and second["file"] == "enhanced/blurred.png"
    assert [item["file"] for item in first["duplicates"]] == ["enhanced/copy.png"]
    assert set(first["qualities"]) == {"detection", "mask", "sharpness", "exposure", "size"}
    assert first["total"] > second["total"]


def test_in_words_with_photos_and_only_the_top(run: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "broken.png").write_text("")
    result = invoke("rank", run, "--like", tmp_path / "in", "--top", 1)
    assert result.exit_code == 0 and "broken.png is empty" in result.stderr
    assert "lamp: 1 picture\n" in result.stdout and "blurred.png" not in result.stdout
    assert "looks the same: enhanced/copy.png" in result.stdout and "from 3 photos" in result.stdout


class Left:
    """A product of which only pictures whose outline begins in their left half show the very one."""

    def identity(self, picture: np.ndarray, mask: np.ndarray) -> Identity:
        same = bool(mask[:, :50].any())
        return Identity(0.9 if same else 0.1, 0.5, 0.0, None)


def test_pictures_of_another_product_than_the_photos_come_last(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(
        "lib_photoshoot.ranking.identity.known_product", lambda folder, tell: asked.append(folder) or Left()
    )
    found = json.loads(invoke("rank", run, "--like", tmp_path / "in", "--json").stdout)["lamp"]
    assert asked == [tmp_path / "in"]
    assert {item["file"]: item.get("reason") for item in found} == {
        "enhanced/blurred.png": "other_product", "enhanced/deep_1_x/sharp.png": "other_product"
    }  # fmt: skip
    assert found[0]["qualities"]["identity"]["reason"].startswith("another product 0.10")
    words = invoke("rank", run, "--like", tmp_path / "in").stdout
    assert "other_product: not the product of the photos" in words


def test_without_its_models_a_ranking_says_that_it_does_not_ask(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path / "none"))
    result = invoke("rank", run, "--like", tmp_path / "in", "--json")
    assert result.exit_code == 0 and "show the product of the photos is not looked at" in result.stderr
    assert "identity" not in result.stdout


def test_the_predicted_iou_of_a_run_counts_and_old_reports_rank_without_it(run: Path) -> None:
    path = run / "report.json"
    document = json.loads(path.read_text())
    assert [entry["regions"][0]["quality"] for entry in document["images"]] == [0.95] * 3
    assert "predicted IoU 0.95" in invoke("rank", run).stdout
    for entry, quality in zip(document["images"], (0.25, None, "absent"), strict=True):
        entry["regions"][0]["quality"] = quality
    del document["images"][2]["regions"][0]["quality"]
    path.write_text(json.dumps(document))
    assert [candidate.quality for candidate in read_candidates(run)] == [0.25, None, None]
    ranked = invoke("rank", run)
    assert ranked.exit_code == 0 and ranked.stdout.count("predicted IoU") == 1


def test_a_report_has_the_predicted_iou_rounded_and_none_where_there_is_none() -> None:
    mask = np.ones((4, 4), bool)
    regions = tuple(ProductRegion("lamp", (0, 0, 4, 4), 0.9, mask, quality) for quality in (0.123456, 1.0312, 0.0))
    result = FilterResult(4, 4, Decision.MATCH, None, regions, (), np.zeros((4, 4, 3), np.uint8), 0, {})
    written = report_entry("a.png", result, ("masks/1.png", "masks/2.png", "masks/3.png"))["regions"]
    assert [region["quality"] for region in written] == [0.1235, 1.0312, None]
    # What `detect` prints, and what the HTTP route takes back, is as it was.
    assert set(report_entry("a.png", result)["regions"][0]) == {"product", "score", "box", "mask"}


def test_what_is_missing_or_wrong_is_told(run: Path, tmp_path: Path) -> None:
    (run / "enhanced" / "blurred.png").unlink()
    result = invoke("rank", run)
    assert result.exit_code == 1 and "blurred.png does not exist" in result.stderr and "sharp.png" in result.stdout
    report = (run / "report.json").read_text()
    score = json.loads(report)["images"][1]["regions"][0]["score"]
    strange = report.replace(f'"score": {score}', f'"score": {10**400}')
    for text in ("[]", "[" * 100_000, strange):
        (run / "report.json").write_text(text)
        told = invoke("rank", run)
        assert told.exit_code == 2 and "is no report of this program" in told.stderr and text != report
    shutil.rmtree(run)
    gone = invoke("rank", run)
    assert gone.exit_code == 2 and "is no folder" in gone.stderr
    unfinished = invoke("rank", tmp_path)
    assert unfinished.exit_code == 2 and "holds no finished run of filter" in unfinished.stderr
