"""Pictures that look the same, by a hash that scaling and compression hardly change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

NEAR_DUPLICATE = 8
"""Bits of 64 in which pictures that look the same may differ.

Measured on 43 product photos: copies saved again, down to 200 px at JPEG quality 30, differ in at most 6 bits,
different photos in at least 16.
"""


def difference_hash(pixels: np.ndarray) -> int:
    """64 bits that stay nearly the same when a picture (uint8 RGB) is scaled, recompressed or brightened.

    dHash: is each of 8 x 8 grey cells darker than its right neighbour? Neal Krawetz, "Kind of Like That", 2013,
    https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html.

    >>> import numpy as np
    >>> ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))[:, :, None].repeat(3, 2)
    >>> difference_hash(ramp) == difference_hash(ramp[::2, ::2] + 9) == 2**64 - 1
    True
    >>> (difference_hash(ramp) ^ difference_hash(ramp[:, ::-1])).bit_count() > NEAR_DUPLICATE
    True
    """
    import numpy as np
    from PIL import Image

    step = max(1, max(pixels.shape) // 512)
    small = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
    cells = np.asarray(small.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")
