"""What the user types to name products: ``handbag, shoe, watch = wristwatch | watch dial``.

Grammar: products are separated by commas or new lines; ``=`` starts the aliases, ``|`` separates them; settings for one
product stand behind it in square brackets, separated by semicolons: ``shoe [threshold=0.3; denoise=0.5; prompt="a red
shoe"; colour=#7a5c3e; tolerance=3]``. Inside double quotes every character is text; ``\\"`` stands for a quote and
``\\\\`` for a backslash.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lib_photoshoot.colour.reference import ColourReference, parse_reference
from lib_photoshoot.errors import ProductsError

MAX_PRODUCTS = 50
MAX_WORD_LENGTH = 60
"""Characters in one name or alias."""

_EXAMPLE = "handbag, shoe, watch = wristwatch | watch dial"
_NUMBER_SETTINGS = ("threshold", "denoise")
_SETTINGS = (*_NUMBER_SETTINGS, "prompt", "colour", "tolerance")
_PUNCTUATION = frozenset(" -'&/")
_QUOTED = r'"(?:\\.|[^"\\])*"'
_SETTINGS_BLOCK = re.compile(rf'\[((?:[^\[\]"]|{_QUOTED})*)\]', re.DOTALL)
_SETTING = re.compile(rf'(?:\([^()"]*\)|[^;"]|{_QUOTED})+', re.DOTALL)  # Lab(52,5; 8; 20) is one value
_QUOTED_VALUE = re.compile(_QUOTED, re.DOTALL)
_DELIMITER = re.compile(r"[,\n\[\]]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Product:
    """One product to look for.

    ``name`` and ``aliases`` are lower-case words with single spaces. ``threshold`` (detection score) and ``denoise``
    (strength) are in [0, 1], ``prompt`` is text for the enhancement; ``None`` leaves the run's own value. ``colour`` is
    what the article has to look like; without one its colour may be any. ``typed`` has words as the user wrote them,
    by the word, where they differ: for sentences only, it makes no other product.
    """

    name: str
    aliases: tuple[str, ...] = ()
    threshold: float | None = None
    prompt: str | None = None
    denoise: float | None = None
    colour: ColourReference | None = None
    typed: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def words(self) -> tuple[str, ...]:
        """The name and the aliases, in this order."""
        return (self.name, *self.aliases)

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
    products = [_parse_item(head, settings) for head, settings in _split_items(lines)]
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


def _split_items(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield (words, text between the brackets or None) for every product."""
    head, settings, start = "", None, 0
    while start <= len(text):
        found = _DELIMITER.search(text, start)
        stop = found.start() if found else len(text)
        chunk = text[start:stop]
        if settings is not None and chunk.strip():
            raise ProductsError(
                f"In the product list, {_show(chunk)} follows the settings of {_show(head)}; "
                "put a comma between two products and the settings last."
            )
        if settings is None:
            head += chunk
        mark = found.group() if found else ""
        if mark == "]":
            raise ProductsError(
                f"In the product list, the ']' after {_show(text[:stop][-30:])} closes nothing; remove it or add '['."
            )
        if mark == "[":
            if settings is not None:
                raise ProductsError(
                    f"The product {_show(head)} has two blocks of settings; join them with ';' in one pair of brackets."
                )
            block = _SETTINGS_BLOCK.match(text, stop)
            if block is None:
                raise _unclosed(head, text[stop:])
            settings, start = block.group(1), block.end()
            continue
        # The last comma of a line may be followed by nothing, and blank lines are fine; any other gap is a mistake.
        if head.strip() or settings is not None or mark == ",":
            yield head, settings
        head, settings, start = "", None, stop + 1


def _unclosed(head: str, rest: str) -> ProductsError:
    """Say which of the two is missing: the closing quote or the closing bracket."""
    if _QUOTED_VALUE.sub("", rest).count('"'):
        return ProductsError(f"The settings of {_show(head)} have a quote that is not closed; add the missing '\"'.")
    return ProductsError(f"The settings of {_show(head)} are not closed; add the missing ']'.")


def _parse_item(head: str, settings: str | None) -> Product:
    """Return the product of ``name = alias | alias`` and its settings; the words are cleaned later."""
    name, *alias_parts = head.split("=")
    if len(alias_parts) > 1:
        raise ProductsError(
            f"The product {_show(name)} has more than one '='; write its aliases as: name = alias | alias."
        )
    aliases = tuple(alias_parts[0].split("|")) if alias_parts else ()
    values = _parse_settings(name, settings or "")
    return Product(
        name=name,
        aliases=aliases,
        threshold=_number(name, "threshold", values.get("threshold")),
        prompt=values.get("prompt"),
        denoise=_number(name, "denoise", values.get("denoise")),
        colour=_colour(name, values),
    )


def _colour(name: str, values: dict[str, str]) -> ColourReference | None:
    """Return the colour reference among the settings of one product."""
    if "colour" in values:
        return parse_reference(values["colour"], values.get("tolerance", ""))
    if "tolerance" in values:
        raise ProductsError(
            f"The product {_show(name)} has a tolerance and no colour; add colour=#7a5c3e, or remove it."
        )
    return None


def _parse_settings(name: str, text: str) -> dict[str, str]:
    """Return the settings of one product as text by setting."""
    values: dict[str, str] = {}
    for part in _SETTING.findall(text):
        if not part.strip():
            continue
        key, equals, raw = part.partition("=")
        key = key.strip().lower()
        if key not in _SETTINGS:
            raise ProductsError(
                f"The product {_show(name)} has the unknown setting {_show(key)}; known are: {', '.join(_SETTINGS)}."
            )
        if not equals:
            raise ProductsError(f"The setting {key} of {_show(name)} has no value; write {key}=value.")
        if key in values:
            raise ProductsError(f"The product {_show(name)} sets {key} twice; keep one of them.")
        values[key] = _setting_value(name, key, raw.strip())
    return values


def _setting_value(name: str, key: str, raw: str) -> str:
    """Return the text of a value, without its quotes."""
    if '"' not in raw:
        return raw
    if not _QUOTED_VALUE.fullmatch(raw):
        raise ProductsError(
            f"The value of {key} of {_show(name)} is only partly in quotes; put one pair of quotes around all of it."
        )
    # Only the two escapes that quoting needs: a prompt's own "\(" keeps its backslash.
    return re.sub(r'\\(["\\])', r"\1", raw[1:-1])


def _number(name: str, key: str, raw: str | None) -> float | None:
    """Return a setting's number; its range is checked with the product."""
    if raw is None:
        return None
    if not _DECIMAL.fullmatch(raw):
        raise ProductsError(f"The {key} of {_show(name)} is {_show(raw)}; give a number from 0 to 1, such as 0.3.")
    return float(raw)


def _check_product(product: Product) -> Product:
    """Return the product with clean words and prompt; raises ProductsError."""
    name = _clean_word(product.name, "a product")
    shown = product.as_typed(product.name)
    aliases = tuple(_clean_word(alias, f"an alias of {_show(shown)}") for alias in product.aliases)
    for key in _NUMBER_SETTINGS:
        value = getattr(product, key)
        # Written so that NaN is refused too.
        if value is not None and not 0.0 <= value <= 1.0:
            raise ProductsError(f"The {key} of {_show(shown)} is {value:g}; give a number from 0 to 1, such as 0.3.")
    # An alias that repeats a word of its own product adds nothing and harms nothing.
    distinct = tuple(dict.fromkeys(alias for alias in aliases if alias != name))
    prompt = _clean_prompt(shown, product.prompt)
    typed = _typed_words((name, *aliases), product)
    return Product(name, distinct, product.threshold, prompt, product.denoise, product.colour, typed)


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
        raise ProductsError(f"The prompt of {_show(name)} is empty; write some text or remove the setting.")
    return cleaned


def _clean_word(word: str, role: str) -> str:
    """Return a usable name or alias; raises ProductsError. ``role`` says what the word is, for the sentence."""
    _check_characters(word)
    cleaned = normalise_word(word)
    if not cleaned:
        raise ProductsError(
            f"In the product list, {role} has no name; remove the extra ',', '=' or '|', or write the missing word."
        )
    if len(cleaned) > MAX_WORD_LENGTH:
        raise ProductsError(
            f"In the product list, {_show(word)} is {len(cleaned)} characters long; use at most {MAX_WORD_LENGTH}."
        )
    wrong = next((character for character in cleaned if not _is_caption_safe(character)), None)
    if wrong == "#":
        raise ProductsError(
            f"In the product list, {_show(word)} has the character '#'; a product's colour stands in brackets: "
            "cup [colour=#7a5c3e]."
        )
    if wrong is not None:
        raise ProductsError(
            f"In the product list, {_show(word)} has the character {_show_character(wrong)}; "
            "use letters, digits, spaces, hyphens, apostrophes, '&' and '/' only."
        )
    if not any(character.isalnum() for character in cleaned):
        raise ProductsError(f"In the product list, {_show(word)} has no letter; write the product's name in words.")
    return cleaned


def _check_distinct(products: Sequence[Product]) -> None:
    """Raise ProductsError when two products share a word."""
    owners: dict[str, Product] = {}
    for product in products:
        for word in product.words:
            owner = owners.get(word)
            if owner is None:
                owners[word] = product
            elif owner.name == product.name:
                raise ProductsError(
                    f"The product {_show(product.as_typed(word))} is named twice in the product list; name it once."
                )
            else:
                first, second = (_show(one.as_typed(one.name)) for one in (owner, product))
                raise ProductsError(
                    f"The word {_show(product.as_typed(word))} belongs to the products {first} and {second}; "
                    "keep it for one of them."
                )


def _check_characters(text: str) -> None:
    """Raise ProductsError for control characters and lone surrogates, which no caption or file can carry."""
    if wrong := _CONTROL.search(text):
        raise ProductsError(
            f"The product list holds the control character {_show_character(wrong[0])}; remove it and try again."
        )


def _is_caption_safe(character: str) -> bool:
    """Return True for letters and marks of any script, digits and the few signs that do not end a phrase of a
    caption.
    """
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LM" or character.isdecimal()


def _format_item(product: Product) -> str:
    """Return one product as the user would type it."""
    words = product.name + (f" = {' | '.join(product.aliases)}" if product.aliases else "")
    settings = [f"{key}={value!r}" for key in _NUMBER_SETTINGS if (value := getattr(product, key)) is not None]
    if product.prompt is not None:
        escaped = product.prompt.replace("\\", "\\\\").replace('"', '\\"')
        settings.append(f'prompt="{escaped}"')
    if product.colour is not None:
        settings.append(f"colour={product.colour}")
        if product.colour.tolerance != ColourReference.DEFAULT_TOLERANCE:
            settings.append(f"tolerance={product.colour.tolerance:g}")
    return f"{words} [{'; '.join(settings)}]" if settings else words


def _show(text: str) -> str:
    """Return the user's text on one line, short enough for a sentence, in quotes; \ufffd for what cannot be seen."""
    line = "".join(character if character.isprintable() else "\ufffd" for character in " ".join(text.split()))
    return f"'{line[:37]}...'" if len(line) > 40 else f"'{line}'"


def _show_character(character: str) -> str:
    """Return a character with its code point, since some cannot be seen."""
    code = f"U+{ord(character):04X}"
    return f"'{character}' ({code})" if character.isprintable() else code
