"""A picture's article against its colour reference: how far, in which direction, and whether that is too far.

Which part of the article belongs to which colour of the reference is a transport of areas at the least cost, the earth
mover's distance (Y. Rubner et al., "The Earth Mover's Distance as a Metric for Image Retrieval", IJCV 40, 2000) with
CIEDE2000 as the cost, and with room in the areas: another side of an article shows more of one colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib_photoshoot.colour.difference import delta_e
from lib_photoshoot.colour.dominant import DominantColour, Lab, dominant_colours
from lib_photoshoot.colour.reference import ColourReference, hex_text

_ROOM = 2.0
"""A colour's area may be so many times its share in the reference, or one part in so many."""
_LEAST = 0.25
"""Of a colour without a share, the part of an even share that must be there; the rest may be anything."""
_JUDGED_ALONE = 0.25
"""A colour with a quarter of the reference must be right itself, and not only in the mean with the others."""
_GLARE = 0.15
"""Nearly white or nearly black parts up to this area are glare and crevices, unless the reference has such a colour."""
_WHITE, _BLACK, _NEUTRAL = 94.0, 8.0, 6.0
_HUED = 8.0
"""Chroma from which a colour has a hue and a vividness that one could name."""
_UNIQUE_HUES = {"red": 24.0, "yellow": 90.0, "green": 162.0, "blue": 246.0}
"""Hue angles in CIELAB of what people call pure (M. D. Fairchild, "Color Appearance Models", on CIELAB): by the axes of
a* and b* an orange that turns to yellow would be too green."""


@dataclass(frozen=True)
class ColourCheck:
    """``delta_e`` is CIEDE2000 between the article and its ``reference``, ``direction`` in words ("too red").

    ``measured`` are the article's colours, the largest first; none, with an infinite ``delta_e``, where there is no
    article to measure.
    """

    reference: ColourReference
    measured: tuple[DominantColour, ...]
    delta_e: float
    direction: str

    @property
    def is_off(self) -> bool:
        """Whether it lies beyond the tolerance; as shown, so that no "3.0 of 3" is refused."""
        return not round(self.delta_e, 1) <= self.reference.tolerance

    def __str__(self) -> str:
        return f"{self.delta_e:.1f} {self.direction}".rstrip() if self.measured else "no article to measure"

    def in_words(self) -> str:
        """Return the difference with the tolerance, without commas, as infotext wants it."""
        return f"{self} ({self.reference.tolerance:g} allowed)"


def measure_colour(pixels: np.ndarray, mask: np.ndarray, reference: ColourReference) -> ColourCheck:
    """Return the article's colours, of uint8 sRGB (H, W, 3) in a bool mask (H, W), against a reference."""
    return compare(dominant_colours(pixels, mask), reference)


def compare(measured: Sequence[DominantColour], reference: ColourReference) -> ColourCheck:
    """Measured colours against a reference."""
    parts = _without_glare(measured, reference)
    if not parts:
        return ColourCheck(reference, tuple(measured), float("inf"), "")
    goals = np.array([colour.lab for colour in reference.colours])
    labs = np.array([part.lab for part in parts])
    areas = np.array([part.share for part in parts])
    cost = delta_e(labs[:, None], goals[None])
    flow = _transport(areas / areas.sum(), reference, cost)
    each = (flow * cost).sum(axis=0) / np.maximum(flow.sum(axis=0), 1e-12)
    whole = float((flow * cost).sum() / flow.sum())
    shares = [colour.share for colour in reference.colours]
    judged = [number for number, share in enumerate(shares) if share is None or share >= _JUDGED_ALONE]
    worst = max(judged or range(len(goals)), key=lambda number: each[number])
    figure = max(whole, float(each[worst])) if judged else whole
    mean = (flow[:, worst : worst + 1] * labs).sum(axis=0) / max(flow[:, worst].sum(), 1e-12)
    return ColourCheck(reference, tuple(measured), round(figure, 2), direction(_triple(goals[worst]), _triple(mean)))


def direction(wanted: Lab, measured: Lab) -> str:
    """Return what one colour is too much of, in words, by the largest of the differences of lightness, chroma and hue.

    A wanted colour near grey has no hue: there the axes of redness and yellowness are asked in place of chroma and hue.
    """
    (l1, a1, b1), (l2, a2, b2) = wanted, measured
    sides: list[tuple[Lab, Lab, str]] = [(wanted, (l2, a1, b1), "too light" if l2 > l1 else "too dark")]
    chroma1, chroma2 = math.hypot(a1, b1), math.hypot(a2, b2)
    if chroma1 < _HUED:
        sides.append((wanted, (l1, a2, b1), "too red" if a2 > a1 else "too green"))
        sides.append((wanted, (l1, a1, b2), "too yellow" if b2 > b1 else "too blue"))
    else:
        scale = chroma2 / chroma1
        sides.append((wanted, (l1, a1 * scale, b1 * scale), "too vivid" if scale > 1 else "too dull"))
        # Hues are as far apart as at the chroma between both (CIE 15): of what has lost all colour none is left.
        hues = math.atan2(b1, a1), math.atan2(b2, a2)
        one, other = ((l1, *(math.sqrt(chroma1 * chroma2) * of(hue) for of in (math.cos, math.sin))) for hue in hues)
        sides.append((_triple(one), _triple(other), _hue_word(*map(math.degrees, hues))))
    sizes = delta_e(np.array([one for one, _, _ in sides]), np.array([other for _, other, _ in sides]))
    return sides[int(np.argmax(sizes))][2] if sizes.max() >= 0.05 else ""


def to_json(check: ColourCheck) -> dict[str, Any]:
    """Return the check as JSON values, for reports and answers; ``delta_e`` is None where there was nothing to
    measure.
    """
    return {
        "delta_e": check.delta_e if check.measured else None,
        "says": str(check),
        "tolerance": check.reference.tolerance,
        "reference": str(check.reference),
        "off": check.is_off,
        "measured": [
            {"lab": list(item.lab), "hex": hex_text(item.lab), "share": round(item.share, 3)} for item in check.measured
        ],
    }


def _hue_word(wanted: float, measured: float) -> str:
    """Towards which of the unique hues one turned, both in degrees."""
    turn = (measured - wanted + 180) % 360 - 180
    # Not from the end: what has come to yellow, or a little beyond, is too yellow.
    at = wanted + 0.75 * turn
    return f"too {min(_UNIQUE_HUES, key=lambda name: (_UNIQUE_HUES[name] - at) * math.copysign(1, turn) % 360)}"


def _without_glare(measured: Sequence[DominantColour], reference: ColourReference) -> list[DominantColour]:
    wanted = [colour.lab for colour in reference.colours]
    return [part for part in measured if part.share > _GLARE or not _is_extreme(part.lab) or _near(part.lab, wanted)]


def _is_extreme(lab: Lab) -> bool:
    return lab[0] < _BLACK or (lab[0] > _WHITE and np.hypot(lab[1], lab[2]) < _NEUTRAL)


def _near(lab: Lab, wanted: Sequence[Lab]) -> bool:
    return bool((np.abs(np.array(wanted)[:, 0] - lab[0]) < 10).any())


def _transport(areas: np.ndarray, reference: ColourReference, cost: np.ndarray) -> np.ndarray:
    """How much area (parts, colours) of each measured part belongs to each colour of the reference, at least cost.

    With shares all of the article is judged, but for what they leave to 100 %; without, only what must be there.
    """
    from scipy.optimize import linprog

    parts, colours = cost.shape
    shares = [colour.share for colour in reference.colours]
    given = np.array([share for share in shares if share is not None])
    least = given / _ROOM if len(given) else np.full(colours, _LEAST / colours)
    most = np.minimum(1.0, given * _ROOM) if len(given) else least
    rest = min(1.0, _ROOM * max(0.0, 1 - given.sum())) if len(given) else 1.0
    of_part, of_colour = np.kron(np.eye(parts), np.ones(colours)), np.kron(np.ones(parts), np.eye(colours))
    judged = 1 - rest
    limits = np.concatenate([areas, most, -least, [-judged]])
    rows = np.vstack([of_part, of_colour, -of_colour, -np.ones(parts * colours)])
    found = linprog(cost.ravel(), A_ub=rows, b_ub=limits + 1e-9, bounds=(0, None), method="highs")
    if found.x is None:  # areas that cannot be had together: every part goes to its nearest colour
        nearest = np.zeros_like(cost)
        nearest[np.arange(parts), cost.argmin(axis=1)] = areas
        return nearest
    return found.x.reshape(parts, colours)


def _triple(values: Iterable[float]) -> Lab:
    lightness, a, b = (float(value) for value in values)
    return lightness, a, b
