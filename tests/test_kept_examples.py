"""Products taught by example: what is kept, found again, refused and forgotten."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_photoshoot.errors import ImageError
from lib_photoshoot.kept_examples import KeptExamples, KeptExamplesError, clean_name, named
from lib_photoshoot.products import parse_products


def photo(value: int = 120, side: int = 64, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(value).integers(0, 255, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def kept(tmp_path: Path) -> KeptExamples:
    return KeptExamples(tmp_path / "examples")


def test_pictures_are_kept_as_they_came(kept: KeptExamples) -> None:
    files = [("Front.JPG", photo(1, kind="JPEG")), ("b.png", photo(2)), ("without a suffix", photo(3))]
    assert kept.keep(" My  Ring", files) == "my ring"
    assert kept.names() == ["my ring"]
    pictures = kept.pictures("MY RING")
    assert [path.name for path in pictures] == ["01.jpg", "02.png", "03.png"]
    assert [path.read_bytes() for path in pictures] == [data for _, data in files]
    assert kept.folder_of("my ring") == pictures[0].parent


def test_a_product_taught_again_has_the_new_pictures_only(kept: KeptExamples) -> None:
    kept.keep("ring", [("a.png", photo(1)), ("b.png", photo(2))])
    kept.keep("ring", [("c.png", photo(3))])
    (picture,) = kept.pictures("ring")
    assert picture.read_bytes() == photo(3)
    assert [path.name for path in kept.folder.iterdir()] == ["ring"], "nothing half-done is left"


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ([], KeptExamplesError, "there is no picture; give 1 to 20"),
        ([("a.png", photo())] * 21, KeptExamplesError, "there are 21 pictures; give 1 to 20"),
        ([("a.png", photo()), ("notes.txt", b"no picture")], ImageError, "notes.txt"),
    ],
)
def test_what_cannot_be_kept_changes_nothing(
    kept: KeptExamples, files: list[tuple[str, bytes]], error: type[Exception], words: str
) -> None:
    kept.keep("ring", [("a.png", photo(7))])
    with pytest.raises(error, match=words):
        kept.keep("ring", files)
    assert [path.read_bytes() for path in kept.pictures("ring")] == [photo(7)]
    assert [path.name for path in kept.folder.iterdir()] == ["ring"]


def test_a_check_that_refuses_leaves_what_was_there(kept: KeptExamples) -> None:
    kept.keep("ring", [("a.png", photo(1))])

    def refuse(folder: Path) -> None:
        assert [path.name for path in folder.iterdir()] == ["01.png"]
        raise KeptExamplesError("of no use")

    with pytest.raises(KeptExamplesError, match="of no use"):
        kept.keep("ring", [("a.png", photo(2))], check=refuse)
    assert kept.pictures("ring")[0].read_bytes() == photo(1)


@pytest.mark.parametrize(
    "name", ["", " ", "...", "../ring", "a/b", "a\\b", "ring.", "-ring", ".hidden", "a:b", "x" * 61]
)
def test_names_that_no_folder_should_have_are_refused(kept: KeptExamples, name: str) -> None:
    with pytest.raises(KeptExamplesError):
        kept.keep(name, [("a.png", photo())])
    assert kept.folder_of(name) is None and not kept.folder.exists()


@pytest.mark.parametrize("name", ["con", "nul", "指輪", "bague d'or", "bracelet 2", "Öse"])
def test_names_in_any_script_come_back(kept: KeptExamples, name: str) -> None:
    assert kept.keep(name, [("a.png", photo())]) == name.lower()
    assert kept.names() == [name.lower()] and kept.pictures(name)
    (product,) = parse_products(named(clean_name(name)))
    assert product.name == name.lower() and kept.folder_of(product.examples[0]) is not None


def test_a_forgotten_product_is_gone(kept: KeptExamples) -> None:
    kept.keep("ring", [("a.png", photo())])
    kept.keep("cup", [("a.png", photo())])
    kept.remove("ring")
    assert kept.names() == ["cup"]
    with pytest.raises(KeptExamplesError, match=r"No product was taught as 'ring' \(taught are: cup\)"):
        kept.remove("ring")
    kept.remove("cup")
    with pytest.raises(KeptExamplesError, match="none was taught yet"):
        kept.pictures("cup")


def trained(runs: Path, name: str, **photos: int) -> Path:
    """A run's copies of its photos, so many in each folder of its dataset."""
    for place, count in photos.items():
        folder = runs / name / "dataset" / place.replace("right_in_it", "")
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / f"{number}.png").write_bytes(photo(number))
            (folder / f"{number}.txt").write_text("a ring", encoding="utf-8")
    return runs / name / "dataset"


def test_the_photos_of_a_training_are_examples(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    right = trained(runs, "ring", right_in_it=3, regularisation_1=9)
    several = trained(runs, "shoe-2", **{"6_repeats": 2, "10_repeats": 4, "regularisation_1": 9})
    (runs / "begun" / "dataset").mkdir(parents=True)
    kept = KeptExamples(tmp_path / "examples", runs)
    assert kept.folder_of("training:ring") == right and len(kept.pictures("training:ring")) == 3
    assert kept.existing("training:shoe-2") == several / "10_repeats"
    (product,) = parse_products("ring = @training:ring")
    assert product.examples == ("training:ring",)
    for gone in ("training:begun", "training:gone", "training:", "training:../runs/ring", "training:ring/dataset"):
        assert kept.folder_of(gone) is None
        with pytest.raises(KeptExamplesError, match="no training run"):
            kept.existing(gone)
    assert KeptExamples(tmp_path / "examples").folder_of("training:ring") is None


def test_the_photos_of_a_training_are_never_removed(tmp_path: Path) -> None:
    place = trained(tmp_path / "runs", "ring", right_in_it=1)
    kept = KeptExamples(tmp_path / "examples", tmp_path / "runs")
    with pytest.raises(KeptExamplesError, match="cannot be the name"):
        kept.remove("training:ring")
    with pytest.raises(KeptExamplesError, match="cannot be the name"):
        kept.keep("training:ring", [("a.png", photo(1))])
    assert (place / "0.png").is_file() and kept.names() == []
