"""Which ImageNet-1k classes show a product: the curated table behind the embedded detector.

``vocabulary.json`` holds one product a line: its synonyms and the indices of the classes that truly show it, each with
the class's short label. Products that no class shows (headphones, earrings, spectacles) are left out on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from importlib import resources

from lib_photoshoot.errors import UnknownProductError
from lib_photoshoot.products import Product, normalise_word
from lib_photoshoot.typed import typed_command

IMAGENET_CLASSES = 1000
_IRREGULAR_PLURALS = {"mice": "mouse", "feet": "foot", "loaves": "loaf", "geese": "goose", "teeth": "tooth"}
_MAX_SUGGESTIONS = 3
_MIN_SIMILARITY = 0.7
"""Least similarity of a suggestion, SequenceMatcher's ratio from 0 to 1; under it the words look unrelated."""
_SHARED_WORD_BONUS = 0.3
"""Added when a phrase shares a whole word: "dress" should suggest "evening dress" before "dresser"."""


@dataclass(frozen=True)
class Entry:
    """One product of the table: its word, the synonyms, and short label by ImageNet-1k class index (0 to 999)."""

    name: str
    synonyms: tuple[str, ...]
    classes: Mapping[int, str]

    @property
    def words(self) -> tuple[str, ...]:
        """The product word and its synonyms."""
        return (self.name, *self.synonyms)


@dataclass(frozen=True)
class Vocabulary:
    """The entries, found by any of their words, whole words only."""

    entries: tuple[Entry, ...]
    _by_key: Mapping[str, Entry] = field(init=False, repr=False, compare=False)

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
        """True when an entry has this word."""
        return self.find(word) is not None

    def words(self) -> tuple[str, ...]:
        """Every known word, sorted."""
        return tuple(sorted(word for entry in self.entries for word in entry.words))

    def classes_for(self, product: Product) -> tuple[int, ...]:
        """Return the sorted class indices of all known words of a product; raises UnknownProductError when none is."""
        entries = [entry for word in product.words if (entry := self.find(word)) is not None]
        if not entries:
            raise UnknownProductError(self._unknown_message(product))
        return tuple(sorted({index for entry in entries for index in entry.classes}))

    def check(self, products: Sequence[Product]) -> None:
        """Raise UnknownProductError that names every product of which no word is known."""
        sentences = []
        for product in products:
            try:
                self.classes_for(product)
            except UnknownProductError as error:
                sentences.append(str(error))
        if sentences:
            # The way to free vocabulary is the same for all of them, and said once, with the last.
            heads = [sentence.partition(", or get GroundingDINO")[0] for sentence in sentences[:-1]]
            raise UnknownProductError("; ".join([*heads, sentences[-1]]))

    def nearest(self, word: str) -> tuple[str, ...]:
        """Return up to three known words that are most like ``word``, best first."""
        forms = singular_forms(word)
        scored = sorted((-max(_similarity(form, known) for form in forms), known) for known in self.words())
        return tuple(known for score, known in scored[:_MAX_SUGGESTIONS] if -score >= _MIN_SIMILARITY)

    def _unknown_message(self, product: Product) -> str:
        """Name the unknown words, the nearest known ones and the way to free vocabulary."""
        unknown = " or ".join(f"'{word}'" for word in product.words)
        candidates = dict.fromkeys(near for word in product.words for near in self.nearest(word))
        near = ", ".join(list(candidates)[:_MAX_SUGGESTIONS])
        advice = f"use a word it knows (nearest: {near})" if near else "name a more common product"
        return (
            f"The embedded detector does not know {unknown}: {advice}, or get GroundingDINO, which knows any words "
            f"(in the WebUI by its button in the panel, else with '{typed_command('models get groundingdino')}' "
            "and '--detector groundingdino')."
        )


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """Return the packaged table, read once."""
    text = resources.files(__package__).joinpath("vocabulary.json").read_text(encoding="utf-8")
    return Vocabulary(
        tuple(
            Entry(name, tuple(row["synonyms"]), {int(index): label for index, label in row["classes"].items()})
            for name, row in json.loads(text).items()
        )
    )


def _similarity(word: str, known: str) -> float:
    """Return how alike two words or phrases are: spelling from 0 to 1, and a bonus for a whole word in common."""
    shared = not set(word.split()).isdisjoint(known.split())
    return SequenceMatcher(None, known, word).ratio() + _SHARED_WORD_BONUS * shared


def lookup_key(word: str) -> str:
    """Return the form in which words are compared: lower case, no spaces, hyphens or apostrophes."""
    return "".join(character for character in normalise_word(word) if character not in " -'")


def singular_forms(word: str) -> tuple[str, ...]:
    """Return the word itself, then what it may be the English plural of; only the last part of a phrase changes."""
    phrase = normalise_word(word).replace("-", " ").strip()
    head, space, last = phrase.rpartition(" ")
    return tuple(dict.fromkeys((phrase, *(head + space + form for form in _singulars(last)))))


def _singulars(noun: str) -> list[str]:
    """Return possible singulars of one English noun; wrong guesses do no harm, since only known words count."""
    if noun in _IRREGULAR_PLURALS:
        return [_IRREGULAR_PLURALS[noun]]
    if len(noun) < 3 or not noun.endswith("s") or noun.endswith("ss"):
        return []
    forms = [noun[:-1]]
    if noun.endswith("ies"):
        forms.append(noun[:-3] + "y")
    elif noun.endswith("ves"):
        forms += [noun[:-3] + "f", noun[:-3] + "fe"]
    elif noun.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        forms.append(noun[:-2])
    return forms
