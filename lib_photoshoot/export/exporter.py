"""One picture of a channel as a file: render, encode, check what was made, and write it over no other file."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lib_photoshoot.consistency.measuring import measure_traits
from lib_photoshoot.consistency.traits import Traits
from lib_photoshoot.export.checking import MissedRule, check_bytes
from lib_photoshoot.export.encoding import encode_under
from lib_photoshoot.export.new_files import write_new
from lib_photoshoot.export.placing import fill_share, is_cut_off
from lib_photoshoot.export.profile import Ground, Profile
from lib_photoshoot.export.rendering import Rendered, render
from lib_photoshoot.files import shown
from lib_photoshoot.images import read_picture
from lib_photoshoot.provenance.evidence import OriginEvidence

if TYPE_CHECKING:
    from lib_photoshoot.export.signing import Signer


@dataclass(frozen=True)
class ExportedPicture:
    """What was written.

    ``fill`` and ``clean`` are shares 0..1 of the frame and of the background, ``clean`` counted in the file's own
    pixels. ``scale`` is relative to the cut-out. ``evidence`` is what the picture is taken to be. ``cut_off`` says that
    the picture's edge cuts the product off. ``missed`` is what the channel will object to.
    """

    path: Path
    width: int
    height: int
    bytes: int
    quality: int
    scale: float
    fill: float
    clean: float
    evidence: OriginEvidence
    cut_off: bool
    missed: tuple[MissedRule, ...]
    digest: str
    """The sha256 of the file's bytes, in hexadecimal digits."""
    was_there: bool = False
    """The same file lay there already."""
    traits: Traits = field(default_factory=dict, compare=False)
    """What it is compared by with the others of its channel."""

    def __str__(self) -> str:
        parts = [
            *(["already there"] if self.was_there else []),
            f"{self.width}x{self.height}",
            f"scaled {self.scale:.2f}",
            f"fills {self.fill:.1%}",
            f"background exact in {self.clean:.3%}",
            f"{self.bytes:,} bytes at quality {self.quality}",
            f"{self.evidence.source.value} ({self.evidence.term or 'no DigitalSourceType'})",
        ]
        notes = [f"misses {finding}" for finding in self.missed]
        if self.cut_off:
            notes.append("the product is cut off by its picture's edge")
        return "\n  ".join([f"{shown(self.path)}: {', '.join(parts)}", *notes])


class Exporter:
    """Exports cut-outs for one profile; reads the background picture, where there is one, once."""

    def __init__(self, profile: Profile, out: Path, enlarge: float | None = None, signer: Signer | None = None) -> None:
        """``enlarge`` replaces the profile's limit of enlargement. Raises ImageError for a bad background picture."""
        self.signer = signer
        self.profile = profile
        self.out = out
        self.enlarge = enlarge
        picture = profile.background.picture if profile.background.kind is Ground.PICTURE else None
        self._backdrop = None if picture is None else read_picture(picture).srgb

    def export(
        self, rgba: np.ndarray, name: PurePath, evidence: OriginEvidence, original: Path | None = None
    ) -> ExportedPicture:
        """Write one cut-out (uint8 RGBA in sRGB) under its output name (folders kept, no suffix).

        What ``evidence`` has of metadata is kept in the file, with the term for its source. A signature names
        ``original`` as what it was made from.

        Raises ExportError when another file has its name, it cannot be written, or cannot be made small enough.
        """
        exported, data = self.make(rgba, name, evidence, original)
        return exported if write_new(exported.path, data) else replace(exported, was_there=True)

    def make(
        self, rgba: np.ndarray, name: PurePath, evidence: OriginEvidence, original: Path | None = None
    ) -> tuple[ExportedPicture, bytes]:
        """Return what :meth:`export` would write, checked, and its bytes: unsigned, the same for the same cut-out and
        profile.

        Raises ExportError when it cannot be made small enough.
        """
        rendered = render(rgba, self.profile, self._backdrop, self.enlarge)
        data, quality = encode_under(rendered.pixels, self.profile.file, evidence.marked)
        if self.signer is not None:
            parent = None if original is None else original.read_bytes()
            data = self.signer.sign(data, self.profile.file.format, evidence, parent)
        height, width = rendered.empty.shape
        path = self.out / name.parent / self.profile.file_name(name.name, width, height)
        exported = ExportedPicture(
            path=path,
            width=width,
            height=height,
            bytes=len(data),
            quality=quality,
            scale=rendered.placement.scale,
            fill=fill_share(rendered.product, self.profile.product.measure),
            clean=_clean(rendered, data),
            evidence=evidence,
            cut_off=is_cut_off(rgba),
            missed=check_bytes(data, self.profile, shown(path), rendered.product, evidence.source).findings,
            digest=hashlib.sha256(data).hexdigest(),
            traits=_traits(rendered),
        )
        return exported, data


def _traits(rendered: Rendered) -> Traits:
    pixels = np.ascontiguousarray(rendered.pixels[:, :, :3])
    alpha = rendered.pixels[:, :, 3] if rendered.pixels.shape[2] == 4 else None
    return measure_traits(pixels, rendered.product, alpha=alpha)


def _clean(rendered: Rendered, data: bytes) -> float:
    """Return the share of the empty pixels that the encoder left exactly as they were."""
    with Image.open(io.BytesIO(data)) as image:
        written = np.asarray(image)
    same = (written == rendered.pixels).all(axis=2)
    total = int(np.count_nonzero(rendered.empty))
    return np.count_nonzero(same & rendered.empty) / total if total else 1.0
