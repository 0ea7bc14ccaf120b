"""What the user types to name products: ``handbag, shoe, watch = wristwatch | watch dial``.

Grammar: products are separated by commas or new lines; ``=`` starts the aliases, ``|`` separates them. ``@`` before a
folder or picture makes it an example of the product: ``ring = @photos/ring | @"more, rings"``. ``product`` and ``*``
name no kind but the picture's main object. Settings for one product stand behind it in square brackets, separated by
semicolons: ``shoe [threshold=0.3; denoise=0.5; prompt="a red shoe"; colour=#7a5c3e; tolerance=3]``. Inside double
quotes every character is text; ``\\"`` stands for a quote and ``\\\\`` for a backslash.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from lib_photoshoot.colour.reference import ColourReference, parse_reference
from lib_photoshoot.errors import ProductsError
from lib_photoshoot.product_text import (
    NUMBER_SETTINGS,
    example_path,
    format_example,
    parse_settings,
    quoted,
    show,
    show_character,
    split_items,
    split_words,
)

MAX_PRODUCTS = 200
MAX_WORD_LENGTH = 60
"""Characters in one name or alias."""
MAIN_OBJECT = "product"
"""The word for whatever a picture shows; ``*`` is the same, shorter."""

_EXAMPLE = "handbag, shoe, watch = wristwatch | watch dial"
_PUNCTUATION = frozenset(" -'&/")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Way(str, Enum):
    """By what a product is looked for."""

    WORDS = "words"
    """By its name and aliases: what the detector knows."""
    EXAMPLES = "examples"
    """By pictures of it."""
    MAIN_OBJECT = "main_object"
    """It is what the picture shows, whatever that is."""


@dataclass(frozen=True)
class Product:
    """One product to look for.

    ``name`` and ``aliases`` are lower-case words with single spaces. ``threshold`` (detection score) and ``denoise``
    (strength) are in [0, 1], ``prompt`` is text for the enhancement; ``None`` leaves the run's own value. ``colour`` is
    what the article has to look like; without one its colour may be any. ``typed`` has words as the user wrote them,
    by the word, where they differ: for sentences only, it makes no other product. ``examples`` are folders and pictures
    of it, as typed.
    """

    name: str
    aliases: tuple[str, ...] = ()
    threshold: float | None = None
    prompt: str | None = None
    denoise: float | None = None
    colour: ColourReference | None = None
    typed: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    examples: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The name and the aliases, in this order."""
        return (self.name, *self.aliases)

    @property
    def way(self) -> Way:
        """By what it is looked for: examples before all, then the main object where a word asks for that."""
        if self.examples:
            return Way.EXAMPLES
        # "product = cup" is a cup that its owner calls so; "ring = product" is whatever is shown, called ring.
        whatever = MAIN_OBJECT in self.aliases or (self.name == MAIN_OBJECT and not self.aliases)
        return Way.MAIN_OBJECT if whatever else Way.WORDS

    def as_typed(self, word: str) -> str:
        """Return one of its words as the user wrote it."""
        return self.typed.get(word, word)


def parse_products(text: str) -> tuple[Product, ...]:
    """Return the products that ``text`` names, in its order; raises ProductsError with one sentence.

    >>> cup, watch = parse_products("cup [threshold=0.3], watch = wristwatch | watch dial")
    >>> cup.threshold, watch.name, watch.aliases
    (0.3, 'watch', ('wristwatch', 'watch dial'))
    """
    _check_characters(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    products = [_parse_item(head, settings) for head, settings in split_items(lines)]
    return check_products(products)


def format_products(products: Iterable[Product]) -> str:
    """Return the text that ``parse_products`` reads back as the same products.

    >>> format_products(parse_products("cup,watch=wristwatch"))
    'cup, watch = wristwatch'
    """
    return ", ".join(_format_item(product) for product in products)


def check_products(products: Sequence[Product]) -> tuple[Product, ...]:
    """Return the products with clean words; raises ProductsError for a list that cannot be used.

    For products that did not come through ``parse_products``, such as those of an HTTP request.
    """
    if not products:
        raise ProductsError(f"The product list is empty; name at least one product, for example: {_EXAMPLE}.")
    if len(products) > MAX_PRODUCTS:
        raise ProductsError(f"The product list names {len(products)} products; name at most {MAX_PRODUCTS} in one run.")
    cleaned = tuple(_check_product(product) for product in products)
    _check_distinct(cleaned)
    return cleaned


def normalise_word(word: str) -> str:
    """Return a name or alias in lower case (Unicode NFC), with single spaces and a plain apostrophe."""
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).lower())
    return " ".join(lowered.replace("\u2019", "'").split())


def _parse_item(head: str, settings: str | None) -> Product:
    """Return the product of ``name = alias | alias`` and its settings; the words are cleaned later."""
    (_, name), *parts = split_words(head)
    if any((sign == "=") != (n == 0) for n, (sign, _) in enumerate(parts)):
        raise _misplaced_sign(name, parts)
    examples = [path for _, part in parts if (path := example_path(part)) is not None]
    values = parse_settings(name, settings or "")
    return Product(
        name=name,
        aliases=tuple(part for _, part in parts if example_path(part) is None),
        threshold=_number(name, "threshold", values.get("threshold")),
        prompt=values.get("prompt"),
        denoise=_number(name, "denoise", values.get("denoise")),
        colour=_colour(name, values),
        examples=tuple(examples),
    )


def _misplaced_sign(name: str, parts: Sequence[tuple[str, str]]) -> ProductsError:
    """Say which sign of ``name = alias | alias`` is missing or too much."""
    if parts[0][0] == "|":
        return ProductsError(
            f"The product {show(name)} is followed by '|'; write its aliases as: name = alias | alias."
        )
    return ProductsError(f"The product {show(name)} has more than one '='; write its aliases as: name = alias | alias.")


def _colour(name: str, values: dict[str, str]) -> ColourReference | None:
    """Return the colour reference among the settings of one product."""
    if "colour" in values:
        return parse_reference(values["colour"], values.get("tolerance", ""))
    if "tolerance" in values:
        raise ProductsError(
            f"The product {show(name)} has a tolerance and no colour; add colour=#7a5c3e, or remove it."
        )
    return None


def _number(name: str, key: str, raw: str | None) -> float | None:
    """Return a setting's number; its range is checked with the product."""
    if raw is None:
        return None
    if not _DECIMAL.fullmatch(raw):
        raise ProductsError(f"The {key} of {show(name)} is {show(raw)}; give a number from 0 to 1, such as 0.3.")
    return float(raw)


def _check_product(product: Product) -> Product:
    """Return the product with clean words and prompt; raises ProductsError."""
    name = _clean_word(product.name, "a product")
    shown = product.as_typed(product.name)
    aliases = tuple(_clean_word(alias, f"an alias of {show(shown)}") for alias in product.aliases)
    for key in NUMBER_SETTINGS:
        value = getattr(product, key)
        # Written so that NaN is refused too.
        if value is not None and not 0.0 <= value <= 1.0:
            raise ProductsError(f"The {key} of {show(shown)} is {value:g}; give a number from 0 to 1, such as 0.3.")
    # An alias that repeats a word of its own product adds nothing and harms nothing.
    distinct = tuple(dict.fromkeys(alias for alias in aliases if alias != name))
    prompt = _clean_prompt(shown, product.prompt)
    typed = _typed_words((name, *aliases), product)
    examples = _check_examples(shown, product.examples)
    return Product(name, distinct, product.threshold, prompt, product.denoise, product.colour, typed, examples)


def _check_examples(name: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of a product's examples, each once; raises ProductsError for one that cannot be one."""
    for path in paths:
        _check_characters(path)
        if not path.strip():
            raise ProductsError(
                f"The product {show(name)} has an '@' without a path; write the folder or picture behind it: "
                "ring = @photos/ring."
            )
    return tuple(dict.fromkeys(paths))


def _typed_words(words: Iterable[str], product: Product) -> dict[str, str]:
    """Return the words of a product as they were written, by their clean form, where they differ."""
    typed: dict[str, str] = {}
    for clean, word in zip(words, product.words, strict=True):
        written = " ".join(product.as_typed(word).split())
        if written != clean:
            typed.setdefault(clean, written)
    return typed


def _clean_prompt(name: str, prompt: str | None) -> str | None:
    """Return the prompt with single spaces; raises ProductsError for an empty one."""
    if prompt is None:
        return None
    _check_characters(prompt)
    cleaned = " ".join(prompt.split())
    if not cleaned:
        raise ProductsError(f"The prompt of {show(name)} is empty; write some text or remove the setting.")
    return cleaned


def _clean_word(word: str, role: str) -> str:
    """Return a usable name or alias; raises ProductsError. ``role`` says what the word is, for the sentence."""
    _check_characters(word)
    cleaned = normalise_word(word)
    if cleaned == "*":
        return MAIN_OBJECT
    if cleaned.startswith("@"):
        raise ProductsError(
            f"In the product list, the examples {show(word)} belong to no product; write its name before them: "
            "ring = @photos/ring."
        )
    if not cleaned:
        raise ProductsError(
            f"In the product list, {role} has no name; remove the extra ',', '=' or '|', or write the missing word."
        )
    if len(cleaned) > MAX_WORD_LENGTH:
        raise ProductsError(
            f"In the product list, {show(word)} is {len(cleaned)} characters long; use at most {MAX_WORD_LENGTH}."
        )
    wrong = next((character for character in cleaned if not _is_caption_safe(character)), None)
    if wrong == "#":
        raise ProductsError(
            f"In the product list, {show(word)} has the character '#'; a product's colour stands in brackets: "
            "cup [colour=#7a5c3e]."
        )
    if wrong is not None:
        raise ProductsError(
            f"In the product list, {show(word)} has the character {show_character(wrong)}; "
            "use letters, digits, spaces, hyphens, apostrophes, '&' and '/' only."
        )
    if not any(character.isalnum() for character in cleaned):
        raise ProductsError(f"In the product list, {show(word)} has no letter; write the product's name in words.")
    return cleaned


def _check_distinct(products: Sequence[Product]) -> None:
    """Raise ProductsError when two products share a word."""
    owners: dict[str, Product] = {}
    sources: dict[str, Product] = {}
    for product in products:
        for word in product.words:
            owner = owners.get(word)
            if owner is None:
                owners[word] = product
            elif owner.name == product.name:
                raise ProductsError(
                    f"The product {show(product.as_typed(word))} is named twice in the product list; name it once."
                )
            else:
                first, second = (show(one.as_typed(one.name)) for one in (owner, product))
                raise ProductsError(
                    f"The word {show(product.as_typed(word))} belongs to the products {first} and {second}; "
                    "keep it for one of them."
                )
        for path in product.examples:
            if (owner := sources.setdefault(path, product)) is not product:
                first, second = (show(one.as_typed(one.name)) for one in (owner, product))
                raise ProductsError(
                    f"The examples {show(path)} belong to the products {first} and {second}; keep them for one of them."
                )


def _check_characters(text: str) -> None:
    """Raise ProductsError for control characters and lone surrogates, which no caption or file can carry."""
    if wrong := _CONTROL.search(text):
        raise ProductsError(
            f"The product list holds the control character {show_character(wrong[0])}; remove it and try again."
        )


def _is_caption_safe(character: str) -> bool:
    """Return True for letters and marks of any script, digits and the few signs that do not end a phrase of a
    caption.
    """
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LM" or character.isdecimal()


def _format_item(product: Product) -> str:
    """Return one product as the user would type it."""
    parts = [*product.aliases, *map(format_example, product.examples)]
    words = product.name + (f" = {' | '.join(parts)}" if parts else "")
    settings = [f"{key}={value!r}" for key in NUMBER_SETTINGS if (value := getattr(product, key)) is not None]
    if product.prompt is not None:
        settings.append(f"prompt={quoted(product.prompt)}")
    if product.colour is not None:
        settings.append(f"colour={product.colour}")
        if product.colour.tolerance != ColourReference.DEFAULT_TOLERANCE:
            settings.append(f"tolerance={product.colour.tolerance:g}")
    return f"{words} [{'; '.join(settings)}]" if settings else words
