"""ICC profiles of matrix and tone curves, the kind that cameras, phones and editors put into pictures.

They are read here because LittleCMS through Pillow gives 8 bits only, too few to retouch a colour and go back. Profiles
of any other kind are left to it. ICC.1:2022, "Image technology colour management", clauses 8.3, 10.6 and 10.18.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lib_photoshoot.colour.difference import colour_science

Curve = Callable[[np.ndarray], np.ndarray]
"""A tone curve: code values in [0, 1] to linear light in [0, 1]."""

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""IEC 61966-2-1 as the parameters g, a, b, c, d of an ICC curve of type 3."""

_HEADER = 128
_TABLES = (b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1", b"D2B2")
_D50 = (0.9642, 1.0, 0.8249)
_FIXED = 65536
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
"""How many numbers each type of parametric curve has."""


class ProfileError(ValueError):
    """The profile is damaged, or not of this kind."""


@dataclass(frozen=True, eq=False)
class MatrixProfile:
    """``matrix`` takes linear RGB to XYZ relative to D50, float64 (3, 3); ``curves`` has one curve a channel."""

    matrix: np.ndarray
    curves: tuple[Curve, Curve, Curve]


def colour_space_of(icc: bytes) -> str:
    """Return the profile's own colour space as its header says, for example RGB, GRAY or CMYK."""
    return icc[16:20].decode("latin-1").strip()


def has_tables(icc: bytes) -> bool:
    """Whether the profile tells colours by tables, which LittleCMS prefers to its matrix. ProfileError if damaged."""
    return any(name in _TABLES for name in _tags(icc))


def is_hdr(icc: bytes) -> bool:
    """Whether the profile says that the picture's values are PQ or HLG (ITU-R BT.2100). ProfileError if damaged."""
    coding = _tags(icc).get(b"cicp", b"")
    return len(coding) >= 10 and coding[9] in (16, 18)


def matrix_profile(icc: bytes) -> MatrixProfile:
    """Read an RGB profile of matrix and curves. Raises ProfileError for any other."""
    tags = _tags(icc)
    if colour_space_of(icc) != "RGB" or icc[20:24] != b"XYZ ":
        raise ProfileError("no RGB profile with a matrix")
    try:
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (KeyError, struct.error, IndexError) as error:
        raise ProfileError("no matrix and curves") from error
    matrix = np.array(columns).T
    if not np.isfinite(np.linalg.cond(matrix)) or np.linalg.cond(matrix) > 1e4:
        raise ProfileError("its primaries span no colour space")
    return MatrixProfile(matrix, (red, green, blue))


def grey_curve(icc: bytes) -> Curve:
    """Return the tone curve of a grey profile. Raises ProfileError for any other."""
    tags = _tags(icc)
    if colour_space_of(icc) != "GRAY" or b"kTRC" not in tags:
        raise ProfileError("no grey profile with a curve")
    try:
        curve = _curve(tags[b"kTRC"])
    except (struct.error, IndexError) as error:
        raise ProfileError("no grey curve") from error
    # In a profile that is connected by L*a*b* the curve goes to lightness.
    return (lambda x: _light_of(curve(x))) if icc[20:24] == b"Lab " else curve


def _light_of(lightness: np.ndarray) -> np.ndarray:
    """L* in [0, 1] to Y in [0, 1], CIE 15."""
    return np.where(lightness > 0.08, ((lightness + 0.16) / 1.16) ** 3, lightness * (2700 / 24389))


def make_profile(primaries: Sequence[float], white: Sequence[float], parameters: Sequence[float], name: str) -> bytes:
    """Return a version 4 profile from CIE xy chromaticities: ``primaries`` six numbers, ``white`` two.

    ``parameters`` are those of an ICC curve: one of type 0 (a gamma), or five of type 3.
    """
    colour = colour_science()
    rgb_to_xyz = colour.normalised_primary_matrix(np.reshape(primaries, (3, 2)), white)
    seen = colour.xy_to_XYZ(white)
    adapted = colour.adaptation.matrix_chromatic_adaptation_VonKries(seen, np.array(_D50), transform="Bradford")
    columns = (adapted @ rgb_to_xyz).T
    curve = _parametric(parameters)
    tags = [
        (b"desc", _text(name)),
        (b"cprt", _text("No copyright, use freely")),
        (b"wtpt", _xyz_tag(_D50)),
        (b"chad", b"sf32\0\0\0\0" + b"".join(_fixed(value) for value in adapted.ravel())),
        *((tag, _xyz_tag(column)) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)),
        *((tag, curve) for tag in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    return _assembled(tags)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    if len(icc) < _HEADER + 4 or icc[36:40] != b"acsp":
        raise ProfileError("no ICC profile")
    (count,) = struct.unpack_from(">I", icc, _HEADER)
    if count > 1000 or len(icc) < _HEADER + 4 + 12 * count:
        raise ProfileError("its table of tags is cut off")
    tags = {}
    for place in range(_HEADER + 4, _HEADER + 4 + 12 * count, 12):
        name, offset, size = struct.unpack_from(">4sII", icc, place)
        tags[name] = icc[offset : offset + size]
    return tags


def _xyz(tag: bytes) -> list[float]:
    return [value / _FIXED for value in struct.unpack_from(">3i", tag, 8)]


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        if kind not in _PARAMETERS:
            raise ProfileError("a curve of an unknown type")
        values = [value / _FIXED for value in struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)]
        return lambda x: _parametric_curve(kind, values, x)
    if tag[:4] != b"curv":
        raise ProfileError("a curve of an unknown kind")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return lambda x: x
    if count == 1:
        gamma = struct.unpack_from(">H", tag, 12)[0] / 256
        return lambda x: x**gamma
    if len(tag) < 12 + 2 * count:
        raise ProfileError("a curve that is cut off")
    table = np.frombuffer(tag, ">u2", count, 12) / 65535
    return lambda x: np.interp(x, np.linspace(0, 1, count), table)


def _parametric_curve(kind: int, values: Sequence[float], x: np.ndarray) -> np.ndarray:
    g, a, b, c, d, e, f = _seven(kind, values)
    power = np.maximum(a * x + b, 0) ** g + e
    return np.clip(np.where(x >= d, power, c * x + f), 0, 1)


def _seven(kind: int, values: Sequence[float]) -> tuple[float, ...]:
    """Any type of parametric curve as one of type 4: (a x + b)^g + e from d on, below it c x + f."""
    if kind == 0:
        return (values[0], 1, 0, 0, 0, 0, 0)
    g, a, b, *rest = values
    if kind in (1, 2):
        base = rest[0] if rest else 0.0
        return (g, a, b, 0, -b / a if a else 0.0, base, base)
    return tuple((g, a, b, *rest, 0, 0)[:7])


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * _FIXED))


def _xyz_tag(values: Sequence[float] | np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _parametric(values: Sequence[float]) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">Hxx", 0 if len(values) == 1 else 3) + b"".join(map(_fixed, values))


def _text(text: str) -> bytes:
    body = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(body), 28) + body


def _assembled(tags: Sequence[tuple[bytes, bytes]]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = _HEADER + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}
    for name, data in tags:
        if data not in places:  # the three curves are one
            places[data] = start + len(body)
            body += data + b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    size = start + len(body)
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI4sIQI3i4s",
        *(size, b"\0" * 4, 0x04300000, b"mntr", b"RGB ", b"XYZ "),
        # A fixed date: the same profile has the same bytes.
        *(1999, 10, 18, 0, 0, 0),
        *(b"acsp", b"\0" * 4, 0, b"\0" * 4, 0, 0, 0, *(round(value * _FIXED) for value in _D50), b"\0" * 4),
    )
    return header.ljust(_HEADER, b"\0") + table + body
