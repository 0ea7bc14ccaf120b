"""What a sales channel demands of a picture, read from one TOML file a channel.

TOML, because every rule carries its source and people are meant to read and edit the files.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from string import Formatter
from typing import Any

from lib_photoshoot.errors import ExportError
from lib_photoshoot.file_names import LONGEST, shortened
from lib_photoshoot.files import shown
from lib_photoshoot.toml_text import parse_toml

PROFILES = Path(__file__).parent / "profiles"
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif"}
"""Formats that are written, with their suffixes."""
_NUMBERED = 6
"""Bytes that a number takes which is put behind a name."""
NAME_FIELDS = frozenset({"stem", "profile", "width", "height"})
"""What may stand in braces in a file-name pattern."""


class Aspect(str, Enum):
    """What a rule is about; a finding of the check names one."""

    SIZE = "size"
    BACKGROUND = "background"
    FILL = "fill"
    SHADOW = "shadow"
    FORMAT = "format"
    BYTES = "bytes"
    COLOUR = "colour"
    NAME = "name"
    METADATA = "metadata"
    OUTLINE = "outline"


class Ground(str, Enum):
    """What stands behind the product."""

    WHITE = "white"
    TRANSPARENT = "transparent"
    COLOUR = "colour"
    PICTURE = "picture"


class Measure(str, Enum):
    """How the share of the frame that the product fills is measured, both by its bounding box."""

    SIDE = "longest side"
    """The larger of box width / frame width and box height / frame height."""
    AREA = "area"
    """Box area / frame area."""


class Generated(str, Enum):
    """What the channel demands of a picture that a model generated."""

    FREE = "free"
    """Nothing that we know of."""
    MARKED = "marked"
    """It says so in its ``DigitalSourceType``; so does one that was edited by a model."""
    REFUSED = "refused"
    """It is not taken."""


@dataclass(frozen=True)
class Rule:
    """What the channel says about one aspect, in our words.

    ``source`` is an address, empty where the channel publishes nothing and the value is our choice. ``verified`` means
    that the channel's own page was read and says so, not merely somebody else's summary of it.
    """

    says: str
    source: str
    verified: bool


@dataclass(frozen=True)
class Canvas:
    """Sizes in pixels: the frame that is made, and the limits that a finished picture is checked against.

    With ``fixed_shape`` width and height have their own lower limits and the proportions must be those of the frame;
    without it only the longest side counts. ``stretch`` is how many times as long as wide the frame may become, to
    follow a long or a wide product: in a square that product could fill no large share of the area.
    """

    width: int
    height: int
    least_width: int
    least_height: int
    most_side: int
    fixed_shape: bool = True
    stretch: float = 1.0


@dataclass(frozen=True)
class Background:
    """``colour`` is RGB in 0..255, used for ``colour``; ``picture`` is the file used for ``picture``."""

    kind: Ground
    colour: tuple[int, int, int] = (255, 255, 255)
    picture: Path | None = None


@dataclass(frozen=True)
class FrameRule:
    """Shares of the frame in (0, 1]: ``fill`` is made, ``least`` and ``most`` are checked, ``margin`` stays free.

    ``enlarge`` is how many times a cut-out may be enlarged at most; 1 never enlarges.
    """

    fill: float
    least: float
    most: float
    margin: float
    enlarge: float
    measure: Measure = Measure.SIDE


@dataclass(frozen=True)
class Shadow:
    """A soft contact shadow; ``strength`` in (0, 1] is its darkness where the product stands."""

    on: bool
    strength: float = 0.45


@dataclass(frozen=True)
class Encoding:
    """``format`` is written, ``accepted`` formats pass the check. ``quality`` (1..100) is tried first and lowered to
    ``least_quality`` until the file has at most ``most_bytes`` bytes. ``name`` is the file-name pattern."""

    format: str
    accepted: tuple[str, ...]
    quality: int
    least_quality: int
    most_bytes: int
    name: str


@dataclass(frozen=True)
class Profile:
    """One channel's demands, valid by construction."""

    name: str
    title: str
    canvas: Canvas
    background: Background
    product: FrameRule
    shadow: Shadow
    file: Encoding
    rules: Mapping[Aspect, Rule]
    generated: Generated = Generated.FREE

    def file_name(self, stem: str, width: int, height: int) -> str:
        """Return the name that the pattern gives to a picture, with its suffix; a stem that is too long is
        shortened.
        """
        values = {"profile": self.name, "width": width, "height": height}
        around = len(os.fsencode(self.file.name.format(stem="", **values) + FORMATS[self.file.format]))
        fitting = shortened(stem, max(20, LONGEST - _NUMBERED - around))
        return self.file.name.format(stem=fitting, **values) + FORMATS[self.file.format]


def profile_names() -> list[str]:
    """Return the shipped profiles, sorted. Reads no file: shot lists need the names where no TOML can be read, too."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def load_profile(name: str) -> Profile:
    """Return a shipped profile by name, or one's own by the path of its ``.toml`` file. Raises ExportError."""
    path = Path(name) if name.endswith(".toml") else PROFILES / f"{name}.toml"
    if not name.endswith(".toml") and name not in profile_names():
        known = ", ".join(profile_names())
        raise ExportError(f"There is no export profile {name!r}; known are {known}, or give the path of a .toml file.")
    try:
        values = parse_toml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ExportError(f"The export profile {shown(path)} cannot be read ({reason}); check the path.") from error
    except ValueError as error:
        raise ExportError(f"The export profile {shown(path)} is not TOML ({error}); correct it.") from error
    try:
        return _profile(path, values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise ExportError(f"The export profile {shown(path)} is wrong: {reason}; correct it.") from error


def _profile(path: Path, values: dict[str, Any]) -> Profile:
    profile = Profile(
        name=path.stem,
        title=values["title"],
        canvas=_section(Canvas, values["canvas"], "canvas"),
        background=_background(path, values["background"]),
        product=_product(values["product"]),
        shadow=_section(Shadow, values["shadow"], "shadow"),
        file=_encoding(values["file"]),
        rules={aspect: _rule(values["rules"], aspect) for aspect in Aspect},
        generated=Generated(values.get("generated", Generated.FREE)),
    )
    _check(profile)
    return profile


_OUTLINE_RULE = Rule("our own: one product, whole, with a clean edge", "", False)
"""No channel writes it down: they take it for granted."""


def _rule(values: dict[str, Any], aspect: Aspect) -> Rule:
    if aspect is Aspect.OUTLINE and aspect.value not in values:
        return _OUTLINE_RULE
    return _section(Rule, values[aspect.value], aspect.value)


def _section(kind: Any, values: dict[str, Any], name: str) -> Any:
    unknown = sorted(set(values) - {field.name for field in fields(kind)})
    if unknown:
        raise ValueError(f"[{name}] has no value called {unknown[0]!r}")
    return kind(**values)


def _background(path: Path, values: dict[str, Any]) -> Background:
    values = dict(values)
    values["kind"] = Ground(values["kind"])
    if "colour" in values:
        if not re.fullmatch("#[0-9a-fA-F]{6}", values["colour"]):
            raise ValueError(f"background colour {values['colour']!r} is not of the form '#rrggbb'")
        values["colour"] = tuple(bytes.fromhex(values["colour"][1:]))
    if "picture" in values:
        values["picture"] = path.parent / values["picture"]
    background = _section(Background, values, "background")
    if background.kind is Ground.PICTURE and background.picture is None:
        raise ValueError("the background is a picture and [background] names none")
    return background


def _product(values: dict[str, Any]) -> FrameRule:
    return _section(FrameRule, {**values, "measure": Measure(values.get("measure", Measure.SIDE))}, "product")


def _encoding(values: dict[str, Any]) -> Encoding:
    return _section(Encoding, {**values, "accepted": tuple(values["accepted"])}, "file")


def _check(profile: Profile) -> None:
    """Raise ValueError for values that contradict each other or lie out of range."""
    canvas, product, file = profile.canvas, profile.product, profile.file
    wrong = {
        "the canvas is smaller than its own lower limits": canvas.width < canvas.least_width
        or canvas.height < canvas.least_height,
        "the canvas is larger than its own upper limit": max(canvas.width, canvas.height) > canvas.most_side,
        "stretch must be at least 1, and 1 in a frame of fixed shape": not 1 <= canvas.stretch < math.inf
        or (canvas.fixed_shape and canvas.stretch != 1),
        "the canvas has no pixels": min(canvas.least_width, canvas.least_height) < 1,
        "fill must lie between least and most, in (0, 1]": not 0 < product.least <= product.fill <= product.most <= 1,
        "margin must lie in [0, 0.5)": not 0 <= product.margin < 0.5,
        "fill and margin do not fit into the frame": product.fill + 2 * product.margin > 1 + 1e-9,
        "enlarge must be at least 1": not 1 <= product.enlarge < math.inf,
        "shadow strength must lie in (0, 1]": not 0 < profile.shadow.strength <= 1,
        f"format must be one of {', '.join(FORMATS)}": file.format not in FORMATS,
        "format must be among the accepted ones": file.format not in file.accepted,
        "JPEG has no transparency": profile.background.kind is Ground.TRANSPARENT and file.format == "JPEG",
        "qualities must satisfy 1 <= least_quality <= quality <= 100": not 1
        <= file.least_quality
        <= file.quality
        <= 100,
        "most_bytes must be positive": file.most_bytes < 1,
        f"the name may only use {', '.join(sorted(NAME_FIELDS))}, and must use stem": not _is_name(file.name),
    }
    for sentence, is_wrong in wrong.items():
        if is_wrong:
            raise ValueError(sentence)


def _is_name(pattern: str) -> bool:
    used = {field for _, field, _, _ in Formatter().parse(pattern) if field is not None}
    return "stem" in used and used <= NAME_FIELDS and not set("/\\") & set(pattern)
