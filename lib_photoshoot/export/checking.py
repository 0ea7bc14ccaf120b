"""Which rules of a channel a finished picture misses, and by how much.

Where only the file is known, what differs from the background counts as the product, and so does all within its convex
hull: a white heel or dial is no background. A shadow counts with it, and dirt in a bag's handle is not seen.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from lib_photoshoot.colour.comparison import measure_colour
from lib_photoshoot.colour.profiles import is_srgb
from lib_photoshoot.colour.reference import ColourReference
from lib_photoshoot.errors import ImageError
from lib_photoshoot.export.placing import VISIBLE, fill_share
from lib_photoshoot.export.profile import Aspect, Generated, Ground, Profile, Rule
from lib_photoshoot.files import shown
from lib_photoshoot.images import PICTURE_FORMATS, Picture, decode_picture
from lib_photoshoot.masks.comparison import RAGGED, raggedness
from lib_photoshoot.masks.morphology import distance_to, fill_holes, remove_islands
from lib_photoshoot.provenance.evidence import evidence_in
from lib_photoshoot.provenance.metadata import Metadata
from lib_photoshoot.provenance.terms import SOURCE_OF, TERM_OF, DigitalSource

_NEAR_PRODUCT = 12
"""Pixels beside the product in which JPEG's 8 x 8 blocks leave rings, so that the background is not counted there."""
_FADING = 0.02
"""The same where the product had to be looked for, as a share of the frame's longer side: a white edge fades unseen."""
_SHADOW_REACH = 0.06
"""The same for a profile that allows a shadow, as a share of the frame's longer side."""
_SPECK = 0.002
"""Parts smaller than this share of the largest one are no product but dirt on the background."""
_SHAPE = 0.01
"""How much the proportions may differ."""


@dataclass(frozen=True)
class MissedRule:
    """One missed rule: what was measured, what the profile wants, and the rule itself with its source."""

    aspect: Aspect
    measured: str
    wanted: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.aspect.value}: {self.measured}, wanted {self.wanted}"


@dataclass(frozen=True)
class FileCheck:
    """``fill`` is the share of the frame and ``clean`` the share of the background that is exactly as it should be,
    both 0..1 and None before a background picture, where they cannot be measured."""

    width: int
    height: int
    bytes: int
    fill: float | None
    clean: float | None
    findings: tuple[MissedRule, ...]


@dataclass(frozen=True, eq=False)
class _File:
    """A finished picture as it is measured."""

    picture: Picture
    format: str
    mode: str
    icc: bytes | None
    size: int


def check_file(
    path: str | os.PathLike[str],
    profile: Profile,
    source: DigitalSource | None = None,
    reference: ColourReference | None = None,
) -> FileCheck:
    """Measure one file, its article's colour against ``reference`` where there is one.

    Raises ImageError when it cannot be read. ``source`` is as for :func:`check_bytes`.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"{shown(path)} cannot be read ({error.strerror}); check path and permission.") from error
    if not data:
        raise ImageError(f"{shown(path)} is empty (0 bytes); export the picture again.")
    check = check_bytes(data, profile, shown(path), source=source)
    if reference is None:
        return check
    return replace(check, findings=(*check.findings, *_colour_off(decode_picture(data, shown(path)), reference)))


def _colour_off(picture: Picture, reference: ColourReference) -> list[MissedRule]:
    """Return the finding for an article of another colour, or for no article."""
    article = _article(picture)
    found = measure_colour(picture.srgb, article, reference)
    if not found.is_off:
        return []
    ground = "white" if picture.alpha is None else "white or transparent"
    measured = f"colour_off, {found}" if article.any() else f"there is no article, all is {ground}"
    rule = Rule("The article's own colour.", "", True)
    return [MissedRule(Aspect.COLOUR, measured, f"{reference}, within {reference.tolerance:g}", rule)]


def _article(picture: Picture) -> np.ndarray:
    """Return what is neither white nor see-through, bool (height, width)."""
    if picture.alpha is not None and picture.alpha.min() < 255:
        return picture.alpha > 127
    off = _difference(picture, (255, 255, 255))
    seen, whole = off > VISIBLE, _product(off)
    # Of a white article on white hardly more than its edge differs.
    return seen if 2 * seen.sum() >= whole.sum() else whole


def check_bytes(
    data: bytes, profile: Profile, name: str, product: np.ndarray | None = None, source: DigitalSource | None = None
) -> FileCheck:
    """Measure a file's bytes; ``name`` stands for it in errors. Raises ImageError when they are no picture.

    ``product`` is the product's bool mask and ``source`` what the picture is, for those who know it; otherwise the
    product is looked for, and the file's own word is taken.
    """
    picture = decode_picture(data, name)
    with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as image:
        # An MPO is a JPEG with further pictures behind it.
        format_ = "JPEG" if image.format == "MPO" else str(image.format)
        file = _File(picture, format_, image.mode, image.info.get("icc_profile"), len(data))
    fill, clean, seen = _look(picture, profile, product)
    missed = [*_size(picture, profile), *seen, *_container(file, profile), *_mark(picture.metadata, profile, source)]
    findings = tuple(MissedRule(aspect, measured, wanted, profile.rules[aspect]) for aspect, measured, wanted in missed)
    return FileCheck(picture.width, picture.height, file.size, fill, clean, findings)


_Missed = tuple[Aspect, str, str]


def _size(picture: Picture, profile: Profile) -> list[_Missed]:
    canvas, width, height = profile.canvas, picture.width, picture.height
    measured = f"{width} x {height} pixels"
    missed = []
    if canvas.fixed_shape:
        too_small = width < canvas.least_width or height < canvas.least_height
        least = f"{canvas.least_width} x {canvas.least_height}"
    else:
        too_small = max(width, height) < max(canvas.least_width, canvas.least_height)
        least = f"{max(canvas.least_width, canvas.least_height)} on the longest side"
    if too_small:
        missed.append((Aspect.SIZE, measured, f"at least {least}"))
    if max(width, height) > canvas.most_side:
        missed.append((Aspect.SIZE, measured, f"at most {canvas.most_side} a side"))
    if canvas.fixed_shape and abs(width * canvas.height / (height * canvas.width) - 1) > _SHAPE:
        wanted = f"{canvas.width / canvas.height:.3f}"
        missed.append((Aspect.SIZE, f"width / height {width / height:.3f}", wanted))
    return missed


def _look(
    picture: Picture, profile: Profile, product: np.ndarray | None
) -> tuple[float | None, float | None, list[_Missed]]:
    """Fill share, clean share and what is missed by background and product."""
    kind = profile.background.kind
    if kind is Ground.PICTURE:
        return None, None, []
    if kind is Ground.TRANSPARENT:
        # Without any alpha everything is opaque: no pixel is background, and the frame is full.
        off = np.full(picture.pixels.shape[:2], 255) if picture.alpha is None else picture.alpha
    else:
        colour = profile.background.colour if kind is Ground.COLOUR else (255, 255, 255)
        off = _difference(picture, colour)
    share = _SHADOW_REACH if profile.shadow.on else 0.0
    outline: list[_Missed] = []
    if product is None:
        outline = [] if profile.shadow.on else _outline(off)
        product, share = _product(off), max(share, _FADING)
    clean, missed = _background(off, product, profile, share)
    fill = fill_share(product, profile.product.measure)
    return fill, clean, missed + _fill(fill, product, profile) + outline


def _outline(off: np.ndarray) -> list[_Missed]:
    """Return what the pixels show of a frayed edge; a cut-off product is told from a straight one at the frame only."""
    found = raggedness(fill_holes(remove_islands(off > VISIBLE, _SPECK)))
    if found <= RAGGED:
        return []
    measured = f"the edge is {found:.2f} times as long as a smooth one around the same product"
    return [(Aspect.OUTLINE, measured, f"at most {RAGGED:g} times")]


def _product(off: np.ndarray) -> np.ndarray:
    """Return the convex hull of what differs from the background, without specks."""
    seen = off > VISIBLE
    if not seen.any():
        return seen
    points = cv2.findNonZero(remove_islands(seen, _SPECK).view(np.uint8))
    hull = np.zeros(seen.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), (1,))
    return hull.view(np.bool_)


def _difference(picture: Picture, colour: tuple[int, int, int]) -> np.ndarray:
    """How far each pixel is from the colour, in its worst channel; transparent ones are as far as can be."""
    off = np.abs(picture.pixels.astype(np.int16) - np.array(colour, np.int16)).max(axis=2)
    return off if picture.alpha is None else np.where(picture.alpha < 255, 255, off)


def _background(off: np.ndarray, product: np.ndarray, profile: Profile, share: float) -> tuple[float, list[_Missed]]:
    """Return the clean share of what lies well away from the product, and what is wrong there and along the frame.

    ``share`` of the frame's longer side is how far away that is.
    """
    wanted = {Ground.WHITE: "255, 255, 255", Ground.TRANSPARENT: "full transparency"}.get(
        profile.background.kind, ", ".join(map(str, profile.background.colour))
    )
    far = distance_to(product) > max(_NEAR_PRODUCT, share * max(off.shape))
    total, wrong = int(np.count_nonzero(far)), int(np.count_nonzero(far & (off > 0)))
    missed: list[_Missed] = []
    if wrong:
        worst = int(off[far].max())
        missed.append((Aspect.BACKGROUND, f"{wrong:,} of {total:,} background pixels differ, by up to {worst}", wanted))
    edge = np.concatenate([off[0], off[-1], off[1:-1, 0], off[1:-1, -1]])
    touching = int(np.count_nonzero(edge > VISIBLE))
    if touching:
        measured = f"{touching:,} of {edge.size:,} pixels along the frame's edge are not background"
        missed.append((Aspect.BACKGROUND, measured, wanted))
    return (1 - wrong / total if total else 0.0), missed


def _fill(fill: float, product: np.ndarray, profile: Profile) -> list[_Missed]:
    limits = profile.product
    # A row or column lost to a pale outline is no reason to refuse a picture.
    slack = 2 / min(product.shape)
    if limits.least - slack <= fill <= limits.most + slack:
        return []
    wanted = f"{limits.least:.0%} to {limits.most:.0%} by {limits.measure.value}"
    return [(Aspect.FILL, f"the product fills {fill:.1%}", wanted)]


def _container(file: _File, profile: Profile) -> list[_Missed]:
    """Return what is wrong with the file around the pixels."""
    missed: list[_Missed] = []
    if file.format not in profile.file.accepted:
        missed.append((Aspect.FORMAT, file.format, " or ".join(profile.file.accepted)))
    if file.size > profile.file.most_bytes:
        over = file.size - profile.file.most_bytes
        missed.append((Aspect.BYTES, f"{file.size:,} bytes, {over:,} too many", f"at most {profile.file.most_bytes:,}"))
    # A picture without a profile is sRGB by convention (https://www.w3.org/TR/css-color-4/#untagged).
    if file.mode in ("CMYK", "LAB"):
        missed.append((Aspect.COLOUR, f"colours as {file.mode}", "sRGB"))
    elif file.icc is not None and not is_srgb(file.icc):
        missed.append((Aspect.COLOUR, "an embedded profile other than sRGB", "sRGB"))
    return missed


def _mark(metadata: Metadata, profile: Profile, source: DigitalSource | None) -> list[_Missed]:
    """Return what the channel misses about a generated picture."""
    if source is None:
        evidence = evidence_in(metadata)
        source = DigitalSource.PHOTO if evidence is None else evidence.source
    if source is DigitalSource.GENERATED and profile.generated is Generated.REFUSED:
        return [(Aspect.METADATA, "a generated picture", "a photo of the item itself")]
    marked = any(SOURCE_OF[term] in TERM_OF for term in metadata.terms)
    if source not in TERM_OF or profile.generated is not Generated.MARKED or marked:
        return []
    return [(Aspect.METADATA, f"{source.value}, without a DigitalSourceType that says so", TERM_OF[source])]


def to_json(name: str, check: FileCheck) -> dict[str, Any]:
    """Return the check of one file as JSON values."""
    return {
        "file": name,
        "width": check.width,
        "height": check.height,
        "bytes": check.bytes,
        "fill": None if check.fill is None else round(check.fill, 4),
        "clean_background": None if check.clean is None else round(check.clean, 6),
        "missed": [
            {
                "aspect": item.aspect.value,
                "measured": item.measured,
                "wanted": item.wanted,
                "rule": item.rule.says,
                "source": item.rule.source,
                "verified": item.rule.verified,
            }
            for item in check.findings
        ],
    }
