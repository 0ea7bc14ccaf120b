"""GroundingDINO: the package's own forward pass against ours, paired in one run, on the official architecture.

    python benchmarks/grounding_dino.py [--variant swint] [--rounds 3] [--size 512] [--profile]

Seeded random weights, fp32, 2 threads, the same weights, picture and caption on both sides. Random weights make the
choice of the 900 queries sensitive to rounding; the differences printed are over all queries in their order, so a query
chosen differently would show up as a large one. Boxes are shares of the picture; logits reach some tens with random
weights, so their difference is given relative to the largest. ``--double`` also runs the package in float64 and prints
how far both are from that: fp32's own rounding is as large as our difference. Needs bert-base-uncased's vocab.txt
(PHOTOSHOOT_BERT_VOCAB, or in models/bert-base-uncased). Exits with 1 below 1.5 times the speed or above 1e-5.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from lib_photoshoot.detection.grounding_dino import attention, detector, model  # noqa: E402
from lib_photoshoot.detection.grounding_dino.caption import build_captions  # noqa: E402

FASTER, CLOSE = 1.5, 1e-5
PRODUCTS = [SimpleNamespace(name=n, words=(n,)) for n in ("handbag", "shoe", "car", "watch")]


def package_model(variant: str, ours: model.GroundingDino) -> Any:
    """The package's own network with our weights, its activation checkpointing on as in its configuration."""
    from groundingdino.models import build_model
    from groundingdino.util import get_tokenlizer
    from transformers import BertConfig, BertModel

    config = model.read_config(model.variant_named(variant))
    config.use_checkpoint = config.use_transformer_ckpt = True
    bert = BertModel(BertConfig(**model.variant_named(variant).bert))
    with (
        mock.patch.object(get_tokenlizer, "get_tokenlizer", lambda _: ours.words.tokenizer),
        mock.patch.object(get_tokenlizer, "get_pretrained_language_model", lambda _: bert),
    ):
        theirs = build_model(config)
    report = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert not report.unexpected_keys, report
    assert set(report.missing_keys) <= model.HARMLESS_KEYS, report
    return theirs.eval()


def randomized(variant: str, vocab: str) -> model.GroundingDino:
    """Seeded weights; the initial zeros (box heads, sampling offsets) and the small fusion gains get values too."""
    built = model.build(variant, vocab, seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            zeros_at_first = ("bbox_embed", "sampling_offsets.weight", "attention_weights.weight")
            if any(part in name for part in zeros_at_first):
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
            if "gamma" in name:
                parameter.fill_(0.1)
    return built


def own_share(found: detector.GroundingDinoDetector, image: np.ndarray, network: float) -> tuple[float, float, float]:
    """Seconds of our code around the network, in per cent of a detection, and of a second call, other threshold."""
    captions = build_captions(PRODUCTS, found.model.words)
    start = time.perf_counter()
    detector.preprocess(image)
    prepared = time.perf_counter() - start
    found.detect(image, PRODUCTS)
    start = time.perf_counter()
    found.detect(image, PRODUCTS, floor=0.3)
    again = time.perf_counter() - start
    around = prepared + again
    assert captions
    return around, 100 * around / (around + network), again


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--variant", default="swint", choices=list(model.VARIANTS))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--size", type=int, default=512, help="side of the picture in pixels")
    options.add_argument("--double", action="store_true", help="compare both with the package in float64")
    options.add_argument("--profile", action="store_true", help="print where our forward pass spends its time")
    given = options.parse_args()
    torch.set_num_threads(2)
    vocab = os.environ.get("PHOTOSHOOT_BERT_VOCAB") or str(ROOT / "models" / "bert-base-uncased" / "vocab.txt")
    ours = randomized(given.variant, vocab)
    theirs = package_model(given.variant, ours)
    image = np.random.default_rng(3).integers(0, 256, (given.size, given.size, 3), dtype=np.uint8)
    pixels = torch.from_numpy(detector.preprocess(image, ours.variant.short_side, ours.variant.long_side))
    caption = build_captions(PRODUCTS, ours.words)[0]

    slow, fast = [], []
    for round_number in range(given.rounds + 1):
        start = time.perf_counter()
        with torch.no_grad():
            expected = theirs(pixels, captions=[caption.text])
        middle = time.perf_counter()
        ours.clear_texts()  # a first caption, so that both sides do the same work
        got = ours(pixels, caption)
        if round_number:  # the first round warms up
            slow.append(middle - start)
            fast.append(time.perf_counter() - middle)
    ratio = statistics.median(a / b for a, b in zip(slow, fast, strict=True))
    reference = answer_of(expected, caption)
    logits, boxes = differences((got.logits, got.boxes), reference)
    around, percent, again = own_share(detector.GroundingDinoDetector(ours), image, statistics.median(fast))
    print(f"package {statistics.median(slow):.2f} s, ours {statistics.median(fast):.2f} s, ratio {ratio:.2f}")
    largest = got.logits.abs().max().item()
    print(f"largest difference: logits {logits:.2e} of the largest ({largest:.1f}), boxes {boxes:.2e} of the picture")
    print(f"our own code {around * 1000:.1f} ms ({percent:.2f} %), other threshold {again * 1000:.1f} ms")
    if given.double:
        with torch.no_grad():
            exact = answer_of(theirs.double()(pixels.double(), captions=[caption.text]), caption)
        for name, answer in (("package", reference), ("ours", (got.logits, got.boxes))):
            print("{}, from float64: logits {:.2e}, boxes {:.2e}".format(name, *differences(answer, exact)))
    if given.profile:
        stages(ours, pixels, caption)
    return 0 if ratio >= FASTER and max(logits, boxes) <= CLOSE else 1


def answer_of(output: Any, caption: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The package's logits (queries, tokens of the caption) and boxes (queries, 4)."""
    return output["pred_logits"][0, :, : len(caption.input_ids)], output["pred_boxes"][0]


def differences(
    answer: tuple[torch.Tensor, torch.Tensor], reference: tuple[torch.Tensor, torch.Tensor]
) -> tuple[float, float]:
    """Largest difference of the logits, relative to the largest logit, and of the boxes, absolute."""
    logits = (answer[0] - reference[0]).abs().max() / reference[0].abs().max()
    return logits.item(), (answer[1] - reference[1]).abs().max().item()


def stages(network: model.GroundingDino, pixels: torch.Tensor, caption: Any) -> None:
    """Prints seconds per kind of module over one forward pass."""
    spent: dict[str, float] = {}
    kinds = (
        attention.DeformableAttention,
        attention.EncoderLayer,
        attention.FusionBlock,
        type(network.backbone),
        type(network.transformer.encoder),
        type(network.transformer.decoder),
        type(network.bert),
    )
    handles = []
    for part in network.modules():
        if not isinstance(part, kinds):
            continue
        begun: list[float] = []
        name = type(part).__name__

        def before(*_: Any, begun: list[float] = begun) -> None:
            begun.append(time.perf_counter())

        def after(*_: Any, begun: list[float] = begun, name: str = name) -> None:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - begun.pop()

        handles += [part.register_forward_pre_hook(before), part.register_forward_hook(after)]
    network.clear_texts()
    network(pixels, caption)
    for handle in handles:
        handle.remove()
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  {name:24} {seconds:.3f} s")


if __name__ == "__main__":
    sys.exit(main())
