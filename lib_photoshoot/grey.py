"""Grey pictures of more than 8 bits: whole numbers of 12 to 32 bits and floats, of which no file says what is white.

Readers of 32 bits differ (some scale all of them, some show the picture's own range); here white is that of the least
customary range that holds the values, so that a picture of 8 bits stored in 32 looks as it did.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_RANGES = (1, 0xFF, 0xFFFF)
"""What is white by custom: in floats, in 8 bits and in 16."""
_FEW = 1.0
"""Percent of a float picture that may lie beyond black or white: highlights and the overshoot of sharpening."""
_SAMPLE = 1_000_000
_STRIP_PIXELS = 1 << 21
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _SIGNED = 0, 2


def grey_levels(image: Any) -> np.ndarray:
    """Return a loaded Pillow picture of mode I, I;16 or F as uint16 (height, width), 0 black and 65535 white."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    black, white = _float_range(values) if values.dtype.kind == "f" else (0.0, _white_of_integers(values, tags))
    if values.dtype.kind == "i" and white > 0x7FFFFFFF:
        values = values.view(np.uint32)  # Pillow shows them as signed
    whole = values.dtype == np.uint16 and (black, white) == (0, 0xFFFF)
    levels = values if whole else _scaled(values, black, white)
    return 0xFFFF - levels if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else levels


def _white_of_integers(values: np.ndarray, tags: Any) -> float:
    """White of whole numbers; that of 32 bits by their largest."""
    bits = int(tags.get(_BITS, (16,))[0])
    signed = tags.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED
    full = (1 << (bits - 1 if signed else bits)) - 1
    if bits <= 16:
        return full
    if not signed and int(values.min()) < 0:
        return full
    return _least_range(int(values.max()), _RANGES[1:]) or full


def _float_range(values: np.ndarray) -> tuple[float, float]:
    """Black and white of floats; where no customary range holds nearly all, the least and the largest value."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if not np.array_equal(finite, np.rint(finite)):
        # Whole numbers are another picture's, and end where those end.
        most = np.percentile(finite[:: max(1, finite.size // _SAMPLE)], (_FEW, 100 - _FEW))
        low, high = (low, high) if most[0] < 0 else (0.0, min(high, float(most[1])))
    white = _least_range(high) if low >= 0 else None
    return (0.0, white) if white else (float(finite.min()), float(finite.max()))


def _least_range(largest: float, ranges: tuple[int, ...] = _RANGES) -> int | None:
    return next((white for white in ranges if largest <= white), None)


def _scaled(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Return the values from black to white as uint16, those beyond as black and white; what is no number is black."""
    levels = np.empty(values.shape, np.uint16)
    # In strips: in floats of 64 bits a large picture would be in memory three times over.
    step = max(1, _STRIP_PIXELS // values.shape[1])
    for top in range(0, len(values), step):
        strip = np.nan_to_num(values[top : top + step].astype(np.float64), nan=black, posinf=white, neginf=black)
        share = (np.clip(strip, black, white) - black) / max(white - black, 1e-12)
        levels[top : top + step] = np.rint(share * 0xFFFF)
    return levels
