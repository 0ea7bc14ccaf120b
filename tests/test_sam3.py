"""SAM 3: the official network with random weights, against the library's own way."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from lib_photoshoot.detection import sam3
from lib_photoshoot.detection.protocol import Given
from lib_photoshoot.errors import ProductsError
from lib_photoshoot.products import parse_products
from tests import small_hub_models as small

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
if not hasattr(transformers, "Sam3Model"):
    pytest.skip(f"transformers is {version('transformers')}; 5.0 brings SAM 3", allow_module_level=True)

PRODUCTS = parse_products("bag, watch = strap | dial")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sam3")
    small.clip_vocabulary(place)
    small.sam3().save_pretrained(place)
    return place


def load(folder: Path, bf16: bool = False) -> sam3.Sam3Detector:
    return sam3.load(Given((), None, None, "cpu", bf16, folder))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def detector(folder: Path) -> sam3.Sam3Detector:
    return load(folder)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (60, 90, 3), np.uint8)


def test_every_word_has_the_librarys_answer(
    detector: sam3.Sam3Detector, folder: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam3, "FLOOR", 0.0)
    monkeypatch.setattr(sam3, "nms", lambda boxes, scores: np.arange(len(scores)))
    found = detector.detect(picture, PRODUCTS[:1])
    theirs = transformers.Sam3Model.from_pretrained(folder).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    words = tokenizer("bag", padding="max_length", max_length=32, return_tensors="pt")
    with torch.inference_mode():
        # As their processor asks: picture and word in one go.
        answer = theirs(
            pixel_values=detector._pixels(picture),
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
        )
    scores = (answer.pred_logits.sigmoid() * answer.presence_logits.sigmoid())[0]
    boxes = answer.pred_boxes[0].clamp(0, 1) * torch.tensor([90.0, 60.0, 90.0, 60.0])
    masks = torch.nn.functional.interpolate(
        answer.pred_masks.sigmoid(), picture.shape[:2], mode="bilinear", align_corners=False
    )[0]
    order = sorted(range(len(scores)), key=lambda n: -float(scores[n]))
    assert len(found) == len(scores) == 12
    for detection, n in zip(found, order, strict=True):
        assert detection.score == pytest.approx(float(scores[n]), abs=1e-4)
        assert detection.box == pytest.approx(boxes[n].tolist(), abs=0.05)
        outlined = np.zeros(picture.shape[:2], bool) if detection.mask is None else detection.mask
        assert (outlined != (masks[n].numpy() > 0.5)).mean() < 0.01


def test_the_picture_enters_as_the_library_prepares_it(detector: sam3.Sam3Detector, picture: np.ndarray) -> None:
    pytest.importorskip("torchvision")
    processor = transformers.Sam3ImageProcessor(size={"height": 112, "width": 112})
    theirs = processor(picture, return_tensors="pt")["pixel_values"]
    assert (detector._pixels(picture) - theirs).abs().max() < 0.01  # one step of 255


def test_a_word_counts_as_much_as_it_is_in_the_picture(detector: sam3.Sam3Detector, picture: np.ndarray) -> None:
    alone = detector.detect(picture, PRODUCTS)
    assert {detection.product for detection in alone} <= {"bag", "watch"}
    assert alone == sorted(alone, key=lambda detection: -detection.score)
    head = detector._model.detr_decoder.presence_head
    with torch.no_grad():
        last = [module for module in head.modules() if isinstance(module, torch.nn.Linear)][-1]
        kept = last.bias.clone()
        last.bias.fill_(-50)  # not in the picture, whatever its outlines
        try:
            assert detector.detect(picture, PRODUCTS) == []
        finally:
            last.bias.copy_(kept)


def test_bfloat16_stays_close(folder: Path, detector: sam3.Sam3Detector, picture: np.ndarray) -> None:
    exact, close = (max(d.score for d in one.detect(picture, PRODUCTS)) for one in (detector, load(folder, bf16=True)))
    assert exact != close and abs(exact - close) < 0.05


def test_a_word_that_is_too_long_is_one_sentence(detector: sam3.Sam3Detector, picture: np.ndarray) -> None:
    with pytest.raises(ProductsError, match="too long"):
        detector.detect(picture, parse_products("abcdefghijklmnopqrstuvwxyzabcdefghij"))
