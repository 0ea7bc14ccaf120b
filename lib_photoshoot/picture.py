"""A decoded picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.provenance.metadata import NOTHING, Metadata, save_options

# OpenCV, which colours need, is loaded with the first picture and not with the WebUI.
if TYPE_CHECKING:
    from lib_photoshoot.colour.space import ColourSpace


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright.

    ``pixels`` is uint8 (height, width, 3) RGB in the picture's own colour space; ``alpha`` is uint8 (height, width) or
    None. ``exif`` has no orientation any more. ``icc`` is a profile of matrix and curves for these pixels, or None for
    sRGB; everything else was converted to that. ``deep`` has the same pixels as uint16 where the file has 16 bits.
    ``metadata`` is what else the file says about it: XMP, texts, a generator's mark. ``frames`` is above 1 for an
    animation, of which only the first frame is here. ``notes`` tell how its colours were read.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    width: int
    height: int
    exif: bytes | None = None
    icc: bytes | None = None
    frames: int = 1
    metadata: Metadata = NOTHING
    deep: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @property
    def space(self) -> ColourSpace:
        """The colour space of ``pixels`` and ``deep``."""
        from lib_photoshoot.colour.space import space_of

        return space_of(self.icc)

    @property
    def best(self) -> np.ndarray:
        """The pixels with all their bits, uint16 or uint8: what is retouched and cut out."""
        return self.pixels if self.deep is None else self.deep

    @cached_property
    def srgb(self) -> np.ndarray:
        """The pixels as uint8 sRGB, for whatever judges or shows the picture; ``pixels`` itself where they are that."""
        return self.space.to_srgb(self.pixels if self.icc is None else self.best)

    def options(self, format_: str) -> dict[str, Any]:
        """Pillow's options that give what is made from it, in that format, its profile, EXIF, XMP and texts."""
        return save_options(format_, self.metadata, self.exif, self.icc)

    @property
    def note(self) -> str | None:
        """What a user should know about the reading, or None."""
        first = [f"animation: only the first of {self.frames} frames was used"] if self.frames > 1 else []
        return "; ".join([*first, *self.notes]) or None
