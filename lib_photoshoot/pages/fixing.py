"""Correcting outlines on the picture page: what the page asks for, checked, and who answers.

``fix`` stands below for the page's ``fix``, an address relative to its own. Coordinates are pixels of the original;
masks are 8-bit PNGs of the *edit size*, the original scaled so that its longest side has at most :data:`EDIT_SIDE`
pixels, in base64.

- ``GET fix/original/ID``: the original as a JPEG in sRGB, upright, of its full size.
- ``POST fix/find`` ``{"id"}`` -> as decisions are answered: the products of a picture that is ``unfound`` are looked
  for, and kept.
- ``POST fix/ready`` ``{"ids": [ID, …]}``: these will be asked about, the first one first; answered at once.
- ``POST fix/outline`` ``{"id", "region": NUMBER | null, "mask": MASK | null, "steps": [STEP, …], "part": "likely" |
  "others" | null}`` -> ``{"answers": [{"name", "mask": MASK}, …], "likely": NUMBER, "overtaken": true | false,
  "seconds": s}``. It begins from ``mask``, or from the outline of
  ``region`` as it is, or from nothing; all steps since then are sent each time, and the last one is answered, by
  several outlines, of which the page takes the likely one until another is chosen. ``STEP`` is ``{"kind": "click" |
  "line" | "loop" | "box" | "unsure", "add": true | false, "path": [[x, y], …], "reach": pixels, "choice": NUMBER |
  null}``: a click has one place, a box two corners, and ``unsure``, which asks where the outline is unsure, none;
  ``reach`` is how far off the hand may be, ``choice`` which answer was chosen.
  A page asks twice: for the ``likely`` answer, which is there soonest, then for the ``others``, which are all answers,
  the likely one among them. Any question but one for ``others`` makes older work for ``others`` give way: it is
  answered ``overtaken``, with nothing else, and whoever still wants it asks again.
- ``POST fix/save`` ``{"id", "regions": [{"region": NUMBER | null, "product": WORD, "mask": MASK}, {"region": NUMBER,
  "product": WORD}, {"region": NUMBER, "remove": true}]}`` -> as decisions are answered, with the whole new item, and
  ``told``, sentences about outlines that another grew into. Without ``mask`` a product keeps its outline, which was
  seen and is right, under its name or another. Regions that are not named stay.
- ``POST fix/enhance`` ``{"id"}`` -> the same: its products are enhanced again, where the page's ``enhance`` is that
  address.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

EDIT_SIDE = 2048
"""Longest side, in pixels, of the masks that page and server exchange."""
LARGEST_BODY = 32 << 20
MOST_STEPS = 200
MOST_PLACES = 600
"""Of one line or loop."""
MOST_REGIONS = 20
MOST_AHEAD = 3
_LARGEST_MASK = 8 << 20

Box = tuple[float, float, float, float]


class StepKind(str, Enum):
    """What a person did in the picture."""

    CLICK = "click"
    LINE = "line"
    """Along a part."""
    LOOP = "loop"
    """Around a part; closed from its end to its beginning."""
    BOX = "box"
    """Around the whole product, by two corners."""
    UNSURE = "unsure"
    """Nothing: they asked where the outline is unsure."""


@dataclass(frozen=True)
class Step:
    """One thing that a person did: where, in pixels, whether that belongs to the product, how far off a hand may be,
    and which of the answers was chosen, None for the likely one.
    """

    kind: StepKind
    inside: bool
    path: tuple[tuple[float, float], ...]
    reach: float = 0.0
    choice: int | None = field(default=None, compare=False)


class Asked(str, Enum):
    """How many of the answers to a step are asked for."""

    LIKELY = "likely"
    """The one that is taken unless another is chosen."""
    OTHERS = "others"
    """All, if nothing newer is asked meanwhile."""
    ALL = "all"


class RequestValueError(ValueError):
    """A request holds something else than it should; the sentence says what."""


@dataclass(frozen=True)
class OutlineRequest:
    """What the outline of one product is asked from; ``mask`` is a PNG file, in place of the region's own."""

    id: int
    region: int | None
    steps: tuple[Step, ...]
    mask: bytes | None
    part: Asked = Asked.ALL


@dataclass(frozen=True)
class OutlineAnswer:
    """One outline, a PNG file, and how it was found, for people."""

    name: str
    mask: bytes


@dataclass(frozen=True)
class OutlineAnswers:
    """Answers to a step, and the number of the likely one; none where a newer question has ``overtaken`` this one."""

    answers: tuple[OutlineAnswer, ...]
    likely: int = 0
    overtaken: bool = False


@dataclass(frozen=True)
class RegionChange:
    """What becomes of one region: a new outline, a PNG file, or none. Without a number it is a new product.

    An empty ``product`` leaves the region's own. Without an outline the region keeps its own, which somebody stands
    for, under the ``product``'s name; without either it is removed.
    """

    region: int | None
    product: str
    mask: bytes | None


class Fixing(Protocol):
    """Who corrects outlines; methods may be called from several threads, and raise PhotoshootError."""

    def original(self, id_: int) -> bytes:
        """Return the original as a JPEG file."""

    def find(self, id_: int) -> dict[str, Any]:
        """Look for a picture's products where nobody has; what changed, as for :meth:`save`."""

    def ready(self, ids: Sequence[int]) -> None:
        """Prepare for questions about these pictures; returns at once."""

    def outline(self, request: OutlineRequest) -> OutlineAnswers:
        """Return answers to the last step."""

    def save(self, id_: int, changes: Sequence[RegionChange]) -> dict[str, Any]:
        """Correct a picture's outlines, all or none; what changed, as :mod:`lib_photoshoot.pages.data` says."""

    enhances: bool
    """Whether pictures can be enhanced again here."""

    def enhance(self, id_: int) -> dict[str, Any]:
        """Enhance a picture's products by their outlines as they are; what changed, as for :meth:`save`."""


def ready_request(values: Any) -> list[int]:
    """Return the numbers of ``fix/ready``. Raises RequestValueError."""
    ids = _object(values, "ids").get("ids")
    if not isinstance(ids, list) or len(ids) > MOST_AHEAD:
        raise RequestValueError(f"Send 'ids', a list of at most {MOST_AHEAD} pictures' numbers.")
    return [_number(one, "one of 'ids'") for one in ids]


def outline_request(values: Any) -> OutlineRequest:
    """Return what ``fix/outline`` is asked. Raises RequestValueError."""
    given = _object(values, "id", "region", "steps", "mask", "part")
    steps = given.get("steps") or []
    if not isinstance(steps, list) or len(steps) > MOST_STEPS:
        raise RequestValueError(f"'steps' must be a list of at most {MOST_STEPS} steps.")
    return OutlineRequest(
        _number(given.get("id"), "'id'"),
        _region(given.get("region")),
        tuple(_step(step) for step in steps),
        _mask(given.get("mask")),
        _part(given.get("part")),
    )


def save_request(values: Any) -> tuple[int, list[RegionChange]]:
    """Return the picture and the changes of ``fix/save``. Raises RequestValueError."""
    given = _object(values, "id", "regions")
    regions = given.get("regions")
    if not isinstance(regions, list) or not 1 <= len(regions) <= MOST_REGIONS:
        raise RequestValueError(f"Send 'regions', a list of 1 to {MOST_REGIONS} corrected products.")
    return _number(given.get("id"), "'id'"), [_change(region) for region in regions]


def picture_request(values: Any) -> int:
    """Return the picture of ``fix/find`` and ``fix/enhance``. Raises RequestValueError."""
    return _number(_object(values, "id").get("id"), "'id'")


def _change(values: Any) -> RegionChange:
    given = _object(values, "region", "product", "mask", "remove")
    region, product = _region(given.get("region")), given.get("product") or ""
    removed, mask = given.get("remove", False), _mask(given.get("mask"))
    if not isinstance(product, str) or (region is None and (removed or not product.strip())):
        raise RequestValueError("A new product needs its word as 'product'.")
    named = region is not None and bool(product.strip())
    if removed not in (True, False) or (mask is not None if removed else mask is None and not named):
        raise RequestValueError("A corrected product needs its 'mask', another 'product', or 'remove': true.")
    return RegionChange(region, "" if removed else product, mask)


def _object(values: Any, *known: str) -> Mapping[str, Any]:
    if not isinstance(values, dict) or not set(values) <= set(known):
        raise RequestValueError(f"Send an object with nothing but {', '.join(known)}.")
    return values


def _number(value: Any, name: str) -> int:
    if type(value) is not int or value < 0:
        raise RequestValueError(f"{name} must be a whole number from 0 on.")
    return value


def _region(value: Any) -> int | None:
    return None if value is None else _number(value, "'region'")


def _part(value: Any) -> Asked:
    if value is None:
        return Asked.ALL
    if value not in (Asked.LIKELY.value, Asked.OTHERS.value):
        raise RequestValueError("'part' must be likely or others.")
    return Asked(value)


_LEAST = {"click": 1, "line": 2, "loop": 3, "box": 2, "unsure": 0}
_MOST = {"click": 1, "box": 2, "unsure": 0}


def _numbers(value: Any, count: int, name: str) -> list[float]:
    if isinstance(value, list) and len(value) == count and all(type(one) in (int, float) for one in value):
        numbers = [float(one) for one in value if abs(one) < 1e9]
        if len(numbers) == count and all(map(math.isfinite, numbers)):
            return numbers
    raise RequestValueError(f"{name} must be {count} number{'s' * (count > 1)}, in pixels of the original.")


def _step(values: Any) -> Step:
    given = _object(values, "kind", "add", "path", "reach", "choice")
    kind, add, path, choice = given.get("kind"), given.get("add", True), given.get("path"), given.get("choice")
    if kind not in [one.value for one in StepKind]:
        raise RequestValueError(f"'kind' must be one of {', '.join(one.value for one in StepKind)}.")
    if add not in (True, False):
        raise RequestValueError("'add' must be true or false.")
    if not isinstance(path, list) or not _LEAST[kind] <= len(path) <= _MOST.get(kind, MOST_PLACES):
        raise RequestValueError(f"The 'path' of a {kind} has too few places, or too many.")
    places = tuple((x, y) for x, y in (_numbers(place, 2, "a place") for place in path))
    (reach,) = _numbers([given.get("reach", 0)], 1, "'reach'")
    chosen = None if choice is None else _number(choice, "'choice'")
    return Step(StepKind(kind), bool(add), places, max(0.0, reach), chosen)


def _mask(value: Any) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LARGEST_MASK:
        raise RequestValueError(f"'mask' must be a PNG file of at most {_LARGEST_MASK >> 20} MB in base64.")
    try:
        return base64.b64decode(value.partition(",")[2] if value.startswith("data:") else value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestValueError("'mask' is not base64; load the page again.") from error
