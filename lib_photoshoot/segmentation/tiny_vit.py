"""MobileSAM's image encoder: TinyViT-5M, with the names of the published weights.

MobileSAM (Zhang et al. 2023, https://arxiv.org/abs/2306.14289) replaces SAM's ViT by TinyViT (Wu et al. 2022,
https://arxiv.org/abs/2207.10666), keeps 64 x 64 cells to the end (no stride in the last merging), and adds SAM's neck.
timm has TinyViT too, but only in releases that ControlNet's pins (timm < 0.9.6) rule out in a WebUI.

Convolutions see (batch, channels, height, width) in channels-last order; attention blocks see the same memory as
(batch, height, width, channels), so that nothing is copied between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
import torch.nn.functional as F
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn

EMBEDDING_CHANNELS = 256
_WIDTHS = (64, 128, 160, 320)
_DEPTHS = (2, 2, 6, 2)
_HEADS = (2, 4, 5, 10)
_WINDOWS = (7, 7, 14, 7)
_EXPANSION = 4


STRIP_ROWS = 64
"""Rows handled at a time where the hidden layer is wide. Arrays of more than 32 MB come fresh from the system each
time, and touching their pages for the first time costs more than computing them; strips also stay in the cache."""


def in_strips(function: Callable[[Tensor], Tensor], x: Tensor, stride: int = 1) -> Tensor:
    """Apply a 3 x 3 convolution block with padding 1 and ``stride`` to (batch, channels, h, w) in strips of rows.

    Each strip is computed with ``stride`` more rows on both sides, whose wrong edge is then cut off: same answer.
    """
    height = x.shape[2]
    strips = []
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        start, stop = max(top - stride, 0), min(bottom + stride, height)
        answer = function(x[:, :, start:stop])
        first = (top - start) // stride
        strips.append(answer[:, :, first : first + -(-(bottom - top) // stride)])
    return torch.cat(strips, dim=2)


def gelu_(x: Tensor) -> Tensor:
    """GELU that overwrites its input: the first layers' arrays hold 64 MB, and a new one costs more than the sums."""
    return torch.ops.aten.gelu_(x)


class _Gelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return gelu_(x)


class ConvNorm(nn.Sequential):
    """Convolution without bias, then batch norm (``c`` and ``bn``, as the published weights call them)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.c = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)


class PatchEmbed(nn.Module):
    """(batch, 3, h, w) to (batch, width, h / 4, w / 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(ConvNorm(3, width // 2, 3, 2), _Gelu(), ConvNorm(width // 2, width, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.seq(x)


class MBConv(nn.Module):
    """Inverted residual block (Sandler et al. 2018, https://arxiv.org/abs/1801.04381) with GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = width * _EXPANSION
        self.conv1 = ConvNorm(width, hidden)
        self.conv2 = ConvNorm(hidden, hidden, 3, groups=hidden)
        self.conv3 = ConvNorm(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return gelu_(in_strips(self._residual, x).add_(x))

    def _residual(self, x: Tensor) -> Tensor:
        return self.conv3(gelu_(self.conv2(gelu_(self.conv1(x)))))


class PatchMerging(nn.Module):
    """Change the width, and halve height and width with ``stride`` 2."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = ConvNorm(inputs, outputs)
        self.conv2 = ConvNorm(outputs, outputs, 3, stride, groups=outputs)
        self.conv3 = ConvNorm(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return in_strips(self._merge, x, self.stride)

    def _merge(self, x: Tensor) -> Tensor:
        return self.conv3(gelu_(self.conv2(gelu_(self.conv1(x)))))


class Attention(nn.Module):
    """Self-attention within windows (n, window * window, width), with a learned bias for each distance."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        self.register_buffer("attention_bias_idxs", _distance_numbers(window), persistent=False)
        self._bias: Tensor | None = None

    def _apply(self, fn, *args, **kwargs):  # type: ignore[no-untyped-def]
        self._bias = None  # made from weights that may move to another device now
        return super()._apply(fn, *args, **kwargs)

    def forward(self, x: Tensor) -> Tensor:
        if self._bias is None:
            self._bias = self.attention_biases[:, self.attention_bias_idxs]
        count, tokens, width = x.shape
        qkv = self.qkv(self.norm(x)).view(count, tokens, self.heads, -1).transpose(1, 2)
        q, k, v = qkv.chunk(3, dim=-1)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self._bias)
        return self.proj(mixed.transpose(1, 2).reshape(count, tokens, width))


def _distance_numbers(window: int) -> Tensor:
    """For each pair of cells of a window, the number of their (|dy|, |dx|) in order of first appearance."""
    cells = list(product(range(window), repeat=2))
    numbers: dict[tuple[int, int], int] = {}
    pairs = [(abs(y - v), abs(x - u)) for y, x in cells for v, u in cells]
    flat = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
    return torch.tensor(flat).view(len(cells), len(cells))


class Mlp(nn.Module):
    """Layer norm and two linear layers with GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, width * _EXPANSION)
        self.fc2 = nn.Linear(width * _EXPANSION, width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.fc2(gelu_(self.fc1(self.norm(rows)))) for rows in x.split(STRIP_ROWS, dim=1)], dim=1)


class Block(nn.Module):
    """Window attention, depthwise convolution, MLP; (batch, width, h, w) in channels-last order, in and out."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = Attention(width, heads, window)
        self.mlp = Mlp(width)
        self.local_conv = ConvNorm(width, width, 3, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        last = x.permute(0, 2, 3, 1)
        last = last + self._attend(last)
        last = self.local_conv(last.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return (last + self.mlp(last)).permute(0, 3, 1, 2)

    def _attend(self, x: Tensor) -> Tensor:
        """Attention in windows over (batch, h, w, width); zeros pad it to whole windows, as in training."""
        batch, height, width, channels = x.shape
        side = self.window
        below, right = -height % side, -width % side
        padded = F.pad(x, (0, 0, 0, right, 0, below)) if below or right else x
        rows, columns = (height + below) // side, (width + right) // side
        windows = padded.reshape(batch, rows, side, columns, side, channels).transpose(2, 3)
        mixed = self.attn(windows.reshape(-1, side * side, channels))
        whole = mixed.view(batch, rows, columns, side, side, channels).transpose(2, 3)
        return whole.reshape(batch, height + below, width + right, channels)[:, :height, :width]


class Stage(nn.Module):
    """The blocks of one width, and the merging that leads to the next."""

    def __init__(self, blocks: list[nn.Module], downsample: PatchMerging | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        if downsample is not None:
            self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.downsample(x) if hasattr(self, "downsample") else x


def _blocks(stage: int) -> list[nn.Module]:
    return [Block(_WIDTHS[stage], _HEADS[stage], _WINDOWS[stage]) for _ in range(_DEPTHS[stage])]


class TinyVitEncoder(nn.Module):
    """(1, 3, 1024, 1024) normalised RGB in, (1, 256, 64, 64) embedding out; SAM's image-encoder interface."""

    img_size = 1024

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(_WIDTHS[0])
        first, second, third, last = _WIDTHS
        self.layers = nn.ModuleList(
            [
                Stage([MBConv(first) for _ in range(_DEPTHS[0])], PatchMerging(first, second, 2)),
                Stage(_blocks(1), PatchMerging(second, third, 2)),
                # MobileSAM's own change: no stride before the last stage.
                Stage(_blocks(2), PatchMerging(third, last, 1)),
                Stage(_blocks(3), None),
            ]
        )
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], EMBEDDING_CHANNELS, 1, bias=False),
            LayerNorm2d(EMBEDDING_CHANNELS),
            nn.Conv2d(EMBEDDING_CHANNELS, EMBEDDING_CHANNELS, 3, padding=1, bias=False),
            LayerNorm2d(EMBEDDING_CHANNELS),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x.contiguous(memory_format=torch.channels_last))
        for stage in self.layers:
            x = stage(x)
        return self.neck(x)
