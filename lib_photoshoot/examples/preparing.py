"""The examples of a run's products before any model is loaded: where they are, what is to be said, what they hold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib_photoshoot.examples.sources import Kept, check_distinct_examples, check_examples, list_examples
from lib_photoshoot.products import Product


@dataclass(frozen=True)
class PreparedExamples:
    """Products whose examples are full paths, so that a process elsewhere on this machine finds them too.

    ``digests`` says by the product's name what its examples hold: a run is gone on with only where that is the same.
    ``sentences`` are for the user.
    """

    products: tuple[Product, ...]
    digests: dict[str, str]
    sentences: tuple[str, ...]


def prepare_examples(products: Sequence[Product], kept: Kept = lambda _: None) -> PreparedExamples:
    """Look at the examples of those products that have some. Raises ExamplesError where a product has none to use, and
    where two have the same.
    """
    check_distinct_examples(products, kept)
    found: list[Product] = []
    digests: dict[str, str] = {}
    sentences: list[str] = []
    for product in products:
        if product.examples:
            sentences += check_examples(product.name, product.examples, kept)
            digests[product.name] = list_examples(product.name, product.examples, kept).digest
            product = replace(product, examples=tuple(_full(text, kept) for text in product.examples))
        found.append(product)
    return PreparedExamples(tuple(found), digests, tuple(sentences))


def _full(text: str, kept: Kept) -> str:
    path = os.path.expanduser(text)
    if not os.path.lexists(path):
        path = os.fspath(kept(text) or path)
    return os.path.abspath(path)
