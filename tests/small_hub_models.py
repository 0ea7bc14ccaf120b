"""Small models with random weights, in the hub's layout: the official architectures, by transformers' own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BERT_SPECIAL = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
WORDS = ("hand", "##bag", "bag", "shoe", "watch", "strap", "car", "cup")


def bert_vocabulary(folder: Path) -> Path:
    """Write a vocabulary with BERT's special tokens at their own places, which the network has fixed, and a few words."""
    lines = [f"[unused{number}]" for number in range(1100)]
    for number, token in BERT_SPECIAL.items():
        lines[number] = token
    for number, word in enumerate((*WORDS, *"abcdefghijklmnopqrstuvwxyz"), start=1040):
        lines[number] = word
    path = folder / "vocab.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def stirred(model: Any, seed: int = 2) -> Any:
    """Return the model with every weight moved a little: the initial zeros and ones would hide mistakes."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return model.eval()


def mm_grounding_dino() -> Any:
    """Return a small MM-Grounding-DINO whose decoder layers share no heads, as the published ones."""
    import torch
    from transformers import BertConfig, MMGroundingDinoConfig, MMGroundingDinoForObjectDetection, SwinConfig

    torch.manual_seed(0)
    config = MMGroundingDinoConfig(
        backbone_config=SwinConfig(embed_dim=16, depths=[1] * 4, num_heads=[1, 2, 4, 8], out_indices=[2, 3, 4]),
        text_config=BertConfig(
            vocab_size=1100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
        ),
        num_queries=20,
        encoder_layers=2,
        encoder_ffn_dim=64,
        encoder_attention_heads=4,
        decoder_layers=3,
        decoder_ffn_dim=64,
        decoder_attention_heads=4,
        d_model=32,
        decoder_bbox_embed_share=False,
        decoder_cls_embed_share=False,
    )
    model = stirred(MMGroundingDinoForObjectDetection(config))
    with torch.no_grad():
        for head in model.class_embed:
            head.bias.add_(4)  # published heads begin at 0.01, where nothing would be found
    return model
