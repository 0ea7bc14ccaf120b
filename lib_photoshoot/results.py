"""What the product filter says about a picture.

Boxes are ``(x0, y0, x1, y1)`` in pixels of the picture, floats, with x1 and y1 exclusive. Masks are ``bool`` arrays
of shape (height, width). Pictures are ``uint8`` RGB arrays of shape (height, width, 3); those that are written may be
``uint16``, in a colour space of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.colour.comparison import ColourCheck
    from lib_photoshoot.colour.difference import Difference

Box = tuple[float, float, float, float]


class Decision(str, Enum):
    """What happened to the picture as a whole."""

    MATCH = "match"
    SKIP = "skip"


class Reason(str, Enum):
    """Why a candidate was rejected or a picture skipped; the values are stable codes for reports and APIs."""

    NOTHING_FOUND = "nothing_found"
    """No detector candidate at all."""
    BELOW_THRESHOLD = "below_threshold"
    """The score is under the product's threshold."""
    WHOLE_IMAGE = "whole_image"
    """The box covers nearly the whole picture with a weak score: typical of a hallucinated detection."""
    TOO_SMALL = "too_small"
    """The box is too small to enhance."""
    DUPLICATE = "duplicate"
    """A better candidate covers the same place."""
    TOO_MANY = "too_many"
    """More instances of the product are in the picture than are worked on."""
    EMPTY_MASK = "empty_mask"
    """The segmenter found no object in the box."""
    COLOUR_CARD = "colour_card"
    """It is the colour chart that the photo was calibrated by."""
    NOT_CONFIRMED = "not_confirmed"
    """The cut-out, looked at alone, is not the product."""
    NO_MAIN_OBJECT = "no_main_object"
    """Nothing in the picture stands out enough to be what it is of."""
    UNSURE_MAIN_OBJECT = "unsure_main_object"
    """Something stands out, but not surely one thing that ends inside the picture."""
    PERSON = "person"
    """What stands out is a person, who is no product."""
    MISSING_PRODUCT = "missing_product"
    """All products were asked for and one is absent."""
    LOST_IN_ENHANCEMENT = "lost_in_enhancement"
    """The product was no longer recognised after the enhancement, so the original was kept."""
    OTHER_PRODUCT = "other_product"
    """After the enhancement it was no longer the product that the examples show, so the original was kept."""
    COLOUR_OFF = "colour_off"
    """The product's colour is further from what it should be than allowed, so the picture was refused or kept."""
    NOT_ENHANCED = "not_enhanced"
    """The enhancement failed, so the original was kept."""
    INTERRUPTED = "interrupted"
    """The user stopped the enhancement, so the original was kept."""
    PRODUCT_GREW = "product_grew"
    """In every try at the scene the model painted more of the product than there is, so the original was kept."""
    OTHER_OF_ITS_KIND = "other_of_its_kind"
    """It is of the kind that the examples show, and not the product itself."""
    REMOVED_BY_HAND = "removed_by_hand"
    """A person removed its outline: it is not the product."""
    UNREADABLE = "unreadable"
    """The file is not a picture that can be read."""


@dataclass(frozen=True)
class Detection:
    """One candidate: the product's name, its box in pixels and its score in [0, 1].

    A detector that outlines the product on its way lends the ``mask`` of the picture's size and its predicted IoU
    (``quality``), so that it need not be segmented again. One that itself knows why a candidate does not count says so
    in ``refused``; one that believes it and is not sure of all says what speaks against it in ``doubt``.
    """

    product: str
    box: Box
    score: float
    mask: np.ndarray | None = field(default=None, repr=False, compare=False)
    quality: float | None = field(default=None, compare=False)
    also: tuple[str, ...] = ()
    """Further products of the list that the same thing is: a bottle that is perfume, too."""
    refused: Reason | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Rejection:
    """A candidate that was not kept, and why."""

    product: str
    box: Box
    score: float
    reason: Reason
    colour_check: ColourCheck | None = None
    """How far its colour was from the reference, for ``COLOUR_OFF``."""


class Doubt(str, Enum):
    """What speaks against a region; the values are stable codes for reports and APIs. All but one are about its
    outline.
    """

    PERHAPS_ANOTHER = "perhaps_another"
    """It is of the kind that the examples show; by its look nobody can tell whether it is the product itself."""

    TOUCHES_FRAME = "touches_frame"
    """The product goes on beyond the picture's edge."""
    RAGGED = "ragged"
    """The edge is frayed or not clear."""
    VIEWS_DISAGREE = "views_disagree"
    """Independent looks at the product do not see the same outline."""
    EVIDENCE_OUTSIDE = "evidence_outside"
    """What stands out around the outline looks like the product too: a part may be missing."""
    FAINT_EDGE = "faint_edge"
    """Along a good part of the outline the picture shows no edge: product and background look alike."""
    SEVERAL_OBJECTS = "several_objects"
    """The outline is in several pieces, or holds a neighbour."""
    PRODUCT_HIDDEN = "product_hidden"
    """In the new scene something seems painted over the product, or it is not seen whole."""
    FLOATING = "floating"
    """In the new scene the product touches no surface, though it was to stand on one."""
    TOO_SMALL_FOR_EVIDENCE = "too_small_for_evidence"
    """The outline is much smaller than the area that looks like the product, or hardly looks like it alone."""


class OutlineSource(str, Enum):
    """Who drew an outline."""

    MODEL = "model"
    HAND = "hand"
    """A person: no later run draws it again."""


@dataclass(frozen=True)
class Outline:
    """How far an outline can be trusted: ``quality`` in [0, 1], and what speaks against it, most telling first."""

    quality: float
    doubts: tuple[Doubt, ...] = ()
    source: OutlineSource = OutlineSource.MODEL

    @property
    def is_sure(self) -> bool:
        return not self.doubts

    def with_doubt(self, doubt: Doubt | None) -> Outline:
        """Return it with a further doubt, the most telling one; itself for None."""
        return self if doubt is None else replace(self, doubts=(doubt, *self.doubts))


@dataclass(frozen=True, eq=False)
class ProductRegion:
    """A product that was found: its detection, its mask and the segmenter's own quality estimate (predicted IoU).

    ``mask`` has no holes. ``openings`` are where the background shows through, as under a bag's handle; None for
    nowhere. ``alpha`` is how much of each pixel is product, uint8 (height, width), 255 for all of it; None where only
    the mask is known. ``outline`` says how sure the outline is; None where nobody judged it. ``colour`` says what an
    enhancement did to the article's colours; None where there was none.
    """

    product: str
    box: Box
    score: float
    mask: np.ndarray
    quality: float
    openings: np.ndarray | None = None
    alpha: np.ndarray | None = None
    outline: Outline | None = None
    colour: Difference | None = None
    colour_check: ColourCheck | None = None
    """The article in the result's picture against its colour reference; None for a product without one."""
    also: tuple[str, ...] = ()
    """Further products of the list that the same thing is."""

    @property
    def products(self) -> tuple[str, ...]:
        """All products of the list that it is, the best first."""
        return (self.product, *self.also)

    @property
    def solid(self) -> np.ndarray:
        """The mask without the openings: what is cut out and enhanced."""
        return self.mask if self.openings is None else self.mask & ~self.openings


def matte_of(regions: Sequence[ProductRegion]) -> np.ndarray | None:
    """Return the alpha of several regions together, uint8 (height, width); None where one of them has none."""
    mattes = [region.alpha for region in regions if region.alpha is not None]
    if not mattes or len(mattes) < len(regions):
        return None
    import numpy as np

    return np.maximum.reduce(mattes)


@dataclass(frozen=True, eq=False)
class NewScene:
    """The scene that was made around the products of a picture, and what it was measured to have left of them.

    ``photo`` is what the products were taken from: the picture itself, ``retouched`` if that was asked for. ``regions``
    are the products as they stand in the scene, in the order of the result's, and ``scale`` is their size relative to
    the photo's. Of the ``kept`` pixels that are all product ``changed_product`` differ from what was put there:
    measured, and 0 unless the scene's colour cast or its light was asked for on them. ``grown`` and ``hidden`` are
    shares of the products' area, None where nothing had to be or could be looked at again; ``tries`` says how
    often the scene was painted, and ``generated`` whether a trained model made some of it. ``light`` is what gave new
    light to the products' edges and the ground, None where nothing did, and ``relit_product`` says that the products'
    own pixels took it. ``notes`` are sentences for the user.
    """

    painter: str
    photo: np.ndarray
    regions: tuple[ProductRegion, ...]
    scale: float
    kept: int
    changed_product: int
    retouched: bool = False
    tries: int = 1
    grown: float | None = None
    hidden: float | None = None
    generated: bool = False
    light: str | None = None
    relit_product: bool = False
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FilterResult:
    """The filter's answer for one picture.

    ``image`` is the original array itself on a skip, and a new array on a match. ``changed_outside`` counts the pixels
    outside the feathered masks that differ from the original: measured, and 0. ``seconds`` holds one figure a stage.
    ``note`` is a sentence for the user, for example why an enhancement failed. With a ``scene``, ``image`` is that,
    perhaps of another size; ``width``, ``height``, ``regions`` and ``rejected`` are the picture's all the same.
    """

    width: int
    height: int
    decision: Decision
    reason: Reason | None
    regions: tuple[ProductRegion, ...]
    rejected: tuple[Rejection, ...]
    image: np.ndarray
    changed_outside: int
    seconds: Mapping[str, float]
    note: str | None = None
    scene: NewScene | None = None
