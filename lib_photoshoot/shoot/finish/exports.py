"""The exports of a shoot for one sales channel, each put in place once; see ``finishing.py``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from lib_photoshoot.catalog.report import what_to_check
from lib_photoshoot.confined import inside, stays_inside
from lib_photoshoot.errors import ExportError, ImageError
from lib_photoshoot.export.exporter import ExportedPicture, Exporter
from lib_photoshoot.export.profile import Profile, load_profile
from lib_photoshoot.file_names import with_ending
from lib_photoshoot.files import sha256_of, shown, write_atomic
from lib_photoshoot.images import read_picture
from lib_photoshoot.provenance.evidence import OriginEvidence, evidence_in
from lib_photoshoot.provenance.metadata import Metadata
from lib_photoshoot.provenance.terms import DigitalSource
from lib_photoshoot.ranking.run_folder import Candidate, read_cutout, read_mask
from lib_photoshoot.scene_settings import Repaint
from lib_photoshoot.shoot.finish.ledger import ExportRecord

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.shoot.run.ledger import Try
    from lib_photoshoot.shoot.shot_list.product import ListedProduct

WITHDRAWN = "withdrawn"
"""Folder, in a profile's, of what is no longer to be sold."""


@dataclass(frozen=True, eq=False)
class FinishedCutOut:
    """An accepted picture in which the product was found; ``made_from`` changes with the files it is measured from."""

    entry: Try
    candidate: Candidate
    made_from: str


class ProfileExports:
    """The exports for one profile."""

    def __init__(self, folder: Path, profile: Profile) -> None:
        """``folder`` need not be there."""
        self.name = profile.name
        self.profile = profile
        self.folder = folder
        self._exporter = Exporter(profile, folder)
        self._digest = _digest_of(profile)

    def export(
        self, product: ListedProduct, item: FinishedCutOut, run: Path, before: ExportRecord | None
    ) -> tuple[ExportRecord, ExportedPicture | None]:
        """Put one export in place; ``before`` itself, without a picture, is returned where that holds still.

        A file that somebody changed is never written over. Raises ImageError, ExportError and OSError.
        """
        made_from = f"{item.made_from} {self._digest}"
        if before is not None and before.made_from == made_from and self._is_there(before):
            return before, None
        exported, data = self.make(product, item, run)
        path, digest = exported.path, exported.digest
        if before is not None and PurePath(before.file).suffix == path.suffix:
            path = self.folder / before.file  # it may have been called otherwise
        there = sha256_of(path) if path.is_file() else None
        if there not in (None, digest, before and before.sha256):
            raise ExportError(
                f"{shown(path)} was not written by `finish`, or changed since, and is kept; remove it to have it made "
                "again."
            )
        if there != digest:
            write_atomic(path, data)
        record = ExportRecord(
            profile=self.name,
            product=product.name,
            seed=item.entry.seed,
            made_from=made_from,
            file=path.name,
            sha256=digest,
            missed=(*(str(finding) for finding in exported.missed), *_doubtful(item.candidate)),
        )
        return record, replace(exported, path=path)

    def make(self, product: ListedProduct, item: FinishedCutOut, run: Path) -> tuple[ExportedPicture, bytes]:
        """Return what is written of a picture, under its own name, and its bytes. Raises ImageError, ExportError."""
        rgba, metadata = _cut_out(run, item.candidate)
        inside(self.folder.parent, self.folder.name, ExportError)  # no link to another place of the user's
        return self._exporter.make(rgba, PurePath(own_name(product, item)), _origin(product, item.entry, metadata))

    def _is_there(self, record: ExportRecord) -> bool:
        """Whether an export is in place; one that was withdrawn unchanged is put back."""
        path, withdrawn = self.folder / record.file, self.folder / WITHDRAWN / record.file
        if path.is_file():
            return True
        if not all(stays_inside(self.folder, name) for name in (path, withdrawn)):
            return False
        if not withdrawn.is_file() or sha256_of(withdrawn) != record.sha256:
            return False
        os.replace(withdrawn, path)
        return True


def _origin(product: ListedProduct, entry: Try, metadata: Metadata) -> OriginEvidence:
    """Return how a shoot's picture came to be, whether or not the WebUI wrote that into it."""
    if not entry.photo:
        return OriginEvidence(DigitalSource.GENERATED, "a WebUI made it", metadata)
    if product.settings.scene_denoise or product.settings.repaint == Repaint.BOTH.value:
        return OriginEvidence(DigitalSource.EDITED, "a WebUI painted its scene", metadata)
    placed = OriginEvidence(DigitalSource.RETOUCHED, "a photo's product on a backdrop", metadata)
    return evidence_in(metadata) or placed


def own_name(product: ListedProduct, item: FinishedCutOut) -> str:
    """Return what a picture is called where no pattern says otherwise, without what its profile adds."""
    return f"{product.folder}-{item.entry.seed}"


def exports_for(out: Path, names: Sequence[str], listed_in: Path | None = None) -> dict[str, ProfileExports]:
    """By the name that the list gives a profile. Raises ExportError, and ImageError for a bad background picture.

    Profiles of one's own that are named by a shot list lie in the folder ``listed_in``, and so do their pictures.
    """
    exporters: dict[str, ProfileExports] = {}
    folders: dict[str, str] = {}
    for name in dict.fromkeys(names):
        profile = load_profile(name) if listed_in is None else _listed_profile(listed_in, name)
        other = folders.setdefault(profile.name.casefold(), name)
        if other != name:
            raise ExportError(f"The export profiles {other} and {name} would share one folder; rename one of them.")
        exporters[name] = ProfileExports(out / profile.name, profile)
    return exporters


def _listed_profile(folder: Path, name: str) -> Profile:
    if not name.endswith(".toml"):
        return load_profile(name)
    profile = load_profile(str(_path_in(folder, folder / name, name)))
    if profile.background.picture is not None:
        _path_in(folder, profile.background.picture, name)
    return profile


def _path_in(folder: Path, path: Path, name: str) -> Path:
    try:
        return inside(folder, os.path.relpath(path, folder), ExportError)
    except (ExportError, ValueError) as error:  # ValueError: on another disk
        raise ExportError(
            f"The shot list in {shown(folder)} names the export profile {shown(name)}, which lies elsewhere, or its "
            "picture does; copy both into that folder, or name the profile with --profile."
        ) from error


def stamp_of(run: Path, candidate: Candidate) -> str:
    """Return what changes with whatever a picture is measured and exported from."""
    values: list[Any] = [candidate.score, candidate.quality, candidate.doubts]
    for name in (candidate.picture, *candidate.masks, *candidate.cutouts):
        status = os.stat(inside(run, name))
        values += [name, status.st_size, status.st_mtime_ns]
    return _digest(values)


def _digest_of(profile: Profile) -> str:
    """Return what changes with whatever decides a profile's pictures, and not with what it says about its rules."""
    values: list[Any] = [profile.canvas, profile.background, profile.product, profile.shadow, profile.file]
    if profile.background.picture is not None:
        values.append(sha256_of(profile.background.picture))
    return _digest(values)


def _digest(values: Sequence[Any]) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def _cut_out(run: Path, candidate: Candidate) -> tuple[np.ndarray, Metadata]:
    """All of the product that a picture holds, as one cut-out (uint8 RGBA in sRGB): a pair of shoes stays a pair.

    And what the picture's file says about it.
    """
    import numpy as np

    from lib_photoshoot.masks.cutout import cut_out

    cutout = read_cutout(run, candidate)
    if cutout is not None and cutout.alpha is not None:
        return np.dstack([cutout.srgb, cutout.alpha]), cutout.metadata
    picture = read_picture(inside(run, candidate.picture, ImageError))
    return np.asarray(cut_out(picture.srgb, read_mask(run, candidate, picture.pixels.shape[:2]))), picture.metadata


def _doubtful(candidate: Candidate) -> Sequence[str]:
    return (f"check {what_to_check(candidate.doubts)}",) if candidate.doubts else ()


def free_name(target: Path, path: Path) -> Path:
    """Return a name beside ``target`` that is free, or is taken by the same bytes as those of ``path``."""
    number = 1
    free = target
    while free.exists() and sha256_of(free) != sha256_of(path):
        number += 1
        free = with_ending(target, f" ({number})")
    return free
