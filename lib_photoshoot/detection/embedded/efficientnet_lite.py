"""EfficientNet-Lite2 for ImageNet-1k, with the names of the published PyTorch weights.

EfficientNet: Tan & Le 2019, https://arxiv.org/abs/1905.11946. The Lite networks have ReLU6 instead of swish and no
squeeze-and-excitation; stem, head, first and last stage keep their size whatever the scale. timm has them as well, but
its releases differ too much between a WebUI with ControlNet (timm < 0.9.6) and others. Inference only.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 1000
_STEM, _HEAD = 32, 1280
# Width, blocks, kernel, stride of the first block and expansion of each stage, at Lite2's scale (width 1.1, depth 1.2).
_STAGES = (
    (16, 1, 3, 1, 1),
    (24, 3, 3, 2, 6),
    (48, 3, 5, 2, 6),
    (88, 4, 3, 2, 6),
    (120, 4, 5, 1, 6),
    (208, 5, 5, 2, 6),
    (352, 1, 3, 1, 6),
)
# Blocks of the first three stages.
_EARLY = sum(blocks for _, blocks, *_ in _STAGES[:3])


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _relu6(x: Tensor) -> Tensor:
    return F.relu6(x, inplace=True)


class SamePad(nn.Conv2d):
    """Convolution padded as TensorFlow does: as little as gives ceil(size / stride), the odd pixel at the far side."""

    def forward(self, x: Tensor) -> Tensor:
        vertical, horizontal = (
            max((-(-size // stride) - 1) * stride + kernel - size, 0)
            for size, stride, kernel in zip(x.shape[2:], self.stride, self.kernel_size, strict=True)
        )
        if vertical % 2 or horizontal % 2:
            sides = (horizontal // 2, -(-horizontal // 2), vertical // 2, -(-vertical // 2))
            return F.conv2d(F.pad(x, sides), self.weight, self.bias, self.stride, 0, 1, self.groups)
        return F.conv2d(x, self.weight, self.bias, self.stride, (vertical // 2, horizontal // 2), 1, self.groups)


def _conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    kind = SamePad if kernel > 1 else nn.Conv2d
    return kind(inputs, outputs, kernel, stride, groups=groups, bias=False)


class Block(nn.Module):
    """Inverted residual block: expand, depthwise, project; the input is added where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        if expansion > 1:
            self._expand_conv = _conv(inputs, hidden)
            self._bn0 = _norm(hidden)
        self._depthwise_conv = _conv(hidden, hidden, kernel, stride, hidden)
        self._bn1 = _norm(hidden)
        self._project_conv = _conv(hidden, outputs)
        self._bn2 = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        hidden = _relu6(self._bn0(self._expand_conv(x))) if hasattr(self, "_expand_conv") else x
        hidden = _relu6(self._bn1(self._depthwise_conv(hidden)))
        out = self._bn2(self._project_conv(hidden))
        return out.add_(x) if self.residual else out


class EfficientNetLite2(nn.Module):
    """(n, 3, h, w) RGB in [-1, 1] in, logits (n, 1000) out."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _conv(3, _STEM, 3, 2)
        self._bn0 = _norm(_STEM)
        blocks, width = [], _STEM
        for outputs, depth, kernel, stride, expansion in _STAGES:
            for number in range(depth):
                blocks.append(Block(width, outputs, kernel, 1 if number else stride, expansion))
                width = outputs
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = _conv(width, _HEAD)
        self._bn1 = _norm(_HEAD)
        self._fc = nn.Linear(_HEAD, CLASSES)

    def first_stages(self, x: Tensor) -> Tensor:
        """(n, 48, h / 8, w / 8), rounded up: patterns and materials rather than things."""
        early: Tensor = self._blocks[:_EARLY](_relu6(self._bn0(self._conv_stem(x))))
        return early

    def features(self, x: Tensor) -> Tensor:
        """(n, 1280, h / 32, w / 32), rounded up."""
        x = self._blocks(_relu6(self._bn0(self._conv_stem(x))))
        return _relu6(self._bn1(self._conv_head(x)))

    def logits(self, features: Tensor) -> Tensor:
        """Logits (..., 1000) of features (..., 1280): of a picture's mean ones, or of each cell's."""
        return self._fc(features)

    def classify_cells(self, x: Tensor) -> Tensor:
        """Logits of every cell, (n, 1000, h / 32, w / 32).

        The last Linear becomes a 1 x 1 convolution (Long et al. 2015, https://arxiv.org/abs/1411.4038).
        """
        return F.conv2d(self.features(x), self._fc.weight[:, :, None, None], self._fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(self.features(x).mean((2, 3)))
