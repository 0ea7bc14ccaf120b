"""Which words of a list may name one and the same thing: a bottle that is also perfume is both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

from lib_photoshoot.detection.embedded.vocabulary import Entry, load_vocabulary
from lib_photoshoot.detection.verification import Kinship
from lib_photoshoot.products import Product, Way


def kinship_of(products: Sequence[Product], guesses: bool = True, labels: tuple[str, ...] = ()) -> Kinship:
    """Return which of the products may be one thing, and which of them others' words stand in for.

    Two words may be one thing where the table has one of them as a kind of the other, a mug as a cup, unless it has
    them as look-alikes: a backpack is no handbag, though a classifier may take it for one. So may products that are
    looked for in different ways. ``guesses`` says that words are looked for by wider kinds, as the embedded detector
    does; ``labels`` are those of the small detector that it has.
    """
    words = tuple((product.name, product.aliases) for product in products if product.way is Way.WORDS)
    kinship = _of_words(words, guesses, labels)
    leading = frozenset(product.name for product in products if _has_settings(product))
    ways = {frozenset((one.name, other.name)) for one, other in combinations(products, 2) if one.way is not other.way}
    # What two products set differently cannot be done to one thing.
    pairs = frozenset(pair for pair in kinship.pairs | ways if not pair <= leading)
    return Kinship(pairs, kinship.stand_ins, leading)


def _has_settings(product: Product) -> bool:
    return product.prompt is not None or product.denoise is not None or product.colour is not None


@lru_cache(maxsize=64)  # the same list is asked about for each picture of a run
def _of_words(words: tuple[tuple[str, tuple[str, ...]], ...], guesses: bool, labels: tuple[str, ...]) -> Kinship:
    vocabulary = load_vocabulary(labels)
    named: dict[str, tuple[Entry, ...]] = {}
    stand_ins = set()
    for name, aliases in words:
        answers = vocabulary.answers_for(Product(name, aliases)).values()
        if answers and all(answer.names_itself for answer in answers):
            named[name] = tuple(entry for answer in answers for entry in answer.things)
        elif answers and guesses:
            stand_ins.add(name)
    pairs = (frozenset((one, other)) for one, other in combinations(named, 2) if _may_be_one(named[one], named[other]))
    return Kinship(frozenset(pairs), frozenset(stand_ins))


def _may_be_one(one: Sequence[Entry], other: Sequence[Entry]) -> bool:
    return _is_kind_of(one, other) or _is_kind_of(other, one)


def _is_kind_of(narrow: Sequence[Entry], wide: Sequence[Entry]) -> bool:
    """Whether all that shows the narrow one shows the wide one, and not because it is taken for that."""
    if any(entry.is_only_seen for entry in narrow):
        return set(narrow) <= set(wide)
    classes = {index for entry in narrow for index in entry.classes}
    shown = {index for entry in wide for index in entry.classes}
    look_alikes = {index for entry in wide if entry not in narrow for index in entry.rivals}
    return classes <= shown and not classes & look_alikes
