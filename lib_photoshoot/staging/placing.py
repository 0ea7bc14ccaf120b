"""Where the products stand on the canvas, and how large: arithmetic alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lib_photoshoot.masks.morphology import Rect
from lib_photoshoot.staging.plan import StageError, StagePlan

LARGEST = 16384
"""Longest side of a canvas, in pixels."""
_FITS = 0.9
"""Share of the frame that a product gets which would not fit into it otherwise."""
_LEAST = 500
"""Longer side, in pixels, of a canvas of some ratio that would be smaller for a small product."""
_WHOLE = 1.5
"""Pixels by which a product's size may miss what was asked for rather than be resampled."""
_SOFT = 1.5
"""Enlargement from which a product looks soft, and the user is told."""


@dataclass(frozen=True)
class Placing:
    """The canvas in pixels, and how the picture lies on it: ``scale`` times as large, its corner at ``x``, ``y``.

    ``notes`` are sentences for the user.
    """

    width: int
    height: int
    scale: float
    x: int
    y: int
    notes: tuple[str, ...] = ()

    def is_picture(self, width: int, height: int) -> bool:
        """Whether a picture of this size lies as it was."""
        return (self.width, self.height, self.scale, self.x, self.y) == (width, height, 1.0, 0, 0)

    def rect(self, rect: Rect) -> Rect:
        """Return a part of the picture in pixels of the canvas."""
        x0, y0 = self.x + round(rect.x0 * self.scale), self.y + round(rect.y0 * self.scale)
        width = max(1, round((rect.x1 - rect.x0) * self.scale))
        height = max(1, round((rect.y1 - rect.y0) * self.scale))
        return Rect(x0, y0, x0 + width, y0 + height)


def place(width: int, height: int, box: Rect, plan: StagePlan) -> Placing:
    """Place a picture of ``width`` x ``height`` pixels, whose products lie in ``box``, as the plan wishes.

    Products are never cut off, and keep their distances. Raises StageError for a canvas that is too large.
    """
    product_width, product_height = box.x1 - box.x0, box.y1 - box.y0
    across, down = _canvas(width, height, product_width, product_height, plan)
    fitting = min(across / product_width, down / product_height)
    notes: list[str] = []
    scale = 1.0 if plan.share is None else plan.share * fitting
    if abs(scale - 1) * max(product_width, product_height) < _WHOLE:
        scale = 1.0
    if plan.share is None and fitting < 1:
        scale = _FITS * fitting
        notes.append(f"The product is larger than the canvas and was scaled to {scale:.0%}.")
    ground = None if plan.ground is None else plan.ground * down
    if ground is not None and product_height * scale > ground:
        scale = ground / product_height
        notes.append(f"Above the ground line there is room for the product at {scale:.0%} of its size, no larger.")
    if scale > _SOFT:
        notes.append(f"The product was enlarged {scale:.1f} times and may look soft; a larger photo looks better.")
    scaled_width, scaled_height = product_width * scale, product_height * scale
    middle = (plan.across if plan.across is not None else (box.x0 + box.x1) / 2 / width) * across
    left = middle - scaled_width / 2
    top = (box.y0 + box.y1) / 2 / height * down - scaled_height / 2 if ground is None else ground - scaled_height
    left = min(max(left, 0.0), across - scaled_width)
    top = min(max(top, 0.0), down - scaled_height)
    x, y = round(left - box.x0 * scale), round(top - box.y0 * scale)
    placing = Placing(across, down, scale, x, y)
    if _leaves_edge(width, height, box, placing):
        notes.append("The picture's edge cuts the product off, which shows now, since it is elsewhere in the frame.")
    return Placing(across, down, scale, x, y, tuple(notes))


def _canvas(width: int, height: int, product_width: int, product_height: int, plan: StagePlan) -> tuple[int, int]:
    """Return the canvas's size; of a ratio the smallest that holds the whole picture.

    Where the product's share is asked for, it is that in which no pixel of the product is resampled, but for a small
    product.
    """
    if plan.canvas is None:
        return width, height
    if isinstance(plan.canvas, tuple):
        return plan.canvas
    size = max(width, round(height * plan.canvas)), max(height, round(width / plan.canvas))
    if plan.share is not None:
        down = max(product_height / min(plan.share, plan.ground or 1.0), product_width / plan.share / plan.canvas)
        least = min(_LEAST, max(size))
        longest = max(math.ceil(down * max(1.0, plan.canvas)), least)
        size = round(longest * min(1.0, plan.canvas)), round(longest * min(1.0, 1 / plan.canvas))
    if max(size) > LARGEST:
        raise StageError(
            f"A canvas of that ratio around a picture of {width} x {height} would be {size[0]} x {size[1]} pixels, "
            f"more than {LARGEST} a side; give the canvas in pixels."
        )
    return size


def _leaves_edge(width: int, height: int, box: Rect, placing: Placing) -> bool:
    """Whether a product that ended at the picture's edge ends inside of the canvas."""
    now = placing.rect(box)
    pairs = (
        (box.x0 <= 0, now.x0 > 1),
        (box.y0 <= 0, now.y0 > 1),
        (box.x1 >= width, now.x1 < placing.width - 1),
        (box.y1 >= height, now.y1 < placing.height - 1),
    )
    return any(cut and moved for cut, moved in pairs)
