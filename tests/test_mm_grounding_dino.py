"""MM-Grounding-DINO and LLMDet: the official network with random weights, against the library's own way."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from lib_photoshoot.detection import mm_grounding_dino as mm
from lib_photoshoot.detection.grounding_dino.caption import build_captions
from lib_photoshoot.detection.protocol import Given
from lib_photoshoot.detection.transformers_models import transformers_is
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.products import parse_products
from tests import small_hub_models as small

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
if not hasattr(transformers, "MMGroundingDinoForObjectDetection"):
    pytest.skip(f"transformers is {version('transformers')}; 4.55 brings MM-Grounding-DINO", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mm-groundingdino")
    small.bert_vocabulary(place)
    small.mm_grounding_dino().save_pretrained(place, safe_serialization=True)
    return place


def load(folder: Path, bf16: bool = False) -> mm.MmGroundingDinoDetector:
    return mm.load_mm_grounding_dino(Given((folder / "vocab.txt",), None, None, "cpu", bf16, folder))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def detector(folder: Path) -> mm.MmGroundingDinoDetector:
    return load(folder)


PRODUCTS = parse_products("handbag, watch = watch strap | shoe")


def picture(height: int = 40, width: int = 320) -> np.ndarray:
    """A long one: the network's input stays small."""
    return np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)


def test_words_pixels_scores_and_boxes_are_the_librarys(detector: mm.MmGroundingDinoDetector, folder: Path) -> None:
    import torch
    from transformers import BertTokenizer, GroundingDinoImageProcessor, GroundingDinoProcessor

    maker = getattr(transformers, "GroundingDinoImageProcessorPil", GroundingDinoImageProcessor)
    processor = GroundingDinoProcessor(maker(), BertTokenizer(str(folder / "vocab.txt"), do_lower_case=True))
    image = picture()
    labels = [word for product in PRODUCTS for word in product.words]
    inputs = processor(images=image, text=[labels], return_tensors="pt")
    (caption,) = build_captions(PRODUCTS, detector._words)
    assert inputs["input_ids"][0].tolist() == list(caption.input_ids)
    theirs = transformers.MMGroundingDinoForObjectDetection.from_pretrained(folder).eval()
    with torch.inference_mode():
        answer = theirs(**inputs)
    found = detector.detect(image, PRODUCTS)
    assert found and found == sorted(found, key=lambda d: -d.score)
    (scored,) = processor.post_process_grounded_object_detection(answer, threshold=0.0, target_sizes=[image.shape[:2]])
    probabilities = answer.logits[0].sigmoid()
    for detection in found:
        # Their boxes are not clipped to the picture.
        clipped = scored["boxes"].clamp(min=0).minimum(torch.tensor([320.0, 40.0, 320.0, 40.0]))
        nearest = int((clipped - torch.tensor(detection.box)).abs().sum(1).argmin())
        assert (clipped[nearest] - torch.tensor(detection.box)).abs().max() < 0.05
        spans = [s for s in caption.spans if PRODUCTS[s.product].name == detection.product]
        # The mean over a word's tokens, as mmdetection scores classes.
        assert detection.score == pytest.approx(
            max(float(probabilities[nearest, s.start : s.stop].mean()) for s in spans), abs=1e-3
        )


@pytest.mark.parametrize("shape", [(40, 320), (96, 144), (301, 200), (1000, 77), (800, 1333), (500, 500)])
def test_pictures_enter_in_the_librarys_size(shape: tuple[int, int]) -> None:
    from transformers import GroundingDinoImageProcessor

    maker = getattr(transformers, "GroundingDinoImageProcessorPil", GroundingDinoImageProcessor)
    image = picture(*shape)
    theirs = maker()(images=image, return_tensors="np")["pixel_values"]
    ours = mm.normalised(image, mm.input_size(shape[1], shape[0]))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-5


def test_the_last_answer_is_kept(detector: mm.MmGroundingDinoDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    first = detector.detect(picture(), PRODUCTS)
    monkeypatch.setattr(mm, "normalised", None)
    assert detector.detect(picture(), PRODUCTS) == first
    with pytest.raises(TypeError):
        detector.detect(picture(41), PRODUCTS)


def test_bfloat16_stays_close(folder: Path, detector: mm.MmGroundingDinoDetector) -> None:
    (caption,) = build_captions(PRODUCTS, detector._words)
    pixels = mm.normalised(picture(), (320, 40))
    # Which places of the picture become queries, and in which order, changes with the last digits.
    exact, close = (np.sort(one._ask(pixels, caption)[0].max(1)) for one in (detector, load(folder, bf16=True)))
    away = np.abs(exact - close).mean()
    assert 0 < away < 0.05 if transformers_is(mm.BF16) else away == 0


def test_a_file_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    gone = next(name for name in tensors if "decoder" in name and name.endswith("fc1.weight"))
    for name in ("config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    save_file({n: t for n, t in tensors.items() if n != gone}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match="no weights of its own for 1 parts"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        load(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "d_model": 64}))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(WeightsError):
        load(tmp_path)
