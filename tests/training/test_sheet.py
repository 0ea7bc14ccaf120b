"""The comparison sheet: sd-scripts' sample names, the grid's places and colours, and the page."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.results import sheet
from lib_photoshoot.training.results.sheet import comparison_sheet, samples
from tests.pages import read_page

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 30), (30, 30, 200)


def save_picture(path: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (64, 64)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def painted(path: Path) -> list[tuple[int, int, int]]:
    """The picture's colours of large areas, in reading order of their upper left corners."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    found = []
    for colour in (RED, GREEN, BLUE):
        mask = (np.abs(pixels - colour).max(axis=2) < 12).astype(np.uint8)
        corners = np.argwhere(mask & ~np.roll(mask, 1, 0) & ~np.roll(mask, 1, 1))
        found += [(top, left, colour) for top, left in corners if mask[top : top + 60, left : left + 60].all()]
    return [colour for _, _, colour in sorted(found)]


def test_the_pictures_of_a_run(tmp_path):
    folder = tmp_path / "sample"
    wanted = [
        save_picture(folder / name)
        for name in (
            "n_e000000_00_20261124120000_42.png",
            "n_e000001_00_20261124120100_42.png",
            "n_e000001_02_20261124120100.png",
            "n_e000010_01_20261124130100_-1.png",
        )
    ]
    for other in (
        "n_000100_00_20261124120000_42.png",
        "nn_e000001_01_20261124120000_42.png",
        "n_e000001_01_20261124120000_42.jpg",
        "n_e000001_01_20261124_42.png",
    ):
        save_picture(folder / other)
    assert samples(tmp_path, "n") == {
        0: [wanted[0], None, None],
        1: [wanted[1], None, wanted[2]],
        10: [None, wanted[3], None],
    }


def test_of_pictures_painted_twice_the_newest_counts(tmp_path):
    old = save_picture(tmp_path / "sample" / "n_e000002_00_20261124120000_7.png")
    new = save_picture(tmp_path / "sample" / "n_e000002_00_20261124120001_42.png")
    os.utime(new, (0, 0))  # a copied folder may have other times
    assert samples(tmp_path, "n") == {2: [new]}
    assert old.exists()


def test_a_run_without_samples(tmp_path):
    assert samples(tmp_path, "n") == {}


def test_one_picture_an_epoch_made_elsewhere(tmp_path):
    pictures = {
        10: save_picture(tmp_path / "b.png", BLUE),
        1: save_picture(tmp_path / "a.jpg", RED, (640, 640)),
        2: save_picture(tmp_path / "c.png", GREEN, (20, 20)),
    }
    target = tmp_path / "new" / "sheet.v1.png"
    assert comparison_sheet(pictures, {1: 0.5}, target) == target
    assert painted(target) == [RED, GREEN, BLUE]
    page = read_page(target.with_suffix(".html").read_text(encoding="utf-8"))
    assert [(item["name"], item["detail"]) for item in page.items] == [
        ("Epoch 1", "loss 0.5000"),
        ("Epoch 2", ""),
        ("Epoch 10", ""),
    ]
    shown = [Image.open(io.BytesIO(data)) for (data,) in page.thumbnails]
    assert [image.size for image in shown] == [(640, 640), (20, 20), (64, 64)]
    assert not page.head["products"] and page.head["columns"] == 3


def test_prompts_are_rows_and_a_missing_picture_leaves_its_place(tmp_path):
    red, green, blue = (save_picture(tmp_path / f"{n}.png", c) for n, c in enumerate((RED, GREEN, BLUE)))
    (tmp_path / "broken.png").write_bytes(red.read_bytes()[:-30])
    pictures = {0: [red, None], 1: [red, green], 2: [tmp_path / "broken.png", blue], 3: [red]}
    comparison_sheet(pictures, {1: 0.1, 2: 0.25}, tmp_path / "s.png", "Bags & <shoes>", ["a <b> bag"])
    assert painted(tmp_path / "s.png") == [RED, RED, RED, GREEN, BLUE]
    page = read_page((tmp_path / "s.html").read_text(encoding="utf-8"))
    assert [group["name"] for group in page.head["products"]] == ["a <b> bag", "Prompt 2"]
    assert page.head["heading"] == "Bags & <shoes>" and "<title>Bags &amp; &lt;shoes&gt;</title>" in page.text
    assert "<b> bag" not in page.text and "<shoes>" not in page.text
    assert [bool(data) for (data,) in page.thumbnails] == [True, True, False, True, False, True, True, False]
    assert sum("No picture" in item["why"] and item["reference"] is None for item in page.items) == 3
    assert [item["name"] for item in page.items].count("Before training") == 2
    assert [item["detail"] for item in page.items].count("loss 0.2500") == 2


def test_labels_are_painted_under_the_pictures(tmp_path):
    picture = save_picture(tmp_path / "a.png")
    comparison_sheet({1: picture}, {}, tmp_path / "without.png")
    comparison_sheet({1: picture}, {1: 0.5}, tmp_path / "with.png")
    one, two = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in ("without", "with"))
    below = sheet._GAP + sheet._LARGEST_CELL
    assert np.array_equal(one[:below], two[:below])
    changed = np.argwhere((one != two).any(axis=2))
    assert len(changed) > 50
    # The second line begins under the first, which both have.
    assert (one[below : changed[:, 0].min()] < 100).any()


def test_many_epochs_wrap_evenly_in_order(tmp_path):
    colours = [RED, GREEN, BLUE]
    files = [save_picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate(colours)]
    comparison_sheet({n: files[n % 3] for n in range(1, 11)}, {}, tmp_path / "s.png")
    assert painted(tmp_path / "s.png") == [colours[n % 3] for n in range(1, 11)]
    width, height = Image.open(tmp_path / "s.png").size
    assert width == sheet._GAP + 5 * (sheet._LARGEST_CELL + sheet._GAP)
    assert height > 2 * sheet._LARGEST_CELL


def test_when_epochs_wrap_the_prompts_stay_together(tmp_path):
    red, green = (save_picture(tmp_path / f"{n}.png", colour) for n, colour in enumerate((RED, GREEN)))
    comparison_sheet({n: [red, green] for n in range(1, 9)}, {}, tmp_path / "s.png")
    assert painted(tmp_path / "s.png") == ([RED] * 4 + [GREEN] * 4) * 2


@pytest.mark.parametrize(("epochs", "rows"), [(1, 1), (6, 1), (7, 1), (10, 3), (100, 8), (1000, 1), (3, 200)])
def test_a_grid_has_room_for_all_and_stays_of_a_size_that_opens(epochs, rows):
    side, columns = sheet._grid(epochs, rows)
    assert sheet._SMALLEST_CELL <= side <= sheet._LARGEST_CELL
    assert 1 <= columns <= epochs and columns * side <= sheet._WIDTH
    lines = -(-epochs // columns)
    assert epochs > (lines - 1) * columns  # no empty line
    assert side * side * epochs * rows <= 1.01 * max(sheet._PIXELS, sheet._SMALLEST_CELL**2 * epochs * rows)


@pytest.mark.parametrize("pictures", [{}, {1: []}, {1: [None]}, {1: Path("nowhere.png")}])
def test_nothing_to_compare_is_told(tmp_path, pictures):
    with pytest.raises(TrainingError, match=r"no sample picture to compare; .*\.$"):
        comparison_sheet(pictures, {}, tmp_path / "s.png")
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_that_cannot_be_written_is_told(tmp_path):
    picture = save_picture(tmp_path / "a.png")
    with pytest.raises(TrainingError, match=r"a\.png/s\.png cannot be written"):
        comparison_sheet({1: picture}, {}, picture / "s.png")


def test_the_built_in_font_of_old_pillow_will_do(tmp_path, monkeypatch):
    from PIL import ImageFont

    bitmap = getattr(ImageFont, "load_default_imagefont", ImageFont.load_default)

    def before_10_1(*size):
        if size:
            raise TypeError("load_default() takes 0 positional arguments but 1 was given")
        return bitmap()

    def no_font(*_):
        raise OSError("cannot open resource")

    monkeypatch.setattr(ImageFont, "load_default", before_10_1)
    monkeypatch.setattr(ImageFont, "truetype", no_font)
    comparison_sheet({1: save_picture(tmp_path / "a.png")}, {1: 0.5}, tmp_path / "s.png")
    pixels = np.asarray(Image.open(tmp_path / "s.png").convert("L"))
    assert (pixels[sheet._GAP + sheet._LARGEST_CELL + 2 :] < 100).any()
