"""Colour references measured on photos of the article, and the table that ``--colours`` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib_photoshoot.colour.dominant import dominant_colours
from lib_photoshoot.colour.reference import MOST_COLOURS, ColourError, ColourReference, ReferenceColour, make_reference
from lib_photoshoot.files import shown, write_atomic, writing_failed
from lib_photoshoot.images import Picture
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.spreadsheet import formula_safe


@dataclass(frozen=True, eq=False)
class MeasuredArticle:
    """An article's colours, the photo and the region in which they were measured."""

    reference: ColourReference
    photo: str
    region: ProductRegion

    @property
    def is_doubtful(self) -> bool:
        """Whether the outline may be wrong, and with it the colours."""
        return self.region.outline is not None and not self.region.outline.is_sure

    @property
    def trust(self) -> tuple[bool, float]:
        """The higher, the better: no doubts first, then the detector's score."""
        return not self.is_doubtful, self.region.score


def measured_on(picture: Picture, name: str, region: ProductRegion, tolerance: float) -> MeasuredArticle:
    """Return the colours of an article in a photo as what others have to be. Raises ColourError where there are
    none.
    """
    colours = dominant_colours(picture.srgb, region.solid)[:MOST_COLOURS]
    if not colours:
        raise ColourError(f"{name}: the outline of {region.product} is empty, so it has no colour; take another photo.")
    return MeasuredArticle(make_reference(map(ReferenceColour.measured, colours), tolerance), name, region)


def most_trusted(measured: Iterable[MeasuredArticle]) -> dict[str, MeasuredArticle]:
    """For each product the one that is to be trusted most."""
    best: dict[str, MeasuredArticle] = {}
    for one in measured:
        other = best.get(one.region.product)
        if other is None or one.trust > other.trust:
            best[one.region.product] = one
    return best


def check_new(path: Path) -> None:
    """Raise ColourError where there is something already."""
    if path.exists():
        raise ColourError(f"{shown(path)} is there already; choose another --out, or remove it.")


def write_table(path: Path, references: Iterable[tuple[str, ColourReference]]) -> None:
    """Write products with their references as a new CSV table. Raises ColourError."""
    check_new(path)
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("product", "colour", "tolerance"))
    for product, reference in references:
        rows.writerow((formula_safe(product), str(reference), f"{reference.tolerance:g}"))
    try:
        write_atomic(path, text.getvalue().encode())
    except OSError as error:
        raise ColourError(writing_failed(path, error, "measure again")) from error
