"""Small models with random weights, in the hub's layout: the official architectures, by transformers' own code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BERT_SPECIAL = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
WORDS = ("hand", "##bag", "bag", "shoe", "watch", "strap", "car", "cup")


def bert_vocabulary(folder: Path) -> Path:
    """Write a vocabulary with BERT's special tokens at their own places, which the network knows, and a few words."""
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


CLIP_SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def clip_vocabulary(folder: Path) -> None:
    """Write CLIP's vocabulary and merges with its 256 bytes, each also at a word's end, and no merges."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in kept]
    letters = [chr(byte) for byte in kept] + [chr(256 + n) for n in range(len(others))]
    tokens = [*letters, *(letter + "</w>" for letter in letters), *CLIP_SPECIAL]
    (folder / "vocab.json").write_text(json.dumps({token: n for n, token in enumerate(tokens)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def sam3() -> Any:
    """Return a small SAM 3."""
    import torch
    from transformers import Sam3Config, Sam3Model

    torch.manual_seed(0)
    detr = {"hidden_size": 32, "num_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    config = Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "image_size": 112,
                "pretrain_image_size": 112,
                "window_size": 4,
                "global_attn_indexes": [1],
            },
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        text_config={
            "model_type": "clip_text_model",
            "vocab_size": 514,
            "hidden_size": 32,
            "intermediate_size": 64,
            "projection_dim": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 32,
            "bos_token_id": 512,
            "eos_token_id": 513,
        },
        geometry_encoder_config=detr,
        detr_encoder_config=detr,
        detr_decoder_config={**detr, "num_queries": 12},
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 4},
    )
    return stirred(Sam3Model(config))
