"""The registry of detectors: an entry is all that the rest of the program knows of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

import pytest

from lib_photoshoot import build
from lib_photoshoot.build import ModelChoice
from lib_photoshoot.detection.checked import CheckedWords
from lib_photoshoot.detection.protocol import Given
from lib_photoshoot.errors import UnknownProductError
from lib_photoshoot.model_names import DETECTORS, DetectorEntry, DetectorName
from lib_photoshoot.products import Product, parse_products
from lib_photoshoot.weights.manifest import Manifest
from tests.conftest import ROOT


def test_every_name_has_an_entry_that_leads_somewhere() -> None:
    assert list(DETECTORS) == list(DetectorName)
    files = Manifest.load().files
    for entry in DETECTORS.values():
        assert callable(resolve_name(entry.loader)) and (entry.check is None or callable(resolve_name(entry.check)))
        assert not set(entry.weights) - set(files)


def test_no_other_part_knows_one_by_name() -> None:
    """So that one more needs its entry, its folder and its files in the manifest, and nothing else."""
    package = ROOT / "lib_photoshoot"
    naming = [path for path in package.rglob("*.py") if "DetectorName.GROUNDINGDINO" in path.read_text("utf-8")]
    assert naming == [package / "model_names.py"]
    deciding = [path for path in package.rglob("*.py") if "is DetectorName." in path.read_text("utf-8")]
    assert not deciding


def stand_in(given: Given) -> Given:
    return given


def only_cups(products: Sequence[Product]) -> CheckedWords:
    cups = tuple(product for product in products if product.name == "cup")
    others = tuple(product for product in products if product.name != "cup")
    return CheckedWords(cups, ("cups it is",) if cups else (), others, "only cups" if others else "")


def test_an_entry_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = DetectorEntry(
        "a stand-in", f"{__name__}:stand_in", ("bert-vocab", "u2netp"), check=f"{__name__}:only_cups",
        classifies_cutouts=True,
    )  # fmt: skip
    monkeypatch.setitem(DETECTORS, DetectorName.GROUNDINGDINO, entry)
    # Imported with the real store, which it keeps.
    monkeypatch.setattr("lib_photoshoot.detection.small.loading.small_detector", lambda: None)
    monkeypatch.setattr("lib_photoshoot.weights.store.find", Path)
    monkeypatch.setattr(
        "lib_photoshoot.detection.embedded.classifier.ImageNetClassifier.from_file", lambda path: f"read from {path}"
    )
    monkeypatch.setattr(build, "_segmenter", lambda name, device: f"{name.value} on {device}")
    monkeypatch.setattr(build, "salience", lambda name: name)
    monkeypatch.setattr(build, "fine_salience", lambda: None)
    choice = ModelChoice(DetectorName.GROUNDINGDINO, bf16=True)
    with pytest.raises(UnknownProductError, match="only cups"):
        build.check_words(choice, parse_products("mug, vase"))
    checked = build.check_words(choice, parse_products("mug, cup, vase"))
    assert [product.name for product in checked.products] == ["cup"] and checked.sentences == (
        "cups it is",
        "only cups",
    )
    with pytest.raises(UnknownProductError, match="must hold all products, and not all can be looked for: only cups"):
        build.check_words(choice, parse_products("mug, cup"), require_all=True)
    assert build.check_words(choice, parse_products("cup"), require_all=True).left_out == ()
    assert build.weights_of(choice)[-2:] == ("bert-vocab", "u2netp")
    given = build.load_models(choice).detector.words
    assert isinstance(given, Given) and given.weights == (Path("bert-vocab"), Path("u2netp"))
    assert (given.classifier, given.segmenter) == ("read from efficientnet-lite2", "mobile-sam on cpu")
    assert given.bf16 and given.device == "cpu"
