"""Drawn articles of known colours in every space, format and depth, and an independent reader of what is made of them.

The reader is LittleCMS for 8 bits and colour-science for 16: nothing of it is the product's own.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageCms

from lib_photoshoot.colour.deep import encode_deep
from lib_photoshoot.colour.difference import colour_science
from lib_photoshoot.colour.icc import SRGB_CURVE, make_profile

ARTICLES = {
    "white": (95, 0, 1), "black": (14, 0, 0), "grey": (55, 0, 0), "cream": (91, 1, 11), "beige": (82, 3, 15),
    "taupe": (50, 4, 9), "greige": (70, 2, 7), "sage": (66, -9, 11), "dusty pink": (72, 15, 6),
    "pale blue": (80, -4, -12), "navy": (20, 6, -27), "terracotta": (54, 33, 32), "saturated red": (46, 66, 45),
    "gold": (69, 10, 55),
}  # fmt: skip
"""Mean colours, CIE L*a*b* D65, all inside sRGB."""
NEUTRAL = ("white", "black", "grey")
WIDTH, HEIGHT = 240, 200

_D65, _D50 = (0.3127, 0.3290), (0.3457, 0.3585)
_ICC = Path("/usr/share/color/icc")


@dataclass(frozen=True, eq=False)
class Space:
    """``matrix`` takes linear RGB to XYZ of the white ``white``; ``gamma`` None means the curve of sRGB."""

    name: str
    icc: bytes | None
    matrix: np.ndarray
    white: tuple[float, float]
    gamma: float | None

    def light(self, codes: np.ndarray) -> np.ndarray:
        return colour_science().models.eotf_sRGB(codes) if self.gamma is None else codes**self.gamma

    def codes(self, light: np.ndarray) -> np.ndarray:
        light = np.clip(light, 0, 1)
        return colour_science().models.eotf_inverse_sRGB(light) if self.gamma is None else light ** (1 / self.gamma)


@dataclass(frozen=True, eq=False)
class Case:
    """One file: ``space`` is a name of :func:`spaces`, CMYK or grey."""

    article: str
    space: str
    format_: str
    bits: int

    @property
    def stem(self) -> str:
        return f"{self.article}_{self.space}_{self.format_}_{self.bits}".replace(" ", "-")

    @property
    def file_name(self) -> str:
        return f"{self.stem}.{'tif' if self.format_ == 'TIFF' else self.format_.lower()}"


@lru_cache(maxsize=1)
def spaces() -> dict[str, Space]:
    """RGB spaces, with Debian's profiles where they lie on this machine and made from primaries elsewhere."""
    known = colour_science().RGB_COLOURSPACES
    rows = (
        ("sRGB", "sRGB", _D65, None, None),
        ("Display P3", "Display P3", _D65, None, SRGB_CURVE),
        ("Adobe RGB", "Adobe RGB (1998)", _D65, 563 / 256, "colord/AdobeRGB1998.icc"),
        ("ProPhoto", "ProPhoto RGB", _D50, 1.8, "colord/ProPhotoRGB.icc"),
    )
    made = {}
    for name, theirs, white, gamma, source in rows:
        space = known[theirs]
        icc = None
        if isinstance(source, str):
            icc = _installed(source)
        if source is not None and icc is None:
            icc = make_profile(space.primaries.ravel(), white, (gamma,) if gamma else SRGB_CURVE, name)
        made[name] = Space(name, icc, space.matrix_RGB_to_XYZ, white, gamma)
    return made


def cmyk_profile() -> bytes | None:
    """A press profile of Debian's, or None."""
    return _installed("ghostscript/default_cmyk.icc")


def _installed(name: str) -> bytes | None:
    path = _ICC / name
    return path.read_bytes() if path.is_file() else None


@lru_cache(maxsize=1)
def grey_profile() -> bytes:
    """A grey profile of gamma 1.8, unlike sRGB's curve: an RGB profile's own curve under a grey one's name."""
    rgb = make_profile((0.64, 0.33, 0.30, 0.60, 0.15, 0.06), _D65, (1.8,), "grey")
    return (rgb[:16] + b"GRAY" + rgb[20:]).replace(b"rTRC", b"kTRC", 1)


def cases(articles: Sequence[str] = tuple(ARTICLES)) -> Iterator[Case]:
    """Every space in every format and depth that can hold it."""
    files = (("JPEG", 8), ("PNG", 8), ("PNG", 16), ("WEBP", 8), ("TIFF", 8), ("TIFF", 16))
    for article in articles:
        yield from (Case(article, space, *file) for space in spaces() for file in files)
        if cmyk_profile():
            yield from (Case(article, "CMYK", *file) for file in (("JPEG", 8), ("TIFF", 8), ("TIFF", 16)))
        if article in NEUTRAL:
            yield from (Case(article, "grey", *file) for file in files if file[0] != "WEBP")


@lru_cache(maxsize=1)
def mask() -> np.ndarray:
    """The article: bool (height, width)."""
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(drawn, (WIDTH // 2, HEIGHT // 2), (80, 70), 0, 0, 360, 1, -1)
    return drawn.astype(bool)


@lru_cache(maxsize=32)
def _xyz(article: str) -> np.ndarray:
    """The picture as XYZ of D65: light from one side, a weave, a little noise, on a sweep of light grey."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    shading = 5 * np.cos((columns - WIDTH * 0.35) / WIDTH * 3) - 2
    weave = 1.6 * np.sin(columns * 1.3) * np.sin(rows * 1.1)
    noise = np.random.default_rng(len(article)).normal(0, 0.6, rows.shape)
    lab = np.empty((HEIGHT, WIDTH, 3))
    lab[...] = (86, 0, 0)
    lab[mask()] = ARTICLES[article]
    lab[..., 0] += np.where(mask(), shading + weave + noise, noise)
    lab[..., 0] = np.clip(lab[..., 0], 3, 99)
    return colour_science().Lab_to_XYZ(lab, _D65)


def file_of(case: Case) -> bytes:
    """The picture as a file."""
    most = 65535 if case.bits == 16 else 255
    kind = {"CMYK": 5, "grey": 1}.get(case.space, 2)
    if case.space == "CMYK":
        icc, codes = cmyk_profile(), _cmyk(case.article) * (most // 255)
    elif case.space == "grey":
        icc, codes = grey_profile(), np.rint(np.clip(_xyz(case.article)[..., 1], 0, 1) ** (1 / 1.8) * most)
    else:
        space = spaces()[case.space]
        icc, codes = (
            space.icc,
            np.rint(
                space.codes(_adapted(_xyz(case.article), _D65, space.white) @ np.linalg.inv(space.matrix).T) * most
            ),
        )
    codes = codes.astype(np.uint16 if case.bits == 16 else np.uint8)
    if case.format_ == "TIFF" and case.bits == 16:
        return _tiff(codes, kind, icc)
    if case.bits == 16 and codes.ndim == 3:
        return encode_deep(codes, None, {"icc_profile": icc} if icc else {})
    buffer = io.BytesIO()
    options: dict[str, Any] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}.get(case.format_, {})
    image = Image.fromarray(codes, "CMYK") if case.space == "CMYK" else Image.fromarray(codes)
    image.save(buffer, case.format_, icc_profile=icc, **options)
    return buffer.getvalue()


def _cmyk(article: str) -> np.ndarray:
    srgb = spaces()["sRGB"]
    rgb = srgb.codes(_xyz(article) @ np.linalg.inv(srgb.matrix).T)
    image = Image.fromarray(np.rint(rgb * 255).astype(np.uint8))
    press: Any = ImageCms.ImageCmsProfile(io.BytesIO(cmyk_profile() or b""))
    return np.asarray(ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), press, outputMode="CMYK"))


def _tiff(codes: np.ndarray, kind: int, icc: bytes | None) -> bytes:
    """Uncompressed, one strip: Pillow writes no 16 bits of several channels, OpenCV no profile."""
    channels = 1 if codes.ndim == 2 else codes.shape[2]
    tags = [(256, 3, [codes.shape[1]]), (257, 3, [codes.shape[0]]), (258, 3, [16] * channels), (259, 3, [1])]
    tags += [
        (262, 3, [kind]),
        (273, 4, [0]),
        (277, 3, [channels]),
        (278, 3, [codes.shape[0]]),
        (279, 4, [codes.nbytes]),
    ]
    bodies = {tag: struct.pack(f"<{len(values)}{'H' if type_ == 3 else 'I'}", *values) for tag, type_, values in tags}
    entries = [(tag, type_, len(values)) for tag, type_, values in tags]
    if icc:
        entries.append((34675, 7, len(icc)))
        bodies[34675] = icc
    place = 8 + 2 + 12 * len(entries) + 4
    table, behind = b"", b""
    pixels_at = place + sum(len(body) + len(body) % 2 for body in bodies.values() if len(body) > 4)
    bodies[273] = struct.pack("<I", pixels_at)
    for tag, type_, count in entries:
        body = bodies[tag]
        value = body.ljust(4, b"\0") if len(body) <= 4 else struct.pack("<I", place + len(behind))
        if len(body) > 4:
            behind += body + b"\0" * (len(body) % 2)
        table += struct.pack("<HHI", tag, type_, count) + value
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0" * 4
    return head + behind + codes.astype("<u2").tobytes()


def read_lab(data: bytes) -> np.ndarray:
    """A file as a colour-managed reader shows it, CIE L*a*b* of D65 (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        icc, mode = image.info.get("icc_profile"), image.mode
        deep = None if mode == "CMYK" else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16:
            return _deep_lab(deep, icc)
        if mode in ("RGBA", "LA"):
            image = image.convert(mode[:-1])
        if icc:
            image = ImageCms.applyTransform(image, _to_srgb(icc, image.mode))
        codes = np.asarray(image.convert("RGB")) / 255
    return colour_science().XYZ_to_Lab(spaces()["sRGB"].light(codes) @ spaces()["sRGB"].matrix.T, _D65)


@lru_cache(maxsize=32)
def _to_srgb(icc: bytes, mode: str) -> Any:
    source: Any = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")  # type: ignore[arg-type]


def _deep_lab(deep: np.ndarray, icc: bytes | None) -> np.ndarray:
    if icc == grey_profile():
        xyz = (deep[..., None] / 65535) ** 1.8 * colour_science().xy_to_XYZ(_D65)
        return colour_science().XYZ_to_Lab(xyz, _D65)
    (space,) = [space for space in spaces().values() if space.icc == icc]
    if deep.ndim == 2:
        deep = np.repeat(deep[:, :, None], 3, axis=2)
    xyz = space.light(deep[..., 2::-1] / 65535) @ space.matrix.T
    return colour_science().XYZ_to_Lab(_adapted(xyz, space.white, _D65), _D65)


def _adapted(xyz: np.ndarray, white: tuple[float, float], wanted: tuple[float, float]) -> np.ndarray:
    if white == wanted:
        return xyz
    colour = colour_science()
    whites = colour.xy_to_XYZ(white), colour.xy_to_XYZ(wanted)
    return colour.adaptation.chromatic_adaptation(xyz, *whites, method="Von Kries", transform="Bradford")
