"""Products by example on the command line: what is said of the examples, and what a run remembers of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lib_photoshoot.cli.exits import say
from lib_photoshoot.cli.options import loaded
from lib_photoshoot.products import Product

if TYPE_CHECKING:
    from lib_photoshoot.catalog.runner import Filter
    from lib_photoshoot.examples.detector import ExampleDetector
    from lib_photoshoot.pipeline import ProductFilter


def with_examples(products: Sequence[Product]) -> tuple[tuple[Product, ...], dict[str, dict[str, str]]]:
    """Return the products with full paths to their examples, and what decides a run's results, for its settings.

    Says what is to be said of the examples. Raises ExamplesError.
    """
    if not any(product.examples for product in products):
        return tuple(products), {}
    from lib_photoshoot.examples.preparing import prepare_examples
    from lib_photoshoot.kept_examples import kept_examples

    prepared = prepare_examples(products, kept_examples().folder_of)
    for sentence in prepared.sentences:
        say(sentence)
    return prepared.products, {"examples": prepared.digests}


def say_of_signatures(product_filter: Filter, products: Sequence[Product]) -> None:
    """Say which examples show another product than the others: that is seen with the models only."""
    from lib_photoshoot.examples.signature import disagreements

    for product in products:
        if product.examples:
            for sentence in disagreements(*_finder(product_filter, product).known(product)):
                say(sentence)


def signatures_for(build_: Callable[[], ProductFilter], products: Sequence[Product]) -> dict[tuple[str, ...], bytes]:
    """Return what workers elsewhere need to know of the products, since they may not see the examples."""
    from lib_photoshoot.examples.keeping import packed

    asked = [product for product in products if product.examples]
    if not asked:
        return {}
    product_filter = loaded(build_)
    say_of_signatures(product_filter, asked)
    return {product.examples: packed(_finder(product_filter, product).signature(product)) for product in asked}


def _finder(product_filter: Filter, product: Product) -> ExampleDetector:
    finder: ExampleDetector = product_filter.detector.finder(product)  # type: ignore[attr-defined]
    return finder
