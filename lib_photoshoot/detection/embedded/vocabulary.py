"""Which ImageNet-1k classes show a product: the curated table behind the embedded detector.

``vocabulary.json`` holds one product a line: its synonyms and the indices of the classes that truly show it, each with
the class's short label; from 1000 on, the taught words (``taught.py``). Products that nothing shows (earrings,
spectacles) are left out on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from importlib import resources
from itertools import groupby

from lib_photoshoot.detection.translations import described, meanings
from lib_photoshoot.errors import UnknownProductError
from lib_photoshoot.products import Product, normalise_word
from lib_photoshoot.typed import typed_command

IMAGENET_CLASSES = 1000
_IRREGULAR_PLURALS = {"mice": "mouse", "feet": "foot", "loaves": "loaf", "geese": "goose", "teeth": "tooth"}
_MAX_SUGGESTIONS = 3
_SHORTEST_ALIKE, _LONG = 4, 7
"""Letters from which one misspelt letter is forgiven, and two."""
_Named = Callable[[str], "str | None"]
"""By which word of the user's list an English word is named already, None for a new one."""
_SHARED_WORD_BONUS = 0.3
"""Added when a phrase shares a whole word: "dress" should suggest "evening dress" before "dresser"."""


@dataclass(frozen=True)
class Entry:
    """One product of the table: its word, the synonyms, and short label by class index (from 1000: taught words)."""

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
        """Return whether an entry has this word."""
        return self.find(word) is not None

    def words(self) -> tuple[str, ...]:
        """Every known word, sorted."""
        return tuple(sorted(word for entry in self.entries for word in entry.words))

    def classes_for(self, product: Product) -> tuple[int, ...]:
        """Return the sorted class indices of all known words of a product; raises UnknownProductError when none is."""
        entries = [entry for word in product.words if (entry := self.find(word)) is not None]
        if not entries:
            raise self._refusal([product], [product])
        return tuple(sorted({index for entry in entries for index in entry.classes}))

    def check(self, products: Sequence[Product]) -> tuple[str, ...]:
        """Return a sentence on each product with aliases that are not known, and so find nothing.

        Raises UnknownProductError that names every product of which no word is known. The name of a product with a
        known alias may be any: ``Tasse = cup`` is how a word of one's own is kept.
        """
        unknown = [product for product in products if not any(map(self.knows, product.words))]
        if unknown:
            raise self._refusal(unknown, products)
        named = self._named_in(products)
        return tuple(self._without(product, named) for product in products if not all(map(self.knows, product.aliases)))

    def nearest(self, word: str) -> tuple[str, ...]:
        """Return up to three known words that ``word`` may be a misspelling or a kind of, best first."""
        likeness = {
            known: max((_similarity(form, known.replace("-", " ")) for form in singular_forms(word)), default=0.0)
            for known in self.words()
        }
        alike = sorted((-score, known) for known, score in likeness.items() if score)
        return tuple(known for _, known in alike[:_MAX_SUGGESTIONS])

    def _named_in(self, products: Sequence[Product]) -> _Named:
        """Return what says by which of their words, as typed, products name the same as an English word."""
        owners: dict[str, str] = {}
        for product in products:
            for word in product.words:
                if (entry := self.find(word)) is not None:
                    owners.setdefault(entry.name, product.as_typed(word))

        def named(english: str) -> str | None:
            entry = self.find(english)
            return None if entry is None else owners.get(entry.name)

        return named

    def _refusal(self, unknown: Sequence[Product], products: Sequence[Product]) -> UnknownProductError:
        """One sentence on unknown products: those of other languages, the others, and the way to free vocabulary."""
        named = self._named_in(products)
        translated: dict[str, str | None] = {}
        advised: list[Product] = []
        for product in unknown:
            translated[product.name] = self._translated(product, named)
            if len(found := [*meanings(product.name)]) == 1:  # two words of other languages may mean the same
                advised.append(Product(product.name, (found[0],), typed={found[0]: product.as_typed(product.name)}))
                named = self._named_in([*products, *advised])
        foreign = "; ".join(text for text in translated.values() if text)
        others = "; it ".join(self._unknown(product, named) for product in unknown if not translated[product.name])
        if not others:
            return UnknownProductError(f"The embedded detector reads English, and {foreign}.")
        head = f"reads English, and {foreign}; it {others}" if foreign else others
        # The way to free vocabulary is the same for all of them, and said once.
        return UnknownProductError(
            f"The embedded detector {head}, or get GroundingDINO, which knows any English words "
            f"(in the WebUI by its button in the panel, else with '{typed_command('models get groundingdino')}' "
            "and '--detector groundingdino')."
        )

    def _translated(self, product: Product, named: _Named) -> str | None:
        """Return what the product's first word of another language is in English; None without one."""
        return next(filter(None, (described(product.as_typed(word), named) for word in product.words)), None)

    def _unknown(self, product: Product, named: _Named) -> str:
        """Name the unknown words and the nearest known ones."""
        return f"does not know {_quoted(product, product.words, 'or')}: {self._nearest_of(product.words, named)}"

    def _nearest_of(self, words: Sequence[str], named: _Named) -> str:
        """Advise the known words nearest to these, but for those that would be named twice then."""
        nearest = list(dict.fromkeys(near for word in words for near in self.nearest(word)))
        free = [near for near in nearest if named(near) is None]
        if free:
            return f"use a word it knows (nearest: {', '.join(free[:_MAX_SUGGESTIONS])})"
        if nearest:
            return f"remove it (the nearest that it knows, {nearest[0]}, is in your list already)"
        return "name a more common product, in English"

    def _without(self, product: Product, named: _Named) -> str:
        """Return the sentence on a product that is looked for without some of its aliases, as those are not known."""
        known = [word for word in product.words if self.knows(word)]
        idle = [alias for alias in product.aliases if alias not in known]
        said = {alias: described(product.as_typed(alias), named, is_alias=True) for alias in idle}
        advice = [text for text in said.values() if text]
        if others := [alias for alias in idle if not said[alias]]:
            free = [near for alias in others for near in self.nearest(alias) if named(near) is None]
            near = ", ".join(dict.fromkeys(free[:_MAX_SUGGESTIONS]))
            instead = f", use a word it knows ({near})," if near else ""
            advice.append(f"remove {_quoted(product, others, 'and')}{instead} or ask GroundingDINO")
        return (
            f"The embedded detector does not know {_quoted(product, idle, 'or')} and looks for "
            f"{product.as_typed(product.name)!r} by {_quoted(product, known, 'and')} alone: {'; '.join(advice)}."
        )


def _quoted(product: Product, words: Sequence[str], last: str) -> str:
    """Return words of a product as they were typed, in quotes."""
    return f" {last} ".join(f"'{product.as_typed(word)}'" for word in words)


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
    """How alike a typed phrase and a known one are: from 0, unrelated, to 1, and a bonus for a noun in common."""
    ratio = SequenceMatcher(None, known, word).ratio()
    if _shares_the_noun(word.split(), known.split()):
        return ratio + _SHARED_WORD_BONUS
    return ratio if _is_misspelt(word, known) else 0.0


def _is_misspelt(word: str, known: str) -> bool:
    shortest = min(len(word), len(known))
    if shortest < _SHORTEST_ALIKE:
        # Any two short words are an edit or two apart (bota, boa; cat, car).
        return _without_doubles(word) == _without_doubles(known)
    return _edits(word, known) <= (1 if shortest < _LONG else 2)


def _edits(one: str, other: str) -> int:
    """How many letters are added, left out, changed or swapped with their neighbour: optimal string alignment."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, opposite in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != opposite))
            swapped = i > 1 and j > 1 and one[i - 2] == opposite and letter == other[j - 2]
            row.append(min(least, last[j - 2] + 1) if swapped else least)
    return row[-1]


def _shares_the_noun(word: list[str], known: list[str]) -> bool:
    """Whether both phrases name a kind of the same thing, their last word, or all of the known one was typed."""
    return word[-1:] == known[-1:] or set(known) <= set(word)


def _without_doubles(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))


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


def check_words(products: Sequence[Product]) -> tuple[str, ...]:
    """Return what :meth:`Vocabulary.check` says. Raises UnknownProductError."""
    return load_vocabulary().check(products)
