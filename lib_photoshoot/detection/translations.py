"""What product words of other languages mean, for the detectors, which read English.

``translations.json`` holds one English word a line, with its words by language. It answers what a word is, and never
stands in for what the user typed: words of different languages are spelt alike (*bolsa*, *bord*), and all their
meanings are told. Words that are also English names of goods (*slipper*, *robe*, *paprika*) are left out on purpose.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib import resources

from lib_photoshoot.products import normalise_word

Meanings = Mapping[str, tuple[str, ...]]
"""The languages by English word."""

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "ı": "i", "đ": "d", "ё": "е"})
_AS_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_PUNCTUATION = str.maketrans("", "", " -'&/")
_ENGLISH_WITHOUT_ACCENTS = frozenset({"mascara", "tripe", "are", "canape"})
"""What some words are when their accents are left out: these have to be typed."""
_SHORTEST_STEM = 3
_PLURALS = {
    "German": "n en nen e er s",
    "French": "s x aux:al",
    "Spanish": "s es ces:z",
    "Italian": "e:a i:o i:e chi:co che:ca ghi:go ghe:ga",
    "Portuguese": "s es oes:ao ns:m is:l",
    "Dutch": "en s ssen:s tten:t kken:k ppen:p nnen:n llen:l zen:s ven:f",
    "Polish": "i y i:a y:a ki:ek a:o",
    "Swedish": "ar er or:a n r",
    "Danish": "er e r",
    "Czech": "y i y:a e:a ky:ek",
    "Turkish": "ler lar",
    "Russian": "и ы и:а ы:а и:ь ки:ок",
}
"""By language the endings of plurals without accents, each with what stands in its place in the singular."""


def meanings(phrase: str) -> Meanings:
    """Return what a word or phrase of another language is in English, empty where it is none that is known.

    Case, spaces and the plural are of no account, and accents only where they were typed: *taca* may be Polish for tray
    or Portuguese *taça*, bowl.
    """
    spelt, plain = _joined(phrase), fold(phrase)
    for index, key in ((_as_spelt() if spelt != plain else {}, spelt), (_folded(), plain)):
        if key in index:
            return _by_word(index[key])
    return _by_word(dict.fromkeys(_of_plural(phrase)))


def described(word: str, named: Callable[[str], str | None] = lambda _: None, is_alias: bool = False) -> str | None:
    """``'Tasse' is German and French for cup: write cup``, as far as it goes in a sentence; None for other words.

    ``named`` returns the word of the user's list that means the same as an English one already: that one is not advised
    once more. An alias cannot be kept with an alias of its own.
    """
    found = meanings(word)
    if not found:
        return None
    free = [english for english in found if named(english) is None]
    words: dict[tuple[str, ...], list[str]] = {}
    for english, languages in found.items():
        words.setdefault(languages, []).append(english)
    said = [f"{_listed(languages)} for {_listed(several, 'or')}" for languages, several in words.items()]
    if not free:
        owners = list(dict.fromkeys(repr(named(english)) for english in found))
        return f"{word!r} is {_listed(said)}, which {_listed(owners)} in your list stands for already: remove it"
    keep = f" ({_listed([f'{word} = {english}' for english in free], 'or')} keeps your word)"
    return f"{word!r} is {_listed(said)}: write {_listed(free, 'or')}{'' if is_alias else keep}"


def fold(phrase: str) -> str:
    """Return the phrase in lower case, without accents, spaces and hyphens; what tells Japanese sounds apart is
    kept.
    """
    parts = unicodedata.normalize("NFD", _joined(phrase).translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(mark for mark in parts if not "\u0300" <= mark <= "\u036f"))


@lru_cache(maxsize=1)
def load_translations() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the packaged table: the words by language, by English word."""
    text = resources.files(__package__).joinpath("translations.json").read_text(encoding="utf-8")
    return {
        english: {language: tuple(words) for language, words in row.items()}
        for english, row in json.loads(text).items()
    }


_Index = dict[str, dict[tuple[str, str], None]]
"""The (language, English word) pairs by key, in the table's order."""


@lru_cache(maxsize=1)
def _as_spelt() -> _Index:
    index: _Index = {}
    for language, english, word in _rows():
        index.setdefault(_joined(word), {})[language, english] = None
    return index


@lru_cache(maxsize=1)
def _folded() -> _Index:
    index: _Index = {}
    for language, english, word in _rows():
        for key in (fold(word), fold(_joined(word).translate(_AS_TWO_LETTERS))):
            if key not in _ENGLISH_WITHOUT_ACCENTS:
                index.setdefault(key, {})[language, english] = None
    return index


def _rows() -> Iterator[tuple[str, str, str]]:
    for english, row in load_translations().items():
        for language, words in row.items():
            for word in words:
                yield language, english, word


def _joined(phrase: str) -> str:
    return normalise_word(unicodedata.normalize("NFKC", phrase)).translate(_PUNCTUATION)


def _of_plural(phrase: str) -> Iterator[tuple[str, str]]:
    """Yield what the phrase is the plural of; its first or its last part may be changed (sacs à main, rote Tassen)."""
    parts = [fold(part) for part in phrase.split()]
    for language, endings in _PLURALS.items():
        for place in {0, len(parts) - 1} if parts else ():
            for stem in _stems(parts[place], endings):
                key = "".join([*parts[:place], stem, *parts[place + 1 :]])
                yield from (meaning for meaning in _folded().get(key, ()) if meaning[0] == language)


def _stems(word: str, endings: str) -> Iterator[str]:
    for ending in endings.split():
        old, _, new = ending.partition(":")
        stem = word.removesuffix(old) + new
        if word.endswith(old) and len(stem) >= _SHORTEST_STEM:
            yield stem


def _by_word(pairs: Mapping[tuple[str, str], None]) -> Meanings:
    languages: dict[str, tuple[str, ...]] = {}
    for language, english in pairs:
        languages[english] = (*languages.get(english, ()), language)
    return languages


def _listed(items: tuple[str, ...] | list[str], last: str = "and") -> str:
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), items[-1])))
