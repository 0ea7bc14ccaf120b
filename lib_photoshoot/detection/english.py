"""English product words: number and spelling of one, and which word of several names the thing."""

from __future__ import annotations

from collections.abc import Iterator

from lib_photoshoot.products import normalise_word

_IRREGULAR_PLURALS = {"mice": "mouse", "feet": "foot", "loaves": "loaf", "geese": "goose", "teeth": "tooth"}
_AMOUNTS = frozenset({"pair", "pairs", "set", "sets", "pack", "packs", "piece", "pieces", "bunch", "couple"})
_VESSELS = frozenset(
    {"cup", "mug", "glass", "bottle", "jar", "bowl", "plate", "vase", "basket", "bucket", "pot", "jug", "pitcher"}
)
_OTHERS = frozenset({"and", "or", "plus", "without", "like", "no", "not"})
"""Words after which a phrase names another thing too, or what something is not."""
_BEHIND = frozenset({"of", "with", "for", "from", "in", "on", "by", "to", "made"})
"""Words that begin what is said about a thing that was named before."""


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


def heads(phrase: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a phrase that may name its kind, the longest first, each with what is left out then.

    English names the kind last, or before *of*, *with* and the like; of *a pair of shoes* the shoes, of *a cup of
    coffee* the cup. Nothing for one word, and where a second thing is named.

    >>> list(heads("big red shoes"))
    [('red shoes', 'big'), ('shoes', 'big red')]
    >>> list(heads("handbag with chain"))
    [('handbag', 'with chain')]
    """
    words = normalise_word(phrase).replace("-", " ").split()
    if _OTHERS.intersection(words):
        return
    behind: list[str] = []
    at = next((n for n, word in enumerate(words) if n and word in _BEHIND), len(words))
    if words[at : at + 1] == ["of"]:
        if words[at - 1] in _AMOUNTS:
            words, at = words[at + 1 :], len(words) - at - 1
            yield " ".join(words), ""
        elif not {words[at - 1], *_singulars(words[at - 1])} & _VESSELS:
            return  # a bag of chips, a picture of a dog, a box of chocolates: what is meant is anyone's guess
    if at < len(words):
        words, behind = words[:at], words[at:]
        yield " ".join(words), " ".join(behind)
    for start in range(1, len(words)):
        yield " ".join(words[start:]), " ".join([*words[:start], *behind])
