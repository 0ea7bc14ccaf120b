"""Whether a picture was generated, and the XMP that says so.

IPTC's ``DigitalSourceType`` (https://iptc.org/std/photometadata/specification/IPTC-PhotoMetadata#digital-source-type,
terms at http://cv.iptc.org/newscodes/digitalsourcetype/) is what sales channels read. Generated and generatively edited
pictures carry it; retouching without a diffusion model makes no trained algorithmic media, so those carry none.
"""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from lib_photoshoot.catalog.ledger import LEDGER_NAME, Record
from lib_photoshoot.images import PICTURE_FORMATS, shown

TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NAMESPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_TERM = re.compile(re.escape(TERMS).replace("http:", "https?:") + r"(\w+)")
# What the WebUI writes below every picture that it generated; the mask's settings only where it inpainted.
_INFOTEXT = re.compile(r"\bSteps: \d+.*\bSeed: \d+", re.DOTALL)
_INPAINTED = re.compile(r"\b(Mask blur|Masked content|Inpaint area|Masked area padding): ")
_USER_COMMENT = 0x9286
_EXIF_IFD = 0x8769
_TIFF_XMP = 700


class Source(str, Enum):
    """How a picture came to be."""

    GENERATED = "generated"
    """Every pixel by a diffusion model."""
    EDITED = "edited"
    """A photo, parts of which a diffusion model painted."""
    RETOUCHED = "retouched"
    """A photo, retouched without any diffusion model."""
    PHOTO = "photo"


TERM_OF = {
    Source.GENERATED: "trainedAlgorithmicMedia",
    Source.EDITED: "compositeWithTrainedAlgorithmicMedia",
}
_SOURCE_OF_TERM = {term.lower(): source for source, term in TERM_OF.items()}


@dataclass(frozen=True)
class Evidence:
    """What a picture is taken to be, and from what that was concluded, in words."""

    source: Source
    reason: str


def xmp_packet(source: Source) -> bytes | None:
    """The XMP packet (UTF-8) for a picture, None where it needs none. ISO 16684-1, one property."""
    term = TERM_OF.get(source)
    if term is None:
        return None
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_NAMESPACE}">'
        f"<Iptc4xmpExt:DigitalSourceType>{TERMS}{term}</Iptc4xmpExt:DigitalSourceType>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def digital_source_type(xmp: bytes) -> str | None:
    """The last part of the first DigitalSourceType in an XMP packet, None without one."""
    found = _TERM.search(xmp.decode("utf-8", "replace"))
    return None if found is None else found[1]


def source_of(path: str | os.PathLike[str]) -> Evidence:
    """What a picture is, by its own XMP, its infotext, or the run that wrote it; without any, a photo.

    A file that cannot be read counts as one without metadata: reading its pixels tells what is wrong with it.
    """
    own = _own_evidence(Path(path))
    if own is not None:
        return own
    record = _record_of(Path(path))
    if record is None:
        return Evidence(Source.PHOTO, "neither infotext nor XMP says that it was generated")
    original = _own_evidence(Path(record.file))
    if original is not None:
        return Evidence(original.source, f"made from {shown(os.path.basename(record.file))}: {original.reason}")
    if not os.path.exists(record.file):
        return Evidence(
            Source.RETOUCHED, f"{shown(record.file)}, from which it was made, is gone; --source tells better"
        )
    return Evidence(Source.RETOUCHED, "its run retouched a photo")


def strongest(*evidence: Evidence) -> Evidence:
    """Of a picture's and its cut-out's evidence the one that says the most: a cut-out may have lost its infotext."""
    return min(evidence, key=lambda item: list(Source).index(item.source))


def _own_evidence(path: Path) -> Evidence | None:
    xmp, infotext = b"", ""
    # Damaged metadata raises many kinds in Pillow, and tells nothing.
    with suppress(Exception), Image.open(path, formats=PICTURE_FORMATS) as image:
        xmp, infotext = read_xmp(image), _infotext(image)
    source = _SOURCE_OF_TERM.get((digital_source_type(xmp) or "").lower())
    if source is not None:
        return Evidence(source, "its XMP says so")
    if not _INFOTEXT.search(infotext):
        return None
    if _INPAINTED.search(infotext):
        return Evidence(Source.EDITED, "its infotext tells of inpainting")
    return Evidence(Source.GENERATED, "it has an infotext")


def read_xmp(image: Image.Image) -> bytes:
    """The XMP packet of an opened picture, empty without one."""
    info = image.info
    for key in ("xmp", "XML:com.adobe.xmp"):
        if key in info:
            return _bytes(info[key])
    if _TIFF_XMP in (getattr(image, "tag_v2", None) or {}):
        return _bytes(image.tag_v2[_TIFF_XMP])  # type: ignore[attr-defined]
    # Pillow below 10.3 leaves a JPEG's packet among the markers.
    begin = b"http://ns.adobe.com/xap/1.0/\0"
    markers = [body for marker, body in getattr(image, "applist", []) if marker == "APP1" and body.startswith(begin)]
    return markers[0][len(begin) :] if markers else b""


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value)


def _infotext(image: Image.Image) -> str:
    """What the WebUI writes: a PNG chunk, elsewhere EXIF's UserComment with its eight bytes of encoding before it."""
    text = image.info.get("parameters")
    if isinstance(text, str):
        return text
    comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    if isinstance(comment, str):
        return comment
    code, body = comment[:8], comment[8:]
    if code != b"UNICODE\0":
        return body.decode("utf-8", "replace")
    # EXIF does not fix the byte order; text in latin letters has its zeros first in big endian.
    return body.decode("utf-16-be" if body[:1] == b"\0" else "utf-16-le", "replace")


def _record_of(path: Path) -> Record | None:
    """The record of the filter's run that wrote a picture: its folder is the nearest above with a ledger."""
    path = Path(os.path.abspath(path))
    for folder in path.parents:
        ledger = folder / LEDGER_NAME
        with suppress(OSError):
            status = ledger.stat()
            return _records(ledger, status.st_mtime_ns, status.st_size).get(path.relative_to(folder).as_posix())
    return None


@lru_cache(maxsize=4)
def _records(ledger: Path, mtime_ns: int, size: int) -> dict[str, Record]:
    """Records by output file; the arguments besides the path renew the cache when the file has changed."""
    result = {}
    for line in io.BytesIO(ledger.read_bytes()):
        with suppress(ValueError, KeyError, TypeError):
            record = Record.from_json(json.loads(line))
            result.update(dict.fromkeys(record.outputs, record))
    return result
