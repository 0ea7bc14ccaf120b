"""Segment Anything (Kirillov et al. 2023, https://arxiv.org/abs/2304.02643) and MobileSAM behind one class."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from segment_anything import SamPredictor, sam_model_registry
from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from torch import nn

from lib_photoshoot.errors import WeightsError
from lib_photoshoot.fusing import fold_batch_norms
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import MaskCandidate, Point, SoftCandidate
from lib_photoshoot.segmentation.sam_hq import build_sam_hq
from lib_photoshoot.segmentation.tiny_vit import TinyVitEncoder
from lib_photoshoot.segmentation.working_copy import picture_digest, resized_mask, working_copy
from lib_photoshoot.typed import typed_command
from lib_photoshoot.weights.load import load_state_dict

if TYPE_CHECKING:
    from collections.abc import Mapping

# Embeddings of the picture and of the crops that are looked at again; four megabytes each.
EMBEDDINGS_KEPT = 3
# How sure a mask is that is handed in; chosen on the outlines that our filter gets wrong, where 2.5 to 8 do alike.
PRIOR_LOGIT = 4.0
# Five prompts a call is faster than twenty: the decoder's attention no longer fits the caches.
PROMPTS_A_CALL = 5
Embedding = tuple[torch.Tensor, tuple[int, int], tuple[int, int]]
"""What SAM keeps of a picture: its features, its size, and the size in which SAM looks at it; (height, width) each."""
_CLASSIFIER_HEAD = ("image_encoder.norm_head.", "image_encoder.head.")


class UpscaleByTwo(nn.Module):
    """A transposed convolution with kernel and stride 2 as one matrix product: its tiles do not overlap."""

    def __init__(self, conv: nn.ConvTranspose2d) -> None:
        super().__init__()
        if conv.kernel_size != (2, 2) or conv.stride != (2, 2) or conv.padding != (0, 0) or conv.bias is None:
            raise ValueError("UpscaleByTwo takes the place of a transposed convolution with kernel and stride 2 only")
        # (inputs, outputs, 2, 2) to the order that pixel_shuffle spreads over height and width.
        self.weight = nn.Parameter(conv.weight.permute(1, 2, 3, 0).flatten(0, 2)[..., None, None].contiguous())
        self.bias = nn.Parameter(conv.bias.repeat_interleave(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.pixel_shuffle(F.conv2d(x, self.weight, self.bias), 2)


def build_mobile_sam(state: Mapping[str, torch.Tensor] | None = None) -> Sam:
    """Build MobileSAM; with ``state`` (the published file) every weight must match by name and shape."""
    channels = 256
    encoder = TinyVitEncoder()
    sam = Sam(
        image_encoder=encoder,  # type: ignore[arg-type]
        prompt_encoder=PromptEncoder(channels, (64, 64), (1024, 1024), mask_in_chans=16),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=channels, mlp_dim=2048, num_heads=8),
            transformer_dim=channels,
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        ),
    )
    if state is not None:
        # The file carries TinyViT's classification head, which SAM has no use for.
        used = {k: v for k, v in state.items() if not k.startswith(_CLASSIFIER_HEAD)}
        problems = [name for names in sam.load_state_dict(used, strict=False) for name in names]
        if problems:
            raise WeightsError(
                f"The MobileSAM file does not fit the model ({problems[0]}): get it again with "
                f"'{typed_command('models get mobile-sam')}'."
            )
    sam.eval()
    fold_batch_norms(encoder)
    return sam


class SamSegmenter:
    """Box and point prompts on one picture at a time; the picture's embedding is kept until another comes."""

    def __init__(self, model: Sam, name: str, device: str = "cpu", keep: int = EMBEDDINGS_KEPT) -> None:
        self.name = name
        self.keep = keep
        model = model.eval().to(device)
        upscaling = model.mask_decoder.output_upscaling
        for number, layer in enumerate(upscaling):
            if isinstance(layer, nn.ConvTranspose2d):
                upscaling[number] = UpscaleByTwo(layer)
        if device == "cpu":
            # A quarter faster on the CPU: TinyViT is convolutions first.
            model.image_encoder.to(memory_format=torch.channels_last)
        self._predictor = SamPredictor(model)
        self._embeddings: OrderedDict[bytes, Embedding] = OrderedDict()
        self._lock = threading.Lock()
        self._scale = 1.0
        self._size = (0, 0)

    @classmethod
    def from_file(cls, path: Path, variant: str, device: str = "cpu") -> SamSegmenter:
        """Load ``variant``: ``mobile-sam``, ``vit_b``, ``vit_l``, ``vit_h`` or ``hq_vit_h``. Raises WeightsError."""
        state = load_state_dict(path)
        if variant == "mobile-sam":
            return cls(build_mobile_sam(state), variant, device)
        try:
            if variant.startswith("hq_"):
                model = build_sam_hq(variant.removeprefix("hq_"), state)
            else:
                model = sam_model_registry[variant]()
                model.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(
                f"{path} is not a SAM {variant} file: get it again with "
                f"'{typed_command('models get sam-' + variant.replace('_', '-'))}'."
            ) from error
        return cls(model, f"sam-{variant}", device)

    def embed(self, image: np.ndarray) -> None:
        """Encode the picture (uint8 RGB) unless it is among the last ``keep`` that were."""
        working = working_copy(image)
        self._size = (image.shape[0], image.shape[1])
        self._scale = max(working.shape[:2]) / max(self._size)
        # Of the working copy: a detector that worked on one has encoded it already.
        digest = picture_digest(working)
        predictor = self._predictor
        if known := self._known(digest):
            predictor.features, predictor.original_size, predictor.input_size = known
            predictor.is_image_set = True
            return
        with torch.inference_mode():
            predictor.set_image(working)
        # Only now: an interrupted encoding must not pass for this picture's.
        self._keep(digest, predictor)

    def _known(self, digest: bytes) -> Embedding | None:
        with self._lock:
            if digest in self._embeddings:
                self._embeddings.move_to_end(digest)
            return self._embeddings.get(digest)

    def _keep(self, digest: bytes, predictor: SamPredictor) -> None:
        with self._lock:
            self._embeddings[digest] = (predictor.features, predictor.original_size, predictor.input_size)
            while len(self._embeddings) > self.keep:
                self._embeddings.popitem(last=False)

    def embed_ahead(self, image: np.ndarray) -> None:
        """Encode a picture (uint8 RGB) that will be asked about; in another thread than the one that asks meanwhile."""
        working = working_copy(image)
        digest = picture_digest(working)
        if self._known(digest) is None:
            predictor = SamPredictor(self._predictor.model)
            with torch.inference_mode():
                predictor.set_image(working)
            self._keep(digest, predictor)

    def forget(self) -> None:
        """Drop what is kept of the last pictures."""
        self._embeddings.clear()
        self._predictor.reset_image()

    def candidates(
        self, image: np.ndarray, boxes: Sequence[Box | None], points: Sequence[Point | None]
    ) -> list[list[MaskCandidate]]:
        """Return SAM's three masks for each prompt; a prompt has a box, a point inside the product, or both.

        All prompts of one call must be of the same kind; the masks are of the picture's size.
        """
        self.embed(image)
        return [[self._full(candidate) for candidate in prompt] for prompt in self._predict(boxes, points)]

    def segment(self, image: np.ndarray, boxes: Sequence[Box]) -> list[MaskCandidate]:
        """Return each box's best mask by predicted IoU."""
        if not boxes:
            return []
        self.embed(image)
        prompts = self._predict(boxes, [None] * len(boxes))
        return [self._full(max(prompt, key=lambda c: c.quality)) for prompt in prompts]

    def without(self, image: np.ndarray, box: Box, background: Sequence[Point]) -> list[MaskCandidate]:
        """See ``Segmenter``; SAM has three answers."""
        self.embed(image)
        points = self._points(background)[None]
        answers = self._ask(points, torch.zeros(points.shape[:2], dtype=torch.int), self._boxes([box]))
        return [self._full(candidate) for candidate in answers[0]]

    def soft(self, image: np.ndarray, box: Box, shape: tuple[int, ...], refine: bool = False) -> list[SoftCandidate]:
        """See ``SoftSegmenter``: SAM's three answers, and one more for which the best of them is handed back to it."""
        self.embed(image)
        boxes = self._boxes([box]).to(self._predictor.device)
        with torch.inference_mode():
            _, qualities, logits = self._predictor.predict_torch(None, None, boxes, multimask_output=True)
            chosen, predicted = logits[0], qualities[0].tolist()
            if refine:
                best = int(qualities[0].argmax())
                _, again, refined = self._predictor.predict_torch(
                    None, None, boxes, mask_input=logits[:, best : best + 1], multimask_output=True
                )
                last = int(again[0].argmax())
                chosen, predicted = (
                    torch.cat([chosen, refined[0, last : last + 1]]),
                    [*predicted, float(again[0, last])],
                )
            probabilities = self._probabilities(chosen, shape)
        return [SoftCandidate(p, q) for p, q in zip(probabilities, predicted, strict=True)]

    def prompted(
        self,
        image: np.ndarray,
        box: Box | None,
        points: Sequence[tuple[float, float, bool]],
        shape: tuple[int, ...],
        prior: np.ndarray | None = None,
    ) -> list[SoftCandidate]:
        """Return SAM's three answers to all of these prompts together, each of ``shape`` (height, width).

        ``points`` are (x, y, whether it is the object's), in pixels of the picture. ``prior`` is what the object was
        taken for so far, float32 of any size in the picture's proportions, in [0, 1]. There must be a box or a point.
        """
        self.embed(image)
        device = self._predictor.device
        coordinates = labels = given = None
        if points:
            coordinates = self._points([(x, y) for x, y, _ in points])[None].to(device)
            labels = torch.tensor([[int(inside) for _, _, inside in points]], device=device)
        boxes = None if box is None else self._boxes([box]).to(device)
        if prior is not None:
            given = self._prior(prior).to(device)
        with torch.inference_mode():
            logits, qualities = self._decoded(coordinates, labels, boxes, given)
            probabilities = self._probabilities(logits[0], shape)
        return [SoftCandidate(p, q) for p, q in zip(probabilities, qualities[0].tolist(), strict=True)]

    def _decoded(self, points: Any, labels: Any, boxes: Any, masks: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (1, 3, 256, 256) and predicted IoUs (1, 3): SAM's own way makes masks of the picture's size of
        them, which takes longer than the decoder.
        """
        model = self._predictor.model
        sparse, dense = model.prompt_encoder(None if points is None else (points, labels), boxes, masks)
        return model.mask_decoder(
            image_embeddings=self._predictor.features,
            image_pe=model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )

    def _prior(self, prior: np.ndarray) -> torch.Tensor:
        """Return a soft mask of the picture's size as SAM takes one in: logits in a quarter of what it looks at."""
        height, width = (max(1, round(side / 4)) for side in self._predictor.input_size)
        small = torch.from_numpy(cv2.resize(prior, (width, height), interpolation=cv2.INTER_AREA))
        side = self._predictor.model.image_encoder.img_size // 4
        logits = torch.full((1, 1, side, side), -PRIOR_LOGIT)
        logits[0, 0, :height, :width] = (2 * small - 1) * PRIOR_LOGIT
        return logits

    def _probabilities(self, logits: torch.Tensor, shape: tuple[int, ...]) -> np.ndarray:
        """Return answers, (N, 256, 256), as float32 (N, height, width) in [0, 1] of a picture of ``shape``."""
        side = self._predictor.model.image_encoder.img_size
        height, width = self._predictor.input_size
        full = F.interpolate(logits[:, None], (side, side), mode="bilinear", align_corners=False)
        full = full[..., :height, :width]
        if full.shape[2:] != tuple(shape[:2]):
            full = F.interpolate(full, shape[:2], mode="bilinear", align_corners=False)
        return full.sigmoid()[:, 0].cpu().numpy()

    def _full(self, candidate: MaskCandidate) -> MaskCandidate:
        return MaskCandidate(resized_mask(candidate.mask, self._size), candidate.quality)

    def _predict(self, boxes: Sequence[Box | None], points: Sequence[Point | None]) -> list[list[MaskCandidate]]:
        answers: list[list[MaskCandidate]] = []
        for start in range(0, len(boxes), PROMPTS_A_CALL):
            some_boxes = [b for b in boxes[start : start + PROMPTS_A_CALL] if b is not None]
            some_points = [p for p in points[start : start + PROMPTS_A_CALL] if p is not None]
            box_tensor = point_tensor = labels = None
            if some_boxes:
                box_tensor = self._boxes(some_boxes)
            if some_points:
                point_tensor = self._points(some_points)[:, None]
                labels = torch.ones(len(some_points), 1, dtype=torch.int)
            answers += self._ask(point_tensor, labels, box_tensor)
        return answers

    def _boxes(self, boxes: Sequence[Box]) -> torch.Tensor:
        """Boxes of the picture as SAM's prompts, (N, 4)."""
        array = torch.tensor(boxes, dtype=torch.float32) * self._scale
        return self._predictor.transform.apply_boxes_torch(array, self._predictor.original_size)

    def _points(self, points: Sequence[Point]) -> torch.Tensor:
        """Points of the picture as SAM's prompts, (N, 2)."""
        array = torch.tensor(points, dtype=torch.float32) * self._scale
        return self._predictor.transform.apply_coords_torch(array, self._predictor.original_size)

    def _ask(
        self, points: torch.Tensor | None, labels: torch.Tensor | None, boxes: torch.Tensor | None
    ) -> list[list[MaskCandidate]]:
        """Three masks of the working copy's size for each prompt: ``points`` (N, P, 2), ``labels`` (N, P) of 1 for the
        object and 0 for the background, ``boxes`` (N, 4)."""
        device = self._predictor.device
        prompts = [None if prompt is None else prompt.to(device) for prompt in (points, labels, boxes)]
        with torch.inference_mode():
            masks, qualities, _ = self._predictor.predict_torch(*prompts, multimask_output=True)
        return [
            [MaskCandidate(m, q) for m, q in zip(mask, quality, strict=True)]
            for mask, quality in zip(masks.cpu().numpy(), qualities.cpu().tolist(), strict=True)
        ]
