"""SSDLite with MobileNetV2 on COCO (Sandler et al. 2018, https://arxiv.org/abs/1801.04381), TensorFlow's own release.

The file is the graph as TensorFlow for browsers reads it, its description first and its numbers after it: npm packages
carry them. The network is small enough to be told here in PyTorch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lib_photoshoot.detection.small.labels import COCO, COCO_IDS
from lib_photoshoot.detection.small.protocol import SmallBox, best_boxes
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.typed import typed_command

SIDE = 300
_BACKBONE = "FeatureExtractor/MobilenetV2/"
_BLOCKS = (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
"""Stride of each inverted bottleneck."""
_TAPPED = 13
"""Of this one's wide features the finest boxes are told."""
_EXTRA = (("2", 512, 256), ("3", 256, 128), ("4", 256, 128), ("5", 128, 64))
_EPSILON = 1e-3
_DTYPES = {"float32": np.float32, "int32": np.int32}


class SsdLite:
    """Reads the file at the first picture."""

    name = "ssdlite-coco"
    labels = COCO

    def __init__(self, path: Path) -> None:
        self._path = path
        self._network: Network | None = None

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        """See :class:`~lib_photoshoot.detection.small.protocol.SmallDetector`."""
        network = self._network = self._network or Network(read_graph(self._path))
        with torch.inference_mode():
            corners, scores = network(prepared(image))
        return best_boxes(corners.numpy(), scores.numpy(), self.labels, image.shape[1], image.shape[0])


def read_graph(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a graph by their names. Raises WeightsError."""
    try:
        data = path.read_bytes()
        description, start = json.JSONDecoder().raw_decode(data.decode("latin-1"))
        arrays = {}
        for entry in description["weightsManifest"][0]["weights"]:
            count = math.prod(entry["shape"])
            values = np.frombuffer(data, _DTYPES[entry["dtype"]], count, start)
            arrays[entry["name"]] = values.reshape(entry["shape"])
            start += values.nbytes
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise WeightsError(
            f"{path} is not the file of SSDLite ({type(error).__name__}): get it again with "
            f"'{typed_command('models get ' + SsdLite.name)}'."
        ) from error
    return arrays


def prepared(image: np.ndarray) -> Tensor:
    """Return ``image``, uint8 RGB, as float32 (1, 3, 300, 300) in [-1, 1], stretched to the square."""
    shrinks = max(image.shape[:2]) > SIDE
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1


class Network:
    """(1, 3, 300, 300) in; corners (1917, 4), as shares of the picture, and scores (1917, 80) out."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._arrays = {name: torch.from_numpy(array.copy()) for name, array in arrays.items() if array.ndim}
        self._layers: dict[str, tuple[Tensor, Tensor]] = {}
        top, left, bottom, right = self._arrays["Postprocessor/ExpandDims"][0].T
        self._centre = torch.stack([(left + right) / 2, (top + bottom) / 2], 1)
        self._size = torch.stack([right - left, bottom - top], 1)
        self._columns = torch.tensor(COCO_IDS)

    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        levels = self._features(pixels)
        told = torch.cat([self._told(level, index, "BoxEncodingPredictor", 4) for index, level in enumerate(levels)])
        logits = torch.cat([self._told(level, index, "ClassPredictor", 91) for index, level in enumerate(levels)])
        offset, growth = told[:, [1, 0]] / 10, told[:, [3, 2]] / 5
        centre, half = self._centre + offset * self._size, growth.exp() * self._size / 2
        return torch.cat([centre - half, centre + half], 1), logits.sigmoid()[:, self._columns]

    def _features(self, pixels: Tensor) -> list[Tensor]:
        x = self._convolved(pixels, f"{_BACKBONE}Conv", 2).clamp(0, 6)
        levels = []
        for number, stride in enumerate(_BLOCKS):
            name = f"{_BACKBONE}expanded_conv" + (f"_{number}" if number else "")
            wide = self._convolved(x, f"{name}/expand").clamp(0, 6) if number else x
            if number == _TAPPED:
                levels.append(wide)
            out = self._convolved(self._deepened(wide, f"{name}/depthwise", stride), f"{name}/project")
            x = x + out if out.shape == x.shape else out
        x = self._convolved(x, f"{_BACKBONE}Conv_1").clamp(0, 6)
        levels.append(x)
        for level, outputs, inputs in _EXTRA:
            x = self._convolved(x, f"{_BACKBONE}layer_19_1_Conv2d_{level}_1x1_{inputs}").clamp(0, 6)
            name = f"{_BACKBONE}layer_19_2_Conv2d_{level}_3x3_s2_{outputs}"
            x = self._convolved(self._deepened(x, f"{name}_depthwise", 2), name).clamp(0, 6)
            levels.append(x)
        return levels

    def _convolved(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        if name not in self._layers:
            weight = self._arrays[f"{name}/Conv2D/merged_input"].permute(3, 2, 0, 1)
            self._layers[name] = _ready(weight), self._arrays[f"{name}/BatchNorm/batchnorm/sub"]
        weight, bias = self._layers[name]
        return F.conv2d(same(x, weight.shape[-1], stride), weight, bias, stride)

    def _deepened(self, x: Tensor, name: str, stride: int) -> Tensor:
        """Convolve each channel alone."""
        if name not in self._layers:
            scale = self._arrays[f"{name}/BatchNorm/batchnorm/mul"]
            weight = self._arrays[f"{name}/depthwise_weights"].permute(2, 3, 0, 1) * scale[:, None, None, None]
            self._layers[name] = _ready(weight), self._arrays[f"{name}/BatchNorm/batchnorm/sub"]
        weight, bias = self._layers[name]
        return F.conv2d(same(x, 3, stride), weight, bias, stride, groups=len(weight)).clamp_(0, 6)

    def _told(self, x: Tensor, level: int, kind: str, width: int) -> Tensor:
        """Return what a head tells of every anchor of one level, (anchors, width)."""
        name = f"BoxPredictor_{level}/{kind}"
        if name not in self._layers:
            norm = f"{name}_depthwise/BatchNorm"
            gamma, beta, mean, variance = (
                self._arrays[f"{norm}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
            )
            scale = gamma / (variance + _EPSILON).sqrt()
            weight = (
                self._arrays[f"{name}_depthwise/depthwise_weights"].permute(2, 3, 0, 1) * scale[:, None, None, None]
            )
            self._layers[f"{name}_depthwise"] = _ready(weight), beta - mean * scale
            self._layers[name] = (
                _ready(self._arrays[f"{name}/weights"].permute(3, 2, 0, 1)),
                self._arrays[f"{name}/biases"],
            )
        weight, bias = self._layers[f"{name}_depthwise"]
        x = F.conv2d(same(x, 3, 1), weight, bias, groups=len(weight)).clamp_(0, 6)
        answer = F.conv2d(x, *self._layers[name])
        return answer[0].permute(1, 2, 0).reshape(-1, width)


def _ready(weight: Tensor) -> Tensor:
    """Lay weights out as the convolutions read them, once."""
    return weight.contiguous(memory_format=torch.channels_last)


def same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad as TensorFlow does: so that nothing is cut off, more to the right and below where it is uneven."""
    pads = []
    for length in (x.shape[3], x.shape[2]):
        total = max(0, (math.ceil(length / stride) - 1) * stride + kernel - length)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)
