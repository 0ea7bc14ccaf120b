"""What every enhancer promises, whether it retouches or runs a diffusion model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.results import ProductRegion

if TYPE_CHECKING:
    import numpy as np


class EnhancementError(PhotoshootError):
    """The enhancement failed: the original stands, and the sentence says why."""


class EnhancementStopped(EnhancementError):
    """The user interrupted or skipped: the original stands."""


class Enhancer(Protocol):
    """Makes the products in a picture look better.

    One with an attribute ``keeps_shape`` that is true changes no shapes: it is weighted by the products' own alpha.
    One with an attribute ``refused`` lists there, after :meth:`enhance`, the products (``Rejection``) that shall stay
    as they were.
    """

    name: str
    """Short stable name for reports."""

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        """Where the enhanced picture counts for a product's mask: float32 (height, width) in [0, 1].

        Where it is 0 the original stays, bit for bit.
        """
        ...

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion]) -> np.ndarray:
        """Return an enhanced copy of ``image``, uint8 RGB (height, width, 3) of the same size.

        Only pixels inside and next to the regions' masks matter: ``compose`` takes the rest from the original.
        ``image`` itself is not changed. Raises EnhancementError; nothing of a failed attempt is used.
        """
        ...
