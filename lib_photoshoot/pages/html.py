"""The picture page as HTML: one file with its style, script and data, self-contained but for the full pictures."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.pages.data import Item, Page, page
from lib_photoshoot.pages.hands import LONGEST_NOTE

PER_BLOCK = 32
"""Items whose thumbnails stand in one element of the page: it reads one when a picture of it comes into sight."""
_PER_ELEMENT = 8 * PER_BLOCK
"""Items in one element: more than any window shows."""
_OPEN, _CLOSE = '<script type="application/json" class="items">[\n', "\n]</script>"
_PIECE = 1 << 16


def html_chunks(head: Page, items: Iterable[Item], thumbnails: Iterable[str] = ()) -> Iterator[bytes]:
    """Return the page as UTF-8 pieces, so that a long one is never whole in memory.

    ``thumbnails`` has one text for each item, as :func:`embedded` makes it; empty for a page whose thumbnails are
    files, which keeps a served one small.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lib_photoshoot.pages", "component"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    items, blocks = iter(items), enumerate(_blocks(iter(thumbnails)))
    pieces = environment.get_template("page.html.j2").generate(
        title=head["title"],
        page=_script_json(head),
        longest_note=LONGEST_NOTE,
        first=_seen_first(items),
        rest=_rest(items, blocks),
    )
    return _gathered(piece.encode("utf-8", "backslashreplace") for piece in pieces)


@cache
def content_security_policy() -> str:
    """For whoever serves the page: nothing but its own script and style, and pictures and decisions of its own site."""
    text = b"".join(html_chunks(page(""), ())).decode()
    hashes = {}
    for kind in ("script", "style"):
        (inner,) = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        hashes[kind] = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def embedded(out: Path, thumbnails: Iterable[str]) -> str:
    """Return the thumbnails of an item's views, by their names in the folder, as base64 with a blank between them.

    One is empty where the view has none, a user has deleted the file, or a link leads elsewhere.
    """
    return " ".join(_base64(out, name) for name in thumbnails).rstrip(" ")


def key_of(values: Any) -> str:
    """Return a short key that tells pages apart, of JSON values that stay as they are while decisions are taken."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same in pieces of a good size to write: the template's are a few bytes each."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _script_json(value: Mapping[str, Any]) -> str:
    """JSON for a script element, in which no markup can begin or end."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _seen_first(items: Iterator[Item]) -> Iterator[str]:
    """Yield the element of the items that are seen first, in pieces; it is there without any, too."""
    first = next(items, None)
    return iter((f"{_OPEN}{_CLOSE}",)) if first is None else _element(first, items)


def _rest(items: Iterator[Item], blocks: Iterator[tuple[int, str]]) -> Iterator[str]:
    """Yield the other elements: the thumbnails of what is seen first, the other items, the other thumbnails."""
    yield from map(_thumbnails, islice(blocks, _PER_ELEMENT // PER_BLOCK))
    for item in items:
        yield from _element(item, items)
    yield from map(_thumbnails, blocks)


def _element(first: Item, items: Iterator[Item]) -> Iterator[str]:
    """Yield an element with this item and the next ones, an item at a time."""
    before = _OPEN
    for item in chain((first,), islice(items, _PER_ELEMENT - 1)):
        yield before + _script_json(item)
        before = ",\n"
    yield _CLOSE


def _thumbnails(block: tuple[int, str]) -> str:
    return f'<script type="text/plain" id="thumbnails-{block[0]}">{block[1]}</script>'


def _blocks(texts: Iterator[str]) -> Iterator[str]:
    """Yield the thumbnails of ``PER_BLOCK`` items together, one item a line."""
    while block := list(islice(texts, PER_BLOCK)):
        yield "\n".join(block)


def _base64(out: Path, name: str) -> str:
    try:
        return base64.b64encode(inside(out, name).read_bytes()).decode("ascii") if name else ""
    except (OSError, CatalogError):
        return ""
