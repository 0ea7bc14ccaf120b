"""SAM-HQ (Ke et al. 2023, https://arxiv.org/abs/2306.01567): Segment Anything with one more output token and with the
encoder's early features, which see thin parts and edges that the last features have lost.

Ours keeps SAM's interface. What depends on the picture alone is computed once, with the embedding, and travels in
further channels of it; each of SAM's three answers gets the correction that the original gives to the best of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from segment_anything import sam_model_registry
from segment_anything.modeling import MaskDecoder, Sam, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from segment_anything.modeling.mask_decoder import MLP
from torch import nn

CHANNELS = 256
"""Of SAM's embedding."""
MASK_CHANNELS = CHANNELS // 8
"""Of the features from which masks are made."""
CELLS = 4
"""Cells of a mask, each way, in one cell of the embedding."""
# The published file keeps these beside the decoder, where the original computes them anew for every prompt.
_MOVED = ("compress_vit_feat.", "embedding_encoder.")


def build_sam_hq(variant: str, state: Mapping[str, torch.Tensor] | None = None) -> Sam:
    """Build ``vit_b``, ``vit_l`` or ``vit_h``; with ``state``, the published file, every weight must match.

    RuntimeError, as torch words it, when one does not.
    """
    sam = sam_model_registry[variant]()
    early = next(block for block in sam.image_encoder.blocks if block.window_size == 0)
    sam.image_encoder = HqEncoder(sam.image_encoder, early, sam.image_encoder.pos_embed.shape[-1])
    sam.mask_decoder = HqMaskDecoder()
    if state is not None:
        sam.load_state_dict(_renamed(state))
    return sam.eval()


class HqEncoder(nn.Module):
    """A SAM encoder, and the features of its block ``early``, (B, height, width, ``width``), beside its embedding.

    (B, 3, 1024, 1024) normalised RGB in, (B, 256 + 32 * 16, 64, 64) out: the mask features lie folded in the last
    channels (``pixel_unshuffle``).
    """

    def __init__(self, encoder: nn.Module, early: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.img_size = encoder.img_size
        self.compress_vit_feat = _upscaling(width, CHANNELS)
        self.embedding_encoder = _upscaling(CHANNELS, CHANNELS // 4)
        self._early: list[torch.Tensor] = []
        early.register_forward_hook(lambda module, inputs, output: self._early.append(output))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self._early.clear()
        embedding = self.encoder(x)
        early = self._early.pop().permute(0, 3, 1, 2)
        features = self.embedding_encoder(embedding) + self.compress_vit_feat(early)
        return torch.cat([embedding, F.pixel_unshuffle(features, CELLS)], dim=1)


class HqMaskDecoder(MaskDecoder):
    """SAM's mask decoder for what :class:`HqEncoder` returns; same arguments and results as SAM's."""

    def __init__(self) -> None:
        super().__init__(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=CHANNELS, mlp_dim=2048, num_heads=8),
            transformer_dim=CHANNELS,
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        )
        self.hf_token = nn.Embedding(1, CHANNELS)
        self.hf_mlp = MLP(CHANNELS, CHANNELS, MASK_CHANNELS, 3)
        self.embedding_maskfeature = nn.Sequential(
            nn.Conv2d(MASK_CHANNELS, CHANNELS // 4, 3, padding=1),
            LayerNorm2d(CHANNELS // 4),
            nn.GELU(),
            nn.Conv2d(CHANNELS // 4, MASK_CHANNELS, 3, padding=1),
        )

    def predict_masks(
        self,
        image_embeddings: torch.Tensor,
        image_pe: torch.Tensor,
        sparse_prompt_embeddings: torch.Tensor,
        dense_prompt_embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, 4, 256, 256) and predicted IoU (N, 4) of N prompts for one picture: SAM's, corrected."""
        embedding, folded = image_embeddings.split([CHANNELS, image_embeddings.shape[1] - CHANNELS], dim=1)
        prompts = len(sparse_prompt_embeddings)
        outputs = torch.cat([self.iou_token.weight, self.mask_tokens.weight, self.hf_token.weight])
        tokens = torch.cat([outputs.expand(prompts, -1, -1), sparse_prompt_embeddings], dim=1)
        source = embedding.expand(prompts, -1, -1, -1) + dense_prompt_embeddings
        answers, seen = self.transformer(source, image_pe.expand(prompts, -1, -1, -1), tokens)
        features = self.output_upscaling(seen.transpose(1, 2).reshape(source.shape))
        fine = self.embedding_maskfeature(features) + F.pixel_shuffle(folded, CELLS)
        mask_tokens = answers[:, 1 : 1 + self.num_mask_tokens].unbind(1)
        networks = zip(self.output_hypernetworks_mlps, mask_tokens, strict=True)
        masks = torch.einsum("nmc,nchw->nmhw", torch.stack([mlp(token) for mlp, token in networks], 1), features)
        correction = torch.einsum("nc,nchw->nhw", self.hf_mlp(answers[:, 1 + self.num_mask_tokens]), fine)
        return masks + correction[:, None], self.iou_prediction_head(answers[:, 0])


def _upscaling(inputs: int, hidden: int) -> nn.Sequential:
    """Features (B, ``inputs``, 64, 64) to mask features (B, 32, 256, 256)."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, hidden, kernel_size=2, stride=2),
        LayerNorm2d(hidden),
        nn.GELU(),
        nn.ConvTranspose2d(hidden, MASK_CHANNELS, kernel_size=2, stride=2),
    )


def _renamed(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the published file's names to ours."""

    def name(key: str) -> str:
        part, _, rest = key.partition(".")
        if part == "image_encoder":
            return f"image_encoder.encoder.{rest}"
        return f"image_encoder.{rest}" if rest.startswith(_MOVED) else key

    return {name(key): value for key, value in state.items()}
