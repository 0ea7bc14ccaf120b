"""Which ImageNet-1k classes show a product: the curated table behind the embedded detector.

``vocabulary.json`` holds one product a line: its synonyms, the indices of the classes by which the network names it,
each with the class's short label, and those of its rivals, things that look like it and are none. A class may be both:
a wristwatch's dial is an analog clock to the network. From 1000 on stand the taught words (``taught.py``). Products
that nothing shows (earrings, spectacles) are left out on purpose. ``seen.json`` holds words, with their synonyms, that
no class shows and a small detector's label may: they are words of the table where such a detector is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from lib_photoshoot.detection.embedded.lookup import Answer, look_up
from lib_photoshoot.detection.embedded.sentences import unknown
from lib_photoshoot.detection.english import lookup_key, singular_forms
from lib_photoshoot.detection.small.words import labels_for
from lib_photoshoot.errors import UnknownProductError
from lib_photoshoot.products import Product

IMAGENET_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class Entry:
    """One product of the table: its word, the synonyms, and short label by class index (from 1000: taught words).

    ``rivals`` are classes of look-alikes, which may be among ``classes``. ``only`` says in the plural which of its
    kinds the classes show, where those are few; empty where they show what the word means. ``seen`` says that a small
    detector's word is enough, since the classes show too little, or there are none.
    """

    name: str
    synonyms: tuple[str, ...]
    classes: Mapping[int, str]
    rivals: Mapping[int, str] = field(default_factory=dict)
    only: str = ""
    seen: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The product word and its synonyms."""
        return (self.name, *self.synonyms)

    @property
    def is_only_seen(self) -> bool:
        """Whether a small detector's word is all that there is."""
        return not self.classes

    @property
    def means_less(self) -> str:
        """What alone the classes show of all that the word means; empty for all of it, or where more was learned."""
        return "" if any(index >= IMAGENET_CLASSES for index in self.classes) else self.only


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The entries, found by any of their words, whole words only."""

    entries: tuple[Entry, ...]
    _by_key: Mapping[str, Entry] = field(init=False, repr=False, compare=False)
    _answers: dict[str, Answer[Entry]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Index the entries by word; raises ValueError when two entries share one."""
        by_key: dict[str, Entry] = {}
        for entry in self.entries:
            for word in entry.words:
                owner = by_key.setdefault(lookup_key(word), entry)
                if owner is not entry:
                    raise ValueError(f"vocabulary: {word!r} belongs to {owner.name!r} and to {entry.name!r}")
        object.__setattr__(self, "_by_key", by_key)

    def find(self, word: str) -> Entry | None:
        """Return the entry of a word in any case, spacing, hyphenation and number, or None."""
        keys = (lookup_key(form) for form in singular_forms(word))
        return next((self._by_key[key] for key in keys if key in self._by_key), None)

    def knows(self, word: str) -> bool:
        """Return whether an entry has this word."""
        return self.find(word) is not None

    def words(self) -> tuple[str, ...]:
        """Every known word, sorted."""
        return tuple(sorted(word for entry in self.entries for word in entry.words))

    def look_up(self, word: str) -> Answer[Entry]:
        """Return how a word is looked for, known or guessed at; see :mod:`.lookup`."""
        if word not in self._answers:
            if len(self._answers) > _KEPT_ANSWERS:
                self._answers.clear()
            self._answers[word] = look_up(word, self.find, self.words)
        return self._answers[word]

    def key(self, word: str) -> str:
        """Return a form in which words of one meaning are the same: the entry's name, or of others the lookup key."""
        things = self.look_up(word).things
        return things[0].name if things else lookup_key(word)

    def answers_for(self, product: Product) -> dict[str, Answer[Entry]]:
        """Return the words of a product by which it is looked for, each with its answer; empty for none.

        The name of a product with a known alias may be any: ``Tasse = cup`` is how a word of one's own is kept.
        """
        answers = {word: self.look_up(word) for word in product.words}
        if not answers[product.name].is_own and any(answers[alias].is_own for alias in product.aliases):
            del answers[product.name]
        return {word: answer for word, answer in answers.items() if answer.things}

    def entries_for(self, product: Product) -> tuple[Entry, ...]:
        """Return the entries by which a product is looked for, each once; none where no word says one."""
        entries = (entry for answer in self.answers_for(product).values() for entry in answer.things)
        return tuple({entry.name: entry for entry in entries}.values())

    def classes_for(self, product: Product) -> tuple[int, ...]:
        """Return the sorted class indices by which a product is looked for; raises UnknownProductError for none."""
        entries = self.entries_for(product)
        if not entries:
            raise UnknownProductError(unknown([product], [self.look_up(product.name)]))
        return tuple(sorted({index for entry in entries for index in entry.classes}))

    def is_seen(self, product: Product) -> bool:
        """Return whether a small detector's word is enough for a product."""
        return any(entry.seen for entry in self.entries_for(product))

    def check(self, products: Sequence[Product]) -> None:
        """Raise UnknownProductError for the first product by whose words nothing can be looked for."""
        for product in products:
            self.classes_for(product)

    def rivals_for(self, product: Product) -> tuple[int, ...]:
        """Return the sorted class indices of what looks like a product and is none; none without a known word.

        Classes by which another of its words names it are no rivals: ``watch = wall clock`` asks for both.
        """
        entries = self.entries_for(product)
        asked = {
            index
            for entry in entries
            for other in entries
            if other is not entry
            for index in entry.rivals
            if index in other.classes and index not in other.rivals
        }
        return tuple(sorted({index for entry in entries for index in entry.rivals} - asked))


_KEPT_ANSWERS = 4096
"""Words whose answers are kept: a request may bring any."""


@lru_cache(maxsize=4)
def load_vocabulary(labels: tuple[str, ...] = ()) -> Vocabulary:
    """Return the packaged table, read once, and in it the words that a small detector with these ``labels`` knows.

    >>> load_vocabulary().knows("suitcase"), load_vocabulary(("suitcase",)).knows("luggage")
    (False, True)
    """
    entries = tuple(
        Entry(
            name,
            tuple(row["synonyms"]),
            _classes(row["classes"]),
            _classes(row.get("rivals", {})),
            row.get("only", ""),
        )
        for name, row in _table("vocabulary.json").items()
    )
    if not labels:
        return Vocabulary(entries)
    # What a label is, its classes need not show: of beds they know four-posters, and the detector any.
    shown = tuple(
        replace(entry, only="", seen=True) if entry.only and _is_seen(entry, labels) else entry for entry in entries
    )
    return Vocabulary((*shown, *_only_seen(labels)))


def _only_seen(labels: tuple[str, ...]) -> Iterator[Entry]:
    for name, synonyms in _table("seen.json").items():
        entry = Entry(name, tuple(synonyms), {}, seen=True)
        if _is_seen(entry, labels):
            yield entry


def _is_seen(entry: Entry, labels: tuple[str, ...]) -> bool:
    return bool(labels_for(entry.words, labels, lookup_key).own)


def _table(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _classes(row: Mapping[str, str]) -> dict[int, str]:
    return {int(index): label for index, label in row.items()}
