"""XMP packets (ISO 16684-1): what one says, and the same packet with another DigitalSourceType.

Reading goes through an XML parser, so that a property is found as element or attribute, under any prefix. Writing
changes the text itself: all that somebody else wrote stays as it is.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from lib_photoshoot.provenance.terms import TERMS, term_named

PROPERTY = "DigitalSourceType"
_NAMESPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_MOST = 16
"""So often a packet may name the property; more is no packet of a picture."""
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ADDRESS = re.compile(re.escape(TERMS).replace("http:", "https?:") + r"\w+")
_ATTRIBUTE = re.compile(rf"(\b[\w.-]+:{PROPERTY}\s*=\s*)(\"[^\"]*\"|'[^']*')")
_ELEMENT = re.compile(rf"<([\w.-]+:{PROPERTY})\b[^<>]*?(?:/>|>.*?</\1\s*>)", re.DOTALL)
_END = re.compile(r"</[\w.-]+:RDF\s*>")
_ORIENTATION = re.compile(r"(\btiff:Orientation\s*(?:=\s*[\"']|>)\s*)[2-8]\b")


def decoded(xmp: bytes) -> str:
    """Return the packet's text; one that is not UTF-8 has its zeros in UTF-16."""
    if b"\0" in xmp[:64]:
        return xmp.decode("utf-16-be" if xmp[:1] == b"\0" else "utf-16-le", "replace")
    return xmp.decode("utf-8", "replace").rstrip("\0")


def properties(xmp: bytes) -> tuple[tuple[str, str], ...]:
    """Each property with a text, by its name without namespace; nothing from a packet that is no XML."""
    text = decoded(xmp)
    # No packet has a document type; one that has may want to be expanded into gigabytes.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return ()
    try:
        root = ElementTree.fromstring(text.lstrip("\ufeff").strip())
    except (ElementTree.ParseError, ValueError, RecursionError):
        return ()
    found: list[tuple[str, str]] = []
    for element in root.iter():
        found += [(_local(name), value) for name, value in element.attrib.items()]
        # The values of a bag or of languages lie two levels deeper, an address may be a resource.
        resource = element.get(f"{{{_RDF}}}resource", "")
        parts = [element.text or "", resource, *(item.text or "" for item in element.iterfind(f"*/{{{_RDF}}}li"))]
        found += [(_local(element.tag), part.strip()) for part in parts if part.strip()]
    return tuple(found)


def terms_in(xmp: bytes) -> tuple[str, ...]:
    """Return the terms of all its DigitalSourceTypes; of a damaged packet those whose address can still be read."""
    values = [value for name, value in properties(xmp) if name == PROPERTY]
    if not values:
        values = _ADDRESS.findall(decoded(xmp)) if not properties(xmp) else []
    return tuple(dict.fromkeys(term for value in values if (term := term_named(value))))


def packet(term: str) -> bytes:
    """Return a packet with one term and nothing else, UTF-8."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">{_description(term)}'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def with_term(xmp: bytes | None, term: str) -> bytes:
    """Return the packet, UTF-8, with this term in place of its own, or besides what it holds."""
    if not xmp or not properties(xmp) or decoded(xmp).count(f":{PROPERTY}") > _MOST:
        return packet(term)
    text = _ATTRIBUTE.sub(rf'\g<1>"{TERMS}{term}"', decoded(xmp))
    text = _ELEMENT.sub(rf"<\g<1>>{TERMS}{term}</\g<1>>", text)
    end = _END.search(text)
    if f":{PROPERTY}" not in text and end is not None:
        text = text[: end.start()] + _description(term) + text[end.start() :]
    changed = text.encode()
    return changed if terms_in(changed) == (term,) else packet(term)


def upright(xmp: bytes) -> bytes:
    """Return the packet of pixels that were turned upright."""
    return _ORIENTATION.sub(r"\g<1>1", decoded(xmp)).encode()


def _description(term: str) -> str:
    return (
        f'<rdf:Description rdf:about="" xmlns:rdf="{_RDF}" xmlns:Iptc4xmpExt="{_NAMESPACE}">'
        f"<Iptc4xmpExt:{PROPERTY}>{TERMS}{term}</Iptc4xmpExt:{PROPERTY}></rdf:Description>"
    )


def _local(name: str) -> str:
    return name.rpartition("}")[2]
