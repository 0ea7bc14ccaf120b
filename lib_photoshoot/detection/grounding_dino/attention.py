"""The three places where GroundingDINO's encoder spends its time on a CPU, rewritten with the same results.

* Deformable attention: one ``embedding_bag`` gathers and weighs all samples of all levels (5 times faster than one
  ``grid_sample`` a level, which stays on CUDA).
* Image-text fusion: the products of two matrices are associated the cheap way round. A caption has some ten tokens, so
  the 1024 channels of the image-side projections are never formed; up to 256 tokens it never costs more.
* Feed-forward layers: rows in blocks, so that the hidden layer stays in the processor's cache.

All modules take over the submodules of the package's own, hence parameters and their names. Inference only.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCK_ROWS = 1024
"""Queries (rows) handled at a time."""

Shapes = list[tuple[int, int]]


def deformable_grid(value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor) -> Tensor:
    """Multi-scale deformable attention with one ``grid_sample`` a level; see ``deformable_bag`` for the arguments."""
    batch, _, heads, dim = value.shape
    queries, levels, points = locations.shape[1], locations.shape[3], locations.shape[4]
    samples = []
    for level, (part, (height, width)) in enumerate(
        zip(value.split([h * w for h, w in shapes], dim=1), shapes, strict=True)
    ):
        plane = part.permute(0, 2, 3, 1).reshape(batch * heads, dim, height, width)
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1).to(plane.dtype)
        samples.append(F.grid_sample(plane, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    weight = weights.transpose(1, 2).reshape(batch * heads, 1, queries, levels * points)
    summed = (torch.stack(samples, dim=-2).flatten(-2) * weight).sum(-1)
    return summed.view(batch, heads * dim, queries).transpose(1, 2)


def deformable_bag(value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor) -> Tensor:
    """Multi-scale deformable attention as weighted sums of table rows.

    ``value`` (batch, sum of h*w, heads, dim); ``shapes`` (h, w) of each level; ``locations`` (batch, queries, heads,
    levels, points, 2) as x, y in [0, 1] of the picture, samples outside count 0; ``weights`` (batch, queries, heads,
    levels, points). Returns float32 (batch, queries, heads * dim).
    """
    batch, length, heads, dim = value.shape
    queries = locations.shape[1]
    device = value.device
    table = value.float().reshape(batch * length * heads, dim)
    size = torch.tensor([(w, h) for h, w in shapes], dtype=torch.float32, device=device)[:, None]  # levels, 1, 2
    width = torch.tensor([w for _, w in shapes], dtype=torch.int32, device=device)[:, None]
    height = torch.tensor([h for h, _ in shapes], dtype=torch.int32, device=device)[:, None]
    starts = [0]
    for h, w in shapes[:-1]:
        starts.append(starts[-1] + h * w)
    start = torch.tensor(starts, dtype=torch.int32, device=device)[:, None] * heads
    head = torch.arange(heads, dtype=torch.int32, device=device)[:, None, None]
    base = start + head  # heads, levels, 1
    top = size[:, :, 0], size[:, :, 1]
    out = torch.empty(batch, queries, heads, dim, device=device)
    for b in range(batch):
        origin = base + b * length * heads
        for first in range(0, queries, BLOCK_ROWS):
            rows = slice(first, first + BLOCK_ROWS)
            at = locations[b, rows].float()
            x, y = at[..., 0] * top[0] - 0.5, at[..., 1] * top[1] - 0.5
            weight = weights[b, rows].float()
            xs, ys = _neighbours(x, top[0], width), _neighbours(y, top[1], height)
            index = torch.empty((*x.shape, 4), dtype=torch.int32, device=device)
            factor = torch.empty((*x.shape, 4), device=device)
            for j, (iy, fy) in enumerate(ys):
                row = iy * (width * heads) + origin
                wy = fy * weight
                for i, (ix, fx) in enumerate(xs):
                    torch.add(row, ix, alpha=heads, out=index[..., 2 * j + i])
                    torch.mul(wy, fx, out=factor[..., 2 * j + i])
            count = x.shape[0] * heads
            out[b, rows] = F.embedding_bag(
                index.view(count, -1), table, mode="sum", per_sample_weights=factor.view(count, -1)
            ).view(-1, heads, dim)
    return out.view(batch, queries, heads * dim)


def _neighbours(at: Tensor, size: Tensor, count: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the two grid lines around a coordinate: their numbers, forced into the level, and weights, 0 outside of
    it.
    """
    low = at.floor()
    part = at - low
    inside_low = (low >= 0) & (low < size)
    inside_high = (low >= -1) & (low < size - 1)
    # Clamped as floats first: far outside values do not fit an int32. And as ints: a NaN must not leave the table.
    line = torch.minimum(low.clamp(min=-1), size).int()
    top = count - 1
    return (
        (torch.minimum(line.clamp(min=0), top), (1 - part) * inside_low),
        (torch.minimum((line + 1).clamp(min=0), top), part * inside_high),
    )


class DeformableAttention(nn.Module):
    """Takes the place of the package's MultiScaleDeformableAttention (with ``batch_first``)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.num_heads: int = module.num_heads  # type: ignore[assignment]
        self.num_levels: int = module.num_levels  # type: ignore[assignment]
        self.num_points: int = module.num_points  # type: ignore[assignment]
        if not module.batch_first:
            raise ValueError("DeformableAttention expects batch_first modules")
        self.sampling_offsets = module.sampling_offsets
        self.attention_weights = module.attention_weights
        self.value_proj = module.value_proj
        self.output_proj = module.output_proj

    def forward(
        self,
        query: Tensor,
        value: Tensor,
        reference_points: Tensor,
        spatial_shapes: Tensor,
        level_start_index: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """Output (batch, queries, channels); arguments as in the package's module."""
        batch, queries, _ = query.shape
        heads, levels, points = self.num_heads, self.num_levels, self.num_points
        shapes = [(int(h), int(w)) for h, w in spatial_shapes.tolist()]
        value = self.value_proj(value)
        if key_padding_mask is not None and bool(key_padding_mask.any()):
            value = value.masked_fill(key_padding_mask[..., None], 0.0)
        value = value.view(batch, value.shape[1], heads, -1)
        offsets = self.sampling_offsets(query).view(batch, queries, heads, levels, points, 2)
        weights = self.attention_weights(query).view(batch, queries, heads, levels * points).softmax(-1)
        weights = weights.view(batch, queries, heads, levels, points)
        reference = reference_points[:, :, None, :, None]
        if reference_points.shape[-1] == 2:
            locations = reference + offsets / spatial_shapes.flip(-1)[None, None, None, :, None]
        else:
            locations = reference[..., :2] + offsets / points * reference[..., 2:] * 0.5
        attend = deformable_grid if value.is_cuda else deformable_bag
        return self.output_proj(attend(value, shapes, locations, weights).to(query.dtype))


class EncoderLayer(nn.Module):
    """Takes the place of the package's DeformableTransformerEncoderLayer."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        for name, child in layer.named_children():
            setattr(self, name, child)
        self.activation = layer.activation

    def forward(
        self,
        src: Tensor,
        pos: Tensor,
        reference_points: Tensor,
        spatial_shapes: Tensor,
        level_start_index: Tensor,
        key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """Output (batch, length, channels); arguments as in the package's layer."""
        attended = self.self_attn(src + pos, src, reference_points, spatial_shapes, key_padding_mask=key_padding_mask)
        src = self.norm1(src + attended)
        step = src.shape[1] if src.is_cuda else BLOCK_ROWS
        blocks = []
        for rows in src.split(step, dim=1):
            hidden = self.linear1(rows)
            hidden = hidden.relu_() if self.activation is F.relu else self.activation(hidden)
            blocks.append(self.norm2(rows + self.linear2(hidden)))
        return torch.cat(blocks, dim=1)


class FusionBlock(nn.Module):
    """Takes the place of the package's BiAttentionBlock: image and text attend to each other.

    For a head, scores are (v Wq + bq) k^T = v (Wq k^T) + bq k^T, the text's update is p^T (v Wv + bv) = (p^T v) Wv + bv
    (p's columns sum to 1), and the image's update is p (values Wo): none needs the image at full width. The package
    also shifts scores by their maximum and clamps them at 50000 below it, which softmax does not notice.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.layer_norm_v = block.layer_norm_v
        self.layer_norm_l = block.layer_norm_l
        self.attn = block.attn
        self.gamma_v = block.gamma_v
        self.gamma_l = block.gamma_l

    def forward(
        self,
        v: Tensor,
        l: Tensor,  # noqa: E741 (the package's own parameter name)
        attention_mask_v: Tensor | None = None,
        attention_mask_l: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return new image features (batch, length, channels) and text features (batch, tokens, channels)."""
        attn = self.attn
        v, text = self.layer_norm_v(v), self.layer_norm_l(l)
        batch, length, width = v.shape
        tokens, heads, dim = text.shape[1], attn.num_heads, attn.head_dim
        by_head = (batch, tokens, heads, dim)
        keys = attn.l_proj(text).view(by_head) * attn.scale
        values = attn.values_l_proj(text).view(by_head)

        query_weight = attn.v_proj.weight.view(heads, dim, width)
        score_map = torch.einsum("bthd,hdc->bcht", keys, query_weight.to(keys.dtype)).flatten(2)
        score_bias = torch.einsum("bthd,hd->bht", keys, attn.v_proj.bias.view(heads, dim).to(keys.dtype)).flatten(1)
        scores = torch.baddbmm(score_bias[:, None], v.to(score_map.dtype), score_map)
        scores = scores.view(batch, length, heads, tokens)

        to_text = scores
        if attention_mask_v is not None and bool(attention_mask_v.any()):
            to_text = to_text.masked_fill(attention_mask_v[:, :, None, None], float("-inf"))
        if attention_mask_l is not None and bool(attention_mask_l.any()):
            scores = scores.masked_fill(attention_mask_l[:, None, None], float("-inf"))

        gathered = torch.bmm(to_text.softmax(dim=1).flatten(2).transpose(1, 2).to(v.dtype), v)
        gathered = gathered.view(batch, heads, tokens, width)
        value_weight = attn.values_v_proj.weight.view(heads, dim, width).to(gathered.dtype)
        update_l = torch.einsum("bhtc,hdc->bthd", gathered, value_weight).flatten(2) + attn.values_v_proj.bias
        update_l = attn.out_l_proj(update_l)

        out_weight = attn.out_v_proj.weight.view(width, heads, dim).to(values.dtype)
        out_map = torch.einsum("bthd,chd->bhtc", values, out_weight).flatten(1, 2)
        shares = scores.softmax(dim=-1).flatten(2).to(out_map.dtype)
        update_v = torch.bmm(shares, out_map * self.gamma_v.to(out_map.dtype))
        update_v = update_v + self.gamma_v * attn.out_v_proj.bias
        return v + update_v, text + self.gamma_l * update_l


def replace_attention(transformer: nn.Module) -> None:
    """Put the modules above into a GroundingDINO transformer of the package, in place."""
    encoder, decoder = transformer.encoder, transformer.decoder
    for layers in (encoder.layers, decoder.layers):
        for layer in layers:  # type: ignore[union-attr]
            name = "self_attn" if layers is encoder.layers else "cross_attn"
            setattr(layer, name, DeformableAttention(getattr(layer, name)))
    encoder.layers = nn.ModuleList(EncoderLayer(layer) for layer in encoder.layers)  # type: ignore[union-attr]
    encoder.fusion_layers = nn.ModuleList(FusionBlock(x) for x in encoder.fusion_layers)  # type: ignore[union-attr]
