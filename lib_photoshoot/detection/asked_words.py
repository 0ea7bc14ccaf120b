"""In which words detectors that know any word are asked for products: as they were typed, but in English."""

from __future__ import annotations

from collections.abc import Sequence

from lib_photoshoot.detection.checked import CheckedWords
from lib_photoshoot.detection.embedded.lookup import load_kinds
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.detection.translations import Meanings, listed, meanings, told_languages
from lib_photoshoot.products import Product


def asked_words(word: str) -> tuple[str, ...]:
    """Return the English words that a product word is asked by: itself, or all that a foreign one means.

    >>> asked_words("red shoe"), asked_words("schuh")
    (('red shoe',), ('shoe',))
    """
    return tuple(_foreign(word)) or (word,)


def check_words(products: Sequence[Product]) -> CheckedWords:
    """Return all of the products, since any word can be asked for, and what is said of those in other languages."""
    notes = []
    for product in products:
        for word in product.words:
            found = _foreign(word)
            # "Tasse = cup" keeps a word of one's own, and means the same.
            if found and not (word == product.name and set(found) & set(product.aliases)):
                english = listed([*found], "or")
                notes.append(f"{product.as_typed(word)}: looked for as {english} ({told_languages(found)}).")
    return CheckedWords(tuple(products), tuple(notes))


def _foreign(word: str) -> Meanings:
    """Return what a word means in English; empty for one that is English itself."""
    kinds = load_kinds()
    if load_vocabulary().knows(word) or kinds.wider_for(word) or kinds.is_other(word):
        return {}
    return meanings(word)
