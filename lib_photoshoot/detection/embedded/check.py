"""Which words of a list the embedded detector looks for, and how; asked before any model is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lib_photoshoot.detection.checked import CheckedWords
from lib_photoshoot.detection.embedded.lookup import Answer
from lib_photoshoot.detection.embedded.sentences import idle_aliases, told, unknown
from lib_photoshoot.detection.embedded.vocabulary import Entry, Vocabulary, load_vocabulary
from lib_photoshoot.detection.small.at_hand import labels_at_hand
from lib_photoshoot.products import Product


def check_words(products: Sequence[Product]) -> CheckedWords:
    """Return the products to be looked for, and what is to be said of them and of the others."""
    return check(load_vocabulary(labels_at_hand()), products)


def check(vocabulary: Vocabulary, products: Sequence[Product]) -> CheckedWords:
    """Return what :func:`check_words` does, by any table.

    >>> check(load_vocabulary(), [Product("armchair"), Product("mug")]).sentences
    ('armchair: looked for as chair (a wider kind).',)
    """
    known = tuple(product for product in products if vocabulary.answers_for(product))
    left_out = tuple(product for product in products if product not in known)
    notes = tuple(sentence for product in known for sentence in _said_of(vocabulary, product))
    refusal = unknown(left_out, [vocabulary.look_up(product.name) for product in left_out]) if left_out else ""
    return CheckedWords(known, notes, left_out, refusal)


def _said_of(vocabulary: Vocabulary, product: Product) -> Iterator[str]:
    used = vocabulary.answers_for(product)
    for word, answer in used.items():
        seen = any(entry.is_only_seen for entry in answer.things)
        sentence = told(product, word, answer, _looked_for(vocabulary, answer), _only(answer.things), seen)
        if sentence is not None:
            yield sentence
    if idle := [alias for alias in product.aliases if alias not in used]:
        yield idle_aliases(product, idle)


def _looked_for(vocabulary: Vocabulary, answer: Answer[Entry]) -> Sequence[str]:
    """Return what a word is looked for as, in the words that a user would have written."""
    names = [entry.name for entry in answer.things]
    if answer.wider:
        return names
    if answer.english:
        # What is meant and not known is not looked for.
        return [english for english in answer.english if vocabulary.knows(english)] or names
    return answer.respelt or ([answer.head] if answer.head else names)


def _only(entries: Sequence[Entry]) -> str:
    return next((entry.means_less for entry in entries if entry.means_less), "")
