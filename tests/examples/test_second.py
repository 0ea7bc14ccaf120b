"""DINOv2 as the second network: the official architecture with random weights against the library's own answers, and
what its word does to a product without a print.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.examples import calibration
from lib_photoshoot.examples.cutting import ExampleCutter
from lib_photoshoot.examples.detector import ExampleDetector
from lib_photoshoot.examples.features import unit
from lib_photoshoot.examples.keeping import packed, unpacked
from lib_photoshoot.examples.prints import take_print
from lib_photoshoot.examples.second import FILE, SIDE, TOKENS, DinoV2Features, second_features
from lib_photoshoot.examples.signature import Signature
from lib_photoshoot.results import Detection, Doubt
from tests.examples.scenes import mug, photographed
from tests.examples.small_features import ColourfulSalience, ColourfulSegmenter, GridFeatures
from tests.examples.test_detector import cut_outs, product

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
WITH = "transformers 4.31 brings DINOv2: python -m tests.newer_transformers"
newer = pytest.mark.skipif(not hasattr(transformers, "Dinov2Model"), reason=WITH)


def picture(seed: int, shape: tuple[int, int] = (260, 260)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (*shape, 3), np.uint8)


def small_dinov2() -> Any:
    """The official network, small and with random weights; its inputs are as large as those of the published one."""
    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=518, patch_size=14
    )
    return transformers.Dinov2Model(config).eval()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_dinov2().save_pretrained(tmp_path / "dinov2")
    return tmp_path / "dinov2"


def theirs(folder: Path, pictures: list[np.ndarray]) -> np.ndarray:
    """The library's own last hidden state, of pictures that its own processor prepared."""
    # The published preprocessor_config.json says these; the class's own are CLIP's.
    numbers = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    prepare = transformers.BitImageProcessor(do_resize=False, do_center_crop=False, **numbers)
    model = transformers.Dinov2Model.from_pretrained(folder).eval()
    with torch.inference_mode():
        answer: np.ndarray = model(**prepare(pictures, return_tensors="pt")).last_hidden_state.numpy()
    return answer


@newer
def test_a_folder_answers_as_the_library(folder: Path) -> None:
    pictures = [picture(seed, (SIDE, SIDE)) for seed in range(5)]
    features = DinoV2Features.from_folder(folder)
    expected = theirs(folder, pictures)[:, 1:]
    assert np.allclose(features.cutouts(pictures), unit(expected.mean(1)), atol=1e-5)
    cells = features.cells(pictures[0])
    assert cells.shape == (TOKENS, TOKENS, 32)
    assert np.allclose(cells.reshape(-1, 32), expected[0], atol=1e-4)
    assert np.allclose(unit(cells.mean((0, 1))), features.cutouts(pictures[:1])[0], atol=1e-3)
    assert features.name == "dinov2-32x2/1"


@newer
def test_the_onnx_file_answers_as_the_folder(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="torch writes ONNX with the package onnx")
    path = tmp_path / "dinov2-small.onnx"
    model = transformers.Dinov2Model.from_pretrained(folder, attn_implementation="eager").eval()
    torch.onnx.export(
        model, (torch.zeros(1, 3, SIDE, SIDE),), str(path), opset_version=17,
        input_names=["pixel_values"], output_names=["last_hidden_state", "pooler_output"],
        dynamic_axes={"pixel_values": {0: "n"}, "last_hidden_state": {0: "n"}},
    )  # fmt: skip
    pictures = [picture(seed) for seed in range(3)]
    file, its = DinoV2Features.from_onnx(path), DinoV2Features.from_folder(folder)
    assert np.allclose(file.cutouts(pictures), its.cutouts(pictures), atol=1e-4)


@newer
def test_it_is_taken_from_the_models_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    found = second_features()
    assert found is not None and found.name == "dinov2-32x2/1"


def test_without_weights_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path))
    # What another program has in the hub's cache changes nothing.
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    cached = tmp_path / "hub" / "models--facebook--dinov2-small" / "snapshots" / "1"
    cached.mkdir(parents=True)
    (cached / "config.json").write_text('{"model_type": "dinov2"}', encoding="utf-8")
    (cached / "model.safetensors").write_bytes(b"")
    assert second_features() is None


@newer
def test_a_folder_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSHOOT_MODELS", str(tmp_path))
    (tmp_path / "dinov2").mkdir()
    with pytest.raises(WeightsError, match="get it with"):
        second_features()


def test_many_cutouts_are_asked_few_at_a_time_and_prepared_as_it_was_trained() -> None:
    asked: list[np.ndarray] = []

    def run(pixels: np.ndarray) -> np.ndarray:
        asked.append(pixels)
        return np.ones((len(pixels), 1 + TOKENS**2, 8), np.float32) * pixels.mean((1, 2, 3))[:, None, None]

    features = DinoV2Features(run, FILE)
    grey = np.full((260, 260, 3), 255, np.uint8)
    assert features.cutouts([grey] * 6).shape == (6, 8)
    assert [len(batch) for batch in asked] == [4, 2] and asked[0].dtype == np.float32
    # White is (1 - mean) / spread of each channel.
    assert asked[0][0, :, 0, 0] == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-3)


class Likes:
    """Sees all cut-outs alike but those of one kind of colour, which it takes for another thing."""

    name = "likes/1"

    def __init__(self, strange: bool) -> None:
        self.strange, self.asked = strange, 0

    def cutouts(self, cutouts: list[np.ndarray]) -> np.ndarray:
        self.asked += 1
        # Examples come as two pictures each, a candidate alone.
        strange = self.strange and len(cutouts) == 1
        return unit(np.tile(np.array([0.0, 1.0] if strange else [1.0, 0.1], np.float32), (len(cutouts), 1)))

    def cells(self, image: np.ndarray) -> np.ndarray:
        raise AssertionError("windows are the first network's")


@pytest.mark.parametrize("strange", [False, True])
def test_what_the_second_does_not_see_is_perhaps_another(tmp_path: Path, strange: bool) -> None:
    pictures = [mug("red"), (photographed(mug("red")[0], 1, 1.0, 0.0), mug("red")[1])]
    asked = product(cut_outs(tmp_path / "mugs", pictures), "mug")
    segmenter, second = ColourfulSegmenter(), Likes(strange)
    cutter = ExampleCutter(segmenter, ColourfulSalience())  # type: ignore[arg-type]
    folder = tmp_path / "signatures"
    detector = ExampleDetector(GridFeatures(), cutter, segmenter, folder, second=second)  # type: ignore[arg-type]
    best: Detection = max(detector.detect(mug("red")[0], [asked]), key=lambda found: found.score)
    assert best.score >= calibration.THRESHOLD and best.refused is None and second.asked > 1
    assert best.doubt is (Doubt.PERHAPS_ANOTHER if strange else None)
    # It is kept with the rest, and apart from a signature without it.
    (path,) = folder.glob("*.npz")
    signature = unpacked(path.read_bytes())
    assert signature.second is not None and signature.least_second == pytest.approx(1.0)
    alone = ExampleDetector(GridFeatures(), cutter, segmenter, folder)  # type: ignore[arg-type]
    assert alone.signature(asked).second is None and len(list(folder.glob("*.npz"))) == 2


def test_a_signature_whose_second_half_is_of_others_is_none() -> None:
    looks = unit(np.eye(2, 4, dtype=np.float32))
    prints = tuple(take_print(picture(seed, (64, 64))) for seed in (1, 2))
    whole = Signature(looks, np.zeros((2, 3), np.float32), prints, np.zeros((2, 2), np.float32), ("a", "b"), (), looks)
    assert np.array_equal(unpacked(packed(whole)).second, looks)
    with pytest.raises(ValueError, match="belong together"):
        unpacked(packed(replace(whole, second=looks[:1])))
