"""Taught words: their heads, what is told of them, and the program that teaches, on a tiny set of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from lib_photoshoot.detection.embedded.classifier import CUTOUT_SIDE, ImageNetClassifier  # noqa: E402
from lib_photoshoot.detection.embedded.efficientnet_lite import EfficientNetLite2  # noqa: E402
from lib_photoshoot.detection.embedded.taught import TaughtHeads, load_taught, taught_words  # noqa: E402
from lib_photoshoot.detection.embedded.teaching.fitting import LearnedViews, fit, truth_of  # noqa: E402
from lib_photoshoot.detection.embedded.teaching.lessons import LessonError, Lessons  # noqa: E402
from lib_photoshoot.detection.embedded.teaching.looking import CELL, CUTOUT, POOLED, views_of  # noqa: E402
from lib_photoshoot.detection.embedded.vocabulary import IMAGENET_CLASSES, load_vocabulary  # noqa: E402
from lib_photoshoot.products import Product  # noqa: E402
from tests.test_embedded_networks import seeded  # noqa: E402

FREE = {"CC0-1.0", "CC-BY-4.0", "MIT"}

TWO_THINGS = """
[source.toys]
title = "Toys"
pictures = "*/*.png"
label = 0
held_back = "second"
most = 4
most_shown = 6

[word.disc]
shows = {toys = ["disc"]}
unclear = {toys = ["both"]}

[word.stripes]
shows = {toys = ["stripes"]}
unclear = {toys = ["both"]}
"""


@pytest.fixture(scope="module")
def untaught() -> ImageNetClassifier:
    """The network with random weights, and no word taught."""
    return ImageNetClassifier(seeded(EfficientNetLite2()), TaughtHeads.none())


def toy(label: str, number: int) -> np.ndarray:
    """A disc, stripes, both or noise, somewhere in a picture."""
    random = np.random.default_rng(number)
    image = random.integers(90, 130, (128, 128, 3), np.uint8)
    rows, columns = np.mgrid[:128, :128]
    row, column = random.integers(56, 72, 2)
    if label in ("disc", "both"):
        image[(rows - row) ** 2 + (columns - column) ** 2 < 50**2] = (230, 40, 30)
    if label in ("stripes", "both"):
        image[(rows + number) % 16 < 8] = (20, 60, 240)
    return image


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    for label in ("disc", "stripes", "both", "noise"):
        (tmp_path / label).mkdir()
        for number in range(16):
            Image.fromarray(toy(label, number)).save(tmp_path / label / f"{number:02}.png")
    return tmp_path


def test_a_word_competes_with_all_classes_together():
    heads = TaughtHeads(
        ("dress", "ring"), torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0.5, -1.0]), torch.zeros(2)
    )
    features, logits = torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0, 2.0, 0.0]])
    for word, own in enumerate((3.5, 1.0)):
        softmax = torch.cat([logits, torch.tensor([[own]])], 1).softmax(1)[0, -1]
        assert heads.probabilities(features, logits)[0, word] == pytest.approx(float(softmax), abs=1e-6)


def test_heads_without_a_row_for_each_word_are_refused():
    with pytest.raises(ValueError, match="2 words"):
        TaughtHeads(("dress", "ring"), torch.zeros(1, 1280), torch.zeros(2), torch.zeros(2))


def test_the_packaged_heads_are_whole_and_small():
    heads = load_taught()
    assert heads.words == tuple(taught_words()) and len(set(heads.words)) == len(heads.words) > 10
    assert heads.weight.shape == (len(heads.words), 1280) and heads.weight.dtype == torch.float32
    assert torch.isfinite(heads.weight).all() and torch.isfinite(heads.bias).all()
    folder = Path(ImageNetClassifier.from_file.__code__.co_filename).parent
    assert (folder / "taught.npz").stat().st_size < 150_000


def test_it_is_told_where_the_packaged_heads_come_from():
    lessons = Lessons.load()
    told = json.loads((Path(__file__).parents[1] / "lib_photoshoot/detection/embedded/taught.json").read_text("utf-8"))
    assert tuple(told["words"]) == tuple(lesson.word for lesson in lessons.words)
    for word, row in told["words"].items():
        assert row["pictures"] >= 8, word
        for source in row["sources"]:
            assert told["sources"][source]["licence"] in FREE
            assert told["sources"][source]["by"] and told["sources"][source]["address"].startswith("https://")


def test_every_taught_word_is_in_the_vocabulary_by_its_own_index():
    vocabulary = load_vocabulary()
    words = tuple(taught_words())
    used = {index: label for entry in vocabulary.entries for index, label in entry.classes.items() if index >= 1000}
    assert used == {IMAGENET_CLASSES + number: word for number, word in enumerate(words)}
    for number, word in enumerate(words):
        assert IMAGENET_CLASSES + number in vocabulary.classes_for(Product(word)), word


def test_taught_words_change_nothing_about_the_other_classes(untaught):
    heads = TaughtHeads(
        ("thing",), torch.randn(1, 1280, generator=torch.Generator().manual_seed(3)), torch.ones(1), torch.ones(1)
    )
    taught = ImageNetClassifier(seeded(EfficientNetLite2()), heads)
    image = toy("disc", 1)
    cells, before = taught.class_map(image, 128), untaught.class_map(image, 128)
    assert cells.shape == (1001, 4, 4) and before.shape == (1000, 4, 4) and cells.flags.c_contiguous
    assert np.allclose(cells[:1000], before, atol=1e-6) and np.allclose(before.sum(0), 1, atol=1e-5)
    cutout = np.full((CUTOUT_SIDE, CUTOUT_SIDE, 3), 90, np.uint8)
    assert np.allclose(taught.classify([cutout])[:, :1000], untaught.classify([cutout]), atol=1e-6)
    assert 0 <= taught.classify([cutout])[0, 1000] <= 1


def test_lessons_say_which_pictures_are_learned_from(toys):
    lessons = Lessons.load(TWO_THINGS)
    pictures = lessons.pictures("toys", toys)
    counts = {
        (label, held): sum(shown.label == ("toys", label) and shown.held_back == held for shown in pictures)
        for label in ("disc", "noise")
        for held in (False, True)
    }
    # Of each label half are held back, and no more are learned from than the lessons want.
    assert counts == {("disc", False): 6, ("disc", True): 6, ("noise", False): 4, ("noise", True): 4}
    assert pictures == lessons.pictures("toys", toys)
    assert truth_of(lessons.words, [("toys", "disc"), ("toys", "both"), ("toys", "noise")]).tolist() == [
        [1, 0],
        [-1, -1],
        [0, 0],
    ]


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LessonError, match="no pictures laid out as those of Toys"):
        Lessons.load(TWO_THINGS).pictures("toys", tmp_path)


def test_a_subject_is_seen_whole_in_part_and_alone(untaught):
    image, asked = toy("disc", 2), []

    def salience(pixels: np.ndarray) -> np.ndarray:
        asked.append(pixels.shape)
        return (pixels[..., 0] > 200).astype(np.float32)

    for number in range(8):
        views = views_of(untaught, image, f"toys/{number}", is_subject=True, salience=salience)
        assert sorted(set(views.kinds.tolist())) == [CUTOUT, CELL, POOLED]
        assert views.features.shape == (len(views.kinds), 1280) and (views.kinds == CUTOUT).sum() == 2
    assert 0 < len(asked) < 8  # some are seen without their background, some with it
    others = views_of(untaught, image, "toys/0", is_subject=False)
    assert CUTOUT not in others.kinds and np.isfinite(others.features).all()
    again = views_of(untaught, image, "toys/0", is_subject=False)
    assert np.array_equal(others.features, again.features)


def test_teaching_two_things_finds_them_in_pictures_that_were_held_back(untaught, toys):
    lessons = Lessons.load(TWO_THINGS)
    pictures = lessons.pictures("toys", toys)
    seen = [
        (
            shown,
            views_of(untaught, np.array(Image.open(shown.path)), shown.key, is_subject=lessons.is_shown(shown.label)),
        )
        for shown in pictures
        if not shown.held_back
    ]
    features = np.concatenate([views.features for _, views in seen])
    keys = [shown.key for shown, views in seen for _ in views.kinds]
    labels = [shown.label for shown, views in seen for _ in views.kinds]
    with torch.inference_mode():
        others = untaught.logits(torch.from_numpy(features)).logsumexp(1)
    kinds = np.concatenate([views.kinds for _, views in seen])
    heads = fit(lessons.words, LearnedViews(features, kinds, keys, labels), others.clone())
    assert heads.words == ("disc", "stripes")
    taught = ImageNetClassifier(seeded(EfficientNetLite2()), heads)
    for shown in pictures:
        if shown.held_back and shown.label[1] != "both":
            picture = np.array(Image.fromarray(np.array(Image.open(shown.path))).resize((CUTOUT_SIDE, CUTOUT_SIDE)))
            likely = taught.classify([picture])[0, 1000:] > 0.5
            assert likely.tolist() == [shown.label[1] == "disc", shown.label[1] == "stripes"], shown.key
