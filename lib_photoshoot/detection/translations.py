"""What product words of other languages mean, for the detectors, which read English.

``translations.json`` holds one English word a line, with its words by language. Words of different languages are spelt
alike (*bolsa*, *bord*): all their meanings are told. Words that are also English names of goods (*slipper*, *robe*,
*paprika*) are left out on purpose. The table has Chinese and Japanese words in one spelling; ``characters.json`` beside
it, which other characters are the same: traditional ones, and hiragana for katakana by their place in Unicode.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
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
_NOUN_FIRST = frozenset({"French", "Spanish", "Italian", "Portuguese"})
_LINKS = frozenset(
    # German, French, Spanish, Italian and Portuguese, Dutch, the others
    {"aus", "für", "im", "in", "mit", "ohne", "und", "vom", "von", "zum", "zur"}
    | {"à", "au", "aux", "avec", "de", "des", "du", "en", "et", "la", "le", "les", "pour"}
    | {"a", "con", "da", "das", "dei", "del", "della", "di", "do", "e", "para", "per", "por", "y"}
    | {"met", "van", "voor", "av", "dla", "för", "med", "na", "og", "pro", "til", "till", "z", "для", "из", "и"}
)
"""Words that make a phrase more than a kind and what it is like: *sac de couchage* is no bag."""
_GERMAN_ATTRIBUTES = (
    *("damen", "herren", "kinder", "mädchen", "jungen", "winter", "sommer", "marken", "designer"),
    *("leder", "holz", "glas", "stoff", "baumwoll", "woll", "seiden"),
    *("metall", "porzellan", "keramik", "plastik", "gummi"),
)
"""What German joins to a word to say whose a thing is or what it is made of: *Handschuhe* are no shoes for hands."""
_JOINTS = "のいな的色"
"""What stands between what is said of a thing and its name, in Japanese and Chinese."""
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


def phrase_meanings(phrase: str) -> tuple[str, str] | None:
    """Return the word of a phrase of another language that names its kind, and what is said of it: *rote Tasse*,
    *zapatos rojos*, *赤い靴*, *Damenschuhe*. None where that is not sure.
    """
    words = normalise_word(unicodedata.normalize("NFKC", phrase)).split()
    if len(words) > 1 and not _LINKS.intersection(words):
        for head, rest, first in ((words[-1], words[:-1], False), (words[0], words[1:], True)):
            languages = {language for found in meanings(head).values() for language in found}
            if any((language in _NOUN_FIRST) is first for language in languages):
                return head, " ".join(rest)
    for attribute in _GERMAN_ATTRIBUTES if len(words) == 1 else ():
        head = words[0].removeprefix(attribute)
        if head != words[0] and any("German" in languages for languages in meanings(head).values()):
            return head, attribute
    for link in _JOINTS:
        rest_of, joint, head = phrase.rpartition(link)
        if rest_of and head and meanings(head):
            return head, rest_of + joint
    return None


def told_languages(found: Meanings) -> str:
    """``German and French for cup``: what a word of other languages means, as it goes in a sentence."""
    words: dict[tuple[str, ...], list[str]] = {}
    for english, languages in found.items():
        words.setdefault(languages, []).append(english)
    return listed([f"{listed(languages)} for {listed(several, 'or')}" for languages, several in words.items()])


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
    joined = normalise_word(unicodedata.normalize("NFKC", phrase)).translate(_PUNCTUATION).translate(_one_spelling())
    # A long vowel at the end is written or not: コンピューター, コンピュータ.
    return joined[:-1] if len(joined) > _SHORTEST_STEM and joined.endswith("ー") else joined


@lru_cache(maxsize=1)
def _one_spelling() -> Mapping[int, int]:
    """Return what characters of the same sound or sense are compared as: katakana, and simplified Chinese."""
    text = resources.files(__package__).joinpath("characters.json").read_text(encoding="utf-8")
    same = {ord(one): ord(other) for one, other in json.loads(text).items()}
    hiragana = range(ord("ぁ"), ord("ゖ") + 1)
    return same | {letter: letter + ord("ァ") - ord("ぁ") for letter in hiragana}


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


def listed(items: Sequence[str], last: str = "and") -> str:
    """Return ``a, b and c``. Raises IndexError for nothing."""
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), items[-1])))
