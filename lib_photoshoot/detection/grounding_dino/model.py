"""GroundingDINO from ``groundingdino-py``'s modules, without its tokenizer download, warper, checkpointing or _C op.

Parameters carry the official names, so official checkpoints load. Imports torch, transformers and groundingdino:
import it on first use only.
"""

from __future__ import annotations

import runpy
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.typed import typed_command

from .attention import replace_attention
from .caption import MAX_TOKENS, Caption
from .text import BertWords, TextEncoder, token_inputs

TEXT_CACHE = 16
"""Captions whose text features are kept."""

HARMLESS_KEYS = frozenset({"bert.embeddings.position_ids", "label_enc.weight"})
"""A counter that some versions of transformers store, and a table used in training only."""


@dataclass(frozen=True)
class Variant:
    """An architecture: the package's configuration file, changes to it and to BERT's, and the input's size.

    The picture is resized to ``short_side`` pixels, unless its long side would then exceed ``long_side``.
    """

    config: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    bert: Mapping[str, Any] = field(default_factory=dict)
    short_side: int = 800
    long_side: int = 1333


VARIANTS: Mapping[str, Variant] = {
    "swint": Variant("GroundingDINO_SwinT_OGC.py"),
    "swinb": Variant("GroundingDINO_SwinB_cfg.py"),
    # For tests: one layer of each kind. No weights exist for it.
    "test": Variant(
        "GroundingDINO_SwinT_OGC.py",
        {"enc_layers": 1, "dec_layers": 1, "dim_feedforward": 256, "num_queries": 40},
        {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
        short_side=128,
        long_side=213,
    ),
}


def import_package() -> None:
    """Import ``groundingdino.models`` without its drawing module.

    That module alone needs matplotlib, pycocotools and OpenCV (half a second), and the network never uses it.
    Raises WeightsError if the package is not installed.
    """
    if "groundingdino.models" in sys.modules:
        return
    drawing = "groundingdino.util.visualizer"
    blank = ModuleType(drawing)
    blank.COCOVisualizer = None  # type: ignore[attr-defined]
    absent = drawing not in sys.modules
    if absent:
        sys.modules[drawing] = blank
    try:
        import groundingdino.models  # noqa: F401
    except ImportError as error:
        raise WeightsError(
            f"GroundingDINO's code cannot be imported ({error}): {_remedy(error)} (in the WebUI, restart it with an "
            "internet connection and without --skip-install), or use the embedded detector."
        ) from error
    finally:
        if absent:  # whoever wants to draw gets the real one
            sys.modules.pop(drawing, None)


def _remedy(error: ImportError) -> str:
    """Return what adds the package that an import lacks; groundingdino-py's own requirements would bring a second
    OpenCV.
    """
    absent = (error.name or "").partition(".")[0]
    if not absent:
        return "install groundingdino-py 0.4.0 again"
    package = "--no-deps groundingdino-py==0.4.0" if absent == "groundingdino" else absent
    return f"run `{sys.executable} -m pip install {package}`"


def variant_named(name: str) -> Variant:
    """Return the architecture of that name. Raises WeightsError if there is none."""
    try:
        return VARIANTS[name]
    except KeyError:
        raise WeightsError(f"GroundingDINO has no variant {name!r}; choose one of {', '.join(VARIANTS)}.") from None


def read_config(variant: Variant) -> SimpleNamespace:
    """Return the package's configuration file with the variant's changes, activation checkpointing off."""
    import_package()
    import groundingdino.config

    folder = Path(next(iter(groundingdino.config.__path__)))
    values = {k: v for k, v in runpy.run_path(str(folder / variant.config)).items() if not k.startswith("__")}
    return SimpleNamespace(**{**values, "use_checkpoint": False, "use_transformer_ckpt": False, **variant.changes})


@dataclass(frozen=True)
class ImageFeatures:
    """The picture's part of the work, independent of the caption: per level features, padding mask and positions."""

    sources: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]
    positions: tuple[Tensor, ...]


@dataclass(frozen=True)
class Output:
    """On the CPU: ``logits`` (queries, tokens), ``boxes`` (queries, 4) as cx, cy, w, h in [0, 1]; float32."""

    logits: Tensor
    boxes: Tensor


class GroundingDino(nn.Module):
    """The detector network for one picture and one caption at a time."""

    def __init__(self, variant: Variant, words: BertWords, autocast: torch.dtype | None = None) -> None:
        """``autocast`` runs the network in that type (torch.bfloat16) instead of float32."""
        super().__init__()
        import_package()
        from groundingdino.models.GroundingDINO.backbone import build_backbone
        from groundingdino.models.GroundingDINO.transformer import build_transformer
        from groundingdino.models.GroundingDINO.utils import MLP, ContrastiveEmbed

        config = read_config(variant)
        self.variant = variant
        self.words = words
        self.autocast_dtype = autocast
        self.backbone = build_backbone(config)
        self.transformer = build_transformer(config)
        width = config.hidden_dim
        self.bert = TextEncoder(**variant.bert)
        self.feat_map = nn.Linear(self.bert.config.hidden_size, width)

        channels = list(self.backbone.num_channels)
        projections = [_projection(c, width, 1) for c in channels]
        for level in range(config.num_feature_levels - len(channels)):
            projections.append(_projection(channels[-1] if level == 0 else width, width, 3))
        self.input_proj = nn.ModuleList(projections)

        # One box head for all decoder layers and one for the encoder's proposals; the class head has no parameters.
        box, proposal_box = MLP(width, width, 4, 3), MLP(width, width, 4, 3)
        layers = config.dec_layers
        self.bbox_embed = nn.ModuleList([box] * layers)
        self.class_embed = nn.ModuleList([ContrastiveEmbed(MAX_TOKENS)] * layers)
        self.transformer.decoder.bbox_embed = self.bbox_embed
        self.transformer.decoder.class_embed = self.class_embed
        self.transformer.enc_out_bbox_embed = proposal_box
        self.transformer.enc_out_class_embed = ContrastiveEmbed(MAX_TOKENS)
        replace_attention(self.transformer)
        self._texts: OrderedDict[tuple[int, ...], dict[str, Tensor]] = OrderedDict()
        self.eval().requires_grad_(False)

    @property
    def device(self) -> torch.device:
        return self.feat_map.weight.device

    def _autocast(self) -> torch.autocast:
        dtype = self.autocast_dtype
        return torch.autocast(self.device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)

    def clear_texts(self) -> None:
        """Forgets the cached text features; needed after a change of weights or device."""
        self._texts.clear()

    def _apply(self, fn: Any, *args: Any, **kwargs: Any) -> GroundingDino:
        self.clear_texts()  # .to(device) moves parameters; features kept from before would stay behind.
        return super()._apply(fn, *args, **kwargs)

    @torch.inference_mode()
    def encode_text(self, caption: Caption) -> dict[str, Tensor]:
        """Return the transformer's text input for a caption, computed once and kept for the last 16 captions."""
        cached = self._texts.get(caption.input_ids)
        if cached is None:
            inputs = token_inputs(caption.input_ids, self.words.special_ids, self.device)
            with self._autocast():
                encoded = self.feat_map(self.bert(**inputs))
            cached = {
                "encoded_text": encoded,
                "text_token_mask": torch.ones_like(inputs["input_ids"], dtype=torch.bool),
                "position_ids": inputs["position_ids"],
                "text_self_attention_masks": inputs["attend"],
            }
            self._texts[caption.input_ids] = cached
            while len(self._texts) > TEXT_CACHE:
                self._texts.popitem(last=False)
        self._texts.move_to_end(caption.input_ids)
        return dict(cached)  # the transformer replaces an entry

    @torch.inference_mode()
    def encode_image(self, pixels: Tensor) -> ImageFeatures:
        """Features of a normalized picture (1, 3, height, width), float32."""
        from groundingdino.util.misc import NestedTensor

        pixels = pixels.to(self.device)
        padding = torch.zeros(1, *pixels.shape[-2:], dtype=torch.bool, device=self.device)
        with self._autocast():
            features, positions = self.backbone(NestedTensor(pixels, padding))
            sources = [proj(f.tensors) for proj, f in zip(self.input_proj, features, strict=False)]
            masks = [f.mask for f in features]
            last = features[-1].tensors
            for proj in list(self.input_proj)[len(features) :]:
                last = proj(last)
                mask = torch.zeros(1, *last.shape[-2:], dtype=torch.bool, device=self.device)
                sources.append(last)
                masks.append(mask)
                positions.append(self.backbone[1](NestedTensor(last, mask)).to(last.dtype))
        return ImageFeatures(tuple(sources), tuple(masks), tuple(positions))

    @torch.inference_mode()
    def detect(self, features: ImageFeatures, caption: Caption) -> Output:
        """Return what the picture shows of a caption."""
        from groundingdino.util.misc import inverse_sigmoid

        text = self.encode_text(caption)
        with self._autocast():
            hidden, references, *_ = self.transformer(
                list(features.sources), list(features.masks), None, list(features.positions), None, None, text
            )
            # The transformer returns all decoder layers; only the last is the answer.
            logits = self.class_embed[-1](hidden[-1], text)
            boxes = (self.bbox_embed[-1](hidden[-1]) + inverse_sigmoid(references[-2])).sigmoid()
        tokens = len(caption.input_ids)
        return Output(logits[0, :, :tokens].float().cpu(), boxes[0].float().cpu())

    def forward(self, pixels: Tensor, caption: Caption) -> Output:
        """Both steps: a normalized picture (1, 3, height, width) and a caption."""
        return self.detect(self.encode_image(pixels), caption)


def _projection(channels: int, width: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, width, kernel, stride=1 if kernel == 1 else 2, padding=kernel // 2)
    nn.init.xavier_uniform_(conv.weight)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return nn.Sequential(conv, nn.GroupNorm(32, width))


def clean_state(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the network's tensors in a checkpoint: what is under ``model``, if anything, without ``module.``
    prefixes.
    """
    inner = state.get("model", state)
    return {key.removeprefix("module."): value for key, value in inner.items()}


def load_state(model: GroundingDino, state: Mapping[str, Tensor], source: str) -> None:
    """Fill the network. Raises WeightsError unless keys and shapes fit, known harmless keys aside."""
    own = model.state_dict()
    missing = sorted(own.keys() - state.keys() - HARMLESS_KEYS)
    unexpected = sorted(state.keys() - own.keys() - HARMLESS_KEYS)
    shapes = sorted(k for k in own.keys() & state.keys() if own[k].shape != state[k].shape)
    wrong = [("lacks", missing), ("has the unknown", unexpected), ("has another shape for", shapes)]
    found = "; ".join(f"{what} {', '.join(keys[:3])} ({len(keys)} in all)" for what, keys in wrong if keys)
    if found:
        raise WeightsError(
            f"{source} does not fit this GroundingDINO variant: it {found}; choose the other variant, or run "
            f"`{typed_command('models get groundingdino')}` to fetch the official file."
        )
    # Strictness is checked above; harmless keys may be absent on either side.
    model.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)
    model.clear_texts()


def build(variant: str, vocab: Path | str, *, seed: int = 0, autocast: torch.dtype | None = None) -> GroundingDino:
    """Return the architecture with random weights that depend on ``seed`` only; the global generator stays."""
    words = BertWords(Path(vocab))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GroundingDino(variant_named(variant), words, autocast)


def load(
    path: Path | str,
    variant: str,
    vocab: Path | str,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> GroundingDino:
    """Return the network with a checkpoint's weights (.pth or .safetensors) on a device.

    ``dtype`` other than float32 switches autocast on; weights stay float32. Raises WeightsError if the file is missing,
    unreadable or of another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(
            f"The GroundingDINO weights {path} are missing; "
            f"run `{typed_command('models get groundingdino')}` to fetch them."
        )
    try:
        state = _read(path)
    except Exception as error:  # a broken pickle can raise almost anything
        raise WeightsError(
            f"{path} is not a readable GroundingDINO checkpoint ({type(error).__name__}); delete it and run "
            f"`{typed_command('models get groundingdino')}`."
        ) from error
    model = build(variant, vocab, autocast=None if dtype == torch.float32 else dtype)
    load_state(model, state, str(path))
    return model.to(device)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return clean_state(load_file(str(path)))
    return clean_state(torch.load(path, map_location="cpu", weights_only=True))
