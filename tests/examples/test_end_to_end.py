"""Products by example through the command line, with the real models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lib_photoshoot.cli.main import app
from lib_photoshoot.images import save_picture
from tests.examples.scenes import photographed, shirt
from tests.examples.test_detector import cut_outs, turned

pytestmark = pytest.mark.usefixtures("product_filter")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOSHOOT_SIGNATURES", str(tmp_path / "signatures"))
    monkeypatch.chdir(tmp_path)
    cut_outs(tmp_path / "ours", [turned(1, angle) for angle in (-10, 0, 10)])
    photos = tmp_path / "photos"
    photos.mkdir()
    save_picture(photographed(shirt(1)[0], 7, 0.75, 12), photos / "ours.png")
    save_picture(photographed(shirt(4)[0], 7, 0.75, 12), photos / "other.png")
    save_picture(np.full((200, 300, 3), 160, np.uint8), photos / "wall.png")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_a_folder_is_filtered_by_example_and_gone_on_with(place: Path) -> None:
    asked = ("filter", "photos", "--out", "run", "--retouch", "off", "--products", "shirt = @ours")
    code, said = run(*asked)
    assert code == 0 and "1 matched, 2 skipped" in said
    report = json.loads((place / "run" / "report.json").read_text())
    decisions = {Path(image["file"]).name: image["decision"] for image in report["images"]}
    assert decisions == {"ours.png": "match", "other.png": "skip", "wall.png": "skip"}
    assert list((place / "signatures").glob("*.npz"))
    code, said = run(*asked, "--resume")
    assert code == 0 and "(3 from the earlier run)" in said
    image, mask = shirt(5)
    save_picture(np.dstack([image, mask.astype(np.uint8) * 255]), place / "ours" / "0.png")
    code, said = run(*asked, "--resume")
    assert code == 2 and "other products or settings" in " ".join(said.split())


def test_examples_that_do_not_exist_end_it_before_a_folder_is_begun(place: Path) -> None:
    code, said = run("filter", "photos", "--out", "run", "--products", "shirt = @nowhere")
    assert code == 2 and "nowhere of 'shirt' do not exist" in " ".join(said.split())
    assert not (place / "run").exists()
