"""The small detectors: how each is fed and read, which labels show a word, and which one a machine has."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary  # noqa: E402
from lib_photoshoot.detection.small import at_hand, dfine, loading, picodet, ssdlite, yolox  # noqa: E402
from lib_photoshoot.detection.small.labels import COCO, COCO_IDS, OBJECTS365  # noqa: E402
from lib_photoshoot.detection.small.protocol import MOST_BOXES, best_boxes  # noqa: E402
from lib_photoshoot.detection.small.words import labels_for  # noqa: E402
from lib_photoshoot.detection.verification import iou  # noqa: E402
from lib_photoshoot.errors import WeightsError  # noqa: E402
from lib_photoshoot.weights.manifest import Manifest  # noqa: E402
from lib_photoshoot.weights.store import find, missing  # noqa: E402
from tests.conftest import ROOT, SHARED  # noqa: E402

WORDS = json.loads((ROOT / "lib_photoshoot/detection/small/words.json").read_text(encoding="utf-8"))
# The cup on the sample, without its saucer.
CUP = (174.0, 20.0, 424.0, 325.0)


key = load_vocabulary().key


def coffee() -> np.ndarray:
    return np.array(Image.open(ROOT / "samples" / "coffee.jpg").convert("RGB"))


def test_boxes_of_one_thing_are_one_and_labels_do_not_compete() -> None:
    corners = np.array([[0.1, 0.1, 0.5, 0.5], [0.1, 0.12, 0.5, 0.5], [0.6, -0.2, 1.4, 0.9]], np.float32)
    scores = np.array([[0.9, 0.3], [0.8, 0.01], [0.04, 0.5]], np.float32)
    found = best_boxes(corners, scores, ("cup", "mug"), 200, 100)
    assert [(box.label, round(box.score, 2)) for box in found] == [("cup", 0.9), ("mug", 0.5), ("mug", 0.3)]
    assert found[0].box == pytest.approx((20, 10, 100, 50)) and found[1].box == pytest.approx((120, 0, 200, 90))
    many = np.tile(np.linspace(0, 0.9, 400, dtype=np.float32)[:, None], 4) + np.array([0, 0, 0.001, 0.001], np.float32)
    assert len(best_boxes(many, np.full((400, 2), 0.5, np.float32), ("cup", "mug"), 9000, 9000)) == MOST_BOXES
    assert best_boxes(corners, scores * 0.01, ("cup", "mug"), 200, 100) == []


def test_picodets_distances_are_expectations_from_the_cells_middle() -> None:
    logits = np.full((52 * 52, 32), -30.0, np.float32)
    row, column = 3, 7
    for side, steps in enumerate((1, 2, 3, 4)):  # left, top, right, bottom, in strides
        logits[row * 52 + column, side * 8 + steps] = 30
    logits[0, [0, 2]] = 30  # two bins alike: the distance lies between them
    corners = picodet.decoded(logits, 8)
    assert corners[row * 52 + column] == pytest.approx([7.5 * 8 - 8, 3.5 * 8 - 16, 7.5 * 8 + 24, 3.5 * 8 + 32])
    assert corners[0][0] == pytest.approx(4 - 8)
    pixels = picodet.prepared(np.full((100, 300, 3), (255, 0, 128), np.uint8))
    assert pixels.shape == (1, 3, 416, 416) and pixels.dtype == np.float32
    assert pixels[0, :, 0, 0] == pytest.approx([(1 - 0.485) / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225])


def test_yolox_is_fed_blue_first_on_grey_and_read_in_strides() -> None:
    image = np.zeros((50, 100, 3), np.uint8)
    image[:, :, 0] = 200
    pixels, scale = yolox.prepared(image, 416)
    assert scale == 4.16 and pixels.shape == (1, 3, 416, 416)
    assert pixels[0, :, 10, 10].tolist() == [0, 0, 200] and pixels[0, :, 300, 10].tolist() == [114, 114, 114]
    cells = sum((416 // stride) ** 2 for stride in (8, 16, 32))
    output = np.zeros((cells, 85), np.float32)
    at = 52 * 52 + 5 * 26 + 2  # stride 16, row 5, column 2
    output[at, :5] = 0.25, 0.5, math.log(2), math.log(4), 0.8
    output[at, 5 + COCO.index("cup")] = 0.5
    corners, scores = yolox.decoded(output, 416)
    assert corners[at] == pytest.approx([2.25 * 16 - 16, 5.5 * 16 - 32, 2.25 * 16 + 16, 5.5 * 16 + 32])
    assert scores[at].max() == pytest.approx(0.4) and scores[at].argmax() == COCO.index("cup")


def test_dfine_is_read_as_transformers_reads_it() -> None:
    generator = torch.Generator().manual_seed(1)
    logits, boxes = torch.randn(300, 366, generator=generator), torch.rand(300, 4, generator=generator)
    corners, scores = dfine.decoded(logits.numpy(), boxes.numpy())
    x, y, w, h = boxes.unbind(1)
    # transformers' center_to_corners_format, and the sigmoid of its post_process_object_detection.
    assert np.allclose(corners, torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1), atol=1e-6)
    assert np.allclose(scores, logits.sigmoid(), atol=1e-6)
    pixels = dfine.prepared(np.full((20, 30, 3), 51, np.uint8))
    assert pixels.shape == (1, 3, 640, 640) and np.allclose(pixels, 0.2)
    assert len(OBJECTS365) == 366 and OBJECTS365[1] == "Person" and OBJECTS365[365].strip() == "Table Tennis"


@pytest.mark.parametrize(("length", "kernel", "stride"), [(300, 3, 2), (75, 3, 2), (19, 3, 1), (10, 3, 2), (3, 3, 2)])
def test_padding_is_tensorflows(length: int, kernel: int, stride: int) -> None:
    x = torch.arange(length, dtype=torch.float32).expand(1, 1, length, length)
    padded = ssdlite.same(x, kernel, stride)
    outputs = (padded.shape[3] - kernel) // stride + 1
    total = padded.shape[3] - length
    assert outputs == math.ceil(length / stride) and total == max(0, (outputs - 1) * stride + kernel - length)
    assert (padded[0, 0, total // 2, total // 2 :][:length] == x[0, 0, 0]).all()


def small_file(tmp_path: Path, **changed: object) -> Path:
    weights = [{"name": "a", "shape": [2, 2], "dtype": "float32"}, {"name": "b", "shape": [], "dtype": "int32"}]
    path = tmp_path / "graph.tfjs"
    description = json.dumps({"modelTopology": {}, "weightsManifest": [{"weights": weights}], **changed})
    data = np.arange(4, dtype=np.float32).tobytes() + np.array(7, np.int32).tobytes()
    path.write_bytes(description.encode() + data)
    return path


def test_a_tensorflow_js_graph_is_read_and_another_file_is_one_sentence(tmp_path: Path) -> None:
    arrays = ssdlite.read_graph(small_file(tmp_path))
    assert arrays["a"].tolist() == [[0, 1], [2, 3]] and arrays["b"] == 7
    for broken in (b"no graph", b"{}", small_file(tmp_path).read_bytes()[:-3]):
        (tmp_path / "broken.tfjs").write_bytes(broken)
        with pytest.raises(WeightsError, match=r"broken\.tfjs is not the file of SSDLite .* models get ssdlite-coco"):
            ssdlite.read_graph(tmp_path / "broken.tfjs")


def test_ssdlite_with_the_real_weights_sees_the_cup() -> None:
    if missing("ssdlite-coco"):
        pytest.skip("SSDLite's file is absent; the set-up gets it where npm's client is")
    _sees_the_cup(ssdlite.SsdLite(find("ssdlite-coco")))


def test_picodet_with_the_real_weights_sees_the_cup() -> None:
    path = SHARED / "weights" / "picodet_s_416_coco.onnx"
    if not path.is_file():
        pytest.skip("PicoDet's file beside the project is absent")
    _sees_the_cup(picodet.PicoDet(path))


def _sees_the_cup(detector: ssdlite.SsdLite | picodet.PicoDet) -> None:
    image = coffee()
    best = next(box for box in detector.boxes(image) if box.label == "cup")
    assert best.score > 0.6 and iou(best.box, CUP) > 0.6
    mirrored = next(box for box in detector.boxes(np.ascontiguousarray(image[:, ::-1])) if box.label == "cup")
    x0, y0, x1, y1 = mirrored.box
    assert iou((image.shape[1] - x1, y0, image.shape[1] - x0, y1), best.box) > 0.7
    blank = detector.boxes(np.full((64, 80, 3), 255, np.uint8))
    assert all(box.score < 0.5 for box in blank)


def test_labels_show_the_words_that_they_are() -> None:
    assert labels_for(["couch"], COCO, key).own == {"couch"} and labels_for(["Sofa"], COCO, key).own == {"couch"}
    mug = labels_for(["mug"], COCO, key)
    assert mug.own == set() and mug.wider == {"cup"} and mug.all == {"cup"}
    assert labels_for(["bag"], COCO, key).own == {"backpack", "handbag"}
    assert labels_for(["watch"], COCO, key).all == set() and labels_for(["watch"], OBJECTS365, key).own == {"Watch"}
    assert len(COCO) == len(COCO_IDS) == 80 and COCO_IDS[-1] == 90


@pytest.mark.parametrize(("table", "labels"), [("coco", COCO), ("objects365", OBJECTS365)])
def test_the_table_of_words_names_labels_that_there_are(table: str, labels: tuple[str, ...]) -> None:
    assert set(WORDS[table]) <= set(labels)
    for label, row in WORDS[table].items():
        assert row and set(row) <= {"is", "may_be"}, label
        assert not set(row.get("is", ())) & set(row.get("may_be", ())), label
        found = labels_for([*row.get("is", ()), *row.get("may_be", ())], labels, key)
        assert label in found.all and not found.own & found.wider


def test_the_best_detector_that_is_there_is_taken_and_none_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(loading.SMALL_DETECTORS) == list(at_hand.LABELS) and set(at_hand.LABELS) <= set(Manifest.load().files)
    there: set[str] = set()
    monkeypatch.setattr(at_hand, "missing", lambda name: () if name in there else (name,))
    monkeypatch.setattr(loading, "find", Path)
    assert loading.small_detector() is None
    for name in reversed(loading.SMALL_DETECTORS):
        there.add(name)
        detector = loading.small_detector()
        assert detector is not None and detector.name == name
        assert detector.labels is (OBJECTS365 if name.startswith("dfine") else COCO)
