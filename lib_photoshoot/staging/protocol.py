"""What paints a scene around products, whether by arithmetic or by a diffusion model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lib_photoshoot.staging.plan import Staged

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Attempt:
    """One try at a scene: its ``number`` from 0, and how many pixels around the products stay unpainted."""

    number: int = 0
    keep_out: int = 0


class ScenePainter(Protocol):
    """Paints everything but the products."""

    name: str
    """Short stable name for reports."""
    can_grow: bool
    """Whether what it paints may look like more of the product: its scenes are checked, and tried again."""

    def paint(self, staged: Staged, attempt: Attempt) -> np.ndarray:
        """Return the whole canvas painted, uint8 or uint16 RGB like ``staged.image`` and of its size.

        The products' own pixels are put back into it afterwards. ``staged`` itself is not changed. Raises
        EnhancementError, EnhancementStopped; nothing of a failed attempt is used.
        """
        ...


class LightPainter(Protocol):
    """Paints a scene once more, in the light that its products would have in it."""

    name: str
    """Short stable name for reports."""

    def relit(self, picture: np.ndarray, staged: Staged) -> np.ndarray:
        """Return the scene with its products in another light; both are uint8 sRGB (height, width, 3).

        Of what is returned the light alone is used, not the details. Raises EnhancementError, EnhancementStopped.
        """
        ...


class SeenThere(Protocol):
    """What may lie at a place: ``probability`` is float32 in [0, 1], ``quality`` the predicted IoU."""

    @property
    def probability(self) -> np.ndarray: ...

    @property
    def quality(self) -> float: ...


@runtime_checkable
class PlaceLooker(Protocol):
    """Looks at a painted scene for what hides its products: a segmenter that is told places."""

    def prompted(
        self,
        image: np.ndarray,
        box: tuple[float, float, float, float] | None,
        points: Sequence[tuple[float, float, bool]],
        shape: tuple[int, ...],
    ) -> Sequence[SeenThere]:
        """Return what may lie at all of these places together, each of ``shape`` (height, width).

        ``image`` is uint8 sRGB (height, width, 3); ``points`` are (x, y, whether it is part of it) in its pixels.
        """
        ...


class Textures(Protocol):
    """What a network's first stages say of a picture's pixels."""

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return float32 (height, width, channels), each channel of mean 0 and deviation 1, for uint8 sRGB."""
        ...


@dataclass(frozen=True, eq=False)
class SceneLook:
    """What looks at painted scenes, as far as it is there.

    ``places`` tells what hides the products. Without ``textures`` colours and shapes alone tell what is more of a
    product, and see less.
    """

    places: PlaceLooker | None = None
    textures: Textures | None = None
