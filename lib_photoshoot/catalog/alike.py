"""How far the pictures of a run are alike: the traits in its records, and which pictures differ from the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.consistency.measuring import measure_traits
from lib_photoshoot.consistency.sets import Comparison, Departure, Member, compare
from lib_photoshoot.consistency.traits import traits_from_json, traits_to_json
from lib_photoshoot.consistency.words import differs_in_words, told_of
from lib_photoshoot.masks.morphology import merge
from lib_photoshoot.pages.data import Note
from lib_photoshoot.results import Decision, FilterResult
from lib_photoshoot.wording import counted

if TYPE_CHECKING:
    from lib_photoshoot.catalog.ledger import Record
    from lib_photoshoot.colour.space import ColourSpace
    from lib_photoshoot.consistency.traits import Traits

TRAITS = "traits"
"""Field of a report's entry: by the product's name what was measured of it in the picture; not in older runs."""
DRIFT = "drift"
"""What pictures that differ from their set are marked with: the name of the page's filter."""


def traits_entry(result: FilterResult, space: ColourSpace, alpha: np.ndarray | None = None) -> dict[str, Any]:
    """Return the field of a match's entry, measured in the picture that is the result; nothing for a skip.

    ``space`` is the picture's, ``alpha`` (uint8) its own transparency, of which a new scene has none.
    """
    if result.decision is not Decision.MATCH:
        return {}
    regions, alpha = (result.regions, alpha) if result.scene is None else (result.scene.regions, None)
    shape = result.image.shape[:2]
    products = list(dict.fromkeys(region.product for region in regions))
    found = {}
    for product in products:
        mask = merge((region.solid for region in regions if region.product == product), shape)
        # A large picture's masks take much memory: where there is one product, there are no others.
        others = (region.solid for region in regions if region.product != product)
        hidden = merge(others, shape) & ~mask if len(products) > 1 else None
        found[product] = traits_to_json(measure_traits(result.image, mask, space, hidden, alpha))
    return {TRAITS: found}


def traits_in(entry: Mapping[str, Any], product: str) -> Traits | None:
    """Return the traits of a product in an entry; None where it was written before there were any."""
    known = entry.get(TRAITS)
    return traits_from_json(known[product]) if isinstance(known, Mapping) and product in known else None


def members_of(record: Record) -> tuple[Member, ...] | None:
    """Return a picture's products as members of its set; None for a picture without any."""
    if record.entry["decision"] != Decision.MATCH.value:
        return None
    known = record.entry.get(TRAITS)
    products = known.items() if isinstance(known, Mapping) else ()
    return tuple(Member(record.file, str(product), traits_from_json(values)) for product, values in products)


def compare_run(records: Iterable[Record]) -> Comparison:
    """Compare the matches of a run with each other, as far as they were measured."""
    return compare_matches([found for record in records if (found := members_of(record)) is not None])


def compare_matches(matches: Collection[tuple[Member, ...]]) -> Comparison:
    """Compare matches, as :func:`members_of` has them, with each other."""
    return compare(chain.from_iterable(matches), len(matches))


def differing_fields(departures: Sequence[Departure]) -> dict[str, Any]:
    """Return what the page needs of an item: how far it differs, in limits; 0 for one that does not."""
    return {"apart": round(max((one.far for one in departures), default=0.0), 2)}


def note_of(departures: Sequence[Departure]) -> Iterator[Note]:
    """Yield the sentence about what a picture differs by."""
    if departures:
        yield {"text": differs_in_words(departures), "wrong": True}


def comparison_told(comparison: Comparison, again: str = "") -> list[str]:
    """Return the sentences about a set; ``again`` is how pictures without traits get them."""
    told = told_of(comparison)
    if told and comparison.unmeasured and again:
        told.append(f"{counted(comparison.unmeasured, 'picture')} of an earlier release not compared: {again}.")
    return told
