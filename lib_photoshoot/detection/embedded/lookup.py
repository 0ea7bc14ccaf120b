"""How a typed word is looked for: as itself, as what is meant by it, as a wider kind, or not at all.

In this order: the table's own words; words of other languages; wider kinds, which ``wider.json`` names with the reason
where it is not plain; a word that is misspelt; the thing that a phrase names, without what is said about it (*red
shoe*). Nothing is guessed about words that ``wider.json`` lists to be known by examples only, or as compounds whose
last word is no kind of them (*dog bed*); ``dog *`` there stands for all that begin so.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from typing import Generic, TypeVar

from lib_photoshoot.detection.english import heads, lookup_key, singular_forms
from lib_photoshoot.detection.spelling import respelt
from lib_photoshoot.detection.translations import Meanings, meanings, phrase_meanings
from lib_photoshoot.products import normalise_word

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Kinds:
    """What ``wider.json`` says: a wider kind by the key of a word, and which words are no kind of anything known."""

    wider: Mapping[str, str]
    phrases: tuple[str, ...]
    by_example: frozenset[str]
    other_things: frozenset[str]
    begins_other: tuple[str, ...]

    def wider_for(self, word: str) -> str | None:
        """Return the word of the table that is a wider kind of this one, or None."""
        return next((kind for key in _keys(word) if (kind := self.wider.get(key)) is not None), None)

    def is_other(self, word: str) -> bool:
        """Return whether nothing may be guessed about a word: it is right, and no kind of what is known."""
        keys = set(_keys(word))
        listed = keys & self.by_example or keys & self.other_things
        return bool(listed) or word.replace("'s ", " ").startswith(self.begins_other)


@dataclass(frozen=True)
class Answer(Generic[Thing]):
    """How a word is looked for: by which things of the table, none where it is not known.

    ``english`` is what a word of another language means, with the languages of each meaning; ``respelt`` what a
    misspelt one means, several where that is not sure, and then there are no ``things``; ``ignored`` what was said
    about the thing; ``wider`` the kinds that stand in for narrower ones.
    """

    things: tuple[Thing, ...] = ()
    english: Meanings = field(default_factory=dict)
    respelt: tuple[str, ...] = ()
    ignored: str = ""
    head: str = ""
    wider: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether the word itself is one of the table's."""
        return bool(self.things) and not (self.english or self.respelt or self.ignored or self.head or self.wider)

    @property
    def names_itself(self) -> bool:
        """Whether the things are what the word means, not a wider kind of it."""
        return bool(self.things) and not self.wider


def look_up(word: str, find: Callable[[str], Thing | None], words: Callable[[], Iterable[str]]) -> Answer[Thing]:
    """Return how a word is looked for in a table: ``find`` returns what it has for one, ``words`` all of its words."""
    phrase = normalise_word(unicodedata.normalize("NFKC", word))
    plain = _plainly(phrase, find)
    kinds = load_kinds()
    # A word whose wider kind is not taught yet is right all the same.
    if plain.things or plain.english or kinds.is_other(phrase) or kinds.wider_for(phrase) is not None:
        return plain
    return _respelt(phrase, find, words) or _by_head(phrase, find, words) or Answer()


def _plainly(phrase: str, find: Callable[[str], Thing | None]) -> Answer[Thing]:
    """Look a word up as it is: by itself, by what it is in English, or by a wider kind."""
    if (own := find(phrase)) is not None:
        return Answer((own,))
    kinds = load_kinds()
    if (kind := kinds.wider_for(phrase)) is not None and (thing := find(kind)) is not None:
        return Answer((thing,), wider=(kind,))
    if kinds.is_other(phrase) or not (english := meanings(phrase)):
        return Answer()
    found = [_plainly(normalise_word(meaning), find) for meaning in english]
    wider = tuple(dict.fromkeys(kind for answer in found for kind in answer.wider))
    return Answer(tuple(dict.fromkeys(thing for answer in found for thing in answer.things)), english, wider=wider)


def _respelt(
    phrase: str, find: Callable[[str], Thing | None], words: Callable[[], Iterable[str]]
) -> Answer[Thing] | None:
    kinds = load_kinds()
    known = dict.fromkeys(word.replace("-", " ") for word in (*words(), *kinds.phrases))
    right = _right_words(tuple(known))
    meant = next((found for form in singular_forms(phrase) if (found := respelt(form, known, right))), ())
    if not meant:
        return None
    answers = [_plainly(word, find) for word in meant]
    one = {answer.things for answer in answers}
    if len(one) > 1:
        return Answer(respelt=meant)  # which of them is anyone's guess
    return replace(answers[0], respelt=meant[:1])


def _by_head(
    phrase: str, find: Callable[[str], Thing | None], words: Callable[[], Iterable[str]]
) -> Answer[Thing] | None:
    for head, ignored in heads(phrase):
        answer = _plainly(head, find)
        if not answer.things and load_kinds().is_other(head):
            return None
        if not answer.things and " " not in head:
            answer = _respelt(head, find, words) or answer
        if answer.things and not answer.english:  # an English phrase has no foreign word in it: water hose, Hose
            return replace(answer, ignored=ignored, head=answer.head or head)
    if (foreign := phrase_meanings(phrase)) is not None:
        head, ignored = foreign
        answer = _plainly(head, find)
        return replace(answer, ignored=ignored, head=head) if answer.things else None
    return None


def _keys(word: str) -> list[str]:
    return [lookup_key(form) for form in singular_forms(word)]


@lru_cache(maxsize=4)
def _right_words(phrases: tuple[str, ...]) -> frozenset[str]:
    """Every single word of some phrases, and its plural."""
    single = {word for phrase in phrases for word in phrase.split()}
    return frozenset(single | {f"{word}s" for word in single} | {f"{word}es" for word in single})


@lru_cache(maxsize=1)
def load_kinds() -> Kinds:
    """Return the packaged list, read once."""
    text = resources.files(__package__).joinpath("wider.json").read_text(encoding="utf-8")
    table = json.loads(text)
    wider = {word: kind for kind, row in table["wider"].items() for word in row["words"]}
    begins = tuple(word.removesuffix("*") for word in table["other_things"] if word.endswith("*"))
    others = [word for word in table["other_things"] if not word.endswith("*")]
    return Kinds(
        {lookup_key(word): kind for word, kind in wider.items()},
        (*wider, *table["by_example"]),
        frozenset(map(lookup_key, table["by_example"])),
        frozenset(map(lookup_key, others)),
        begins,
    )
