"""What users type after ``@``: folders, pictures, and everything that is wrong with them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lib_photoshoot.examples.preparing import prepare_examples
from lib_photoshoot.examples.sources import (
    ExamplesError,
    check_distinct_examples,
    check_examples,
    list_examples,
    read_example,
)
from lib_photoshoot.images import save_picture
from lib_photoshoot.products import parse_products
from tests.examples.scenes import COLOURS, mug, photographed


@pytest.fixture
def mugs(tmp_path: Path) -> Path:
    folder = tmp_path / "mugs"
    folder.mkdir()
    for number in range(4):
        save_picture(photographed(mug("red")[0], number), folder / f"{number}.png")
    return folder


def test_a_folder_and_pictures(mugs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mugs / "notes.txt").write_text("no picture")
    (mugs / "inside").mkdir()
    assert [file.path.name for file in list_examples("mug", [str(mugs)]).files] == ["0.png", "1.png", "2.png", "3.png"]
    monkeypatch.chdir(mugs.parent)
    named = list_examples("mug", ["mugs/1.png", "mugs/0.png", "mugs"])
    assert [file.path.name for file in named.files] == ["1.png", "0.png", "2.png", "3.png"]
    assert named.digest == list_examples("mug", [str(mugs)]).digest


def test_the_digest_is_of_the_contents(mugs: Path) -> None:
    before = list_examples("mug", [str(mugs)]).digest
    os.rename(mugs / "0.png", mugs / "9.png")
    assert list_examples("mug", [str(mugs)]).digest == before
    save_picture(mug("blue")[0], mugs / "9.png")
    assert list_examples("mug", [str(mugs)]).digest != before


def test_each_bad_picture_is_named_with_a_sentence(mugs: Path) -> None:
    (mugs / "a.jpg").write_text("not a picture")
    save_picture(np.full((300, 300, 3), 200, np.uint8), mugs / "blank.png")
    save_picture(mug("red")[0][:16, :16], mugs / "tiny.png")
    whole = (mugs / "3.png").read_bytes()
    (mugs / "cut.png").write_bytes(whole[: len(whole) // 2])
    (mugs / "twin.png").write_bytes(whole)
    said = check_examples("mug", [str(mugs)])
    for name, why in (
        ("a.jpg", "not a picture"),
        ("blank.png", "one colour"),
        ("tiny.png", "16 x 16 pixels"),
        ("cut.png", "damaged or incomplete"),
        ("twin.png", "the same picture as"),
    ):
        sentences = [sentence for sentence in said if f"{os.sep}{name} " in sentence]
        assert len(sentences) == 1 and why in sentences[0] and sentences[0].endswith("."), (name, said)
    assert len(said) == 5


def test_none_can_be_used(mugs: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("not a picture")
    with pytest.raises(ExamplesError, match=r"None of the examples of 'mug' can be used: The example .*bad\.jpg"):
        check_examples("mug", [str(bad)])
    with pytest.raises(ExamplesError, match=r"nowhere of 'mug' do not exist"):
        list_examples("mug", [str(tmp_path / "nowhere")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExamplesError, match="There is no picture in"):
        list_examples("mug", [str(tmp_path / "empty")])


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="permissions as POSIX has them, for no root")
def test_a_picture_that_may_not_be_read_is_named(mugs: Path) -> None:
    (mugs / "0.png").chmod(0)
    (said,) = check_examples("mug", [str(mugs)])
    assert "may not be read" in said


def test_too_few_are_said(mugs: Path) -> None:
    (said,) = check_examples("mug", [str(mugs / "0.png")])
    assert "one example only" in said
    assert check_examples("mug", [str(mugs)]) == ()


def test_of_five_hundred_twenty_are_used_and_it_is_quick(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(500):
        save_picture(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), tmp_path / f"{number:03}.png")
    start = time.process_time()
    found = list_examples("mug", [str(tmp_path)])
    assert len(found.files) == 20
    assert found.files[0].path.name == "000.png" and found.files[-1].path.name == "499.png"
    assert "Of the 500 examples of 'mug', 20 are used" in found.notes[0]
    # Twenty are read, not five hundred.
    assert time.process_time() - start < 5


def test_two_products_with_the_same_pictures(mugs: Path) -> None:
    save_picture(mug("blue")[0], mugs.parent / "blue.png")
    check_distinct_examples(parse_products(f"mug = @{mugs}, cup = @{mugs.parent}/blue.png"))
    linked = mugs.parent / "linked"
    linked.symlink_to(mugs)
    with pytest.raises(ExamplesError, match="is an example of 'mug' and of 'cup'"):
        prepare_examples(parse_products(f"mug = @{mugs}, cup = @{linked}"))


def test_prepared_products_have_full_paths_and_digests(mugs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mugs.parent)
    prepared = prepare_examples(parse_products("mug = @mugs, shoe"))
    assert prepared.products[0].examples == (str(mugs),)
    assert prepared.products[1] == parse_products("shoe")[0]
    assert prepared.digests == {"mug": list_examples("mug", ["mugs"]).digest}
    assert prepared.sentences == ()


def test_taught_names(mugs: Path) -> None:
    found = list_examples("mug", ["my mug"], kept=lambda name: mugs if name == "my mug" else None)
    assert len(found.files) == 4


def test_transparency_is_kept(tmp_path: Path) -> None:
    image, mask = mug("green")
    save_picture(np.dstack([image, mask.astype(np.uint8) * 255]), tmp_path / "cut.png")
    (file,) = list_examples("mug", [str(tmp_path)]).files
    picture = read_example(file)
    assert picture.alpha is not None and np.array_equal(picture.alpha > 127, mask)
    assert COLOURS
