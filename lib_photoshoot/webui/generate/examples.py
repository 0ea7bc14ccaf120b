"""Products by example in requests of the HTTP API: pictures that come with one, and those that are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.images import PIXEL_LIMIT, decode_picture
from lib_photoshoot.kept_examples import MOST_PICTURES, KeptExamples, clean_name, named
from lib_photoshoot.products import Product, check_products, normalise_word
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.fields import Fields
from lib_photoshoot.webui.http.pictures import from_base64


def with_given_examples(
    values: Any, products: Sequence[Product], folder: Path, kept: KeptExamples, limit: int
) -> tuple[Product, ...]:
    """Return the products with the examples of a request: an object of product words, a list for each.

    An entry of a list is a picture file in base64, which is put into ``folder``, or ``@name`` of a product that was
    taught. A word that none of ``products`` has becomes a product of its own. ``limit`` is the largest number of pixels
    of a picture. Raises RequestError, ImageError, ProductsError.
    """
    if not isinstance(values, Mapping) or not all(isinstance(texts, list) and texts for texts in values.values()):
        raise RequestError(
            "'examples' must be an object with a list for each product: pictures in base64, or '@name' of one that is "
            "kept."
        )
    known = {product.name: product for product in products}
    for number, (word, texts) in enumerate(values.items(), 1):
        name = normalise_word(str(word))
        if len(texts) > MOST_PICTURES:
            raise RequestError(f"'examples' has {len(texts)} pictures of {word!r}; give at most {MOST_PICTURES}.")
        product = known.get(name) or Product(name)
        paths = (_path(text, name, index, folder / str(number), kept, limit) for index, text in enumerate(texts, 1))
        known[name] = replace(product, examples=(*product.examples, *paths))
    return check_products(list(known.values()))


def _path(text: Any, name: str, index: int, folder: Path, kept: KeptExamples, limit: int) -> str:
    if isinstance(text, str) and text.startswith("@"):
        return str(kept.existing(text[1:].strip()))
    data = from_base64(text, f"examples of {name}")
    decode_picture(data, f"Example {index} of {name!r}", limit)
    path = folder / f"{index:02}.png"  # what it is stands in the file itself
    write_atomic(path, data)
    return str(path)


def kept_entry(kept: KeptExamples, name: str) -> dict[str, Any]:
    """Return a taught product as answers tell it: its name, how many pictures, and how a list of products names it."""
    return {"name": name, "pictures": len(kept.pictures(name)), "products": named(name)}


def keep_given(kept: KeptExamples, body: Any, limit: int) -> tuple[str, tuple[str, ...]]:
    """Keep the pictures of a request under its name, as :func:`teach` does. Raises RequestError, and as that does."""
    fields = Fields(body, ("name", "pictures"))
    name, texts = fields.text("name"), fields.raw("pictures")
    if not isinstance(texts, list):
        raise RequestError("'pictures' must be a list of picture files in base64.")
    if len(texts) > MOST_PICTURES:
        raise RequestError(f"'pictures' has {len(texts)} pictures; give at most {MOST_PICTURES}.")
    files = [(f"Picture {number}", from_base64(text, "pictures")) for number, text in enumerate(texts, 1)]
    return teach(kept, name, files, limit)


def teach(
    kept: KeptExamples, name: str, files: Sequence[tuple[str, bytes]], limit: int = PIXEL_LIMIT
) -> tuple[str, tuple[str, ...]]:
    """Keep picture files under a name, in place of those of that name, if a product can be known by them.

    Returns the name as it is kept, and what is to be said about the pictures, a sentence each. Raises ImageError and
    ProductsError; nothing is changed then.
    """
    from lib_photoshoot.examples.sources import ExamplesError, check_examples

    said: list[str] = []

    def check(folder: Path) -> None:
        # Their folder is on its way: what is said names the pictures alone.
        place = f"{shown(folder)}{os.sep}"
        try:
            said.extend(text.replace(place, "") for text in check_examples(clean_name(name), [str(folder)]))
        except ExamplesError as error:
            raise ExamplesError(str(error).replace(place, "")) from error

    return kept.keep(name, files, limit, check), tuple(said)
