"""MobileSAM's image encoder: TinyViT-5M from timm, with the published weights mapped onto timm's names.

MobileSAM (Zhang et al. 2023, https://arxiv.org/abs/2306.14289) replaces SAM's ViT by TinyViT (Wu et al. 2022,
https://arxiv.org/abs/2207.10666), keeps 64 x 64 cells to the end (no stride in the last merging), and adds SAM's neck.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from segment_anything.modeling.common import LayerNorm2d
from timm.models.tiny_vit import ConvNorm, TinyVit
from torch import nn

EMBEDDING_CHANNELS = 256

_RENAMES = (
    (re.compile(r"^patch_embed\.seq\.0\."), "patch_embed.conv1."),
    (re.compile(r"^patch_embed\.seq\.2\."), "patch_embed.conv2."),
    (re.compile(r"^layers\.(\d+)\.downsample\."), lambda m: f"stages.{int(m[1]) + 1}.downsample."),
    (re.compile(r"^layers\."), "stages."),
    (re.compile(r"\.c\.weight$"), ".conv.weight"),
)
# The classification head is not used by SAM, and the bias indices are recomputed from the window size.
_UNUSED = re.compile(r"^(norm_head|head)\.|attention_bias_idxs$")


def timm_state_dict(published: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Rename MobileSAM's ``image_encoder`` weights (without that prefix) to those of :class:`TinyVitEncoder`."""
    renamed = {}
    for key, value in published.items():
        if _UNUSED.search(key):
            continue
        for pattern, replacement in _RENAMES:
            key = pattern.sub(replacement, key)
        renamed[key if key.startswith("neck.") else f"trunk.{key}"] = value
    return renamed


class TinyVitEncoder(nn.Module):
    """(1, 3, 1024, 1024) normalised RGB in, (1, 256, 64, 64) embedding out; SAM's image-encoder interface."""

    img_size = 1024

    def __init__(self) -> None:
        super().__init__()
        self.trunk = TinyVit(
            embed_dims=(64, 128, 160, 320),
            depths=(2, 2, 6, 2),
            num_heads=(2, 4, 5, 10),
            window_sizes=(7, 7, 14, 7),
            num_classes=0,
        )
        self.trunk.head = nn.Identity()  # type: ignore[assignment]
        self.trunk.stages[3].downsample.conv2.conv.stride = (1, 1)
        self.neck = nn.Sequential(
            nn.Conv2d(320, EMBEDDING_CHANNELS, 1, bias=False),
            LayerNorm2d(EMBEDDING_CHANNELS),
            nn.Conv2d(EMBEDDING_CHANNELS, EMBEDDING_CHANNELS, 3, padding=1, bias=False),
            LayerNorm2d(EMBEDDING_CHANNELS),
        )

    def fuse(self) -> None:
        """Fold each batch norm into its convolution, for inference: the same answer, a tenth faster."""
        for module in list(self.modules()):
            for name, child in module.named_children():
                if isinstance(child, ConvNorm):
                    setattr(module, name, child.fuse())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.neck(self.trunk.forward_features(x))
