"""Aspect-ratio buckets: the sizes to which the trainer scales and crops pictures, and the steps that follow from them.

The same arithmetic as kohya's sd-scripts v0.10.1 (``ae72efb``), from which it is written anew: ``BucketManager`` and
``trim_and_resize_if_required`` in library/train_util.py, ``make_bucket_resolutions`` in library/model_util.py,
https://github.com/kohya-ss/sd-scripts. Buckets were introduced by NovelAI, https://github.com/NovelAI/novelai-aspect-ratio-bucketing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.results import Box

STEP_UNIT = 64
"""The trainer refuses bucket steps that are no multiple of this many pixels."""


@dataclass(frozen=True, order=True)
class Bucket:
    """The size in pixels at which a picture is trained."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class BucketSettings:
    """What the trainer makes its buckets from; all sizes in pixels.

    A bucket covers at most ``resolution`` squared, its sides are multiples of ``steps`` from ``lowest`` to ``highest``.
    Without ``enable`` there is one square bucket. With ``no_upscale`` pictures are never enlarged, and any multiples of
    ``steps`` may be sides. Raises TrainingError for what the trainer refuses.
    """

    resolution: int = 768
    enable: bool = True
    steps: int = 64
    lowest: int = 320
    highest: int = 1280
    no_upscale: bool = False

    def __post_init__(self) -> None:
        """Refuse what the trainer would refuse, or divide by zero on."""
        if self.resolution < STEP_UNIT:
            raise TrainingError(f"The resolution is {self.resolution} pixels; give {STEP_UNIT} or more, such as 768.")
        if not self.enable:
            return
        if self.steps < STEP_UNIT or self.steps % STEP_UNIT:
            raise TrainingError(
                f"The bucket steps are {self.steps} pixels; the trainer takes multiples of {STEP_UNIT} only."
            )
        lowest, highest = self.range
        if lowest < self.steps or lowest > self.resolution:
            raise TrainingError(
                f"The smallest bucket side is {self.lowest} pixels; give a number from the bucket steps ({self.steps}) "
                f"to the resolution ({self.resolution})."
            )
        if highest < self.resolution:
            raise TrainingError(
                f"The largest bucket side is {self.highest} pixels; give at least the resolution ({self.resolution})."
            )

    @property
    def range(self) -> tuple[int, int]:
        """``lowest`` rounded down and ``highest`` rounded up to multiples of ``steps``, as the trainer uses them."""
        return self.lowest - self.lowest % self.steps, self.highest + -self.highest % self.steps


@dataclass(frozen=True)
class BucketPlacement:
    """How one picture gets into its bucket: scaled to ``resized`` (width, height), then cropped at the centre.

    ``crop`` is what survives, in pixels of the picture before scaling.
    """

    bucket: Bucket
    resized: tuple[int, int]
    crop: Box
    scale: float
    """Above 1 the picture is enlarged."""
    kept: float
    """Share in (0, 1] of the picture's area that survives the crop."""


def bucket_of(width: int, height: int, settings: BucketSettings) -> Bucket:
    """Return the bucket of a picture of this size in pixels. Raises TrainingError as :func:`place` does."""
    return place(width, height, settings).bucket


def place(width: int, height: int, settings: BucketSettings) -> BucketPlacement:
    """Return the bucket of a picture of this size in pixels, and what the trainer does to get it there.

    Raises TrainingError for a picture so small or narrow that no bucket is left for it (``no_upscale`` only).
    """
    if settings.enable and settings.no_upscale:
        resized = _shrunk(width, height, settings)
        bucket = Bucket(*(side - side % settings.steps for side in resized))
        if not bucket.width or not bucket.height:
            raise _too_narrow(width, height, settings)
    else:
        bucket = _nearest(width, height, buckets(settings))
        resized = _covering(width, height, bucket)
    crop = _centre_crop(width, height, resized, bucket)
    kept = (crop[2] - crop[0]) * (crop[3] - crop[1]) / (width * height)
    return BucketPlacement(bucket, resized, crop, resized[0] / width, kept)


@lru_cache(maxsize=32)
def buckets(settings: BucketSettings) -> tuple[Bucket, ...]:
    """All buckets that pictures are sorted into, in ascending order; ``no_upscale`` makes further ones as needed."""
    if not settings.enable:
        return (Bucket(settings.resolution, settings.resolution),)
    steps, most = settings.steps, settings.resolution**2
    lowest, highest = settings.range
    square = settings.resolution - settings.resolution % steps
    found = {Bucket(square, square)}
    for side in range(lowest, highest + 1, steps):
        other = most // side
        other = min(highest, other - other % steps)
        if other >= lowest:
            found |= {Bucket(side, other), Bucket(other, side)}
    return tuple(sorted(found))


def steps_per_epoch(
    counts: Mapping[Bucket, int], repeats: int, batch: int, accumulation: int = 1, processes: int = 1
) -> int:
    """Optimiser steps of one epoch, for ``counts`` pictures in each bucket.

    A batch holds pictures of one bucket only, so the last batch of every bucket may be short: the sum of rounded-up
    quotients, not the quotient of the sum. ``processes`` share the batches; ``accumulation`` batches make one step.
    """
    batches = sum(_divided_up(count * repeats, batch) for count in counts.values())
    return _divided_up(batches, processes * accumulation)


def times_taken(repeats: Sequence[int], training: int) -> list[int]:
    """How often an epoch takes each regularisation picture, by their own repeats in the trainer's order.

    As many as the ``training`` pictures with repeats: some not at all, or some more often.
    """
    taken, total = [0] * len(repeats), 0
    additions = list(repeats)
    while repeats and total < training:
        for index, more in enumerate(additions):
            taken[index] += more
            total += more
            if total >= training:
                break
        additions = [1] * len(repeats)
    return taken


def _divided_up(number: int, by: int) -> int:
    return -(-number // by)


def _rounded(value: float) -> int:
    # Not round(): that goes to the even neighbour at .5, and the trainer up.
    return int(value + 0.5)


def _nearest(width: int, height: int, choice: tuple[Bucket, ...]) -> Bucket:
    """Return the bucket nearest in aspect ratio, the first of equally near ones.

    No two buckets have the same ratio, so a picture of a bucket's own size gets that bucket.
    """
    aspect = width / height
    return min(choice, key=lambda bucket: abs(bucket.width / bucket.height - aspect))


def _covering(width: int, height: int, bucket: Bucket) -> tuple[int, int]:
    """Return the picture's size when scaled until it just covers the bucket."""
    wider = width / height > bucket.width / bucket.height
    scale = bucket.height / height if wider else bucket.width / width
    return _rounded(width * scale), _rounded(height * scale)


def _shrunk(width: int, height: int, settings: BucketSettings) -> tuple[int, int]:
    """Return the picture's size when scaled down, if at all, to the area of the resolution squared.

    Of the two sizes with one side a multiple of the steps it is the one whose bucket keeps the aspect ratio better.
    """
    most = settings.resolution**2
    if width * height <= most:
        return width, height
    aspect = width / height
    ideal_width = math.sqrt(most * aspect)
    across = _floored(ideal_width, settings.steps)
    down = _floored(most / ideal_width, settings.steps)
    across_height = _floored(across / aspect, settings.steps)
    if not across_height or not down:
        raise _too_narrow(width, height, settings)
    by_width = abs(across / across_height - aspect)
    by_height = abs(_floored(down * aspect, settings.steps) / down - aspect)
    if by_width < by_height:
        return across, _rounded(across / aspect)
    return _rounded(down * aspect), down


def _floored(value: float, steps: int) -> int:
    """Return the whole number nearest to ``value``, then down to a multiple of ``steps``."""
    whole = _rounded(value)
    return whole - whole % steps


def _centre_crop(width: int, height: int, resized: tuple[int, int], bucket: Bucket) -> Box:
    """Return what survives of the picture, in its own pixels, when the resized one is cropped at the centre."""
    left, top = (resized[0] - bucket.width) // 2, (resized[1] - bucket.height) // 2
    right, bottom = left + bucket.width, top + bucket.height
    # Multiplied first, so that a side that survives whole is exactly the picture's.
    return (
        left * width / resized[0],
        top * height / resized[1],
        right * width / resized[0],
        bottom * height / resized[1],
    )


def _too_narrow(width: int, height: int, settings: BucketSettings) -> TrainingError:
    return TrainingError(
        f"A picture of {width}x{height} pixels fits no bucket in steps of {settings.steps} unless it is enlarged; "
        "leave it out or allow that (no_upscale off)."
    )
