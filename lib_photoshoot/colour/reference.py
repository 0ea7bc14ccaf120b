"""What colour an article has to have: one or several colours, by area or not, and how far a picture may be from them.

Written as ``#7a5c3e`` or ``#fff`` (sRGB), ``Lab(52, 8, 20)`` or ``Lab(52,5; 8; 20)`` (CIE L*a*b* of sRGB's white, D65),
or several with ``|`` between, each with its share of the article's area where that is known: ``#7a5c3e 60% | #ffffff
30%``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from lib_photoshoot.errors import ProductsError

if TYPE_CHECKING:
    from lib_photoshoot.colour.dominant import DominantColour

MOST_COLOURS = 8
HIGHEST_TOLERANCE = 50.0
_EXAMPLE = "#7a5c3e or Lab(52, 8, 20)"
_HEX = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_LAB = re.compile(rf"lab\s*\(\s*({_NUMBER})\s*[,\s]\s*({_NUMBER})\s*[,\s]\s*({_NUMBER})\s*\)", re.IGNORECASE)
# As spreadsheets of many countries write them; with three numbers, no text can be read in both ways.
_COMMA_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)"
_BETWEEN = r"(?:\s*;\s*|,?\s+)"
_COMMA_LAB = re.compile(
    rf"lab\s*\(\s*({_COMMA_NUMBER}){_BETWEEN}({_COMMA_NUMBER}){_BETWEEN}({_COMMA_NUMBER})\s*\)", re.IGNORECASE
)
_SHARE = re.compile(rf"(?P<colour>.*?)\s+(?P<share>{_COMMA_NUMBER})\s*%", re.DOTALL)
_RANGES = ((0.0, 100.0), (-128.0, 127.0), (-128.0, 127.0))


class ColourError(ProductsError):
    """A colour reference cannot be understood or used."""


@dataclass(frozen=True)
class ReferenceColour:
    """``text`` is ``#rrggbb`` or ``Lab(L, a, b)``; ``share`` the part of the article's area, 0..1, None for any."""

    text: str
    share: float | None = None

    @property
    def lab(self) -> tuple[float, float, float]:
        """CIE L*a*b* (D65)."""
        return _lab(self.text)

    @classmethod
    def measured(cls, colour: DominantColour) -> ReferenceColour:
        """Return a measured colour as what others have to be."""
        # Rounded down: all together are at most 100 %.
        return cls(lab_text(colour.lab), math.floor(colour.share * 100) / 100)

    def __str__(self) -> str:
        return self.text if self.share is None else f"{self.text} {self.share * 100:g}%"


@dataclass(frozen=True)
class ColourReference:
    """The colours of an article, and the CIEDE2000 from which a picture of it is refused."""

    # From 2 on untrained people see a difference (W. Mokrzycki, M. Tatol, "Colour difference ΔE - a survey", Machine
    # Graphics & Vision 20, 2011), and a picture measured twice, in other light edges and crops, differs by about 1.
    DEFAULT_TOLERANCE: ClassVar[float] = 3.0

    colours: tuple[ReferenceColour, ...]
    tolerance: float = DEFAULT_TOLERANCE

    def __str__(self) -> str:
        return " | ".join(map(str, self.colours))


def parse_reference(text: str, tolerance: float | str | None = None) -> ColourReference:
    """Return the reference that ``text`` writes; ``tolerance`` as a number or its text. Raises ColourError.

    >>> reference = parse_reference("#7a5c3e 60% | Lab(95, 0, 2) 40%", tolerance=3)
    >>> len(reference.colours), reference.colours[0].share, reference.colours[1].lab, reference.tolerance
    (2, 0.6, (95.0, 0.0, 2.0), 3.0)
    """
    return make_reference([_colour(part) for part in text.split("|")], parse_tolerance(tolerance))


def make_reference(colours: Iterable[ReferenceColour], tolerance: float) -> ColourReference:
    """Return a reference of colours that are right in themselves. Raises ColourError."""
    given = tuple(colours)
    if len(given) > MOST_COLOURS:
        raise ColourError(f"A colour reference names {len(given)} colours; name at most the {MOST_COLOURS} largest.")
    shares = [colour.share for colour in given if colour.share is not None]
    if shares and len(shares) < len(given):
        raise ColourError("Some colours of a reference have a share and some have none; give each its share, or none.")
    if sum(shares) > 1.005:
        raise ColourError(f"The shares of a colour reference add up to {sum(shares):.0%}; they are parts of 100 %.")
    return ColourReference(given, tolerance)


def parse_tolerance(value: float | str | None) -> float:
    """Return a tolerance in CIEDE2000; None or an empty text is the default. Raises ColourError."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return ColourReference.DEFAULT_TOLERANCE
    try:
        number = _number(value) if isinstance(value, str) else float(value)
    except ValueError:
        number = math.nan
    # Written so that NaN is refused too.
    if not 0 < number <= HIGHEST_TOLERANCE:
        raise ColourError(
            f"The tolerance of a colour is {_show(str(value))}; give a CIEDE2000 above 0 and up to "
            f"{HIGHEST_TOLERANCE:g}, such as {ColourReference.DEFAULT_TOLERANCE:g}."
        )
    return number


def lab_text(lab: Iterable[float]) -> str:
    """L*a*b* as it is written."""
    return f"Lab({', '.join(f'{round(value, 2) + 0.0:g}' for value in lab)})"


def hex_text(lab: tuple[float, float, float]) -> str:
    """Return the nearest sRGB colour as ``#rrggbb``."""
    import numpy as np

    from lib_photoshoot.colour.space import SRGB

    red, green, blue = SRGB.from_lab(np.array([[lab]], np.float32))[0, 0].tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


def _colour(part: str) -> ReferenceColour:
    text, share = part.strip(), None
    if (found := _SHARE.fullmatch(text)) is not None:
        text, share = found["colour"], _number(found["share"]) / 100
        if not 0 < share <= 1:
            raise ColourError(
                f"The share of the colour {_show(text)} is {found['share']} %; give one from above 0 to 100."
            )
    if not text:
        raise ColourError(f"A colour reference is empty; write a colour such as {_EXAMPLE}.")
    if _HEX.fullmatch(text):
        digits = text[1:].lower()
        return ReferenceColour("#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits)), share)
    if (lab := _LAB.fullmatch(text) or _COMMA_LAB.fullmatch(text)) is not None:
        return ReferenceColour(_checked_lab([_number(value) for value in lab.groups()]), share)
    raise ColourError(f"The colour {_show(text)} is not known; write it as {_EXAMPLE}.")


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _checked_lab(values: list[float]) -> str:
    for name, value, (lowest, highest) in zip(("L*", "a*", "b*"), values, _RANGES, strict=True):
        if not lowest <= value <= highest:
            raise ColourError(
                f"The colour {_show(lab_text(values))} has {name} {value:g}; give one from {lowest:g} to {highest:g}."
            )
    return lab_text(values)


@lru_cache(maxsize=256)
def _lab(text: str) -> tuple[float, float, float]:
    import numpy as np

    from lib_photoshoot.colour.space import SRGB

    if (found := _LAB.fullmatch(text)) is not None:
        lightness, a, b = map(float, found.groups())
        return lightness, a, b
    rgb = np.array([[[int(text[start : start + 2], 16) for start in (1, 3, 5)]]], np.uint8)
    lightness, a, b = (float(value) for value in SRGB.to_lab(rgb)[0, 0])
    return lightness, a, b


def _show(text: str) -> str:
    """Return the user's text on one line, short enough for a sentence, in quotes."""
    line = "".join(character if character.isprintable() else "\ufffd" for character in " ".join(text.split()))
    return f"'{line[:37]}...'" if len(line) > 40 else f"'{line}'"
