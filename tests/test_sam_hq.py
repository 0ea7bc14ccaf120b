"""Our SAM-HQ against its authors' package, with the same random weights."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lib_photoshoot.errors import WeightsError  # noqa: E402
from lib_photoshoot.segmentation.sam import SamSegmenter  # noqa: E402
from lib_photoshoot.segmentation.sam_hq import build_sam_hq  # noqa: E402

SMALL = {
    "checkpoint": None,
    "encoder_embed_dim": 64,
    "encoder_depth": 3,
    "encoder_num_heads": 2,
    "encoder_global_attn_indexes": [1, 2],
}
"""ViT-B's structure, windows before whole views, in a tenth of its time."""
BOX = (60.0, 40.0, 300.0, 200.0)
SIZE = (256, 384)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    module = importlib.import_module("segment_anything.build_sam")  # the package has a function of that name too
    monkeypatch.setitem(module.sam_model_registry, "vit_b", lambda: module._build_sam(**SMALL))


@pytest.fixture(scope="module")
def theirs():
    pytest.importorskip("segment_anything_hq", reason="the package segment-anything-hq is the reference here")
    torch.manual_seed(3)
    sam = importlib.import_module("segment_anything_hq.build_sam")._build_sam(**SMALL)
    with torch.no_grad():
        # A fresh relative position is zero, a fresh embedding's order of magnitude its own: make all of them matter.
        for name, value in sam.named_parameters():
            if "rel_pos" in name or name.endswith("pos_embed"):
                value.normal_(std=0.1)
    return sam


@pytest.fixture(scope="module")
def answers(theirs, picture):
    """The package's own best answer to a box: logits (256, 256) and predicted IoU."""
    from segment_anything_hq import SamPredictor

    predictor = SamPredictor(theirs)
    with torch.inference_mode():
        predictor.set_image(picture)
        box = predictor.transform.apply_boxes_torch(torch.tensor([BOX]), SIZE)
        _, quality, logits = predictor.predict_torch(None, None, box, multimask_output=True)
    return logits[0, 0], float(quality[0, 0])


def test_best_answer_is_the_packages(theirs, answers, picture):
    from segment_anything import SamPredictor

    predictor = SamPredictor(build_sam_hq("vit_b", theirs.state_dict()))
    with torch.inference_mode():
        predictor.set_image(picture)
        boxes = predictor.transform.apply_boxes_torch(torch.tensor([BOX, BOX]), SIZE)
        _, qualities, logits = predictor.predict_torch(None, None, boxes, multimask_output=True)
    expected, quality = answers
    best = int(qualities[0].argmax())
    assert logits.shape == (2, 3, 256, 256)
    assert float(expected.std()) > 0.01
    assert float(qualities[0, best]) == pytest.approx(quality, abs=1e-4)
    assert torch.allclose(logits[0, best], expected, atol=1e-4 * float(expected.abs().max()))
    assert torch.allclose(logits[0], logits[1], atol=1e-5)  # two prompts of one call


def test_segmenter_reads_the_published_form(theirs, answers, picture, tmp_path):
    path = tmp_path / "sam_hq_vit_b.pth"
    torch.save(theirs.state_dict(), path)
    segmenter = SamSegmenter.from_file(path, "hq_vit_b")
    found = segmenter.segment(picture, [BOX])[0]
    assert found.quality == pytest.approx(answers[1], abs=1e-4)
    assert found.mask.shape == SIZE
    soft = segmenter.soft(picture, BOX, SIZE, refine=True)
    assert len(soft) == 4 and soft[0].probability.shape == SIZE


@pytest.mark.parametrize("spoil", ["missing", "other"])
def test_file_that_does_not_fit_is_told(theirs, spoil, tmp_path):
    state = dict(theirs.state_dict())
    state.pop("mask_decoder.hf_token.weight")
    if spoil == "other":
        state = {"weight": torch.zeros(1)}
    path = tmp_path / "sam_hq_vit_b.pth"
    torch.save(state, path)
    with pytest.raises(WeightsError, match="models get sam-hq-vit-b"):
        SamSegmenter.from_file(path, "hq_vit_b")
