"""kohya's folders: each with the repeats in its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.captions.sheet import CaptionSheet
from lib_photoshoot.training.controller import TrainingController
from lib_photoshoot.training.dataset.buckets import times_taken
from lib_photoshoot.training.dataset.folders import picture_in, repeats_of, scan_all, write_beside
from lib_photoshoot.training.dataset.regularisation import read_regularisation
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import TrainingState
from lib_photoshoot.training.run.preparation import RunRequest, prepare
from lib_photoshoot.training.trainer.environment import Capabilities
from tests.training.conftest import SMALL, Trainer, finish

TAG = "ppzocketv2"


@pytest.fixture
def kohyas(photos: Path) -> Path:
    """Twelve pictures: four in the folder itself, five in ``3_bag``, three in ``1_cup``."""
    for name, numbers in (("3_bag", range(5)), ("1_cup", range(5, 8))):
        (photos / name).mkdir()
        for number in numbers:
            for file in photos.glob(f"{number:02d}.*"):
                file.rename(photos / name / file.name)
    (photos / "0_none").mkdir()
    (photos / "4_empty").mkdir()
    return photos


@pytest.mark.parametrize(
    ("name", "repeats"), [("6_a b", 6), ("06_", 6), ("0_a", None), ("6", None), ("-1_a", None), ("a_6", None)]
)
def test_the_name_says_the_repeats(name: str, repeats: int | None) -> None:
    assert repeats_of(Path("photos", name)) == repeats


def test_folders_below_are_trained_with_their_repeats(trainer: Trainer, kohyas: Path, tmp_path: Path) -> None:
    dataset = scan_all(kohyas, TAG, SMALL.bucket_settings())
    assert {image.name: image.repeats for image in dataset.images} == {
        f"{n:02d}.png": 3 if n < 5 else 1 if n < 8 else None for n in range(12)
    }
    assert [found.file for found in dataset.findings if found.kind.value == "repeats"] == ["1_cup", "3_bag"]
    # All in one bucket: 5 x 3 + 3 x 1 + 4 x 2 of the recipe, two at a time.
    assert dataset.steps_per_epoch(SMALL.num_repeats, SMALL.train_batch_size) == 13
    request = RunRequest(
        dataset, dataset.captions, SMALL, trainer.checkpoint, trainer.environment, Capabilities(cpu_count=2)
    )
    run = prepare(tmp_path / "runs", request)
    subsets = json.loads((run.path / "dataset.json").read_text())["datasets"][0]["subsets"]
    counted = {Path(subset["image_dir"]).name: subset["num_repeats"] for subset in subsets}
    assert counted == {"dataset": 2, "1_repeats": 1, "3_repeats": 3}
    assert (run.dataset / "3_repeats" / "04.txt").read_text() == f"{TAG}, picture number 4"
    trainer.misbehave(run, "")
    control.start(run)
    status = finish(run)
    assert (status.state, status.step, status.total) == (TrainingState.DONE, 39, 39), status.message


def test_pictures_of_one_name_are_refused(kohyas: Path) -> None:
    shutil.copy(kohyas / "08.png", kohyas / "3_bag" / "08.png")
    with pytest.raises(TrainingError, match=r"/08\.png and 3_bag/08\.png have the same name"):
        scan_all(kohyas, TAG)


def test_a_folder_that_holds_such_folders_alone(kohyas: Path) -> None:
    for file in kohyas.glob("*.*"):
        file.unlink()
    assert len(scan_all(kohyas, TAG).images) == 8


def test_captions_are_written_and_pictures_found_where_they_lie(kohyas: Path) -> None:
    dataset = scan_all(kohyas, TAG)
    sheet = CaptionSheet({**dataset.captions, "00.png": f"{TAG}, new", "08.png": f"{TAG}, newer"})
    assert write_beside(sheet, dataset) == ("08.txt", "00.txt")
    assert write_beside(sheet, dataset, overwrite=True) == ()
    assert (kohyas / "3_bag" / "00.txt").read_text() == f"{TAG}, new" and not (kohyas / "00.txt").exists()
    assert picture_in(kohyas, "00.png") == kohyas / "3_bag" / "00.png"
    assert picture_in(kohyas, "gone.png") == kohyas / "gone.png"


def test_regularisation_pictures_are_as_many_as_the_others(trainer: Trainer, photos: Path, tmp_path: Path) -> None:
    classes = tmp_path / "classes"
    for name, numbers in (("1_bag", (0, 1)), ("2_a cup", (2,))):
        (classes / name).mkdir(parents=True)
        for number in numbers:
            shutil.move(photos / f"{number:02d}.png", classes / name)
            (photos / f"{number:02d}.txt").unlink()
    (classes / "1_bag" / "00.txt").write_text("a brown bag")
    controller = TrainingController(tmp_path / "home")
    check = controller.check(photos, SMALL, regularisation=classes)
    assert not check.uncaptioned and not check.dataset.problems
    # 9 x 2 and as many of the class: 1 + 1 + 2, then 14 more in turn.
    assert times_taken([1, 1, 2], 18) == [6, 6, 6]
    assert check.steps_per_epoch == 18
    run = controller.prepare(check, trainer.checkpoint, trainer.environment, capabilities=Capabilities(cpu_count=2))
    assert (run.dataset / "regularisation_1" / "00.txt").read_text() == "a brown bag"
    assert (run.dataset / "regularisation_2" / "02.txt").read_text() == "a cup"
    subsets = json.loads((run.path / "dataset.json").read_text())["datasets"][0]["subsets"]
    assert [subset.get("is_reg", False) for subset in subsets] == [False, True, True]
    trainer.misbehave(run, "")
    control.start(run)
    status = finish(run)
    assert (status.state, status.step, status.total) == (TrainingState.DONE, 54, 54), status.message


def test_more_regularisation_pictures_than_others_are_left_out() -> None:
    assert times_taken([3] * 12, 7) == [3, 3, 3, *[0] * 9]
    assert times_taken([], 7) == []


def test_a_regularisation_picture_without_words_is_told(photos: Path) -> None:
    (photos / "03.txt").unlink()
    with pytest.raises(TrainingError, match=r"03\.png has no caption; .* such as 1_bag"):
        read_regularisation(photos, SMALL.bucket_settings())
