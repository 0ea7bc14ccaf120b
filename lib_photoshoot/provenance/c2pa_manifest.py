"""The terms in a C2PA manifest (https://c2pa.org), read by c2pa-python where it is installed.

Without it they are looked for in the manifest's bytes: a term stands there as plain text, right behind the name of its
field, also in CBOR. Who signed it, and whether the file is still what was signed, only the library can tell.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

from lib_photoshoot.provenance.terms import term_named

# The description of a manifest store: its box, and its content's UUID.
_STORE = re.compile(rb"jumdc2pa\x00\x11\x00\x10\x80\x00")
_FIELD = re.compile(rb"digitalSourceType[^h]{1,4}(https?://[\w./-]{1,200}/\w+)")
_NOTHING_FETCHED = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}


@dataclass(frozen=True)
class C2paManifest:
    """``terms`` are those of its actions, else of the pictures that went into this one; ``says`` describes it."""

    terms: tuple[str, ...]
    says: str


def read_manifest(file: BinaryIO, mime: str | None) -> C2paManifest | None:
    """Return the manifest in a whole picture file of a MIME type; None without one. Leaves the position anywhere."""
    with ExitStack() as stack:
        data = _bytes_of(file, stack)
        if data is None or (store := _STORE.search(data)) is None:
            return None
        found = [match[1].decode() for match in _FIELD.finditer(data, store.start())]
        # A view of the data may not outlive this.
        del store
    checked = None if mime is None else _checked(file, mime)
    if checked is not None:
        return checked
    return C2paManifest(_terms(found), "a C2PA manifest, its signature not checked")


def _bytes_of(file: BinaryIO, stack: ExitStack) -> Any:
    """Return the file's bytes without a copy of them; None where that cannot be."""
    try:
        if hasattr(file, "getbuffer"):
            return stack.enter_context(file.getbuffer())
        return stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError, AttributeError):
        return None


def _checked(file: BinaryIO, mime: str) -> C2paManifest | None:
    """Return what the library reads; None without it, and where it cannot read the manifest."""
    try:
        import c2pa
    except (ImportError, OSError):
        return None
    try:
        file.seek(0)
        with c2pa.Reader(mime, file, context=c2pa.Context.from_dict(_NOTHING_FETCHED)) as reader:
            document = json.loads(reader.json())
            state = reader.get_validation_state()
    except Exception:  # a damaged manifest raises many kinds, and no picture is lost for it
        return None
    manifests = document.get("manifests", {})
    active = manifests.get(document.get("active_manifest"), {})
    signature = active.get("signature_info", {})
    signer = signature.get("common_name") or signature.get("issuer") or "somebody"
    what = "and the file is as it was signed" if state in ("Valid", "Trusted") else "but the file was changed since"
    return C2paManifest(
        _terms(_values(active)) or _terms(_values(manifests)), f"a C2PA manifest, signed by {signer}, {what}"
    )


def _values(node: Any) -> Iterator[str]:
    """Every digitalSourceType in the manifests' JSON."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "digitalSourceType" and isinstance(value, str):
                yield value
            else:
                yield from _values(value)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value)


def _terms(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term for value in values if (term := term_named(value))))
