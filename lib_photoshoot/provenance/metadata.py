"""What a picture's file says besides pixels, EXIF and colour profile, and how it is written into what is made from it.

Pillow reads and writes it all. It is kept, in every environment already, and can do it in all our formats: texts as PNG
chunks; XMP as a PNG chunk, WebP's ``xmp``, TIFF's tag 700 and, in all versions that this project allows, JPEG's
``extra`` markers, where ``xmp`` would need version 11. pyexiv2 can as well, but is under the GPL and a binary more to
install. A C2PA manifest cannot be carried over: it is signed for the file it stands in. Its term goes into the XMP.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image, PngImagePlugin, TiffImagePlugin

from lib_photoshoot.provenance import xmp as packets
from lib_photoshoot.provenance.c2pa_manifest import C2paManifest, read_manifest
from lib_photoshoot.provenance.generators import mark_of, marks_in
from lib_photoshoot.provenance.terms import strongest_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PNG_XMP = "XML:com.adobe.xmp"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_MOST = 65_500
"""Bytes that a JPEG's marker holds, less what stands before them."""
_TEXT_MOST, _XMP_MOST = 4 << 20, 1 << 20
"""Bytes of texts and of XMP that are taken over from one file; no honest one has more."""
_TIFF_XMP, _TIFF_BYTE = 700, 1
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_EXIF_TEXTS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
}


@dataclass(frozen=True)
class Metadata:
    """``xmp`` is a packet as it came. ``texts`` are (keyword, text) pairs of PNG chunks and comments, in their order,
    ``exif`` the texts of EXIF by their tags' names, UserComment among them. ``manifest`` is its C2PA manifest."""

    xmp: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    exif: tuple[tuple[str, str], ...] = ()
    manifest: C2paManifest | None = None

    @property
    def terms(self) -> tuple[str, ...]:
        """The IPTC terms of its XMP."""
        return packets.terms_in(self.xmp) if self.xmp else ()

    @property
    def term(self) -> str | None:
        """The term of its XMP or its manifest that says the most; None without any."""
        return strongest_term((*self.terms, *(self.manifest.terms if self.manifest else ())))

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """All (place, text) pairs in which a generator may have left its mark."""
        return (*self.texts, *self.exif, *(packets.properties(self.xmp) if self.xmp else ()))

    def with_term(self, term: str | None) -> Metadata:
        """Return the same with this term in the XMP; itself for None and where it stands there already."""
        return self if term is None or term in self.terms else replace(self, xmp=packets.with_term(self.xmp, term))


NOTHING = Metadata()


def read_metadata(image: Image.Image, file: BinaryIO | None = None) -> Metadata:
    """Return the metadata of an opened picture, whose pixels were loaded; ``file``, as a whole, may hold a C2PA
    manifest.
    """
    xmp, texts, exif = b"", [], []
    # Damaged metadata raises many kinds in Pillow, and no picture is lost for it.
    with suppress(Exception):
        xmp = packets.upright(_xmp(image))
    with suppress(Exception):
        texts = _within(_texts(image))
    with suppress(Exception):
        exif = _within(_exif_texts(image))
    manifest = None if file is None else read_manifest(file, Image.MIME.get(image.format or ""))
    return Metadata(xmp if 0 < len(xmp) <= _XMP_MOST else None, tuple(texts), tuple(exif), manifest)


def kept(metadata: Metadata) -> Metadata:
    """Return what is written into a picture made from this one: a term of a manifest, which is lost, moves into the
    XMP.
    """
    return metadata.with_term(metadata.term)


def save_options(
    format_: str, metadata: Metadata, exif: bytes | None = None, icc: bytes | None = None
) -> dict[str, Any]:
    """Pillow's options that write metadata, EXIF and colour profile into a file of one format.

    Texts go where there is room: all into a PNG, a generator's mark into EXIF's UserComment elsewhere. What a format
    cannot hold is left out, a JPEG's too long XMP replaced by one with the term alone.
    """
    metadata = kept(metadata)
    options: dict[str, Any] = {"icc_profile": icc} if icc and format_ != "BMP" else {}
    if format_ == "PNG":
        return options | ({"exif": exif} if exif else {}) | _png_options(metadata)
    comment = _comment(metadata)
    if format_ == "GIF":
        return options | ({"comment": comment.encode()} if comment else {})
    if format_ == "TIFF":
        return options | _tiff_options(metadata.xmp, comment)
    if format_ not in ("JPEG", "WEBP"):
        return options
    exif = _with_comment(exif, comment)
    if exif and (format_ == "WEBP" or len(exif) <= _JPEG_MOST):
        options["exif"] = exif
    if metadata.xmp:
        options |= {"xmp": metadata.xmp} if format_ == "WEBP" else {"extra": _jpeg_marker(metadata)}
    return options


def _png_options(metadata: Metadata) -> dict[str, Any]:
    if not metadata.xmp and not metadata.texts:
        return {}
    chunks = PngImagePlugin.PngInfo()
    if metadata.xmp:
        chunks.add_itxt(_PNG_XMP, metadata.xmp.decode("utf-8", "replace"))
    for keyword, text in metadata.texts:
        chunks.add_text(keyword, text)
    return {"pnginfo": chunks}


def _jpeg_marker(metadata: Metadata) -> bytes:
    xmp = metadata.xmp or b""
    term = strongest_term(metadata.terms)
    if len(xmp) > _JPEG_MOST:
        xmp = packets.packet(term) if term else b""
    body = _JPEG_XMP + xmp
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body if xmp else b""


def _tiff_options(xmp: bytes | None, comment: str) -> dict[str, Any]:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if xmp:
        tags[_TIFF_XMP] = xmp
        tags.tagtype[_TIFF_XMP] = _TIFF_BYTE
    if comment:
        # Not UserComment: Pillow writes no EXIF besides these tags. UTF-8, as most readers take it.
        tags[0x010E] = comment.encode()
    return {"tiffinfo": tags} if xmp or comment else {}


def _comment(metadata: Metadata) -> str:
    """Return the text by which a generator can be known, for a file that has room for one."""
    marks = marks_in(metadata.texts)
    return marks[0].text if marks and not marks_in(metadata.exif) else ""


def _with_comment(exif: bytes | None, comment: str) -> bytes | None:
    if not comment:
        return exif
    block = Image.Exif()
    with suppress(Exception):
        block.load(exif or b"")
    details = block.get_ifd(_EXIF_IFD)
    details[_USER_COMMENT] = b"UNICODE\0" + comment.encode("utf-16-be", "replace")
    block[_EXIF_IFD] = details
    return block.tobytes()


def _within(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs, as long as they are small enough together."""
    found, size = [], 0
    for keyword, text in pairs:
        size += len(keyword) + len(text)
        if size > _TEXT_MOST:
            break
        found.append((keyword, text))
    return found


def _xmp(image: Image.Image) -> bytes:
    """Return the packet, empty without one."""
    for key in ("xmp", _PNG_XMP):
        if key in image.info:
            return _bytes(image.info[key])
    if _TIFF_XMP in (getattr(image, "tag_v2", None) or {}):
        return _bytes(image.tag_v2[_TIFF_XMP])  # type: ignore[attr-defined]
    if "Raw profile type xmp" in image.info:  # ImageMagick's: name, length, hex digits
        return bytes.fromhex("".join(image.info["Raw profile type xmp"].split()[2:]))
    # Pillow below 10.3 leaves a JPEG's packet among the markers.
    markers = [body for marker, body in getattr(image, "applist", []) if marker == "APP1"]
    found = [body for body in markers if body.startswith(_JPEG_XMP)]
    return found[0][len(_JPEG_XMP) :] if found else b""


def _texts(image: Image.Image) -> Iterator[tuple[str, str]]:
    """PNG chunks but for those that hold other metadata; a comment, and EXIF's, under the name that a PNG gives it."""
    chunks: dict[str, Any] = _png_chunks(image) if image.format == "PNG" else {}
    for keyword, text in chunks.items():
        if keyword != _PNG_XMP and not keyword.startswith("Raw profile type "):
            yield keyword, str(text)
    comment = image.info.get("comment")
    if comment and not chunks:
        yield "comment", comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)
    # Most readers of a PNG look for the infotext in this chunk alone.
    for place, text in () if "parameters" in chunks else _exif_texts(image):
        if place in ("UserComment", "ImageDescription") and mark_of(place, text):
            yield "parameters", text
            break


def _png_chunks(image: Image.Image) -> dict[str, Any]:
    # Of an animation Pillow would decode every frame for those behind the last one.
    if getattr(image, "is_animated", False):
        return {str(keyword): text for keyword, text in image.info.items() if isinstance(text, str)}
    chunks: dict[str, Any] = getattr(image, "text", None) or {}
    return chunks


def _exif_texts(image: Image.Image) -> Iterator[tuple[str, str]]:
    exif = image.getexif()
    for tag, name in _EXIF_TEXTS.items():
        value = exif.get(tag)
        if isinstance(value, (str, bytes)) and value:
            yield name, _utf8(value)
    comment = _user_comment(image)
    if comment:
        yield "UserComment", comment


def _user_comment(image: Image.Image) -> str:
    """EXIF's UserComment, without the eight bytes before it that tell its encoding."""
    comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    if isinstance(comment, str):
        return comment
    code, body = bytes(comment[:8]), bytes(comment[8:])
    if code != b"UNICODE\0":
        return body.decode("utf-8", "replace").strip("\0 ")
    # EXIF does not fix the byte order; text in latin letters has its zeros first in big endian.
    return body.decode("utf-16-be" if body[:1] == b"\0" else "utf-16-le", "replace")


def _utf8(value: str | bytes) -> str:
    """EXIF's texts are ASCII by its letter and UTF-8 in practice; Pillow takes them for Latin-1."""
    try:
        return (value.encode("latin-1") if isinstance(value, str) else value).decode()
    except UnicodeError:
        return value if isinstance(value, str) else value.decode("latin-1")


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value)
