"""How a product list is written: items, words, examples and settings, as text. See ``products.py`` for the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib_photoshoot.errors import ProductsError

NUMBER_SETTINGS = ("threshold", "denoise")
SETTINGS = (*NUMBER_SETTINGS, "prompt", "colour", "tolerance")
_QUOTED = r'"(?:\\.|[^"\\])*"'
_QUOTED_EXAMPLE = rf"@\s*{_QUOTED}"
_SETTINGS_BLOCK = re.compile(rf'\[((?:[^\[\]"]|{_QUOTED})*)\]', re.DOTALL)
_SETTING = re.compile(rf'(?:\([^()"]*\)|[^;"]|{_QUOTED})+', re.DOTALL)  # Lab(52,5; 8; 20) is one value
_QUOTED_VALUE = re.compile(_QUOTED, re.DOTALL)
_DELIMITER = re.compile(rf"{_QUOTED_EXAMPLE}|[,\n\[\]]")
_PART_END = re.compile(rf"{_QUOTED_EXAMPLE}|[=|]")
_NEEDS_QUOTES = re.compile(r'[,\n\[\]|="]|^\s|\s$')


def split_items(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield (words, text between the brackets or None) for every product."""
    head, settings, start = "", None, 0
    while start <= len(text):
        found = _next_mark(_DELIMITER, text, start)
        stop = found.start() if found else len(text)
        chunk = text[start:stop]
        if settings is not None and chunk.strip():
            raise ProductsError(
                f"In the product list, {show(chunk)} follows the settings of {show(head)}; "
                "put a comma between two products and the settings last."
            )
        if settings is None:
            head += chunk
        mark = found.group() if found else ""
        if mark == "]":
            raise ProductsError(
                f"In the product list, the ']' after {show(text[:stop][-30:])} closes nothing; remove it or add '['."
            )
        if mark == "[":
            if settings is not None:
                raise ProductsError(
                    f"The product {show(head)} has two blocks of settings; join them with ';' in one pair of brackets."
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


def split_words(head: str) -> list[tuple[str, str]]:
    """Return the parts of ``name = alias | @examples`` with the sign before each: ``""``, ``"="`` or ``"|"``."""
    parts, sign, start = [], "", 0
    while True:
        found = _next_mark(_PART_END, head, start)
        parts.append((sign, head[start : found.start() if found else len(head)].strip()))
        if found is None:
            return parts
        sign, start = found.group(), found.end()


def example_path(part: str) -> str | None:
    """Return the path of ``@path`` or ``@"path"`` as it was typed; None for a word.

    >>> example_path("@photos/ring"), example_path('@"my, rings"'), example_path("ring")
    ('photos/ring', 'my, rings', None)
    """
    if not part.startswith("@"):
        return None
    path = part[1:].strip()
    return _unquoted(path) if _QUOTED_VALUE.fullmatch(path) else path


def format_example(path: str) -> str:
    """Return the text that :func:`example_path` reads back as ``path``.

    >>> format_example("photos/ring"), format_example("my, rings")
    ('@photos/ring', '@"my, rings"')
    """
    return f"@{quoted(path)}" if _NEEDS_QUOTES.search(path) else f"@{path}"


def quoted(text: str) -> str:
    """Return the text in quotes, as a value of a setting is written."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _next_mark(pattern: re.Pattern[str], text: str, start: int) -> re.Match[str] | None:
    """Return the next sign that ends a part; those inside a quoted path are part of it."""
    return next((found for found in pattern.finditer(text, start) if not found.group().startswith("@")), None)


def _unquoted(text: str) -> str:
    # Only the two escapes that quoting needs: a prompt's own "\(" keeps its backslash.
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


def _unclosed(head: str, rest: str) -> ProductsError:
    """Say which of the two is missing: the closing quote or the closing bracket."""
    if _QUOTED_VALUE.sub("", rest).count('"'):
        return ProductsError(f"The settings of {show(head)} have a quote that is not closed; add the missing '\"'.")
    return ProductsError(f"The settings of {show(head)} are not closed; add the missing ']'.")


def parse_settings(name: str, text: str) -> dict[str, str]:
    """Return the settings of one product as text by setting."""
    values: dict[str, str] = {}
    for part in _SETTING.findall(text):
        if not part.strip():
            continue
        key, equals, raw = part.partition("=")
        key = key.strip().lower()
        if key not in SETTINGS:
            raise ProductsError(
                f"The product {show(name)} has the unknown setting {show(key)}; known are: {', '.join(SETTINGS)}."
            )
        if not equals:
            raise ProductsError(f"The setting {key} of {show(name)} has no value; write {key}=value.")
        if key in values:
            raise ProductsError(f"The product {show(name)} sets {key} twice; keep one of them.")
        values[key] = _setting_value(name, key, raw.strip())
    return values


def _setting_value(name: str, key: str, raw: str) -> str:
    """Return the text of a value, without its quotes."""
    if '"' not in raw:
        return raw
    if not _QUOTED_VALUE.fullmatch(raw):
        raise ProductsError(
            f"The value of {key} of {show(name)} is only partly in quotes; put one pair of quotes around all of it."
        )
    return _unquoted(raw)


def show(text: str) -> str:
    """Return the user's text on one line, short enough for a sentence, in quotes; \ufffd for what cannot be seen."""
    line = "".join(character if character.isprintable() else "\ufffd" for character in " ".join(text.split()))
    return f"'{line[:37]}...'" if len(line) > 40 else f"'{line}'"


def show_character(character: str) -> str:
    """Return a character with its code point, since some cannot be seen."""
    code = f"U+{ord(character):04X}"
    return f"'{character}' ({code})" if character.isprintable() else code
