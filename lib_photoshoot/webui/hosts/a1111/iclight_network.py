"""A checkpoint's network under a model of IC-Light, and none of its weights touched.

A file of IC-Light (Zhang et al. 2025, https://openreview.net/forum?id=u1cQYxRI1H) holds offsets to all weights of SD
1.5's UNet; its first convolution has further input channels, for what the products and perhaps their background look
like. Every layer is linear in its weights. So instead of adding the offsets to them, each layer's answer to the
offsets is added to its own answer, by a hook. The weights stay as they are, whatever happens, and so does what the
host's Lora extension keeps of them and puts back when it likes. That costs about as much time again as the pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.safetensors_header import HeaderError, read_header

FIRST = "input_blocks.0.0"
"""The first convolution, as checkpoints name it."""
LATENT = 4
"""Channels of a latent."""
_FIRST_WEIGHTS = (f"{FIRST}.weight", "conv_in.weight")
_RESNETS = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_OTHERS = {
    "conv_in": FIRST,
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
"""Names of diffusers, which IC-Light's own files have, and those of checkpoints."""


class OffsetsError(PhotoshootError):
    """A file of IC-Light cannot be used: the sentence says why, and what to do."""


def conditions_of(path: Path) -> int:
    """Return how many pictures a file's model is shown, 1 or 2; 0 for any other file."""
    try:
        tensors = read_header(path).tensors
    except (HeaderError, OSError):
        return 0
    shape = next((tensors[name].shape for name in _FIRST_WEIGHTS if name in tensors), ())
    pictures = {2 * LATENT: 1, 3 * LATENT: 2}
    return pictures.get(shape[1], 0) if len(shape) == 4 else 0


def read_offsets(path: Path, device: Any = "cpu", dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Return the offsets of a file by the names that checkpoints give the weights. Raises OffsetsError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        read = load_file(path)
    except (SafetensorError, OSError) as error:
        raise OffsetsError(f"{path.name} cannot be read ({error}); download it again.") from error
    return {checkpoint_name(name): value.to(device=device, dtype=dtype) for name, value in read.items()}


def checkpoint_name(name: str) -> str:
    """Return the name that checkpoints of SD 1.5 give a weight of the UNet, for the one that diffusers gives it.

    Any other name is returned as it is.

    >>> checkpoint_name("down_blocks.1.resnets.0.conv_shortcut.weight")
    'input_blocks.4.0.skip_connection.weight'
    """
    layer, _, kind = name.rpartition(".")
    if layer in _OTHERS:
        return f"{_OTHERS[layer]}.{kind}"
    found = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.+)", layer)
    if found:
        side, block, part, number, rest = found.group(1), int(found[2]), found[3], int(found[4]), found[5]
        return f"{_place(side, block, part, number)}.{_within(part, rest)}.{kind}"
    found = re.fullmatch(r"mid_block\.(\w+)\.(\d+)\.(.+)", layer)
    if found:
        part, number = found[1], int(found[2])
        return f"middle_block.{2 * number if part == 'resnets' else 1}.{_within(part, found[3])}.{kind}"
    return name


def _place(side: str, block: int, part: str, number: int) -> str:
    """Return a block's place in a checkpoint: after the first convolution two of a kind and a smaller one, three of a
    kind on the way back.
    """
    inner = 0 if part == "resnets" else 1
    if part == "downsamplers":
        return f"input_blocks.{3 * block + 3}.0"
    if side == "down":
        return f"input_blocks.{3 * block + 1 + number}.{inner}"
    if part == "upsamplers":
        # The lowest blocks have no attention before it.
        return f"output_blocks.{3 * block + 2}.{1 if block == 0 else 2}"
    return f"output_blocks.{3 * block + number}.{inner}"


def _within(part: str, rest: str) -> str:
    if part == "downsamplers":
        return "op"
    return _RESNETS.get(rest, rest) if part == "resnets" else rest


class Lit:
    """A network under offsets; ``used`` says that it has been asked for anything."""

    def __init__(self) -> None:
        self.used = False


@dataclass(frozen=True, eq=False)
class _Offset:
    """What a layer's offsets add to its answer."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __call__(self, layer: Any, given: tuple[Any, ...], answer: torch.Tensor) -> torch.Tensor:
        x = given[0]
        if isinstance(layer, torch.nn.GroupNorm):  # which the host computes in full precision
            x = x.float()
        weight, bias = self._like(x)
        if isinstance(layer, torch.nn.Linear):
            more = functional.linear(x, weight, bias)
        elif isinstance(layer, torch.nn.Conv2d):
            # With the layer's stride, and its padding, which tiling changes.
            more = layer._conv_forward(x, weight, bias)
        elif isinstance(layer, torch.nn.GroupNorm):
            more = functional.group_norm(x, layer.num_groups, weight, bias, layer.eps)
        else:
            more = functional.layer_norm(x, layer.normalized_shape, weight, bias, layer.eps)
        return answer + more.to(answer.dtype)

    def _like(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        bias = None if self.bias is None else self.bias.to(x.device, x.dtype)
        return self.weight.to(x.device, x.dtype), bias


@contextmanager
def lit(network: Any, offsets: Mapping[str, torch.Tensor], shown: torch.Tensor) -> Iterator[Lit]:
    """Let the network, SD 1.5's UNet, answer as under IC-Light while the context lasts.

    ``shown`` is the latent of what it is shown, (1, 4 or 8, height, width), of the size of those that it will be asked
    about. Raises OffsetsError for offsets that do not fit.
    """
    _check_fits(network, offsets, shown)
    state = Lit()
    layers: dict[str, list[str]] = {}
    for name in offsets:
        layer, _, kind = name.rpartition(".")
        layers.setdefault(layer, []).append(kind)
    with ExitStack() as stack:
        for layer in layers:
            offset = _Offset(offsets[f"{layer}.weight"], offsets.get(f"{layer}.bias"))
            hook = _first(offset, shown, state) if layer == FIRST else offset
            stack.callback(network.get_submodule(layer).register_forward_hook(hook).remove)
        yield state


def _first(offset: _Offset, shown: torch.Tensor, state: Lit) -> Any:
    def hook(layer: Any, given: tuple[Any, ...], answer: torch.Tensor) -> torch.Tensor:
        state.used = True
        x = given[0]
        there = shown.to(device=x.device, dtype=x.dtype).expand(x.shape[0], -1, -1, -1)
        return offset(layer, (torch.cat([x, there], dim=1),), answer)

    return hook


def _check_fits(network: Any, offsets: Mapping[str, torch.Tensor], shown: torch.Tensor) -> None:
    own = {name: tuple(value.shape) for name, value in network.named_parameters()}
    given = {name: tuple(value.shape) for name, value in offsets.items()}
    first = f"{FIRST}.weight"
    if first in own:
        out, channels, *kernel = own[first]
        own[first] = (out, channels + shown.shape[1], *kernel)
    if own == given:
        return
    differ = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))
    raise OffsetsError(
        f"IC-Light's file does not fit this checkpoint ({len(differ)} weights differ, first {differ[0]}); "
        "it is made for SD 1.5."
    )
