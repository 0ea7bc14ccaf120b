"""From examples to a decision, without a network: see ``small_features.py``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from lib_photoshoot.detection.verification import iou
from lib_photoshoot.examples import calibration
from lib_photoshoot.examples.cutting import ExampleCutter
from lib_photoshoot.examples.detector import ExampleDetector
from lib_photoshoot.examples.keeping import kept_signature, packed, unpacked
from lib_photoshoot.examples.matching import Resemblance, Sameness
from lib_photoshoot.examples.sources import ExamplesError
from lib_photoshoot.images import save_picture
from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.results import Detection, Doubt, Reason
from tests.examples.scenes import mug, photographed, shirt
from tests.examples.small_features import ColourfulSalience, ColourfulSegmenter, GridFeatures


def cut_outs(folder: Path, pictures: list[tuple[np.ndarray, np.ndarray]]) -> Path:
    folder.mkdir()
    for number, (image, mask) in enumerate(pictures):
        save_picture(np.dstack([image, mask.astype(np.uint8) * 255]), folder / f"{number}.png")
    return folder


def turned(seed: int, angle: float) -> tuple[np.ndarray, np.ndarray]:
    image, mask = shirt(seed)
    return photographed(image, seed + 20, 0.9, angle), turned_mask(mask, 0.9, angle)


def turned_mask(mask: np.ndarray, scale: float, angle: float) -> np.ndarray:
    """Where :func:`photographed` puts what ``mask`` shows."""
    side = mask.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, scale)
    return cv2.warpAffine(mask.astype(np.uint8), turn, (side, side)) > 0


@pytest.fixture
def shirts(tmp_path: Path) -> Path:
    return cut_outs(tmp_path / "shirts", [turned(1, angle) for angle in (-10, 0, 10)])


@pytest.fixture
def detector(tmp_path: Path) -> ExampleDetector:
    return make(tmp_path / "signatures")


def make(folder: Path, features: GridFeatures | None = None, **more: object) -> ExampleDetector:
    segmenter = ColourfulSegmenter()
    cutter = ExampleCutter(segmenter, ColourfulSalience())
    return ExampleDetector(features or GridFeatures(), cutter, segmenter, folder, **more)  # type: ignore[arg-type]


def product(folder: Path, name: str = "shirt") -> Product:
    return parse_products(f'{name} = @"{folder}"')[0]


def test_a_shirt_is_known_by_its_print(detector: ExampleDetector, shirts: Path) -> None:
    asked = product(shirts)
    assert detector.signature(asked).is_printed
    scene = photographed(shirt(1)[0], 7, 0.7, 15)
    best = max(detector.detect(scene, [asked]), key=lambda found: found.score)
    assert best.score >= detector.threshold_for(asked) and best.refused is None
    _, mask = shirt(1)
    true = mask_box(turned_mask(mask, 0.7, 15))
    assert true is not None and iou(best.box, true) > 0.8
    for other in (2, 3, 4):
        found = detector.detect(photographed(shirt(other)[0], 7, 0.7, 15), [asked])
        assert max((one.score for one in found), default=0.0) < detector.threshold_for(asked)


def test_two_of_a_print_are_two(detector: ExampleDetector, shirts: Path) -> None:
    one, two = (photographed(shirt(1)[0], seed, 0.8, angle) for seed, angle in ((3, -5), (4, 9)))
    found = detector.detect(np.hstack([one, two]), [product(shirts)])
    sure = [item for item in found if item.score >= detector.default_threshold]
    assert len(sure) == 2
    assert sorted((item.box[0] + item.box[2]) / 2 < 420 for item in sure) == [False, True]


def test_another_print_after_enhancement_is_no_longer_the_product(detector: ExampleDetector, shirts: Path) -> None:
    box = (0.0, 0.0, 420.0, 420.0)
    before, same, other = (photographed(shirt(seed)[0], 5) for seed in (1, 1, 6))
    first, second, third = detector.scores([before, same, other], box, product(shirts))
    assert second == first > 0.5 > third


def test_a_signature_is_kept_and_made_anew_when_a_picture_changes(tmp_path: Path, shirts: Path) -> None:
    folder = tmp_path / "signatures"
    features = GridFeatures()
    asked = product(shirts)
    first = make(folder, features).signature(asked)
    assert features.asked == 1
    again = make(folder, features).signature(asked)
    assert features.asked == 1
    assert np.array_equal(first.looks, again.looks)
    assert all(np.array_equal(a.small, b.small) for a, b in zip(first.prints, again.prints, strict=True))
    assert (first.is_printed, first.steady_colour) == (again.is_printed, again.steady_colour)
    image, mask = shirt(8)
    save_picture(np.dstack([image, mask.astype(np.uint8) * 255]), shirts / "0.png")
    changed = make(folder, features).signature(asked)
    assert features.asked == 2 and not np.array_equal(first.looks, changed.looks)


def test_a_running_detector_sees_the_change_too(detector: ExampleDetector, shirts: Path) -> None:
    first = detector.signature(product(shirts))
    assert detector.signature(product(shirts)) is first
    os.remove(shirts / "2.png")
    assert len(detector.signature(product(shirts)).looks) == 2


def test_a_kept_file_that_is_none_is_made_anew(tmp_path: Path, shirts: Path) -> None:
    folder = tmp_path / "signatures"
    make(folder).signature(product(shirts))
    (path,) = folder.glob("*.npz")
    for bad in (b"", b"not one", path.read_bytes()[:900]):
        path.write_bytes(bad)
        assert kept_signature(folder, path.stem) is None
        features = GridFeatures()
        assert make(folder, features).signature(product(shirts)).is_printed
        assert features.asked == 1


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path, shirts: Path) -> None:
    (tmp_path / "signatures").write_text("a file")
    assert make(tmp_path / "signatures").signature(product(shirts)).is_printed


def test_a_packed_signature_needs_no_pictures(tmp_path: Path, shirts: Path) -> None:
    asked = product(shirts)
    data = packed(make(tmp_path / "signatures").signature(asked))
    with pytest.raises(ValueError):
        unpacked(data[:100])
    os.rename(shirts, tmp_path / "gone")
    given = make(tmp_path / "signatures", given={asked.examples: data})
    scene = photographed(shirt(1)[0], 7, 0.8)
    assert max(found.score for found in given.detect(scene, [asked])) >= given.default_threshold


def test_examples_that_disagree_are_said(tmp_path: Path, detector: ExampleDetector) -> None:
    folder = cut_outs(tmp_path / "mixed", [turned(1, -8), turned(1, 8), turned(1, 0), mug("red")])
    (said,) = detector.says(product(folder))
    assert f"{os.sep}3.png looks unlike the other examples of 'shirt'" in said
    mixed = cut_outs(tmp_path / "all", [turned(1, 0), mug("red")])
    said = detector.says(product(mixed))
    assert any("seem to show different products" in sentence for sentence in said)
    assert any("known by 2 examples only" in sentence for sentence in said)


def test_bad_examples_are_named_and_the_others_used(detector: ExampleDetector, shirts: Path) -> None:
    (shirts / "9.png").write_text("not a picture")
    (said,) = detector.says(product(shirts))
    assert f"{os.sep}9.png cannot be used" in said
    assert len(detector.signature(product(shirts)).looks) == 3
    for number in range(3):
        os.remove(shirts / f"{number}.png")
    with pytest.raises(ExamplesError, match="None of the examples of 'shirt' can be used"):
        detector.signature(product(shirts))


def test_a_mug_of_another_colour_is_another_of_its_kind(tmp_path: Path, detector: ExampleDetector) -> None:
    folder = cut_outs(tmp_path / "mugs", [mug("red"), (photographed(mug("red")[0], 1, 1.0, 0.0), mug("red")[1])])
    asked = product(folder, "mug")
    assert not detector.signature(asked).is_printed
    own = detector.detect(mug("red")[0], [asked])
    assert max(found.score for found in own) >= detector.default_threshold
    for colour in ("green", "blue", "yellow", "black"):
        found = detector.detect(mug(colour)[0], [asked])
        assert all(one.score < detector.default_threshold for one in found)
        assert all(one.refused in (None, Reason.OTHER_OF_ITS_KIND) for one in found)


def test_what_is_less_like_the_examples_than_they_are_like_each_other_is_perhaps_another(
    tmp_path: Path, detector: ExampleDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [mug("red"), (photographed(mug("red")[0], 1, 1.0, 0.0), mug("red")[1])]
    asked = product(cut_outs(tmp_path / "mugs", pictures), "mug")
    assert not detector.signature(asked).is_printed

    def best(wanted: Product) -> Detection:
        return max(detector.detect(mug("red")[0], [wanted]), key=lambda found: found.score)

    assert best(asked).score >= detector.default_threshold and best(asked).doubt is None
    # Nothing that these drawings could be is more alike than they are; so more is asked than there is.
    monkeypatch.setattr(calibration, "LEAD", 1.0)
    assert best(asked).score >= detector.default_threshold and best(asked).refused is None
    assert best(asked).doubt is Doubt.PERHAPS_ANOTHER
    # Who says from which score it counts has decided that.
    assert best(replace(asked, threshold=0.3)).doubt is None


def test_a_print_leaves_no_such_doubt(detector: ExampleDetector, shirts: Path) -> None:
    found = detector.detect(photographed(shirt(1)[0], 7, 0.7, 15), [product(shirts)])
    assert max(found, key=lambda one: one.score).doubt is None


@pytest.mark.parametrize(
    ("score", "look", "lead", "answer"),
    [
        (0.9, 0.7, 0.1, Sameness.THIS),
        (0.9, 0.5, 0.0, Sameness.KIND),
        (0.9, 0.5, None, Sameness.THIS),
        (0.4, 0.5, 0.1, Sameness.KIND),
        (0.4, 0.2, 0.1, Sameness.ABSENT),
    ],
)
def test_what_a_candidate_is(score: float, look: float, lead: float | None, answer: Sameness) -> None:
    assert Resemblance(look, 0.0, 3.0 if lead is None else None, score, lead).answer is answer
