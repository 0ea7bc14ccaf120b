"""What enters a run, read back as sd-scripts v0.10.1 reads it: its glob, and Pillow's ``convert("RGB")``."""

from __future__ import annotations

import glob
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.images import read_picture
from lib_photoshoot.training.dataset import pictures
from lib_photoshoot.training.dataset.findings import FindingKind
from lib_photoshoot.training.dataset.pictures import enter, trained_size
from lib_photoshoot.training.dataset.scanning import scan
from lib_photoshoot.training.recipe import Recipe
from lib_photoshoot.training.run import control
from lib_photoshoot.training.run.folder import TrainingState
from lib_photoshoot.training.trainer.console import read_log
from lib_photoshoot.training.trainer.events import EventKind
from tests.training.conftest import SMALL, Trainer, finish

TAG = "ppzocketv2"
GLOBBED = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".PNG", ".JPG", ".JPEG", ".WEBP", ".BMP"]


def as_the_trainer(folder: Path) -> dict[str, np.ndarray]:
    """Each picture by stem as ``glob_images`` and ``load_image`` see it."""
    found = [path for suffix in GLOBBED for path in glob.glob(str(folder / f"*{suffix}"))]
    return {Path(path).stem: np.array(Image.open(path).convert("RGB"), np.uint8) for path in found}


def scene(seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(cells).resize((120, 96), Image.Resampling.BICUBIC))


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder of kinds that the trainer reads otherwise than a reader of pictures."""
    folder = tmp_path / "odd"
    folder.mkdir()
    Image.fromarray(scene(1)).save(folder / "Mixed.Jpg", "JPEG")
    Image.fromarray(scene(2)[:, :, 0].astype(np.uint16) * 257).save(folder / "sixteen.png")
    for name, seed in (("cutout.png", 3), ("cutout2.webp", 4)):
        alpha = np.zeros((96, 120), np.uint8)
        alpha[20:70, 30:90] = 255
        Image.fromarray(np.dstack([scene(seed), alpha])).save(folder / name, lossless=True)
    Image.fromarray(scene(5)).convert("CMYK").save(folder / "print.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scene(6)).save(folder / "turned.jpg", exif=exif)
    Image.fromarray(scene(7)).save(folder / "plain.PNG")
    for path in list(folder.iterdir()):
        path.with_suffix(".txt").write_text(f"{TAG}, a bag")
    return folder


def test_what_enters_a_run_is_what_the_trainer_reads(fake: Trainer, odd: Path, tmp_path: Path) -> None:
    run = fake.prepare(odd, tmp_path / "home", replace(SMALL, background="#0080ff"))
    seen = as_the_trainer(run.dataset)
    assert seen.keys() == {"Mixed", "sixteen", "cutout", "cutout2", "print", "turned", "plain"}
    assert len(seen) == run.spec().images
    assert {path.suffix for path in run.dataset.iterdir()} == {".jpg", ".png", ".txt"}
    for stem, pixels in seen.items():
        (source,) = (path for path in odd.glob(f"{stem}.*") if path.suffix != ".txt")
        picture = read_picture(source)
        shows = picture.pixels if picture.alpha is None else np.where(
            picture.alpha[:, :, None] > 0, picture.pixels, np.array([0, 128, 255], np.uint8)
        )  # fmt: skip
        assert pixels.shape == shows.shape
        assert np.abs(pixels.astype(int) - shows).mean() < 3, stem
    assert (run.dataset / "plain.png").read_bytes() == (odd / "plain.PNG").read_bytes()
    assert any(note.startswith("2 photos are transparent in parts") and "#0080ff" in note for note in run.spec().notes)


def test_the_real_trainer_counts_them_as_we_do(real: Trainer, odd: Path, tmp_path: Path) -> None:
    run = real.prepare(odd, tmp_path / "home", replace(SMALL, max_train_epochs=1))
    control.start(run)
    done = finish(run)
    assert (done.state, done.message) == (TrainingState.DONE, "Finished.")
    assert done.step == done.total == run.spec().total_steps
    counted = [event for event in read_log(run.console_log) if event.event is EventKind.COUNTED]
    assert [event.images or event.batches or event.total for event in counted] == [14, 7, 7]


def test_what_is_transparent_is_told_and_not_compared_by_what_lies_below(odd: Path) -> None:
    kinds = {found.kind for found in scan(odd, TAG).findings_of("cutout.png")}
    assert FindingKind.TRANSPARENT in kinds
    below = np.dstack([scene(1), np.zeros((96, 120), np.uint8)])
    below[30:60, 30:60, 3] = 255
    other = np.where(below[:, :, 3:] > 0, 0, below).astype(np.uint8)
    other[:, :, 3] = np.roll(below[:, :, 3], 40, axis=1)
    for number, pixels in enumerate((below, other)):
        Image.fromarray(pixels).save(odd / f"one{number}.png")
    assert not [f for f in scan(odd, TAG).findings_of("one1.png") if f.kind is FindingKind.DUPLICATE]


def test_a_picture_larger_than_pillow_opens_in_the_trainer_is_halved(
    odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained_size(13_377, 13_377) == (13_377, 13_377)
    assert trained_size(13_378, 13_378) == (6_689, 6_689)
    monkeypatch.setattr(pictures, "TRAINER_PIXELS", 10_000)
    assert FindingKind.SHRUNK in {found.kind for found in scan(odd, TAG).findings_of("plain.PNG")}
    assert enter(odd / "plain.PNG", tmp_path) == "plain.png"
    with Image.open(tmp_path / "plain.png") as image:
        assert image.size == (60, 48)
    with pytest.raises(TrainingError, match="rename one"):
        enter(odd / "plain.PNG", tmp_path)


def test_masks_are_no_photos(odd: Path) -> None:
    mask = Image.new("L", (120, 96), 255)
    for name in ("plain.mask.png", "plain-masklabel.png", "plain_mask.png", "gas-mask.png", "Mixed-mask.PNG"):
        mask.save(odd / name)
    (odd / "Mixed-mask.txt").write_text(f"{TAG}, a mask in mixed colours")
    dataset = scan(odd, TAG)
    left = [found.file for found in dataset.notes if found.kind is FindingKind.MASK]
    assert left == ["plain-masklabel.png", "plain.mask.png", "plain_mask.png"]
    assert {"gas-mask.png", "Mixed-mask.PNG"} <= {image.name for image in dataset.images}
    assert Counter(found.kind for found in dataset.problems) == {FindingKind.CAPTION_MISSING: 1}


@pytest.mark.parametrize("colour", ["white", "#fff", "", "#12345g"])
def test_the_colour_behind_is_six_digits(colour: str) -> None:
    with pytest.raises(TrainingError, match="#rrggbb"):
        Recipe(background=colour)


def test_colours_are_trained_as_a_viewer_shows_them(tmp_path: Path) -> None:
    """A profile whose red and green are exchanged: bare numbers would teach the other colour."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    source, run = tmp_path / "Bag.png", tmp_path / "run"
    run.mkdir()
    for data, expected in ((exchanged, (30, 200, 30)), (profile, (200, 30, 30)), (b"no profile", (200, 30, 30))):
        Image.new("RGB", (64, 64), (200, 30, 30)).save(source, icc_profile=data)
        name = enter(source, run)
        seen = as_the_trainer(run)["Bag"][32, 32].astype(int)
        assert np.abs(seen - expected).max() <= 3, data[:10]
        (run / name).unlink()


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".bmp"])
@pytest.mark.parametrize("stem", ["b" * 251, "\u888b" * 83], ids=["bytes", "characters"])
def test_names_as_long_as_the_system_allows_enter_a_run(tmp_path: Path, stem: str, suffix: str) -> None:
    (tmp_path / "run").mkdir()
    source = tmp_path / f"{stem}{suffix}"
    Image.new("RGB", (64, 64), (200, 30, 30)).save(source)
    source.with_suffix(".txt").write_text("a bag")
    assert scan(tmp_path, "").captions == {source.name: "a bag"}
    assert (tmp_path / "run" / enter(source, tmp_path / "run")).is_file()


def test_masks_are_known_in_any_case() -> None:
    paths = [Path("bag.png"), Path("Bag_MASK.png"), Path("x.Mask.png"), Path("face_mask.png")]
    assert set(pictures.masks(paths, [])) == {paths[1], paths[2]}
