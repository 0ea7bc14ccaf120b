"""What the embedded detector asks of its networks, and what it makes of their answers; the networks are stand-ins."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lib_photoshoot.detection.embedded.classifier import CUTOUT_SIDE, ImageNetClassifier  # noqa: E402
from lib_photoshoot.detection.embedded.confirmation import CutoutConfirmer  # noqa: E402
from lib_photoshoot.detection.embedded.detector import EmbeddedDetector  # noqa: E402
from lib_photoshoot.detection.embedded.joining import against_rivals, joined  # noqa: E402
from lib_photoshoot.detection.embedded.seeds import at_peak, class_map, heat_of, of_boxes, other_at, seen_at  # noqa: E402
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary  # noqa: E402
from lib_photoshoot.detection.small.labels import COCO  # noqa: E402
from lib_photoshoot.detection.small.protocol import SmallBox  # noqa: E402
from lib_photoshoot.detection.small.tiles import with_tiles  # noqa: E402
from lib_photoshoot.detection.verification import MOST_INSTANCES, iou, verify  # noqa: E402
from lib_photoshoot.errors import UnknownProductError  # noqa: E402
from lib_photoshoot.products import parse_products  # noqa: E402
from lib_photoshoot.results import Reason  # noqa: E402
from lib_photoshoot.segmentation.protocol import MaskCandidate  # noqa: E402

CUP = 968
SQUARE = 32


class Whiteness(ImageNetClassifier):
    """Takes white for a cup, by as much as a view is white; ``blind`` sees nothing in cut-outs."""

    def __init__(self, blind: bool = False) -> None:
        self.blind = blind
        self.looks = 0

    def class_map(self, image: np.ndarray, side: int = 416) -> np.ndarray:
        rows, columns = image.shape[0] // 16, image.shape[1] // 16
        cells = image[: rows * 16, : columns * 16, 0].reshape(rows, 16, columns, 16).mean((1, 3)) / 255
        return np.stack([cells if index == CUP else np.zeros_like(cells) for index in range(1000)]).astype(np.float32)

    def classify(self, cutouts) -> np.ndarray:
        self.looks += len(cutouts)
        assert all(cutout.shape == (CUTOUT_SIDE, CUTOUT_SIDE, 3) for cutout in cutouts)
        told = np.zeros((len(cutouts), 1000), np.float32)
        if not self.blind:
            told[:, CUP] = [cutout[80:180, 80:180].mean() / 255 for cutout in cutouts]
        return told


class Squares:
    """Outlines the white square at a prompt."""

    def __init__(self) -> None:
        self.asked = 0

    def candidates(self, image, boxes, points):
        self.asked += 1
        answers = []
        for box, point in zip(boxes, points, strict=True):
            x, y = point if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
            mask = np.zeros(image.shape[:2], bool)
            left, top = int(x) // 48 * 48 + 8, int(y) // 48 * 48 + 8
            mask[top : top + SQUARE, left : left + SQUARE] = True
            answers.append([MaskCandidate(mask, 0.95)])
        return answers


class Boxes:
    """Sees ``found`` in a whole picture, and nothing in its tiles."""

    name = "boxes"
    labels = COCO

    def __init__(self, found: list[SmallBox]) -> None:
        self.found = found
        self.sizes: list[tuple[int, ...]] = []

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        self.sizes.append(image.shape[:2])
        return self.found if image.shape[:2] == self.sizes[0] else []


def squares(count: int) -> tuple[np.ndarray, list[SmallBox]]:
    """White squares on black, in rows of five, and their boxes."""
    image = np.zeros((48 * 4, 48 * 5, 3), np.uint8)
    boxes = []
    for number in range(count):
        x, y = number % 5 * 48 + 8, number // 5 * 48 + 8
        image[y : y + SQUARE, x : x + SQUARE] = 255
        boxes.append(SmallBox("cup", 0.9 - number / 100, (float(x), float(y), float(x + SQUARE), float(y + SQUARE))))
    return image, boxes


def test_a_picture_without_a_trace_is_looked_at_no_further() -> None:
    classifier, segmenter = Whiteness(), Squares()
    detector = EmbeddedDetector(classifier, segmenter, Boxes([SmallBox("dog", 0.9, (0, 0, 50, 50))]))
    assert detector.detect(np.zeros((96, 96, 3), np.uint8), parse_products("cup, shoe")) == []
    assert classifier.looks == 1 and segmenter.asked == 0, "the picture as one thing"


def test_a_trace_that_looks_like_nothing_alone_is_told_and_never_outlined() -> None:
    classifier, segmenter = Whiteness(blind=True), Squares()
    image, _ = squares(1)
    (told,) = EmbeddedDetector(classifier, segmenter).detect(image, parse_products("cup"))
    assert told.product == "cup" and told.score == 0 and told.mask is None
    assert segmenter.asked == 0 and 0 < classifier.looks <= 5


def test_each_box_of_the_small_detector_is_an_instance_and_too_many_are_told() -> None:
    image, boxes = squares(MOST_INSTANCES + 2)
    detector = EmbeddedDetector(Whiteness(), Squares(), Boxes(boxes))
    detections = detector.detect(image, parse_products("cup"))
    kept, rejected = verify(detections, {"cup": detector.default_threshold}, image.shape[1], image.shape[0])
    assert len(kept) == MOST_INSTANCES
    assert [item.reason for item in rejected].count(Reason.TOO_MANY) == 2
    places = {(int(d.box[0]) // 48, int(d.box[1]) // 48) for d in detections}
    assert len(places) == MOST_INSTANCES + 2, "none is outlined twice"


def test_without_a_small_detector_every_peak_is_an_instance() -> None:
    image, _ = squares(5)
    image[:, 48:96] = image[:, 144:192] = 0  # so far apart that the map tells them apart
    detections = EmbeddedDetector(Whiteness(), Squares()).detect(image, parse_products("cup"))
    assert sorted(int(d.box[0]) for d in detections if d.score > 0.18) == [8, 104, 200]


def test_the_classifier_alone_is_doubted_in_a_scene_and_believed_close_by() -> None:
    assert joined(0.3, None) == 0.3, "no detector knows it"
    assert joined(0.85, 0.0, share=0.2) < 0.18 < joined(0.85, 0.05, share=0.2), "the detector sees a trace of it"
    assert joined(0.3, 0.0, share=0.7) == 0.3, "it fills the picture"
    assert joined(0.3, 0.0, share=0.2, scene=0.4) == 0.3, "the detector sees nothing in the picture, whatever is in it"
    assert joined(0.5, 0.0, share=0.4) < joined(0.5, 0.0, share=0.5) < joined(0.5, 0.0, share=0.6)
    assert joined(0.4, 0.3, share=0.02) < 0.18 < joined(0.4, 0.3, share=0.2), "of a small place it has to be surer"


def test_the_detector_is_believed_in_scenes_by_the_size_of_a_place() -> None:
    assert joined(0.05, 0.9) > 0.18, "small products are seen by the detector better than by the classifier"
    assert joined(0.0, 0.5, share=0.002) < 0.18 < joined(0.0, 0.5, share=0.1)
    assert joined(0.002, 0.8, share=0.7) < 0.18 < joined(0.1, 0.8, share=0.7), (
        "close by the classifier has to see it too"
    )
    scores = [joined(shown, seen) for shown in (0, 0.2, 1) for seen in (0, 0.5, 1)]
    assert all(0 <= score <= 1 for score in scores) and scores[0] < scores[4] < scores[8]


def test_another_thing_surely_seen_speaks_against_a_product_and_is_no_veto() -> None:
    assert joined(1.0, 0.05, share=0.1) > 0.18 > joined(1.0, 0.05, share=0.1, other=0.95), "a kite is no umbrella"
    assert joined(0.0, 0.55, share=0.1) > 0.18 > joined(0.0, 0.55, share=0.1, other=0.9)
    assert joined(0.0, 0.85, share=0.1, other=0.9) > 0.18
    assert joined(0.6, 0.0, share=0.7, other=0.9) == 0.6


def test_a_detector_that_sees_other_things_but_not_the_product_casts_doubt_and_people_are_no_things() -> None:
    image, _ = squares(1)
    scores = {}
    for label in ("person", "dog"):
        seen = SmallBox(label, 0.9, (100.0, 50.0, 200.0, 150.0))
        (found,) = EmbeddedDetector(Whiteness(), Squares(), Boxes([seen])).detect(image, parse_products("cup"))
        scores[label] = found.score
    assert scores["dog"] < 0.18 < scores["person"]


class OfTheWhole(Whiteness):
    """Takes the picture as one thing for a cup, and hardly any cut-out of it."""

    def classify(self, cutouts) -> np.ndarray:
        told = super().classify(cutouts)
        told[:, CUP] = 1.0 if self.looks == 1 else 0.07
        return told


def test_what_the_whole_picture_looks_like_makes_no_place_in_it_a_product() -> None:
    image, _ = squares(1)
    (told,) = EmbeddedDetector(OfTheWhole(), Squares()).detect(image, parse_products("cup"))
    assert told.score == pytest.approx(0.07)


class InTiles(Boxes):
    """Sees the left top of a whole picture faintly, and of each tile the thing at ``place`` in it surely."""

    def __init__(self, faint: SmallBox, place: tuple[float, float, float, float]) -> None:
        super().__init__([faint])
        self.place = place

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        return super().boxes(image) or [SmallBox(self.found[0].label, 0.8, self.place)]


def test_what_shows_faintly_in_the_whole_is_looked_for_in_its_parts() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    faint = SmallBox("cup", 0.3, (20.0, 20.0, 40.0, 40.0))
    found = with_tiles(small := InTiles(faint, (30.0, 10.0, 50.0, 30.0)), image, small.boxes(image))
    assert small.sizes[1:] == [(60, 120)] * 4
    # One of each tile, in the picture's pixels, and the faint one where no surer one lies.
    assert [box.box[:2] for box in found] == [(30, 10), (110, 10), (30, 50), (110, 50), (20, 20)]
    cut = with_tiles(small := InTiles(faint, (100.0, 40.0, 120.0, 60.0)), image, small.boxes(image))
    assert [box.box for box in cut] == [(180, 80, 200, 100), faint.box], "what a tile cuts is no thing"


def test_another_thing_in_a_place_is_told_from_one_beside_it_and_from_people() -> None:
    boxes = [SmallBox("chair", 0.8, (0, 0, 40, 40)), SmallBox("person", 0.9, (0, 0, 40, 40))]
    cup = frozenset({"cup"})
    assert other_at(boxes, cup, (0, 0, 42, 38)) == 0.8 and other_at(boxes, cup, (60, 0, 90, 40)) == 0
    assert other_at(boxes, frozenset({"chair"}), (0, 0, 42, 38)) == 0


def test_without_a_trace_no_part_is_looked_at() -> None:
    image, _ = squares(0)
    for score, label, looks in ((0.05, "cup", 1), (0.9, "dog", 1), (0.15, "cup", 5)):
        small = Boxes([SmallBox(label, score, (8.0, 8.0, 40.0, 40.0))])
        EmbeddedDetector(Whiteness(blind=True), Squares(), small).detect(image, parse_products("cup"))
        assert len(small.sizes) == looks


def test_what_a_small_detector_alone_knows_is_found_where_it_is_sure() -> None:
    image, boxes = squares(2)
    seen = [SmallBox("suitcase", score, box.box) for score, box in zip((0.9, 0.4), boxes, strict=True)]
    detector = EmbeddedDetector(Whiteness(blind=True), Squares(), Boxes(seen))
    detections = detector.detect(image, parse_products("luggage, cup"))
    kept, rejected = verify(detections, dict.fromkeys(("luggage", "cup"), detector.default_threshold), 240, 192)
    assert [(d.product, iou(d.box, boxes[0].box) > 0.9, d.mask is not None) for d in kept] == [("luggage", True, True)]
    assert [item.reason for item in rejected if item.product == "luggage"] == [Reason.BELOW_THRESHOLD]
    with pytest.raises(UnknownProductError, match="luggage: not looked for"):
        EmbeddedDetector(Whiteness(), Squares()).detect(image, parse_products("luggage"))


def test_a_detectors_word_is_enough_only_where_the_classes_show_too_little() -> None:
    assert joined(0.0, 0.5, enough=True) < 0.18 < joined(0.0, 0.7, enough=True)
    assert joined(0.0, 0.9, share=0.7, enough=True) < 0.18 < joined(0.0, 0.97, share=0.7, enough=True)
    assert joined(0.9, 0.0, share=0.5, enough=True) == joined(0.9, 0.0, share=0.5), "what the classes show still counts"


def test_a_second_look_at_what_a_small_detector_alone_knows_asks_that_again() -> None:
    image, boxes = squares(1)
    (product,) = parse_products("suitcase")
    place = boxes[0].box
    confirmer = CutoutConfirmer(Whiteness(), Boxes([SmallBox("suitcase", 0.9, place)]))
    (score,) = confirmer.scores([image], place, product) or ()
    assert score > 0.18 and confirmer.evidence(image, [image[..., 0] > 0], product) is None
    (gone,) = CutoutConfirmer(Whiteness(), Boxes([])).scores([image], place, product) or ()
    assert gone < 0.05
    # One that overrules other detectors must be sure of what it says.
    assert CutoutConfirmer(Whiteness(), Boxes([]), guesses=False).scores([image], place, product) is None


def test_a_wall_clock_is_no_watch_and_a_watch_is_no_clock_alone() -> None:
    vocabulary = load_vocabulary()
    (watch,) = parse_products("watch")
    classes, rivals = list(vocabulary.classes_for(watch)), list(vocabulary.rivals_for(watch))

    def told(**shares: float) -> float:
        numbers = {"analog": 409, "wall": 892, "stop": 826, "digital": 531, "compass": 635}
        probabilities = np.zeros(1000, np.float32)
        for name, share in shares.items():
            probabilities[numbers[name]] = share
        return against_rivals(probabilities, classes, rivals)

    assert told(analog=0.5, wall=0.3, stop=0.01) < 0.1 and told(compass=0.8, stop=0.02) < 0.15
    assert told(analog=0.47, stop=0.07, digital=0.05, compass=0.12) > 0.6, "a dial of a real one"
    assert told(stop=0.5, analog=0.1) == pytest.approx(0.6)


def test_rivals_count_less_the_likelier_the_product() -> None:
    probabilities = np.array([0.3, 0.6, 0.1], np.float32)
    assert against_rivals(probabilities, [0], [1]) == pytest.approx(0.15)
    assert against_rivals(probabilities, [1], [0]) == pytest.approx(0.6)
    assert against_rivals(probabilities, [0], []) == pytest.approx(0.3)


def test_maps_and_seeds_are_of_the_picture_and_its_mirror_image() -> None:
    image, boxes = squares(2)
    maps = class_map(Whiteness(), image, [[CUP]])
    assert maps.shape == (1000, 12, 15)
    assert np.allclose(maps, class_map(Whiteness(), np.ascontiguousarray(image[:, ::-1]), [[CUP]])[:, :, ::-1])
    heat = heat_of(maps, [CUP])
    seed = at_peak(heat, (1, 1), image.shape)
    assert seed.point == (24.0, 24.0) and seed.box[0] < 24 < seed.box[2] and seed.heat == pytest.approx(heat[1, 1])
    labels = frozenset({"cup"})
    assert [s.seen for s in of_boxes([*boxes, SmallBox("cup", 0.1, (0, 0, 9, 9)), boxes[0]], labels, 0.2)] == [
        0.9,
        0.89,
    ]
    assert seen_at(boxes, labels, boxes[1].box) == 0.89 and seen_at(boxes, labels, (100, 100, 140, 140)) == 0
    assert seen_at(boxes, frozenset({"dog"}), boxes[1].box) == 0
