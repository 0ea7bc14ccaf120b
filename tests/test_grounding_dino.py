"""GroundingDINO: captions and scores, the text branch, the rewritten layers, the whole network and the detector."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from lib_photoshoot.detection.asked_words import asked_words, check_words
from lib_photoshoot.detection.grounding_dino import caption as captions
from lib_photoshoot.detection.grounding_dino import detector as detectors
from lib_photoshoot.detection.grounding_dino.caption import build_captions, class_scores, sentence_layout
from lib_photoshoot.errors import ProductsError, WeightsError
from lib_photoshoot.products import parse_products

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Item:
    name: str
    words: tuple[str, ...]

    def as_typed(self, word: str) -> str:
        return word


def items(*names: str) -> list[Item]:
    return [Item(name, (name,)) for name in names]


class Pieces:
    """A tokenizer with known pieces: longest first, ## continued, letters unknown alone."""

    cls_id, sep_id, dot_id, question_id, unknown_id = range(5)

    def __init__(self, *pieces: str) -> None:
        self.ids = {piece: number for number, piece in enumerate(pieces, start=10)}

    def encode(self, word: str) -> list[int]:
        ids: list[int] = []
        for part in word.split():
            rest, prefix = part, ""
            while rest:
                size = next((n for n in range(len(rest), 0, -1) if prefix + rest[:n] in self.ids), 0)
                if not size:
                    ids.append(self.unknown_id)
                    break
                ids.append(self.ids[prefix + rest[:size]])
                rest, prefix = rest[size:], "##"
        return ids


TOKENS = Pieces("bag", "hand", "##bag", "car", "##board", "watch", "strap", "shoe")


# Captions and scores: no torch


def test_each_word_owns_its_tokens() -> None:
    (caption,) = build_captions([Item("bag", ("bag", "handbag")), Item("shoe", ("Shoe ",))], TOKENS)
    assert caption.text == "bag . handbag . shoe ."
    ids = TOKENS.ids
    assert caption.input_ids == (0, ids["bag"], 2, ids["hand"], ids["##bag"], 2, ids["shoe"], 2, 1)
    assert [(s.product, s.word, s.start, s.stop) for s in caption.spans] == [
        (0, "bag", 1, 2),
        (0, "handbag", 3, 5),
        (1, "shoe", 6, 7),
    ]


@pytest.mark.parametrize(
    ("names", "tokens_on", "winner"),
    [
        (("bag", "handbag"), "handbag", 1),
        (("bag", "handbag"), "bag", 0),
        (("car", "cardboard"), "cardboard", 1),
        (("cardboard", "car"), "car", 1),
        (("watch", "watch strap"), "watch strap", 1),
        (("watch", "watch strap"), "watch", 0),
    ],
)
def test_words_inside_words_do_not_steal(names: tuple[str, ...], tokens_on: str, winner: int) -> None:
    (caption,) = build_captions(items(*names), Pieces(*TOKENS.ids, "##d", "card"))
    probabilities = np.full((1, len(caption.input_ids)), 0.05, np.float32)
    span = next(s for s in caption.spans if s.word == tokens_on)
    probabilities[0, span.start : span.stop] = 0.8
    scores = class_scores(probabilities, caption, 2)
    assert scores[0].argmax() == winner
    assert scores[0] == pytest.approx([0.8, 0.05] if winner == 0 else [0.05, 0.8])


def test_score_is_the_best_word_of_the_mean_token() -> None:
    (caption,) = build_captions([Item("bag", ("handbag", "watch")), Item("shoe", ("shoe",))], TOKENS)
    probabilities = np.zeros((2, len(caption.input_ids)), np.float32)
    probabilities[0, [1, 2]] = 0.9, 0.5  # handbag: mean 0.7
    probabilities[0, 4] = 0.6  # watch
    probabilities[1, 4] = 0.8
    assert class_scores(probabilities, caption, 3) == pytest.approx(np.array([[0.7, 0, 0], [0.8, 0, 0]]))


def test_long_lists_are_split_and_nothing_is_lost() -> None:
    many = [Item(f"p{i}", ("watch strap", "handbag", "shoe")) for i in range(40)]
    found = build_captions(many, TOKENS)
    assert len(found) == 2
    assert all(len(c.input_ids) <= captions.MAX_TOKENS for c in found)
    assert all(c.input_ids[0] == TOKENS.cls_id and c.input_ids[-1] == TOKENS.sep_id for c in found)
    words = [(s.product, s.word) for c in found for s in c.spans]
    assert words == [(i, w) for i in range(40) for w in ("watch strap", "handbag", "shoe")]
    for c in found:
        for s in c.spans:
            assert list(c.input_ids[s.start : s.stop]) == TOKENS.encode(s.word)
            assert c.input_ids[s.stop] == TOKENS.dot_id


def test_a_caption_may_be_exactly_full() -> None:
    # [CLS] + 3 * (shoe .) + [SEP] = 8 tokens
    four = [Item(str(i), ("shoe",)) for i in range(4)]
    assert [len(c.input_ids) for c in build_captions(four[:3], TOKENS, max_tokens=8)] == [8]
    assert [len(c.input_ids) for c in build_captions(four, TOKENS, max_tokens=8)] == [8, 4]


def test_word_too_long_or_unknown_is_one_sentence() -> None:
    with pytest.raises(ProductsError, match="word of 300 tokens"):
        build_captions(items("shoe " * 300), TOKENS)
    with pytest.raises(ProductsError, match=r"'zebra'.*no meaning"):
        build_captions(items("zebra"), TOKENS)
    with pytest.raises(ProductsError, match="no meaning"):
        build_captions(items(" ?. "), TOKENS)


def test_a_word_of_another_language_is_asked_in_english_and_that_is_told() -> None:
    (caption,) = build_captions([Item("靴", ("靴",))], TOKENS)
    assert caption.text == "shoe ."
    assert asked_words("red shoe") == ("red shoe",) and asked_words("ring") == ("ring",)
    assert asked_words("uhr") == ("watch", "clock") and asked_words("kopfhörer") == ("headphones",)
    products = parse_products("Kopfhörer, red shoe, Zzyx, Tasse = cup, dress = Kleid")
    checked = check_words(products)
    assert checked.products == products and not checked.refusal
    assert checked.notes == (
        "Kopfhörer: looked for as headphones (German for headphones).",
        "Kleid: looked for as dress (German for dress).",
    )


def test_repeats_within_a_product_and_no_products() -> None:
    (caption,) = build_captions([Item("shoe", ("shoe", "SHOE", "shoe."))], TOKENS)
    assert caption.text == "shoe ."
    assert build_captions([], TOKENS) == ()


# Boxes: no torch


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (800, 800)),
        ((640, 480), (1066, 800)),
        ((480, 640), (800, 1066)),
        ((2000, 500), (1332, 333)),
        ((12000, 1), (384000, 32)),
    ],
)
def test_target_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    got = detectors.target_size(*size)
    if size == (12000, 1):
        assert got[1] == 32
        assert got[0] <= 1333
    else:
        assert got == expected


def test_pixel_boxes_are_clipped() -> None:
    boxes = np.array([[0.5, 0.5, 0.2, 0.4], [0.0, 1.0, 0.5, 0.5]], np.float32)
    assert detectors.pixel_boxes(boxes, 200, 100) == pytest.approx(np.array([[80, 30, 120, 70], [0, 75, 50, 100]]))


def test_nms_keeps_the_best_of_a_heap_only() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 10, 6]], np.float32)
    scores = np.array([0.5, 0.9, 0.3, 0.4], np.float32)
    assert detectors.nms(boxes, scores, 0.7).tolist() == [1, 3, 2]  # 9 and 10 overlap by 0.9, 9 and 6 by 0.67
    assert detectors.nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)).tolist() == []


def test_candidates_one_product_a_box_and_all_captions() -> None:
    products = items("bag", "handbag", "shoe")
    two = build_captions(products, TOKENS, max_tokens=8)  # bag . handbag . | shoe .
    assert len(two) == 2
    box = np.array([[0.5, 0.5, 0.5, 0.5]], np.float32)
    first = np.array([[0, 0.3, 0, 0.6, 0.8, 0, 0]], np.float32)
    second = np.array([[0, 0.4, 0, 0]], np.float32)
    answers = [(two[0], first, box), (two[1], second, box)]
    found = detectors.candidates(answers, products, 100, 80, 0.1)
    assert [(d.product, round(d.score, 3), d.box) for d in found] == [
        ("handbag", 0.7, (25.0, 20.0, 75.0, 60.0)),
        ("shoe", 0.4, (25.0, 20.0, 75.0, 60.0)),
    ]
    assert [d.product for d in detectors.candidates(answers, products, 100, 80, 0.5)] == ["handbag"]


@pytest.mark.parametrize(
    ("text", "threshold"), [("bag", 0.35), ("handbag", 0.3), ("watch strap shoe", 0.85 / 3), ("handbag = bag", 0.35)]
)
def test_a_box_counts_as_in_the_authors_demo(text: str, threshold: float) -> None:
    """Its best token from 0.35 on, the others of a phrase from 0.25: a mean that falls with the tokens."""
    detector = detectors.GroundingDinoDetector(mock.Mock(words=TOKENS))
    assert detector.threshold_for(parse_products(text)[0]) == pytest.approx(threshold)


def test_importing_captions_and_detector_needs_no_torch() -> None:
    code = (
        "import sys; import lib_photoshoot.detection.grounding_dino.detector; "
        "assert not {'torch', 'transformers', 'groundingdino', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# The text branch and the network: torch, the package and BERT's vocabulary


@pytest.fixture(scope="module")
def vocab() -> str:
    path = os.environ.get("PHOTOSHOOT_BERT_VOCAB") or str(ROOT / "models" / "bert-base-uncased" / "vocab.txt")
    if not Path(path).is_file():
        pytest.skip(f"bert-base-uncased's vocab.txt is not at {path}; set PHOTOSHOOT_BERT_VOCAB")
    pytest.importorskip("transformers")
    return path


@pytest.fixture(scope="module")
def network(vocab: str):
    pytest.importorskip("groundingdino")
    import torch

    from lib_photoshoot.detection.grounding_dino import model

    built = model.build("test", vocab, seed=1)
    generator = torch.Generator().manual_seed(2)
    # The initial zeros would hide mistakes.
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            if "gamma" in name or parameter.dim() == 1:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
            elif not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return built


def package_module(name: str):
    pytest.importorskip("groundingdino")
    from lib_photoshoot.detection.grounding_dino import model

    model.import_package()
    return importlib.import_module(f"groundingdino.models.GroundingDINO.{name}")


RECORDED_FEATURES = [-0.152337, 0.071243, 0.000924, 0.457554]


def package_network(network):
    from groundingdino.models import build_model
    from groundingdino.util import get_tokenlizer
    from transformers import BertConfig, BertModel

    from lib_photoshoot.detection.grounding_dino import model

    bert = BertModel(BertConfig(**network.variant.bert))
    for helper in ("get_extended_attention_mask", "invert_attention_mask", "get_head_mask"):
        if not hasattr(bert, helper):
            setattr(bert, helper, None)  # gone in transformers 5, asked for by the package's constructor
    with (
        mock.patch.object(get_tokenlizer, "get_tokenlizer", lambda _: network.words.tokenizer),
        mock.patch.object(get_tokenlizer, "get_pretrained_language_model", lambda _: bert),
    ):
        theirs = build_model(model.read_config(network.variant))
    report = theirs.load_state_dict(network.state_dict(), strict=False)
    assert not report.unexpected_keys
    assert set(report.missing_keys) <= model.HARMLESS_KEYS
    if not hasattr(BertModel, "get_head_mask"):
        # The package's own wrapper of BERT does not run on transformers 5; all the rest of it still is the reference.
        theirs.bert.forward = lambda input_ids, attention_mask, position_ids, **_: {
            "last_hidden_state": network.bert(input_ids, position_ids, attention_mask.bool())
        }
    return theirs.eval()


def test_real_tokenizer_agrees_with_the_whole_caption(vocab: str) -> None:
    from lib_photoshoot.detection.grounding_dino.text import BertWords

    words = BertWords(Path(vocab))
    products = items("bag", "handbag", "car", "cardboard", "watch", "watch strap", "t-shirt", "fire hydrant", "Café")
    (caption,) = build_captions(products, words)
    assert words.tokenizer(caption.text)["input_ids"] == list(caption.input_ids)
    by_word = {s.word: caption.input_ids[s.start : s.stop] for s in caption.spans}
    assert by_word["bag"] != by_word["handbag"]
    assert len(by_word["watch strap"]) == 2
    (typed,) = build_captions(items("[SEP]"), words)
    assert typed.input_ids.count(words.sep_id) == 1  # lower case takes its special meaning away
    with pytest.raises(ProductsError):
        build_captions(items("👜"), words)


def test_missing_or_wrong_vocabulary(tmp_path: Path, vocab: str) -> None:
    from lib_photoshoot.detection.grounding_dino.text import BertWords

    with pytest.raises(WeightsError, match="missing"):
        BertWords(tmp_path / "vocab.txt")
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n.\n?\n")
    with pytest.raises(WeightsError, match="not the vocabulary"):
        BertWords(tmp_path / "vocab.txt")


@pytest.mark.parametrize("text", ["handbag . watch strap . shoe .", "handbag", "a . b c", "a ? b . ."])
def test_sub_sentences_as_in_the_package(vocab: str, text: str) -> None:
    warper = package_module("bertwarper")
    from lib_photoshoot.detection.grounding_dino.text import BertWords, token_inputs

    words = BertWords(Path(vocab))
    tokens = words.tokenizer([text], return_tensors="pt")
    attend, positions = warper.generate_masks_with_special_tokens(tokens, words.special_ids, words.tokenizer)[:2]
    got = token_inputs(tuple(tokens["input_ids"][0].tolist()), words.special_ids, "cpu")
    assert (got["attend"] == attend).all()
    assert (got["position_ids"] == positions).all()
    assert sentence_layout((), words.special_ids) == ([], [])


@pytest.mark.parametrize("batch", [1, 2])
def test_deformable_attention_as_bag_equals_the_package(batch: int) -> None:
    torch = pytest.importorskip("torch")
    package = package_module("ms_deform_attn")
    from lib_photoshoot.detection.grounding_dino import attention

    torch.manual_seed(0)
    shapes = [(9, 13), (5, 7), (1, 2)]
    value = torch.randn(batch, sum(h * w for h, w in shapes), 4, 8)
    # Also far outside the picture; more queries than one block holds.
    locations = torch.rand(batch, attention.BLOCK_ROWS + 37, 4, 3, 2, 2) * 3 - 1
    locations[:, :5] *= 1e12
    weights = torch.rand(locations.shape[:-1])
    expected = package.multi_scale_deformable_attn_pytorch(value, torch.tensor(shapes), locations, weights)
    for form in (attention.deformable_bag, attention.deformable_grid):
        got = form(value, shapes, locations, weights)
        assert got.shape == expected.shape
        assert (got - expected).abs().max() < 1e-5


def test_the_network_equals_the_package(network) -> None:
    import torch

    theirs = package_network(network)
    (caption,) = build_captions(items("handbag", "watch strap", "car"), network.words)
    pixels = torch.randn(1, 3, 128, 170, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(pixels, captions=[caption.text])
    got = network(pixels, caption)
    logits = expected["pred_logits"][0]
    assert torch.isinf(logits[:, len(caption.input_ids) :]).all()
    assert (got.logits - logits[:, : len(caption.input_ids)]).abs().max() < 1e-4  # logits of some tens
    assert (got.boxes - expected["pred_boxes"][0]).abs().max() < 1e-5
    assert got.boxes.std(0).min() > 1e-3


def test_the_text_branch_is_the_same_on_every_transformers(vocab: str) -> None:
    """Recorded with transformers 4.30.2, where the package's own wrapper runs and agrees; also holds on 5.24.0."""
    import torch

    from lib_photoshoot.detection.grounding_dino.text import BertWords, TextEncoder, token_inputs

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    encoder = TextEncoder(**small).eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for _, parameter in sorted(encoder.named_parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    words = BertWords(Path(vocab))
    (caption,) = build_captions(items("handbag", "watch strap"), words)
    with torch.no_grad():
        features = encoder(**token_inputs(caption.input_ids, words.special_ids, "cpu"))
    assert features.shape == (1, len(caption.input_ids), 32)
    assert features[0, 1, :4].tolist() == pytest.approx(RECORDED_FEATURES, abs=1e-5)


def test_text_is_encoded_once_a_caption(network) -> None:
    import torch

    captions_ = build_captions(items("handbag"), network.words) + build_captions(items("shoe"), network.words)
    pixels = torch.zeros(1, 3, 64, 64)
    network.clear_texts()
    calls = []
    handle = network.bert.register_forward_hook(lambda *_: calls.append(1))
    first = network(pixels, captions_[0])
    second = network(pixels, captions_[0])
    network(pixels, captions_[1])
    network(pixels, captions_[0])
    handle.remove()
    assert len(calls) == 2
    assert torch.equal(first.logits, second.logits)


def test_weights_round_trip_and_are_checked(network, vocab: str, tmp_path: Path) -> None:
    import torch

    from lib_photoshoot.detection.grounding_dino import model

    state = {f"module.{k}": v for k, v in network.state_dict().items()}
    state["module.bert.embeddings.position_ids"] = torch.arange(512)[None]
    state["module.label_enc.weight"] = torch.zeros(3, 2)
    good = tmp_path / "good.pth"
    torch.save({"model": state}, good)
    loaded = model.load(good, "test", vocab)
    assert all(torch.equal(v, loaded.state_dict()[k]) for k, v in network.state_dict().items())

    del state["module.feat_map.bias"]
    torch.save({"model": state}, tmp_path / "lacking.pth")
    with pytest.raises(WeightsError, match=r"lacks feat_map\.bias"):
        model.load(tmp_path / "lacking.pth", "test", vocab)
    (tmp_path / "broken.pth").write_bytes(good.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="not a readable"):
        model.load(tmp_path / "broken.pth", "test", vocab)
    with pytest.raises(WeightsError, match="missing"):
        model.load(tmp_path / "absent.pth", "test", vocab)
    with pytest.raises(WeightsError, match="no variant"):
        model.build("swin_z", vocab)


def test_seed_decides_the_random_weights(vocab: str) -> None:
    pytest.importorskip("groundingdino")
    import torch

    from lib_photoshoot.detection.grounding_dino import model

    before = torch.get_rng_state()
    one, two, other = (model.build("test", vocab, seed=s).feat_map.weight for s in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_detector_keeps_the_last_picture(network) -> None:
    detector = detectors.GroundingDinoDetector(network, floor=0.0)
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    products = [Item("handbag", ("handbag", "purse")), Item("shoe", ("shoe",))]
    calls = []
    handle = network.backbone.register_forward_hook(lambda *_: calls.append(1))
    everything = detector.detect(image, products)
    assert everything
    scores = sorted((d.score for d in everything), reverse=True)
    assert [d.score for d in everything] == scores
    for d in everything:
        x0, y0, x1, y1 = d.box
        assert 0 <= x0 < x1 <= 120
        assert 0 <= y0 < y1 <= 90
        assert d.product in ("handbag", "shoe")
    middle = scores[len(scores) // 2]
    fewer = detector.detect(image.copy(), products, floor=middle)
    assert fewer == [d for d in everything if d.score >= middle]
    assert len(calls) == 1
    changed = image.copy()
    changed[0, 0, 0] ^= 1
    detector.detect(changed, products)
    detector.detect(changed, products[:1])
    assert len(calls) == 3
    detector.forget()
    detector.detect(changed, products[:1])
    assert len(calls) == 4
    handle.remove()
    assert detector.detect(image, []) == []


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3)])
def test_odd_pictures(network, shape: tuple[int, int]) -> None:
    detector = detectors.GroundingDinoDetector(network, floor=0.0)
    image = np.full((*shape, 3), 128, np.uint8)
    for d in detector.detect(image, items("shoe")):
        assert d.box[2] <= shape[1]
        assert d.box[3] <= shape[0]


def test_bfloat16_is_an_option_and_stays_close(network) -> None:
    import torch

    (caption,) = build_captions(items("handbag"), network.words)
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert network.autocast_dtype is None
    exact = network(pixels, caption)
    network.autocast_dtype = torch.bfloat16
    network.clear_texts()
    try:
        rough = network(pixels, caption)
    finally:
        network.autocast_dtype = None
        network.clear_texts()
    assert rough.logits.dtype == torch.float32
    assert torch.isfinite(rough.logits).all()
    assert not torch.equal(rough.logits, exact.logits)
    # Of random weights the best query is another one on processors whose vectors are longer; the mean of all is not.
    assert (rough.logits.mean(0) - exact.logits.mean(0)).abs().max() < 0.03 * exact.logits.abs().max()
