"""The page of a shoot: every picture with its decision, self-contained but for the full pictures beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError
from lib_photoshoot.files import write_atomic
from lib_photoshoot.shoot.shot_list import REPORT_NAME

PER_BLOCK = 32
"""Thumbnails in one element of the page: it reads an element when a picture of it comes into sight."""
_PIECE = 1 << 16


def write_report(out: Path, view: Mapping[str, Any]) -> None:
    """Write ``report.html`` atomically for a whole :func:`shoot_view`; raises ``OSError`` as it comes."""
    write_atomic(out / REPORT_NAME, lambda file: file.writelines(report_chunks(out, view)))


def report_chunks(out: Path, view: Mapping[str, Any], decide: str = "", embed: bool = True) -> Iterator[bytes]:
    """The page as UTF-8 pieces, so that a long report is never whole in memory.

    ``decide`` is the address, relative to the page's, that takes decisions as JSON; empty for a page that is a file.
    The full pictures are found at their path relative to the page; so are the thumbnails where ``embed`` is False,
    which keeps a served page small.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lib_photoshoot.shoot", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    products = view["products"]
    order = {product["name"]: index for index, product in enumerate(products)}
    # In the list's order, whichever WebUI was faster.
    shots = sorted(view["shots"], key=lambda shot: (order[shot["product"]], shot["number"]))
    shoot = {"decide": decide, "key": _key(shots), "per_block": PER_BLOCK if embed else 0, "products": products}
    pieces = environment.get_template("page.html.j2").generate(
        accepted=sum(product["accepted"] for product in products),
        wanted=sum(product["wanted"] for product in products),
        shoot=_script_json(shoot),
        shots=map(_script_json, shots),
        blocks=_blocks(out, shots) if embed else (),
    )
    return _gathered(piece.encode("utf-8", "backslashreplace") for piece in pieces)


@cache
def content_security_policy() -> str:
    """For whoever serves the page: nothing but its own script and style, and pictures and decisions of its own site."""
    page = b"".join(report_chunks(Path(), {"products": [], "shots": []})).decode()
    hashes = {}
    for kind in ("script", "style"):
        (text,) = re.findall(f"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        hashes[kind] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same in pieces of a good size to write: the template's are a few bytes each."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _key(shots: Sequence[Mapping[str, Any]]) -> str:
    """Tells this shoot from others: its oldest picture, which a report that is written again still has."""
    oldest = min(shots, key=lambda shot: shot["id"], default={})
    kept = [oldest.get(name) for name in ("product", "number", "seed", "scene", "webui", "seconds")]
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]


def _script_json(value: Any) -> str:
    """JSON for a script element, in which no markup can begin or end."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _blocks(out: Path, shots: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The thumbnails in the order of the shots, ``PER_BLOCK`` together, one a line."""
    for start in range(0, len(shots), PER_BLOCK):
        yield "\n".join(_base64(out, shot["thumbnail"]) for shot in shots[start : start + PER_BLOCK])


def _base64(out: Path, name: str) -> str:
    """The thumbnail; empty when a user has deleted the file, or a link leads elsewhere."""
    try:
        return base64.b64encode(inside(out, name).read_bytes()).decode("ascii")
    except (OSError, CatalogError):
        return ""
