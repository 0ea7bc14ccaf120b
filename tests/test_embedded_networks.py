"""Our two small networks against timm's, with the same random weights; and folding, which must change nothing."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from lib_photoshoot.detection.embedded.efficientnet_lite import EfficientNetLite2  # noqa: E402
from lib_photoshoot.fusing import fold_batch_norms  # noqa: E402
from lib_photoshoot.segmentation.tiny_vit import TinyVitEncoder  # noqa: E402


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm", minversion="1.0", reason="timm 1.0 or newer is the reference here")


def seeded(model: torch.nn.Module, seed: int = 1) -> torch.nn.Module:
    """Random weights that keep activations alive through batch norms of random statistics."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            continue
        if "running_var" in name:
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        elif value.ndim > 1 and "attention_biases" not in name:
            value.copy_(torch.randn(value.shape, generator=generator) * (2 / value[0].numel()) ** 0.5)
        else:
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return model.eval()


def copy_in_order(source: torch.nn.Module, target: torch.nn.Module) -> None:
    """Both list the same layers in the same order under different names."""
    values = [v for k, v in source.state_dict().items() if not k.startswith(("neck.", "head."))]
    names = [k for k in target.state_dict() if not k.startswith(("neck.", "head."))]
    target.load_state_dict(dict(zip(names, values, strict=True)), strict=False)


@torch.inference_mode()
def test_efficientnet_lite_is_timms(timm):
    ours, theirs = seeded(EfficientNetLite2()), timm.create_model("tf_efficientnet_lite2").eval()
    # Ours begins with the stem's own order of names: compare by position.
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    for size in ((64, 64), (65, 97)):
        pixels = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(2)) * 2 - 1
        expected = theirs(pixels)
        assert expected.std() > 0.01
        assert torch.allclose(ours(pixels), expected, atol=1e-4 * expected.abs().max().item())
        cells = ours.classify_cells(pixels)
        early = theirs.blocks[:3](theirs.bn1(theirs.conv_stem(pixels)))
        assert torch.allclose(ours.first_stages(pixels), early, atol=1e-4 * early.abs().max().item())
        assert torch.allclose(cells.mean((2, 3)), expected, atol=1e-4 * expected.abs().max().item())


@torch.inference_mode()
def test_tiny_vit_is_timms(timm):
    from timm.models.tiny_vit import TinyVit

    ours = seeded(TinyVitEncoder())
    theirs = TinyVit(
        embed_dims=(64, 128, 160, 320), depths=(2, 2, 6, 2), num_heads=(2, 4, 5, 10), window_sizes=(7, 7, 14, 7),
        num_classes=0,
    ).eval()  # fmt: skip
    theirs.head = torch.nn.Identity()
    theirs.stages[3].downsample.conv2.conv.stride = (1, 1)
    copy_in_order(ours, theirs)
    # 224 and 320 pixels leave windows that must be padded and windows that must not.
    for side in (224, 320):
        pixels = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(3))
        expected = ours.neck(theirs.forward_features(pixels))
        assert expected.std() > 0.01
        assert torch.allclose(ours(pixels), expected, atol=1e-4 * expected.abs().max().item())


@torch.inference_mode()
@pytest.mark.parametrize(("build", "side"), [(EfficientNetLite2, 96), (TinyVitEncoder, 224)])
def test_folding_changes_nothing_and_leaves_no_batch_norm(build, side):
    model = seeded(build())
    pixels = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(4))
    expected = model(pixels.clone())
    fold_batch_norms(model)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    assert torch.allclose(model(pixels), expected, atol=1e-4 * expected.abs().max().item())


@torch.inference_mode()
def test_attention_biases_follow_the_weights():
    """The bias table is kept between calls, but not over a move of the weights."""
    model = seeded(TinyVitEncoder())
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(5))
    single = model(pixels)
    double = model.double()(pixels.double())
    assert double.dtype == torch.float64 and torch.allclose(single.double(), double, atol=1e-3)


@torch.inference_mode()
def test_upscaling_is_the_transposed_convolution():
    from lib_photoshoot.segmentation.sam import UpscaleByTwo

    torch.manual_seed(6)
    conv = torch.nn.ConvTranspose2d(12, 5, kernel_size=2, stride=2)
    values = torch.randn(2, 12, 7, 9)
    assert torch.allclose(UpscaleByTwo(conv)(values), conv(values), atol=1e-5)
    with pytest.raises(ValueError, match="kernel and stride 2"):
        UpscaleByTwo(torch.nn.ConvTranspose2d(12, 5, kernel_size=3, stride=2))
