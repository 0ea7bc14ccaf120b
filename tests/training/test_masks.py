"""Masks for a loss that counts within them alone: written beside photos, entering a run, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.runner import run_catalog
from lib_photoshoot.cli.main import app
from lib_photoshoot.errors import ImageError, TrainingError
from lib_photoshoot.products import parse_products
from lib_photoshoot.training.dataset.mask_files import enter_mask, masks_beside
from lib_photoshoot.training.dataset.scanning import scan
from lib_photoshoot.training.recipe import Recipe, recipe_from
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import RunFolder, TrainingState
from tests.bright_squares import BrightSquares
from tests.test_catalog import paint
from tests.training.conftest import SMALL, Trainer, finish


def masked(**more: object) -> Recipe:
    return recipe_from({**SMALL.to_dict(), "masked_loss": True, **more})


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Three photos with a product in them, and one without, all captioned."""
    folder = tmp_path / "photos"
    squares = {"a": ((5, 5, 25, 25), (40, 20, 70, 50)), "b": ((10, 10, 30, 30),), "c": ((30, 10, 60, 40),), "d": ()}
    for name, boxes in squares.items():
        paint(folder / f"{name}.png", *boxes)
        with Image.open(folder / f"{name}.png") as image:
            image.resize((160, 120), Image.Resampling.NEAREST).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text("ppzocketv2, a lamp")
    return folder


@pytest.fixture
def outlined(shots: Path, tmp_path: Path) -> Path:
    out = tmp_path / "outlined"
    run_catalog(BrightSquares(), collect_inputs([shots]), parse_products("lamp"), out)
    return out


def masks(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["train", "masks", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_masks_are_written_beside_the_photos(shots: Path, outlined: Path) -> None:
    before = {path: path.read_bytes() for path in shots.iterdir()}
    code, out, said = masks(shots, "--outlines", outlined)
    assert code == 1 and "1 photo without an outline in the run (d.png first)" in said
    assert sorted(Path(line).name for line in out.split("\n") if line) == [
        "a-masklabel.png", "b-masklabel.png", "c-masklabel.png",
    ]  # fmt: skip
    mask = np.asarray(Image.open(shots / "a-masklabel.png"))
    assert mask.shape == (120, 160) and set(np.unique(mask)) == {0, 255}
    assert (mask[10:50, 10:50] == 255).all() and (mask[40:100, 80:140] == 255).all()
    assert (mask > 0).sum() == 40 * 40 + 60 * 60
    assert {path: path.read_bytes() for path in before} == before
    # They are masks, and no photos, for whoever looks at the folder.
    assert [image.name for image in scan(shots, "ppzocketv2").images] == ["a.png", "b.png", "c.png", "d.png"]
    assert masks_beside([shots / "a.png", shots / "d.png"]) == {shots / "a.png": shots / "a-masklabel.png"}
    # Again: nothing is written; what was changed is left, and replaced when that is asked for.
    Image.new("L", (160, 120), 255).save(shots / "b-masklabel.png")
    code, out, said = masks(shots, "--outlines", outlined)
    assert out == "" and "1 mask (b-masklabel.png first) there already and other" in said
    assert np.asarray(Image.open(shots / "b-masklabel.png")).min() == 255
    code, out, said = masks(shots, "--outlines", outlined, "--overwrite")
    assert "b-masklabel.png" in out and np.asarray(Image.open(shots / "b-masklabel.png")).min() == 0


def test_masks_of_other_programs_stay(shots: Path, outlined: Path) -> None:
    Image.new("L", (160, 120), 255).save(shots / "b.mask.png")
    code, _, said = masks(shots, "--outlines", outlined, "--overwrite")
    assert not (shots / "b-masklabel.png").exists() and "b.mask.png first" in said and code == 1


def test_a_run_of_other_photos_is_refused(shots: Path, outlined: Path, tmp_path: Path) -> None:
    paint(tmp_path / "others" / "x.png", (5, 5, 25, 25))
    code, out, said = masks(tmp_path / "others", "--outlines", outlined)
    assert code == 2 and "found no product in photos of" in said
    code, out, said = masks(shots, "--outlines", tmp_path / "none")
    assert code == 2 and not out


def test_a_run_gets_a_mask_for_each_photo(
    shots: Path, outlined: Path, tmp_path: Path, fake: Trainer, ended: Callable[[RunFolder], None]
) -> None:
    (shots / "d.png").unlink()
    masks(shots, "--outlines", outlined)
    run = fake.prepare(shots, tmp_path / "home", masked(max_train_epochs=1))
    (subset,) = json.loads((run.path / "dataset.json").read_text())["datasets"][0]["subsets"]
    place = Path(subset["conditioning_data_dir"])
    assert sorted(path.name for path in place.iterdir()) == ["a.png", "b.png", "c.png"] and run.path in place.parents
    assert Path(subset["image_dir"]) not in place.parents and "--masked_loss" in run.spec().command
    for name in "abc":
        assert (place / f"{name}.png").read_bytes() and Image.open(place / f"{name}.png").size == (160, 120)
    control.start(run)
    assert finish(run).state is TrainingState.DONE


def test_what_is_cut_from_a_photo_is_cut_from_its_mask(
    shots: Path, outlined: Path, tmp_path: Path, fake: Trainer
) -> None:
    from lib_photoshoot.training.run.preparation import RunRequest, prepare
    from lib_photoshoot.training.trainer.environment import Capabilities

    masks(shots, "--outlines", outlined)
    dataset = scan(shots, "ppzocketv2")
    captions = dict.fromkeys(("a.png", "b.png"), "ppzocketv2, a lamp")
    request = RunRequest(
        dataset, captions, masked(), fake.checkpoint, fake.environment, Capabilities(cpu_count=2),
        crops={"a.png": (8, 8, 88, 108)},
    )  # fmt: skip
    run = prepare(tmp_path / "runs", request)
    with Image.open(run.path / "masks" / "all" / "a.png") as mask, Image.open(run.dataset / "a.png") as photo:
        assert mask.size == photo.size == (80, 100) and np.asarray(mask)[2:42, 2:42].min() == 255


def test_what_a_masked_run_cannot_be(shots: Path, outlined: Path, tmp_path: Path, fake: Trainer) -> None:
    masks(shots, "--outlines", outlined)
    with pytest.raises(
        TrainingError, match=r"1 of 4 pictures without a mask \(d.png first\).*`train masks` writes them"
    ):
        fake.prepare(shots, tmp_path / "home", masked())
    assert not [*(tmp_path / "home" / "runs").glob("*")]
    with pytest.raises(TrainingError, match="needs aspect buckets"):
        masked(enable_bucket=False)
    Image.new("L", (8, 6), 255).save(shots / "small.png")
    with pytest.raises(ImageError, match="has 8x6 pixels, and its photo another size"):
        enter_mask(shots / "small.png", tmp_path / "mask.png", None, (160, 120))


def test_without_it_nothing_is_otherwise(shots: Path, outlined: Path, tmp_path: Path, fake: Trainer) -> None:
    masks(shots, "--outlines", outlined)
    run = fake.prepare(shots, tmp_path / "home")
    assert "conditioning_data_dir" not in (run.path / "dataset.json").read_text() and not (run.path / "masks").exists()
    assert "--masked_loss" not in run.spec().command
