"""What is to be exported: cut-outs as they are, or pictures with the mask that the product filter gives them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from lib_photoshoot.catalog.by_hand import ACCEPTED, REJECTED, MadeFile, files_made_in, place_in_run
from lib_photoshoot.catalog.inputs import CUTOUTS, InputFile
from lib_photoshoot.catalog.replacement import BY_HAND
from lib_photoshoot.errors import ExportError
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, read_picture
from lib_photoshoot.masks.cutout import cut_out
from lib_photoshoot.masks.morphology import merge
from lib_photoshoot.products import Product
from lib_photoshoot.results import FilterResult, matte_of


class Detecting(Protocol):
    """Anything that finds products in a uint8 RGB picture (height, width, 3), like the product filter."""

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> FilterResult: ...


@dataclass(frozen=True, eq=False)
class CutOut:
    """A product alone: uint8 RGBA (height, width, 4) in sRGB, and the codes of what speaks against its outline."""

    pixels: np.ndarray
    doubts: tuple[str, ...] = ()


def read_cutout(path: Path, finder: Detecting | None, products: Sequence[Product], decisions: bool = True) -> CutOut:
    """Return the product of one file alone; what a person accepted in ``review`` has no doubts, unless without
    ``decisions``.

    A picture with any transparency is a cut-out already. In any other ``finder`` looks for the products, and all that
    it finds are exported together, as a pair of shoes should be. Raises ImageError, and ExportError without a product.
    """
    picture = read_picture(path)
    pixels = picture.srgb
    alpha = _transparency(picture)
    if alpha is not None:
        return CutOut(np.dstack([pixels, alpha]), recorded_doubts(path, decisions))
    if finder is None:
        raise ExportError(
            f"{shown(path)} has no transparent background; name its products with --products, or its cut-outs' folder "
            "with --cutouts."
        )
    regions = finder.detect(pixels, products).regions
    if not regions:
        raise ExportError(f"{shown(path)} holds none of the products; name others with --products.")
    solid = merge([region.solid for region in regions], pixels.shape[:2])
    rgba = np.asarray(cut_out(pixels, solid, matte=matte_of(regions)))
    outlines = [region.outline for region in regions if region.outline is not None]
    return CutOut(rgba, tuple(dict.fromkeys(doubt.value for outline in outlines for doubt in outline.doubts)))


def recorded_doubts(path: Path, decisions: bool = True) -> tuple[str, ...]:
    """Return what a filter run's ledger says against the outline of one of its cut-outs; nothing for other files, or
    where a person accepted it, unless without ``decisions``.
    """
    known = _known(path)
    return () if known is None or (decisions and known.hand == ACCEPTED) else known.doubts


@dataclass(frozen=True)
class Sources:
    """Files to export, and apart from them those in a filter run that its ledger does not know (any more), and those
    whose picture a person rejected.
    """

    current: list[InputFile]
    forgotten: list[InputFile]
    rejected: list[InputFile]


def with_current(files: Sequence[InputFile], named: Collection[str]) -> list[InputFile]:
    """Return the files found in what is ``named``, and in folders of it all cut-outs that their runs' ledgers name now.

    A folder that is walked while a picture is corrected shows its old cut-outs, or new ones that do not count yet, or
    none: the ledger's line is what counts. Those that are gone meanwhile are left out.
    """
    found = {file.key: file for file in files}
    folders = [os.path.join(os.path.abspath(name), "") for name in named if os.path.isdir(name)]
    runs: dict[Path, str] = {}
    for file in files:
        place = place_in_run(file.path)
        if place is not None and place[1].startswith(f"{CUTOUTS}/") and file.stem.endswith(_stem(place[1])):
            runs.setdefault(place[0], file.stem.removesuffix(_stem(place[1])))
    for run, before in runs.items():
        for name in files_made_in(run).files:
            path = os.path.abspath(run / name)
            if name.startswith(f"{CUTOUTS}/") and any(map(path.startswith, folders)) and os.path.isfile(path):
                found.setdefault(path, InputFile(path, before + _stem(name)))
    return [file for file in found.values() if os.path.lexists(file.name)]


def _stem(cutout: str) -> str:
    """Return the output name of a cut-out in its folder."""
    return os.path.splitext(cutout.removeprefix(f"{CUTOUTS}/"))[0]


def sources_of(files: Sequence[InputFile], named: Collection[str] = (), decisions: bool = True) -> Sources:
    """Sort files into those to export and those to leave out; nobody has rejected any without ``decisions``.

    What stands in ``named`` itself is what the user wants, whether or not a ledger knows it; but not what was rejected:
    a shell's ``*.png`` names each file too.
    """
    wanted = {os.path.abspath(name) for name in named}
    sources = Sources([], [], [])
    for file in files:
        known = _known(file.path)
        if known is None:
            (sources.current if file.key in wanted else sources.forgotten).append(file)
            continue
        rejected = decisions and known.hand == REJECTED
        named_so = replace(file, stem=_export_name(file.stem, known.stem))
        (sources.rejected if rejected else sources.current).append(named_so)
    return sources


def _known(path: Path) -> MadeFile | None:
    """Return what is known of a file: nothing where no run made it, None for a cut-out that its run does not know."""
    place = place_in_run(path)
    if place is None:
        return MadeFile()
    return files_made_in(place[0]).files.get(place[1], None if place[1].startswith(f"{CUTOUTS}/") else MadeFile())


def _export_name(name: str, stem: str) -> str:
    """Return the output name of a cut-out's export: the same whether or not a person drew the outline."""
    own = re.escape(stem.rpartition("/")[2])
    return re.sub(rf"(^|/)({own}){BY_HAND}\d+(_\d+_[^/]*)$", r"\1\2\3", name) if stem else name


def _transparency(picture: Picture) -> np.ndarray | None:
    """Return the alpha of a cut-out; None for a picture that is opaque all over, whatever its mode."""
    return None if picture.alpha is None or picture.alpha.min() == 255 else picture.alpha


def cutouts_of(files: Sequence[InputFile], cutouts: Sequence[InputFile]) -> Iterator[tuple[InputFile, list[InputFile]]]:
    """Each file with its cut-outs: of the same name, or as the filter names them (``NAME_1_shoe.png``)."""
    for file in files:
        name = re.compile(re.escape(file.relative.as_posix()) + r"(_\d+_.+)?", re.IGNORECASE)
        yield file, [cutout for cutout in cutouts if name.fullmatch(cutout.relative.as_posix())]
