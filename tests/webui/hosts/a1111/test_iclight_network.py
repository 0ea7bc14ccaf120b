"""A network under IC-Light's offsets, against IC-Light's own way: the offsets added, the first layer exchanged."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from lib_photoshoot.webui.hosts.a1111.iclight_network import (  # noqa: E402
    FIRST,
    OffsetsError,
    checkpoint_name,
    conditions_of,
    lit,
    read_offsets,
)
from tests.webui.standin.network import SmallNetwork, offsets_for  # noqa: E402


def merged(network: SmallNetwork, offsets: dict[str, torch.Tensor]) -> SmallNetwork:
    """The network as IC-Light makes it: its weights the sums, its first convolution a wider one."""
    other = deepcopy(network)
    old = other.input_blocks[0][0]
    wide = nn.Conv2d(offsets[f"{FIRST}.weight"].shape[1], old.out_channels, 3, padding=1)
    with torch.no_grad():
        wide.weight.zero_()
        wide.weight[:, :4] = old.weight
        wide.bias.copy_(old.bias)
        other.input_blocks[0][0] = wide
        other.load_state_dict({name: value + offsets[name] for name, value in other.state_dict().items()})
    return other


@pytest.mark.parametrize("channels", [4, 8])
def test_it_answers_as_under_added_offsets_and_afterwards_as_before(channels: int) -> None:
    network, x, shown = SmallNetwork(), torch.randn(2, 4, 6, 10), torch.randn(1, channels, 6, 10)
    offsets = offsets_for(network, channels)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        plain = network(x)
        with lit(network, offsets, shown) as state:
            answer = network(x)
            assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
        wanted = merged(network, offsets)(torch.cat([x, shown.expand(2, -1, -1, -1)], dim=1))
    assert state.used and torch.allclose(answer, wanted, atol=1e-5) and not torch.allclose(answer, plain, atol=1e-2)
    assert torch.equal(network(x), plain)


def test_a_network_that_was_never_asked_is_known() -> None:
    network = SmallNetwork()
    with lit(network, offsets_for(network, 4), torch.zeros(1, 4, 6, 10)) as state:
        pass
    assert not state.used


def test_after_a_failure_no_hook_is_left() -> None:
    network, x = SmallNetwork(), torch.randn(1, 4, 6, 10)
    plain = network(x)
    with pytest.raises(RuntimeError), lit(network, offsets_for(network, 4), torch.zeros(1, 4, 7, 7)):
        network(x)  # of another size than what it is shown
    assert torch.equal(network(x), plain)


def test_half_precision_and_a_circular_padding_are_the_layers_own() -> None:
    network = SmallNetwork()
    network.input_blocks[0][0] = nn.Conv2d(4, 8, 3, padding=1, padding_mode="circular")  # as with the host's tiling
    offsets, shown, x = offsets_for(network, 4), torch.randn(1, 4, 6, 10), torch.randn(1, 4, 6, 10)
    with torch.no_grad(), lit(network, offsets, shown):
        here, shifted = network.input_blocks[0][0](x), x.roll(3, 3)
    with torch.no_grad(), lit(network, offsets, shown.roll(3, 3)):
        there = network.input_blocks[0][0](shifted)
    assert torch.allclose(here.roll(3, 3), there, atol=1e-5)
    half = network.to(torch.bfloat16)
    with torch.no_grad(), lit(half, {name: value.bfloat16() for name, value in offsets.items()}, shown):
        assert half(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("what", ["lacks one", "has one more", "another shape", "another first layer"])
def test_offsets_that_do_not_fit_are_refused(what: str) -> None:
    network = SmallNetwork()
    offsets = offsets_for(network, 8 if what == "another first layer" else 4)
    if what == "lacks one":
        del offsets["out.2.bias"]
    elif what == "has one more":
        offsets["label_emb.0.0.weight"] = torch.zeros(2)
    elif what == "another shape":
        offsets["out.2.bias"] = torch.zeros(5)
    refused = pytest.raises(OffsetsError, match=r"does not fit this checkpoint \(1 weights")
    with refused, lit(network, offsets, torch.zeros(1, 4, 6, 10)):
        pass


def test_files_are_known_by_their_first_layer_and_read_by_either_name(tmp_path: Path) -> None:
    path = tmp_path / "iclight.safetensors"
    for channels, pictures in ((4, 1), (8, 2), (5, 0)):
        save_file({"conv_in.weight": torch.zeros(8, 4 + channels, 3, 3, dtype=torch.half)}, path)
        assert conditions_of(path) == pictures
        assert {name: value.dtype for name, value in read_offsets(path).items()} == {f"{FIRST}.weight": torch.float32}
    save_file({"conv_in.weight": torch.zeros(8)}, path)
    assert conditions_of(path) == 0
    path.write_bytes(b"no file of weights")
    assert conditions_of(path) == 0 and conditions_of(tmp_path / "none") == 0
    with pytest.raises(OffsetsError, match="download it again"):
        read_offsets(path)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("conv_in.weight", "input_blocks.0.0.weight"),
        ("time_embedding.linear_2.bias", "time_embed.2.bias"),
        ("down_blocks.0.resnets.1.conv1.weight", "input_blocks.2.0.in_layers.2.weight"),
        ("down_blocks.0.downsamplers.0.conv.weight", "input_blocks.3.0.op.weight"),
        ("down_blocks.2.resnets.0.conv_shortcut.bias", "input_blocks.7.0.skip_connection.bias"),
        (
            "down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_k.weight",
            "input_blocks.8.1.transformer_blocks.0.attn2.to_k.weight",
        ),
        ("down_blocks.3.resnets.1.time_emb_proj.weight", "input_blocks.11.0.emb_layers.1.weight"),
        ("mid_block.resnets.1.norm2.bias", "middle_block.2.out_layers.0.bias"),
        ("mid_block.attentions.0.proj_in.weight", "middle_block.1.proj_in.weight"),
        ("up_blocks.0.upsamplers.0.conv.weight", "output_blocks.2.1.conv.weight"),
        ("up_blocks.2.upsamplers.0.conv.weight", "output_blocks.8.2.conv.weight"),
        ("up_blocks.1.attentions.2.norm.weight", "output_blocks.5.1.norm.weight"),
        ("up_blocks.3.resnets.0.conv2.weight", "output_blocks.9.0.out_layers.3.weight"),
        ("conv_norm_out.weight", "out.0.weight"),
        ("conv_out.bias", "out.2.bias"),
        ("input_blocks.4.1.norm.weight", "input_blocks.4.1.norm.weight"),
    ],
)
def test_names_of_diffusers_are_those_of_checkpoints(theirs: str, ours: str) -> None:
    assert checkpoint_name(theirs) == ours
