"""Correcting outlines on the picture page: what the page asks for, checked, and who answers.

``fix`` stands below for the page's ``fix``, an address relative to its own. Coordinates are pixels of the original;
masks are 8-bit PNGs of the *edit size*, the original scaled so that its longest side has at most :data:`EDIT_SIDE`
pixels, in base64.

- ``GET fix/original/ID``: the original as a JPEG in sRGB, upright, of its full size.
- ``POST fix/find`` ``{"id"}`` -> as decisions are answered: the products of a picture that is ``unfound`` are looked
  for, and kept.
- ``POST fix/ready`` ``{"ids": [ID, …]}``: these will be asked about, the first one first; answered at once.
- ``POST fix/outline`` ``{"id", "region": NUMBER | null, "box": [x0, y0, x1, y1] | null, "points": [[x, y, 1 | 0], …],
  "mask": MASK | null}`` -> ``{"mask": MASK, "seconds": s}``. It begins from ``mask``, or from the outline of
  ``region`` as it is, or from nothing; all points since then are sent each time, 1 for what belongs to the product.
- ``POST fix/save`` ``{"id", "regions": [{"region": NUMBER | null, "product": WORD, "mask": MASK}, {"region": NUMBER,
  "remove": true}]}`` -> as decisions are answered, with the whole new item, and ``told``, sentences about
  outlines that another grew into. Regions that are not named stay.
- ``POST fix/enhance`` ``{"id"}`` -> the same: its products are enhanced again, where the page's ``enhance`` is that
  address.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EDIT_SIDE = 2048
"""Longest side, in pixels, of the masks that page and server exchange."""
LARGEST_BODY = 32 << 20
MOST_POINTS = 200
MOST_REGIONS = 20
MOST_AHEAD = 3
_LARGEST_MASK = 8 << 20

Box = tuple[float, float, float, float]
Click = tuple[float, float, bool]
"""x and y in pixels of the original, and whether that place belongs to the product."""


class RequestValueError(ValueError):
    """A request holds something else than it should; the sentence says what."""


@dataclass(frozen=True)
class OutlineRequest:
    """What the outline of one product is asked from; ``mask`` is a PNG file, in place of the region's own."""

    id: int
    region: int | None
    box: Box | None
    points: tuple[Click, ...]
    mask: bytes | None


@dataclass(frozen=True)
class RegionChange:
    """What becomes of one region: a new outline, a PNG file, or none. Without a number it is a new product.

    An empty ``product`` leaves the region's own.
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

    def outline(self, request: OutlineRequest) -> bytes:
        """Return the outline as a PNG file."""

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
    given = _object(values, "id", "region", "box", "points", "mask")
    points = given.get("points") or []
    if not isinstance(points, list) or len(points) > MOST_POINTS:
        raise RequestValueError(f"'points' must be a list of at most {MOST_POINTS} points.")
    box = given.get("box")
    return OutlineRequest(
        _number(given.get("id"), "'id'"),
        _region(given.get("region")),
        None if box is None else _box(box),
        tuple(_point(point) for point in points),
        _mask(given.get("mask")),
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
    if removed not in (True, False) or removed == (mask is not None):
        raise RequestValueError("A corrected product needs its 'mask', or 'remove': true.")
    if not isinstance(product, str) or (region is None and (removed or not product.strip())):
        raise RequestValueError("A new product needs its word as 'product'.")
    return RegionChange(region, product, mask)


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


def _numbers(value: Any, count: int, name: str) -> list[float]:
    if isinstance(value, list) and len(value) == count and all(type(one) in (int, float) for one in value):
        numbers = [float(one) for one in value if abs(one) < 1e9]
        if len(numbers) == count and all(map(math.isfinite, numbers)):
            return numbers
    raise RequestValueError(f"{name} must be {count} numbers, in pixels of the original.")


def _box(value: Any) -> Box:
    x0, y0, x1, y1 = _numbers(value, 4, "'box'")
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _point(value: Any) -> Click:
    x, y, inside = _numbers(value, 3, "a point")
    return x, y, inside > 0


def _mask(value: Any) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LARGEST_MASK:
        raise RequestValueError(f"'mask' must be a PNG file of at most {_LARGEST_MASK >> 20} MB in base64.")
    try:
        return base64.b64decode(value.partition(",")[2] if value.startswith("data:") else value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestValueError("'mask' is not base64; load the page again.") from error
