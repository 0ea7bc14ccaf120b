"""What the picture page shows of an export folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from lib_photoshoot.catalog.alike import DRIFT, differing_fields, note_of
from lib_photoshoot.catalog.page import id_of, unreadable_item
from lib_photoshoot.catalog.report import what_to_check
from lib_photoshoot.consistency.sets import Comparison, Departure
from lib_photoshoot.consistency.words import told_of
from lib_photoshoot.export.review.records import ExportedFile
from lib_photoshoot.files import shown
from lib_photoshoot.pages.application import CHANGES, DECIDE, MEDIA_TYPES
from lib_photoshoot.pages.data import Item, Note, Page, page, reasons, shows
from lib_photoshoot.pages.hands import HANDS, Hand, item_fields
from lib_photoshoot.pages.html import key_of
from lib_photoshoot.wording import counted

FINE, MISSES = "fine", "misses"
"""What pictures are marked with: names of the page's filters."""
_SHOWS = ("all", "accepted", "rejected", FINE, MISSES, "check", "unreadable", "hand")


def page_of(folder: Path, records: Iterable[ExportedFile], stamp: str, alike: Comparison) -> Page:
    """Return all that the page shows besides the pictures; ``alike`` are they compared with each other."""
    listed = list(records)
    return page(
        f"Exports: {shown(folder.name)}",
        heading=shown(folder.name),
        lead=". ".join(filter(None, [_lead(listed), *told_of(alike)])),
        key=key_of([str(folder.absolute())]),
        decide=DECIDE,
        changes=address(stamp),
        judge="",
        words={"accepted": "Handed on", "rejected": "Kept back"},
        reasons=reasons(),
        shows=shows((*_SHOWS, *((DRIFT,) if alike.departures else ())), accepted="Handed on", rejected="Kept back"),
        products=[{"name": name} for name in dict.fromkeys(map(_group, listed)) if name],
        order="In the order of the export",
        footer=[
            {
                "text": "Files stay where they are. “export” into this folder leaves what you reject out of zips and "
                "shops’ tables, marks it on contact sheets, and takes what you accept though its outline is doubtful.",
                "links": (),
            }
        ],
        empty="Nothing was exported into this folder.",
    )


def address(stamp: str) -> str:
    """Return the address that tells what is new since."""
    return f"{CHANGES}?since={stamp}"


def item_of(record: ExportedFile, hand: Hand | None, digest: str, departures: Sequence[Departure] = ()) -> Item:
    """Return one picture; ``digest`` is its content's sha256 now, "" where the file cannot be shown.

    ``departures`` are what it differs by from the channel's other pictures.
    """
    if not digest:
        why = "It is not there any more, is a link, or is far too large; export it again."
        return unreadable_item({"file": record.file, "error": why})
    changed = digest != record.digest
    notes = [*_notes(record, changed), *note_of(departures)]
    usual = HANDS[bool(record.doubts)]
    item: Item = {
        "id": id_of(record.file),
        "name": shown(PurePath(record.file).with_suffix("").as_posix()),
        "detail": f"{record.width} × {record.height}",
        "link": record.file.split("/"),
        "reference": {"file": record.file},
        "products": [group] if (group := _group(record)) else [],
        "decision": hand.decision if hand else usual,
        "filter": usual,
        **item_fields(hand),  # type: ignore[typeddict-item]
        "why": notes[0]["text"],
        "scores": [],
        "file": full_name(record),
        "thumbnail": thumbnail_name(record),
        "views": [],
        "check": changed or bool(record.doubts),
        "marks": marks_of(record, changed),
        "notes": notes[1:],
        "more": list(_more(record)),
        "details": list(_details(record)),
        **differing_fields(departures),  # type: ignore[typeddict-item]
    }
    return item if changed else item | {"size": [record.width, record.height]}  # type: ignore[return-value]


def full_name(record: ExportedFile) -> str:
    """Return the name of the picture for the browser: the file itself, or drawn where no browser shows its kind."""
    return record.file if PurePath(record.file).suffix in MEDIA_TYPES else f".drawn/{record.file}.jpg"


def thumbnail_name(record: ExportedFile) -> str:
    """Return the name of a picture's thumbnail, which lies in no folder."""
    return f".thumbnails/{record.file}.jpg"


def marks_of(record: ExportedFile, changed: bool = False) -> list[str]:
    """Return what a picture counts for: it is fine where nothing is missed and nothing is to be looked at."""
    if record.missed:
        return [MISSES]
    return [] if changed or record.doubts or record.cut_off else [FINE]


def _lead(records: list[ExportedFile]) -> str:
    titles = ", ".join(dict.fromkeys(record.title for record in records))
    counts = Counter(mark for record in records for mark in marks_of(record))
    check = sum(bool(record.doubts) for record in records)
    parts = [f"{counts[FINE]} fine", f"{counts[MISSES]} missing rules", f"{check} with an outline to check"]
    return f"{counted(len(records), 'picture')} for {titles}: {', '.join(parts)}" if records else ""


def _group(record: ExportedFile) -> str:
    return shown(record.product or record.sku)


def _notes(record: ExportedFile, changed: bool) -> Iterator[Note]:
    if changed:
        yield {
            "text": f"The file was changed since it was exported: ask check-export --profile {shown(record.channel)} "
            "about it; export does not hand it on.",
            "wrong": True,
        }
    if doubts := what_to_check(record.doubts, "; "):
        yield {"text": f"Check {doubts}.", "wrong": True}
    for missed in record.missed:
        yield {"text": f"Misses {shown(missed)}.", "wrong": True}
    if record.cut_off:
        yield {"text": "The product is cut off by its picture’s edge.", "wrong": True}
    if not record.missed:
        yield {"text": f"Keeps all measured rules of {shown(record.title)}.", "wrong": False}


def _more(record: ExportedFile) -> Iterator[str]:
    yield shown(record.title)
    yield f"{record.bytes:,} bytes"
    yield from (shown(text) for text in (record.source,) if text)


def _details(record: ExportedFile) -> Iterator[tuple[str, str]]:
    named = {"File": record.file, "Profile": record.channel, "SKU": record.sku, "Made from": record.made_from}
    yield from ((name, shown(value)) for name, value in named.items() if value)
