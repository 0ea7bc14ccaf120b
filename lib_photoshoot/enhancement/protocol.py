"""What every enhancer promises, whether it retouches or runs a diffusion model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from lib_photoshoot.results import ProductRegion

if TYPE_CHECKING:
    import numpy as np


class Enhancer(Protocol):
    """Makes the products in a picture look better."""

    name: str
    """Short stable name for reports."""

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion]) -> np.ndarray:
        """Return an enhanced copy of ``image``, uint8 RGB (height, width, 3) of the same size.

        Only pixels inside and next to the regions' masks matter: ``compose`` takes the rest from the original.
        ``image`` itself is not changed.
        """
        ...
