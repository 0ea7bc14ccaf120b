"""The accepted pictures in the output folder of ``filter``, measured: report.json, masks/ and enhanced/."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lib_photoshoot.catalog.alike import traits_in
from lib_photoshoot.catalog.by_hand import ACCEPTED, REJECTED, MadeFile, files_made_in
from lib_photoshoot.catalog.inputs import collect_inputs
from lib_photoshoot.catalog.ledger import LEDGER_NAME, current_records
from lib_photoshoot.catalog.outputs import cutout_name, placed_name, slug
from lib_photoshoot.catalog.report import doubts_of
from lib_photoshoot.catalog.scenes import scene_doubts_of, scene_of
from lib_photoshoot.colour.comparison import measure_colour
from lib_photoshoot.colour.reference import ColourReference
from lib_photoshoot.confined import inside, is_plain
from lib_photoshoot.consistency.measuring import measure_traits
from lib_photoshoot.consistency.traits import Traits
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.files import shown
from lib_photoshoot.images import Picture, read_picture
from lib_photoshoot.journal import SPOILED
from lib_photoshoot.masks.morphology import merge
from lib_photoshoot.perceptual_hash import difference_hash
from lib_photoshoot.ranking import qualities
from lib_photoshoot.ranking.colours import colours
from lib_photoshoot.ranking.identity import KnownProduct
from lib_photoshoot.ranking.likeness import PhotoStatistics, features, photo_statistics
from lib_photoshoot.ranking.order import MeasuredPicture
from lib_photoshoot.results import Decision
from lib_photoshoot.transparency import flattened

TellRanked = Callable[[str], None]
"""Called with one sentence for each file that is left out."""


@dataclass(frozen=True)
class Candidate:
    """A product in an accepted picture; paths are relative to the run's folder. ``score`` and ``quality`` (predicted
    IoU, None where the report has none) are its best region's, ``masks`` and ``doubts`` (codes) those of all its
    regions; in a new scene they stand as ``placed`` masks show, and its doubts are among them. ``cutouts_at`` says
    where in the photo the cut-outs lie, (x, y) each; nothing in older reports.
    ``by_hand`` is what a person decided about the picture; one that was accepted so has no doubts. ``source`` is the
    picture that it was made of, as the user named it; ``traits`` what the run measured to compare it, None in older
    reports."""

    product: str
    picture: str
    masks: tuple[str, ...]
    score: float
    quality: float | None
    doubts: tuple[str, ...] = ()
    cutouts_at: tuple[tuple[int, int], ...] = ()
    by_hand: str | None = None
    source: str = ""
    traits: Traits | None = None
    placed: tuple[str, ...] = ()

    @property
    def cutouts(self) -> tuple[str, ...]:
        """Its cut-outs' paths, where their places are known; none else."""
        return tuple(map(cutout_name, self.masks)) if self.cutouts_at else ()

    def decided(self, hand: str | None) -> Candidate:
        """Return it with what a person decided about its picture."""
        return replace(self, by_hand=hand, doubts=() if hand == ACCEPTED else self.doubts)


def read_candidates(folder: Path, decisions: bool = True) -> tuple[Candidate, ...]:
    """Every product of every picture with one, as the run's report names them, with the decisions by hand unless
    without ``decisions``. Raises CatalogError.
    """
    path = folder / "report.json"
    made = files_made_in(folder).files if decisions else {}
    try:
        corrected = _corrected(folder / LEDGER_NAME)
        document = json.loads(path.read_text("utf-8"))
        return tuple(
            candidate.decided(made.get(candidate.masks[0], MadeFile()).hand)
            for entry in (corrected.get(entry["file"], entry) for entry in document["images"])
            if entry["decision"] == Decision.MATCH.value
            for candidate in _candidates(entry)
        )
    except FileNotFoundError as error:
        what = "holds no finished run of filter (report.json is missing)" if folder.is_dir() else "is no folder"
        raise CatalogError(
            f"{shown(folder)} {what}; name the output folder of one, or finish it with `filter … --resume`."
        ) from error
    except OSError as error:
        raise CatalogError(f"{shown(path)} cannot be read ({error.strerror}); check its permissions.") from error
    except SPOILED as error:
        raise CatalogError(f"{shown(path)} is no report of this program; run `filter` again with --resume.") from error


def _corrected(ledger: Path) -> dict[str, Any]:
    """Return the entries of pictures with outlines that a person drew, by the pictures' names. Raises OSError.

    The report may have been written before.
    """
    records = current_records(ledger) if ledger.is_file() else ()
    return {record.entry["file"]: record.entry for record in records if record.drawn_by_hand}


def without_rejected(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[str]]:
    """Return the candidates without those that a person rejected, and the rejected pictures, each once."""
    kept = [candidate for candidate in candidates if candidate.by_hand != REJECTED]
    return kept, list(dict.fromkeys(item.picture for item in candidates if item.by_hand == REJECTED))


def _candidates(entry: dict[str, Any]) -> Iterator[Candidate]:
    regions: Sequence[dict[str, Any]] = entry["regions"]
    for product in dict.fromkeys(region["product"] for region in regions):
        own = [region for region in regions if region["product"] == product]
        best = max(own, key=lambda region: region["score"])
        picture = f"enhanced/{_stem(best['mask'], regions.index(best) + 1, product)}.png"
        masks = tuple(region["mask"] for region in own)
        if not all(is_plain(name) and name.startswith("masks/") for name in masks):
            raise ValueError("a mask lies elsewhere")
        doubts = tuple(
            dict.fromkeys([*(doubt for region in own for doubt in doubts_of(region)), *scene_doubts_of(entry)])
        )
        placed = tuple(map(placed_name, masks)) if scene_of(entry) else ()
        places = [region["cutout_at"] for region in own if region.get("cutout_at")]
        cutouts_at = tuple((int(x), int(y)) for x, y in places) if len(places) == len(own) else ()
        score, quality, traits = float(best["score"]), best.get("quality"), traits_in(entry, product)
        found = (product, picture, masks, score, quality, doubts, cutouts_at)
        yield Candidate(*found, source=entry["file"], traits=traits, placed=placed)


def _stem(mask: str, number: int, product: str) -> str:
    """Return the picture's output name out of its mask's, ``masks/STEM_NUMBER_PRODUCT.png``."""
    return mask.removeprefix("masks/").removesuffix(f"_{number}_{slug(product)}.png")


def read_mask(folder: Path, candidate: Candidate, shape: tuple[int, ...]) -> np.ndarray:
    """All of its regions, as they stand in the picture, as one bool mask of its ``shape`` (height, width).

    Raises ImageError when a file of them is gone or damaged, or has another size.
    """
    shown_by = candidate.placed or candidate.masks
    masks = [read_picture(inside(folder, name, ImageError)).pixels[:, :, 0] >= 128 for name in shown_by]
    if any(mask.shape != shape for mask in masks):
        raise ImageError(f"{shown(folder / candidate.picture)} and its mask differ in size; run `filter` on it again.")
    return merge(masks, shape)


def read_cutout(folder: Path, candidate: Candidate) -> Picture | None:
    """All of its cut-outs in one picture, with alpha; None where the report does not say where they lie.

    Raises ImageError when a file of them is gone or damaged.
    """
    if not candidate.cutouts_at:
        return None
    parts = [read_picture(inside(folder, name, ImageError)) for name in candidate.cutouts]
    if len(parts) == 1:
        return parts[0]
    places = candidate.cutouts_at
    left, top = min(x for x, _ in places), min(y for _, y in places)
    right = max(x + part.width for (x, _), part in zip(places, parts, strict=True))
    bottom = max(y + part.height for (_, y), part in zip(places, parts, strict=True))
    pixels, alpha = (
        np.zeros((bottom - top, right - left, 3), np.uint8),
        np.zeros((bottom - top, right - left), np.uint8),
    )
    for (x, y), part in zip(places, parts, strict=True):
        here = (slice(y - top, y - top + part.height), slice(x - left, x - left + part.width))
        opaque = np.full(part.pixels.shape[:2], 255, np.uint8) if part.alpha is None else part.alpha
        # Where two products meet, each pixel is the one's that holds more of it.
        more = opaque > alpha[here]
        pixels[here][more], alpha[here][more] = part.srgb[more], opaque[more]
    return replace(parts[0], pixels=pixels, alpha=alpha, width=right - left, height=bottom - top, icc=None, deep=None)


def measure(
    folder: Path,
    candidate: Candidate,
    photos: PhotoStatistics | None = None,
    reference: ColourReference | None = None,
    known: KnownProduct | None = None,
) -> MeasuredPicture:
    """Read and measure one candidate, its colour against ``reference`` where there is one, and whether it is the
    ``known`` product.

    Raises ImageError when its picture or a mask is gone or damaged.
    """
    read = read_picture(inside(folder, candidate.picture, ImageError))
    picture = flattened(read)
    mask = read_mask(folder, candidate, picture.shape[:2])
    found = [
        qualities.detection(candidate.score),
        qualities.mask_quality(picture, mask, candidate.quality),
        qualities.sharpness(picture, mask),
        qualities.exposure(picture, mask),
        qualities.size(mask),
    ]
    if photos is not None:
        found.append(photos.likeness(picture))
    identity = None if known is None or not mask.any() else known.identity(picture, mask)
    if identity is not None:
        found.append(qualities.Quality("identity", identity.score, identity.in_words()))
    return MeasuredPicture(
        candidate.picture,
        candidate.product,
        tuple(found),
        difference_hash(picture),
        candidate.doubts,
        colours(picture, mask),
        None if reference is None else measure_colour(read.srgb, mask, reference),
        candidate.by_hand == ACCEPTED,
        _traits(read, mask) if candidate.traits is None else candidate.traits,
        identity is not None and not identity.is_same,
    )


def measured_traits(folder: Path, candidate: Candidate) -> Traits:
    """Return a candidate's traits: those of the report, or measured now where it has none. Raises ImageError."""
    if candidate.traits is not None:
        return candidate.traits
    read = read_picture(inside(folder, candidate.picture, ImageError))
    return _traits(read, read_mask(folder, candidate, read.pixels.shape[:2]))


def _traits(read: Picture, mask: np.ndarray) -> Traits:
    return measure_traits(read.best, mask, read.space, alpha=read.alpha)


def measure_photos(folder: Path, tell: TellRanked) -> PhotoStatistics:
    """Statistics of a folder of training photos; unreadable ones are told and left out. Raises CatalogError."""
    rows: list[np.ndarray] = []
    for file in collect_inputs([folder]):
        try:
            rows.append(features(flattened(read_picture(file.path))))
        except ImageError as error:
            tell(str(error))
    if not rows:
        raise CatalogError(f"No photo in {shown(folder)} can be read; name a folder of training photos.")
    return photo_statistics(rows)
